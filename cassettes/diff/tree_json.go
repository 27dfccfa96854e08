package diff

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep a body nests that is compared by its structure, as for keys.
const maxDepth = 200

var (
	errDeep    = errors.New("it nests too deep")
	errTrailer = errors.New("something follows the end of the value")
	errNoValue = errors.New("a value is missing")
)

// parseJSON reads one JSON text. White space before and behind it is not in the raw text of
// the node. The error never quotes the text.
func parseJSON(text string) (*node, error) { return parseJSONBytes(text, []byte(text), nil) }

// parseJSONBytes is parseJSON for a text that there are the bytes of, which are not changed.
// The tree is made in a, or on its own for nil.
func parseJSONBytes(text string, source []byte, a *arena) (*node, error) {
	r := jsonReader{s: text, arena: a, dec: jsontext.NewDecoder(bytes.NewBuffer(source))}
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if strings.TrimLeft(text[r.dec.InputOffset():], " \t\r\n") != "" {
		return nil, errTrailer
	}
	return n, nil
}

// jsonReader builds the tree of a JSON text.
type jsonReader struct {
	s     string
	dec   *jsontext.Decoder
	stack []kid
	arena *arena
	slab  []node // of a tree on its own
	// gaps are those of the object or array read last: one text mostly has a few.
	gaps *gaps
}

func (r *jsonReader) node() *node {
	if r.arena != nil {
		return &r.arena.nodes.take(1)[0]
	}
	if len(r.slab) == 0 {
		r.slab = make([]node, max(4, min(64, len(r.s)/32)))
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	return n
}

func (r *jsonReader) at() int { return int(r.dec.InputOffset()) }

func (r *jsonReader) value(depth int) (*node, error) {
	kind := r.dec.PeekKind()
	if kind == '{' || kind == '[' {
		if depth == maxDepth {
			return nil, errDeep
		}
		return r.container(kind, depth)
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	n := r.node()
	n.raw = r.s[r.at()-len(raw) : r.at()]
	n.value = n.raw
	switch kind {
	case '"':
		n.shape = str
		if n.value, err = unquote(n.raw); err != nil {
			return nil, err
		}
	case 't', 'f':
		n.shape = boolean
	case 'n':
		n.shape = null
	default:
		n.shape = number
	}
	return n, nil
}

func (r *jsonReader) container(kind jsontext.Kind, depth int) (*node, error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	n := r.node()
	if kind == '[' {
		n.shape = array
	}
	start := r.at() - 1
	var g gaps
	base, last, end := len(r.stack), start+1, kind+2 // } and ] stand two behind their openers
	for r.dec.PeekKind() != end {
		var k kid
		from := -1
		if n.shape == object {
			raw, err := r.dec.ReadValue()
			if err != nil {
				return nil, err
			}
			from = r.at() - len(raw)
			k.raw = r.s[from:r.at()]
			if k.name, err = unquote(k.raw); err != nil {
				return nil, err
			}
		}
		before := r.at()
		var err error
		if k.node, err = r.value(depth + 1); err != nil {
			return nil, err
		}
		first := r.at() - len(k.node.raw)
		switch count := len(r.stack) - base; {
		case count > 1:
		case from < 0 && count == 0:
			g.open = r.s[last:first]
		case from < 0:
			g.sep = r.s[last:first]
		case count == 0:
			g.open, g.colon = r.s[last:from], r.s[before:first]
		default:
			g.sep = r.s[last:from]
		}
		last = r.at()
		r.stack = append(r.stack, k)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	n.raw = r.s[start:r.at()]
	if kids := r.stack[base:]; len(kids) > 0 {
		if r.arena != nil {
			n.kids = r.arena.kids.take(len(kids))
		} else {
			n.kids = make([]kid, len(kids))
		}
		copy(n.kids, kids)
		g.close = r.s[last : r.at()-1]
		if r.gaps == nil || *r.gaps != g {
			seen := g
			r.gaps = &seen
		}
		n.gaps = r.gaps
	}
	clear(r.stack[base:])
	r.stack = r.stack[:base]
	return n, nil
}

func unquote(raw string) (string, error) {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}
