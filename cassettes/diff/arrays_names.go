package diff

import (
	"slices"
	"strings"
)

// namingMembers are the members that name an object best, the best first.
var namingMembers = []string{"id", "_id", "uuid", "guid", "key", "name"}

// namingEnds are how other such members end: customer_id, itemKey.
var namingEnds = []string{"id", "uuid", "guid", "key", "name", "code", "slug", "sku"}

// describingMembers are members that name an object together with another one.
var describingMembers = []string{"type", "kind", "object", "locale", "language", "currency", "country", "region", "version", "index", "position"}

// rank is how well a member names an object, 0 the best; worst if it does not.
func rank(name string) int {
	lower := strings.ToLower(name)
	if i := slices.Index(namingMembers, lower); i >= 0 {
		return i
	}
	for i, end := range namingEnds {
		head, ok := strings.CutSuffix(lower, end)
		if !ok || head == "" && i < 4 {
			continue
		}
		// A word of its own: not "valid" or "monkey".
		if head == "" || strings.HasSuffix(head, "_") || strings.HasSuffix(head, "-") || strings.HasSuffix(head, ".") ||
			'A' <= name[len(head)] && name[len(head)] <= 'Z' {
			return len(namingMembers) + i
		}
	}
	if i := slices.Index(describingMembers, lower); i >= 0 {
		return partly + i
	}
	return worst
}

const (
	partly = 50 // from here on, a member names nothing alone
	worst  = 100
	// maxNaming bounds how many members are tried.
	maxNaming = 6
)

// identify finds the members by which the objects of two arrays can be told apart: they are
// scalars, no two objects of one array have the same, and at least half of the
// objects of the shorter array are in the other. was and now are what they say, nil when
// there are no such members.
func identify(old, new []kid) (names, was, now []string) {
	if len(old) == 0 || len(new) == 0 || !areObjects(old) || !areObjects(new) {
		return nil, nil, nil
	}
	var candidates []string
	for _, k := range new[0].node.kids {
		if rank(k.name) < worst {
			candidates = append(candidates, k.name)
		}
	}
	slices.SortStableFunc(candidates, func(a, b string) int { return rank(a) - rank(b) })
	if len(candidates) > maxNaming {
		candidates = candidates[:maxNaming]
	}
	try := func(names ...string) bool {
		was = labelsOf(old, names)
		if was == nil {
			return false
		}
		if now = labelsOf(new, names); now == nil {
			return false
		}
		return inBoth(was, now)
	}
	for _, name := range candidates {
		if rank(name) < partly && try(name) {
			return []string{name}, was, now
		}
	}
	for i, one := range candidates {
		for _, other := range candidates[i+1:] {
			if try(one, other) {
				return []string{one, other}, was, now
			}
		}
	}
	return nil, nil, nil
}

func areObjects(list []kid) bool {
	return !slices.ContainsFunc(list, func(k kid) bool { return k.node.shape != object })
}

// labelsOf is what the members say in each object; nil when one lacks them, or when two say
// the same.
func labelsOf(list []kid, names []string) []string {
	out := make([]string, len(list))
	seen := make(map[string]bool, len(list))
	for i, k := range list {
		name := labelOf(k.node, names)
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
		out[i] = name
	}
	return out
}

// labelOf is what names an object: `id "cus_1"`, `type "card", name "x"`; "" when a member is
// not there or no string and no number.
func labelOf(n *node, names []string) string {
	text := ""
	for _, name := range names {
		i := n.find(name)
		if i < 0 {
			return ""
		}
		value := n.kids[i].node
		if text != "" {
			text += ", "
		}
		switch {
		case value.value == "":
			return ""
		case value.shape == str || value.shape == plain:
			text += name + " " + quoted(value.value)
		case value.shape == number:
			text += name + " " + value.raw
		default:
			return ""
		}
	}
	return text
}

// inBoth reports whether at least half of the shorter list is in the other one. Names that
// are all new are made up anew each time, and tell nothing.
func inBoth(was, now []string) bool {
	there := make(map[string]bool, len(was))
	for _, name := range was {
		there[name] = true
	}
	n := 0
	for _, name := range now {
		if there[name] {
			n++
		}
	}
	return n > 0 && 2*n >= min(len(was), len(now))
}

// byName pairs what has the same name.
func (m *matching) byName(was, now []string) {
	index := make(map[string]int, len(was))
	for i, name := range was {
		index[name] = i
	}
	for j, name := range now {
		if i, ok := index[name]; ok {
			m.pair(i, j)
		}
	}
}

// label names an element of the arrays, or what they stand in.
func (m *matching) label(outer string, n *node) string {
	if m.names == nil {
		return outer
	}
	if name := labelOf(n, m.names); name != "" {
		return name
	}
	return outer
}
