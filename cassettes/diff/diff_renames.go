package diff

import (
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// Renames says which new cassette is which gone one under another name: the one with the
// most requests in common, at least half of those of the larger. It returns, by
// position in gone, the position in fresh, or -1.
func Renames(gone, fresh []Cassette, m *matchers.Matcher) []int {
	to := minusOnes(len(gone))
	if len(gone) == 0 || len(fresh) == 0 {
		return to
	}
	holders := make(map[matchers.Key]map[int]int) // how often each new cassette holds a key
	for i := range fresh {
		for key, n := range keysOf(fresh[i].List, m) {
			if holders[key] == nil {
				holders[key] = make(map[int]int)
			}
			holders[key][i] = n
		}
	}
	type candidate struct{ gone, fresh, common int }
	var all []candidate
	for j := range gone {
		common := make(map[int]int)
		for key, n := range keysOf(gone[j].List, m) {
			for i, k := range holders[key] {
				common[i] += min(n, k)
			}
		}
		for i, n := range common {
			if 2*n >= max(len(gone[j].List), len(fresh[i].List)) {
				all = append(all, candidate{j, i, n})
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		switch {
		case a.common != b.common:
			return b.common - a.common
		case a.gone != b.gone:
			return a.gone - b.gone
		}
		return a.fresh - b.fresh
	})
	taken := make([]bool, len(fresh))
	for _, c := range all {
		if to[c.gone] < 0 && !taken[c.fresh] {
			to[c.gone], taken[c.fresh] = c.fresh, true
		}
	}
	return to
}

func keysOf(list []clean.Interaction, m *matchers.Matcher) map[matchers.Key]int {
	out := make(map[matchers.Key]int, len(list))
	for _, in := range list {
		out[m.Read(in.Request(), nil).Key]++
	}
	return out
}
