package render

import (
	"fmt"
	"strings"

	"tapedeck/cassettes/diff"
)

const (
	mostLine = 160 // columns of a value, a place, a route
	mostName = 100 // columns of a cassette's name
)

// part writes the groups of one part. Where all of them happened is said once.
func (m *comment) part(c *chapter, p *part) (items []item) {
	where := m.commonWhere(p)
	head := "- " + gradeWord(p.grade) + " " + code(cut(inLine(p.route), mostLine)) + where + "\n"
	if p.route == "" {
		head = "- " + gradeWord(p.grade) + " in the cassette as a whole" + where + "\n"
	}
	for _, g := range p.groups {
		one := item{class: classOf(c, g), grade: g.Grade}
		if e := m.entry(g); e.whole {
			one.text = m.wholeText(&e, p.route)
		} else {
			one.head, one.text = head, m.changeText(&e, where == "")
		}
		items = append(items, one)
	}
	return items
}

func classOf(c *chapter, g *diff.Group) int {
	switch {
	case g.Grade == diff.Breaking:
		return classBreaking
	case g.Grade == diff.Volatile:
		return classRest
	case c.section == diff.Sent:
		return classSent
	case c.section == diff.Answered:
		return classAnswered
	}
	return classRest
}

// commonWhere is where all changes of a part happened, "" if they differ in it.
func (m *comment) commonWhere(p *part) (where string) {
	for i, g := range p.groups {
		if isWhole(g) {
			return ""
		}
		at := m.markedWhere(g.Refs)
		if i > 0 && at != where {
			return ""
		}
		where = at
	}
	if len(p.groups) == 1 && len(m.examplesOf(p.groups[0])) > 1 {
		return ""
	}
	return where
}

func gradeWord(g diff.Grade) string {
	if g == diff.Breaking {
		return "**" + string(g) + "**"
	}
	return string(g)
}

// marked are the marks, so written that they begin no list of their own.
var marked = map[string]string{"+": `\+`, "-": "−", "~": `\~`}

func (m *comment) wholeText(e *entry, route string) string {
	in := m.interaction(e.refs[0])
	if in == nil {
		return ""
	}
	b := briefOf(in)
	title := code(b.line(mostLine))
	if len(e.refs) > 1 {
		title = code(cut(inLine(route), mostLine))
	}
	text := fmt.Sprintf("- %s: %s%s\n", wholeWords[e.mark], title, m.markedWhere(e.refs))
	if len(e.refs) > 1 {
		text += "  - one of them " + code(b.line(mostLine)) + "\n"
	}
	if b.sends != "" {
		text += "  - sends " + code(cut(b.sends, mostLine)) + "\n"
	}
	if b.gets != "" {
		text += "  - gets " + code(cut(b.gets, mostLine)) + "\n"
	}
	return text
}

func (m *comment) changeText(e *entry, sayWhere bool) string {
	where := ""
	if sayWhere && (len(e.examples) <= 1 || e.more > 0) {
		where = m.markedWhere(e.refs)
	}
	line := "  - " + marked[e.mark] + " " + code(cut(e.place, mostLine))
	note := ""
	if e.note != "" {
		note = " (" + prose(cut(e.note, mostLine)) + ")"
	}
	if len(e.examples) == 1 && e.examples[0].refs == nil {
		text := exampleText(&e.examples[0], e.mark)
		if strings.HasPrefix(text, "\n") {
			return line + note + where + text + "\n"
		}
		return line + text + note + where + "\n"
	}
	text := line + note + where + "\n"
	for i := range e.examples {
		x := &e.examples[i]
		at := "    - "
		if x.place != "" {
			at += code(cut(x.place, mostLine)) + ": "
		}
		values, below, _ := strings.Cut(strings.TrimPrefix(exampleText(x, ""), ": "), "\n")
		if below != "" {
			below = "\n" + strings.ReplaceAll("  "+below, "\n", "\n  ")
		}
		text += at + values + m.markedWhere(x.refs) + below + "\n"
	}
	if e.more > 0 {
		text += "    - and " + counted(e.more, "place", "places") + " with other values\n"
	}
	return text
}

