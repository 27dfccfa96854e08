package merge

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
)

// pair finds out which interactions of the three files are the same one.
func (g *merger) pair() error {
	ofOurs, err := g.withBase(g.ours)
	if err != nil {
		return err
	}
	ofTheirs, err := g.withBase(g.theirs)
	if err != nil {
		return err
	}
	g.units = make([]*unit, len(g.base))
	for i := range g.base {
		g.units[i] = &unit{base: i, ours: -1, theirs: -1}
	}
	var oursNew, theirsNew []int
	for i, b := range ofOurs {
		if b < 0 {
			oursNew = append(oursNew, i)
		} else {
			g.units[b].ours = i
		}
	}
	for i, b := range ofTheirs {
		if b < 0 {
			theirsNew = append(theirsNew, i)
		} else {
			g.units[b].theirs = i
		}
	}
	twins, err := g.twins(oursNew, theirsNew)
	if err != nil {
		return err
	}
	joined := make(map[int]bool)
	for _, i := range oursNew {
		u := &unit{base: -1, ours: i, theirs: -1}
		if t, ok := twins[i]; ok {
			u.theirs = t
			joined[t] = true
		}
		g.units = append(g.units, u)
	}
	for _, i := range theirsNew {
		if !joined[i] {
			g.units = append(g.units, &unit{base: -1, ours: -1, theirs: i})
		}
	}
	return nil
}

// withBase gives each of a side's interactions its position in the base, or -1: the one
// with its id and key, else the one with its key, else the one with its id that asks
// the same of the API about another thing.
func (g *merger) withBase(side []version) ([]int, error) {
	of := make([]int, len(side))
	ids := make(map[int]int, len(g.base))
	used := make([]bool, len(g.base))
	for i, v := range g.base {
		ids[v.in.ID] = i
	}
	left := 0
	join := func(i, b int) {
		of[i], used[b] = b, true
		left--
	}
	for i := range of {
		of[i] = -1
	}
	left = min(len(of), len(g.base))
	for i, v := range side {
		if b, ok := ids[v.in.ID]; ok && !used[b] && (g.base[b].key == v.key || g.base[b].unsettled) {
			join(i, b)
		}
	}
	if left > 0 {
		p, err := diff.Pairs(interactions(g.base), interactions(side), g.matcher)
		if err != nil {
			return nil, err
		}
		for i, b := range p.Old {
			if of[i] < 0 && b >= 0 && !used[b] {
				join(i, b)
			}
		}
	}
	for i, v := range side {
		if b, ok := ids[v.in.ID]; ok && of[i] < 0 && !used[b] && g.base[b].route == v.route {
			join(i, b)
		}
	}
	return of, nil
}

func interactions(list []version) []clean.Interaction {
	out := make([]clean.Interaction, len(list))
	for i, v := range list {
		out[i] = v.in
	}
	return out
}

func pick(list []version, positions []int) []version {
	out := make([]version, len(positions))
	for i, at := range positions {
		out[i] = list[at]
	}
	return out
}
