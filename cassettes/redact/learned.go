package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"math/bits"
	"net/url"
	"slices"
	"strings"
)

// minSearched is the shortest text that is searched for, in bytes.
const minSearched = 8

// A spelling is one way in which a secret can be written.
type spelling uint8

const (
	asText   spelling = iota // raw, URL-, JSON- or HTML-escaped: it can be replaced where it stands
	asBase64                 // inside a longer run of base64, which is replaced whole
	asHex
)

// A pattern is one text to search for.
type pattern struct {
	text     string
	secret   *secret
	spelling spelling
}

// index finds every learned secret in every spelling in one pass over a text. It is
// keyed by the first eight bytes of each pattern; a bit filter in front of the
// map answers "nothing starts here" in about a nanosecond. Adding is cheap, so
// nothing is compiled again when a secret is learned.
type index struct {
	byStart map[uint64]*bucket
	filter  []uint64
	shift   uint
	size    int
}

func newIndex() *index {
	ix := &index{byStart: make(map[uint64]*bucket)}
	ix.grow(1 << 12)
	return ix
}

// grow makes a filter of the given number of bits, a power of two.
func (ix *index) grow(size int) {
	ix.filter = make([]uint64, size/64)
	ix.shift = uint(64 - bits.TrailingZeros(uint(size)))
	for start := range ix.byStart {
		ix.mark(start)
	}
}

func (ix *index) mark(start uint64) {
	bit := start * 0x9E3779B97F4A7C15 >> ix.shift
	ix.filter[bit>>6] |= 1 << (bit & 63)
}

// add makes sec found wherever value stands.
func (ix *index) add(value string, sec *secret) {
	for _, text := range textSpellings(value) {
		ix.addPattern(pattern{text, sec, asText})
	}
	if len(value) > maxEncoded {
		return // a key file's lines are learned one by one
	}
	for _, text := range base64Spellings(value) {
		ix.addPattern(pattern{text, sec, asBase64})
	}
	lower := hex.EncodeToString([]byte(value))
	ix.addPattern(pattern{lower, sec, asHex})
	ix.addPattern(pattern{strings.ToUpper(lower), sec, asHex})
}

// maxEncoded is the longest value whose encodings are searched for, in bytes.
const maxEncoded = 8 << 10

func (ix *index) addPattern(p pattern) {
	if len(p.text) < minSearched {
		return
	}
	start := load(p.text, 0)
	there := ix.byStart[start]
	if there == nil {
		there = &bucket{}
		ix.byStart[start] = there
	}
	if !there.add(p) {
		return
	}
	if ix.size++; ix.size*16 > len(ix.filter)*64 {
		ix.grow(len(ix.filter) * 64 * 4)
	}
	ix.mark(start)
}

// A bucket holds the patterns that start alike: one or two as a rule, but all of
// an API's tokens when they start with the same words.
type bucket struct {
	few []pattern // until there are more than maxFew
	// many holds them all by their text, and sizes how they end, longest first.
	many  map[string]pattern
	sizes []patternSize
}

// A patternSize is what the patterns of one length end with.
type patternSize struct {
	length int
	ends   map[uint64]struct{}
}

// maxFew is how many patterns are tried one by one.
const maxFew = 8

// add reports whether p is new.
func (b *bucket) add(p pattern) bool {
	if b.many == nil {
		for _, there := range b.few {
			if there.text == p.text {
				return false
			}
		}
		if len(b.few) < maxFew {
			b.few = append(b.few, p)
			return true
		}
		b.many = make(map[string]pattern)
		for _, there := range b.few {
			b.enter(there)
		}
		b.few = nil
	} else if _, ok := b.many[p.text]; ok {
		return false
	}
	b.enter(p)
	return true
}

func (b *bucket) enter(p pattern) {
	b.many[p.text] = p
	n := len(p.text)
	at, ok := slices.BinarySearchFunc(b.sizes, n, func(size patternSize, n int) int { return n - size.length })
	if !ok {
		b.sizes = slices.Insert(b.sizes, at, patternSize{n, make(map[uint64]struct{})})
	}
	b.sizes[at].ends[load(p.text, n-minSearched)] = struct{}{}
}

// longest returns the longest pattern that s starts with.
func (b *bucket) longest(s string) (best pattern, ok bool) {
	for _, p := range b.few {
		if len(p.text) > len(best.text) && strings.HasPrefix(s, p.text) {
			best, ok = p, true
		}
	}
	for _, size := range b.sizes {
		if size.length > len(s) {
			continue
		}
		if _, may := size.ends[load(s, size.length-minSearched)]; may {
			if best, ok = b.many[s[:size.length]]; ok {
				return best, true
			}
		}
	}
	return best, ok
}

func load(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// scan calls f for the longest pattern at every place where one stands, until f
// returns false.
func (ix *index) scan(s string, f func(i int, p pattern) bool) {
	if ix.size == 0 || len(s) < minSearched {
		return
	}
	window := load(s, 0)
	for i := 0; ; i++ {
		bit := window * 0x9E3779B97F4A7C15 >> ix.shift
		if ix.filter[bit>>6]&(1<<(bit&63)) != 0 {
			if b := ix.byStart[window]; b != nil {
				if best, ok := b.longest(s[i:]); ok && !f(i, best) {
					return
				}
			}
		}
		if i+8 >= len(s) {
			return
		}
		window = window>>8 | uint64(s[i+8])<<56
	}
}

// textSpellings are the ways to write value that keep it readable.
func textSpellings(value string) []string {
	out := []string{value}
	plain := true
	for i := range len(value) {
		if !isNameByte(value[i]) && value[i] != '-' {
			plain = false
			break
		}
	}
	if plain {
		return out
	}
	add := func(s string) {
		for _, there := range out {
			if there == s {
				return
			}
		}
		out = append(out, s)
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		add(decoded)
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value), strings.ReplaceAll(url.QueryEscape(value), "+", "%20")} {
		add(escaped)
		add(lowerPercent(escaped))
	}
	if quoted, err := json.Marshal(value); err == nil {
		add(string(quoted[1 : len(quoted)-1])) // with <, > and & escaped, as Go and Rails do
	}
	jsonText := jsonEscape.Replace(value)
	add(jsonText)
	add(strings.ReplaceAll(jsonText, "/", `\/`)) // PHP
	escaped := html.EscapeString(value)
	add(escaped)
	add(strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(escaped))
	add(strings.ReplaceAll(escaped, "&#39;", "&#x27;"))
	return out
}

var jsonEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// lowerPercent writes %2F as %2f.
func lowerPercent(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			for j := i + 1; j <= i+2; j++ {
				if 'A' <= b[j] && b[j] <= 'F' {
					b[j] |= 0x20
				}
			}
		}
	}
	return string(b)
}

// base64Spellings are the characters that value alone decides when it stands in
// base64 text, at each of the three alignments, in both alphabets.
func base64Spellings(value string) []string {
	var out []string
	for lead := range 3 {
		padded := append(make([]byte, lead, lead+len(value)), value...)
		encoded := base64.RawStdEncoding.EncodeToString(padded)
		from := (lead*8 + 5) / 6
		to := len(padded) * 8 / 6
		std := encoded[from:to]
		out = append(out, std)
		if other := strings.NewReplacer("+", "-", "/", "_").Replace(std); other != std {
			out = append(out, other)
		}
	}
	return out
}
