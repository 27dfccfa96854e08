package cassettes

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The emitters of the YAML libraries escape every character above U+FFFF, which
// turns an emoji in a body into one unreadable line. So scalars are written
// here, in the few forms that YAML 1.1 and 1.2 readers agree on; whatever is
// not plainly harmless is quoted.

// plainDay is a date, which every reader hands back as text when text is asked for.
var plainDay = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// isPlain reports whether s needs no quotes, after "key: " on a line of its own
// or between brackets (flow), where , [ ] ? and : mean something.
func isPlain(s string, flow bool) bool {
	if s == "" || !isLetter(s[0]) && s[0] != '/' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("_./+=&%@~;()*$!-", c) >= 0:
		case c == ' ':
			if i+1 == len(s) || strings.IndexByte(" ,[]?:#", s[i+1]) >= 0 {
				return false
			}
		case flow:
			return false
		case c == ':':
			if i+1 == len(s) || s[i+1] == ' ' {
				return false
			}
		case strings.IndexByte("?,[]", c) < 0:
			return false
		}
	}
	return len(s) > longestWord || !notText[strings.ToLower(s)]
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// notText are the words that YAML 1.1 or 1.2 takes for something else than text.
var notText = map[string]bool{
	"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true,
}

const longestWord = len("false")

// longestKey is the length above which YAML wants a key announced by "? "; a
// reader may give up on a longer simple key at 1024 bytes.
const longestKey = 512

// appendScalar writes s on one line. What is not text becomes !!binary.
func appendScalar(dst []byte, s string, flow bool) []byte {
	if isText(s) {
		return appendText(dst, s, flow)
	}
	dst = append(dst, `!!binary "`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
	return append(dst, '"')
}

// isText reports whether s reads better as text than as base64. Not so bytes
// that are not UTF-8, that hold a NUL, or of which more would be written as
// \uXXXX than as themselves: nobody could read that, and it is six times as long.
func isText(s string) bool {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return false
	}
	escaped, shown := 0, 0
	for _, r := range s {
		if printable(r) || r == '\n' || r == '\r' || r == '\t' {
			shown++
		} else {
			escaped++
		}
	}
	return escaped <= shown
}

// appendText writes s, which is UTF-8, on one line.
func appendText(dst []byte, s string, flow bool) []byte {
	switch {
	case isPlain(s, flow):
		return append(dst, s...)
	case strings.ContainsAny(s, `"\`) && !strings.Contains(s, "'") && allPrintable(s):
		dst = append(dst, '\'')
		dst = append(dst, s...)
		return append(dst, '\'')
	}
	return appendQuoted(dst, s)
}

// appendQuoted writes s, which is UTF-8, between double quotes.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case printable(r):
			dst = utf8.AppendRune(dst, r)
		default: // every unprintable character is below U+10000
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	return append(dst, '"')
}

// printable reports whether a YAML reader takes r as it stands, on any line.
// U+0085, U+2028 and U+2029 are line breaks to YAML 1.1, U+FEFF a byte order mark.
func printable(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

func allPrintable(s string) bool {
	for _, r := range s {
		if !printable(r) {
			return false
		}
	}
	return true
}

// fitsLiteral reports whether a literal block holds s exactly and reads better
// than a quoted line: text of several lines.
func fitsLiteral(s string) bool {
	if !strings.Contains(s, "\n") || strings.Trim(s, "\n") == "" || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !printable(r) {
			return false
		}
	}
	return true
}

// appendLiteral writes s as a literal block whose lines are indented by indent
// spaces, under a key that is indented by two less. It ends with a line break.
func appendLiteral(dst []byte, s string, indent int) []byte {
	dst = append(dst, '|')
	if first := strings.TrimLeft(s, "\n"); first[0] == ' ' || first[0] == '\t' || s[0] == '\n' {
		// A reader would take the first line's own space for indentation.
		dst = strconv.AppendInt(dst, 2, 10)
	}
	switch {
	case !strings.HasSuffix(s, "\n"):
		dst = append(dst, '-')
	case strings.HasSuffix(s, "\n\n"):
		dst = append(dst, '+')
	}
	dst = append(dst, '\n')
	for line := range strings.Lines(s) {
		if line != "\n" {
			dst = appendSpaces(dst, indent)
		}
		dst = append(dst, line...)
	}
	if dst[len(dst)-1] != '\n' {
		dst = append(dst, '\n')
	}
	return dst
}

// appendKey writes "key:" for a block mapping at the given indentation.
func appendKey(dst []byte, key string, indent int) []byte {
	dst = appendSpaces(dst, indent)
	if len(key) > longestKey {
		dst = append(dst, "? "...)
		dst = appendScalar(dst, key, false)
		dst = append(dst, '\n')
		dst = appendSpaces(dst, indent)
		return append(dst, ':')
	}
	dst = appendScalar(dst, key, false)
	return append(dst, ':')
}

// appendList writes values as a list: on the key's line when there is one at
// most, else one to a line, so that a diff shows which changed.
func appendList(dst []byte, values []string, indent int) []byte {
	if len(values) < 2 {
		dst = append(dst, " ["...)
		for _, v := range values {
			dst = appendScalar(dst, v, true)
		}
		return append(dst, "]\n"...)
	}
	dst = append(dst, '\n')
	for _, v := range values {
		dst = appendSpaces(dst, indent)
		dst = append(dst, "- "...)
		dst = appendScalar(dst, v, true)
		dst = append(dst, '\n')
	}
	return dst
}

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
