package leaves

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Place names where one value stands in a request or response, in the
// grammar that facts, rules, misses and reports share:
//
//	body.line_items[0].price     query.limit     header.stripe-account
//
// A member name that is not plain (ASCII letters, digits, "_", "-", "$", "@")
// is quoted as a JSON string in brackets: body["a.b"] is the member "a.b" of
// body; body.a.b is the member b of the member a. A byte that is not UTF-8,
// which JSON cannot say, is written \xNN. Two different paths therefore never
// share a Place.
type Place string

// Member returns the place of the member called name inside p.
func (p Place) Member(name string) Place {
	return Place(appendMember(append(make([]byte, 0, len(p)+len(name)+5), p...), name))
}

// Index returns the place of element i of the array at p.
func (p Place) Index(i int) Place {
	return Place(appendIndex(append(make([]byte, 0, len(p)+6), p...), i))
}

// Compare orders places as a reader expects: as text, but array indexes as
// numbers, so that [2] stands before [10]. It returns -1, 0 or +1.
func (p Place) Compare(q Place) int {
	i := 0
	for i < len(p) && i < len(q) {
		if p[i] != q[i] {
			return cmp.Compare(p[i], q[i])
		}
		if p[i] != '[' {
			i++
			continue
		}
		i++
		a, b := digits(string(p[i:])), digits(string(q[i:]))
		switch {
		case a == b:
			i += len(a)
		case a == "" || b == "":
			// Not an index on one side: the bytes decide.
		case len(a) != len(b):
			return cmp.Compare(len(a), len(b))
		default:
			return strings.Compare(a, b)
		}
	}
	return cmp.Compare(len(p), len(q))
}

// digits is the run of digits that s begins with.
func digits(s string) string {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n]
}

func appendIndex(b []byte, i int) []byte {
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, ']')
}

func appendMember(b []byte, name string) []byte {
	if plain(name) {
		if len(b) > 0 {
			b = append(b, '.')
		}
		return append(b, name...)
	}
	b = append(b, '[')
	b = appendQuoted(b, name)
	return append(b, ']')
}

// indexLen and memberLen are how many bytes appendIndex and appendMember append.

func indexLen(i int) int {
	n := len("[0]")
	for ; i >= 10; i /= 10 {
		n++
	}
	return n
}

func memberLen(name string) int {
	if plain(name) {
		return 1 + len(name)
	}
	return len("[]") + len(appendQuoted(make([]byte, 0, 128), name))
}

func plain(name string) bool {
	for i := range len(name) {
		if !plainByte(name[i]) {
			return false
		}
	}
	return name != ""
}

func plainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '-' || c == '$' || c == '@'
}

// appendQuoted writes name as a JSON string that shows nothing invisible.
func appendQuoted(b []byte, name string) []byte {
	b = append(b, '"')
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, name[i])
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case unicode.IsPrint(r):
			b = append(b, name[i:i+size]...)
		case r > 0xffff:
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		i += size
	}
	return append(b, '"')
}
