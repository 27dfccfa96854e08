package leaves

import (
	"math"
	"strings"
	"unicode/utf8"
)

// An Outline says where the leaves of a query or body stand. It is what Body and
// Query are made from: it copies nothing and writes no place before it is asked for
// one, so that a caller who looks at few leaves pays for few.
//
// The zero value is ready to use, and a used one can be used again:
//
//	var o leaves.Outline
//	format, err := o.Body("application/json", text)
//	for i := range o.Len() {
//		if o.Name(i) == "client_secret" {
//			fmt.Println(o.Place(i))
//		}
//	}
type Outline struct {
	text  string
	items []item
	// nodes are the objects and arrays that hold the items, those of a JSON text
	// after the node of its root.
	nodes []node
	// names are the members read so far of the objects that are open.
	names []string
	// root is the place of a form; its leaves get their places all at once.
	root   Place
	places []Place
	// list holds the leaves of a format that is split at once.
	list []Leaf
}

// An item is a leaf whose value and place have not been made.
type item struct {
	name       string // what Leaf.Name is; the last step of the place, if the step is a member
	start, end int
	step
	kind    Kind
	writing writing
	escaped bool // the raw bytes are not the value
}

// A node is an object or array.
type node struct {
	name string // of a member; the place of a root
	step
}

// A step leads from a node to a value in it.
type step struct {
	up int32 // the node; -1 above a root
	n  int32 // the index in an array, or one of the following
}

const (
	memberStep = -1 // the member called name
	noStep     = -2 // the value is the root
)

// maxOutline bounds the length of a text, whose parts are counted in 32 bits. Nothing
// that is read whole comes near it.
const maxOutline = math.MaxInt32

// A writing is how a value is written in place of a leaf's raw bytes.
type writing uint8

const (
	asJSON writing = iota
	asNumber
	asBool
	asNull
	asEmptyObject
	asEmptyArray
	asForm
	asUnassigned
	asRaw
	asContent
)

var writings = [...]func(value string) []byte{
	asJSON: quoteJSON, asNumber: quoteNumber, asBool: quoteBool, asNull: quoteNull,
	asEmptyObject: quoteEmptyObject, asEmptyArray: quoteEmptyArray,
	asForm: quoteForm, asUnassigned: quoteUnassigned, asRaw: quoteRaw, asContent: quoteContent,
}

// Body takes a decoded body apart; format and error are those of the function Body.
// There are no leaves when there is an error.
func (o *Outline) Body(contentType, body string) (Format, error) {
	o.start(body)
	m := parseMediaType(contentType)
	name, f := formatOf(o, m, body)
	if f == nil {
		return name, nil
	}
	if err := f.split(o, m, body); err != nil {
		o.start("")
		return name, err
	}
	return name, nil
}

// Query takes a raw query apart; the error is that of the function Query, and
// there are leaves all the same.
func (o *Outline) Query(raw string) (bad error) {
	o.start(raw)
	if o.form(raw, "query") {
		return errPercent
	}
	return nil
}

// OutlineOf is the outline of a text whose leaves are known. They are not copied.
func OutlineOf(text string, list []Leaf) *Outline { return &Outline{text: text, list: list} }

// Release forgets the text, so that an outline which is kept for later use does not
// keep what it was used for.
func (o *Outline) Release() {
	const most = 1 << 12 // larger ones are seldom needed, and then their making is not what takes time
	if cap(o.items) > most || cap(o.nodes) > most || cap(o.names) > most {
		*o = Outline{}
		return
	}
	clear(o.items)
	clear(o.nodes)
	clear(o.names[:cap(o.names)])
	o.start("")
}

func (o *Outline) start(text string) {
	*o = Outline{text: text, items: o.items[:0], nodes: o.nodes[:0], names: o.names[:0]}
}

// Len is the number of leaves.
func (o *Outline) Len() int {
	if o.list != nil {
		return len(o.list)
	}
	return len(o.items)
}

// Name is the Name of leaf i.
func (o *Outline) Name(i int) string {
	if o.list != nil {
		return o.list[i].Name
	}
	return o.items[i].name
}

// Kind is the Kind of leaf i.
func (o *Outline) Kind(i int) Kind {
	if o.list != nil {
		return o.list[i].Kind
	}
	return o.items[i].kind
}

// Span is the Start and End of leaf i.
func (o *Outline) Span(i int) (start, end int) {
	if o.list != nil {
		return o.list[i].Start, o.list[i].End
	}
	return o.items[i].start, o.items[i].end
}

