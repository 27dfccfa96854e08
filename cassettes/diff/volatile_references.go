package diff

import (
	"sync"

	"tapedeck/cassettes/clean"
)

const anotherThing = "another one of the things that are there"

// references decides about generated ids that name known things: where an answer names
// another one of the things that both recordings know, such as the other of two cards,
// it says something else, however random the ids look.
func (c *comparison) references() {
	olds, news := map[string]bool{}, map[string]bool{}
	var list []reference
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			if ch.Grade != Volatile || ch.Kind != Other || ch.Part == Meta || ch.Old == nil || ch.New == nil || namingOf(ch.Place) > idName {
				continue
			}
			all, _ := swaps(ch.Old.Text, ch.New.Text)
			for _, s := range all {
				if s.kind == aName || s.kind == aUUID {
					olds[s.old], news[s.new] = true, true
					list = append(list, reference{ch, s})
				}
			}
		}
	}
	if len(list) == 0 {
		return
	}
	stays, was := present(c.fresh, olds), present(c.old, news)
	for _, r := range list {
		known, isKnown := c.names.old[r.swap.new]
		if stays[r.swap.old] || was[r.swap.new] || isKnown && !known.weak && known.name != r.swap.old {
			r.change.Grade, r.change.Why = Changed, anotherThing
		}
	}
}

// A reference is a generated id in a change.
type reference struct {
	change *Change
	swap   swap
}

// present says which of some names stand anywhere in a recording.
func present(list []clean.Interaction, names map[string]bool) map[string]bool {
	var mu sync.Mutex
	out := map[string]bool{}
	_ = inParallel(len(list), func(i int) error {
		var found []string
		eachNameOf(list[i], func(name string) {
			if names[name] {
				found = append(found, name)
			}
		})
		mu.Lock()
		defer mu.Unlock()
		for _, name := range found {
			out[name] = true
		}
		return nil
	})
	return out
}

// eachNameOf calls f for whatever may be a generated name in an interaction.
func eachNameOf(in clean.Interaction, f func(name string)) {
	r := in.Request()
	eachName(r.RawURL(), f)
	eachName(string(r.Body()), f)
	resp, err := in.Response()
	if err != nil {
		return // settle has said so
	}
	eachName(string(resp.Body()), f)
	for _, values := range resp.Header() {
		for _, v := range values {
			eachName(v, f)
		}
	}
}
