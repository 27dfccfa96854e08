package redact

import (
	"bytes"
	"mime"
	"strings"

	"tapedeck/cassettes/leaves"
)

// lines redacts one JSON text per line. A line that is none is redacted as text.
func (st *streamer) lines(in input, contentType string) error {
	for first := 0; ; {
		b := in.fill(st.window)
		n := bytes.LastIndexByte(b, '\n') + 1
		switch {
		case len(b) == 0:
			return in.err()
		case n == 0 && len(b) < st.window:
			n = len(b)
		case n == 0:
			line := newUntil(in, untilByte('\n'))
			err := st.json(line, leaves.Place("body").Index(first), "")
			if err == errNotJSON {
				err = st.windows(line, st.plain("body"))
			}
			if err != nil {
				return err
			}
			first++
			continue
		}
		s := string(b[:n])
		in.drop(n)
		list, count, err := leaves.Lines([]byte(s), first)
		if err == nil {
			first += count
			if err := st.piece(s, st.lineLeaves(list, first-count, contentType)); err != nil {
				return err
			}
			continue
		}
		for line := range strings.SplitAfterSeq(s, "\n") {
			if line == "" {
				continue
			}
			// A value that has no end must not take the line break with it.
			text := strings.TrimRight(line, "\r\n")
			list, count, err := leaves.Lines([]byte(text), first)
			redact := st.lineLeaves(list, first, contentType)
			if err != nil {
				redact, count = st.plain("body"), 1
			}
			first += count
			if err := st.piece(text, redact); err != nil {
				return err
			}
			if err := st.emit(line[len(text):], line[len(text):]); err != nil {
				return err
			}
		}
	}
}

// lineLeaves redacts whole lines of which the leaves are known, and again when they
// have changed. What clients join from several lines is looked for in all of them.
func (st *streamer) lineLeaves(list []leaves.Leaf, first int, contentType string) func(string) string {
	return func(s string) string {
		if list == nil {
			list, _, _ = leaves.Lines([]byte(s), first)
		}
		out := st.p.events(contentType, st.p.leaves(s, list, inBody))
		if out != s {
			list = nil
		}
		return out
	}
}

// fields redacts a form. Some whole fields at a time are a form of their own.
func (st *streamer) fields(in input, contentType string) error {
	for {
		b := in.fill(st.chunk)
		n := len(b)
		if n == st.chunk {
			if n = bytes.LastIndexByte(b, '&'); n <= 0 {
				b = in.fill(st.window)
				if n = bytes.IndexByte(b[1:], '&') + 1; n == 0 && len(b) < st.window {
					n = len(b)
				}
			}
		}
		switch {
		case len(b) == 0:
			return in.err()
		case n == 0:
			if err := st.longField(in); err != nil {
				return err
			}
			continue
		}
		s := string(b[:n])
		in.drop(n)
		if err := st.piece(s, func(s string) string {
			_, list, err := leaves.Body(contentType, []byte(s))
			if err != nil {
				list, _ = leaves.Query(s)
			}
			// What makes a code one of an OAuth exchange may stand in any other piece.
			return st.p.leaves(s, append(siblingLeaves("body", doubtful), list...), inBody)
		}); err != nil {
			return err
		}
	}
}

// longField redacts a field that is larger than a window.
func (st *streamer) longField(in input) error {
	b := in.fill(st.window)
	from := 0
	if b[0] == '&' {
		from = 1
	}
	n := bytes.IndexByte(b[from:min(len(b), from+4*maxName)], '=') + from + 1
	var r *rule
	name := string(b[:n])
	if list, _ := leaves.Query(name[from:]); len(list) == 1 {
		r = st.p.rule(&siblings{list: list}, &list[0], inBody)
	}
	in.drop(n)
	if err := st.piece(name, st.plain("body")); err != nil {
		return err
	}
	value := newUntil(in, untilByte('&'))
	if r != nil && r.reading != readCard {
		return st.swallow(value, r, "body")
	}
	return st.windows(value, st.plain("body"))
}

// parts redacts a multipart body. Some whole parts at a time are a body of their own; a
// part that is larger than a window is redacted as what its type says.
func (st *streamer) parts(in input, contentType string) error {
	_, params, _ := mime.ParseMediaType(contentType)
	boundary := params["boundary"]
	end := "\r\n--" + boundary + "--\r\n"
	for {
		b := in.fill(st.window)
		if len(b) == 0 {
			return in.err()
		}
		n := len(b)
		if n == st.window {
			n = lastBoundary(b, boundary)
		}
		if n == 0 {
			if err := st.longPart(in, contentType, end, boundary); err != nil {
				return err
			}
			continue
		}
		s := string(b[:n])
		in.drop(n)
		if err := st.piece(s, func(s string) string {
			for _, end := range []string{"", end} {
				// Without its last line the piece is no body of its own.
				if _, list, err := leaves.Body(contentType, []byte(s+end)); err == nil {
					return st.p.leaves(s, list, inBody)
				}
			}
			return st.p.plain("body", s)
		}); err != nil {
			return err
		}
	}
}

// lastBoundary is where the last boundary line in b begins that is not its first
// one, with the line break before it, or 0.
func lastBoundary(b []byte, boundary string) int {
	at := bytes.LastIndex(b, []byte("\n--"+boundary))
	if at > 0 && b[at-1] == '\r' {
		at--
	}
	return max(at, 0)
}

// untilBoundary stops before the line break of the next boundary line.
func untilBoundary(boundary string) func(b []byte, from int, more bool) (end, seen int) {
	line := []byte("\n--" + boundary)
	return func(b []byte, from int, _ bool) (end, seen int) {
		i := bytes.Index(b[from:], line)
		if i < 0 {
			return -1, max(from, len(b)-len(line)-1)
		}
		i += from
		if i > 0 && b[i-1] == '\r' {
			i--
		}
		return i, 0
	}
}

// longPart redacts the first part of what is left: its headers, then its content.
func (st *streamer) longPart(in input, contentType, end, boundary string) error {
	b := in.fill(st.window)
	n := bytes.Index(b, []byte("\n\r\n"))
	size := 3
	if bare := bytes.Index(b, []byte("\n\n")); bare >= 0 && (n < 0 || bare < n) {
		n, size = bare, 2
	}
	if n < 0 || n > st.look {
		return st.windows(in, st.plain("body")) // no part
	}
	header := string(b[:n+size])
	in.drop(n + size)
	if err := st.piece(header, st.plain("body")); err != nil {
		return err
	}
	part := leaves.Leaf{Place: "body", Kind: leaves.Blob}
	_, list, err := leaves.Body(contentType, []byte(strings.TrimPrefix(strings.TrimPrefix(header, "\r"), "\n")+"x"+end))
	if err == nil && len(list) == 1 {
		part = list[0]
	}
	content := newUntil(in, untilBoundary(boundary))
	if part.Part != nil && part.Part.Format == leaves.Text && part.Kind == leaves.String {
		if r := st.p.rule(&siblings{list: list}, &part, inBody); r != nil && r.reading != readCard {
			return st.swallow(content, r, part.Place)
		}
	}
	if part.Part != nil && leaves.FormatOf(part.Part.ContentType, []byte("x")) == leaves.JSON {
		if err := st.json(content, part.Place, part.Name); err != errNotJSON {
			return err
		}
	}
	return st.windows(content, st.plain(part.Place))
}

// hasLengths reports whether a body of a type says how long its parts are, so that
// nothing in it can be replaced without what stands before it.
func hasLengths(contentType string) bool {
	layout := wireOf(contentType)
	return layout != wireNone && layout != wireEvents
}
