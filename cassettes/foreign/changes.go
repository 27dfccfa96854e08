package foreign

import "strings"

// A change puts text in place of the bytes from start to end.
type change struct {
	start, end int
	text       string
}

// changes says what makes before into after: as little as can be told at little cost.
// Texts are compared line by line from both ends and in the middle at the next line
// that both have; what is left is compared by its ends.
func changes(before, after string) []change {
	var out []change
	a, b := before, after
	offset := 0
	for a != "" || b != "" {
		n := commonPrefix(a, b)
		a, b, offset = a[n:], b[n:], offset+n
		if a == "" && b == "" {
			break
		}
		la, lb := resync(a, b)
		ca, cb := a[:la], b[:lb]
		tail := commonSuffix(ca, cb)
		out = append(out, change{offset, offset + len(ca) - tail, cb[:len(cb)-tail]})
		a, b, offset = a[la:], b[lb:], offset+la
	}
	return out
}

// anchorLength is how much text after a change must be equal for the change to be
// over, in bytes.
const anchorLength = 12

// resync finds where a and b, which begin differently, go on alike: after the next
// delimiter of the new text, the text that follows there in both.
func resync(a, b string) (la, lb int) {
	for tries, from := 0, 1; tries < 16 && from < len(b); tries++ {
		i := strings.IndexAny(b[from:], "\"'&;, \n<>\\/}")
		if i < 0 {
			break
		}
		lb = from + i
		from = lb + 1
		anchor := b[lb:min(len(b), lb+anchorLength)]
		if len(anchor) < anchorLength {
			break
		}
		if la = strings.Index(a[:min(len(a), lb+resyncReach)], anchor); la >= 0 {
			return la, lb
		}
	}
	return len(a), len(b)
}

// resyncReach is how much longer than its placeholder a value may be, in bytes, for
// the text after it to be found again.
const resyncReach = 16 << 10

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	for i > 0 && i < len(a) && isContinuation(a[i]) || i > 0 && i < len(b) && isContinuation(b[i]) {
		i--
	}
	return i
}

func commonSuffix(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	for i > 0 && isContinuation(a[len(a)-i]) {
		i--
	}
	return i
}

func isContinuation(c byte) bool { return c&0xc0 == 0x80 }
