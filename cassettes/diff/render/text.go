package render

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/fatih/color"

	"tapedeck/cassettes/diff"
)

// Text prints for a terminal: a head that says what matters, then chapter by chapter.
// The error is that of w.
func Text(w io.Writer, d diff.Diff, o Options) error {
	t := &textWriter{outline: newOutline(&d, o), opt: o, paint: newPalette(o.Color), width: o.Width}
	if t.width == 0 {
		t.width = 80
	}
	t.width = max(t.width, leastWidth)
	var body bytes.Buffer
	t.w = bufio.NewWriter(&body)
	for i := range t.outline.chapters {
		t.chapter(&t.outline.chapters[i])
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	t.w = bufio.NewWriter(w)
	t.head(bytes.Count(body.Bytes(), []byte("\n")) > oneScreen)
	if _, err := t.w.Write(body.Bytes()); err != nil {
		return err
	}
	return t.w.Flush()
}

// oneScreen is how many lines a reader sees at once. A longer report says in its head
// what must not be missed.
const oneScreen = 16

// leastWidth is what the columns of a report need.
const leastWidth = 60

// A palette colours words, or leaves them.
type palette struct {
	title, faint, removed, added func(a ...any) string
	grades                       map[diff.Grade]func(a ...any) string
	on                           bool
}

func newPalette(on bool) palette {
	of := func(attributes ...color.Attribute) func(a ...any) string {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	return palette{
		on: on, title: of(color.Bold), faint: of(color.Faint), removed: of(color.FgRed), added: of(color.FgGreen),
		grades: map[diff.Grade]func(a ...any) string{
			diff.Breaking: of(color.FgRed, color.Bold), diff.Additive: of(color.FgGreen),
			diff.Changed: of(color.FgYellow), diff.Volatile: of(color.Faint),
		},
	}
}

func (p palette) grade(g diff.Grade, text string) string {
	if paint := p.grades[g]; paint != nil {
		return paint(text)
	}
	return text
}

func (p palette) mark(mark, text string) string {
	switch mark {
	case "+":
		return p.added(text)
	case "-":
		return p.removed(text)
	}
	return text
}

// A textWriter prints one Diff. What it writes goes through a bufio.Writer, whose
// first error is kept for the end.
type textWriter struct {
	*outline
	opt   Options
	paint palette
	width int
	w     *bufio.Writer
}

func (t *textWriter) line(parts ...string) {
	text := strings.TrimRight(strings.Join(parts, ""), " ")
	t.w.WriteString(text)
	t.w.WriteByte('\n')
}

// margin is where everything but grades begins.
const margin = "          "

func (t *textWriter) chapter(c *chapter) {
	t.line()
	t.line(t.paint.title(c.title))
	for _, h := range c.hosts {
		t.line("  ", t.paint.added("+ "+inLine(h.Host)), t.aside("in "+t.cassettes(h.Cassettes)))
	}
	t.rules(c.rules)
	for i, p := range c.parts {
		if i > 0 {
			t.line()
		}
		t.part(&p)
	}
}

// cassettes names the first few of some cassettes.
func (t *textWriter) cassettes(list []string) string {
	var texts []string
	for i, name := range list {
		if i == mostPlaces {
			texts = append(texts, "and "+thousands(len(list)-i)+" more")
			break
		}
		texts = append(texts, inLine(strings.TrimPrefix(name, t.names.folder)))
	}
	return strings.Join(texts, ", ")
}

// aside is a remark behind a line, faint.
func (t *textWriter) aside(text string) string {
	if text == "" {
		return ""
	}
	return "  " + t.paint.faint(text)
}

func (t *textWriter) part(p *part) {
	route := cut(inLine(p.route), t.width-len(margin))
	if route == "" {
		route = "the cassette as a whole"
	}
	var list []entry
	for _, g := range p.groups {
		e := t.entry(g)
		if e.whole {
			t.whole(p.grade, route, &e)
			continue
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return
	}
	// Where all of them happened is said once.
	where := t.where(list[0].refs)
	for i := range list {
		if len(list[i].examples) > 1 || t.where(list[i].refs) != where {
			where = ""
		}
	}
	t.wrapped(t.grade(p.grade, string(p.grade)), route, where)
	for i := range list {
		t.change(&list[i], where == "")
	}
}

// grade writes a word in the column of grades.
func (t *textWriter) grade(g diff.Grade, word string) string {
	return t.paint.grade(g, word) + strings.Repeat(" ", max(len(margin)-len(word), 1))
}

// whole prints interactions that are new or gone. The first stands for all.
func (t *textWriter) whole(grade diff.Grade, route string, e *entry) {
	in := t.interaction(e.refs[0])
	if in == nil {
		return
	}
	b := briefOf(in)
	if len(e.refs) == 1 {
		route = b.line(t.width - len(margin))
	}
	t.wrapped(t.grade(grade, wholeWords[e.mark]), route, t.where(e.refs))
	room := t.width - len(margin) - 9
	if len(e.refs) > 1 {
		t.line(margin, t.paint.faint("one of "+thousands(len(e.refs))+"  "), b.line(room-8))
	}
	if b.sends != "" {
		t.line(margin, t.paint.faint("  sends  "), cut(b.sends, room))
	}
	if b.gets != "" {
		t.line(margin, t.paint.faint("  gets   "), cut(b.gets, room))
	}
}

// wholeWords say what became of an interaction.
var wholeWords = map[string]string{"+": "new", "-": "gone"}

// wrapped prints what a part is about, with a remark behind it, or below where it does not fit.
func (t *textWriter) wrapped(head, title, remark string) {
	room := t.width - len(margin)
	if columns(title)+2+columns(remark) <= room {
		t.line(head, t.paint.title(title), t.aside(remark))
		return
	}
	t.line(head, t.paint.title(cut(title, room)))
	t.remark(margin+"  ", remark)
}

// remark prints a remark on lines of its own.
func (t *textWriter) remark(indent, text string) {
	for _, line := range wrap(text, t.width-len(indent)) {
		t.line(indent, t.paint.faint(line))
	}
}

// wrap breaks a text at spaces into lines of n columns.
func wrap(text string, n int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// change prints one group of changes, and where if that is asked for.
func (t *textWriter) change(e *entry, sayWhere bool) {
	where := ""
	if sayWhere && (len(e.examples) <= 1 || e.more > 0) {
		where = t.where(e.refs)
	}
	note := e.note
	if note != "" {
		note = "(" + note + ")"
	}
	place := cut(e.place, t.width-len(margin)-2)
	head := margin + t.paint.mark(e.mark, e.mark+" "+place)
	used := len(margin) + 2 + columns(place)
	if len(e.examples) == 1 && e.examples[0].refs == nil {
		value, short := t.inline(&e.examples[0], t.width-used-2)
		if short {
			used += 2 + columns(value.plain)
			head += "  " + value.painted
			t.finish(head, used, note, where)
			return
		}
		t.finish(head, used, note, where)
		t.values(&e.examples[0], margin+"    ")
		return
	}
	t.finish(head, used, note, where)
	for i := range e.examples {
		x := &e.examples[i]
		at := t.where(x.refs)
		if x.place != "" {
			at = x.place + " in " + at
		}
		indent := margin + "    "
		value, short := t.inline(x, t.width-len(indent))
		switch {
		case short && len(indent)+columns(value.plain)+2+columns(at) <= t.width:
			t.line(indent, value.painted, t.aside(at))
		default:
			t.remark(indent, at)
			t.values(x, indent+"  ")
		}
	}
	if e.more > 0 {
		t.line(margin, "    ", t.paint.faint("and "+counted(e.more, "place", "places")+" with other values"))
	}
}

// finish ends a line with its remarks, each on this line if it fits and below if not.
func (t *textWriter) finish(head string, used int, remarks ...string) {
	var below []string
	for _, r := range remarks {
		if r == "" {
			continue
		}
		if len(below) == 0 && used+2+columns(r) <= t.width {
			head += t.aside(r)
			used += 2 + columns(r)
			continue
		}
		below = append(below, r)
	}
	t.line(head)
	for _, r := range below {
		t.remark(margin+"    ", r)
	}
}
