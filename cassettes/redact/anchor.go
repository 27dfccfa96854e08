package redact

// An anchorTable finds where in a text a value rule could match: a few bytes
// that every match starts with. Running thirty expressions over every leaf would
// cost a hundred times more.
type anchorTable struct {
	filter [1 << 10]uint64 // 65,536 bits, by a hash of the first three bytes
	at     map[[3]byte][]anchor
}

type anchor struct {
	text string
	rule *rule
}

func newAnchorTable() *anchorTable { return &anchorTable{at: make(map[[3]byte][]anchor)} }

// add registers an anchor of at least three bytes.
func (t *anchorTable) add(text string, one *rule) {
	key := [3]byte{text[0], text[1], text[2]}
	bit := anchorBit(text[0], text[1], text[2])
	t.filter[bit>>6] |= 1 << (bit & 63)
	t.at[key] = append(t.at[key], anchor{text, one})
}

func anchorBit(a, b, c byte) uint32 {
	return (uint32(a)*0x9E3779B1 ^ uint32(b)*0x85EBCA77 ^ uint32(c)*0xC2B2AE3D) >> 16
}

// scan calls f for every place where one of a rule's anchors stands.
func (t *anchorTable) scan(s string, f func(i int, one *rule)) {
	for i := 0; i+3 <= len(s); i++ {
		bit := anchorBit(s[i], s[i+1], s[i+2])
		if t.filter[bit>>6]&(1<<(bit&63)) == 0 {
			continue
		}
		for _, a := range t.at[[3]byte{s[i], s[i+1], s[i+2]}] {
			if len(s)-i >= len(a.text) && s[i:i+len(a.text)] == a.text {
				f(i, a.rule)
			}
		}
	}
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
