package diff

import (
	"slices"

	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// A step leads from a node to one of its kids.
type step struct {
	name  string
	index int // -1 for a member
}

func toMember(name string) step { return step{name, -1} }
func toElement(i int) step      { return step{"", i} }

func placeOf(path []step) leaves.Place {
	var p leaves.Place
	for _, s := range path {
		if s.index >= 0 {
			p = p.Index(s.index)
		} else {
			p = p.Member(s.name)
		}
	}
	return p
}

// A comparer walks two trees side by side and collects what differs.
type comparer struct {
	part Part
	list []Change
	// was and now lead to where it stands, on the old and the new side.
	was, now []step
	element  string
	// spent is how long the places are that were written, together, in bytes.
	spent int
}

// maxSpent bounds what the places of one part of a message take, in bytes: long names over
// arrays of small elements would cost their length once for each.
const maxSpent = 64 << 20

// add adds a change at the place where the comparer stands.
func (c *comparer) add(ch Change) {
	if c.spent > maxSpent {
		return
	}
	ch.Part, ch.Element = c.part, c.element
	if ch.Kind == Removed {
		ch.Place = placeOf(c.was)
	} else {
		ch.Place = placeOf(c.now)
		if ch.Kind != Added && !slices.Equal(c.was, c.now) {
			ch.Was = placeOf(c.was)
		}
	}
	c.spent += len(ch.Place) + len(ch.Was)
	c.list = append(c.list, ch)
}

// at compares two kids that stand where the steps lead.
func (c *comparer) at(was, now step, old, new *node) {
	c.was, c.now = append(c.was, was), append(c.now, now)
	c.nodes(old, new)
	c.was, c.now = c.was[:len(c.was)-1], c.now[:len(c.now)-1]
}

// removed and added are for kids that one side has.

func (c *comparer) removed(was step, old *node) {
	c.was = append(c.was, was)
	c.add(Change{Kind: Removed, Old: valueOf(old)})
	c.was = c.was[:len(c.was)-1]
}

func (c *comparer) added(now step, at int, new *node) {
	c.now = append(c.now, now)
	c.add(Change{Kind: Added, New: valueOf(new), At: &at})
	c.now = c.now[:len(c.now)-1]
}

// nodes compares two nodes that are the same thing.
func (c *comparer) nodes(old, new *node) {
	if old.head != nil && new.head != nil && old.head.raw != new.head.raw {
		c.members(old.head, new.head)
	}
	if identical(old, new) {
		return
	}
	if old.loose != new.loose && old.shape != object && new.shape != object {
		c.elements(old.asList(), new.asList())
		return
	}
	if old.shape != new.shape {
		c.add(Change{Kind: Retyped, Old: valueOf(old), New: valueOf(new)})
		return
	}
	switch old.shape {
	case object:
		c.members(old, new)
	case array:
		c.elements(old, new)
	case number:
		kind := Other
		if matchers.NormalNumber(old.raw) == matchers.NormalNumber(new.raw) {
			kind = Rewrote
		}
		c.change(kind, old, new)
	case str, plain:
		if old.value != new.value {
			c.change(Other, old, new)
		}
	default:
		if old.raw != new.raw {
			c.change(Other, old, new)
		}
	}
}

// change adds that a scalar has another value.
func (c *comparer) change(kind Kind, old, new *node) {
	ch := Change{Kind: kind, Old: valueOf(old), New: valueOf(new)}
	if kind == Rewrote {
		ch.Why = writtenDifferently
	} else if ch.Old.Type == ch.New.Type && (ch.Old.Type == "string" || ch.Old.Type == "text") {
		ch.Edits = edits(old.value, new.value)
	}
	c.add(ch)
}

const writtenDifferently = "written differently"

// members compares objects by name. What is gone stands in the list before what it stood before.
func (c *comparer) members(old, new *node) {
	find := finder(old)
	inNew := make([]bool, len(old.kids))
	pairs := make([]int, len(new.kids))
	for j := range new.kids {
		pairs[j] = find(j, new.kids[j].name)
		if pairs[j] >= 0 {
			inNew[pairs[j]] = true
		}
	}
	next := 0
	gone := func(until int) {
		for ; next < until; next++ {
			if !inNew[next] {
				c.removed(old.step(next), old.kids[next].node)
			}
		}
	}
	for j, i := range pairs {
		if i < 0 {
			c.added(new.step(j), j, new.kids[j].node)
			continue
		}
		gone(i)
		c.at(old.step(i), new.step(j), old.kids[i].node, new.kids[j].node)
	}
	gone(len(old.kids))
}

// step leads from a node to its kid i.
func (n *node) step(i int) step {
	switch {
	case n.shape == array:
		return toElement(i)
	case n.kids[i].at > 0:
		return toElement(n.kids[i].at - 1)
	}
	return toMember(n.kids[i].name)
}

// finder returns what finds members by name; near is where to look first.
func finder(n *node) func(near int, name string) int {
	const small = 12
	var index map[string]int
	return func(near int, name string) int {
		switch {
		case near < len(n.kids) && n.kids[near].name == name:
			return near
		case len(n.kids) <= small:
			return n.find(name)
		}
		if index == nil {
			index = make(map[string]int, len(n.kids))
			for i := range n.kids {
				index[n.kids[i].name] = i
			}
		}
		if i, ok := index[name]; ok {
			return i
		}
		return -1
	}
}
