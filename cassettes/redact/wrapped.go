package redact

import (
	"html"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tapedeck/cassettes/leaves"
)

// maxWraps bounds how many layers of escapes and encodings are looked through.
const maxWraps = 6

// An inner is what a value rule found inside a wrapping, unwrapped.
type inner struct{ full, part string }

// wrapped appends the secrets that stand in s under escapes (percent, JSON, HTML,
// in any mixture and twice), in base64 or hexadecimal text, or in base64 that is
// broken into lines. found is what s shows by itself.
func (p *pass) wrapped(place leaves.Place, in places, s string, found []hit) []hit {
	for _, h := range p.v.unwrap(s, 0) {
		switch {
		case h.spelling != asText && h.end-h.start > maxRun:
			continue // a document; Check refuses it
		case h.rule == nil:
		case h.rule.in&in == 0 || !h.rule.on.Match(p.target):
			continue
		case p.byValue:
			if p.v.isKept(h.inner.full) {
				continue
			}
		case len(p.keeps) > 0 && p.kept(h.rule.ID, p.place(place)):
			p.v.keep(h.inner.full)
			continue
		}
		found = append(found, h)
	}
	return found
}

// wrappedReplacement is replacement for what unwrap found: the value that is
// learned is the one inside.
func (p *pass) wrappedReplacement(s string, h hit, limit int) (text string, end int) {
	if h.rule != nil {
		full, part := h.inner.full, h.inner.part
		switch h.rule.shape {
		case shapeCard:
			p.v.card(h.digits, h.rule.ID)
			h.known = p.v.secret(h.digits, h.rule.ID, "")
		case shapeJWT:
			h.known = p.v.learnJWT(full, h.rule.ID)
		case shapePEM:
			h.known = p.v.learn(pemBody(part), h.rule.ID, pemLines(part)...)
		default:
			h.known = p.v.learnPart(full, part, h.rule.ID)
		}
		h.rule = nil
	}
	before := s[h.start:h.secretStart]
	h.start, h.end = h.secretStart, h.secretEnd
	text, end = p.learnedReplacement(s, h, limit)
	return before + text, end
}

// checkWrapped is checkGap for what stands under a wrapping.
func (v *Vault) checkWrapped(place, gap string) *Refusal {
	for _, h := range v.unwrap(gap, 0) {
		switch {
		case h.rule == nil:
			return &Refusal{Rule: h.known.rule, Place: place, Reason: spellingReason[h.spelling]}
		case h.rule.shape == shapeCard: // the digits of escapes look like some
		case h.rule.in != anywhere || h.rule.On != "" || v.isKept(h.inner.full):
		default:
			return &Refusal{Rule: h.rule.ID, Place: place, Reason: "a value that the rule calls secret stands escaped or encoded where it could not be replaced"}
		}
	}
	return nil
}

// unwrap finds the secrets in s that only a view of it shows. Their places are
// those in s.
func (v *Vault) unwrap(s string, depth int) (found []hit) {
	if depth == maxWraps || len(s) < minSearched {
		return nil
	}
	if w, ok := unescaped(s); ok {
		for _, h := range v.within(w.text, depth) {
			found = append(found, w.outside(h))
		}
	}
	found = v.encoded(s, depth, found)
	if w, ok := unfolded(s); ok {
		for _, h := range v.encoded(w.text, depth, v.encodedLearned(w.text)) {
			found = append(found, w.lines(h))
		}
	}
	return found
}

// within finds all secrets in an unwrapped text.
func (v *Vault) within(text string, depth int) (found []hit) {
	var list []Placeholder
	if strings.Contains(text, word) {
		list = wordPlaceholders(text)
	}
	gaps(text, list, func(start, end int) {
		gap := text[start:end]
		all := v.rules.search(gap)
		n := 0
		for _, h := range all {
			if h.rule.PII != "" || h.rule.host || h.rule == v.rules.email {
				continue // made for reading: what is encoded names nobody to a reader
			}
			h.inner = &inner{gap[h.start:h.end], gap[h.secretStart:h.secretEnd]}
			all[n] = h
			n++
		}
		all = v.searchLearned(gap, all[:n])
		all = append(all, v.unwrap(gap, depth+1)...)
		for _, h := range all {
			h.shift(start)
			found = append(found, h)
		}
	})
	return found
}

