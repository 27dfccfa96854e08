package leaves

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/textproto"
	"strings"
	"unicode/utf8"
)

// A Part describes one part of a multipart body.
type Part struct {
	// Index is the part's position among all parts, from 0.
	Index int
	// Place is body.NAME; body.NAME[0], body.NAME[1] … when several parts have
	// the name; body[Index] when the part has none.
	Place Place
	// FileName is the decoded file name; HasFileName tells "" from none.
	FileName    string
	HasFileName bool
	// ContentType is as written, "" if absent.
	ContentType string
	// Format is how the content was read. Form and JSON have leaves under
	// Place; a part of any other format is one leaf at Place.
	Format Format
	// Fault says why the content could not be read as its media type says,
	// and is one leaf of its bytes instead; nil when it could.
	Fault error

	name       string
	hasName    bool
	start, end int // the content
}

func isMultipart(_ *Outline, m mediaType, _ string) bool {
	return strings.HasPrefix(m.name, "multipart/") && m.params["boundary"] != ""
}

// multipartBody splits at the boundary itself (RFC 2046, section 5.1.1): the
// standard library's reader does not tell where a part stands. Preamble and
// epilogue have no leaves.
func multipartBody(o *Outline, m mediaType, text string) error {
	body := []byte(text)
	parts, err := splitParts(body, m.params["boundary"])
	if err != nil {
		return err
	}
	placeParts(parts)
	for _, p := range parts {
		o.list = append(o.list, partLeaves(p, text[p.start:p.end])...)
	}
	return nil
}

// splitParts finds the parts and reads their headers.
func splitParts(body []byte, boundary string) ([]*Part, error) {
	d, ok := nextDelimiter(body, 0, boundary)
	if !ok {
		return nil, errors.New("the boundary of the Content-Type does not stand in the body")
	}
	var parts []*Part
	for !d.last {
		next, ok := nextDelimiter(body, d.after, boundary)
		if !ok {
			return nil, fmt.Errorf("part %d does not end with the boundary", len(parts)+1)
		}
		p, err := readPart(body, d.after, next.before)
		if err != nil {
			return nil, fmt.Errorf("part %d %w", len(parts)+1, err)
		}
		p.Index = len(parts)
		parts = append(parts, p)
		d = next
	}
	return parts, nil
}

// delimiter is a boundary line.
type delimiter struct {
	before int // where the content before it ends
	after  int // where the next part begins
	last   bool
}

// nextDelimiter finds the first boundary line at or after from. A line that
// merely begins with the boundary is not one.
func nextDelimiter(body []byte, from int, boundary string) (d delimiter, ok bool) {
	dash := []byte("--" + boundary)
	for at := from; ; at++ {
		i := bytes.Index(body[at:], dash)
		if i < 0 {
			return d, false
		}
		at += i
		if at > from && body[at-1] != '\n' {
			continue
		}
		d.before, d.after = at, at+len(dash)
		if d.last = bytes.HasPrefix(body[d.after:], []byte("--")); d.last {
			d.after += 2
		}
		for d.after < len(body) && (body[d.after] == ' ' || body[d.after] == '\t') {
			d.after++
		}
		switch rest := body[d.after:]; {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			d.after += 2
		case bytes.HasPrefix(rest, []byte("\n")):
			d.after++
		case d.last && len(rest) == 0:
		default:
			continue
		}
		// The line break before the boundary belongs to it.
		if d.before > from {
			d.before--
			if d.before > from && body[d.before-1] == '\r' {
				d.before--
			}
		}
		return d, true
	}
}

// readPart reads the part that stands at body[start:end].
func readPart(body []byte, start, end int) (*Part, error) {
	content := start
	for {
		i := bytes.IndexByte(body[content:end], '\n')
		if i < 0 {
			return nil, errors.New("has no empty line after its headers")
		}
		line := body[content : content+i]
		content += i + 1
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			break
		}
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(body[start:content]))).ReadMIMEHeader()
	if err != nil {
		return nil, errors.New("has headers that cannot be read")
	}
	p := &Part{ContentType: header.Get("Content-Type"), start: content, end: end}
	if disposition := header.Get("Content-Disposition"); disposition != "" {
		_, params, err := mime.ParseMediaType(disposition)
		if err != nil {
			return nil, errors.New("has a Content-Disposition that cannot be read")
		}
		p.name, p.hasName = params["name"]
		p.FileName, p.HasFileName = params["filename"]
	}
	return p, nil
}

// placeParts gives every part its place.
func placeParts(parts []*Part) {
	count := map[string]int{}
	for _, p := range parts {
		if p.hasName {
			count[p.name]++
		}
	}
	used := map[string]int{}
	for _, p := range parts {
		switch {
		case !p.hasName:
			p.Place = Place("body").Index(p.Index)
		case count[p.name] == 1:
			p.Place = Place("body").Member(p.name)
		default:
			p.Place = Place("body").Member(p.name).Index(used[p.name])
			used[p.name]++
		}
	}
}

// partLeaves reads the content of one part.
func partLeaves(p *Part, content string) []Leaf {
	m := parseMediaType(p.ContentType)
	if m.name == "" && p.HasFileName {
		m.name = "application/octet-stream" // a file is not looked into unless its type says so
	}
	var list []Leaf
	switch {
	case len(content) == 0:
		p.Format = Empty
	case isForm(nil, m, content):
		p.Format = Form
		var o Outline
		if o.start(content); o.form(content, p.Place) {
			p.Fault = errPercent
			break
		}
		list = o.leaves()
		for i := range list {
			list[i].Start += p.start
			list[i].End += p.start
		}
	case isJSON(new(Outline), m, content):
		p.Format = JSON
		list, p.Fault = jsonLeaves(content, p.start, p.Place, p.name)
	}
	if len(list) == 0 {
		list = []Leaf{p.whole(m, content)}
	}
	for i := range list {
		list[i].Part = p
	}
	return list
}

// whole is the one leaf of a part that has no structure, or none that can be read.
func (p *Part) whole(m mediaType, content string) Leaf {
	leaf := Leaf{
		Place: p.Place, Name: p.name, Kind: Blob, Value: content,
		Start: p.start, End: p.end, quote: quoteContent,
	}
	text := utf8.ValidString(content)
	if text && !p.HasFileName && (m.name == "" || m.is("text/plain")) {
		leaf.Kind = String
	}
	switch {
	case p.Format == Empty:
	case text:
		p.Format = Text
	default:
		p.Format = Bytes
	}
	return leaf
}

// quoteContent writes a value as a part's content, which has no escapes.
func quoteContent(value string) []byte { return []byte(value) }
