package diff

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

const anotherSecret = "another one of the secrets that are there"

// secrets decides about placeholders that have another number: all of a recording may be
// numbered anew, one to one. Where one secret has become two, or two have become one, a
// request is sent with another user's, or an answer tells another one.
func (c *comparison) secrets() {
	changed := map[int][]secretChange{}
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			if ch.Grade != Volatile || ch.Kind != Other || ch.Part == Meta || ch.Old == nil || ch.New == nil {
				continue
			}
			old, fresh := redact.Placeholders(ch.Old.Text), redact.Placeholders(ch.New.Text)
			if len(old) != len(fresh) {
				continue
			}
			for k := range old {
				if old[k].ID != fresh[k].ID {
					changed[i] = append(changed[i], secretChange{ch, old[k].ID, fresh[k].ID})
				}
			}
		}
	}
	if len(changed) == 0 {
		return
	}
	now, was := map[string]string{}, map[string]string{}
	for i, in := range c.fresh {
		if c.to[i] < 0 {
			continue
		}
		moved := map[string]bool{}
		for _, s := range changed[i] {
			moved[s.old], moved[s.new] = true, true
			to, isKnown := now[s.old]
			from, isTaken := was[s.new]
			switch {
			case !isKnown && !isTaken:
				now[s.old], was[s.new] = s.new, s.old
			case to != s.new || from != s.old:
				s.change.Grade, s.change.Why = Changed, anotherSecret
			}
		}
		held := secretsOf(c.old[c.to[i]])
		for id := range secretsOf(in) {
			if _, isKnown := now[id]; held[id] && !moved[id] && !isKnown && was[id] == "" {
				now[id], was[id] = id, id
			}
		}
	}
}

type secretChange struct {
	change   *Change
	old, new string
}

// secretsOf are the placeholders in an interaction, by their identity.
func secretsOf(in clean.Interaction) map[string]bool {
	out := map[string]bool{}
	note := func(text string) {
		for _, p := range redact.Placeholders(text) {
			out[p.ID] = true
		}
	}
	r := in.Request()
	note(r.RawURL())
	for _, name := range r.HeaderNames() {
		for _, v := range r.Header(name) {
			note(v)
		}
	}
	note(string(r.Body()))
	resp, err := in.Response()
	if err != nil {
		return out // settle has said so
	}
	for _, values := range resp.Header() {
		for _, v := range values {
			note(v)
		}
	}
	note(string(resp.Body()))
	return out
}
