package render

import "github.com/aymanbagabas/go-udiff/lcs"

// alignKeys pairs the elements of two sequences that have equal keys, in order. Each
// pair in the result holds an index of either side, or -1 where there is none.
//
// Keys that stand once on either side are paired first: they are where a reader
// looks, and the rest then falls into short pieces.
func alignKeys(a, b []int32) [][2]int {
	out := make([][2]int, 0, max(len(a), len(b)))
	i, j := 0, 0
	for _, anchor := range append(uniqueKeys(a, b), [2]int{len(a), len(b)}) {
		out = alignPieces(out, a, b, i, j, anchor)
		if i, j = anchor[0]+1, anchor[1]+1; anchor[0] < len(a) {
			out = append(out, anchor)
		}
	}
	return out
}

// alignPieces aligns what stands between two anchors.
func alignPieces(out [][2]int, a, b []int32, i, j int, end [2]int) [][2]int {
	base, other := i, j
	for _, d := range lcs.DiffRunes(a[i:end[0]], b[j:end[1]]) {
		for ; i < base+d.Start; i, j = i+1, j+1 {
			out = append(out, [2]int{i, j})
		}
		for ; i < base+d.End; i++ {
			out = append(out, [2]int{i, -1})
		}
		for ; j < other+d.ReplEnd; j++ {
			out = append(out, [2]int{-1, j})
		}
	}
	for ; i < end[0]; i, j = i+1, j+1 {
		out = append(out, [2]int{i, j})
	}
	return out
}

// uniqueKeys pairs the keys that stand once in a and once in b, as many as there are
// in the same order: the longest increasing subsequence.
func uniqueKeys(a, b []int32) [][2]int {
	type seen struct{ inA, inB, at int }
	where := make(map[int32]seen, len(b))
	for j, key := range b {
		s := where[key]
		where[key] = seen{0, s.inB + 1, j}
	}
	for _, key := range a {
		if s, ok := where[key]; ok {
			s.inA++
			where[key] = s
		}
	}
	type card struct {
		pair [2]int
		left int // the top of the pile to the left, when this was laid
	}
	var cards []card
	var piles []int // the top card of each
	for i, key := range a {
		s := where[key]
		if s.inA != 1 || s.inB != 1 {
			continue
		}
		low, high := 0, len(piles)
		for low < high {
			if mid := (low + high) / 2; cards[piles[mid]].pair[1] < s.at {
				low = mid + 1
			} else {
				high = mid
			}
		}
		left := -1
		if low > 0 {
			left = piles[low-1]
		}
		cards = append(cards, card{[2]int{i, s.at}, left})
		if low == len(piles) {
			piles = append(piles, 0)
		}
		piles[low] = len(cards) - 1
	}
	list := make([][2]int, len(piles))
	if len(piles) == 0 {
		return list
	}
	for k, at := len(piles)-1, piles[len(piles)-1]; k >= 0; k-- {
		list[k] = cards[at].pair
		at = cards[at].left
	}
	return list
}
