package redact

import "strings"

// A sieve tells of the pieces of a text whether they may hold anything that text
// finds. A body is hundreds of pieces of a few bytes each, nearly all of which hold
// nothing: to look at the whole once, and ask for each, is many times quicker than to
// search each.
//
// It must never miss: whatever is looked for in a piece must show in a byte of it
// that the sieve marks. What it marks without need only costs time.
type sieve struct {
	marks []uint64  // a bit for every byte of the text
	few   [8]uint64 // the marks of a short text
	all   bool      // the sieve does not know what is looked for
}

// sift looks at s, of whose pieces holds is then asked.
func (p *pass) sift(s string) *sieve {
	sv := new(sieve)
	sv.look(p, s)
	return sv
}

// mayHold reports whether text may find something in a short s.
func (p *pass) mayHold(s string) bool {
	var sv sieve
	sv.look(p, s)
	return sv.holds(0, len(s))
}

func (sv *sieve) look(p *pass, s string) {
	r := p.v.rules
	loose := len(r.loose)+len(r.hosts) > 0
	if p.v.thorough || loose && r.traces == nil {
		sv.all = true
		return
	}
	sv.clear(len(s))
	if loose {
		r.traces.scan(s, func(_, at int) { sv.mark(at) })
	}
	if r.email != nil {
		for _, sign := range emailSigns {
			sv.markEvery(s, sign)
		}
	}
	for i := r.anchors.next(s, 0); i >= 0; i = r.anchors.next(s, i+1) {
		sv.mark(i)
	}
	sv.learned(p.v, s)
	sv.markEvery(s, word)
	sv.longNumbers(s)
	// The wrappings that unwrap looks under.
	sv.escapes(s)
	sv.encoded(s)
}

// clear makes room for a text of n bytes.
func (sv *sieve) clear(n int) {
	if n = (n + 63) / 64; n <= len(sv.few) {
		sv.marks = sv.few[:n]
	} else {
		sv.marks = make([]uint64, n)
	}
}

// learned marks where a learned value may start, in any spelling.
func (sv *sieve) learned(v *Vault, s string) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for i := v.index.next(s, 0); i >= 0; i = v.index.next(s, i+1) {
		sv.mark(i)
	}
}

func (sv *sieve) mark(i int) { sv.marks[i>>6] |= 1 << (i & 63) }

func (sv *sieve) markEvery(s, text string) {
	for from := 0; ; {
		i := strings.Index(s[from:], text)
		if i < 0 {
			return
		}
		sv.mark(from + i)
		from += i + 1
	}
}

// escapes marks the escapes in s.
func (sv *sieve) escapes(s string) {
	for _, c := range [...]byte{'%', '\\', '&'} {
		for from := 0; ; from++ {
			i := strings.IndexByte(s[from:], c)
			if i < 0 {
				break
			}
			from += i
			var buffer [8]byte
			if _, size := appendEscape(buffer[:0], s[from:]); size > 0 {
				sv.mark(from)
			}
		}
	}
}

// longNumbers marks the digits that may belong to a number which digitRuns knows: in
// one group or several, twelve or more together.
func (sv *sieve) longNumbers(s string) {
	for at := minGroup - 1; at < len(s); at += minGroup {
		if !isDigit(s[at]) {
			continue
		}
		start, end, digits := at, at, 0
		for start > 0 && isDigit(s[start-1]) {
			start--
		}
		for end = start; end < len(s); end++ {
			if isDigit(s[end]) {
				digits++
			} else if s[end] != ' ' && s[end] != '-' || s[end-1] == s[end] {
				break
			}
		}
		for i := start; digits >= minCard && i < end; i++ {
			sv.mark(i)
		}
		for at+minGroup < end {
			at += minGroup
		}
	}
}

// encoded marks what unwrap may find something in without an escape: runs of base64 or
// hexadecimal text that are readable at some place, and base64 that is broken into
// lines.
func (sv *sieve) encoded(s string) {
	last := 0
	for i := minEncoded - 1; i < len(s); i += minEncoded {
		if base64Value[s[i]] > 63 {
			continue
		}
		start, end := i, i+1
		for start > last && base64Value[s[start-1]] < 64 {
			start--
		}
		for end < len(s) && base64Value[s[end]] < 64 {
			end++
		}
		last, i = end, end
		if end-start < minEncoded {
			continue
		}
		folded := end-start >= minFolded && end < len(s) && (s[end] == '\n' || s[end] == '\r')
		if !folded && !mayBeEncoded(s[start:end]) {
			continue
		}
		for k := start; k < end; k++ {
			sv.mark(k)
		}
	}
}

// mayBeEncoded reports whether a run of the characters of base64 may hold a readable
// text, in base64 or hexadecimal.
func mayBeEncoded(run string) bool {
	hex := 0
	for i := range len(run) {
		if isHex(run[i]) {
			if hex++; hex >= 2*readableStart {
				return true
			}
		} else {
			hex = 0
		}
		if isReadableBase64(run, i) {
			return true
		}
	}
	return false
}

// holds reports whether s[start:end] may hold something.
func (sv *sieve) holds(start, end int) bool {
	if sv.all {
		return true
	}
	if end-start < minSearched {
		return false // text does not look into less
	}
	first, last := start>>6, (end-1)>>6
	from, to := ^uint64(0)<<(start&63), ^uint64(0)>>(63-(end-1)&63)
	if first == last {
		return sv.marks[first]&from&to != 0
	}
	if sv.marks[first]&from != 0 || sv.marks[last]&to != 0 {
		return true
	}
	for _, word := range sv.marks[first+1 : last] {
		if word != 0 {
			return true
		}
	}
	return false
}
