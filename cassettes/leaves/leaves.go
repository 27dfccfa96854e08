// Package leaves splits queries and bodies into named leaf values.
//
// It is the one reader of forms, JSON and multipart: the redactor replaces
// leaves in place (Start, End, Quote), the matcher turns the same leaves into
// facts, so that both always agree on what a body says. An Outline is the same
// without a copy or a place that nobody asks for; Body and Query are made from it.
//
// Every format is one file and one line in the list formats. A Place says
// where a leaf stands, a Pattern selects places:
//
//	format, list, err := leaves.Body("application/json", []byte(`{"items":[{"id":7}]}`))
//	// format is leaves.JSON, list[0].Place is body.items[0].id, list[0].Value is 7
//	pattern, err := leaves.ParsePattern("body.items[*].id")
//	pattern.Match(list[0].Place) // true
package leaves

import (
	"mime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Format is how the bytes of a body are to be read.
type Format string

const (
	Empty     Format = "empty"
	Form      Format = "form"
	JSON      Format = "json"
	NDJSON    Format = "ndjson"
	Multipart Format = "multipart"
	Text      Format = "text"  // valid UTF-8 with no structure known here
	Bytes     Format = "bytes" // anything else
)

// Kind is the type of a leaf. Values of different kinds are never equal.
type Kind uint8

const (
	String      Kind = iota // JSON string, form or query value, text field of a multipart body
	Number                  // JSON number: Value is the token as written
	Bool                    // Value is "true" or "false"
	Null                    // Value is ""
	EmptyObject             // {}
	EmptyArray              // []
	Blob                    // a multipart part of another type, such as a file; Value is its raw content
	Raw                     // a query field with a bad percent escape; name and Value are as written
)

// A Leaf is one value of a query or body.
type Leaf struct {
	Place Place
	// Name is the nearest member name or bracket segment at or above the leaf,
	// decoded: "client_secret" for body.a.client_secret, "expand" for
	// body.expand[0]. Key rules look at it.
	Name string
	Kind Kind
	// Value is decoded: percent escapes and JSON escapes are resolved.
	Value string
	// Start and End delimit the leaf's raw bytes in the input: a JSON token
	// with its quotes, a form value without its "=". For a form field with
	// no "=", Start == End.
	Start, End int
	// Part is the multipart part that holds the leaf; nil elsewhere. Every part
	// has at least one leaf.
	Part *Part

	// quote turns a decoded value into bytes that can stand at Start:End.
	quote func(value string) []byte
}

// Quote returns value as it must be written in place of the leaf's bytes.
func (l Leaf) Quote(value string) []byte { return l.quote(value) }

// format is one way to read a body.
type format struct {
	name Format
	// claims reports whether a body of this media type is in the format. A
	// body without a type is offered to every format in turn.
	claims func(o *Outline, m mediaType, body string) bool
	// split finds the leaves. On an error it may leave some of them behind.
	split func(o *Outline, m mediaType, body string) error
}

// formats is every format with structure, first match first.
var formats = []format{
	{Form, isForm, formBody},
	{JSON, isJSON, jsonBody},
	{NDJSON, isNDJSON, ndjsonBody},
	{Multipart, isMultipart, multipartBody},
}

// mediaType is a Content-Type taken apart.
type mediaType struct {
	name   string // lower case, "" when there is none
	params map[string]string
}

// parseMediaType never fails: where a Content-Type is too broken for the standard
// library, servers still look at what stands before the first parameter.
func parseMediaType(contentType string) mediaType {
	before, _, more := strings.Cut(contentType, ";")
	m := mediaType{name: strings.ToLower(strings.TrimSpace(before))}
	if more && strings.HasPrefix(m.name, "multipart/") { // other types' parameters say nothing here
		_, m.params, _ = mime.ParseMediaType(contentType)
	}
	return m
}

// is reports whether the media type is one of names.
func (m mediaType) is(names ...string) bool { return slices.Contains(names, m.name) }

// FormatOf decides how a decoded body is read, from its media type and, when
// that says nothing, from its first bytes (matching rules: an untyped body
// that parses as a JSON object or array is JSON).
func FormatOf(contentType string, body []byte) Format {
	var o Outline
	text := string(body)
	o.start(text)
	name, _ := formatOf(&o, parseMediaType(contentType), text)
	return name
}

// formatOf returns the format's name, and the format itself if it has structure.
func formatOf(o *Outline, m mediaType, body string) (Format, *format) {
	if len(body) == 0 {
		return Empty, nil
	}
	for i := range formats {
		if formats[i].claims(o, m, body) {
			return formats[i].name, &formats[i]
		}
	}
	if utf8.ValidString(body) {
		return Text, nil
	}
	return Bytes, nil
}

// outlines are those that are not in use: the items of a small body take as much
// memory as the leaves that are made of them.
var outlines = sync.Pool{New: func() any { return new(Outline) }}

// Body splits a decoded body into leaves under "body". The error says why the
// body cannot be read as its format (invalid JSON, duplicate member names, bad
// percent escape, lone surrogate, wrong boundary); the caller then treats it
// as Text or Bytes. Leaves come in the order in which they stand. The error
// never quotes the body.
func Body(contentType string, body []byte) (Format, []Leaf, error) {
	o := outlines.Get().(*Outline)
	name, err := o.Body(contentType, string(body))
	list := o.leaves()
	o.Release()
	outlines.Put(o)
	return name, list, err
}
