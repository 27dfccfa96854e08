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
// keyed by the first eight bytes of each pattern. In front of the map, a bit filter
// is asked at every fourth byte of the text whether the five bytes there are among
// the first eight of a pattern, which takes about a nanosecond; where they are, a
// second filter is asked for each start that they may belong to. Adding is cheap,
// so nothing is compiled again when a secret is learned.
type index struct {
	byStart map[uint64]*bucket
	values  map[string]struct{} // those that have been added
	size    int                 // patterns
	pieces  filter              // of pieceSize bytes
	starts  filter              // of minSearched bytes
}

// A pattern holds stride pieces, one after another, and the text is looked at every
// stride bytes: whatever place a pattern starts at, one of its pieces is seen.
const (
	pieceSize = 5
	stride    = minSearched - pieceSize + 1
	pieceMask = 1<<(8*pieceSize) - 1
)

func newIndex() *index {
	ix := &index{byStart: make(map[uint64]*bucket), values: make(map[string]struct{})}
	ix.grow(1 << 8)
	return ix
}

// grow makes room for the given number of patterns, a power of two.
func (ix *index) grow(patterns int) {
	ix.starts = newFilter(patterns * 16)
	ix.pieces = newFilter(patterns * 16 * stride)
	for start := range ix.byStart {
		ix.mark(start)
	}
}

func (ix *index) mark(start uint64) {
	ix.starts.add(start)
	for range stride {
		ix.pieces.add(start & pieceMask)
		start >>= 8
	}
}

// A filter tells of most numbers that they have not been added: it keeps two
// bits of each, both in the same word.
type filter struct {
	words []uint64
	shift uint
}

// newFilter makes a filter of the given number of bits, a power of two.
func newFilter(size int) filter {
	return filter{make([]uint64, size/64), uint(64 - bits.TrailingZeros(uint(size/64)))}
}

// at returns the word that holds n's bits, and these.
func (f *filter) at(n uint64) (word int, mask uint64) {
	h := n * 0x9E3779B97F4A7C15
	return int(h >> f.shift), 1<<(h>>8&63) | 1<<(h>>14&63)
}

func (f *filter) add(n uint64) {
	word, mask := f.at(n)
	f.words[word] |= mask
}

func (f *filter) may(n uint64) bool {
	word, mask := f.at(n)
	return f.words[word]&mask == mask
}

// add makes sec found wherever value stands.
func (ix *index) add(value string, sec *secret) {
	if _, ok := ix.values[value]; ok {
		return
	}
	value = strings.Clone(value) // it may be a piece of a large body
	ix.values[value] = struct{}{}
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
	if ix.size++; ix.size*16 > len(ix.starts.words)*64 {
		ix.grow(1 << bits.Len(uint(2*ix.size)))
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
	for i := ix.next(s, 0); i >= 0; i = ix.next(s, i+1) {
		if best, ok := ix.byStart[load(s, i)].longest(s[i:]); ok && !f(i, best) {
			return
		}
	}
}

// next returns the first place at or after i where a pattern may start, or -1: its
// first eight bytes stand there.
func (ix *index) next(s string, i int) int {
	if ix.size == 0 {
		return -1
	}
	words, shift := ix.pieces.words, ix.pieces.shift
	for at := (i + stride - 1) / stride * stride; at+pieceSize <= len(s); at += stride {
		var piece uint64
		if at+8 <= len(s) {
			piece = load(s, at) & pieceMask
		} else {
			piece = uint64(load4(s, at)) | uint64(s[at+4])<<32
		}
		h := piece * 0x9E3779B97F4A7C15
		if mask := uint64(1<<(h>>8&63) | 1<<(h>>14&63)); words[h>>shift]&mask != mask {
			continue
		}
		for start := max(i, at-stride+1); start <= at && start+minSearched <= len(s); start++ {
			window := load(s, start)
			if ix.starts.may(window) && ix.byStart[window] != nil {
				return start
			}
		}
	}
	return -1
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
	add(unescapeAll(value)) // what is left of it where every escape is resolved
	if narrow, ok := latin1(value); ok {
		add(narrow)
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
