package redact

import (
	"math/bits"
	"strings"
)

// An anchorTable finds where in a text a value rule could match: a few bytes
// that every match starts with. Running thirty expressions over every leaf would
// cost a hundred times more.
type anchorTable struct {
	pairs  bitSet // of the first and the second two bytes of each anchor
	starts bitSet // by a hash of the first three bytes
	at     [1 << 8][]anchor
}

// bitSet is a set of numbers of 16 bits.
type bitSet [1 << 10]uint64

func (set *bitSet) add(n uint16) { set[n>>6] |= 1 << (n & 63) }

// has is 1 for a number in the set, otherwise 0.
func (set *bitSet) has(n uint16) uint64 { return set[n>>6] >> (n & 63) & 1 }

type anchor struct {
	text string
	rule *rule
}

func newAnchorTable() *anchorTable { return new(anchorTable) }

// add registers an anchor of at least three bytes.
func (t *anchorTable) add(text string, one *rule) {
	t.pairs.add(uint16(text[0]) | uint16(text[1])<<8)
	t.pairs.add(uint16(text[1]) | uint16(text[2])<<8)
	bit := anchorBit(text, 0)
	t.starts.add(bit)
	t.at[byte(bit)] = append(t.at[byte(bit)], anchor{text, one})
}

// anchorBit is the bit of the anchors that may start at i: a hash of three bytes.
func anchorBit(s string, i int) uint16 {
	_ = s[i+2]
	return uint16((uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16) * 0x9E3779B1 >> 16)
}

// scan calls f for every place where one of a rule's anchors stands.
func (t *anchorTable) scan(s string, f func(i int, one *rule)) {
	for i := t.next(s, 0); i >= 0; i = t.next(s, i+1) {
		for _, a := range t.at[byte(anchorBit(s, i))] {
			if strings.HasPrefix(s[i:], a.text) {
				f(i, a.rule)
			}
		}
	}
}

// next returns the first place at or after i where an anchor stands, or -1. Of every
// two places one pair of bytes is looked at: it is the second of an anchor that starts
// at the first place, and the first of one that starts at the second.
func (t *anchorTable) next(s string, i int) int {
	at := i + 1
	for ; at+8 <= len(s); at += 8 {
		n := load(s, at)
		found := t.pairs.has(uint16(n)) | t.pairs.has(uint16(n>>16))<<2 | t.pairs.has(uint16(n>>32))<<4 | t.pairs.has(uint16(n>>48))<<6
		for ; found != 0; found &= found - 1 {
			k := at + bits.TrailingZeros64(found)
			if t.stands(s, k-1) {
				return k - 1
			}
			if t.stands(s, k) {
				return k
			}
		}
	}
	for at--; at+3 <= len(s); at++ {
		if t.stands(s, at) {
			return at
		}
	}
	return -1
}

// stands reports whether an anchor stands at i.
func (t *anchorTable) stands(s string, i int) bool {
	if i+3 > len(s) {
		return false
	}
	bit := anchorBit(s, i)
	return t.starts.has(bit) != 0 && t.reads(s[i:], byte(bit))
}

// reads reports whether s starts with an anchor of a slot.
func (t *anchorTable) reads(s string, slot byte) bool {
	for _, a := range t.at[slot] {
		if strings.HasPrefix(s, a.text) {
			return true
		}
	}
	return false
}

// A ruleSet is a set of value rules that have anchors, by their order.
type ruleSet [(maxOrder + 63) / 64]uint64

// anchorsIn returns the rules of which an anchor stands in s.
func (r *Rules) anchorsIn(s string) (set ruleSet) {
	r.anchors.scan(s, func(_ int, one *rule) { set[one.order>>6] |= 1 << (one.order & 63) })
	return set
}

// has reports whether one can match the text that the set was made from: every match
// holds one of the rule's anchors, if it has any.
func (set *ruleSet) has(one *rule) bool {
	return len(one.anchors) == 0 || set[one.order>>6]&(1<<(one.order&63)) != 0
}

func load4(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

// boundary reports whether a word may start at i: no letter or digit stands
// before, except one that ends an escape (%3D, \n, \u003d, &#61;).
func boundary(s string, i int) bool {
	if i == 0 || !isAlnum(s[i-1]) {
		return true
	}
	if i >= 2 && s[i-2] == '\\' && (s[i-1] == 'n' || s[i-1] == 'r' || s[i-1] == 't' || s[i-1] == 'b' || s[i-1] == 'f') {
		return true
	}
	if i >= 3 && s[i-3] == '%' && isHex(s[i-2]) && isHex(s[i-1]) {
		return true
	}
	return i >= 6 && s[i-6] == '\\' && s[i-5] == 'u' && isHex(s[i-4]) && isHex(s[i-3]) && isHex(s[i-2]) && isHex(s[i-1])
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