// exampleText is the values of a change: in the line, or as a list below it.
func exampleText(x *example, mark string) string {
	write := literal
	if x.retyped {
		write = typed
	}
	switch {
	case x.old == nil && x.new == nil:
		return ""
	case x.old == nil:
		return ": " + code(cut(write(x.new), mostLine))
	case x.new == nil:
		return ": " + code(cut(write(x.old), mostLine))
	case len(x.edits) > 0 && !(fits(literal(x.old), mostLine/4) && fits(literal(x.new), mostLine/4)):
		list, more := hunks(x.edits, mostLine/2)
		var text string
		for _, h := range list {
			text += "\n    - " + code(h.line())
		}
		if more > 0 {
			text += "\n    - and " + counted(more, "place", "places") + " more in this text"
		}
		return text
	}
	old, new := both(x.old, x.new, write, mostLine)
	if columns(old)+columns(new) > mostLine*3/4 && mark != "" {
		return "\n    - − " + code(old) + "\n    - \\+ " + code(new)
	}
	return ": " + code(old) + " → " + code(new)
}

// markedWhere is where a group happened, behind a dash.
func (m *comment) markedWhere(refs []diff.Ref) string {
	list, more := m.spots(refs)
	var texts []string
	for _, s := range list {
		name := s.name
		s.name = ""
		text := s.String()
		if name != "" {
			text = strings.TrimPrefix(strings.TrimPrefix(text, "interactions "), "interaction ")
			text = strings.TrimSpace(code(cutFront(name, mostName)) + " " + text)
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return ""
	}
	text := strings.Join(texts, "; ")
	if n := len(list) + more; n > 1 {
		text = thousands(n) + " cassettes: " + text
	}
	if more > 0 {
		text += "; and " + thousands(more) + " more"
	}
	return " — " + text
}

// markedCassettes names the first few of some cassettes.
func (m *comment) markedCassettes(list []string) string {
	var texts []string
	for i, name := range list {
		if i == mostPlaces {
			texts = append(texts, "and "+thousands(len(list)-i)+" more")
			break
		}
		texts = append(texts, code(cutFront(inLine(strings.TrimPrefix(name, m.names.folder)), mostName)))
	}
	return strings.Join(texts, ", ")
}

// row is one line of the table of cassettes.
func (m *comment) row(f *diff.File) item {
	state := ""
	switch {
	case f.Old == "":
		state = " (new)"
	case f.New == "":
		state = " (gone)"
	case f.Old != f.New:
		state = " (was " + cell(cutFront(inLine(f.Old), mostName)) + ")"
	}
	return item{class: classRest, text: fmt.Sprintf("| %s%s | %s | %s | %s | %s |\n", cell(cutFront(m.names.of(f), mostName)), state,
		orNone(f.Counts.Breaking), orNone(f.Counts.Additive), orNone(f.Counts.Value), orNone(f.Counts.Volatile))}
}

func orNone(n int) string {
	if n == 0 {
		return ""
	}
	return thousands(n)
}

// table writes the cassettes, folded, if there are several.
func (m *comment) table(b *strings.Builder) {
	if len(m.rows) < 2 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n| Cassette | breaking | additive | value | volatile |\n|---|--:|--:|--:|--:|\n", counted(len(m.rows), "cassette", "cassettes"))
	left := 0
	for i := range m.rows {
		if !m.rows[i].taken {
			left++
			continue
		}
		b.WriteString(m.rows[i].text)
	}
	b.WriteString("\n")
	if left > 0 {
		fmt.Fprintf(b, "_Left out here: %s_\n\n", counted(left, "cassette", "cassettes"))
	}
	b.WriteString("</details>\n")
}

func (m *comment) examplesOf(g *diff.Group) []example {
	e := m.entry(g)
	return e.examples
}
