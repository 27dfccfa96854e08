package merge

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
)

// twins finds the interactions that both sides have added. oursNew and theirsNew are
// positions in their files.
//
// Where all that one side has added was added by the other side too, both have
// recorded the same change, and each is the other's twin. Otherwise they are two
// changes, of which each needs its own answers: POST /customers once for each. Then
// only those are twins that are equal, and reads that nothing tells apart: a side has
// changed nothing before it read.
func (g *merger) twins(oursNew, theirsNew []int) (map[int]int, error) {
	twins := make(map[int]int)
	if len(oursNew) == 0 || len(theirsNew) == 0 {
		return twins, nil
	}
	pairs, err := g.mutual(pick(g.ours, oursNew), pick(g.theirs, theirsNew))
	if err != nil {
		return nil, err
	}
	sameChange := len(pairs) == len(oursNew) || len(pairs) == len(theirsNew)
	joined := make(map[int]bool)
	for i, o := range pairs {
		if sameChange || g.theirs[theirsNew[i]].alike(g.ours[oursNew[o]]) {
			twins[oursNew[o]], joined[theirsNew[i]] = theirsNew[i], true
		}
	}
	if sameChange {
		return twins, nil
	}
	oursFirst := firstChange(g.ours, oursNew, func(at int) bool { _, is := twins[at]; return is })
	theirsFirst := firstChange(g.theirs, theirsNew, func(at int) bool { return joined[at] })
	for i, o := range pairs {
		ours, theirs := oursNew[o], theirsNew[i]
		a, b := g.ours[ours], g.theirs[theirs]
		if b.safe && a.key == b.key && (ours < oursFirst || theirs < theirsFirst) {
			twins[ours] = theirs
		}
	}
	return twins, nil
}

// mutual pairs two lists, positions in theirs → in ours: those that are each other's pair
// from both sides, and ask for the same once they name it alike.
func (g *merger) mutual(ours, theirs []version) (map[int]int, error) {
	p, err := diff.Pairs(interactions(ours), interactions(theirs), g.matcher)
	if err != nil {
		return nil, err
	}
	back, err := diff.Pairs(interactions(theirs), interactions(ours), g.matcher)
	if err != nil {
		return nil, err
	}
	var values *clean.Values
	if names := answered(p, ours, theirs); len(names) > 0 {
		values = clean.NewValues(names)
	}
	pairs := make(map[int]int)
	for i, o := range p.Old {
		if o < 0 || back.Old[o] != i {
			continue
		}
		key := theirs[i].key
		if values != nil && key != ours[o].key {
			v, err := theirs[i].replaced(clean.Replacement{Values: values})
			if err != nil {
				return nil, err
			}
			key = g.matcher.Read(v.in.Request(), nil).Key
		}
		if key == ours[o].key {
			pairs[i] = o
		}
	}
	return pairs, nil
}

// firstChange is the position of the first addition that may change what is read after
// it, and that only its side has.
func firstChange(side []version, added []int, isTwin func(at int) bool) int {
	for _, at := range added {
		if !side[at].safe && !isTwin(at) {
			return at
		}
	}
	return len(side)
}

// alike is same with secrets that may have other numbers.
func (v version) alike(w version) bool {
	if v.same(w) {
		return true
	}
	a, b := placeholders(v.in), placeholders(w.in)
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	ids := make(map[string]string)
	for i := range a {
		if to, ok := ids[a[i].ID]; ok && to != b[i].ID {
			return false
		}
		ids[a[i].ID] = b[i].ID
	}
	renumbered, err := v.in.Renumber(ids)
	if err != nil {
		return false
	}
	v.in = renumbered
	return v.same(w)
}
