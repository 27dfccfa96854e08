package diff

import (
	"cmp"
	"slices"
	"strconv"
)

// addition is something new among kids.
type addition struct {
	at int
	kid
}

func applyMembers(old *node, gone, now *branch) ([]kid, error) {
	kids := make([]kid, 0, len(old.kids)+1)
	for i, k := range old.kids {
		s := old.step(i)
		if gone.kid(s).of(Removed) != nil {
			continue
		}
		var err error
		if k.node, err = apply(k.node, gone.kid(s), now.kid(s)); err != nil {
			return nil, err
		}
		kids = append(kids, k)
	}
	var more []addition
	if now != nil {
		for _, k := range now.kids {
			ch := k.below.of(Added)
			if ch == nil {
				continue
			}
			n, err := ch.New.fresh()
			if err != nil || ch.At == nil {
				return nil, errUnfit
			}
			more = append(more, addition{*ch.At, old.newKid(k.at, n)})
		}
	}
	slices.SortFunc(more, func(a, b addition) int { return cmp.Compare(a.at, b.at) })
	return merge(kids, more), nil
}

// merge puts additions, sorted by their positions in the outcome, among kids.
func merge(kids []kid, more []addition) []kid {
	if len(more) == 0 {
		return kids
	}
	out := make([]kid, 0, len(kids)+len(more))
	for _, a := range more {
		for len(out) < a.at && len(kids) > 0 {
			out, kids = append(out, kids[0]), kids[1:]
		}
		out = append(out, a.kid)
	}
	return append(out, kids...)
}

func applyElements(old *node, gone, now *branch) ([]kid, error) {
	const open = -1
	stays := make([]bool, len(old.kids))
	total := len(old.kids)
	for i := range stays {
		stays[i] = true
	}
	if gone != nil {
		for _, k := range gone.kids {
			if k.below.of(Removed) == nil {
				continue
			}
			s := k.at
			if s.index < 0 || s.index >= len(stays) {
				return nil, errUnfit
			}
			stays[s.index] = false
			total--
		}
	}
	if now != nil {
		for _, k := range now.kids {
			if k.below.of(Added) != nil {
				total++
			}
		}
	}
	kids := make([]kid, total)
	from := make([]int, total) // the old index of what comes here
	for j := range from {
		from[j] = open
	}
	if now != nil {
		for _, k := range now.kids {
			s, b := k.at, k.below
			added, moved := b.of(Added), b.of(Moved)
			if added == nil && moved == nil {
				continue
			}
			if s.index < 0 || s.index >= total {
				return nil, errUnfit
			}
			if added != nil {
				n, err := added.New.fresh()
				if err != nil {
					return nil, errUnfit
				}
				kids[s.index].node = n
				continue
			}
			i := b.was[len(b.was)-1].index
			if i < 0 || i >= len(stays) || !stays[i] {
				return nil, errUnfit
			}
			stays[i], from[s.index] = false, i
		}
	}
	next := 0
	for j := range kids {
		if kids[j].node != nil {
			continue
		}
		if from[j] == open {
			for next < len(stays) && !stays[next] {
				next++
			}
			if next == len(stays) {
				return nil, errUnfit
			}
			from[j] = next
			next++
		}
		i := from[j]
		var err error
		if kids[j].node, err = apply(old.kids[i].node, gone.kid(toElement(i)), now.kid(toElement(j))); err != nil {
			return nil, err
		}
	}
	return kids, nil
}

// newKid is a new member, at the place that a step leads to.
func (n *node) newKid(s step, value *node) kid {
	if s.index >= 0 {
		return kid{name: strconv.Itoa(s.index), at: s.index + 1, node: value}
	}
	return kid{name: s.name, node: value}
}
