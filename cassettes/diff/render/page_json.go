package render

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tapedeck/cassettes/leaves"
)

// A pageLine is one line of a request or response as the page lays it out.
type pageLine struct {
	place  leaves.Place
	wide   leaves.Place // a second place that it answers to, "" if none
	indent int
	head   string // `"amount": `
	value  string // what a change of the line's place is about
	tail   string // a comma
	quoted bool   // value is a JSON string with its quotes
	prose  bool   // a line of text without structure, of which all have one place
	from   int    // where a line of prose begins in its text, in bytes
	opens  bool   // it opens an object or array that a later line closes
	shuts  bool   // it closes one
}

// maxIndent is the deepest indentation in steps: deeper text would not fit a line,
// and its indentation alone would fill the page. A step is a tab, which is narrower
// where the page is.
const maxIndent = 40

func (l pageLine) text() string {
	value := l.value
	if l.prose {
		value = readable(shortened(value))
	}
	return l.margin() + l.head + value + l.tail
}

func (l pageLine) margin() string { return strings.Repeat("\t", min(l.indent, maxIndent)) }

// A jsonTree is a JSON value whose scalars are kept as they were written.
type jsonTree struct {
	kind    jsontext.Kind
	raw     string // of a scalar
	names   []string
	members []jsonTree // of an object or array
}

func parseTree(body []byte) (jsonTree, error) {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	t, err := readTree(d)
	if err != nil {
		return jsonTree{}, err
	}
	if _, err := d.ReadToken(); err == nil {
		return jsonTree{}, errTrailing
	}
	return t, nil
}

type plainError string

func (e plainError) Error() string { return string(e) }

const errTrailing = plainError("there is more behind the JSON value")

func readTree(d *jsontext.Decoder) (jsonTree, error) {
	kind := d.PeekKind()
	if kind != '{' && kind != '[' {
		raw, err := d.ReadValue()
		return jsonTree{kind: kind, raw: string(raw)}, err
	}
	if _, err := d.ReadToken(); err != nil {
		return jsonTree{}, err
	}
	t := jsonTree{kind: kind}
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		if kind == '{' {
			name, err := d.ReadToken()
			if err != nil {
				return jsonTree{}, err
			}
			t.names = append(t.names, name.String())
		}
		member, err := readTree(d)
		if err != nil {
			return jsonTree{}, err
		}
		t.members = append(t.members, member)
	}
	_, err := d.ReadToken()
	return t, err
}

// A memberOrder is in which order the members of the new side's objects stand, by the
// place of the object with any index for an index. The old side is laid out in the
// same order, since the order of members means nothing.
type memberOrder map[string][]string

func (o memberOrder) learn(t jsonTree, at string) {
	if t.kind == '{' {
		known := o[at]
		for _, name := range t.names {
			if !slices.Contains(known, name) && len(known) < 500 {
				known = append(known, name)
			}
		}
		o[at] = known
	}
	for i, m := range t.members {
		if t.kind == '{' {
			o.learn(m, at+"."+t.names[i])
		} else {
			o.learn(m, at+"[]")
		}
	}
}

// arrange sorts the members of t's objects: those that are known as they are known,
// the others behind what they follow.
func (o memberOrder) arrange(t *jsonTree, at string) {
	for i := range t.members {
		if t.kind == '{' {
			o.arrange(&t.members[i], at+"."+t.names[i])
		} else {
			o.arrange(&t.members[i], at+"[]")
		}
	}
	if t.kind != '{' || len(t.names) < 2 {
		return
	}
	position := make(map[string]int, len(o[at]))
	for i, name := range o[at] {
		position[name] = i + 1
	}
	rank, last := make([]int, len(t.names)), 0
	for i, name := range t.names {
		if p := position[name]; p > 0 {
			last = p
		}
		rank[i] = last
	}
	if slices.IsSorted(rank) {
		return
	}
	index := make([]int, len(t.names))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return rank[a] - rank[b] })
	names, members := make([]string, len(index)), make([]jsonTree, len(index))
	for i, from := range index {
		names[i], members[i] = t.names[from], t.members[from]
	}
	t.names, t.members = names, members
}

// layTree appends the lines of t, whose own place is given, to list.
func layTree(list []pageLine, t jsonTree, place leaves.Place, indent int, name, comma string) []pageLine {
	l := pageLine{place: place, indent: indent, head: name, tail: comma}
	switch {
	case t.kind != '{' && t.kind != '[':
		l.value, l.quoted = inLine(shortened(t.raw)), t.kind == '"'
		return append(list, l)
	case len(t.members) == 0:
		l.value = map[jsontext.Kind]string{'{': "{}", '[': "[]"}[t.kind]
		return append(list, l)
	}
	end := map[jsontext.Kind]string{'{': "}", '[': "]"}[t.kind]
	l.value, l.tail, l.opens = string(rune(t.kind)), "", true
	list = append(list, l)
	for i, m := range t.members {
		after := ","
		if i == len(t.members)-1 {
			after = ""
		}
		if t.kind == '{' {
			list = layTree(list, m, place.Member(t.names[i]), indent+1, inLine(string(leaves.QuoteJSON(t.names[i])))+": ", after)
		} else {
			list = layTree(list, m, place.Index(i), indent+1, "", after)
		}
	}
	return append(list, pageLine{place: place, indent: indent, value: end, tail: comma, shuts: true})
}
