package foreign

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON reads one JSON value.
func parseJSON(name string, src []byte) (*node, error) {
	lines := newLineTable(src, false)
	p := &jsonTree{src: src}
	if bytes.HasPrefix(src, []byte(byteOrderMark)) {
		p.base = len(byteOrderMark)
	}
	p.dec = jsontext.NewDecoder(bytes.NewBuffer(src[p.base:]), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	root, err := p.value(lines)
	if err == nil {
		if _, err = p.dec.ReadToken(); err == io.EOF {
			root.lines = lines
			return root, nil
		}
		err = errors.New("something follows the value")
	}
	at := &node{lines: lines}
	line := at.lineOf(min(len(src), p.base+int(p.dec.InputOffset())))
	fault := "this is not JSON: it cannot be read here"
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		fault = "this is not JSON: the file ends in the middle"
	}
	return nil, &Error{File: name, Line: line, Fault: fault, Cure: "correct this line, or " + restore}
}

type jsonTree struct {
	dec  *jsontext.Decoder
	src  []byte
	base int
}

func (p *jsonTree) value(lines *lineTable) (*node, error) {
	n := &node{style: jsonStyle}
	begin := func() {
		n.start = p.base + int(p.dec.InputOffset()) - 1
		n.line = (&node{lines: lines}).lineOf(n.start)
	}
	switch p.dec.PeekKind() {
	case '{':
		if _, err := p.dec.ReadToken(); err != nil {
			return nil, err
		}
		n.kind = object
		for begin(); p.dec.PeekKind() != '}'; {
			key, err := p.value(lines)
			if err != nil {
				return nil, err
			}
			v, err := p.value(lines)
			if err != nil {
				return nil, err
			}
			n.keys, n.kids = append(n.keys, key), append(n.kids, v)
		}
	case '[':
		if _, err := p.dec.ReadToken(); err != nil {
			return nil, err
		}
		n.kind = list
		for begin(); p.dec.PeekKind() != ']'; {
			v, err := p.value(lines)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, v)
		}
	default:
		raw, err := p.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		n.end = p.base + int(p.dec.InputOffset())
		n.start = n.end - len(raw)
		n.line = (&node{lines: lines}).lineOf(n.start)
		if raw.Kind() != '"' {
			n.value, n.style = string(raw), plainStyle
			return n, nil
		}
		n.kind = text
		value, err := jsontext.AppendUnquote(nil, raw)
		if err != nil && len(value) == 0 {
			return nil, err
		}
		n.value = string(value)
		return n, nil
	}
	if _, err := p.dec.ReadToken(); err != nil { // the closing bracket
		return nil, err
	}
	n.end = p.base + int(p.dec.InputOffset())
	return n, nil
}
