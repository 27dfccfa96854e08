package matchers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// sortUnordered puts the elements of arrays whose order does not count into
// one order: that of their facts. Indexes that are not there stay away.
func (rd *reader) sortUnordered() {
	for _, p := range rd.rules.unordered() {
		var heads []leaves.Place
		arrays := map[leaves.Place][]int{} // positions of the drafts in each array
		for i := range rd.drafts {
			if head, ok := p.Select(rd.drafts[i].Name); ok {
				if arrays[head] == nil {
					heads = append(heads, head)
				}
				arrays[head] = append(arrays[head], i)
			}
		}
		for _, head := range heads {
			rd.sortElements(head, arrays[head])
			rd.sortRepeated(head, arrays[head])
		}
	}
}

// element is one array element: its drafts, and what they say without their index.
type element struct {
	drafts []int
	form   []byte
}

func (rd *reader) sortElements(head leaves.Place, drafts []int) {
	elements := map[int]*element{}
	var indexes []int
	for _, i := range drafts {
		index, _, ok := cutIndex(rd.drafts[i].Name[len(head):])
		if !ok {
			continue
		}
		if elements[index] == nil {
			elements[index] = &element{}
			indexes = append(indexes, index)
		}
		elements[index].drafts = append(elements[index].drafts, i)
	}
	slices.Sort(indexes)
	sorted := make([]*element, len(indexes))
	for i, index := range indexes {
		sorted[i] = elements[index]
		sorted[i].form = rd.form(head, sorted[i].drafts)
	}
	slices.SortStableFunc(sorted, func(a, b *element) int { return slices.Compare(a.form, b.form) })
	for i, e := range sorted {
		for _, d := range e.drafts {
			_, rest, _ := cutIndex(rd.drafts[d].Name[len(head):])
			rd.drafts[d].Name = head.Index(indexes[i]) + rest
		}
	}
}

// form is the normal form of one element.
func (rd *reader) form(head leaves.Place, drafts []int) []byte {
	var facts []Fact
	for _, i := range drafts {
		if d := rd.drafts[i]; !d.ignored {
			_, d.Name, _ = cutIndex(d.Name[len(head):])
			facts = append(facts, d.Fact)
		}
	}
	slices.SortStableFunc(facts, func(a, b Fact) int { return a.Name.Compare(b.Name) })
	return appendFacts(nil, facts)
}

// sortRepeated sorts the values of a plain repeated name: a=x&a=y.
func (rd *reader) sortRepeated(head leaves.Place, drafts []int) {
	var at []int
	var values []draft
	for _, i := range drafts {
		if t := rd.drafts[i].Type; rd.drafts[i].Name == head && t != wordType && t != partType {
			at = append(at, i)
			values = append(values, rd.drafts[i])
		}
	}
	slices.SortStableFunc(values, func(a, b draft) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
	})
	for i, v := range values {
		rd.drafts[at[i]] = v
	}
}

// cutIndex splits "[2].id" into 2 and ".id".
func cutIndex(p leaves.Place) (index int, rest leaves.Place, ok bool) {
	s := string(p)
	end := strings.IndexByte(s, ']')
	if end < 0 || s[0] != '[' {
		return 0, "", false
	}
	index, err := strconv.Atoi(s[1:end])
	return index, p[end+1:], err == nil
}
