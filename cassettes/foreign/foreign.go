// Package foreign reads the cassettes of other recorders, and writes them back
// with some of their values replaced.
//
// Read finds the format by what the file says, never by its name, and gives a
// Document: interactions, each a list of Parts (a URL, a header, a body …) whose
// text is decoded: base64 and Content-Encoding are removed. Set replaces a part's
// text, and Write gives the file again in which nothing else has changed: comments,
// order, quotes and line breaks stay byte for byte.
//
//	doc, err := foreign.Read("fixtures/login.yaml", data)
//	if err != nil {
//		return err
//	}
//	for _, p := range doc.Parts() {
//		p.Set(strings.ReplaceAll(p.Text(), secret, "REDACTED-0001"))
//	}
//	data, err = doc.Write()
//
// A format is one file with a function that finds the parts in a tree of values,
// and one line in the list formats. YAML and JSON give the same tree.
package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Largest is the most that a cassette file may hold, in bytes, as for those of
// tapedeck itself.
const Largest = 512 << 20

// A Document is one file.
type Document struct {
	// Format is a name for people: "go-vcr", "VCR", "vcrpy", "HAR" ….
	Format string
	// Interactions are in the order of the file.
	Interactions []*Interaction
	// Rest are the texts that belong to no interaction.
	Rest []*Part

	name string
	src  []byte
	root *node
	lang language
}

// An Interaction is one request and its response.
type Interaction struct {
	// ID is the file's own, or the position from 0.
	ID   string
	Line int
	// Parts are in the order of the file.
	Parts []*Part

	method, status *node
	origin         string // scheme and host, where the format stores them apart
	urls           []*Part
	request        message
	response       message
	comment        *Part // what tapedeck writes above an interaction
}

// Method is the request's method, GET if the file has none.
func (in *Interaction) Method() string {
	if m := in.method.scalar(); m != "" {
		return strings.ToUpper(m) // VCR writes it in small letters
	}
	return "GET"
}

// URL is the request's URL as it is now: after Set, the new one.
func (in *Interaction) URL() string {
	u := in.origin
	for _, p := range in.urls {
		u += p.text
	}
	return u
}

// ContentType is that of the request or the response, "" if the file has none.
func (in *Interaction) ContentType(d Direction) string {
	return in.message(d).contentType()
}

func (in *Interaction) message(d Direction) *message {
	if d == Response {
		return &in.response
	}
	return &in.request
}

// A Direction tells the request's parts from the response's.
type Direction uint8

const (
	Request Direction = iota
	Response
)

func (d Direction) String() string {
	if d == Response {
		return "response"
	}
	return "request"
}

// A Kind says how a part's text is to be read.
type Kind uint8

const (
	// URL is the request's URL, absolute or only the path.
	URL Kind = iota
	// Header is one value of the header Name.
	Header
	// Cookie is the value of the cookie Name, where the format lists cookies apart.
	Cookie
	// Query and Form are the decoded value of the parameter Name, where the
	// format lists parameters apart. Those of one Group stood together.
	Query
	Form
	// Body is a body without its encodings.
	Body
	// Text is any other text; Name is the member it stands under.
	Text
	// Comment is a comment of the file.
	Comment
)

// A Part is one text of a document.
type Part struct {
	Kind      Kind
	Direction Direction
	Name      string
	// Group tells which parameters stood together.
	Group int
	// Line is where the text begins in the file, from 1.
	Line int
	// BodyFile names the file that holds the body instead, "" for none: the
	// text is then empty. The folder is the cassette's name with ".bodies".
	BodyFile string

	doc      *Document
	node     *node // of a scalar
	span     *span // of what is no scalar: a comment, JSON that stands unquoted
	body     *body
	original string
	text     string
	opaque   error
}

// Text is the part's text, decoded; after Set, the new one. It may be binary.
func (p *Part) Text() string { return p.text }

// Original is the text as it was read.
func (p *Part) Original() string { return p.original }

// Set replaces the text. The file is not touched before Write.
func (p *Part) Set(text string) { p.text = text }

