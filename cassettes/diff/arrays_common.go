package diff

// Bounds on what a comparison of two sequences costs. Beyond them it is coarser, and
// still right: what was not found to be common is told as removed and added.
const (
	// maxEdits is how many insertions and deletions the exact search goes through.
	maxEdits = 200
	// maxSplits bounds how often a sequence is split at elements that stand once in both.
	maxSplits = 24
)

// commonOf finds a long common subsequence of two sequences and calls pair for each of its
// elements, in any order. It is a longest one when the sequences differ in at most
// maxEdits places; otherwise they are split at what stands once in both, as patience
// diff does, and searched between these.
func commonOf(a, b []uint64, pair func(i, j int)) {
	s := searcher{a: a, b: b, pair: pair}
	s.search(0, len(a), 0, len(b), 0)
}

type searcher struct {
	a, b []uint64
	pair func(i, j int)
	// ends and trace belong to the exact search.
	ends  []int
	trace [][]int
}

func (s *searcher) search(a0, a1, b0, b1, depth int) {
	for a0 < a1 && b0 < b1 && s.a[a0] == s.b[b0] {
		s.pair(a0, b0)
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && s.a[a1-1] == s.b[b1-1] {
		a1, b1 = a1-1, b1-1
		s.pair(a1, b1)
	}
	if a0 == a1 || b0 == b1 || s.exact(a0, a1, b0, b1) || depth == maxSplits {
		return
	}
	anchors := s.anchors(a0, a1, b0, b1)
	if len(anchors) == 0 {
		return
	}
	for _, at := range anchors {
		s.pair(at[0], at[1])
		s.search(a0, at[0], b0, at[1], depth+1)
		a0, b0 = at[0]+1, at[1]+1
	}
	s.search(a0, a1, b0, b1, depth+1)
}

// anchors are the elements that stand once on each side, as many as stand in the same order.
func (s *searcher) anchors(a0, a1, b0, b1 int) (list [][2]int) {
	type seen struct{ inA, inB, at int }
	counts := make(map[uint64]seen, a1-a0)
	for i := a0; i < a1; i++ {
		c := counts[s.a[i]]
		counts[s.a[i]] = seen{c.inA + 1, 0, i}
	}
	for j := b0; j < b1; j++ {
		if c, ok := counts[s.b[j]]; ok {
			c.inB++
			counts[s.b[j]] = c
		}
	}
	from := make([]int, b1-b0)
	for j := range from {
		from[j] = noMatch
		if c := counts[s.b[b0+j]]; c.inA == 1 && c.inB == 1 {
			from[j] = c.at
		}
	}
	for _, j := range longestRun(from) {
		list = append(list, [2]int{from[j], b0 + j})
	}
	return list
}

// exact is Myers' greedy search (An O(ND) Difference Algorithm, 1986). It gives up, and pairs
// nothing, when more than maxEdits insertions and deletions are needed.
func (s *searcher) exact(a0, a1, b0, b1 int) bool {
	n, m := a1-a0, b1-b0
	most := min(n+m, maxEdits)
	if n-m > most || m-n > most {
		return false
	}
	size := 2*most + 3
	if cap(s.ends) < size {
		s.ends = make([]int, size)
	}
	// ends[most+1+k] is how far into a the best path on diagonal k has come.
	ends := s.ends[:size]
	clear(ends)
	mid := most + 1
	for d := 0; d <= most; d++ {
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || k != d && ends[mid+k-1] < ends[mid+k+1] {
				x = ends[mid+k+1]
			} else {
				x = ends[mid+k-1] + 1
			}
			y := x - k
			for x < n && y < m && s.a[a0+x] == s.b[b0+y] {
				x, y = x+1, y+1
			}
			ends[mid+k] = x
			if x >= n && y >= m {
				s.walkBack(a0, b0, n, m, d)
				return true
			}
		}
		s.keep(d, ends[mid-d:mid+d+1])
	}
	return false
}

// keep remembers the ends of a round for walkBack. Its memory is used again.
func (s *searcher) keep(d int, ends []int) {
	if d == len(s.trace) {
		s.trace = append(s.trace, nil)
	}
	s.trace[d] = append(s.trace[d][:0], ends...)
}

// walkBack pairs what the path of d edits to the end of both has in common.
func (s *searcher) walkBack(a0, b0, x, y, d int) {
	for ; d > 0; d-- {
		ends := s.trace[d-1] // of the diagonals from -(d-1) to d-1
		end := func(k int) int { return ends[k+d-1] }
		k := x - y
		from, afterX := k-1, 1 // a deletion came last
		if k == -d || k != d && end(k-1) < end(k+1) {
			from, afterX = k+1, 0
		}
		px := end(from)
		for x > px+afterX {
			x, y = x-1, y-1
			s.pair(a0+x, b0+y)
		}
		x, y = px, px-from
	}
	for x > 0 {
		x, y = x-1, y-1
		s.pair(a0+x, b0+y)
	}
}
