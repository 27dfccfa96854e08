package redact

import "strings"

// byHand finds what an expression would find in quadratic time, or only by looking
// far ahead at every anchor: each rule here reads every byte a few times at most,
// however often its anchor stands in the text.
var byHand = map[string]func(f *finder, i int) (hit, bool){
	"value-client-secret": clientSecretAt,
	"value-private-key":   privateKeyAt,
	"value-jwt":           jwtAt,
	"value-jwe":           jweAt,
}

// A finder remembers, during one search of s from its start to its end, what the
// attempts before have seen.
type finder struct {
	s string
	// The run of base64url text and dots that was read last: its end, and the
	// dots in it from the place of the last attempt on.
	runEnd int
	dots   []int
}

// parts returns the ends of the parts, separated by dots, of the run at i: at
// most n of them. The last part of a run ends with it.
func (f *finder) parts(i, n int) (ends []int) {
	if i >= f.runEnd {
		f.dots = f.dots[:0]
		for f.runEnd = i; f.runEnd < len(f.s) && (isNameByte(f.s[f.runEnd]) || f.s[f.runEnd] == '-' || f.s[f.runEnd] == '.'); f.runEnd++ {
			if f.s[f.runEnd] == '.' {
				f.dots = append(f.dots, f.runEnd)
			}
		}
	}
	for len(f.dots) > 0 && f.dots[0] < i {
		f.dots = f.dots[1:]
	}
	if len(f.dots) >= n {
		return f.dots[:n]
	}
	return append(f.dots[:len(f.dots):len(f.dots)], f.runEnd)
}

// minJOSE is the least length of a JOSE header in base64: {"alg":1} is longer.
const minJOSE = 10

func jwtAt(f *finder, i int) (hit, bool) {
	ends := f.parts(i, 3)
	if len(ends) < 3 || ends[0]-i < minJOSE || ends[1]-ends[0] < 3 {
		return hit{}, false
	}
	// The header alone first: the parts of many false starts are one long text.
	if _, ok := jsonSegment(f.s[i:ends[0]]); !ok {
		return hit{}, false
	}
	if _, _, ok := jwtParts(f.s[i:ends[2]]); !ok {
		return hit{}, false
	}
	return wholeHit(i, ends[2]), true
}

func jweAt(f *finder, i int) (hit, bool) {
	ends := f.parts(i, 5)
	if len(ends) < 5 || ends[0]-i < minJOSE {
		return hit{}, false
	}
	return wholeHit(i, ends[4]), true
}

func wholeHit(start, end int) hit {
	return hit{start: start, end: end, secretStart: start, secretEnd: end}
}

// clientSecretAt reads NAME_secret_SECRET around the "_secret_" at i. The secret is
// letters, digits and percent escapes. It is told from words by a change between
// letters, digits and cases early in it, or by its length.
func clientSecretAt(f *finder, i int) (hit, bool) {
	s := f.s
	start := i
	for low := max(0, i-maxName); start > low && isNameByte(s[start-1]); {
		start--
	}
	for start < i && s[start] == '_' {
		start++
	}
	if start == i {
		return hit{}, false
	}
	from := i + len("_secret_")
	end, plain := from, from // plain: the end of what has no escapes
	units, mixed := 0, -1    // mixed: how many units end with the first change
	before := byte('%')
	for end < len(s) {
		c := s[end]
		if isAlnum(c) {
			if mixed < 0 && before != '%' && changes(before, c) {
				mixed = units + 1
			}
			if plain == end {
				plain++
			}
			end++
		} else if c == '%' && escapesPrintable(s[end:]) {
			end += 3
		} else {
			break
		}
		before = c
		units++
	}
	switch {
	case mixed >= 0 && units-mixed >= 6:
	case plain-from >= 20:
		end = plain
	default:
		return hit{}, false
	}
	return hit{start: start, end: end, secretStart: from, secretEnd: end}, true
}

// escapesPrintable reports whether s starts with the percent escape of a printable
// character of ASCII: others are of no secret, and stand in texts that were escaped whole.
func escapesPrintable(s string) bool {
	if len(s) < 3 || !isHex(s[1]) || !isHex(s[2]) {
		return false
	}
	c := unhex(s[1])<<4 | unhex(s[2])
	return ' ' <= c && c < 0x7f
}

// changes reports whether two characters differ as those of words do not: a letter
// beside a digit, or a capital after a small letter.
func changes(a, b byte) bool {
	return isDigit(a) != isDigit(b) || 'a' <= a && a <= 'z' && 'A' <= b && b <= 'Z'
}

// minKeyLine is the shortest first line by which a private key that was cut off is
// told from a text about one.
const minKeyLine = 24

// privateKeyAt reads the PEM block that starts at i. A key without its end gives as
// much away as the whole: its lines are the secret then.
func privateKeyAt(f *finder, i int) (hit, bool) {
	s := f.s
	from, ok := pemMarker(s, i, "-----BEGIN ")
	if !ok {
		return hit{}, false
	}
	for n := 1; n > 0; from += n {
		n = lineBreak(s[from:])
	}
	next := strings.Index(s[from:], "-----")
	if next < 0 {
		next = len(s) - from
	}
	next += from
	if end, ok := pemMarker(s, next, "-----END "); ok {
		last := next
		for last > from {
			if n := trailingBreak(s[from:last]); n > 0 {
				last -= n
				continue
			}
			break
		}
		if last == from {
			return hit{}, false
		}
		return hit{start: i, end: end, secretStart: from, secretEnd: last}, true
	}
	last, first := from, 0
	for at := from; ; {
		line := at
		for line < next && (isAlnum(s[line]) || s[line] == '+' || s[line] == '/' || s[line] == '=') {
			line++
		}
		if first == 0 {
			first = line - at
		}
		if first < minKeyLine || line == at {
			break
		}
		last = line
		if line-at < first {
			break
		}
		for n := 1; n > 0; line += n {
			n = lineBreak(s[line:next])
		}
		at = line
	}
	return hit{start: i, end: last, secretStart: from, secretEnd: last}, last > from
}

// pemMarker reads -----BEGIN … PRIVATE KEY----- or its end at i and returns where
// it stops.
func pemMarker(s string, i int, marker string) (end int, ok bool) {
	if !strings.HasPrefix(s[i:], marker) {
		return 0, false
	}
	from := i + len(marker)
	end = from
	for end < len(s) && end-from < maxName && ('A' <= s[end] && s[end] <= 'Z' || isDigit(s[end]) || s[end] == ' ') {
		end++
	}
	label := strings.TrimSuffix(s[from:end], " BLOCK")
	return end + len("-----"), strings.HasSuffix(label, "PRIVATE KEY") && strings.HasPrefix(s[end:], "-----")
}

// lineBreak is the length of the white space, or of the escape of some, that s
// starts with; trailingBreak of what it ends with.
func lineBreak(s string) int {
	switch {
	case s == "":
		return 0
	case isSpace(s[0]):
		return 1
	case len(s) > 1 && s[0] == '\\' && (s[1] == 'n' || s[1] == 'r'):
		return 2
	}
	return 0
}

func trailingBreak(s string) int {
	switch n := len(s); {
	case n == 0:
		return 0
	case isSpace(s[n-1]):
		return 1
	case n > 1 && s[n-2] == '\\' && (s[n-1] == 'n' || s[n-1] == 'r'):
		return 2
	}
	return 0
}