// Opaque says why a body cannot be looked into, nil if it can. Its text is then what
// stands in the file.
func (p *Part) Opaque() error { return p.opaque }

// LineAt is the line of the file on which the byte at offset of the original text
// stands, as near as the format says: a body in base64 is on the line where it begins.
func (p *Part) LineAt(offset int) int {
	switch {
	case p.span != nil && p.body == nil:
		return p.doc.root.lineOf(min(p.span.start+offset, p.span.end))
	case p.node == nil || p.body != nil && p.body.encoded():
		return p.Line
	}
	pieces, _, err := p.node.pieces(p.doc.src)
	if err != nil {
		return p.Line
	}
	return p.doc.root.lineOf(sourceAt(pieces, p.node, offset))
}

// Parts are those of all interactions and the rest, in no special order.
func (d *Document) Parts() []*Part {
	all := slices.Clone(d.Rest)
	for _, in := range d.Interactions {
		all = append(all, in.Parts...)
	}
	return all
}

// An Error says what is wrong with a file.
type Error struct {
	File        string
	Line        int    // 0 when the whole file is meant
	Interaction string // its id; "" outside of one
	Fault, Cure string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Interaction != "" {
		b.WriteString(": interaction " + e.Interaction)
	}
	fmt.Fprintf(&b, ": %s; %s", e.Fault, e.Cure)
	return b.String()
}

// ErrUnknown is what Read's error is when the file is sound, and no cassette.
var ErrUnknown = errors.New("this is no cassette that is known here")

type unknownError struct{ fault *Error }

func (e unknownError) Error() string { return e.fault.Error() }

func (unknownError) Is(target error) bool { return target == ErrUnknown }

func (e unknownError) Unwrap() error { return e.fault }

const restore = "restore the file from version control, or name another"

// Read reads a cassette of any known format. name is how errors call the file;
// they hold nothing of its contents.
func Read(name string, src []byte) (*Document, error) {
	if len(src) > Largest {
		return nil, &Error{File: name, Fault: fmt.Sprintf("the file is larger than %d MiB", Largest>>20), Cure: "split it into several cassettes"}
	}
	root, lang, err := parse(name, src)
	if err != nil {
		return nil, err
	}
	for _, f := range formats {
		if !f.is(root) {
			continue
		}
		doc := &Document{Format: f.name, name: name, src: src, root: root, lang: lang}
		r := &reader{doc: doc}
		if err := f.read(r, root); err != nil {
			return nil, err
		}
		if err := r.finish(root); err != nil {
			return nil, err
		}
		return doc, nil
	}
	return nil, unknownError{&Error{File: name, Fault: ErrUnknown.Error(),
		Cure: "name a cassette of tapedeck, go-vcr, VCR, vcrpy, Betamax, Polly.js, Hoverfly, WireMock or nock, or a HAR file"}}
}

// formats lists what Read knows. The first whose is says yes reads the file.
var formats = []struct {
	name string
	is   func(root *node) bool
	read func(r *reader, root *node) error
}{
	{"tapedeck", isTapedeck, readGoVCR},
	{"go-vcr", isGoVCR, readGoVCR},
	{"vcrpy", isVCRpy, readVCRpy},
	{"Betamax", isBetamax, readVCR},
	{"VCR", isVCR, readVCR},
	{"Polly.js", isPolly, readHAR},
	{"HAR", isHAR, readHAR},
	{"Hoverfly", isHoverfly, readHoverfly},
	{"WireMock", isWireMock, readWireMock},
	{"nock", isNock, readNock},
}

// Formats lists the names of the formats that Read knows.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// inFileOrder sorts parts by where they stand.
func inFileOrder(parts []*Part) {
	slices.SortStableFunc(parts, func(a, b *Part) int { return cmp.Compare(a.start(), b.start()) })
}

func (p *Part) start() int {
	if p.span != nil {
		return p.span.start
	}
	if p.node != nil {
		return p.node.start
	}
	return 0
}
