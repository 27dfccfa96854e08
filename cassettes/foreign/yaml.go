package foreign

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseYAML reads one YAML document. Tags of Ruby and Python are read as what they
// are written as; nothing is constructed.
func parseYAML(name string, src []byte) (*node, error) {
	if err := checkText(name, src); err != nil {
		return nil, err
	}
	var doc yaml.Node
	err := yaml.Load(src, &doc)
	var syntax *yaml.LoadError
	switch {
	case len(bytes.TrimSpace(src)) == 0:
		return nil, &Error{File: name, Fault: "the file is empty", Cure: restore}
	case errors.As(err, &syntax):
		return nil, &Error{File: name, Line: syntax.Mark.Line, Fault: "this is not YAML: " + static(syntax.Message), Cure: "correct this line, or " + restore}
	case err != nil, doc.Kind != yaml.DocumentNode, len(doc.Content) != 1:
		return nil, &Error{File: name, Fault: "this is not one YAML document", Cure: restore}
	}
	p := &yamlTree{name: name, src: src, lines: newLineTable(src, true), made: make(map[*yaml.Node]*node)}
	p.line = -1
	if err := p.keep(doc.Content[0]); err != nil {
		return nil, err
	}
	root := p.made[doc.Content[0]]
	root.lines = p.lines
	return root, nil
}

// static returns a parser's message if it quotes nothing of the file, which is traffic.
func static(message string) string {
	if quoting.MatchString(message) {
		return "it cannot be read here"
	}
	return message
}

// quoting finds a quoted word; quoted punctuation is the parser's own.
var quoting = regexp.MustCompile("['\"`<][^ ,]*[\\pL\\pN]")

// checkText finds the bytes that no YAML file may hold, since the parser does not say
// on which line they are.
func checkText(name string, src []byte) error {
	fault := func(at int, what string) error {
		return &Error{File: name, Line: 1 + bytes.Count(src[:at], []byte("\n")), Fault: what, Cure: restore}
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return fault(0, "the file is UTF-16")
	}
	for i := 0; i < len(src); {
		c := src[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
				return fault(i, "the line holds a control character")
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return fault(i, "the line is not UTF-8")
		}
		i += n
	}
	return nil
}

// A yamlTree makes nodes of a parser's, and finds where each is written.
type yamlTree struct {
	name  string
	src   []byte
	lines *lineTable
	made  map[*yaml.Node]*node // nil while the node is being made

	line, column, at int // the last place looked up
}

// keep makes the node of n and of all that stands in it, each once: what an alias
// repeats is shared, so that a small file does not unfold to gigabytes.
func (p *yamlTree) keep(n *yaml.Node) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if m, ok := p.made[n]; ok {
		if m == nil {
			return &Error{File: p.name, Line: n.Line, Fault: "an alias stands for something that holds it", Cure: "write the values out"}
		}
		return nil
	}
	p.made[n] = nil
	m := &node{line: n.Line, tag: n.Tag}
	m.start = p.offset(n.Line, n.Column)
	m.end = m.start
	child := func(c *yaml.Node) (*node, error) {
		if err := p.keep(c); err != nil {
			return nil, err
		}
		for c.Kind == yaml.AliasNode {
			c = c.Alias
		}
		return p.made[c], nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m.kind = object
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, err := child(n.Content[i])
			if err != nil {
				return err
			}
			v, err := child(n.Content[i+1])
			if err != nil {
				return err
			}
			m.keys, m.kids = append(m.keys, k), append(m.kids, v)
		}
	case yaml.SequenceNode:
		m.kind = list
		for _, c := range n.Content {
			v, err := child(c)
			if err != nil {
				return err
			}
			m.kids = append(m.kids, v)
		}
	default:
		m.value = n.Value
		switch n.Tag {
		case "!!null", "!!bool", "!!int", "!!float", "!!timestamp", "!!merge":
		default:
			m.kind = text
		}
		if m.tag == "!!str" {
			m.tag = ""
		}
		switch {
		case n.Style&yaml.DoubleQuotedStyle != 0:
			m.style = doubleStyle
		case n.Style&yaml.SingleQuotedStyle != 0:
			m.style = singleStyle
		case n.Style&yaml.LiteralStyle != 0:
			m.style = literalStyle
		case n.Style&yaml.FoldedStyle != 0:
			m.style = foldedStyle
		}
		if m.value != "" || m.style != plainStyle {
			m.start = p.skipProperties(m.start)
			end, ok := literalEnd(p.src, m)
			if !ok {
				return &Error{File: p.name, Line: n.Line, Fault: "this value's end cannot be found, so it could not be replaced", Cure: "write it in double quotes"}
			}
			m.end = end
		}
	}
	p.made[n] = m
	return nil
}

// offset is where a line and column of the parser's are in the file. It counts in
// characters, and knows more line breaks than \n.
func (p *yamlTree) offset(line, column int) int {
	if line < 1 || line > len(p.lines.starts) {
		return len(p.src)
	}
	at, c := p.lines.starts[line-1], 1
	if line == 1 && bytes.HasPrefix(p.src, []byte(byteOrderMark)) {
		at += len(byteOrderMark)
	}
	if p.line == line && p.column <= column { // a file may be one long line
		at, c = p.at, p.column
	}
	for ; c < column && at < len(p.src); c++ {
		_, n := utf8.DecodeRune(p.src[at:])
		at += n
	}
	p.line, p.column, p.at = line, c, at
	return at
}

// skipProperties steps over a tag and an anchor.
func (p *yamlTree) skipProperties(at int) int {
	for at < len(p.src) && (p.src[at] == '!' || p.src[at] == '&') {
		for at < len(p.src) && !strings.ContainsRune(" \t\r\n", rune(p.src[at])) {
			at++
		}
		for at < len(p.src) && strings.ContainsRune(" \t\r\n", rune(p.src[at])) {
			at++
			if at < len(p.src) && p.src[at] == '#' {
				for at < len(p.src) && p.src[at] != '\n' {
					at++
				}
			}
		}
	}
	return at
}

// yamlComments finds the comments of a file: what begins with # after white space and
// stands in no scalar.
func yamlComments(src []byte, root *node) []span {
	var scalars []span
	seen := make(map[*node]bool)
	var walk func(n *node)
	walk = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.kind <= text {
			scalars = append(scalars, span{n.start, n.end})
		}
		for i := range n.kids {
			if n.kind == object {
				walk(n.keys[i])
			}
			walk(n.kids[i])
		}
	}
	walk(root)
	sortSpans(scalars)
	var out []span
	last := 0
	gap := func(end int) {
		for i := last; i < end; i++ {
			if src[i] != '#' || i > 0 && !strings.ContainsRune(" \t\r\n", rune(src[i-1])) {
				continue
			}
			stop := i
			for stop < len(src) && breakLength(src, stop) == 0 {
				stop++
			}
			out = append(out, span{i, stop})
			i = stop
		}
	}
	for _, s := range scalars {
		if s.start >= last {
			gap(s.start)
		}
		last = max(last, s.end)
	}
	gap(len(src))
	return out
}

var errNoPlace = errors.New("where this value stands in the file cannot be told")
