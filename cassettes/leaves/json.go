package leaves

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"unicode/utf8"

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
func isJSON(o *Outline, m mediaType, body string) bool {
	if m.name != "" {
		return m.is("application/json", "text/json") || strings.HasSuffix(m.name, "+json") ||
			strings.HasPrefix(m.name, "application/x-amz-json-")
	}
	switch trimmed := trimSpace(body); {
	case len(trimmed) == 0, trimmed[0] != '{' && trimmed[0] != '[':
		return false
	}
	return jsonBody(o, m, body) == nil
}

func jsonBody(o *Outline, _ mediaType, body string) error {
	if len(o.items) > 0 {
		return nil // it has been read to see whether it is JSON
	}
	o.nodes = append(o.nodes, node{name: "body", step: step{up: -1}})
	err := o.json(body, 0, 0, "", len("body"))
	if err != nil {
		o.start(o.text)
	}
	return err
}

// splitJSON reads one JSON text that starts at offset base of the input and
// whose root stands at place root, under the member called name.
func splitJSON(text []byte, base int, root Place, name string) ([]Leaf, error) {
	return jsonLeaves(string(text), base, root, name)
}

func jsonLeaves(text string, base int, root Place, name string) ([]Leaf, error) {
	var o Outline
	o.start(text)
	o.nodes = append(o.nodes, node{name: string(root), step: step{up: -1}})
	if err := o.json(text, 0, 0, name, len(root)); err != nil {
		return nil, err
	}
	list := o.leaves()
	for i := range list {
		list[i].Start += base
		list[i].End += base
	}
	return list, nil
}

// json reads one JSON text (RFC 8259) that starts at offset base of o.text. Its root
// is the node root, whose place has the given length; name is that of its leaf.
// What it takes for JSON is what encoding/json/v2 takes: UTF-8 without lone
// surrogates, and no object with two members of the same name.
func (o *Outline) json(text string, base int, root int32, name string, place int) error {
	if len(o.text) > maxOutline {
		return errors.New("JSON of more than 2 GiB")
	}
	// About as many leaves as commas; but a text of commas alone is no reason to take
	// many times its memory.
	if n := min(strings.Count(text, ",")+1, len(text)/16+8); len(o.items) == 0 && cap(o.items) < n {
		o.items = make([]item, 0, n)
	}
	r := jsonReader{o: o, s: text, base: base}
	r.space()
	if err := r.value(name, step{root, noStep}, 0, place); err != nil {
		return err
	}
	if r.space(); r.at < len(r.s) {
		return fmt.Errorf("invalid JSON: something follows the end of the value at byte %d", r.at)
	}
	return nil
}

type jsonReader struct {
	o    *Outline
	s    string
	base int
	at   int // what is read next; never white space between two calls
	// places is the length of the places together, in bytes.
	places int
}

var (
	errDepth  = fmt.Errorf("JSON nested deeper than %d", maxDepth)
	errPlace  = fmt.Errorf("JSON member names longer than %d bytes in all", maxPlace)
	errPlaces = fmt.Errorf("JSON member names that come to more than %d MiB when each value's are counted", maxPlaces>>20)
	errEnd    = errors.New("invalid JSON: it ends too early")
)

// fault says what is wrong, without quoting the body.
func (r *jsonReader) fault(at int) error {
	if at >= len(r.s) {
		return errEnd
	}
	return fmt.Errorf("invalid JSON: syntax error at byte %d", at)
}

