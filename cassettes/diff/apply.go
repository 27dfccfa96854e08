package diff

import (
	"errors"
	"fmt"
	"slices"

	"tapedeck/cassettes/clean"
)

// Apply makes the new recording of the old one. It needs nothing but what the JSON form
// of a Diff holds. Bodies in body files are named and not held: whoever wants to read
// them has to put the files on a shelf. The error names the interaction and the place
// that does not fit: the old recording is then another than the one that was compared.
func (f *File) Apply(old []clean.Interaction) ([]clean.Stored, error) {
	list, err := f.apply(old)
	if err != nil {
		return nil, fmt.Errorf("%w; apply the diff to the recording that it was made from", err)
	}
	return list, nil
}

func (f *File) apply(old []clean.Interaction) ([]clean.Stored, error) {
	byID := make(map[int]clean.Interaction, len(old))
	for _, in := range old {
		byID[in.ID] = in
	}
	becomes := make(map[int]*Interaction) // by old id
	out := make(map[int]clean.Stored)     // by new id
	var inserts []insert
	for n := range f.Interactions {
		one := &f.Interactions[n]
		if one.Fate == IsNew {
			s, err := one.Recorded.stored(one.ID)
			if err != nil {
				return nil, fmt.Errorf("interaction %d: %w", one.ID, err)
			}
			out[one.ID] = s
			inserts = append(inserts, insert{one.ID, one.After})
			continue
		}
		was := one.ID
		if one.Was != nil {
			was = *one.Was
		}
		if _, ok := byID[was]; !ok {
			return nil, fmt.Errorf("interaction %d: it is not in the old recording", was)
		}
		becomes[was] = one
	}
	var kept []int
	for _, in := range old {
		one := becomes[in.ID]
		if one != nil && one.Fate == IsGone {
			continue
		}
		s, err := in.Stored()
		if err != nil {
			return nil, interactionError(in, err)
		}
		if one != nil {
			if s, err = patch(s, one.Changes); err != nil {
				return nil, interactionError(in, err)
			}
			s.ID = one.ID
		}
		if _, taken := out[s.ID]; taken {
			return nil, fmt.Errorf("interaction %d: it stands there already", s.ID)
		}
		out[s.ID] = s
		kept = append(kept, s.ID)
	}
	ids := f.Order
	if ids == nil {
		var err error
		if ids, err = inserted(kept, inserts); err != nil {
			return nil, err
		}
	}
	list := make([]clean.Stored, 0, len(ids))
	for _, id := range ids {
		s, ok := out[id]
		if !ok {
			return nil, fmt.Errorf("interaction %d: its order is told, and it is not there", id)
		}
		delete(out, id)
		list = append(list, s)
	}
	if len(out) > 0 {
		return nil, errors.New("the order does not tell of every interaction")
	}
	return list, nil
}

// An insert is an interaction that is new, and the id of the one that it stands behind.
type insert struct {
	id    int
	after *int
}

// inserted puts new ids behind those that they follow. The error names one that follows
// what is not there.
func inserted(kept []int, inserts []insert) ([]int, error) {
	const top = -1
	behind := make(map[int][]int, len(inserts))
	for _, one := range inserts {
		at := top
		if one.after != nil {
			at = *one.after
		}
		behind[at] = append(behind[at], one.id)
	}
	out := make([]int, 0, len(kept)+len(inserts))
	var put func(id int)
	put = func(id int) {
		out = append(out, id)
		next := behind[id]
		delete(behind, id)
		for _, id := range next {
			put(id)
		}
	}
	for _, id := range behind[top] {
		put(id)
	}
	delete(behind, top)
	for _, id := range kept {
		put(id)
	}
	if len(behind) > 0 {
		left := make([]int, 0, len(behind))
		for id := range behind {
			left = append(left, id)
		}
		return nil, fmt.Errorf("interaction %d: it is not there, and others follow it", slices.Min(left))
	}
	return out, nil
}
