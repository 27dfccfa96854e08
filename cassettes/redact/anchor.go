package redact

import "strings"

// An anchorTable finds where in a text a value rule could match: a few bytes
// that every match starts with. Running thirty expressions over every leaf would
// cost a hundred times more.
type anchorTable struct {
	filter [1 << 10]uint64 // 65,536 bits, by a hash of the first three bytes
	at     map[uint32][]anchor
}

type anchor struct {
	text string
	rule *rule
}

func newAnchorTable() *anchorTable { return &anchorTable{at: make(map[uint32][]anchor)} }

// add registers an anchor of at least three bytes.
func (t *anchorTable) add(text string, one *rule) {
	key := uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16
	bit := anchorBit(key)
	t.filter[bit>>6] |= 1 << (bit & 63)
	t.at[key] = append(t.at[key], anchor{text, one})
}

// anchorBit is the bit of a key, which is the first three bytes of an anchor.
func anchorBit(key uint32) uint32 { return key * 0x9E3779B1 >> 16 }

// scan calls f for every place where one of a rule's anchors stands.
func (t *anchorTable) scan(s string, f func(i int, one *rule)) {
	for i := t.next(s, 0); i >= 0; i = t.next(s, i+1) {
		for _, a := range t.at[anchorKey(s, i)] {
			if strings.HasPrefix(s[i:], a.text) {
				f(i, a.rule)
			}
		}
	}
}

// next returns the first place at or after i where an anchor stands, or -1.
func (t *anchorTable) next(s string, i int) int {
	for ; i+4 <= len(s); i++ {
		bit := anchorBit(load4(s, i) & 0xffffff)
		if t.filter[bit>>6]&(1<<(bit&63)) != 0 && t.stands(s, i) {
			return i
		}
	}
	if i >= 0 && i+3 == len(s) && t.stands(s, i) {
		return i
	}
	return -1
}

// stands reports whether an anchor stands at i.
func (t *anchorTable) stands(s string, i int) bool {
	for _, a := range t.at[anchorKey(s, i)] {
		if strings.HasPrefix(s[i:], a.text) {
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

func anchorKey(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16
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
