package merge

import (
	"cmp"
	"container/list"
	"slices"
)

// order lists what stays, in the order of the outcome, which is the order of play: that
// of the side that has moved something, of ours when none or both have. What only the
// other side has stands behind what it stood behind there; where both sides have added
// something at the same place, ours comes first.
func (g *merger) order() []*unit {
	ours := func(u *unit) int { return u.ours }
	theirs := func(u *unit) int { return u.theirs }
	first, second, oursFirst := ours, theirs, true
	if !g.moved(ours) && g.moved(theirs) {
		first, second, oursFirst = theirs, ours, false
	}
	out := list.New()
	at := make(map[*unit]*list.Element)
	for _, u := range sorted(g.units, first) {
		if len(u.list) > 0 {
			at[u] = out.PushBack(u)
		}
	}
	var before *list.Element
	for _, u := range sorted(g.units, second) {
		if len(u.list) == 0 {
			continue
		}
		if there, ok := at[u]; ok {
			before = there
			continue
		}
		for oursFirst {
			next := out.Front()
			if before != nil {
				next = before.Next()
			}
			if next == nil || second(next.Value.(*unit)) >= 0 {
				break
			}
			before = next
		}
		if before == nil {
			before = out.PushFront(u)
		} else {
			before = out.InsertAfter(u, before)
		}
	}
	units := make([]*unit, 0, out.Len())
	for e := out.Front(); e != nil; e = e.Next() {
		units = append(units, e.Value.(*unit))
	}
	return units
}

// sorted lists the units that a side has, in its order.
func sorted(units []*unit, side func(*unit) int) []*unit {
	var has []*unit
	for _, u := range units {
		if side(u) >= 0 {
			has = append(has, u)
		}
	}
	slices.SortFunc(has, func(a, b *unit) int { return cmp.Compare(side(a), side(b)) })
	return has
}

// moved reports whether a side has what it shares with the base and the other side in
// another order.
func (g *merger) moved(side func(*unit) int) bool {
	last := -1
	for _, u := range g.units {
		if u.base < 0 || u.ours < 0 || u.theirs < 0 {
			continue
		}
		if side(u) < last {
			return true
		}
		last = side(u)
	}
	return false
}

// number gives ids: those of ours, what they are on theirs when only that has changed
// them or has the interaction, and the next free one where that is taken.
func (g *merger) number(units []*unit) {
	next := 0
	for _, side := range [][]version{g.base, g.ours, g.theirs} {
		for _, v := range side {
			next = max(next, v.in.ID+1)
		}
	}
	taken := make(map[int]bool, len(units))
	var left []*unit
	take := func(u *unit, id int) {
		u.id = id
		if taken[id] {
			left = append(left, u)
		}
		taken[id] = true
	}
	var fromTheirs []*unit
	for _, u := range units {
		switch {
		case u.ours < 0:
			fromTheirs = append(fromTheirs, u)
		case u.theirs >= 0 && u.base >= 0 && g.ours[u.ours].in.ID == g.base[u.base].in.ID:
			take(u, g.theirs[u.theirs].in.ID)
		default:
			take(u, g.ours[u.ours].in.ID)
		}
	}
	for _, u := range fromTheirs {
		take(u, g.theirs[u.theirs].in.ID)
	}
	for _, u := range left {
		u.id = next
		next++
	}
}
