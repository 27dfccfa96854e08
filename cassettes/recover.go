package cassettes

import (
	"errors"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// Recover saves what a recording that was cut off left in its journal, and
// returns how many interactions that gave. The cassette is then marked
// unfinished, since nobody knows what the recording would still have held.
//
// A journal that was to extend the cassette is added to it. If there is none, one
// that was to replace it becomes the cassette, beside the pinned
// interactions of the old one. Nothing to recover is 0 and no error. What holds
// values that the rules refuse stays in its journal: the error is a *redact.UnknownError.
func Recover(store Store, name string, cleaner *clean.Cleaner) (added int, err error) {
	c, err := Open(store, name, cleaner, ToExtend)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	state := c.held.state
	if state.Unfinished == "" {
		state.Unfinished = unsaved
	}
	list := c.list
	switch {
	case c.held.fromJournal > 0:
		added = c.held.fromJournal
	case len(c.held.replacement) > 0:
		added = len(c.held.replacement)
		recorded, err := load(cleaner, fileOf(name), c.held.replacement)
		if err != nil {
			return 0, err
		}
		list = withPinned(c.list, recorded)
		if err := c.held.becomeReplacement(); err != nil {
			return 0, err
		}
	default:
		return 0, nil
	}
	for i, in := range list {
		if list[i], err = cleaner.Sweep(in); err != nil {
			return 0, err
		}
	}
	if err := cleaner.RefuseUnknown(list); err != nil {
		return 0, err
	}
	if err := c.Save(list, state); err != nil {
		return 0, err
	}
	return added, nil
}

// withPinned puts what is pinned among the old interactions in the place of what was
// recorded for the same request, the nth for the nth, and the rest of it before all.
func withPinned(old, recorded []clean.Interaction) []clean.Interaction {
	olds := make(map[string][]clean.Interaction)
	for _, in := range old {
		asked := asks(in.Request())
		olds[asked] = append(olds[asked], in)
	}
	var list, rest []clean.Interaction
	stands := make(map[int]bool)
	for _, in := range recorded {
		asked := asks(in.Request())
		if queue := olds[asked]; len(queue) > 0 {
			olds[asked] = queue[1:]
			if queue[0].Pinned {
				in = queue[0]
				stands[in.ID] = true
			}
		}
		list = append(list, in)
	}
	for _, in := range old {
		if in.Pinned && !stands[in.ID] {
			rest = append(rest, in)
		}
	}
	return append(rest, list...)
}

// asks is what a request says, secrets apart: what matches it is not known here.
func asks(r clean.Request) string {
	return r.Method() + " " + redact.Blank(r.RawURL()) + "\n" + redact.Blank(string(r.Body()))
}
