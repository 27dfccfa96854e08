package foreign

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Changed reports whether any part has another text than the file.
func (d *Document) Changed() bool {
	return slices.ContainsFunc(d.Parts(), func(p *Part) bool { return p.text != p.original })
}

// Write returns the file with the texts that Set has given it. What was not set
// stays byte for byte; without any Set that is the whole file. Lengths and digests of a
// body follow it where the file has them. The file is read again to prove that it says
// what it should; the error says what could not be written.
func (d *Document) Write() ([]byte, error) {
	if !d.Changed() {
		return d.src, nil
	}
	w := &writer{doc: d, want: make(map[*node]string)}
	for _, in := range d.Interactions {
		w.syncComment(in)
		for _, dir := range []Direction{Request, Response} {
			if err := w.message(in, in.message(dir)); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range d.Parts() {
		if err := w.part(p); err != nil {
			return nil, err
		}
	}
	out := w.apply()
	if again, _, err := parse(d.name, out); err != nil || !w.same(d.root, again) {
		return nil, &Error{File: d.name, Fault: "the file would not read the same once the values are replaced", Cure: "edit it by hand, or record it again"}
	}
	return out, nil
}

// A writer collects the edits of one file.
type writer struct {
	doc     *Document
	edits   []edit
	want    map[*node]string // what edited scalars are to say
	skipped []span           // values that are written as JSON, compared as bytes
}

func (p *Part) fail(fault string) error {
	return &Error{File: p.doc.name, Line: p.Line, Fault: fault, Cure: "edit it by hand, or record it again"}
}

func (w *writer) part(p *Part) error {
	if p.text == p.original {
		return nil
	}
	if p.BodyFile != "" {
		return p.fail("the body stands in a file of its own, which cannot be changed here")
	}
	value := p.text
	if p.body != nil {
		if p.opaque != nil {
			return p.fail("a body that cannot be looked into cannot be replaced")
		}
		wire, err := p.body.now(p)
		if err != nil {
			return p.fail("the body's encoding cannot be put back on")
		}
		value = p.body.wrapLike(p.before(), wire)
	}
	if p.span != nil {
		w.edits = append(w.edits, edit{*p.span, value})
		w.skipped = append(w.skipped, *p.span)
		return nil
	}
	return w.scalar(p, p.node, value)
}

// before is what stands in the file.
func (p *Part) before() string {
	if p.span != nil {
		return string(p.doc.src[p.span.start:p.span.end])
	}
	return p.node.value
}

func (w *writer) scalar(p *Part, n *node, value string) error {
	if n.value == value || w.wanted(n) == value {
		return nil
	}
	if !utf8.ValidString(value) {
		return p.fail("the new value is no text")
	}
	if _, _, err := n.pieces(w.doc.src); err != nil {
		return p.fail("where this value stands in the file cannot be told")
	}
	edits, ok := n.replace(w.doc.src, value)
	if !ok {
		edits = []edit{n.anew(w.doc.src, value)}
	}
	w.edits = append(w.edits, edits...)
	w.want[n] = value
	return nil
}

func (w *writer) wanted(n *node) string {
	if v, ok := w.want[n]; ok {
		return v
	}
	return n.value
}

// now is what the body will be on the wire, with its codings.
func (b *body) now(p *Part) ([]byte, error) {
	if p.text == p.original {
		return b.wire, nil
	}
	if b.wireNow == nil {
		wire, err := b.encode(p.text)
		if err != nil {
			return nil, err
		}
		b.wireNow = wire
	}
	return b.wireNow, nil
}

// message makes lengths and digests say what is true of a body that changes. Those
// that were not true before are left alone.
func (w *writer) message(in *Interaction, m *message) error {
	p := m.body
	if p == nil || p.text == p.original || p.BodyFile != "" {
		return nil
	}
	before, after := []byte(p.original), []byte(p.text)
	wire, wireNow := before, after
	if p.body != nil {
		p.body.wireNow = nil
		now, err := p.body.now(p)
		if err != nil {
			return p.fail("the body's encoding cannot be put back on")
		}
		wire, wireNow = p.body.wire, now
	}
	follow := func(length string) (string, bool) {
		switch length {
		case strconv.Itoa(len(wire)):
			return strconv.Itoa(len(wireNow)), true
		case strconv.Itoa(len(before)):
			return strconv.Itoa(len(after)), true
		}
		return "", false
	}
	for _, n := range m.lengths {
		if n == nil || n.kind > text {
			continue
		}
		length, ok := follow(n.value)
		if !ok || length == n.value {
			continue
		}
		if n.kind == text {
			if err := w.scalar(p, n, length); err != nil {
				return err
			}
			continue
		}
		w.edits = append(w.edits, edit{span{n.start, n.end}, length})
		w.want[n] = length
	}
	for _, f := range m.header {
		value := f.part.text
		switch strings.ToLower(f.name) {
		case "content-length":
			if length, ok := follow(strings.TrimSpace(value)); ok {
				f.part.text = length
			}
		case "content-md5", "digest", "content-digest", "repr-digest", "x-amz-content-sha256":
			f.part.text = redigest(value, wire, wireNow)
			if f.part.text == value {
				f.part.text = redigest(value, before, after)
			}
		}
	}
	return nil
}

// redigest replaces the digests of before that stand in a header by those of after.
func redigest(value string, before, after []byte) string {
	for _, sum := range []func([]byte) []byte{
		func(b []byte) []byte { s := md5.Sum(b); return s[:] },
		func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
		func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
	} {
		old, now := sum(before), sum(after)
		value = strings.ReplaceAll(value, base64.StdEncoding.EncodeToString(old), base64.StdEncoding.EncodeToString(now))
		value = strings.ReplaceAll(value, hex.EncodeToString(old), hex.EncodeToString(now))
	}
	return value
}

// syncComment keeps the line that tapedeck writes above an interaction in step with
// its URL.
func (w *writer) syncComment(in *Interaction) {
	if in.comment == nil || len(in.urls) != 1 {
		return
	}
	u := in.urls[0]
	if in.comment.original == commentOf(in, u.original) {
		in.comment.text = commentOf(in, u.text)
	}
}

// commentOf is what package cassettes writes above an interaction.
func commentOf(in *Interaction, url string) string {
	const longest = 120 // runes of URL; the whole of it stands below
	target := []rune(url)
	if len(target) > longest {
		target = append(target[:longest:longest], '…')
	}
	return "# " + in.method.scalar() + " " + string(target) + " → " + in.status.scalar()
}

// apply makes the edits.
func (w *writer) apply() []byte {
	slices.SortStableFunc(w.edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	last := 0
	for _, e := range w.edits {
		if e.start < last {
			continue // two cannot overlap; were they to, the proof would fail
		}
		out.Write(w.doc.src[last:e.start])
		out.WriteString(e.text)
		last = e.end
	}
	out.Write(w.doc.src[last:])
	return out.Bytes()
}

// same proves that the written file says what the old one said, but for what was to
// change.
func (w *writer) same(before, after *node) bool {
	pairs := make(map[*node]*node)
	var walk func(a, b *node) bool
	walk = func(a, b *node) bool {
		if there, ok := pairs[a]; ok {
			return there == b // what was shared is shared
		}
		pairs[a] = b
		if slices.Contains(w.skipped, span{a.start, a.end}) && a.kind > text {
			return a.kind == b.kind
		}
		if a.kind != b.kind || a.tag != b.tag || len(a.kids) != len(b.kids) {
			return false
		}
		if a.kind <= text {
			return b.value == w.wanted(a)
		}
		for i := range a.kids {
			if a.kind == object && !walk(a.keys[i], b.keys[i]) || !walk(a.kids[i], b.kids[i]) {
				return false
			}
		}
		return true
	}
	return walk(before, after)
}
