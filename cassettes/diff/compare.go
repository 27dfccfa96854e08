package diff

import (
	"fmt"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// compare says how two recordings of one interaction differ: the request, the answer, then
// what tapedeck knows beside them. The changes have no grade yet. The old side and the
// changes together give the new side byte for byte (patch), which has been tried for each
// part before compare returns. The error is that of a side that cannot be read.
func compare(old, new clean.Interaction) ([]Change, error) {
	a, err := old.Stored()
	if err != nil {
		return nil, err
	}
	b, err := new.Stored()
	if err != nil {
		return nil, err
	}
	return compareStored(&a, &b), nil
}

func compareStored(a, b *clean.Stored) []Change {
	var list []Change
	for _, u := range units {
		list = append(list, u.compare(a, b)...)
	}
	return list
}

// A unit is a part of an interaction that is compared, proven and patched by itself.
type unit interface {
	// owns reports whether changes of the part whose places begin with root are the unit's.
	owns(part Part, root string) bool
	compare(old, new *clean.Stored) []Change
	// patch makes of out, which holds the old side yet, what the changes say.
	patch(old, out *clean.Stored, changes []*Change) error
}

// units are all of an interaction, in the order of reports.
var units = []unit{
	fields{Request, []field{methodField}},
	urlUnit{},
	fields{Request, []field{protoField}},
	headers{Request, "header"},
	bodyUnit{Request},
	headers{Request, "trailer"},
	fields{Response, []field{statusField, statusTextField, responseProtoField}},
	informational{},
	headers{Response, "header"},
	fields{Response, []field{chunkedField}},
	bodyUnit{Response},
	headers{Response, "trailer"},
	fields{Meta, []field{recordedField, pinnedField, retryField, cutField}},
}

// compareTrees compares two trees whose members are the roots of places.
func compareTrees(part Part, old, new *node) (list []Change, whole bool) {
	c := comparer{part: part}
	c.nodes(old, new)
	return c.list, c.spent <= maxSpent
}

// patchTree makes the new tree of the old one.
func patchTree(old *node, changes []*Change) (*node, error) {
	var p patches
	for _, ch := range changes {
		if err := p.add(ch); err != nil {
			return nil, fmt.Errorf("%s: %w", ch.Place, err)
		}
	}
	return p.apply(old)
}

// addresses lists the addresses of changes.
func addresses(list []Change) []*Change {
	out := make([]*Change, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// exactly returns the change at a place that is of one of the kinds.
func exactly(changes []*Change, place string, kinds ...Kind) *Change {
	for _, ch := range changes {
		for _, k := range kinds {
			if string(ch.Place) == place && ch.Kind == k {
				return ch
			}
		}
	}
	return nil
}

// rewrote is the change that carries a part of a message as it stands now, where the other
// changes do not give every byte.
func rewrote(part Part, place string, v *Value) Change {
	return Change{Part: part, Place: leaves.Place(place), Kind: Rewrote, Why: writtenDifferently, New: v}
}
