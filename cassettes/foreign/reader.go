package foreign

import (
	"net/http"
	"net/textproto"
	"strconv"
)

// A reader finds the parts of a document. Every text becomes a part of one kind or
// another: those that a format's function does not know are found by rest.
type reader struct {
	doc   *Document
	in    *Interaction
	parts map[*node]*Part
	group int
	steps int
}

// A message is a request or a response.
type message struct {
	header  []field
	mime    string // where the format says the media type beside the headers
	body    *Part
	lengths []*node // numbers that say how long the body is
}

type field struct {
	name string
	part *Part
}

func (m *message) contentType() string {
	if ct := m.values().Get("Content-Type"); ct != "" {
		return ct
	}
	return m.mime
}

func (m *message) values() http.Header {
	h := make(http.Header)
	for _, f := range m.header {
		name := textproto.CanonicalMIMEHeaderKey(f.name)
		h[name] = append(h[name], f.part.text)
	}
	return h
}

// mostSteps bounds how many header values aliases may repeat.
const mostSteps = 1_000_000

// fault is an error about a node.
func (r *reader) fault(n *node, fault, cure string) error {
	e := &Error{File: r.doc.name, Fault: fault, Cure: cure}
	if n != nil {
		e.Line = n.line
	}
	if r.in != nil {
		e.Interaction = r.in.ID
	}
	return e
}

// begin starts an interaction; end finishes it.
func (r *reader) begin(i int, n *node, id *node) error {
	r.in = &Interaction{ID: strconv.Itoa(i), Line: n.line}
	if v, ok := id.number(); ok {
		r.in.ID = strconv.Itoa(v)
	}
	if n.kind != object {
		return r.fault(n, "an interaction must be a mapping", restore)
	}
	r.doc.Interactions = append(r.doc.Interactions, r.in)
	return nil
}

func (r *reader) end(n *node) {
	r.rest(n, "", Request)
	inFileOrder(r.in.Parts)
	r.in = nil
}

