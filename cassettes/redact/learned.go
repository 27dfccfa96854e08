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
	next     int32 // the number of another one that starts alike, or 0
}

// index finds every learned secret in every spelling in one pass over a text. It is
// keyed by the first eight bytes of each pattern. In front of the map, a bit filter
// is asked at every fourth byte of the text whether the five bytes there are among
// the first eight of a pattern, which takes about a nanosecond; where they are, a
// second filter is asked for each start that they may belong to. Adding is cheap,
// so nothing is compiled again when a secret is learned.
//
// All that is learned is marked in every garbage collection: there are few pointers in
// it, and no memory of its own for a pattern.
type index struct {
	byStart  map[uint64]int32    // the number of the first pattern, or -1 minus that of a bucket
	patterns []pattern           // by number; the first one is none
	buckets  []*bucket           // of those that start like many others
	values   map[string]struct{} // those that have been added
	size     int                 // patterns
	pieces   filter              // of pieceSize bytes
	starts   filter              // of minSearched bytes
}

// A pattern holds stride pieces, one after another, and the text is looked at every
// stride bytes: whatever place a pattern starts at, one of its pieces is seen.
const (
	pieceSize = 5
	stride    = minSearched - pieceSize + 1
	pieceMask = 1<<(8*pieceSize) - 1
)

func newIndex() *index {
	ix := &index{byStart: make(map[uint64]int32), patterns: make([]pattern, 1, 16), values: make(map[string]struct{})}
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
	var list []pattern
	for _, text := range textSpellings(value) {
		list = append(list, pattern{text: text, secret: sec, spelling: asText})
	}
	if len(value) <= maxEncoded { // of a key file, the lines are learned one by one
		for _, text := range base64Spellings(value) {
			list = append(list, pattern{text: text, secret: sec, spelling: asBase64})
		}
		lower := hex.EncodeToString([]byte(value))
		list = append(list, pattern{text: lower, secret: sec, spelling: asHex},
			pattern{text: strings.ToUpper(lower), secret: sec, spelling: asHex})
	}
	// One text holds them all, the value first; value may be a piece of a large body.
	var b strings.Builder
	for i := range list {
		b.WriteString(list[i].text)
	}
	all := b.String()
	ix.values[all[:len(value)]] = struct{}{}
	for _, one := range list {
		one.text, all = all[:len(one.text)], all[len(one.text):]
		ix.addPattern(one)
	}
}

// maxEncoded is the longest value whose encodings are searched for, in bytes.
const maxEncoded = 8 << 10

func (ix *index) addPattern(p pattern) {
	if len(p.text) < minSearched {
		return
	}
	start := load(p.text, 0)
	first := ix.byStart[start]
	switch {
	case first < 0:
		if !ix.buckets[-1-first].add(p) {
			return
		}
	default:
		n := 0
		for at := first; at != 0; at = ix.patterns[at].next {
			if ix.patterns[at].text == p.text {
				return
			}
			n++
		}
		if n < maxFew {
			p.next = first
			ix.byStart[start] = int32(len(ix.patterns))
			ix.patterns = append(ix.patterns, p)
			break
		}
		many := &bucket{many: make(map[string]pattern)}
		for at := first; at != 0; at = ix.patterns[at].next {
			many.add(ix.patterns[at])
		}
		many.add(p)
		ix.buckets = append(ix.buckets, many)
		ix.byStart[start] = -int32(len(ix.buckets))
	}
	if ix.size++; ix.size*16 > len(ix.starts.words)*64 {
		ix.grow(1 << bits.Len(uint(2*ix.size)))
	}
	ix.mark(start)
}

// A bucket holds the patterns that start alike when they are many: all of an API's
// tokens may start with the same words.
type bucket struct {
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
	if _, ok := b.many[p.text]; ok {
		return false
	}
	b.many[p.text] = p
	n := len(p.text)
	at, ok := slices.BinarySearchFunc(b.sizes, n, func(size patternSize, n int) int { return n - size.length })
	if !ok {
		b.sizes = slices.Insert(b.sizes, at, patternSize{n, make(map[uint64]struct{})})
	}
	b.sizes[at].ends[load(p.text, n-minSearched)] = struct{}{}
	return true
}

// longest returns the longest pattern that s starts with.
func (ix *index) longest(s string) (best pattern, ok bool) {
	first := ix.byStart[load(s, 0)]
	if first < 0 {
		return ix.buckets[-1-first].longest(s)
	}
	for at := first; at != 0; at = ix.patterns[at].next {
		if p := &ix.patterns[at]; len(p.text) > len(best.text) && strings.HasPrefix(s, p.text) {
			best, ok = *p, true
		}
	}
	return best, ok
}

func (b *bucket) longest(s string) (best pattern, ok bool) {
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
		if best, ok := ix.longest(s[i:]); ok && !f(i, best) {
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
			if ix.starts.may(window) && ix.byStart[window] != 0 {
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
		if other := urlAlphabet.Replace(std); other != std {
			out = append(out, other)
		}
	}
	return out
}

// urlAlphabet turns the usual alphabet of base64 into that of URLs and file names.
var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")
