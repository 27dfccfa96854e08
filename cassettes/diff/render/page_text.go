package render

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readable writes what a reader would not see, or what would reorder or break the
// lines around it, as an escape: controls, zero-width and directional characters,
// odd spaces, bytes that are not UTF-8. Lines and tabs stay.
func readable(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] < utf8.RuneSelf && (s[i] >= ' ' && s[i] != 0x7f || s[i] == '\n' || s[i] == '\t')
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			b.WriteString(s[i : i+size])
		case r > 0xffff:
			b.WriteString(`\u{` + strconv.FormatInt(int64(r), 16) + `}`)
		default:
			b.WriteString(`\u` + strconv.FormatInt(int64(r)|0x10000, 16)[1:])
		}
		i += size
	}
	return b.String()
}

// inLine is readable for text that stands within one line.
func inLine(s string) string {
	s = readable(s)
	if strings.ContainsAny(s, "\n\t") {
		s = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
	}
	return s
}

// maxShownValue is how many bytes of one value stand in the page: a picture in
// base64 tells a reader nothing.
const maxShownValue = 1500

// shortened cuts a value that is too long to be read, and says how long it is.
func shortened(s string) string {
	if len(s) <= maxShownValue {
		return s
	}
	return beginning(s, maxShownValue*2/3) + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// beginning is the beginning of s, of n bytes at most and whole characters.
func beginning(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ending is the end of s, likewise.
func ending(s string, n int) string {
	if len(s) <= n {
		return s
	}
	at := len(s) - n
	for at < len(s) && !utf8.RuneStart(s[at]) {
		at++
	}
	return s[at:]
}

// A pageSpan is a run of characters of one line, marked where it is what changed.
type pageSpan struct {
	Mark bool
	Text string
}

// counted writes "1 cassette", "37 cassettes".
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + more
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return counted(int(n), "byte", "bytes")
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	default:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
	}
}
