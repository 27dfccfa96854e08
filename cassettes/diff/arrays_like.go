package diff

import "slices"

// likes pairs, between the elements that are equal, those that are alike: an object that
// changed is still the same object.
func (m *matching) likes(old, new []kid, first, a, b int) {
	fences := longestRun(m.from[first:b])
	i, j := first, first
	for n := 0; n <= len(fences); n++ {
		endA, endB := a, b
		if n < len(fences) {
			endB = first + fences[n]
			endA = m.from[endB]
		}
		var was, now []int
		for ; i < endA; i++ {
			if m.to[i] == noMatch {
				was = append(was, i)
			}
		}
		for ; j < endB; j++ {
			if m.from[j] == noMatch {
				now = append(now, j)
			}
		}
		m.gap(old, new, was, now)
		i, j = endA+1, endB+1
	}
}

// maxGap bounds how many pairs of elements are weighed for one gap.
const maxGap = 1024

// maxLike is how many members of an object are looked at to see what it is like.
const maxLike = 40

// gap pairs the elements of one gap.
func (m *matching) gap(old, new []kid, was, now []int) {
	switch {
	case len(was) == 0 || len(now) == 0:
	case len(was) == 1 && len(now) == 1:
		a, b := old[was[0]].node, new[now[0]].node
		if a.shape != object || b.shape != object || likeness(a, b, deepest-1) > 0 || !contradict(a, b) {
			m.pair(was[0], now[0])
		}
	case len(was)*len(now) > maxGap || allScalars(old, was) && allScalars(new, now):
		// As many as before: each is another in its place.
		if len(was) == len(now) || !allScalars(old, was) {
			for n := range min(len(was), len(now)) {
				m.pair(was[n], now[n])
			}
		}
	default:
		m.weigh(old, new, was, now)
		m.remaining(old, new, was, now)
	}
}

// remaining pairs, between the elements that are alike, the objects that are not: where as
// many are left on both sides, each is another in its place, as long as it does not
// say that it is another thing. So members that are gone from all are told as gone.
func (m *matching) remaining(old, new []kid, was, now []int) {
	y := 0
	for x := 0; x < len(was); {
		end := x
		for end < len(was) && m.to[was[end]] == noMatch {
			end++
		}
		from := y
		for y < len(now) && m.from[now[y]] == noMatch {
			y++
		}
		if end-x == y-from {
			for n := range end - x {
				a, b := old[was[x+n]].node, new[now[from+n]].node
				if a.shape == object && b.shape == object && !contradict(a, b) {
					m.pair(was[x+n], now[from+n])
				}
			}
		}
		x, y = end+1, y+1 // behind a pair
	}
}

// kindMembers say what kind of thing an object is.
var kindMembers = []string{"type", "kind", "object", "event", "__typename", "@type"}

// contradict reports two objects that say by a member that they are different things.
func contradict(a, b *node) bool {
	for i := range min(len(a.kids), maxLike) {
		name := a.kids[i].name
		if rank(name) >= len(namingMembers) && !slices.Contains(kindMembers, name) {
			continue
		}
		if j := b.findNear(name, maxLike); j >= 0 {
			x, y := a.kids[i].node, b.kids[j].node
			if !x.isContainer() && !y.isContainer() && x.digest() != y.digest() {
				return true
			}
		}
	}
	return false
}

func allScalars(list []kid, at []int) bool {
	for _, i := range at {
		if list[i].node.isContainer() {
			return false
		}
	}
	return true
}

// weigh pairs elements in their order so that the pairs are as alike as they can be.
func (m *matching) weigh(old, new []kid, was, now []int) {
	wide := len(now) + 1
	best := make([]float64, (len(was)+1)*wide)
	like := make([]float64, len(best))
	for x := len(was) - 1; x >= 0; x-- {
		for y := len(now) - 1; y >= 0; y-- {
			at := x*wide + y
			best[at] = max(best[at+wide], best[at+1])
			like[at] = likeness(old[was[x]].node, new[now[y]].node, 0)
			if like[at] > 0 {
				best[at] = max(best[at], like[at]+best[at+wide+1])
			}
		}
	}
	for x, y := 0, 0; x < len(was) && y < len(now); {
		at := x*wide + y
		switch {
		case like[at] > 0 && best[at] == like[at]+best[at+wide+1]:
			m.pair(was[x], now[y])
			x, y = x+1, y+1
		case best[at] == best[at+wide]:
			x++
		default:
			y++
		}
	}
}

// deepest is how many levels deep it is weighed how much alike two nodes are.
const deepest = 4

// likeness is between 0, for nodes that are not the same thing, and 1. Objects are alike by
// the members that both have, and more so by those that are equal or alike.
func likeness(a, b *node, depth int) float64 {
	if a.shape != b.shape {
		return 0
	}
	switch {
	case a.digest() == b.digest():
		return 1
	case a.isContainer() && depth == deepest:
		return 0.1
	case a.shape == object:
		return a.membersLike(b, depth)
	case a.shape == array:
		equal := 0.0
		for i := range min(len(a.kids), len(b.kids), maxLike) {
			equal += likeness(a.kids[i].node, b.kids[i].node, depth+1)
		}
		return 0.1 + 0.9*equal/float64(max(1, min(maxLike, max(len(a.kids), len(b.kids)))))
	}
	return 0.05
}

func (n *node) membersLike(other *node, depth int) float64 {
	both, equal := 0.0, 0.0
	for j := range min(len(other.kids), maxLike) {
		i := j
		if i >= len(n.kids) || n.kids[i].name != other.kids[j].name {
			i = n.findNear(other.kids[j].name, maxLike)
		}
		if i >= 0 {
			both++
			equal += likeness(n.kids[i].node, other.kids[j].node, depth+1)
		}
	}
	all := float64(max(1, min(maxLike, max(len(n.kids), len(other.kids)))))
	if 2*both < all {
		return 0
	}
	return 0.1 + 0.2*both/all + 0.7*equal/all
}