// encodedLearned finds the learned values that stand in text in base64 or hexadecimal.
func (v *Vault) encodedLearned(text string) []hit {
	all := v.searchLearned(text, nil)
	n := 0
	for _, h := range all {
		if h.spelling != asText {
			all[n] = h
			n++
		}
	}
	return all[:n]
}

// encoded appends the runs of base64 and hexadecimal text in s that hold a secret.
func (v *Vault) encoded(s string, depth int, found []hit) []hit {
	var runs encodedRuns
	eachEncoded(s, func(e encodedText) {
		for _, h := range v.within(e.text, depth) {
			if h.rule != nil && h.rule.shape == shapeCard {
				continue // long numbers are too frequent in documents
			}
			h.start, h.end = e.where(h.start, h.end)
			h.secretStart, h.secretEnd, h.spelling = h.start, h.end, e.spelling
			if runs.widen(s, &h) {
				found = append(found, h)
			}
		}
	})
	return found
}

// A view is what a text reads once a layer of wrapping is off, and where in the
// text, the source, each byte of it stands.
type view struct {
	text   string
	steps  []step
	blocks []int // of unfolded lines: the steps that start a block
}

// A step is a piece of a view that is not in the source byte for byte:
// text[at:at+n] stands for source[src:src+size].
type step struct{ at, n, src, size int }

// start is where in the source text[i] begins.
func (w *view) start(i int) int {
	k := sort.Search(len(w.steps), func(k int) bool { return w.steps[k].at > i }) - 1
	if k < 0 {
		return i
	}
	if st := w.steps[k]; i < st.at+st.n {
		return st.src
	}
	return w.steps[k].after(i)
}

// end is where in the source text[:i] ends.
func (w *view) end(i int) int {
	k := sort.Search(len(w.steps), func(k int) bool { return w.steps[k].at >= i }) - 1
	if k < 0 {
		return i
	}
	if st := w.steps[k]; i <= st.at+st.n {
		return st.src + st.size
	}
	return w.steps[k].after(i)
}

func (st step) after(i int) int { return st.src + st.size + i - st.at - st.n }

// outside moves a hit in the view to the source.
func (w *view) outside(h hit) hit {
	h.start, h.end = w.start(h.start), w.end(h.end)
	h.secretStart, h.secretEnd = w.start(h.secretStart), w.end(h.secretEnd)
	return h
}

// lines moves a hit in a view of unfolded lines to the source: the whole block of
// lines, or, of a document, those that the hit touches.
func (w *view) lines(h hit) hit {
	k := sort.Search(len(w.blocks), func(k int) bool { return w.steps[w.blocks[k]].at > h.start }) - 1
	first, last := w.blocks[k], len(w.steps)
	if k+1 < len(w.blocks) {
		last = w.blocks[k+1]
	}
	from, to := w.between(first, last)
	if to-from > maxRun {
		block := w.steps[first:last]
		last = first + sort.Search(len(block), func(k int) bool { return block[k].at >= h.end })
		first += sort.Search(len(block), func(k int) bool { return block[k].at > h.start }) - 1
		from, to = w.between(first, last)
	}
	h.start, h.end, h.secretStart, h.secretEnd = from, to, from, to
	return h
}

// between is where in the source the text between two steps stands.
func (w *view) between(first, last int) (from, to int) {
	from = w.steps[first].src + w.steps[first].size
	if last == len(w.steps) {
		return from, w.end(len(w.text))
	}
	return from, w.steps[last].src
}

// apart parts what does not stand together in the source; nothing that is searched
// for holds it.
const apart = "\x00"

