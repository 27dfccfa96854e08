package foreign

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A piece says which bytes of the file gave which bytes of a scalar's value: the
// same ones, or, when it is whole, an escape, a line break or the like that can only
// be replaced as a whole.
type piece struct {
	value, source int // where each begins; source counts from the file's beginning
	length        int // of the value's bytes
	sourceLength  int
	whole         bool
}

// pieces takes a scalar apart. end is where the scalar's text ends, its closing quote
// excluded. The error is errNoPlace when the file is written in a way that is not
// understood here; the value is then what the parser says all the same.
func (n *node) pieces(src []byte) (list []piece, end int, err error) {
	c := &cutter{src: src, at: n.start, want: n.value}
	switch n.style {
	case jsonStyle, doubleStyle, singleStyle:
		c.at++
		c.quoted(n.style)
	case literalStyle, foldedStyle:
		c.block(n.style == foldedStyle)
	default:
		c.plain()
	}
	if c.failed || c.value.String() != n.value {
		return nil, c.at, errNoPlace
	}
	return c.list, c.at, nil
}

// literalEnd finds where a scalar ends in the file, quotes included.
func literalEnd(src []byte, n *node) (int, bool) {
	switch n.style {
	case doubleStyle, singleStyle, jsonStyle:
		if n.start >= len(src) || src[n.start] != quoteOf(n.style) {
			return 0, false
		}
		for i := n.start + 1; i < len(src); i++ {
			switch {
			case src[i] == '\\' && n.style != singleStyle:
				i++
			case src[i] != quoteOf(n.style):
			case n.style == singleStyle && i+1 < len(src) && src[i+1] == '\'':
				i++
			default:
				return i + 1, true
			}
		}
		return 0, false
	}
	_, end, err := n.pieces(src)
	return end, err == nil
}

func quoteOf(s style) byte {
	if s == singleStyle {
		return '\''
	}
	return '"'
}

// A cutter reads one scalar as YAML's or JSON's scanner does, and notes what came
// from where.
type cutter struct {
	src    []byte
	at     int
	want   string // the value, which says where a plain scalar ends
	value  strings.Builder
	list   []piece
	failed bool
}

// copy takes n bytes as they are.
func (c *cutter) copy(n int) {
	if n == 0 {
		return
	}
	if last := len(c.list) - 1; last >= 0 {
		p := &c.list[last]
		if !p.whole && p.value+p.length == c.value.Len() && p.source+p.length == c.at {
			p.length += n
			p.sourceLength += n
			c.value.Write(c.src[c.at : c.at+n])
			c.at += n
			return
		}
	}
	c.list = append(c.list, piece{c.value.Len(), c.at, n, n, false})
	c.value.Write(c.src[c.at : c.at+n])
	c.at += n
}

// put takes n bytes of the file for other ones.
func (c *cutter) put(n int, value string) {
	c.list = append(c.list, piece{c.value.Len(), c.at, len(value), n, true})
	c.value.WriteString(value)
	c.at += n
}

// lineBreak is what the break at the cutter's place is read as: "\n", or itself.
func (c *cutter) lineBreak(at int) (value string, length int) {
	length = breakLength(c.src, at)
	if length == 3 {
		return string(c.src[at : at+3]), 3
	}
	return "\n", length
}

func (c *cutter) isBreak(at int) bool { return at < len(c.src) && breakLength(c.src, at) > 0 }

func (c *cutter) isBlank(at int) bool {
	return at < len(c.src) && (c.src[at] == ' ' || c.src[at] == '\t')
}

// fold reads white space with at least one line break in it, from the cutter's place.
// escaped says that a backslash stood before the first break.
func (c *cutter) fold(escaped int) {
	from, end := c.at, c.at+escaped
	var breaks []string
	for end < len(c.src) && (c.isBlank(end) || c.isBreak(end)) {
		if c.isBlank(end) {
			end++
			continue
		}
		value, n := c.lineBreak(end)
		breaks = append(breaks, value)
		end += n
	}
	value := ""
	switch {
	case escaped > 0:
		value = strings.Join(breaks[1:], "")
	case breaks[0] != "\n":
		value = strings.Join(breaks, "")
	case len(breaks) == 1:
		value = " "
	default:
		value = strings.Join(breaks[1:], "")
	}
	c.put(end-from, value)
}

// blanks reads white space inside a flow scalar: with a line break it is folded.
func (c *cutter) blanks() {
	end := c.at
	for c.isBlank(end) {
		end++
	}
	if c.isBreak(end) {
		c.fold(0)
		return
	}
	c.copy(end - c.at)
}

