package deck

import "container/heap"

// A graph is interactions, and nodes beside them, with what must come before what. All
// edges of interactions point forward in recorded order, so there is no cycle.
type graph struct {
	rank    []rank
	next    [][]int
	waits   []int // how many must come first
	chained map[*int]bool
}

func (g *graph) grow(n int) {
	g.next, g.waits = make([][]int, n), make([]int, n)
}

func (g *graph) node() int {
	g.next, g.waits = append(g.next, nil), append(g.waits, 0)
	return len(g.next) - 1
}

func (g *graph) edge(from, to int) {
	g.next[from] = append(g.next[from], to)
	g.waits[to]++
}

func (g *graph) chain(list *int) {
	if g.chained == nil {
		g.chained = map[*int]bool{}
	}
	g.chained[list] = true
}

// sorted lists the first n nodes: always the one of least rank of all that can come next.
func (g *graph) sorted(n int) []int {
	ready := &byRank{rank: g.rank}
	free := []int{} // nodes beside the interactions, which take no place
	release := func(at int) {
		if at < n {
			heap.Push(ready, at)
		} else {
			free = append(free, at)
		}
	}
	for at, waits := range g.waits {
		if waits == 0 {
			release(at)
		}
	}
	out := make([]int, 0, n)
	for len(free) > 0 || ready.Len() > 0 {
		var at int
		if len(free) > 0 {
			at, free = free[len(free)-1], free[:len(free)-1]
		} else {
			at = heap.Pop(ready).(int)
			out = append(out, at)
		}
		for _, to := range g.next[at] {
			if g.waits[to]--; g.waits[to] == 0 {
				release(to)
			}
		}
	}
	return out
}

type byRank struct {
	rank []rank
	list []int
}

func (b *byRank) Len() int           { return len(b.list) }
func (b *byRank) Less(i, j int) bool { return b.rank[b.list[i]].less(b.rank[b.list[j]]) }
func (b *byRank) Swap(i, j int)      { b.list[i], b.list[j] = b.list[j], b.list[i] }
func (b *byRank) Push(x any)         { b.list = append(b.list, x.(int)) }
func (b *byRank) Pop() any {
	last := b.list[len(b.list)-1]
	b.list = b.list[:len(b.list)-1]
	return last
}
