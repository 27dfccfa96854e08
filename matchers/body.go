package matchers

import (
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// bodyPlace is where the body stands among the facts.
const bodyPlace = leaves.Place("body")

// body is one request body, split as its format says.
type body struct {
	format leaves.Format
	list   []leaves.Leaf
	fault  error // why it cannot be split
	raw    []byte
	of     clean.Request
}

// bodyReader turns the bodies it claims into facts.
type bodyReader struct {
	claims func(b body) bool
	read   func(rd *reader, b body)
}

// bodyReaders is every way to read a body, first match first. A new kind of
// body is a file with a claim and a reader, and a line here.
var bodyReaders = []bodyReader{
	{isEmpty, func(*reader, body) {}}, // a GET without a body has none, whatever its Content-Type
	{isMultipart, (*reader).multipart},
	{isSplit, (*reader).leafBody},
	{func(body) bool { return true }, (*reader).digestBody},
}

func (rd *reader) body(r clean.Request) {
	b := body{raw: r.Body(), of: r}
	b.format, b.list, b.fault = leaves.Body(r.ContentType(), b.raw)
	rd.drafts = slices.Grow(rd.drafts, len(b.list)+2)
	for _, way := range bodyReaders {
		if way.claims(b) {
			way.read(rd, b)
			return
		}
	}
}

func isEmpty(b body) bool { return b.format == leaves.Empty }

// kind adds the body's kind: the same bytes as form and as JSON are two requests.
func (rd *reader) kind(b body) { rd.add(bodyPlace, wordType, string(b.format)) }
