package leaves

import (
	"errors"
	"net/url"
	"strings"
)

// maxBrackets bounds the depth of one form name; deeper ones are literal names.
const maxBrackets = 100

var errPercent = errors.New("a percent escape is not valid")

func isForm(_ *Outline, m mediaType, _ string) bool {
	return m.is("application/x-www-form-urlencoded")
}

func formBody(o *Outline, _ mediaType, body string) error {
	if o.form(body, "body") {
		return errPercent
	}
	return nil
}

// Query splits a raw query string ("a=1&b[]=2") into leaves under "query".
// It never fails: a field with a bad percent escape is kept as written, is of
// kind Raw, and is reported in bad.
func Query(raw string) (out []Leaf, bad error) {
	var o Outline
	bad = o.Query(raw)
	return o.leaves(), bad
}

// form reads the fields of a query or form. Fields are separated by & only
// (https://url.spec.whatwg.org/#urlencoded-parsing); empty ones do not count.
func (o *Outline) form(raw string, root Place) (bad bool) {
	o.root = root
	if o.items == nil && raw != "" {
		o.items = make([]item, 0, min(strings.Count(raw, "&")+1, 512))
	}
	for at := 0; at < len(raw); {
		end := strings.IndexByte(raw[at:], '&')
		if end < 0 {
			end = len(raw)
		} else {
			end += at
		}
		if field := raw[at:end]; field != "" {
			one, ok := formItem(field)
			one.start += at
			one.end += at
			o.items = append(o.items, one)
			bad = bad || !ok
		}
		at = end + 1
	}
	return bad
}

// formItem reads one field. Its offsets are relative to the field.
func formItem(field string) (one item, ok bool) {
	rawName, rawValue, assigned := strings.Cut(field, "=")
	one.start, one.end = len(field)-len(rawValue), len(field)
	if one.writing = asForm; !assigned {
		one.writing = asUnassigned
	}
	name, okName := unescapeForm(rawName)
	if okValue := validForm(rawValue); !okName || !okValue {
		if one.kind, one.name = Raw, rawName; assigned {
			one.writing = asRaw
		}
		return one, false
	}
	one.escaped = isEscaped(rawValue)
	one.name = innermost(name)
	return one, true
}

// formPlaces makes the places of all leaves: where a[] stands depends on what stands
// before it.
func (o *Outline) formPlaces() []Place {
	if o.places != nil {
		return o.places
	}
	arrays := arrays{}
	o.places = make([]Place, len(o.items))
	for i := range o.items {
		one := &o.items[i]
		if one.kind == Raw {
			o.places[i] = o.root.Member(one.name)
			continue
		}
		rawName := o.text[:one.start]
		rawName = rawName[strings.LastIndexByte(rawName, '&')+1:]
		if one.writing == asUnassigned {
			rawName = o.text[:one.end]
			rawName = rawName[strings.LastIndexByte(rawName, '&')+1:]
		} else {
			rawName = rawName[:len(rawName)-1] // the =
		}
		name, _ := unescapeForm(rawName)
		o.places[i] = arrays.place(o.root, name)
	}
	return o.places
}

func quoteForm(value string) []byte { return []byte(url.QueryEscape(value)) }

// quoteUnassigned is for a field that is a name alone: a value needs its "=".
func quoteUnassigned(value string) []byte {
	if value == "" {
		return nil
	}
	return append([]byte("="), quoteForm(value)...)
}

// quoteRaw keeps a value as it was written where its escapes cannot be read,
// unless that would end the field.
func quoteRaw(value string) []byte {
	if strings.Contains(value, "&") {
		return quoteForm(value)
	}
	return []byte(value)
}

func unescapeForm(s string) (string, bool) {
	if !isEscaped(s) {
		return s, true
	}
	out, err := url.QueryUnescape(s)
	return out, err == nil
}

// isEscaped reports whether a name or value of a form is not what it stands for.
func isEscaped(s string) bool {
	return strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0
}

// validForm reports whether unescapeForm can read s.
func validForm(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if s = s[i+1:]; len(s) < 2 || !isHex(s[0]) || !isHex(s[1]) {
			return false
		}
	}
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// arrays remembers, for each array of a form, how far its elements have come.
type arrays map[Place]*array

type array struct {
	next    int // the index that the next new element gets
	current int // the element that a[][x]=… fills; -1 before the first
	seen    map[string]bool
}

func (as arrays) at(p Place) *array {
	a := as[p]
	if a == nil {
		a = &array{current: -1}
		as[p] = a
	}
	return a
}

// grow starts a new element and returns its index.
func (a *array) grow() int {
	a.current = a.next
	a.next++
	a.seen = map[string]bool{}
	return a.current
}

// place finds where a decoded name stands.
//
//	a[b][c]                  body.a.b.c
//	a[] twice                body.a[0], body.a[1]
//	a[][p] a[][q] a[][p]     body.a[0].p, body.a[0].q, body.a[1].p
func (as arrays) place(root Place, name string) Place {
	var buffer [8]string
	head, segments, ok := brackets(name, buffer[:0])
	if !ok {
		return root.Member(name)
	}
	p := root.Member(head)
	for i, seg := range segments {
		if seg == "" {
			p = p.Index(as.at(p).element(segments[i+1:]))
		} else if n, ok := arrayIndex(seg); ok {
			a := as.at(p)
			a.next = max(a.next, n+1)
			p = p.Index(n)
		} else {
			p = p.Member(seg)
		}
	}
	return p
}

// innermost is the last segment of a decoded name that is not an index.
func innermost(name string) string {
	if strings.IndexByte(name, '[') < 0 && strings.IndexByte(name, ']') < 0 {
		return name
	}
	var buffer [8]string
	last, segments, ok := brackets(name, buffer[:0])
	if !ok {
		return name
	}
	for _, seg := range segments {
		if seg == "" {
			continue
		}
		if _, isIndex := arrayIndex(seg); !isIndex {
			last = seg
		}
	}
	return last
}

// element returns the index of the element that [] followed by rest names. Like
// Rack, a new element starts when a sub-name repeats; a sub-name that is an
// array itself (a[][tags][]=x) repeats within its element.
func (a *array) element(rest []string) int {
	if len(rest) == 0 || rest[0] == "" {
		return a.grow()
	}
	nested := false
	for _, seg := range rest {
		nested = nested || seg == ""
	}
	key := strings.Join(rest, "][")
	if a.current < 0 || !nested && a.seen[key] {
		a.grow()
	}
	if !nested {
		a.seen[key] = true
	}
	return a.current
}

// brackets takes a[b][][0] apart. A name whose brackets are not well formed is
// not a path: ok is false. The segments are appended to those given.
func brackets(name string, segments []string) (head string, _ []string, ok bool) {
	open := strings.IndexByte(name, '[')
	if open < 0 {
		return name, segments, !strings.Contains(name, "]")
	}
	head = name[:open]
	if head == "" || strings.Contains(head, "]") {
		return "", nil, false
	}
	for rest := name[open:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 || len(segments) == maxBrackets {
			return "", nil, false
		}
		segments = append(segments, rest[1:end])
		rest = rest[end+1:]
	}
	return head, segments, true
}

// arrayIndex reads an index in its only spelling: no sign, no leading zero.
func arrayIndex(s string) (int, bool) {
	if len(s) > 9 || s[0] == '0' && len(s) > 1 || len(digits(s)) != len(s) {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}
