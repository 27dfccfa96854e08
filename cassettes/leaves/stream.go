package leaves

import (
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A JSONStream reads one JSON text from a reader, leaf by leaf, for bodies that
// are too large to be held. It gives the leaves that Body gives, with two
// differences: a member name may stand twice in one object, since all of its
// names would have to be remembered, and the places of all leaves together
// have no bound, since they are not kept.
type JSONStream struct {
	dec   *jsontext.Decoder
	path  []byte // the place of the value that is read next
	stack []frame
	name  string // its nearest member name
	done  bool
	texts arena
	names map[string]string // those seen so far, as they are written
}

// A frame is an object or array that has not ended yet.
type frame struct {
	array bool
	n     int    // members or elements so far
	start int64  // of its bracket
	path  int    // the length of its place
	name  string // its nearest member name
}

// NewJSONStream returns a reader of the JSON text in r, whose root stands at
// place root, under the member called name.
func NewJSONStream(r io.Reader, root Place, name string) *JSONStream {
	return &JSONStream{
		dec:  jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true)),
		path: append(make([]byte, 0, 128), root...),
		name: name,
	}
}

// Next returns the next leaf; its Start and End count from where the reader
// began. The error is io.EOF behind the end of the JSON text, which Offset then
// tells, or the reader's, or says why the text is not JSON; it never quotes the text.
func (s *JSONStream) Next() (Leaf, error) {
	for !s.done {
		leaf, ok, err := s.step()
		if err != nil {
			return Leaf{}, jsonFault(err, s.dec.InputOffset())
		}
		s.done = len(s.stack) == 0
		if ok {
			return leaf, nil
		}
	}
	return Leaf{}, io.EOF
}

// Offset is the position behind the last token that was read.
func (s *JSONStream) Offset() int64 { return s.dec.InputOffset() }

// AtValue reports whether the next token is a value, and not a member's name.
func (s *JSONStream) AtValue() bool {
	kind, n := s.dec.StackIndex(s.dec.StackDepth())
	return kind != '{' || n%2 == 1
}

// step reads one token, or one member's name and the token behind it.
func (s *JSONStream) step() (leaf Leaf, ok bool, err error) {
	if top := s.top(); top != nil {
		s.path, s.name = s.path[:top.path], top.name
		switch kind := s.dec.PeekKind(); {
		case kind == '}' || kind == ']':
			return s.end(*top)
		case top.array:
			s.path = appendIndex(s.path, top.n)
		default:
			raw, err := s.dec.ReadValue()
			if err != nil {
				return leaf, false, err
			}
			if s.name, err = s.member(raw); err != nil {
				return leaf, false, err
			}
			s.path = appendMember(s.path, s.name)
		}
		top.n++
	}
	switch {
	case len(s.stack) > maxDepth:
		return leaf, false, errDepth
	case len(s.path) > maxPlace:
		return leaf, false, errPlace
	}
	switch kind := s.dec.PeekKind(); kind {
	case '{', '[':
		if _, err := s.dec.ReadToken(); err != nil {
			return leaf, false, err
		}
		s.stack = append(s.stack, frame{array: kind == '[', start: s.dec.InputOffset() - 1, path: len(s.path), name: s.name})
		return leaf, false, nil
	}
	raw, err := s.dec.ReadValue()
	if err != nil {
		return leaf, false, err
	}
	leaf = Leaf{Name: s.name, Place: Place(s.texts.text(s.path)), End: int(s.dec.InputOffset())}
	leaf.Start = leaf.End - len(raw)
	switch raw.Kind() {
	case '"':
		leaf.Kind, leaf.quote = String, quoteJSON
		leaf.Value, err = s.unquote(raw)
	case '0':
		leaf.Kind, leaf.quote, leaf.Value = Number, quoteNumber, s.texts.text(raw)
	case 't', 'f':
		leaf.Kind, leaf.quote, leaf.Value = Bool, quoteBool, string(raw)
	default:
		leaf.Kind, leaf.quote = Null, quoteNull
	}
	return leaf, err == nil, err
}

// member returns the name that raw writes. Most objects have the names of the one before.
func (s *JSONStream) member(raw jsontext.Value) (string, error) {
	const most = 1 << 10
	if name, ok := s.names[string(raw)]; ok {
		return name, nil
	}
	name, err := unquoteJSON(raw)
	if err == nil && len(s.names) < most && len(raw) <= maxArena {
		if s.names == nil {
			s.names = make(map[string]string)
		}
		s.names[string(raw)] = name
	}
	return name, err
}

func (s *JSONStream) unquote(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return s.texts.text(raw[1 : len(raw)-1]), nil
	}
	return unquoteJSON(raw)
}

// An arena makes short strings, many from one piece of memory.
type arena struct{ b strings.Builder }

// maxArena is the longest string that an arena makes, in bytes.
const maxArena = 256

func (a *arena) text(b []byte) string {
	const piece = 16 << 10
	if len(b) > maxArena {
		return string(b)
	}
	if a.b.Len()+len(b) > a.b.Cap() {
		a.b.Reset()
		a.b.Grow(piece)
	}
	at := a.b.Len()
	a.b.Write(b)
	return a.b.String()[at:]
}

// end reads the end of an object or array, which is a leaf when it is empty.
func (s *JSONStream) end(top frame) (leaf Leaf, ok bool, err error) {
	if _, err := s.dec.ReadToken(); err != nil {
		return leaf, false, err
	}
	s.stack = s.stack[:len(s.stack)-1]
	if top.n > 0 {
		return leaf, false, nil
	}
	leaf = Leaf{Name: top.name, Place: Place(s.path), Kind: EmptyObject, Start: int(top.start), End: int(s.dec.InputOffset()), quote: quoteEmptyObject}
	if top.array {
		leaf.Kind, leaf.quote = EmptyArray, quoteEmptyArray
	}
	return leaf, true, nil
}

func (s *JSONStream) top() *frame {
	if len(s.stack) == 0 {
		return nil
	}
	return &s.stack[len(s.stack)-1]
}

// Lines reads, as Body does, one JSON text per line, of which the first stands
// at body[first]. It returns how many there are.
func Lines(text []byte, first int) (list []Leaf, n int, err error) {
	for at := 0; at < len(text); {
		end := bytes.IndexByte(text[at:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += at
		}
		if line := text[at:end]; len(bytes.TrimSpace(line)) > 0 {
			one, err := splitJSON(line, at, Place("body").Index(first+n), "")
			if err != nil {
				return nil, 0, err
			}
			list = append(list, one...)
			n++
		}
		at = end + 1
	}
	return list, n, nil
}
