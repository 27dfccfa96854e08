package diff

import (
	"net/url"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// formField is what a value of a form or query remembers of how it was written.
type formField struct {
	text  string // name=value, as written
	name  string // as written
	raw   string // the value, as written
	place string
}

// formStyle is how names are written in a form.
type formStyle struct {
	open, close string // brackets
	unnumbered  bool   // elements have no index: a[]=1
}

// formTree reads a form or query as the matcher does: brackets are structure, a name that
// stands several times is a list. ok is false where names contradict each other, as in
// a=1&a[b]=2.
func formTree(raw string) (root *node, ok bool) {
	list, _ := leaves.Query(raw)
	style := &formStyle{open: "[", close: "]"}
	switch {
	case strings.Contains(raw, "%5B"):
		style.open, style.close = "%5B", "%5D"
	case strings.Contains(raw, "%5b"):
		style.open, style.close = "%5b", "%5d"
	}
	root = &node{format: style}
	p := planter{}
	for _, l := range list {
		path, err := steps(l.Place)
		if err != nil || len(path) < 2 {
			return nil, false
		}
		f := fieldOf(raw, l)
		if !p.plant(root, path[1:], &node{shape: plain, raw: l.Value, value: l.Value, format: f}) {
			return nil, false
		}
		style.unnumbered = style.unnumbered || strings.Contains(f.name, style.open+style.close)
	}
	return root, root.settle()
}

// fieldOf finds a leaf's field in the text.
func fieldOf(raw string, l leaves.Leaf) *formField {
	start := strings.LastIndexByte(raw[:l.Start], '&') + 1
	f := &formField{text: raw[start:l.End], raw: raw[l.Start:l.End], place: string(l.Place)}
	if f.name = f.text; l.Start > start && raw[l.Start-1] == '=' {
		f.name = raw[start : l.Start-1]
	}
	return f
}

// with is the field with another value.
func (f *formField) with(n *node) *formField {
	raw, ok := n.format.(spelled)
	if !ok {
		raw = spelled(url.QueryEscape(n.value))
	}
	return &formField{text: f.name + "=" + string(raw), name: f.name, raw: string(raw), place: f.place}
}

// A planter knows the positions of members of the objects that it has made.
type planter map[planted]int

type planted struct {
	in *node
	step
}

// plant puts a leaf where a path leads.
func (p planter) plant(n *node, path []step, leaf *node) bool {
	for i, s := range path {
		if n.shape != object {
			return false
		}
		at, there := p[planted{n, s}]
		if !there {
			at = -1
			p[planted{n, s}] = len(n.kids)
		}
		last := i == len(path)-1
		switch {
		case at < 0 && last:
			n.kids = append(n.kids, kid{name: s.name, at: s.index + 1, node: leaf})
			return true
		case at < 0:
			next := &node{}
			n.kids = append(n.kids, kid{name: s.name, at: s.index + 1, node: next})
			n = next
		case !last:
			n = n.kids[at].node
		case n.kids[at].node.shape == object:
			return false
		default:
			list := n.kids[at].node.asList()
			list.kids = append(list.kids, kid{node: leaf})
			n.kids[at].node = list
		}
	}
	return true
}

// settle makes arrays of the objects whose names are indexes.
func (n *node) settle() bool {
	if n.shape != object {
		return true
	}
	indexed := 0
	inOrder := true
	for i := range n.kids {
		k := &n.kids[i]
		if k.at > 0 {
			indexed++
			inOrder = inOrder && k.at == i+1
		}
		if !k.node.settle() {
			return false
		}
	}
	switch {
	case indexed == 0:
	case indexed < len(n.kids):
		return false
	case inOrder:
		n.shape = array
	default:
		for i := range n.kids {
			n.kids[i].name = strconv.Itoa(n.kids[i].at - 1)
		}
	}
	return true
}

// writeForm writes a form: fields that are what they were as they stood.
func writeForm(b []byte, root *node) []byte {
	style, ok := root.format.(*formStyle)
	if !ok {
		style = &formStyle{open: "[", close: "]"}
	}
	w := formWriter{style: style, b: b, start: len(b)}
	w.node(root, nil)
	return w.b
}

type formWriter struct {
	style *formStyle
	b     []byte
	start int
}

func (w *formWriter) node(n *node, path []step) {
	switch {
	case n.shape == array && n.loose:
		for _, k := range n.kids {
			w.node(k.node, path)
		}
	case n.isContainer():
		for i := range n.kids {
			w.node(n.kids[i].node, append(path, n.step(i)))
		}
	default:
		w.leaf(n, path)
	}
}

func (w *formWriter) leaf(n *node, path []step) {
	if len(w.b) > w.start {
		w.b = append(w.b, '&')
	}
	f, _ := n.format.(*formField)
	raw, isSpelled := n.format.(spelled)
	switch {
	case f != nil && f.place == string(placeOf(append([]step{toMember("query")}, path...))):
		w.b = append(w.b, f.text...)
		return
	case f != nil:
		raw = spelled(f.raw)
	case !isSpelled:
		raw = spelled(url.QueryEscape(n.value))
	}
	w.name(path)
	w.b = append(append(w.b, '='), raw...)
}

func (w *formWriter) name(path []step) {
	for i, s := range path {
		name := url.QueryEscape(s.name)
		if s.index >= 0 {
			if name = strconv.Itoa(s.index); w.style.unnumbered {
				name = ""
			}
		}
		if i > 0 {
			name = w.style.open + name + w.style.close
		}
		w.b = append(w.b, name...)
	}
}