// unescaped is a view of the words in s that hold an escape; ok is false when there
// is none.
func unescaped(s string) (w view, ok bool) {
	at := escapes{s: s}
	next := at.next(0)
	if next < 0 {
		return w, false
	}
	var text []byte
	for last := 0; next >= 0; next = at.next(last) {
		start := next
		for start > last && s[start-1] > ' ' {
			start--
		}
		n := len(text)
		if n > 0 {
			text = append(text, apart...)
		}
		w.steps = append(w.steps, step{at: n, n: len(text) - n, src: last, size: start - last})
		text = append(text, s[start:next]...)
		i := next
		for i < len(s) && s[i] > ' ' {
			n := len(text)
			if s[i] == '%' || s[i] == '\\' || s[i] == '&' {
				var size int
				if text, size = appendEscape(text, s[i:]); size > 0 {
					w.steps = append(w.steps, step{at: n, n: len(text) - n, src: i, size: size})
					i += size
					continue
				}
			}
			text = append(text, s[i])
			i++
		}
		last = i
	}
	w.text = string(text)
	return w, true
}

// escapes looks for the escapes in s. It remembers where each of the characters that
// start one stands next.
type escapes struct {
	s    string
	at   [3]int // of %, \ and &; len(s) when there is no more
	read bool
}

// next is where the first escape at or after from starts, or -1.
func (e *escapes) next(from int) int {
	for {
		i := len(e.s)
		for k, c := range [3]byte{'%', '\\', '&'} {
			if !e.read || e.at[k] < from {
				if e.at[k] = strings.IndexByte(e.s[from:], c); e.at[k] < 0 {
					e.at[k] = len(e.s)
				} else {
					e.at[k] += from
				}
			}
			i = min(i, e.at[k])
		}
		e.read = true
		if i == len(e.s) {
			return -1
		}
		var buffer [8]byte
		if _, size := appendEscape(buffer[:0], e.s[i:]); size > 0 {
			return i
		}
		from = i + 1
	}
}

// appendEscape appends what the escape at the start of s stands for. The size is the
// escape's length in bytes, 0 when s starts with none.
func appendEscape(text []byte, s string) (out []byte, size int) {
	if len(s) < 2 {
		return text, 0
	}
	switch s[0] {
	case '%':
		if len(s) > 2 && isHex(s[1]) && isHex(s[2]) {
			// %25 and what it escapes again are one: %252525C3 is as good as %C3.
			size = 3
			c := unhex(s[1])<<4 | unhex(s[2])
			for c == '%' && len(s) > size+1 && isHex(s[size]) && isHex(s[size+1]) {
				c = unhex(s[size])<<4 | unhex(s[size+1])
				size += 2
			}
			return append(text, c), size
		}
	case '\\':
		switch c := s[1]; c {
		case '"', '\\', '/', '\'':
			return append(text, c), 2
		case 'n', 'r', 't', 'b', 'f':
			return append(text, "\n\r\t\b\f"[strings.IndexByte("nrtbf", c)]), 2
		case 'x':
			if len(s) > 3 && isHex(s[2]) && isHex(s[3]) {
				return append(text, unhex(s[2])<<4|unhex(s[3])), 4
			}
		case 'u':
			if r, ok := hex4(s); ok {
				if low, ok := hex4(s[6:]); ok && utf16.IsSurrogate(r) {
					if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
						return utf8.AppendRune(text, both), 12
					}
				}
				return utf8.AppendRune(text, r), 6
			}
		}
	case '&':
		return appendEntity(text, s)
	}
	return text, 0
}

// hex4 reads \uXXXX.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		if !isHex(s[i]) {
			return 0, false
		}
		r = r<<4 | rune(unhex(s[i]))
	}
	return r, true
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&0xf + 9
}

// maxEntity is the longest character reference that is read, in bytes.
const maxEntity = 12

