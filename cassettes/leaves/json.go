package leaves

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxDepth bounds how deep a JSON body nests. Real APIs stay below 30; the
	// bound keeps a hostile body from costing its depth times its size.
	maxDepth = 200
	// maxPlace bounds the length of one place in bytes, for the same reason.
	maxPlace = 16 << 10
	// maxPlaces bounds the places of one body together, in bytes: a long name
	// over an array of small elements would cost its length once for each.
	maxPlaces = 64 << 20
)

// isJSON claims application/json, every +json type, AWS's own name for it
// (application/x-amz-json-1.1), and untyped bodies that parse as an object or an array.
func isJSON(m mediaType, body []byte) bool {
	if m.name != "" {
		return m.is("application/json", "text/json") || strings.HasSuffix(m.name, "+json") ||
			strings.HasPrefix(m.name, "application/x-amz-json-")
	}
	switch trimmed := bytes.TrimLeft(body, " \t\r\n"); {
	case len(trimmed) == 0, trimmed[0] != '{' && trimmed[0] != '[':
		return false
	}
	_, err := jsonBody(m, body)
	return err == nil
}

func jsonBody(_ mediaType, body []byte) ([]Leaf, error) {
	return splitJSON(body, 0, "body", "")
}

// splitJSON reads one JSON text that starts at offset base of the input and
// whose root stands at place root, under the member called name.
func splitJSON(text []byte, base int, root Place, name string) ([]Leaf, error) {
	r := jsonReader{
		// A bytes.Buffer is read in place, without a copy.
		dec:  jsontext.NewDecoder(bytes.NewBuffer(text)),
		base: base,
		path: append(make([]byte, 0, 128), root...),
		list: make([]Leaf, 0, min(bytes.Count(text, []byte(","))+1, 512)),
	}
	if err := r.value(name, 0); err != nil {
		return nil, jsonFault(err, r.dec.InputOffset())
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("invalid JSON: something follows the end of the value at byte %d", r.dec.InputOffset())
	}
	return r.list, nil
}

type jsonReader struct {
	dec  *jsontext.Decoder
	base int
	path []byte // the place of the value being read
	list []Leaf
	// places is the length of the places in list together, in bytes.
	places int
}

var (
	errDepth  = fmt.Errorf("JSON nested deeper than %d", maxDepth)
	errPlace  = fmt.Errorf("JSON member names longer than %d bytes in all", maxPlace)
	errPlaces = fmt.Errorf("JSON member names that come to more than %d MiB when each value's are counted", maxPlaces>>20)
)

// value reads the next value, which stands at r.path.
func (r *jsonReader) value(name string, depth int) error {
	switch {
	case depth > maxDepth:
		return errDepth
	case len(r.path) > maxPlace:
		return errPlace
	case r.places > maxPlaces:
		return errPlaces
	}
	switch r.dec.PeekKind() {
	case '{':
		return r.object(name, depth)
	case '[':
		return r.array(name, depth)
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	leaf := Leaf{Name: name}
	switch raw.Kind() {
	case '"':
		leaf.Kind, leaf.quote = String, quoteJSON
		if leaf.Value, err = unquoteJSON(raw); err != nil {
			return err
		}
	case '0':
		leaf.Kind, leaf.quote, leaf.Value = Number, quoteNumber, string(raw)
	case 't', 'f':
		leaf.Kind, leaf.quote, leaf.Value = Bool, quoteBool, string(raw)
	default:
		leaf.Kind, leaf.quote = Null, quoteNull
	}
	r.add(leaf, len(raw))
	return nil
}

// add appends a leaf whose raw bytes are the length bytes just read.
func (r *jsonReader) add(leaf Leaf, length int) {
	leaf.Place = Place(r.path)
	r.places += len(r.path)
	leaf.End = r.base + int(r.dec.InputOffset())
	leaf.Start = leaf.End - length
	r.list = append(r.list, leaf)
}

func (r *jsonReader) object(name string, depth int) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	start, here := int(r.dec.InputOffset())-1, len(r.path)
	for n := 0; ; n++ {
		if r.dec.PeekKind() == '}' {
			_, err := r.dec.ReadToken()
			if n == 0 && err == nil {
				r.add(Leaf{Name: name, Kind: EmptyObject, quote: quoteEmptyObject}, int(r.dec.InputOffset())-start)
			}
			return err
		}
		token, err := r.dec.ReadToken()
		if err != nil {
			return err
		}
		member := token.String()
		r.path = appendMember(r.path, member)
		if err := r.value(member, depth+1); err != nil {
			return err
		}
		r.path = r.path[:here]
	}
}

func (r *jsonReader) array(name string, depth int) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	start, here := int(r.dec.InputOffset())-1, len(r.path)
	for n := 0; ; n++ {
		if r.dec.PeekKind() == ']' {
			_, err := r.dec.ReadToken()
			if n == 0 && err == nil {
				r.add(Leaf{Name: name, Kind: EmptyArray, quote: quoteEmptyArray}, int(r.dec.InputOffset())-start)
			}
			return err
		}
		r.path = appendIndex(r.path, n)
		if err := r.value(name, depth+1); err != nil {
			return err
		}
		r.path = r.path[:here]
	}
}

// jsonFault says what is wrong in words of our own: the decoder's errors quote the body.
func jsonFault(err error, offset int64) error {
	if errors.Is(err, errDepth) || errors.Is(err, errPlace) {
		return err
	}
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		offset = syntax.ByteOffset
	}
	switch text := err.Error(); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("invalid JSON: an object has two members of the same name at byte %d", offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("invalid JSON: it ends too early")
	case strings.Contains(text, "surrogate"):
		return fmt.Errorf("invalid JSON: a lone surrogate at byte %d", offset)
	case strings.Contains(text, "invalid UTF-8"):
		return fmt.Errorf("invalid JSON: not UTF-8 at byte %d", offset)
	}
	return fmt.Errorf("invalid JSON: syntax error at byte %d", offset)
}

func unquoteJSON(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, []byte(raw))
	return string(b), err
}

// quoteJSON writes a JSON string. Bytes that are not UTF-8 cannot stand in
// JSON and become U+FFFD.
func quoteJSON(value string) []byte {
	b, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		b, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(value, "\uFFFD"))
	}
	return b
}

// quoteNumber, quoteBool, quoteNull and the two for empty containers keep what
// is of the leaf's own kind; any other value becomes a string.

func quoteNumber(value string) []byte {
	if v := jsontext.Value(value); v.Kind() == '0' && v.IsValid() && strings.TrimSpace(value) == value {
		return []byte(value)
	}
	return quoteJSON(value)
}

func quoteBool(value string) []byte {
	if value == "true" || value == "false" {
		return []byte(value)
	}
	return quoteJSON(value)
}

func quoteNull(value string) []byte        { return quoteEmpty(value, "null") }
func quoteEmptyObject(value string) []byte { return quoteEmpty(value, "{}") }
func quoteEmptyArray(value string) []byte  { return quoteEmpty(value, "[]") }

func quoteEmpty(value, token string) []byte {
	if value == "" {
		return []byte(token)
	}
	return quoteJSON(value)
}
