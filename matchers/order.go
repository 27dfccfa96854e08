package matchers

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// Lists are all unsafe interactions that have to do with what a sequence answers: lists
// of positions, each in ascending order. Sequences share lists; callers must not change
// them.
func (s *Sequence) Lists() [][]int { return s.related }

// Uses lists, by position, the earlier interactions whose answers first gave an id or a
// placeholder that a request names. What an earlier request named, or the giver's own,
// came from the client, and is no use. Every answer is read once.
func (ix *Index) Uses() [][]int {
	rd := newIDReader()
	asked, answered := make([]ids, len(ix.entries)), make([]ids, len(ix.entries))
	for at := range ix.entries {
		e := &ix.entries[at]
		r := e.interaction.Request()
		rd.request(&asked[at], pathOf(r), r)
		for _, s := range e.reading.Secrets {
			asked[at].sure = append(asked[at].sure, rd.hash("\x00"+s.ID))
		}
		rd.answer(&answered[at], e.interaction)
		rd.secrets(&answered[at], e.interaction)
	}
	const client = -1
	givers := map[uint64]int{}
	uses := make([][]int, len(ix.entries))
	for at := range ix.entries {
		seen := map[int]bool{}
		for _, id := range rd.all(asked[at]) {
			giver, known := givers[id]
			switch {
			case !known:
				givers[id] = client
			case giver != client && !seen[giver] && ended(ix.entries[giver].interaction, ix.entries[at].interaction):
				seen[giver] = true
				uses[at] = append(uses[at], giver)
			}
		}
		for _, id := range rd.all(answered[at]) {
			if _, known := givers[id]; !known {
				givers[id] = at
			}
		}
	}
	return uses
}

// ended reports whether one interaction had ended when another began. Of those that
// come from a file nothing is known but their order.
func ended(one, other clean.Interaction) bool {
	return one.End == 0 || other.Begin == 0 || one.End < other.Begin
}

// secrets adds the placeholders in the headers of an answer.
func (rd *idReader) secrets(out *ids, in clean.Interaction) {
	resp, err := in.Response()
	if err != nil {
		return
	}
	for _, values := range resp.Header() {
		for _, value := range values {
			for _, ph := range redact.Placeholders(value) {
				out.sure = append(out.sure, rd.hash("\x00"+ph.ID))
			}
		}
	}
}