// Verbatim returns the value of leaf i if it stands in the text as it is, without
// escapes.
func (o *Outline) Verbatim(i int) (value string, ok bool) {
	if o.list == nil {
		if o.items[i].escaped {
			return "", false
		}
		return o.Value(i), true
	}
	leaf := &o.list[i]
	raw := o.text[leaf.Start:leaf.End]
	if len(raw) == len(leaf.Value)+len(`""`) {
		raw = raw[1 : len(raw)-1]
	}
	return leaf.Value, raw == leaf.Value
}

// Value is the Value of leaf i.
func (o *Outline) Value(i int) string {
	if o.list != nil {
		return o.list[i].Value
	}
	one := &o.items[i]
	switch one.writing {
	case asJSON:
		if one.escaped {
			return unescapeJSON(o.text[one.start:one.end])
		}
		return o.text[one.start+1 : one.end-1]
	case asNull, asEmptyObject, asEmptyArray:
		return ""
	}
	value := o.text[one.start:one.end]
	if one.escaped && one.kind == String {
		value, _ = unescapeForm(value)
	}
	return value
}

// Quote is what the Quote of leaf i returns.
func (o *Outline) Quote(i int, value string) []byte {
	if o.list != nil {
		return o.list[i].Quote(value)
	}
	return writings[o.items[i].writing](value)
}

// Leaf makes leaf i.
func (o *Outline) Leaf(i int) Leaf {
	if o.list != nil {
		return o.list[i]
	}
	one := &o.items[i]
	return Leaf{Place: o.Place(i), Name: one.name, Kind: one.kind, Value: o.Value(i),
		Start: one.start, End: one.end, quote: writings[one.writing]}
}

// Fits reports that the text has the same leaves, at the same places, when value is
// written in place of leaf i.
func (o *Outline) Fits(i int, value string) bool {
	if o.list != nil {
		return false
	}
	switch o.items[i].writing {
	case asJSON:
		return utf8.ValidString(value)
	case asForm:
		return true
	}
	return false
}

// Place is the Place of leaf i.
func (o *Outline) Place(i int) Place {
	if o.list != nil {
		return o.list[i].Place
	}
	if o.root != "" {
		return o.formPlaces()[i]
	}
	return Place(o.AppendPlace(make([]byte, 0, 64), i))
}

// AppendPlace appends the Place of leaf i to b.
func (o *Outline) AppendPlace(b []byte, i int) []byte {
	if o.list != nil || o.root != "" {
		return append(b, o.Place(i)...)
	}
	return o.appendStep(b, o.items[i].step, o.items[i].name)
}

// appendStep appends the place of the value that a step leads to.
func (o *Outline) appendStep(b []byte, s step, name string) []byte {
	if s.up < 0 {
		return append(b, name...)
	}
	above := &o.nodes[s.up]
	b = o.appendStep(b, above.step, above.name)
	switch {
	case s.n >= 0:
		return appendIndex(b, int(s.n))
	case s.n == memberStep:
		return appendMember(b, name)
	}
	return b
}

// leaves makes every leaf. All places are cut from one string.
func (o *Outline) leaves() []Leaf {
	if o.list != nil || len(o.items) == 0 {
		return o.list
	}
	list := make([]Leaf, len(o.items))
	for i := range o.items {
		one := &o.items[i]
		list[i] = Leaf{Name: one.name, Kind: one.kind, Value: o.Value(i), Start: one.start, End: one.end, quote: writings[one.writing]}
	}
	if o.root != "" {
		for i, place := range o.formPlaces() {
			list[i].Place = place
		}
		return list
	}
	type span struct{ start, end int32 }
	above := make([]span, len(o.nodes)) // the places of what holds leaves
	places := make([]span, len(list))
	b := make([]byte, 0, len(list)*24)
	for i := range list {
		one := &o.items[i]
		over := &above[one.up]
		if over.end == 0 {
			over.start = int32(len(b))
			b = o.appendStep(b, o.nodes[one.up].step, o.nodes[one.up].name)
			over.end = int32(len(b))
		}
		places[i].start = int32(len(b))
		b = append(b, b[over.start:over.end]...)
		switch {
		case one.n >= 0:
			b = appendIndex(b, int(one.n))
		case one.n == memberStep:
			b = appendMember(b, one.name)
		}
		places[i].end = int32(len(b))
	}
	all := string(b)
	for i, at := range places {
		list[i].Place = Place(all[at.start:at.end])
	}
	return list
}

// trimSpace cuts the white space that JSON knows from the start of s.
func trimSpace(s string) string { return strings.TrimLeft(s, " \t\r\n") }
