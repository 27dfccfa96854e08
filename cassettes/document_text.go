package cassettes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
)

// Readable returns the document as text to be compared line by line: what was sent and
// answered, and nothing of how it is stored. There are no lengths, styles and days in
// it, so what a person need not review makes no difference.
//
//	POST https://api.stripe.com/v1/customers → 200 (id 3)
//	    email = ada@example.com
//	  answer
//	    {
//	      "id": "cus_1"
//	    }
func (d *Document) Readable() ([]byte, error) {
	var b bytes.Buffer
	if d.Unfinished != "" {
		fmt.Fprintf(&b, "unfinished: %s\n\n", oneLine(d.Unfinished))
	}
	for i, in := range d.List {
		s, err := in.Stored()
		if err != nil {
			return nil, fmt.Errorf("cassette %s: interaction %d: %w", d.Name, in.ID, err)
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		d.readable(&b, s, d.Kept(in).requestFile)
	}
	return b.Bytes(), nil
}

func (d *Document) readable(b *bytes.Buffer, s clean.Stored, requestFile string) {
	fmt.Fprintf(b, "%s %s → %d", oneLine(s.Method), oneLine(s.URL), s.Status)
	if s.StatusText != "" && s.StatusText != http.StatusText(s.Status) {
		b.WriteString(" " + oneLine(s.StatusText))
	}
	marks := []string{"id " + strconv.Itoa(s.ID)}
	for _, mark := range []struct {
		is   bool
		text string
	}{
		{s.Pinned, "pinned"}, {s.Retry, "retry"}, {s.Cut != "", "cut by the " + s.Cut},
		{s.Conflict == Ours, "CONFLICT: our version"}, {s.Conflict == Theirs, "CONFLICT: their version"},
	} {
		if mark.is {
			marks = append(marks, mark.text)
		}
	}
	b.WriteString(" (" + strings.Join(marks, ", ") + ")\n")
	names, values, isForm := form(s.RequestHeader, s.RequestBody)
	readableHeader(b, s.RequestHeader, isForm)
	switch {
	case isForm:
		for _, name := range names {
			for _, value := range values[name] {
				b.WriteString("    " + oneLine(name) + " = " + oneLine(value) + "\n")
			}
		}
	case requestFile != "":
		b.WriteString("    (a body in the file " + requestFile + ")\n")
	default:
		readableBody(b, s.RequestBody)
	}
	readableHeader(b, s.RequestTrailer, false)
	for _, info := range s.Informational {
		fmt.Fprintf(b, "  answer %d\n", info.Status)
		readableHeader(b, info.Header, false)
	}
	b.WriteString("  answer\n")
	readableHeader(b, s.ResponseHeader, false)
	if l := s.ResponseLarge; l != nil {
		b.WriteString("    (a body in the file " + l.Name() + ")\n")
	} else {
		readableBody(b, s.ResponseBody)
	}
	readableHeader(b, s.ResponseTrailer, false)
}

// readableHeader leaves out what the body says by itself.
func readableHeader(b *bytes.Buffer, h http.Header, isForm bool) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if name == "Content-Length" || name == "Content-Type" && (isForm || value == "application/json") {
				continue
			}
			b.WriteString("    " + oneLine(name) + ": " + oneLine(value) + "\n")
		}
	}
}

// readableBody shows JSON laid out, text by its lines, and of all else the size and the
// digest.
func readableBody(b *bytes.Buffer, body []byte) {
	if len(body) == 0 {
		return
	}
	text, err := restyle(body, written)
	if err != nil {
		text = body
	}
	if !utf8.Valid(text) || bytes.ContainsRune(text, 0) {
		sum := sha256.Sum256(body)
		fmt.Fprintf(b, "    (%d bytes, SHA-256 %s)\n", len(body), hex.EncodeToString(sum[:]))
		return
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n") {
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			b.WriteByte('\n')
			continue
		}
		b.WriteString("    " + oneLine(line) + "\n")
	}
}

// oneLine writes what would end a line, or move a terminal's cursor, as an escape.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r != '\t' && !printable(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '\t' || printable(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