func (c *cutter) quoted(s style) {
	quote := quoteOf(s)
	for c.at < len(c.src) {
		switch ch := c.src[c.at]; {
		case ch == '\'' && s == singleStyle && c.at+1 < len(c.src) && c.src[c.at+1] == '\'':
			c.put(2, "'")
		case ch == quote:
			return
		case s != jsonStyle && (c.isBlank(c.at) || c.isBreak(c.at)):
			c.blanks()
		case ch == '\\' && s != singleStyle:
			if s == doubleStyle && c.isBreak(c.at+1) {
				c.fold(1)
				continue
			}
			if !c.escape(s) {
				c.failed = true
				return
			}
		default:
			n := 1
			for c.at+n < len(c.src) {
				ch := c.src[c.at+n]
				if ch == quote || ch == '\\' || ch == ' ' || ch == '\t' || breakLength(c.src, c.at+n) > 0 {
					break
				}
				n++
			}
			c.copy(n)
		}
	}
	c.failed = true
}

var escapes = map[byte]string{'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r",
	'e': "\x1b", ' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029"}

func (c *cutter) escape(s style) bool {
	if c.at+1 >= len(c.src) {
		return false
	}
	digits := 0
	switch c.src[c.at+1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		value, ok := escapes[c.src[c.at+1]]
		if ok {
			c.put(2, value)
		}
		return ok
	}
	r, ok := c.hex(c.at+2, digits)
	if !ok {
		return false
	}
	n := 2 + digits
	if s == jsonStyle && 0xd800 <= r && r < 0xe000 {
		low, ok := c.hex(c.at+8, 4)
		if r < 0xdc00 && ok && c.src[c.at+6] == '\\' && c.src[c.at+7] == 'u' && 0xdc00 <= low && low < 0xe000 {
			r, n = (r-0xd800)<<10+(low-0xdc00)+0x10000, 12
		} else {
			r = utf8.RuneError
		}
	}
	c.put(n, string(r))
	return true
}

func (c *cutter) hex(at, digits int) (rune, bool) {
	if at+digits > len(c.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(c.src[at:at+digits]), 16, 32)
	return rune(v), err == nil
}

// plain reads an unquoted scalar, which ends where its value does.
func (c *cutter) plain() {
	for c.value.Len() < len(c.want) {
		if c.at >= len(c.src) {
			c.failed = true
			return
		}
		if c.isBlank(c.at) || c.isBreak(c.at) {
			c.blanks()
			continue
		}
		n, rest := 1, c.want[c.value.Len():]
		for n < len(rest) && c.at+n < len(c.src) && c.src[c.at+n] == rest[n] && rest[n] != ' ' && rest[n] != '\t' && breakLength(c.src, c.at+n) == 0 {
			n++
		}
		c.copy(n)
	}
}

// block reads a literal or folded scalar from its header on.
func (c *cutter) block(folded bool) {
	for c.at < len(c.src) && !c.isBreak(c.at) {
		c.at++
	}
	if c.at < len(c.src) {
		_, n := c.lineBreak(c.at)
		c.at += n
	}
	indent, ok := c.indentation()
	if !ok {
		c.emptyBlock()
		return
	}
	type pendingBreak struct {
		at, length int
		value      string
	}
	var pending []pendingBreak // breaks since the last line of content
	wasBlank, content := false, false
	flush := func(isBlank bool) {
		for i, b := range pending {
			value := b.value
			if folded && content && i == 0 && !wasBlank && !isBlank && value == "\n" {
				if value = ""; len(pending) == 1 {
					value = " "
				}
			}
			c.at = b.at
			c.put(b.length, value)
		}
		pending = pending[:0]
	}
	end := c.at
	for c.at < len(c.src) {
		start := c.at
		i := start
		for i < len(c.src) && i-start < indent && c.src[i] == ' ' {
			i++
		}
		if i < len(c.src) && c.isBreak(i) { // an empty line
			value, n := c.lineBreak(i)
			pending = append(pending, pendingBreak{start, i - start + n, value})
			c.at = i + n
			continue
		}
		if i == len(c.src) || i-start < indent {
			break
		}
		isBlank := c.isBlank(i)
		flush(isBlank)
		c.at = i
		for i < len(c.src) && !c.isBreak(i) {
			i++
		}
		c.copy(i - c.at)
		wasBlank, content = isBlank, true
		end = i
		if i < len(c.src) {
			value, n := c.lineBreak(i)
			pending = append(pending, pendingBreak{i, n, value})
			end = i + n
		}
		c.at = end
	}
	if c.value.Len() < len(c.want) {
		last := end
		for _, b := range pending { // as many of the last breaks as the header keeps
			if c.value.Len() == len(c.want) {
				break
			}
			c.at = b.at
			c.put(b.length, b.value)
			last = max(last, c.at)
		}
		if c.value.Len() < len(c.want) && strings.HasSuffix(c.want, "\n") {
			c.put(0, "\n") // the parser ends a line that the file does not
		}
		end = last
	}
	c.at = end
}

// emptyBlock is a block of line breaks alone.
func (c *cutter) emptyBlock() {
	for c.value.Len() < len(c.want) && c.at < len(c.src) {
		i := c.at
		for i < len(c.src) && c.src[i] == ' ' {
			i++
		}
		if !c.isBreak(i) {
			break
		}
		value, n := c.lineBreak(i)
		c.put(i-c.at+n, value)
	}
}

// indentation is that of the block's lines. The first line that is no empty one tells:
// what it has more than its value has.
func (c *cutter) indentation() (int, bool) {
	want := strings.TrimLeft(c.want, "\n\u0085\u2028\u2029")
	if want == "" {
		return 0, false
	}
	own := len(want) - len(strings.TrimLeft(want, " "))
	for at := c.at; at < len(c.src); {
		i := at
		for i < len(c.src) && c.src[i] == ' ' {
			i++
		}
		if i < len(c.src) && c.isBreak(i) && i-at <= own {
			_, n := c.lineBreak(i)
			at = i + n
			continue
		}
		return i - at - own, i-at >= own
	}
	return 0, false
}

// sourceAt is where the byte at offset of a scalar's value stands in the file.
func sourceAt(pieces []piece, n *node, offset int) int {
	i := sort.Search(len(pieces), func(i int) bool { return pieces[i].value+pieces[i].length > offset })
	if i == len(pieces) {
		return max(n.start, n.end-1)
	}
	p := pieces[i]
	if p.whole || offset < p.value {
		return p.source
	}
	return p.source + offset - p.value
}

// An edit puts text in place of a span of the file.
type edit struct {
	span
	text string
}

func sortSpans(list []span) {
	slices.SortFunc(list, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
}

// replace gives the edits that make a scalar's value another, and touch nothing that
// stays: the quotes, the escapes and the line breaks of the rest are the user's.
func (n *node) replace(src []byte, value string) ([]edit, bool) {
	if n.kind == other || n.style == plainStyle && n.value == "" {
		return nil, false
	}
	pieces, end, err := n.pieces(src)
	if err != nil {
		return nil, false
	}
	var out []edit
	for _, ch := range changes(n.value, value) {
		from, to := ch.start, ch.end
		text := ch.text
		// An escape is replaced whole: what it means beside the change is written anew.
		first := sort.Search(len(pieces), func(i int) bool { return pieces[i].value+pieces[i].length > from })
		start := end
		if first < len(pieces) {
			p := pieces[first]
			if p.whole && from > p.value {
				text = n.value[p.value:from] + text
				from = p.value
			}
			start = p.source + (from - p.value)
		}
		stop := start
		if to > from {
			last := sort.Search(len(pieces), func(i int) bool { return pieces[i].value+pieces[i].length >= to })
			p := pieces[last]
			if p.whole {
				text += n.value[to : p.value+p.length]
				stop = p.source + p.sourceLength
			} else {
				stop = p.source + (to - p.value)
			}
		}
		quoted, ok := n.quote(src, text)
		if !ok {
			return nil, false
		}
		out = append(out, edit{span{start, stop}, quoted})
	}
	return out, true
}

// quote writes text as it must stand inside the scalar.
func (n *node) quote(src []byte, text string) (string, bool) {
	switch n.style {
	case jsonStyle:
		return quoteJSON(text), true
	case doubleStyle:
		return quoteDouble(text), true
	case singleStyle:
		return strings.ReplaceAll(text, "'", "''"), isPlainText(text)
	case foldedStyle:
		return text, isPlainText(text)
	case literalStyle:
		for _, line := range strings.Split(text, "\n") {
			if !isPlainText(line) {
				return "", false
			}
		}
		if !strings.Contains(text, "\n") {
			return text, true
		}
		c := &cutter{src: src, at: n.start, want: n.value}
		for c.at < len(src) && !c.isBreak(c.at) {
			c.at++
		}
		c.at += breakLength(src, min(c.at, len(src)-1))
		indent, ok := c.indentation()
		return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", indent)), ok
	}
	return text, isPlainText(text) && !strings.ContainsAny(text, " \t#:,[]{}\"'&*!|>%@`")
}

// isPlainText reports whether YAML takes text as it stands, on one line.
func isPlainText(text string) bool {
	for i, r := range text {
		if r < 0x20 && r != '\t' || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0xfffe && r <= 0xffff ||
			r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
			return false
		}
	}
	return true
}

// anew writes a whole scalar in double quotes, for a text that its style cannot hold.
func (n *node) anew(src []byte, value string) edit {
	text := `"` + quoteDouble(value) + `"`
	if n.style == jsonStyle {
		text = `"` + quoteJSON(value) + `"`
	}
	if n.style == literalStyle || n.style == foldedStyle {
		if end := n.end; end > 0 && end <= len(src) && (src[end-1] == '\n' || src[end-1] == '\r') {
			text += "\n"
		}
	}
	return edit{span{n.start, n.end}, text}
}

func quoteJSON(text string) string {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil { // bytes that are no UTF-8 are written as U+FFFD
		quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "\ufffd"))
	}
	return string(quoted[1 : len(quoted)-1])
}

func quoteDouble(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case isPlainText(string(r)):
			b.WriteRune(r)
		default: // every such character is below U+10000
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[r>>shift&15])
			}
		}
	}
	return b.String()
}
