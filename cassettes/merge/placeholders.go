package merge

import (
	"maps"
	"net/http"
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// renumber gives the placeholders that both sides have introduced numbers of their own,
// on theirs: both have taken the next free one. Those that stand for one secret get
// the number that it has on ours.
func (g *merger) renumber() error {
	last := 0
	was := make(map[string]bool)
	note := func(p redact.Placeholder) {
		if n, ok := redact.ParseNumber(p.ID); ok {
			last = max(last, n)
		}
	}
	for _, v := range g.base {
		for _, p := range placeholders(v.in) {
			was[p.ID] = true
			note(p)
		}
	}
	oursNew, theirsNew := newSecrets{}, newSecrets{}
	ofOurs, ofTheirs := oursNew.collect(g.ours, was, note), theirsNew.collect(g.theirs, was, note)
	if len(theirsNew.list) == 0 || len(oursNew.list) == 0 {
		return nil
	}
	ids := make(map[string]string)
	given := make(map[string]bool)
	give := func(from, to string) {
		if _, done := ids[from]; !done && !given[to] && oursNew.has[to] && theirsNew.has[from] {
			ids[from], given[to] = to, true
		}
	}
	for _, u := range g.units {
		if u.ours < 0 || u.theirs < 0 {
			continue
		}
		if a, b := ofOurs[u.ours], ofTheirs[u.theirs]; len(a) == len(b) {
			for i := range a {
				give(b[i].ID, a[i].ID)
			}
		}
	}
	for _, t := range theirsNew.list {
		for _, o := range oursNew.list {
			if t.Env != "" && t.Env == o.Env {
				give(t.ID, o.ID)
			}
		}
	}
	for _, t := range theirsNew.list {
		if _, done := ids[t.ID]; !done && oursNew.has[t.ID] {
			last++
			ids[t.ID] = redact.Number(last)
		}
	}
	for i := range g.theirs {
		var err error
		if g.theirs[i].in, err = g.theirs[i].in.Renumber(ids); err != nil {
			return interactionError(g.theirs[i].in, err)
		}
	}
	return nil
}

// newSecrets are the placeholders that one side has and the base has not, in the order of
// their first appearance. Cards have no numbers to change.
type newSecrets struct {
	list []redact.Placeholder
	has  map[string]bool
}

// collect returns the placeholders of each interaction.
func (n *newSecrets) collect(side []version, was map[string]bool, note func(redact.Placeholder)) [][]redact.Placeholder {
	n.has = make(map[string]bool)
	all := make([][]redact.Placeholder, len(side))
	for i, v := range side {
		all[i] = placeholders(v.in)
		for _, p := range all[i] {
			note(p)
			if !was[p.ID] && !n.has[p.ID] && !redact.IsCard(p.ID) {
				n.has[p.ID] = true
				n.list = append(n.list, p)
			}
		}
	}
	return all
}

// placeholders lists those of an interaction, in reading order.
func placeholders(in clean.Interaction) []redact.Placeholder {
	s, err := in.Stored()
	if err != nil {
		return nil // reading has said so
	}
	list := redact.Placeholders(s.URL)
	header := func(h http.Header) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, v := range h[name] {
				list = append(list, redact.Placeholders(v)...)
			}
		}
	}
	header(s.RequestHeader)
	header(s.RequestTrailer)
	list = append(list, redact.Placeholders(string(s.RequestBody))...)
	for _, info := range s.Informational {
		header(info.Header)
	}
	header(s.ResponseHeader)
	if l := s.ResponseLarge; l != nil {
		ids, err := l.IDs() // a body that cannot be read keeps its numbers
		for i := 0; err == nil && i < len(ids); i++ {
			list = append(list, redact.Placeholder{ID: ids[i]})
		}
	} else {
		list = append(list, redact.Placeholders(string(s.ResponseBody))...)
	}
	header(s.ResponseTrailer)
	return list
}
