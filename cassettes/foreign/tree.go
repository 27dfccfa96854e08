package foreign

import (
	"sort"
	"strconv"
)

// A node is one value of a file, in YAML or JSON alike. A YAML alias is the node
// that it stands for, so that a tree may have shared nodes, and no cycles.
type node struct {
	kind kind
	tag  string // of YAML, "" for the usual one
	// value is a scalar's text, decoded: without quotes, escapes and folding.
	value string
	style style
	// start and end delimit the value in the file, quotes included. What an
	// unquoted number or a whole object is delimited by, too, in JSON.
	start, end int
	line       int
	keys, kids []*node // of a map; a list has only kids

	seen  bool // a reader has been here
	lines *lineTable
}

type kind uint8

const (
	other kind = iota // a number, a truth value, a null
	text
	list
	object
)

// A style is how a scalar is written.
type style uint8

const (
	plainStyle style = iota
	jsonStyle
	doubleStyle
	singleStyle
	literalStyle
	foldedStyle
)

// A span is a piece of the file.
type span struct{ start, end int }

// get returns the member of a map, nil if there is none.
func (n *node) get(names ...string) *node {
	for _, name := range names {
		if n == nil || n.kind != object {
			return nil
		}
		var found *node
		for i, k := range n.keys {
			if k.value == name {
				found = n.kids[i]
				break
			}
		}
		n = found
	}
	return n
}

func (n *node) has(name string) bool { return n.get(name) != nil }

func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// scalar is the text of a scalar, "" for anything else.
func (n *node) scalar() string {
	if n == nil || n.kind > text {
		return ""
	}
	return n.value
}

func (n *node) number() (int, bool) {
	if n == nil || n.kind > text {
		return 0, false
	}
	v, err := strconv.Atoi(n.value)
	return v, err == nil
}

// first returns the first element of a list that is no empty one.
func (n *node) first() *node {
	if n.is(list) && len(n.kids) > 0 {
		return n.kids[0]
	}
	return nil
}

// A lineTable knows where lines begin.
type lineTable struct{ starts []int }

// lineOf is the line of an offset, from 1.
func (n *node) lineOf(offset int) int {
	return sort.SearchInts(n.lines.starts, offset+1)
}

// newLineTable finds the lines of a text. yaml says that those breaks count that only
// YAML knows.
func newLineTable(src []byte, yaml bool) *lineTable {
	t := &lineTable{starts: []int{0}}
	for i := 0; i < len(src); {
		n := breakLength(src, i)
		if n == 0 || !yaml && src[i] != '\n' {
			i++
			continue
		}
		i += n
		t.starts = append(t.starts, i)
	}
	return t
}

// breakLength is the length of the line break at i, 0 if there is none: CR LF, LF, CR,
// and U+0085, U+2028 and U+2029, which break lines in YAML 1.1.
func breakLength(src []byte, i int) int {
	switch src[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(src) && src[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if i+1 < len(src) && src[i+1] == 0x85 {
			return 2
		}
	case 0xe2:
		if i+2 < len(src) && src[i+1] == 0x80 && (src[i+2] == 0xa8 || src[i+2] == 0xa9) {
			return 3
		}
	}
	return 0
}
