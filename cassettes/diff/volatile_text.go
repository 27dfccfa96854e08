package diff

import (
	"regexp"
	"strings"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// What a text consists of: pieces that a server invents anew, and the rest. Two texts
// whose rests are equal, and whose pieces are of the same kind at the same places,
// differ only by what is volatile.

// A piece is a part of a text that is invented anew in every recording.
type piece struct {
	start, end int
	kind       pieceKind
}

type pieceKind uint8

const (
	aUUID   pieceKind = iota
	aName             // a generated id: its random part, without a prefix such as cus_
	aTime             // a written time
	aSecret           // a placeholder
)

// maxPieces bounds the text that is taken apart, in bytes. A longer one is taken as
// it is: it counts as changed when it does.
const maxPieces = 1 << 20

var (
	timeText = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?|\d{8}T\d{6}Z|` +
		`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]\d{2,4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})`)
	uuidText = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
)

// pieces finds them, in order; they do not overlap.
func pieces(s string) []piece {
	if len(s) < 8 || len(s) > maxPieces {
		return nil
	}
	var out []piece
	at := 0
	rest := func(end int) {
		out = namePieces(out, s, at, end)
	}
	for _, p := range fixedPieces(s) {
		if p.start < at {
			continue
		}
		rest(p.start)
		out = append(out, p)
		at = p.end
	}
	rest(len(s))
	return out
}

// fixedPieces finds placeholders and written times.
func fixedPieces(s string) (out []piece) {
	for _, p := range redact.Placeholders(s) {
		if !redact.IsCard(p.ID) {
			out = append(out, piece{p.Start, p.End, aSecret})
		}
	}
	if !mayHoldTime(s) {
		return out
	}
	times := timeText.FindAllStringIndex(s, -1)
	if len(times) == 0 {
		return out
	}
	secrets := out
	out = nil
	for len(times) > 0 || len(secrets) > 0 {
		if len(times) == 0 || len(secrets) > 0 && secrets[0].start <= times[0][0] {
			out, secrets = append(out, secrets[0]), secrets[1:]
			continue
		}
		out, times = append(out, piece{times[0][0], times[0][1], aTime}), times[1:]
	}
	return out
}

// mayHoldTime reports a digit on both sides of a colon or of a T: most texts have none, and
// need no regular expression.
func mayHoldTime(s string) bool {
	isDigit := func(i int) bool { return '0' <= s[i] && s[i] <= '9' }
	for i := 1; i+1 < len(s); i++ {
		if (s[i] == ':' || s[i] == 'T') && isDigit(i-1) && isDigit(i+1) {
			return true
		}
	}
	return false
}

// namePieces finds generated ids in s[from:to].
func namePieces(out []piece, s string, from, to int) []piece {
	for i := from; i < to; {
		if !tokenByte(s[i]) {
			i++
			continue
		}
		end, words := i, true
		for end < to && tokenByte(s[end]) {
			// What consists of small letters is made of words.
			words = words && (s[end] >= 'a' || s[end] == '_' || s[end] == '-')
			end++
		}
		if end-i >= 8 && (!words || end-i >= uuidLength) {
			out = tokenPieces(out, s[i:end], i)
		}
		i = end
	}
	return out
}

// uuidLength is that of a UUID in text, in bytes.
const uuidLength = 36

func tokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// tokenPieces finds the generated parts of one run of letters, digits, _ and -, which
// stands at offset.
func tokenPieces(out []piece, token string, offset int) []piece {
	if len(token) >= uuidLength && strings.Count(token, "-") >= 4 {
		if found := uuidText.FindAllStringIndex(token, -1); found != nil {
			at := 0
			for _, u := range found {
				if u[0] > at {
					out = tokenPieces(out, token[at:u[0]], offset+at)
				}
				out = append(out, piece{offset + u[0], offset + u[1], aUUID})
				at = u[1]
			}
			if at < len(token) {
				out = tokenPieces(out, token[at:], offset+at)
			}
			return out
		}
	}
	if isMixed(token) {
		return append(out, piece{offset, offset + len(token), aName})
	}
	for at := 0; at < len(token); {
		end := at
		for end < len(token) && token[end] != '_' && token[end] != '-' {
			end++
		}
		if generated(token[at:end], at > 0 && token[at-1] == '_') {
			out = append(out, piece{offset + at, offset + end, aName})
		}
		at = end + 1
	}
	return out
}

// isMixed reports an id in whose alphabet _ and - are letters like any other, such as
// V1StGXR8_Z5jdHi6B-myT.
func isMixed(token string) bool {
	const shortest = 16
	if len(token) < shortest || !strings.ContainsAny(token, "_-") {
		return false
	}
	letters := make([]byte, 0, len(token))
	for part := range strings.FieldsFuncSeq(token, func(c rune) bool { return c == '_' || c == '-' }) {
		if isWord(part) || isNumeral(part) {
			return false
		}
		letters = append(letters, part...)
	}
	return random(string(letters))
}

// skeleton is a text without its pieces: equal ones differ in nothing else.
func skeleton(s string, found []piece) string {
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, p := range found {
		b.WriteString(s[at:p.start])
		b.WriteByte(0xff) // stands in no text that is UTF-8
		b.WriteByte(byte(p.kind))
		at = p.end
	}
	b.WriteString(s[at:])
	return b.String()
}

// A swap is a value of the old recording and what stands in its place in the new one.
type swap struct {
	old, new string
	kind     pieceKind
}

// swaps compares two texts that differ. ok reports that they differ only by what is
// volatile; the swaps are then the pieces that differ.
func swaps(old, fresh string) (out []swap, ok bool) {
	if out, ok = strictSwaps(old, fresh); !ok {
		out, ok = tokenSwaps(old, fresh)
	}
	return out, ok
}

func strictSwaps(old, fresh string) (out []swap, ok bool) {
	a, b := pieces(old), pieces(fresh)
	if len(a) == 0 || len(a) != len(b) {
		return nil, false
	}
	atA, atB := 0, 0
	for i := range a {
		if a[i].kind != b[i].kind || old[atA:a[i].start] != fresh[atB:b[i].start] {
			return nil, false
		}
		x, y := old[a[i].start:a[i].end], fresh[b[i].start:b[i].end]
		if x != y {
			if a[i].kind == aName && !alike(x, y) || a[i].kind == aTime && !sameClock(x, y) {
				return nil, false
			}
			out = append(out, swap{x, y, a[i].kind})
		}
		atA, atB = a[i].end, b[i].end
	}
	return out, old[atA:] == fresh[atB:]
}

// tokenSwaps is swaps for texts in which chance has made a generated name look like words on
// one side: the name in its place on the other side tells.
func tokenSwaps(old, fresh string) (out []swap, ok bool) {
	if len(old) != len(fresh) || len(old) > maxPieces {
		return nil, false
	}
	for i := 0; i < len(old); {
		if !tokenByte(old[i]) || old[i] == '_' || old[i] == '-' {
			if old[i] != fresh[i] {
				return nil, false
			}
			i++
			continue
		}
		end := i + 1
		for end < len(old) && tokenByte(old[end]) && old[end] != '_' && old[end] != '-' {
			end++
		}
		x, y := old[i:end], fresh[i:end]
		if x != y {
			prefixed := i > 0 && old[i-1] == '_'
			if !mayBeName(x) || !mayBeName(y) || !generated(x, prefixed) && !generated(y, prefixed) || !alike(x, y) {
				return nil, false
			}
			out = append(out, swap{x, y, aName})
		}
		i = end
	}
	return out, len(out) > 0
}

// mayBeName reports letters and digits, or letters of both cases.
func mayBeName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '_' || c == '-' || !tokenByte(c) {
			return false
		}
	}
	digits := strings.ContainsAny(s, "0123456789")
	upper, lower := s != strings.ToLower(s), s != strings.ToUpper(s)
	return len(s) >= 8 && (digits && (upper || lower) || upper && lower)
}

// alike reports whether two generated names can come from the same generator.
func alike(a, b string) bool {
	const tolerance = 4 // bytes: numbers written in letters differ in length
	if d := len(a) - len(b); d > tolerance || d < -tolerance {
		return false
	}
	if hex := isHex(a); hex != isHex(b) && len(a) >= 16 || hex && len(a) != len(b) {
		return false // a digest by another algorithm
	}
	if len(a) != len(b) || len(a) >= 16 {
		return true
	}
	// One letter changed in a short name was changed by a person: h264, h265.
	differ := 0
	for i := range len(a) {
		if a[i] != b[i] {
			differ++
		}
	}
	return differ > 2
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return s == strings.ToLower(s) || s == strings.ToUpper(s)
}

// areTimes reports two times that are written in the same way.
func areTimes(a, b string) bool { return matchers.IsTime(a) && matchers.IsTime(b) && sameClock(a, b) }

// areUnixTimes reports two numbers that may be Unix times of the same unit.
func areUnixTimes(a, b string) bool {
	return matchers.IsUnixTime(a) && matchers.IsUnixTime(b) && sameClock(a, b)
}

// sameClock reports two times that are written in the same way: a client may read no
// other. Names of days and months count as one, and so do fractions of any length.
func sameClock(a, b string) bool { return layout(a) == layout(b) }

func layout(s string) string {
	out := make([]byte, 0, len(s))
	fraction := false
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c = '0'
		case 'a' <= c && c <= 'z':
			c = 'a'
			if len(out) > 0 && out[len(out)-1] == 'a' {
				continue // Thursday, Friday
			}
		case 'A' <= c && c <= 'Z' && i+1 < len(s) && s[i+1] >= 'a':
			c = 'A'
		}
		if fraction && c == '0' {
			continue
		}
		fraction = c == '.' || fraction && c == '0'
		out = append(out, c)
	}
	return string(out)
}