// appendEntity reads &#38; &#x26; and &amp;.
func appendEntity(text []byte, s string) (out []byte, size int) {
	end := strings.IndexByte(s[:min(len(s), maxEntity)], ';')
	if end < 3 {
		return text, 0
	}
	digits, base := s[2:end], 10
	if s[1] != '#' {
		if !isLetter(s[1]) {
			return text, 0
		}
		if plain := html.UnescapeString(s[:end+1]); !strings.HasSuffix(plain, ";") {
			return append(text, plain...), end + 1
		}
		return text, 0
	}
	if digits[0]|0x20 == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return text, 0
	}
	return utf8.AppendRune(text, rune(n)), end + 1
}

// unescapeAll resolves every escape in s, layer by layer.
func unescapeAll(s string) string {
	for range maxWraps {
		var out []byte
		changed := false
		for i := 0; i < len(s); {
			var size int
			if out, size = appendEscape(out, s[i:]); size == 0 {
				out = append(out, s[i])
				size = 1
			} else {
				changed = true
			}
			i += size
		}
		if !changed {
			break
		}
		s = string(out)
	}
	return s
}

// latin1 writes s in ISO 8859-1, in which forms and pages may still come; ok is false
// when it cannot be, or is the same.
func latin1(s string) (out string, ok bool) {
	var b []byte
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), len(b) < len(s)
}

// minFolded is the shortest line of base64 that goes on in the next, in bytes: MIME
// breaks at 76, PEM at 64, GitHub at 60.
const minFolded = 32

// unfolded is a view of the base64 in s that is broken into lines, without the line
// breaks; ok is false when there is none.
func unfolded(s string) (w view, ok bool) {
	var text strings.Builder
	last := 0 // the end of the block before
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '\n')
		if i < 0 {
			break
		}
		i += at
		at = i + 1
		end := i
		if end > last && s[end-1] == '\r' {
			end--
		}
		start := end
		for start > last && base64Value[s[start-1]] < 64 {
			start--
		}
		if end-start < minFolded {
			continue
		}
		next := foldedLine(s, at)
		if next.end == next.start {
			continue
		}
		n := text.Len()
		if n > 0 {
			text.WriteString(apart)
		}
		w.blocks = append(w.blocks, len(w.steps))
		w.steps = append(w.steps, step{at: n, n: text.Len() - n, src: last, size: start - last})
		text.WriteString(s[start:end])
		for {
			w.steps = append(w.steps, step{at: text.Len(), src: end, size: next.start - end})
			text.WriteString(s[next.start:next.end])
			end, at = next.end, next.end
			if next.after == 0 || next.end-next.start < minFolded {
				break
			}
			if next = foldedLine(s, next.after); next.end == next.start {
				break
			}
		}
		for k := 0; k < 2 && end < len(s) && s[end] == '='; k++ {
			text.WriteByte('=')
			end++
		}
		last, at = end, max(at, end)
	}
	w.text = text.String()
	return w, len(w.steps) > 0
}

// A folded is one line of base64 text.
type folded struct {
	start, end int
	after      int // the start of the next line, 0 when something else follows
}

func foldedLine(s string, at int) folded {
	for at < len(s) && (s[at] == ' ' || s[at] == '\t') {
		at++
	}
	f := folded{start: at, end: at}
	for f.end < len(s) && base64Value[s[f.end]] < 64 {
		f.end++
	}
	rest := s[f.end:]
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		f.after = f.end + 2
	case strings.HasPrefix(rest, "\n"):
		f.after = f.end + 1
	}
	return f
}

// base64Value is the value of each character of both alphabets of base64, 255 for
// any other.
var base64Value = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") {
		table[c] = byte(i)
	}
	table['+'], table['-'], table['/'], table['_'] = 62, 62, 63, 63
	return table
}()

// An encodedText is readable text that stands in base64 or hexadecimal.
type encodedText struct {
	text     string
	at       int // where the group that holds its first byte starts
	skipped  int // the bytes of that group before it
	spelling spelling
}

