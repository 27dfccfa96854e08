package diff

// elements learns from two arrays. Which element is which is told by the names in them
// that are known; those that are left are taken in order, as long as they say the same,
// or as many are left on both sides.
func (l *lesson) elements(old, fresh *twig, at *spot, weak bool) {
	if len(old.kids) == 0 || len(fresh.kids) == 0 {
		return
	}
	pair := make([]int, len(fresh.kids))
	taken := make([]bool, len(old.kids))
	left := 0
	owners := l.owners(old)
	for i := range fresh.kids {
		pair[i] = -1
		for _, name := range namesIn(&fresh.kids[i], nil) {
			k, ok := l.names.old[name]
			if !ok {
				continue
			}
			if j, ok := owners[k.name]; ok && j >= 0 && !taken[j] {
				pair[i], taken[j] = j, true
				break
			}
		}
		if pair[i] < 0 {
			left++
		}
	}
	learnAt := func(i, j int, weak bool) {
		if old.kids[j].kind == fresh.kids[i].kind {
			kid := &fresh.kids[i]
			l.twigs(&old.kids[j], kid, &spot{up: at, root: kid.place, n: i}, weak)
		}
	}
	for i, j := range pair {
		if j >= 0 {
			learnAt(i, j, weak)
		}
	}
	if left == 0 {
		return
	}
	if equal := len(old.kids) == len(fresh.kids); equal {
		j := 0
		for i := range pair {
			if pair[i] >= 0 {
				continue
			}
			for taken[j] {
				j++
			}
			taken[j] = true
			learnAt(i, j, weak || len(pair) > 1)
		}
		return
	}
	// Of different lengths: those that say the same, in order.
	same := make(map[uint64][]int)
	for j := range old.kids {
		if !taken[j] {
			h := said(&old.kids[j])
			same[h] = append(same[h], j)
		}
	}
	for i := range pair {
		if pair[i] >= 0 {
			continue
		}
		h := said(&fresh.kids[i])
		if queue := same[h]; len(queue) > 0 {
			same[h] = queue[1:]
			learnAt(i, queue[0], true)
		}
	}
}

// owners says which element of an array each known old name stands in; -1 for a name
// that stands in several and tells nothing.
func (l *lesson) owners(list *twig) map[string]int {
	out := make(map[string]int)
	for j := range list.kids {
		for _, name := range namesIn(&list.kids[j], nil) {
			if _, known := l.names.new[name]; !known {
				continue
			}
			if other, ok := out[name]; ok && other != j {
				out[name] = -1
			} else {
				out[name] = j
			}
		}
	}
	return out
}

// maxNamesIn bounds how many names of an element are looked at: those that tell which
// one it is come early.
const maxNamesIn = 16

// namesIn lists the generated names in a value.
func namesIn(v *twig, out []string) []string {
	if len(out) >= maxNamesIn {
		return out
	}
	switch v.kind {
	case '{', '[':
		for i := range v.kids {
			out = namesIn(&v.kids[i], out)
		}
	case '"':
		for _, p := range pieces(v.text) {
			if p.kind == aName || p.kind == aUUID {
				out = append(out, v.text[p.start:p.end])
			}
		}
	}
	return out
}

// said is a hash of what a value says, without what is invented anew.
func said(v *twig) uint64 {
	var t trace
	return t.twig(v, hashOf("body"), "")
}
