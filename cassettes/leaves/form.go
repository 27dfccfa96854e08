package leaves

import (
	"errors"
	"net/url"
	"strings"
)

// maxBrackets bounds the depth of one form name; deeper ones are literal names.
const maxBrackets = 100

var errPercent = errors.New("a percent escape is not valid")

func isForm(m mediaType, _ []byte) bool { return m.is("application/x-www-form-urlencoded") }

func formBody(_ mediaType, body []byte) ([]Leaf, error) {
	list, bad := splitForm(string(body), "body")
	if bad {
		return nil, errPercent
	}
	return list, nil
}

// Query splits a raw query string ("a=1&b[]=2") into leaves under "query".
// It never fails: a field with a bad percent escape is kept as written, is of
// kind Raw, and is reported in bad.
func Query(raw string) (out []Leaf, bad error) {
	out, isBad := splitForm(raw, "query")
	if isBad {
		return out, errPercent
	}
	return out, nil
}

// splitForm reads the fields of a query or form. Fields are separated by & only
// (https://url.spec.whatwg.org/#urlencoded-parsing); empty ones do not count.
func splitForm(raw string, root Place) (list []Leaf, bad bool) {
	arrays := arrays{}
	if fields := strings.Count(raw, "&") + 1; raw != "" {
		list = make([]Leaf, 0, min(fields, 512))
	}
	for at := 0; at < len(raw); {
		end := strings.IndexByte(raw[at:], '&')
		if end < 0 {
			end = len(raw)
		} else {
			end += at
		}
		if field := raw[at:end]; field != "" {
			leaf, ok := formLeaf(field, root, arrays)
			leaf.Start += at
			leaf.End += at
			list = append(list, leaf)
			bad = bad || !ok
		}
		at = end + 1
	}
	return list, bad
}

// formLeaf reads one field. Its offsets are relative to the field.
func formLeaf(field string, root Place, arrays arrays) (leaf Leaf, ok bool) {
	rawName, rawValue, assigned := strings.Cut(field, "=")
	leaf.Start, leaf.End = len(field)-len(rawValue), len(field)
	leaf.quote = quoteForm
	if !assigned {
		leaf.quote = quoteUnassigned
	}
	name, okName := unescapeForm(rawName)
	value, okValue := unescapeForm(rawValue)
	if !okName || !okValue {
		leaf.Kind, leaf.Value, leaf.Name = Raw, rawValue, rawName
		leaf.Place = root.Member(rawName)
		if assigned {
			leaf.quote = quoteRaw
		}
		return leaf, false
	}
	leaf.Value = value
	leaf.Name, leaf.Place = arrays.place(root, name)
	return leaf, true
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
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	out, err := url.QueryUnescape(s)
	return out, err == nil
}

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

// place finds where a decoded name stands, and its innermost plain segment.
//
//	a[b][c]                  body.a.b.c
//	a[] twice                body.a[0], body.a[1]
//	a[][p] a[][q] a[][p]     body.a[0].p, body.a[0].q, body.a[1].p
func (as arrays) place(root Place, name string) (last string, p Place) {
	head, segments, ok := brackets(name)
	p, last = root.Member(head), head
	if !ok {
		return name, root.Member(name)
	}
	for i, seg := range segments {
		if seg == "" {
			p = p.Index(as.at(p).element(segments[i+1:]))
		} else if n, ok := arrayIndex(seg); ok {
			a := as.at(p)
			a.next = max(a.next, n+1)
			p = p.Index(n)
		} else {
			p, last = p.Member(seg), seg
		}
	}
	return last, p
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
// not a path: ok is false.
func brackets(name string) (head string, segments []string, ok bool) {
	open := strings.IndexByte(name, '[')
	if open < 0 {
		return name, nil, !strings.Contains(name, "]")
	}
	head = name[:open]
	if head == "" || strings.Contains(head, "]") {
		return "", nil, false
	}
	for rest := name[open:]; rest != ""; {
		end := strings.IndexAny(rest[1:], "[]") + 1
		if rest[0] != '[' || end == 0 || rest[end] != ']' || len(segments) == maxBrackets {
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
