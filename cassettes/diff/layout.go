package diff

import "strings"

// A style is how a JSON text is written, as far as one can tell from its first lines. What
// is new in it is written so; what was there keeps its own gaps.
type style struct {
	// line is the line break of a text with one member to a line, "" for one without.
	line, indent string
	colon, comma string
}

// styleOf reads the style of a JSON text off the tree of it.
func styleOf(n *node) style {
	s := style{colon: ":", comma: ","}
	if g, ok := firstGaps(n, func(n *node) bool { return n.shape == object && len(n.kids) > 0 }); ok {
		s.colon = g.colon
	}
	if n.gaps != nil {
		if i := strings.IndexByte(n.gaps.open, '\n'); i >= 0 {
			s.line, s.indent = n.gaps.open[:i+1], n.gaps.open[i+1:]
			return s
		}
	}
	if g, ok := firstGaps(n, func(n *node) bool { return len(n.kids) > 1 }); ok {
		s.comma = g.sep
	} else if strings.HasSuffix(s.colon, " ") {
		s.comma = ", " // as Python writes
	}
	return s
}

// firstGaps finds the first object or array that is wanted. It looks at the first members
// only: a text is written in one style, or in none.
func firstGaps(n *node, wanted func(*node) bool) (gaps, bool) {
	if n.gaps != nil && wanted(n) {
		return *n.gaps, true
	}
	for i := range min(len(n.kids), 20) {
		if kid := n.kids[i].node; kid.isContainer() {
			if g, ok := firstGaps(kid, wanted); ok {
				return g, true
			}
		}
	}
	return gaps{}, false
}

// gaps are those of an object or array that stands depth levels deep.
func (s style) gaps(depth int) gaps {
	if s.line == "" {
		return gaps{sep: s.comma, colon: s.colon}
	}
	inner := s.line + strings.Repeat(s.indent, depth+1)
	return gaps{open: inner, sep: "," + inner, colon: s.colon, close: s.line + strings.Repeat(s.indent, depth)}
}

// append writes a node: what has a source as it stands there, the rest in the style.
func (s style) append(b []byte, n *node, depth int) []byte {
	if n.shape == plain {
		return append(b, quoted(n.value)...)
	}
	if n.raw != "" {
		return append(b, n.raw...)
	}
	open, end := byte('{'), byte('}')
	if n.shape == array {
		open, end = '[', ']'
	}
	b = append(b, open)
	if len(n.kids) > 0 {
		var g gaps
		if n.gaps == nil {
			g = s.gaps(depth)
		} else if g = *n.gaps; g.sep == "" { // there was one member
			if g.sep = s.comma; strings.Contains(g.open, "\n") {
				g.sep = "," + g.open
			}
		}
		b = append(b, g.open...)
		for i, k := range n.kids {
			if i > 0 {
				b = append(b, g.sep...)
			}
			if n.shape == object {
				if k.raw != "" {
					b = append(b, k.raw...)
				} else {
					b = append(b, quoted(k.name)...)
				}
				b = append(b, g.colon...)
			}
			b = s.append(b, k.node, depth+1)
		}
		b = append(b, g.close...)
	}
	return append(b, end)
}
