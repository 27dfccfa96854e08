package clean

import (
	"io"
	"net/url"
	"strings"
)

// Values are values that give way to others wherever they stand: as a whole leaf, a
// path segment or a header, as a word of a longer text (an id in a URL, the id that a
// secret begins with), and with the escapes of a URL. All are replaced at once, so two
// may change places.
//
// A word is a run of letters, digits, "_", "-" and "."; parts of it that these three
// part off are words too. A value that is no word, such as a cursor in base64, is found
// as a whole leaf and as the value of a URL's query.
type Values struct {
	to      map[string]string
	lengths [maxWord + 1]bool // of the values that are words
	odd     bool              // some are no words
}

// maxWord is the longest run, in bytes, that is looked at part by part, and maxParts
// how many parts it may have: longer ones are texts or keys, and are looked up whole.
const (
	maxWord  = 512
	maxParts = 24
)

// NewValues prepares the replacement of values, which to maps to new ones.
func NewValues(to map[string]string) *Values {
	v := &Values{to: to}
	for from := range to {
		switch {
		case !isWord(from):
			v.odd = true
		case len(from) <= maxWord:
			v.lengths[len(from)] = true
		}
	}
	return v
}

// Reverse replaces back what v replaces. Two values that give way to the same one make
// that impossible: then it is nil.
func (v *Values) Reverse() *Values {
	if v.none() {
		return v
	}
	back := make(map[string]string, len(v.to))
	for from, to := range v.to {
		if _, twice := back[to]; twice {
			return nil
		}
		back[to] = from
	}
	return NewValues(back)
}

func (v *Values) none() bool { return v == nil || len(v.to) == 0 }

func (v *Values) whole(value string) (to string, ok bool) {
	if v.none() {
		return "", false
	}
	to, ok = v.to[value]
	return to, ok
}

// Text replaces in a header, a URL or the text of a leaf.
func (v *Values) Text(s string) string {
	if v.none() {
		return s
	}
	if to, ok := v.to[s]; ok {
		return to
	}
	return string(v.words([]byte(s)))
}

// words replaces the words of a text. It returns the text itself when there are none.
func (v *Values) words(text []byte) []byte {
	var out []byte
	last := 0
	v.each(text, func(start, end int, _, to string) {
		out = append(append(out, text[last:start]...), to...)
		last = end
	})
	if last == 0 {
		return text
	}
	return append(out, text[last:]...)
}

// each finds the values among the words of a text, in order, and says what is to be
// written in place of each.
func (v *Values) each(text []byte, f func(start, end int, value, to string)) {
	if v.none() {
		return
	}
	for at := 0; at < len(text); {
		c := text[at]
		if v.odd && (wordBytes[c] || c == '%') {
			if end, value, to, ok := v.escaped(text, at); ok {
				f(at, end, value, to)
				at = end
				continue
			}
		}
		if !wordBytes[c] {
			at += max(1, escape(text[at:]))
			continue
		}
		end := at + 1
		for end < len(text) && wordBytes[text[end]] {
			end++
		}
		v.run(text[at:end], func(start, stop int, to string) {
			f(at+start, at+stop, string(text[at+start:at+stop]), to)
		})
		at = end
	}
}

// escape is the length of the escape that text begins with, of a URL or a JSON string:
// what follows it begins a word.
func escape(text []byte) int {
	switch {
	case len(text) > 2 && text[0] == '%' && isHexDigit(text[1]) && isHexDigit(text[2]):
		return 3
	case len(text) > 5 && text[0] == '\\' && text[1] == 'u':
		return 6
	case len(text) > 1 && text[0] == '\\':
		return 2
	}
	return 0
}

// escaped looks, at a place where a word or an escape begins, for a value that is no
// word: a run of what may stand in the query of a URL.
func (v *Values) escaped(text []byte, at int) (end int, value, to string, ok bool) {
	if at > 0 && (wordBytes[text[at-1]] || queryBytes[text[at-1]] && text[at-1] != '=') {
		return 0, "", "", false
	}
	plain := true
	for end = at; end < len(text) && (wordBytes[text[end]] || queryBytes[text[end]]); end++ {
		plain = plain && wordBytes[text[end]]
	}
	if plain {
		return 0, "", "", false
	}
	raw := string(text[at:end])
	if to, ok = v.to[raw]; ok && !isWord(raw) {
		return end, raw, to, true
	}
	for _, way := range urlSpellings {
		value, err := way.read(raw)
		if err != nil || value == raw || way.write(value) != raw {
			continue
		}
		if to, ok = v.to[value]; ok {
			return end, value, way.write(to), true
		}
	}
	return 0, "", "", false
}

var urlSpellings = []struct {
	read  func(string) (string, error)
	write func(string) string
}{
	{url.QueryUnescape, url.QueryEscape},
	{url.PathUnescape, url.PathEscape},
	{url.PathUnescape, func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }}, // encodeURIComponent
}

// run replaces in one run of word bytes: the longest value at the leftmost place first.
func (v *Values) run(run []byte, replace func(start, end int, to string)) {
	if len(run) > maxWord || v.lengths[len(run)] {
		if to, ok := v.to[string(run)]; ok {
			replace(0, len(run), to)
			return
		}
	}
	if len(run) > maxWord {
		return
	}
	var starts, ends [maxParts]int
	n := 0
	for at := 0; at < len(run); {
		if isJoint(run[at]) {
			at++
			continue
		}
		if n == maxParts {
			return
		}
		starts[n] = at
		for at < len(run) && !isJoint(run[at]) {
			at++
		}
		ends[n] = at
		n++
	}
	for first := 0; first < n; {
		next := first + 1
		for last := n - 1; last >= first; last-- {
			from, end := starts[first], ends[last]
			if !v.lengths[end-from] || isDigits(run[from:end]) {
				continue // digits that are a part of something are no value of their own
			}
			if to, ok := v.to[string(run[from:end])]; ok {
				replace(from, end, to)
				next = last + 1
				break
			}
		}
		first = next
	}
}

func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// wordBytes are what words are made of; queryBytes what else stands in the values of a
// URL's query.
var wordBytes, queryBytes [256]bool

func init() {
	for c := range 256 {
		b := byte(c)
		wordBytes[c] = '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' || isJoint(b)
		queryBytes[c] = strings.IndexByte("%+=~:!*@", b) >= 0
	}
}

func isJoint(c byte) bool { return c == '_' || c == '-' || c == '.' }

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func isWord(s string) bool {
	for i := range len(s) {
		if !wordBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

// pieces reads a text and calls f with parts of it that cut no word. A run that is
// longer than any value may be cut.
func pieces(from io.Reader, f func(piece []byte) error) error {
	const size = 1 << 20
	buf := make([]byte, 0, size)
	for {
		n, err := io.ReadFull(from, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		whole := len(buf)
		if ended := err == io.EOF || err == io.ErrUnexpectedEOF; err != nil && !ended {
			return err
		} else if !ended {
			for whole > 0 && (wordBytes[buf[whole-1]] || buf[whole-1] == '%' || buf[whole-1] == '\\') {
				whole--
			}
			if whole == 0 {
				whole = len(buf)
			}
		}
		if err := f(buf[:whole:whole]); err != nil {
			return err
		}
		if err != nil {
			return nil
		}
		buf = append(buf[:0], buf[whole:]...)
	}
}
