package diff

import (
	"bytes"
	"hash/maphash"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tapedeck/cassettes/leaves"
)

// A twig is a value of a body as pairing looks at it: what it says, not how it is
// written. Comparing in detail is compare's affair.
type twig struct {
	name  string       // as a member; "" in an array and at the root
	place leaves.Place // where it is not what name or index say below the value above
	kind  byte         // of jsontext.Kind: '{', '[', '"', '0', 't', 'f', 'n'
	text  string       // of a string, decoded, and of a number
	kids  []twig
}

// twigOf reads a body. What has no structure is one string. The twigs are made in s, if that
// is not nil.
func twigOf(contentType string, body []byte, s *slab[twig]) twig {
	if len(body) == 0 {
		return twig{kind: 'n', place: "body"}
	}
	if isEvents(contentType) {
		return eventTwig(body, s)
	}
	switch format, list, err := leavesOf(contentType, body); {
	case err != nil:
	case format == leaves.JSON:
		if t, ok := jsonTwig(body, s); ok {
			t.place = "body"
			return t
		}
	case format == leaves.NDJSON:
		if t, ok := linesTwig(body, s); ok {
			return t
		}
	case len(list) > 0:
		t := twig{kind: '{', place: "body"}
		for _, l := range list {
			if l.Kind == leaves.Blob && len(l.Value) > maxPieces {
				continue
			}
			t.kids = append(t.kids, twig{name: l.Name, place: l.Place, kind: '"', text: l.Value})
		}
		return t
	}
	return twig{kind: '"', place: "body", text: string(body)}
}

// leavesOf splits a body, but spares the leaves of what twigOf reads itself.
func leavesOf(contentType string, body []byte) (leaves.Format, []leaves.Leaf, error) {
	if format := formatOfBody(contentType, body); format == leaves.JSON || format == leaves.NDJSON || format == leaves.Text || format == leaves.Bytes {
		return format, nil, nil
	}
	return leaves.Body(contentType, body)
}

func isEvents(contentType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(name), "text/event-stream")
}

// eventTwig reads server-sent events: one element for the data of each.
func eventTwig(body []byte, s *slab[twig]) twig {
	t := twig{kind: '[', place: "body"}
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		place := leaves.Place("body.events").Index(len(t.kids)).Member("data")
		data = bytes.TrimPrefix(data, []byte(" "))
		one, ok := jsonTwig(data, s)
		if !ok {
			one = twig{kind: '"', text: string(data)}
		}
		one.place = place
		t.kids = append(t.kids, one)
	}
	return t
}

func linesTwig(body []byte, s *slab[twig]) (twig, bool) {
	t := twig{kind: '[', place: "body"}
	for line := range bytes.Lines(body) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		one, ok := jsonTwig(line, s)
		if !ok {
			return t, false
		}
		t.kids = append(t.kids, one)
	}
	return t, true
}

func jsonTwig(text []byte, s *slab[twig]) (twig, bool) {
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return twig{}, false
	}
	r := twigReader{s: string(text), slab: s, dec: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))}
	t, err := r.value()
	return t, err == nil
}

// twigReader reads the twigs of a JSON text. Their texts are parts of it.
type twigReader struct {
	s     string
	dec   *jsontext.Decoder
	stack []twig
	slab  *slab[twig]
}

// scalar is the text of the next value, which is none that holds others.
func (r *twigReader) scalar() (string, error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", err
	}
	at := int(r.dec.InputOffset())
	return r.s[at-len(raw) : at], nil
}

func (r *twigReader) value() (t twig, err error) {
	kind := r.dec.PeekKind()
	t.kind = byte(kind)
	switch kind {
	case '{', '[':
	case '"':
		if t.text, err = r.scalar(); err == nil {
			t.text, err = unquote(t.text)
		}
		return t, err
	case '0':
		t.text, err = r.scalar()
		return t, err
	default:
		_, err = r.scalar()
		return t, err
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return t, err
	}
	base, end := len(r.stack), kind+2 // } and ] stand two behind their openers
	for r.dec.PeekKind() != end {
		name := ""
		if kind == '{' {
			if name, err = r.scalar(); err == nil {
				name, err = unquote(name)
			}
			if err != nil {
				return t, err
			}
		}
		kid, err := r.value()
		if err != nil {
			return t, err
		}
		kid.name = name
		r.stack = append(r.stack, kid)
	}
	if kids := r.stack[base:]; len(kids) > 0 {
		if r.slab != nil {
			t.kids = r.slab.take(len(kids))
		} else {
			t.kids = make([]twig, len(kids))
		}
		copy(t.kids, kids)
		r.stack = r.stack[:base]
	}
	_, err = r.dec.ReadToken()
	return t, err
}

var seed = maphash.MakeSeed()

func hashOf(s string) uint64 { return maphash.String(seed, s) }

// mix makes one number of two, in an order that counts.
func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<12 + a>>4
	a *= 0xff51afd7ed558ccd
	return a ^ a>>33
}
