package diff

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tapedeck/cassettes/leaves"
)

var errPlace = errors.New("it is not a place")

// steps takes a place apart.
func steps(p leaves.Place) ([]step, error) {
	var out []step
	s := string(p)
	for first := true; s != ""; first = false {
		switch {
		case strings.HasPrefix(s, `["`):
			name, rest, ok := unquoteName(s[2:])
			if !ok || !strings.HasPrefix(rest, "]") {
				return nil, errPlace
			}
			out, s = append(out, toMember(name)), rest[1:]
		case s[0] == '[':
			digits, rest, ok := strings.Cut(s[1:], "]")
			n, err := strconv.Atoi(digits)
			if !ok || err != nil || n < 0 {
				return nil, errPlace
			}
			out, s = append(out, toElement(n)), rest
		default:
			if !first {
				if s[0] != '.' {
					return nil, errPlace
				}
				s = s[1:]
			}
			end := strings.IndexAny(s, ".[")
			if end < 0 {
				end = len(s)
			}
			if end == 0 {
				return nil, errPlace
			}
			out, s = append(out, toMember(s[:end])), s[end:]
		}
	}
	return out, nil
}

// unquoteName reads the name that a place quotes, up to its closing quote.
func unquoteName(s string) (name, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] != '\\':
			b.WriteByte(s[i])
			i++
		case strings.HasPrefix(s[i:], `\x`):
			n, ok := hexAt(s, i+2, 2)
			if !ok {
				return "", "", false
			}
			b.WriteByte(byte(n))
			i += 4
		case strings.HasPrefix(s[i:], `\u`):
			r, ok := hexAt(s, i+2, 4)
			if !ok {
				return "", "", false
			}
			i += 6
			if utf16.IsSurrogate(r) {
				low, ok := hexAt(s, i+2, 4)
				if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
					return "", "", false
				}
				i += 6
			}
			b.WriteRune(r)
		case i+1 < len(s):
			b.WriteByte(s[i+1])
			i += 2
		default:
			return "", "", false
		}
	}
	return "", "", false
}

// hexAt reads n hexadecimal digits at i.
func hexAt(s string, i, n int) (rune, bool) {
	if i+n > len(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(s[i:i+n], 16, 32)
	return rune(v), err == nil
}
