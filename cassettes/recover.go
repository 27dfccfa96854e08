package cassettes

import (
	"errors"

	"tapedeck/cassettes/clean"
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
		list = nil
		for _, in := range c.list {
			if in.Pinned {
				list = append(list, in)
			}
		}
		recorded, err := load(cleaner, fileOf(name), c.held.replacement)
		if err != nil {
			return 0, err
		}
		list = append(list, recorded...)
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
