package diff

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
)

// headers are the headers or trailers of a message: header.x-y, or header.x-y[1] where a
// name has several values.
type headers struct {
	part Part
	root string // header or trailer
}

func (u headers) of(s *clean.Stored) *http.Header {
	switch {
	case u.part == Request && u.root == "header":
		return &s.RequestHeader
	case u.part == Request:
		return &s.RequestTrailer
	case u.root == "header":
		return &s.ResponseHeader
	}
	return &s.ResponseTrailer
}

func (u headers) owns(part Part, root string) bool { return part == u.part && root == u.root }

func (u headers) compare(old, new *clean.Stored) []Change {
	before, after := u.followed(old, new), *u.of(new)
	if maps.EqualFunc(before, after, slices.Equal) {
		return nil
	}
	tree := under(u.root, headerTree(before))
	list, whole := compareTrees(u.part, tree, under(u.root, headerTree(after)))
	if n, err := patchTree(tree, addresses(list)); err != nil || !whole || len(list) == 0 || !maps.EqualFunc(writeHeader(n.kids[0].node), after, slices.Equal) {
		list = append(list, rewrote(u.part, u.root, headerValue(after)))
	}
	return list
}

func (u headers) patch(old, out *clean.Stored, changes []*Change) error {
	if ch := exactly(changes, u.root, Rewrote); ch != nil {
		h, err := headerOf(ch.New)
		*u.of(out) = h
		return err
	}
	h := u.followed(old, out)
	if len(changes) == 0 {
		*u.of(out) = h
		return nil
	}
	n, err := patchTree(under(u.root, headerTree(h)), changes)
	if err != nil {
		return err
	}
	if h = writeHeader(n.kids[0].node); len(h) == 0 && u.root == "trailer" {
		h = nil // as when there are none
	}
	*u.of(out) = h
	return nil
}

// followed is the old header with the length and the digests of the new body, where it
// held those of the old one: they say nothing that the body does not.
func (u headers) followed(old, new *clean.Stored) http.Header {
	h := *u.of(old)
	a, b := bodyOf(u.part, old), bodyOf(u.part, new)
	if len(h) == 0 || a.equal(b) {
		return h
	}
	out := h.Clone()
	if out.Get("Content-Length") == strconv.FormatInt(a.size(), 10) {
		out.Set("Content-Length", strconv.FormatInt(b.size(), 10))
	}
	if a.large != nil || b.large != nil {
		return out
	}
	partial := func(s *clean.Stored) bool { return u.part == Response && s.Status == http.StatusPartialContent }
	own := h.Clone()
	clean.FollowBody(a.bytes, partial(old), own)
	if maps.EqualFunc(own, h, slices.Equal) {
		clean.FollowBody(b.bytes, partial(new), out)
	}
	return out
}

func under(root string, n *node) *node { return &node{kids: []kid{{name: root, node: n}}} }

func headerTree(h http.Header) *node {
	n := &node{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		values := h[name]
		value := &node{shape: array, loose: true}
		for _, v := range values {
			value.kids = append(value.kids, kid{node: textNode(v)})
		}
		if len(values) == 1 {
			value = value.kids[0].node
		}
		n.kids = append(n.kids, kid{name: strings.ToLower(name), node: value})
	}
	return n
}

func writeHeader(n *node) http.Header {
	h := make(http.Header, len(n.kids))
	for _, k := range n.kids {
		list := k.node.asList()
		values := make([]string, len(list.kids))
		for i, one := range list.kids {
			values[i] = one.node.value
		}
		h[http.CanonicalHeaderKey(k.name)] = values
	}
	return h
}

// headerValue is a whole header as a value: a JSON object of lists, and where a value is not
// UTF-8, the same with every value in base64.
func headerValue(h http.Header) *Value {
	exact := make(map[string][][]byte, len(h))
	text := true
	for name, values := range h {
		exact[name] = [][]byte{}
		for _, v := range values {
			exact[name] = append(exact[name], []byte(v))
			text = text && utf8.ValidString(v)
		}
	}
	if !text {
		b, _ := json.Marshal(exact) // a map of strings always can be
		return binaryValue(string(b))
	}
	b, _ := json.Marshal(h)
	return &Value{Type: "object", Text: string(b)}
}

func headerOf(v *Value) (http.Header, error) {
	if v == nil {
		return nil, errNoValue
	}
	if v.Type == "binary" {
		var exact map[string][][]byte
		if err := json.Unmarshal(v.Bytes, &exact); err != nil {
			return nil, errUnfit
		}
		h := make(http.Header, len(exact))
		for name, values := range exact {
			h[name] = make([]string, len(values))
			for i := range values {
				h[name][i] = string(values[i])
			}
		}
		return h, nil
	}
	var h http.Header
	if err := json.Unmarshal([]byte(v.Text), &h); err != nil {
		return nil, errUnfit
	}
	return h, nil
}
