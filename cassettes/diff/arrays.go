package diff

import "slices"

// elements compares arrays: it finds out which element is which, then goes through them in
// the order of the new side.
func (c *comparer) elements(old, new *node) {
	m := align(old.kids, new.kids)
	moved := m.moved()
	outer := c.element
	next := 0
	gone := func(until int) {
		for ; next < until; next++ {
			if m.to[next] == noMatch {
				c.element = m.label(outer, old.kids[next].node)
				c.removed(toElement(next), old.kids[next].node)
			}
		}
	}
	for j, i := range m.from {
		b := new.kids[j].node
		if i == noMatch {
			for next < len(m.to) && m.to[next] == noMatch {
				gone(next + 1) // what went comes before what stands in its place
			}
			c.element = m.label(outer, b)
			c.added(toElement(j), j, b)
			continue
		}
		hasMoved := moved != nil && moved[j]
		if !hasMoved {
			gone(i)
			next = i + 1
		}
		a := old.kids[i].node
		if !hasMoved && identical(a, b) {
			continue
		}
		c.element = m.label(outer, b)
		if hasMoved {
			c.moved(toElement(i), toElement(j), a, b)
		}
		c.at(toElement(i), toElement(j), a, b)
	}
	gone(len(old.kids))
	c.element = outer
}

// identical reports whether two nodes were read from the same bytes.
func identical(a, b *node) bool {
	return a.raw == b.raw && a.raw != "" && a.shape == b.shape && (a.head == nil || b.head == nil || a.head.raw == b.head.raw)
}

// moved adds that an element stands at another index. Only a scalar is told: of all else the
// place and the element's name say more.
func (c *comparer) moved(was, now step, a, b *node) {
	c.was, c.now = append(c.was, was), append(c.now, now)
	ch := Change{Kind: Moved}
	if !a.isContainer() && !b.isContainer() {
		ch.Old, ch.New = valueOf(a), valueOf(b)
	}
	c.add(ch)
	c.was, c.now = c.was[:len(c.was)-1], c.now[:len(c.now)-1]
}

// A matching says which element of one array is which of another.
type matching struct {
	to   []int // by old index: the new one, noMatch if it is gone
	from []int // by new index: the old one, noMatch if it is new
	// names are the members by which objects were told apart, nil if there are none.
	names []string
}

const noMatch = -1

func newMatching(old, new int) *matching {
	both := make([]int, old+new)
	for i := range both {
		both[i] = noMatch
	}
	return &matching{to: both[:old:old], from: both[old:]}
}

func (m *matching) pair(i, j int) { m.to[i], m.from[j] = j, i }

// align pairs the elements of two arrays. What both begin and end with is found at once.
// Objects are then paired by what names them; all else by the longest common
// subsequence of equal elements, and by likeness between these.
func align(old, new []kid) *matching {
	m := newMatching(len(old), len(new))
	first, a, b := 0, len(old), len(new)
	for first < min(a, b) && identical(old[first].node, new[first].node) {
		m.pair(first, first)
		first++
	}
	for a > first && b > first && identical(old[a-1].node, new[b-1].node) {
		a, b = a-1, b-1
		m.pair(a, b)
	}
	if first == a && first == b {
		return m
	}
	if names, was, now := identify(old, new); names != nil {
		m.names = names
		m.byName(was, now)
		return m
	}
	if first == a || first == b {
		return m
	}
	x, y := digests(old[first:a]), digests(new[first:b])
	commonOf(x, y, func(i, j int) { m.pair(first+i, first+j) })
	m.scattered(x, y, first)
	m.likes(old, new, first, a, b)
	return m
}

func digests(list []kid) []uint64 {
	out := make([]uint64, len(list))
	for i := range list {
		out[i] = list[i].node.digest()
	}
	return out
}

// scattered pairs equal elements that stand in another order, each value's in turn.
func (m *matching) scattered(x, y []uint64, first int) {
	rest := make(map[uint64][]int)
	for i := range x {
		if m.to[first+i] == noMatch {
			rest[x[i]] = append(rest[x[i]], i)
		}
	}
	if len(rest) == 0 {
		return
	}
	for j := range y {
		if list := rest[y[j]]; m.from[first+j] == noMatch && len(list) > 0 {
			m.pair(first+list[0], first+j)
			rest[y[j]] = list[1:]
		}
	}
}

// moved says, by new index, which pairs stand in another order than most: those that are
// not in the longest run that keeps its order. It is nil when there are none.
func (m *matching) moved() []bool {
	last, inOrder := noMatch, true
	for _, i := range m.from {
		if i != noMatch {
			inOrder = inOrder && i > last
			last = i
		}
	}
	if inOrder {
		return nil
	}
	out := make([]bool, len(m.from))
	for j, i := range m.from {
		out[j] = i != noMatch
	}
	m.stay(out)
	return out
}

// stay takes out of moved a longest run of pairs in the same order on both sides; of several
// runs, one in which more elements keep their index.
func (m *matching) stay(moved []bool) {
	// best is a Fenwick tree over the old indexes: the heaviest run that ends before one.
	type run struct{ weight, last int }
	best := make([]run, len(m.to)+1)
	before := make([]int, len(m.from))
	top := run{0, noMatch}
	for j, i := range m.from {
		if i == noMatch {
			continue
		}
		longest := run{0, noMatch}
		for k := i; k > 0; k &= k - 1 {
			if best[k].weight > longest.weight {
				longest = best[k]
			}
		}
		before[j] = longest.last
		longest = run{longest.weight + len(m.from) + 1, j}
		if i == j {
			longest.weight++
		}
		for k := i + 1; k < len(best); k += k & -k {
			if longest.weight > best[k].weight {
				best[k] = longest
			}
		}
		if longest.weight > top.weight {
			top = longest
		}
	}
	for j := top.last; j != noMatch; j = before[j] {
		moved[j] = false
	}
}

// longestRun returns the positions of a longest increasing subsequence of what is paired.
func longestRun(list []int) []int {
	var ends []int // ends[n] is where the run of length n+1 ends whose last is least
	before := make([]int, len(list))
	for at, v := range list {
		if v == noMatch {
			continue
		}
		n, _ := slices.BinarySearchFunc(ends, v, func(end, v int) int { return list[end] - v })
		if before[at] = noMatch; n > 0 {
			before[at] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, at)
		} else {
			ends[n] = at
		}
	}
	if len(ends) == 0 {
		return nil
	}
	out := make([]int, len(ends))
	for at, n := ends[len(ends)-1], len(ends)-1; n >= 0; at, n = before[at], n-1 {
		out[n] = at
	}
	return out
}
