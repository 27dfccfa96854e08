package diff

import (
	"errors"
	"slices"
	"strings"
)

var errUnfit = errors.New("the recording is not the one that the change was made from")

// A branch holds the changes at a place and under it. Those of what is removed are kept
// apart: their places are those of the old side.
type branch struct {
	kids []limb
	// index finds kids where there are many.
	index map[step]*branch
	list  []*entry
	// was is where an element stood that moved.
	was []step
}

// A limb is a branch below another, and the step that leads there.
type limb struct {
	at    step
	below *branch
}

// An entry is a change, and whether it was made.
type entry struct {
	*Change
	done bool
}

func (b *branch) kid(s step) *branch {
	switch {
	case b == nil:
		return nil
	case b.index != nil:
		return b.index[s]
	}
	for i := range b.kids {
		if b.kids[i].at == s {
			return b.kids[i].below
		}
	}
	return nil
}

// put adds a branch that is not there yet.
func (b *branch) put(s step, kid *branch) {
	const few = 8
	b.kids = append(b.kids, limb{s, kid})
	switch {
	case b.index != nil:
		b.index[s] = kid
	case len(b.kids) > few:
		b.index = make(map[step]*branch, 2*len(b.kids))
		for _, k := range b.kids {
			b.index[k.at] = k.below
		}
	}
}

// grow returns the branch at path.
func (b *branch) grow(path []step) *branch {
	for _, s := range path {
		next := b.kid(s)
		if next == nil {
			next = &branch{}
			b.put(s, next)
		}
		b = next
	}
	return b
}

// of returns the change of a kind that stands exactly here. It is made now.
func (b *branch) of(kinds ...Kind) *Change {
	if b == nil {
		return nil
	}
	for _, one := range b.list {
		if slices.Contains(kinds, one.Kind) {
			one.done = true
			return one.Change
		}
	}
	return nil
}

// left returns a change at or under a place that was not made.
func (b *branch) left() *Change {
	for _, one := range b.list {
		if !one.done {
			return one.Change
		}
	}
	for _, k := range b.kids {
		if ch := k.below.left(); ch != nil {
			return ch
		}
	}
	return nil
}

// patches are the changes of a tree: gone by places of the old side, now by those of the new.
type patches struct{ gone, now branch }

func (p *patches) add(ch *Change) error {
	path, err := steps(ch.Place)
	if err != nil {
		return err
	}
	if ch.Kind == Removed {
		b := p.gone.grow(path)
		b.list = append(b.list, &entry{Change: ch})
		return nil
	}
	b := p.now.grow(path)
	b.list = append(b.list, &entry{Change: ch})
	if ch.Kind == Moved {
		if b.was = path; ch.Was != "" { // it may stand at its index again, in another order
			b.was, err = steps(ch.Was)
		}
		if err != nil || len(b.was) == 0 {
			return errPlace
		}
	}
	return nil
}

// apply makes the new node of an old one. Every change has to find what it changes.
func (p *patches) apply(old *node) (*node, error) {
	n, err := apply(old, &p.gone, &p.now)
	if err == nil && (p.gone.left() != nil || p.now.left() != nil) {
		err = errUnfit
	}
	return n, err
}

func apply(old *node, gone, now *branch) (*node, error) {
	if ch := now.of(Other, Retyped, Rewrote); ch != nil {
		n, err := ch.New.fresh()
		if err != nil {
			return nil, err
		}
		if f, ok := old.format.(*formField); ok {
			n.format = f.with(n)
		}
		n.head, err = applyHead(old.head, gone, now)
		return n, err
	}
	if !hasKids(gone) && !hasKids(now) {
		return old, nil
	}
	out := &node{shape: old.shape, gaps: old.gaps, loose: old.loose, format: old.format}
	var err error
	if out.head, err = applyHead(old.head, gone, now); err != nil {
		return nil, err
	}
	if old.head != nil {
		gone, now = gone.without(headPrefix), now.without(headPrefix)
		if !hasKids(gone) && !hasKids(now) {
			same := *old
			same.head = out.head
			return &same, nil
		}
	}
	switch {
	case old.shape == object:
		out.kids, err = applyMembers(old, gone, now)
	case old.shape == array || old.shape == plain:
		// A name that stood once may stand several times now.
		list := old.asList()
		out.shape, out.loose = array, list.loose
		out.kids, err = applyElements(list, gone, now)
	default:
		err = errUnfit
	}
	if err == nil && out.loose && len(out.kids) == 1 {
		return out.kids[0].node, nil
	}
	return out, err
}

// applyHead makes the new headers of a part.
func applyHead(head *node, gone, now *branch) (*node, error) {
	if head == nil || !hasKids(gone) && !hasKids(now) {
		return head, nil
	}
	gone, now = gone.with(headPrefix), now.with(headPrefix)
	if !hasKids(gone) && !hasKids(now) {
		return head, nil
	}
	kids, err := applyMembers(head, gone, now)
	return &node{kids: kids}, err
}

// with and without are the branches whose names begin so, and all others.

func (b *branch) with(prefix string) *branch    { return b.chosen(prefix, true) }
func (b *branch) without(prefix string) *branch { return b.chosen(prefix, false) }

func (b *branch) chosen(prefix string, begins bool) *branch {
	if b == nil {
		return nil
	}
	out := &branch{list: b.list, was: b.was}
	for _, k := range b.kids {
		if strings.HasPrefix(k.at.name, prefix) == begins {
			out.put(k.at, k.below)
		}
	}
	return out
}

func hasKids(b *branch) bool { return b != nil && len(b.kids) > 0 }
