package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A shape is what kind of value a node is.
type shape uint8

const (
	object shape = iota
	array
	str     // a JSON string
	number  // a JSON number
	boolean // true or false
	null
	plain // a value of anything but JSON: text or bytes
)

var shapeNames = [...]string{object: "object", array: "array", str: "string", number: "number", boolean: "bool", null: "null"}

// A node is one value of a message: all of its parts, whatever their format, are
// compared and patched as such trees.
type node struct {
	shape shape
	// loose marks an array that is nothing but a name that stands several times, such as a
	// header or the name of a part: with one element it is that element.
	loose  bool
	summed bool
	// raw is the value as it stands in its source. It is "" for an object or array that
	// was put together anew.
	raw string
	// value is the string that a str or plain node is; raw for the other scalars.
	value string
	kids  []kid
	// gaps is how an object or array is written between its kids, nil when that is not
	// known. They are not changed: containers share them.
	gaps *gaps
	// head are the headers of a part of a multipart body, whose content this is.
	head *node
	// format is what a format has to remember of a node to write it.
	format any
	sum    uint64
}

// A kid is a member of an object or an element of an array.
type kid struct {
	name string // "" in arrays
	raw  string // the name as it stands in the source, "" when it is new
	at   int    // 1 and the index that the name is, as in a form that has a[7] alone; or 0
	node *node
}

// gaps are the white space and punctuation of one object or array.
type gaps struct {
	open, sep, colon, close string
}

func textNode(s string) *node { return &node{shape: plain, raw: s, value: s} }

func (n *node) isContainer() bool { return n.shape == object || n.shape == array }

// find returns the position of a member, -1 when there is none.
func (n *node) find(name string) int { return n.findNear(name, len(n.kids)) }

// findNear is find among the first members.
func (n *node) findNear(name string, most int) int {
	for i := range min(len(n.kids), most) {
		if n.kids[i].name == name {
			return i
		}
	}
	return -1
}

// asList is a loose array of the values that a name has.
func (n *node) asList() *node {
	if n.shape == array {
		return n
	}
	return &node{shape: array, kids: []kid{{node: n}}, loose: true}
}

// quoted is a string as JSON says it when nothing is known of its source.
func quoted(s string) string {
	if isPlainText(s) {
		return `"` + s + `"`
	}
	b, _ := jsontext.AppendQuote(nil, s) // what is no UTF-8 is replaced: the caller sees that in the outcome
	return string(b)
}

// isPlainText reports that a string needs no escapes in JSON.
func isPlainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// valueOf writes a node as one side of a change.
func valueOf(n *node) *Value {
	switch n.shape {
	case plain:
		v := textValue(kept(n.value))
		if f, ok := n.format.(*formField); ok && f.raw != url.QueryEscape(n.value) && utf8.ValidString(f.raw) {
			v.Raw = f.raw
		}
		return v
	case str:
		v := &Value{Type: "string", Text: kept(n.value)}
		if n.raw != quoted(n.value) {
			v.Raw = kept(n.raw)
		}
		return v
	case object, array:
		return &Value{Type: shapeNames[n.shape], Text: string(appendCompact(nil, n))}
	}
	return &Value{Type: shapeNames[n.shape], Text: kept(n.raw)}
}

// kept copies a short piece of a body, so that a change does not keep all of it in memory.
func kept(s string) string {
	const short = 512
	if len(s) > short {
		return s
	}
	return strings.Clone(s)
}

// textValue is a value that is no JSON.
func textValue(s string) *Value {
	if utf8.ValidString(s) {
		return &Value{Type: "text", Text: s}
	}
	return binaryValue(s)
}

func binaryValue(s string) *Value {
	sum := sha256.Sum256([]byte(s))
	return &Value{Type: "binary", Size: int64(len(s)), SHA256: hex.EncodeToString(sum[:]), Bytes: []byte(s)}
}

// appendCompact writes a node as JSON without white space. Strings and numbers keep
// their bytes.
func appendCompact(b []byte, n *node) []byte {
	switch n.shape {
	case plain:
		return append(b, quoted(n.value)...)
	case object:
		b = append(b, '{')
		for i, k := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			if k.raw != "" && k.raw[0] == '"' {
				b = append(b, k.raw...)
			} else {
				b = append(b, quoted(k.name)...)
			}
			b = appendCompact(append(b, ':'), k.node)
		}
		return append(b, '}')
	case array:
		b = append(b, '[')
		for i, k := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCompact(b, k.node)
		}
		return append(b, ']')
	}
	return append(b, n.raw...)
}

// fresh is the node that a value of a change describes: it has no source, and is written
// in the layout of what it comes into.
func (v *Value) fresh() (*node, error) {
	switch {
	case v == nil:
		return nil, errNoValue
	case v.Type == "text":
		return v.plain(v.Text), nil
	case v.Type == "binary":
		return v.plain(string(v.Bytes)), nil
	case v.Type == "string" && v.Raw == "":
		return &node{shape: str, raw: quoted(v.Text), value: v.Text}, nil
	case v.Type == "string":
		return parseJSON(v.Raw)
	case isScalarText(v.Text):
		return scalarNode(v.Text), nil
	}
	n, err := parseJSON(v.Text)
	if err != nil {
		return nil, err
	}
	n.forget()
	return n, nil
}

// isScalarText reports a JSON literal or an integer, which need no parser.
func isScalarText(s string) bool {
	switch s {
	case "true", "false", "null", "0":
		return true
	}
	return isNumeral(s) && s[0] != '0'
}

func scalarNode(text string) *node {
	n := &node{shape: number, raw: text, value: text}
	switch text[0] {
	case 't', 'f':
		n.shape = boolean
	case 'n':
		n.shape = null
	}
	return n
}

// spelled is how a form value is to be written.
type spelled string

func (v *Value) plain(text string) *node {
	n := textNode(text)
	if v.Raw != "" {
		n.format = spelled(v.Raw)
	}
	return n
}

// forget makes objects and arrays forget how they were written.
func (n *node) forget() {
	if !n.isContainer() {
		return
	}
	n.raw, n.gaps = "", nil
	for i := range n.kids {
		n.kids[i].node.forget()
	}
}
