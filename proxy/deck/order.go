package deck

import (
	"bytes"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// ordering arranges a recording as the previous file is arranged. What stays in the
// order in which it was recorded is all that replay goes by: equal keys, a safe request
// and what changed its answer, and a request and the answer that gave it an id. Within
// that the previous file's order holds, and what is new stands behind what it followed.
type ordering struct {
	matcher *matchers.Matcher
	// list is the new recording in recorded order, with the ids of the previous file, or
	// -1 for what is new.
	list []clean.Interaction
	// before is where each id stood in the previous file.
	before map[int]int
	// same reports what came out as it was in the previous file.
	same func(clean.Interaction) bool
}

// arrange returns the list in its new order.
func (o ordering) arrange() []clean.Interaction {
	if inTurn(o.list) || o.arranged() {
		return o.list
	}
	ix := matchers.NewIndex(o.matcher, o.list)
	uses := ix.Uses()
	g := graph{rank: o.ranks(uses)}
	g.grow(len(o.list))
	o.equalKeys(&g, ix)
	for at, givers := range uses {
		for _, giver := range givers {
			g.edge(giver, at)
		}
	}
	o.gates(&g, ix)
	out := make([]clean.Interaction, 0, len(o.list))
	for _, at := range g.sorted(len(o.list)) {
		out = append(out, o.list[at])
	}
	return out
}

// inTurn reports a recording in which every request was sent after all earlier ones had
// been answered: its order is what the program does, and not chance.
func inTurn(list []clean.Interaction) bool {
	var last uint64
	for _, in := range list {
		if in.Begin == 0 {
			continue // kept from the previous file
		}
		if in.Begin < last {
			return false
		}
		last = max(last, in.End)
	}
	return true
}

// arranged reports that there is nothing to do.
func (o ordering) arranged() bool {
	last := -1
	for _, in := range o.list {
		at, known := o.before[in.ID]
		if !known {
			continue
		}
		if at < last {
			return false
		}
		last = at
	}
	return true
}

// A rank is where an interaction wants to stand: at its place in the previous file or,
// when it is new, as the nth behind the one that it followed.
type rank struct{ place, behind int }

func (r rank) less(s rank) bool {
	return r.place < s.place || r.place == s.place && r.behind < s.behind
}

// ranks gives each interaction its rank. What a new one followed is, where many clients
// ran at once, the last whose answer it uses.
func (o ordering) ranks(uses [][]int) []rank {
	ranks := make([]rank, len(o.list))
	last := rank{-1, 0}
	for at, in := range o.list {
		if place, known := o.before[in.ID]; known {
			ranks[at] = rank{place, 0}
			last = ranks[at]
			continue
		}
		after := last
		for i, giver := range uses[at] {
			if i == 0 || after.less(ranks[giver]) {
				after = ranks[giver]
			}
		}
		ranks[at] = rank{after.place, at + 1}
		last = ranks[at]
	}
	return ranks
}

// equalKeys keeps equal requests in order.
func (o ordering) equalKeys(g *graph, ix *matchers.Index) {
	last := make(map[matchers.Key]int)
	for at := range o.list {
		_, reading := ix.At(at)
		if earlier, ok := last[reading.Key]; ok {
			g.edge(earlier, at)
		}
		last[reading.Key] = at
	}
}

// gates keeps every safe interaction where it stands among the unsafe ones that have to
// do with it, and among all of them where none between it and its neighbour has.
//
// A sequence whose answers are all the same, and the same as in the previous file, says
// the same wherever it stands. Where many clients ran at once it is chance what came
// before it, so it is held only among what has changed since. So are two neighbours of a
// sequence that say the same, where nothing related stands between them.
func (o ordering) gates(g *graph, ix *matchers.Index) {
	var unsafe []int
	sequences := make([][]int, ix.Sequences())
	for at := range o.list {
		if s := ix.Sequence(at); s != nil {
			sequences[s.ID] = append(sequences[s.ID], at)
		} else {
			unsafe = append(unsafe, at)
		}
	}
	same := make([]bool, len(o.list))
	for at, in := range o.list {
		same[at] = o.same(in)
	}
	walls := walls{graph: g, of: map[*int]*wall{}, same: same}
	for _, positions := range sequences {
		s := ix.Sequence(positions[0])
		steady := o.steady(positions, same)
		parted := make([]bool, len(positions))
		for _, list := range s.Lists() {
			part(parted, positions, list)
			walls.hold(positions, list, steady)
		}
		for i := range positions {
			if !parted[i] {
				walls.hold(positions[max(i-1, 0):i+1], unsafe, steady || i > 0 && o.steady(positions[i-1:i+1], same))
			}
		}
		if !steady {
			o.superseded(g, ix, s)
		}
	}
}

// part marks the positions between which and the one before an element of the list stands.
// It looks at the shorter of the two, since there are many of both.
func part(parted []bool, positions, list []int) {
	if len(list) < len(positions) {
		for _, at := range list {
			if i := above(positions, at); i < len(positions) {
				parted[i] = true
			}
		}
		return
	}
	from := -1
	for i, at := range positions {
		if k := above(list, from); k < len(list) && list[k] < at {
			parted[i] = true
		}
		from = at
	}
}

// steady reports that all answers of a sequence are equal, and what they were.
func (o ordering) steady(positions []int, same []bool) bool {
	for _, at := range positions {
		if !same[at] {
			return false
		}
		if at != positions[0] && !sameAnswer(o.list[positions[0]], o.list[at]) {
			return false
		}
	}
	return true
}

// sameAnswer reports that two answers say the same. Request ids and the like are not
// looked at.
func sameAnswer(a, b clean.Interaction) bool {
	x, err := a.Response()
	if err != nil {
		return false
	}
	y, err := b.Response()
	if err != nil || x.Status() != y.Status() || x.Large() != nil || y.Large() != nil || !bytes.Equal(x.Body(), y.Body()) {
		return false
	}
	h, other := x.Header(), y.Header()
	if len(h) != len(other) {
		return false
	}
	for name, values := range h {
		if _, ok := other[name]; !ok || !slices.EqualFunc(values, other[name], func(v, w string) bool {
			return v == w || isMark(name, v, w) && (name != "Etag" || len(x.Body()) > 0)
		}) {
			return false
		}
	}
	return true
}

// isMark reports header values that are made anew for each answer and say nothing of what
// is in it: the bodies are equal. Of an answer without a body, as to HEAD, the ETag is what
// tells one state from another.
func isMark(name, v, w string) bool {
	name = strings.ToLower(name)
	switch {
	case name == "etag", strings.HasSuffix(name, "request-id"), strings.HasSuffix(name, "trace-id"), strings.HasSuffix(name, "correlation-id"):
		return true
	}
	return strings.Trim(v+w, "0123456789") != "" && matchers.LooksLikeID(v) && matchers.LooksLikeID(w)
}

// superseded keeps in order the unsafe interactions of one path on whose order it
// depends what a sequence answers.
func (o ordering) superseded(g *graph, ix *matchers.Index, s *matchers.Sequence) {
	for _, list := range s.Lists() {
		if len(list) == 0 || g.chained[&list[0]] {
			continue
		}
		g.chain(&list[0])
		for _, at := range list {
			if later := ix.Superseding(at); len(later) > 0 {
				g.edge(at, later[0][0])
			}
		}
	}
}

// A wall is a list of unsafe interactions beside which safe ones are held. It has two
// rows of nodes, so that one edge says "behind all of these up to here", and another
// "before all of these from here".
type wall struct {
	list        []int // ascending
	upTo, after []int // nodes
}

type walls struct {
	graph *graph
	of    map[*int]*wall
	same  []bool
	moved map[*int]*wall // those of what has changed
}

func (w *walls) get(list []int, changed bool) *wall {
	known := w.of
	if changed {
		if w.moved == nil {
			w.moved = map[*int]*wall{}
		}
		known = w.moved
	}
	if one := known[&list[0]]; one != nil {
		return one
	}
	one := &wall{}
	for _, at := range list {
		if !changed || !w.same[at] {
			one.list = append(one.list, at)
		}
	}
	g := w.graph
	for i, at := range one.list {
		up, after := g.node(), g.node()
		g.edge(at, up)
		g.edge(after, at)
		if i > 0 {
			g.edge(one.upTo[i-1], up)
			g.edge(one.after[i-1], after)
		}
		one.upTo, one.after = append(one.upTo, up), append(one.after, after)
	}
	known[&list[0]] = one
	return one
}

// hold keeps positions, which are in order by their key, where they stand among the list.
func (w *walls) hold(positions, list []int, steady bool) {
	if len(list) == 0 {
		return
	}
	if len(list) <= len(positions) {
		for _, at := range list {
			if steady && w.same[at] {
				continue
			}
			i := above(positions, at)
			if i > 0 {
				w.graph.edge(positions[i-1], at)
			}
			if i < len(positions) {
				w.graph.edge(at, positions[i])
			}
		}
		return
	}
	one := w.get(list, steady)
	for _, at := range positions {
		i := above(one.list, at)
		if i > 0 {
			w.graph.edge(one.upTo[i-1], at)
		}
		if i < len(one.list) {
			w.graph.edge(at, one.after[i])
		}
	}
}

// above is the index of the first element that is greater.
func above(list []int, than int) int {
	low, high := 0, len(list)
	for low < high {
		if mid := (low + high) / 2; list[mid] > than {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
