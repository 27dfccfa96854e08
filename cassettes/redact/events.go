package redact

import (
	"slices"
	"sort"
	"strings"

	"tapedeck/cassettes/leaves"
)

// A piece is a part of a text that clients join with others.
type piece struct {
	start, end int    // in the body, with quotes
	value      string // decoded
	bare       bool   // value is written as it is, not as a JSON string
}

func (one *piece) write(b *strings.Builder) {
	if one.bare {
		b.WriteString(one.value)
	} else {
		b.Write(leaves.QuoteJSON(one.value))
	}
}

// events redacts what a stream gives away only once its pieces are joined: a value
// over several data lines of one event, and text that comes in deltas, of which
// clients join those that stand in the same place of one event after the other
// ({"delta":"sk_te"}, {"delta":"st_…"}). The first piece that holds a part of the
// secret gets the placeholder, the others lose theirs. What stands in one piece is
// redacted already. Numbers are joined by nobody, so cards are not looked for.
func (p *pass) events(contentType, s string) string {
	learned := p.v.Learned()
	if p.noEvents.is(contentType, s, learned) && !p.v.thorough {
		return s
	}
	var edits []piece
	for _, group := range streamPieces(contentType, s) {
		edits = p.joined(edits, group)
	}
	if len(edits) == 0 {
		p.noEvents = quietText{contentType, s, learned}
		return s
	}
	slices.SortFunc(edits, func(a, b piece) int { return a.start - b.start })
	var b strings.Builder
	last := 0
	for _, one := range edits {
		b.WriteString(s[last:one.start])
		one.write(&b)
		last = one.end
	}
	b.WriteString(s[last:])
	return b.String()
}

// joined appends the pieces of a group that change, with their new values.
func (p *pass) joined(edits []piece, group []piece) []piece {
	starts := make([]int, len(group)+1)
	size := 0
	for i := range group {
		size += len(group[i].value)
	}
	var all strings.Builder
	all.Grow(size)
	var placeholders []Placeholder // of each piece: a digit may start the next
	for i, one := range group {
		if strings.Contains(one.value, word) {
			for _, ph := range wordPlaceholders(one.value) {
				placeholders = append(placeholders, Placeholder{Start: starts[i] + ph.Start, End: starts[i] + ph.End})
			}
		}
		all.WriteString(one.value)
		starts[i+1] = all.Len()
	}
	text := all.String()
	pieceAt := func(at int) int { return sort.SearchInts(starts, at+1) - 1 }
	values := make(map[int]*strings.Builder) // of the pieces that change
	last := 0
	keep := func(to int) { // text[last:to] stays, where it touches a piece that changes
		for last < to {
			i := pieceAt(last)
			end := min(starts[i+1], to)
			if values[i] == nil {
				values[i] = &strings.Builder{}
			}
			values[i].WriteString(text[last:end])
			last = end
		}
	}
	gaps(text, placeholders, func(start, end int) {
		p.eachGap(text[start:end], func(from, to int) {
			p.eachSpanning(text, start+from, start+to, pieceAt, func(h hit, limit int) {
				if h.start < last {
					return
				}
				first := pieceAt(h.start)
				if last == 0 {
					last = starts[first]
				}
				keep(h.start)
				clean, to := p.replacement("body", text, h, limit)
				if values[first] == nil {
					values[first] = &strings.Builder{}
				}
				values[first].WriteString(clean)
				for i := first + 1; i <= pieceAt(to-1); i++ {
					values[i] = &strings.Builder{}
				}
				last = to
			})
		})
	})
	if last == 0 {
		return edits
	}
	keep(starts[pieceAt(last-1)+1])
	for i, value := range values {
		if one := group[i]; value.String() != one.value {
			one.value = value.String()
			edits = append(edits, one)
		}
	}
	return edits
}

// eachSpanning calls f for the secrets in text[start:end] that stand in more than one
// piece.
func (p *pass) eachSpanning(text string, start, end int, pieceAt func(int) int, f func(h hit, limit int)) {
	if pieceAt(start) == pieceAt(max(start, end-1)) {
		return
	}
	for _, h := range p.hits("body", inBody, text[start:end]) {
		h.shift(start)
		if h.rule != nil && h.rule.shape == shapeCard || pieceAt(h.start) == pieceAt(h.end-1) {
			continue
		}
		f(h, end)
	}
}

// streamPieces finds the groups of pieces of a stream that are joined, of two pieces
// or more.
func streamPieces(contentType, s string) [][]piece {
	name, _, _ := strings.Cut(contentType, ";")
	g := groups{byPlace: make(map[leaves.Place]int)}
	switch {
	case strings.EqualFold(strings.TrimSpace(name), "text/event-stream"):
		g.events(s)
	case leaves.FormatOf(contentType, []byte(s)) == leaves.NDJSON:
		eachLine(s, func(start, end int) { g.object(s, start, end) })
	}
	return slices.DeleteFunc(g.list, func(group []piece) bool { return len(group) < 2 })
}

type groups struct {
	list    [][]piece
	byPlace map[leaves.Place]int
}

// rawDeltas is where events that are no JSON are joined.
var rawDeltas = []byte("body.data")

func (g *groups) add(place []byte, one piece) {
	i, ok := g.byPlace[leaves.Place(place)]
	if !ok {
		i = len(g.list)
		g.byPlace[leaves.Place(place)] = i
		g.list = append(g.list, nil)
	}
	if there := g.list[i]; len(there) == cap(there) {
		g.list[i] = slices.Grow(there, 4+2*len(there)) // there are as many as events
	}
	g.list[i] = append(g.list[i], one)
}

// events reads server-sent events (https://html.spec.whatwg.org/#event-stream-interpretation).
func (g *groups) events(s string) {
	var data []piece
	dispatch := func() {
		if len(data) > 1 {
			g.list = append(g.list, data)
		} else if len(data) == 1 && !g.object(s, data[0].start, data[0].end) {
			g.add(rawDeltas, data[0])
		}
		data = nil
	}
	eachLine(s, func(start, end int) {
		if start == end {
			dispatch()
			return
		}
		value, ok := strings.CutPrefix(s[start:end], "data:")
		if !ok {
			return
		}
		value = strings.TrimPrefix(value, " ")
		data = append(data, piece{start: end - len(value), end: end, value: value, bare: true})
	})
	dispatch()
}

// object enters the strings of a JSON object, each with those in the same place of
// other events; ok is false when there is none.
func (g *groups) object(s string, start, end int) (ok bool) {
	text := s[start:end]
	if !strings.HasPrefix(strings.TrimLeft(text, " \t"), "{") {
		return false
	}
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	if _, err := o.Body("application/json", text); err != nil {
		return false
	}
	var place [128]byte
	for i := range o.Len() {
		if o.Kind(i) == leaves.String {
			from, to := o.Span(i)
			g.add(o.AppendPlace(place[:0], i), piece{start: start + from, end: start + to, value: o.Value(i)})
		}
	}
	return true
}

// eachLine calls f for the lines of s, without their ends.
func eachLine(s string, f func(start, end int)) {
	feed, carriage := -1, -1 // the next of each
	after := func(at, start int, c byte) int {
		if at < start {
			if at = strings.IndexByte(s[start:], c); at < 0 {
				return len(s)
			}
			at += start
		}
		return at
	}
	for start := 0; start < len(s); {
		feed, carriage = after(feed, start, '\n'), after(carriage, start, '\r')
		end := min(feed, carriage)
		f(start, end)
		start = end + 1
		if end < len(s) && s[end] == '\r' && start < len(s) && s[start] == '\n' {
			start++
		}
	}
}