// each calls read for every element of the list of interactions.
func (r *reader) each(items *node, read func(i int, n *node) error) error {
	if items == nil || items.kind == other {
		return nil // null: none were recorded
	}
	if items.kind != list {
		return r.fault(items, "the interactions must be a list", restore)
	}
	for i, n := range items.kids {
		if err := read(i, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) add(p *Part) *Part {
	p.doc, p.text = r.doc, p.original
	if r.in == nil {
		r.doc.Rest = append(r.doc.Rest, p)
	} else {
		r.in.Parts = append(r.in.Parts, p)
	}
	return p
}

// scalar makes a part of a text. One that is shared by an alias is the part that it
// became first.
func (r *reader) scalar(k Kind, d Direction, name string, n *node) *Part {
	if !n.is(text) {
		return nil
	}
	if n.seen {
		return r.parts[n]
	}
	n.seen = true
	p := r.add(&Part{Kind: k, Direction: d, Name: name, Line: n.line, node: n, original: n.value})
	if isBinary(n) {
		b, plain, opaque := newBody(n.value, asBase64, nil)
		p.body, p.original, p.text, p.opaque = b, plain, plain, opaque
	}
	if r.parts == nil {
		r.parts = make(map[*node]*Part)
	}
	r.parts[n] = p
	return p
}

// isBinary reports that a scalar is base64 to YAML: by the standard's tag, by Ruby's,
// and by Python's.
func isBinary(n *node) bool {
	return n.tag == "!!binary" || n.tag == "!binary" || n.tag == "!!python/bytes"
}

// url makes a part of a URL, or of a piece of one, in order.
func (r *reader) url(n *node) {
	if p := r.scalar(URL, Request, "", n); p != nil {
		r.in.urls = append(r.in.urls, p)
	}
}

// header reads headers in any of the shapes that recorders give them: a map of texts
// or lists; a list of maps with name and value; a list of pairs; names and values in
// turn; and a list that holds one of those, as Python's frozenset does.
func (r *reader) header(d Direction, n *node) {
	if n == nil {
		return
	}
	if n.kind == list && len(n.kids) == 1 && n.kids[0].kind == list && n.kids[0].first() != nil && n.kids[0].first().kind != text {
		n = n.kids[0]
	}
	m := r.in.message(d)
	value := func(name string, v *node) {
		if !v.is(text) || v.seen {
			r.steps++
		}
		if p := r.scalar(Header, d, name, v); p != nil {
			m.header = append(m.header, field{name, p})
		}
	}
	values := func(name string, v *node) {
		if v.kind != list {
			value(name, v)
			return
		}
		for _, one := range v.kids {
			if r.steps > mostSteps {
				return // finish gives the error
			}
			value(name, one)
		}
	}
	switch {
	case n.kind == object:
		for i, k := range n.keys {
			values(k.value, n.kids[i])
		}
	case n.kind == list && n.first().is(text):
		for i := 0; i+1 < len(n.kids); i += 2 {
			value(n.kids[i].value, n.kids[i+1])
		}
	case n.kind == list:
		for _, one := range n.kids {
			switch {
			case one.kind == object:
				values(one.get("name").scalar(), orNothing(one.get("value")))
			case one.kind == list && len(one.kids) == 2:
				values(one.kids[0].scalar(), one.kids[1])
			}
		}
	}
}

func orNothing(n *node) *node {
	if n == nil {
		return &node{}
	}
	return n
}

// parameters reads a list of maps with name and value, or a map of texts or lists.
func (r *reader) parameters(k Kind, d Direction, n *node) {
	if n == nil {
		return
	}
	r.group++
	value := func(name string, v *node) {
		if p := r.scalar(k, d, name, v); p != nil && p.Group == 0 {
			p.Group = r.group
		}
	}
	for i, one := range n.kids {
		switch {
		case n.kind == list && one.kind == object:
			value(one.get("name").scalar(), orNothing(one.get("value")))
		case n.kind == object && one.kind == list:
			for _, v := range one.kids {
				value(n.keys[i].value, v)
			}
		case n.kind == object:
			value(n.keys[i].value, one)
		}
	}
}

// content makes a part of a body. The headers must have been read.
func (r *reader) content(d Direction, n *node, w wrap) {
	m := r.in.message(d)
	switch {
	case n == nil:
		return
	case n.kind == text && !n.seen:
		if isBinary(n) {
			w = asBase64
		}
		p := r.scalar(Body, d, "", n)
		p.body, p.original, p.opaque = newBody(n.value, w, m.values())
		p.text = p.original
		m.body = p
	case n.kind > text && r.doc.lang == jsonFile && !n.seen:
		// JSON that stands in the file as JSON.
		markSeen(n)
		at := span{n.start, n.end}
		p := &Part{Kind: Body, Direction: d, Line: n.line, span: &at, original: string(r.doc.src[n.start:n.end])}
		if w == asHexList {
			p.body, p.original, p.opaque = newBody(p.original, w, m.values())
		} else if m.mime == "" {
			m.mime = "application/json"
		}
		m.body = r.add(p)
	}
}

func markSeen(n *node) {
	n.seen = true
	for i := range n.kids {
		if n.kind == object {
			n.keys[i].seen = true
		}
		markSeen(n.kids[i])
	}
}

// shortestKey is the shortest name of a member that is looked at as a text: no shorter
// one can be a secret that a shape gives away.
const shortestKey = 16

// rest makes parts of all texts that are none yet.
func (r *reader) rest(n *node, name string, d Direction) {
	if n.kind == text {
		r.scalar(Text, d, name, n)
		return
	}
	if n.seen {
		return
	}
	n.seen = true
	for i, v := range n.kids {
		under, to := name, d
		if n.kind == object {
			key := n.keys[i]
			if len(key.value) >= shortestKey && !key.seen {
				r.scalar(Text, d, "", key)
			}
			under = key.value
			if own := n.get("name"); own.is(text) && under == "value" {
				under = own.value
			}
			if name == "" && key.value == "response" {
				to = Response
			}
		}
		r.rest(v, under, to)
	}
}

// finish makes parts of what belongs to no interaction, and of comments.
func (r *reader) finish(root *node) error {
	if r.steps > mostSteps {
		return r.fault(root, "its aliases unfold to too much", "write the values out instead of repeating them by *name")
	}
	r.in = nil
	r.rest(root, "", Request)
	inFileOrder(r.doc.Rest)
	if r.doc.lang != yamlFile {
		return nil
	}
	above := make(map[int]*Interaction, len(r.doc.Interactions))
	for _, in := range r.doc.Interactions {
		above[in.Line-1] = in
	}
	for _, s := range yamlComments(r.doc.src, root) {
		p := &Part{Kind: Comment, Line: root.lineOf(s.start), span: &s, original: string(r.doc.src[s.start:s.end])}
		if r.in = above[p.Line]; r.in == nil {
			r.add(p)
			continue
		}
		r.in.comment = r.add(p)
		inFileOrder(r.in.Parts)
	}
	r.in = nil
	return nil
}

// isText reports whether a member is a text.
func (n *node) isText(name string) bool { return n.get(name).is(text) }

// all reports whether every element of a list is what f says, and there is one.
func (n *node) all(f func(*node) bool) bool {
	if !n.is(list) || len(n.kids) == 0 {
		return false
	}
	for _, k := range n.kids {
		if !f(k) {
			return false
		}
	}
	return true
}