func (r *jsonReader) space() {
	for r.at < len(r.s) {
		switch r.s[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// value reads the next value. place is the length of its place, in bytes.
func (r *jsonReader) value(name string, s step, depth, place int) error {
	switch {
	case depth > maxDepth:
		return errDepth
	case place > maxPlace:
		return errPlace
	case r.places > maxPlaces:
		return errPlaces
	case r.at >= len(r.s):
		return errEnd
	}
	one := item{name: name, start: r.base + r.at, step: s}
	start := r.at
	var err error
	switch c := r.s[r.at]; c {
	case '{':
		return r.object(one, depth, place)
	case '[':
		return r.array(one, depth, place)
	case '"':
		one.kind, one.writing = String, asJSON
		one.escaped, err = r.text()
	case 't':
		one.kind, one.writing, err = Bool, asBool, r.literal("true")
	case 'f':
		one.kind, one.writing, err = Bool, asBool, r.literal("false")
	case 'n':
		one.kind, one.writing, err = Null, asNull, r.literal("null")
	default:
		one.kind, one.writing, err = Number, asNumber, r.number()
	}
	if err != nil {
		return err
	}
	r.add(one, r.at-start, place)
	return nil
}

// add appends a leaf whose raw bytes are the length bytes just read.
func (r *jsonReader) add(one item, length, place int) {
	one.end = one.start + length
	r.places += place
	r.o.items = append(r.o.items, one)
}

func (r *jsonReader) literal(want string) error {
	for i := range len(want) {
		if r.at+i >= len(r.s) || r.s[r.at+i] != want[i] {
			return r.fault(r.at + i)
		}
	}
	r.at += len(want)
	return nil
}

// number reads a number (RFC 8259, section 6).
func (r *jsonReader) number() error {
	i := r.at
	if i < len(r.s) && r.s[i] == '-' {
		i++
	}
	if i < len(r.s) && r.s[i] == '0' {
		i++
	} else {
		from := i
		if i = r.digits(from); i < 0 {
			return r.fault(from)
		}
	}
	if i < len(r.s) && r.s[i] == '.' {
		from := i + 1
		if i = r.digits(from); i < 0 {
			return r.fault(from)
		}
	}
	if i < len(r.s) && r.s[i]|0x20 == 'e' {
		from := i + 1
		if from < len(r.s) && (r.s[from] == '+' || r.s[from] == '-') {
			from++
		}
		if i = r.digits(from); i < 0 {
			return r.fault(from)
		}
	}
	r.at = i
	return nil
}

// digits returns the end of the digits at i, or -1 if there are none.
func (r *jsonReader) digits(i int) int {
	from := i
	for i < len(r.s) && '0' <= r.s[i] && r.s[i] <= '9' {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

// text reads a string, whose opening quote is next. escaped says that it holds escapes.
func (r *jsonReader) text() (escaped bool, err error) {
	s := r.s
	i := r.at + 1
	for {
		i = plainEnd(s, i)
		if i >= len(s) {
			return false, errEnd
		}
		switch c := s[i]; {
		case c == '"':
			r.at = i + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			n, err := r.escape(i)
			if err != nil {
				return false, err
			}
			i += n
		case c < ' ':
			return false, r.fault(i)
		default:
			char, n := utf8.DecodeRuneInString(s[i:])
			if char == utf8.RuneError && n == 1 {
				return false, fmt.Errorf("invalid JSON: not UTF-8 at byte %d", i)
			}
			i += n
		}
	}
}

// plainEnd returns where, from i on, the first byte of s stands that is not plain in
// a JSON string: a quote, a backslash, a control character, or not ASCII. It
// looks at eight bytes at once.
func plainEnd(s string, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		// A byte that is zero after the xor, or below the space, borrows its high
		// bit; the lowest such bit is always right.
		found := (w | (w-' '*ones)&^w | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// escape returns the length of the escape at i.
func (r *jsonReader) escape(i int) (int, error) {
	if i+1 >= len(r.s) {
		return 0, errEnd
	}
	switch r.s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'u':
	default:
		return 0, r.fault(i + 1)
	}
	high, bad := r.unit(i)
	switch {
	case bad >= 0:
		return 0, r.fault(bad)
	case high < 0xd800 || high > 0xdfff:
		return 6, nil
	}
	if high < 0xdc00 {
		if low, bad := r.unit(i + 6); bad < 0 && 0xdc00 <= low && low <= 0xdfff {
			return 12, nil
		}
	}
	return 0, fmt.Errorf("invalid JSON: a lone surrogate at byte %d", i)
}

// unit reads \uNNNN at i; bad is where it is none, or -1.
func (r *jsonReader) unit(i int) (n rune, bad int) {
	for k, want := range []byte(`\u`) {
		if i+k >= len(r.s) || r.s[i+k] != want {
			return 0, i + k
		}
	}
	for k := i + 2; k < i+6; k++ {
		if k >= len(r.s) {
			return 0, k
		}
		switch c := r.s[k]; {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, k
		}
	}
	return n, -1
}

// enter adds a node for the object or array that starts at one.
func (r *jsonReader) enter(one item) int32 {
	r.o.nodes = append(r.o.nodes, node{one.name, one.step})
	return int32(len(r.o.nodes) - 1)
}

// maxListed is how many members of an object are compared one by one.
const maxListed = 16

func (r *jsonReader) object(one item, depth, place int) error {
	start := r.at
	r.at++
	if r.space(); r.at < len(r.s) && r.s[r.at] == '}' {
		r.at++
		one.kind, one.writing = EmptyObject, asEmptyObject
		r.add(one, r.at-start, place)
		return nil
	}
	here := step{r.enter(one), memberStep}
	first := len(r.o.names)
	var many map[string]struct{} // the names, when they are many
	for {
		if r.at >= len(r.s) || r.s[r.at] != '"' {
			return r.fault(r.at)
		}
		from := r.at
		escaped, err := r.text()
		if err != nil {
			return err
		}
		member := r.s[from+1 : r.at-1]
		if escaped {
			member = unescapeJSON(r.s[from:r.at])
		}
		seen := r.o.names[first:]
		twice := false
		if many == nil {
			for _, there := range seen {
				if there == member {
					twice = true
					break
				}
			}
			if len(seen) == maxListed {
				many = make(map[string]struct{}, 4*maxListed)
				for _, there := range seen {
					many[there] = struct{}{}
				}
			}
		} else {
			_, twice = many[member]
		}
		if twice {
			return fmt.Errorf("invalid JSON: an object has two members of the same name at byte %d", from)
		}
		if many != nil {
			many[member] = struct{}{}
		} else {
			r.o.names = append(r.o.names, member)
		}
		if r.space(); r.at >= len(r.s) || r.s[r.at] != ':' {
			return r.fault(r.at)
		}
		r.at++
		r.space()
		if err := r.value(member, here, depth+1, place+memberLen(member)); err != nil {
			return err
		}
		if done, err := r.next('}'); done || err != nil {
			r.o.names = r.o.names[:first]
			return err
		}
	}
}

func (r *jsonReader) array(one item, depth, place int) error {
	start := r.at
	r.at++
	if r.space(); r.at < len(r.s) && r.s[r.at] == ']' {
		r.at++
		one.kind, one.writing = EmptyArray, asEmptyArray
		r.add(one, r.at-start, place)
		return nil
	}
	here := step{up: r.enter(one)}
	for {
		if err := r.value(one.name, here, depth+1, place+indexLen(int(here.n))); err != nil {
			return err
		}
		if done, err := r.next(']'); done || err != nil {
			return err
		}
		here.n++
	}
}

// next reads what follows an element: a comma, or the end of what holds it.
func (r *jsonReader) next(end byte) (done bool, err error) {
	r.space()
	switch {
	case r.at < len(r.s) && r.s[r.at] == ',':
		r.at++
		r.space()
		return false, nil
	case r.at < len(r.s) && r.s[r.at] == end:
		r.at++
		return true, nil
	}
	return false, r.fault(r.at)
}

// unescapeJSON resolves the escapes of a string that has been read.
func unescapeJSON(raw string) string {
	b, _ := jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
	return string(b)
}

// jsonFault says what is wrong in words of our own: the decoder's errors, which a
// JSONStream gets, quote the body.
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

// QuoteJSON is what Quote does for the strings of JSON.
func QuoteJSON(value string) []byte { return quoteJSON(value) }

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