// where is where the characters of text[start:end] stand.
func (e encodedText) where(start, end int) (from, to int) {
	if e.spelling == asHex {
		return e.at + 2*start, e.at + 2*end
	}
	return e.at + (e.skipped+start)*8/6, e.at + ((e.skipped+end)*8+5)/6
}

// minEncoded is the shortest run of base64 that is looked into, in bytes.
const minEncoded = 20

// eachEncoded calls f for the texts that are encoded in s. A run is looked at from
// each of its characters on, as words and separators may stand before; what is not
// readable, such as a key, a sum or an image, is given up after a few of them.
func eachEncoded(s string, f func(encodedText)) {
	for i, last := minEncoded-1, 0; i < len(s); i += minEncoded {
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
		run := s[start:end]
		base64Texts(run, start, f)
		hexTexts(run, start, f)
	}
}

// readableStart is how many bytes of an encoded text must be readable for the rest to
// be decoded.
const readableStart = 12

// readableChars is how many characters of base64 those are.
const readableChars = readableStart * 8 / 6

// isReadableBase64 reports whether the text that is encoded in run[i:] starts readable,
// as far as a look at the characters tells.
func isReadableBase64(run string, i int) bool {
	if i+readableChars > len(run) {
		return false
	}
	for k := i; k < i+readableChars; k += 4 {
		// The first byte is a letter, a digit, a mark or white space; the
		// others have their highest bit unset.
		a := base64Value[run[k]]
		if a > 31 || a < 8 && a != 2 && a != 3 || base64Value[run[k+1]]&8 != 0 || base64Value[run[k+2]]&2 != 0 {
			return false
		}
	}
	return true
}

func base64Texts(run string, offset int, f func(encodedText)) {
	var text []byte // used again: most attempts end after a few bytes of a long run
	for i := 0; i+readableChars <= len(run); i++ {
		if !isReadableBase64(run, i) {
			continue
		}
		text = text[:0]
		at, skipped := i, 0
		if i >= 4 { // the last bytes of the group before may belong to it
			last := [2]byte{base64Value[run[i-3]]<<4 | base64Value[run[i-2]]>>2, base64Value[run[i-2]]<<6 | base64Value[run[i-1]]}
			switch {
			case !isReadable(last[1]):
			case !isReadable(last[0]):
				text, at, skipped = append(text, last[1]), i-4, 2
			default:
				text, at, skipped = append(text, last[:]...), i-4, 1
			}
		}
		bits, n := uint32(0), 0
		for k := i; k < len(run); k++ {
			bits, n = bits<<6|uint32(base64Value[run[k]]), n+6
			if n >= 8 {
				n -= 8
				if c := byte(bits >> n); isReadable(c) {
					text = append(text, c)
				} else {
					break
				}
			}
		}
		if len(text) < readableStart {
			continue
		}
		f(encodedText{string(text), offset + at, skipped, asBase64})
		i = max(i, at+(skipped+len(text))*8/6-1)
	}
}

func hexTexts(run string, offset int, f func(encodedText)) {
	for i := 0; i+2*readableStart <= len(run); {
		end := i
		for end < len(run) && isHex(run[end]) {
			end++
		}
		if end-i < 2*readableStart {
			i = end + 1
			continue
		}
		for ; i+2*readableStart <= end; i++ {
			var text []byte
			for k := i; k+1 < end; k += 2 {
				c := unhex(run[k])<<4 | unhex(run[k+1])
				if !isReadable(c) || k < i+2*readableStart && c > 0x7e {
					break
				}
				text = append(text, c)
			}
			if len(text) < readableStart {
				continue
			}
			f(encodedText{text: string(text), at: offset + i, spelling: asHex})
			i += 2*len(text) - 1
		}
		i = end + 1
	}
}

func isReadable(c byte) bool { return c >= ' ' && c != 0x7f || c == '\n' || c == '\r' || c == '\t' }
