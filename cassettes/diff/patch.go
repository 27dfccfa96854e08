package diff

import (
	"fmt"
	"slices"

	"tapedeck/cassettes/clean"
)

// patch gives the new side of an interaction, byte for byte, from the old one and what
// compare found. The id stays that of the old side. The error names the place of a change
// that does not fit.
func patch(old clean.Stored, changes []Change) (clean.Stored, error) {
	out := old
	mine := make([][]*Change, len(units))
	for i := range changes {
		ch := &changes[i]
		path, err := steps(ch.Place)
		if err != nil || len(path) == 0 {
			return old, fmt.Errorf("%s %q: %w", ch.Part, ch.Place, errPlace)
		}
		at := slices.IndexFunc(units, func(u unit) bool { return u.owns(ch.Part, path[0].name) })
		if at < 0 {
			return old, fmt.Errorf("%s %s: there is no such place", ch.Part, ch.Place)
		}
		mine[at] = append(mine[at], ch)
	}
	// Lengths and digests in headers follow the body and the status.
	for _, late := range []bool{false, true} {
		for i, u := range units {
			if _, ok := u.(headers); ok != late || !ok && len(mine[i]) == 0 {
				continue
			}
			if err := u.patch(&old, &out, mine[i]); err != nil {
				return old, fmt.Errorf("%s: %w", placesOf(mine[i]), err)
			}
		}
	}
	return out, nil
}

// placesOf names what does not fit: the part and the root of its places.
func placesOf(changes []*Change) string {
	if len(changes) == 0 {
		return "the recording"
	}
	return fmt.Sprintf("%s %s", changes[0].Part, changes[0].Place)
}
