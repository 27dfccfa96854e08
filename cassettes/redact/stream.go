package redact

import (
	"fmt"
	"io"

	"tapedeck/cassettes/leaves"
)

// A Stream redacts one body while it arrives, for bodies that are too large to be
// held. What is written to it comes out clean at the other end, in order:
// JSON leaf by leaf, NDJSON by line, an event stream by event, a form by field,
// multipart by part, everything else in windows that are cut where no secret can
// straddle the cut. However the body is split into writes, the output is the
// same; and it is what Vault.Body gives, but that a secret which is recognised
// late in the body stands as it was in what had gone out before: Learned has
// grown then, and SweepStream replaces it. In text that is found by windows, new
// secrets are numbered window by window.
//
// It holds about 3 MiB at the most. Secrets may be 64 KiB long where their shape or
// an earlier place tells them, and of any length where a name does.
type Stream struct {
	pipe *io.PipeWriter
	done chan struct{}
	err  error
}

// Stream starts to redact the body of one request or response. Content-Encoding
// must have been removed.
func (v *Vault) Stream(s Scope, d Direction, contentType string, to io.Writer) *Stream {
	from, pipe := io.Pipe()
	st := &Stream{pipe: pipe, done: make(chan struct{})}
	go func() {
		defer close(st.done)
		_, st.err = v.BodyStream(s, d, contentType, to, from)
		from.CloseWithError(st.err) // further writes fail with it, or are at the end
	}()
	return st
}

// Write gives the stream more of the body. The error is that of Close: what was
// written out is then of no use.
func (s *Stream) Write(p []byte) (int, error) { return s.pipe.Write(p) }

// Close ends the body and returns when the last clean byte has been written. The error
// is a *Refusal when a secret stands where it cannot be replaced, or the writer's.
func (s *Stream) Close() error {
	s.pipe.Close()
	<-s.done
	return s.err
}

// Abort gives the body up and returns when nothing more is written.
func (s *Stream) Abort() {
	s.pipe.CloseWithError(errAborted)
	<-s.done
}

var errAborted = fmt.Errorf("the body was given up before its end")

// BodyStream is Body from a reader to a writer. It reports whether anything was
// replaced. The error is a *Refusal, the reader's or the writer's.
func (v *Vault) BodyStream(s Scope, d Direction, contentType string, to io.Writer, from io.Reader) (changed bool, err error) {
	place := "response body"
	if d == InRequest {
		place = "request body"
	}
	return v.stream(v.pass(s, d), place, contentType, to, from, usual)
}

// SweepStream is Sweep from a reader to a writer.
func (v *Vault) SweepStream(contentType string, to io.Writer, from io.Reader) (changed bool, err error) {
	return v.stream(&pass{v: v, byValue: true}, "body", contentType, to, from, usual)
}

// CheckStream is Check of what a reader gives.
func (v *Vault) CheckStream(place string, from io.Reader) error {
	st := &streamer{v: v, p: &pass{v: v, byValue: true}, place: place, to: io.Discard, sizes: usual}
	return st.windows(&source{from: from}, func(s string) string { return s })
}

// RenumberStream is Renumber from a reader to a writer.
func RenumberStream(ids map[string]string, to io.Writer, from io.Reader) (changed bool, err error) {
	st := &streamer{to: to, sizes: usual}
	err = st.windows(&source{from: from}, func(s string) string { return Renumber(s, ids) })
	return st.changed, err
}

// PlaceholderStream calls f with the identity of every placeholder that a reader gives, in order.
func PlaceholderStream(from io.Reader, f func(id string)) error {
	st := &streamer{to: io.Discard, sizes: usual}
	return st.windows(&source{from: from}, func(s string) string {
		for _, ph := range Placeholders(s) {
			f(ph.ID)
		}
		return s
	})
}

// ReserveStream is Reserve of what a reader gives.
func (v *Vault) ReserveStream(stored io.Reader) error {
	return PlaceholderStream(stored, func(id string) { v.reserve([]Placeholder{{ID: id}}) })
}

// sizes are the bounds of what a stream holds, in bytes.
type sizes struct {
	window int // of text that is looked at at once
	look   int // how far a cut is looked around
	chunk  int // of JSON, lines, fields and parts that are redacted together
}

var usual = sizes{window: 1 << 20, look: maxMatch, chunk: 32 << 10}

// A streamer redacts one body from its source to a writer.
type streamer struct {
	sizes
	v       *Vault // nil to renumber
	p       *pass
	to      io.Writer
	place   string
	checked bool // what goes out is searched once more
	fixed   bool // nothing can be replaced: a hit refuses the body
	changed bool
}

func (v *Vault) stream(p *pass, place, contentType string, to io.Writer, from io.Reader, size sizes) (changed bool, err error) {
	st := &streamer{v: v, p: p, to: to, place: place, sizes: size, checked: true, fixed: hasLengths(contentType)}
	err = st.body(&source{from: from}, contentType)
	return st.changed, err
}

// body redacts a whole body in its format.
func (st *streamer) body(in input, contentType string) error {
	switch format := leaves.FormatOf(contentType, []byte("x")); {
	case format == leaves.JSON, format == leaves.Text && untyped(contentType) && startsJSON(in.fill(st.window/2)):
		if err := st.json(in, "body", ""); err != errNotJSON {
			return err
		}
		return st.windows(in, st.plain("body"))
	case format == leaves.NDJSON:
		return st.lines(in, contentType)
	case format == leaves.Form:
		return st.fields(in, contentType)
	case format == leaves.Multipart:
		return st.parts(in, contentType)
	}
	return st.windows(in, func(s string) string {
		s = st.p.body(contentType, s)
		if wireOf(contentType) == wireEvents {
			s = st.p.events(contentType, s)
		}
		return s
	})
}

// plain redacts a piece of text as that of the value at a place.
func (st *streamer) plain(place leaves.Place) func(string) string {
	return func(s string) string { return st.p.plain(place, s) }
}

// untyped reports whether a body's type is told by its beginning.
func untyped(contentType string) bool {
	return leaves.FormatOf(contentType, []byte("{}")) == leaves.JSON
}

func startsJSON(b []byte) bool {
	for _, c := range b {
		if !isSpace(c) {
			return c == '{' || c == '['
		}
	}
	return false
}

// piece redacts one piece of the body and writes it.
func (st *streamer) piece(s string, redact func(string) string) error {
	if s == "" {
		return nil
	}
	if st.v == nil {
		return st.emit(s, redact(s))
	}
	clean, err := st.v.settle(s, func(s string) (string, error) { return redact(s), nil })
	if err != nil {
		return err
	}
	return st.emit(s, clean)
}

// emit writes clean in place of raw, after a last search.
func (st *streamer) emit(raw, clean string) error {
	if raw != clean {
		if st.fixed {
			return &Refusal{Rule: st.ruleIn(raw), Place: st.place,
				Reason: "a secret stands in a body of lengths and fields that is too large to be written anew"}
		}
		st.changed = true
	}
	if st.v != nil {
		if err := st.v.Check(st.place, []byte(clean)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(st.to, clean)
	return err
}

// ruleIn names the first rule that finds something in s.
func (st *streamer) ruleIn(s string) string {
	switch found := st.p.hits("body", anywhere, s); {
	case len(found) == 0:
		return "name"
	case found[0].rule == nil:
		return found[0].known.rule
	default:
		return found[0].rule.ID
	}
}
