package render

import (
	"fmt"
	"io"
	"strings"

	"tapedeck/cassettes/diff"
)

// DefaultLimit is the most bytes that a comment gets. GitHub takes 65,536 characters,
// and whoever posts the comment wants to add a line of their own.
const DefaultLimit = 65_000

// leastLimit is what head and tail of a comment need in any case.
const leastLimit = 8_000

// Markdown prints a comment for a pull request: a table that says what matters, then
// chapter by chapter, long ones folded. Whatever the Diff holds, the comment is no
// larger than o.Limit (8,000 bytes at least), and says what it leaves out. What comes
// from cassettes stands in code spans, where no markup, mention or reference works.
// The error is that of w.
func Markdown(w io.Writer, d diff.Diff, o Options) error {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	o.Limit = max(o.Limit, leastLimit)
	m := &comment{outline: newOutline(&d, o), opt: o}
	m.collect()
	head := m.head()
	m.choose(o.Limit - len(head) - m.frames())
	text := m.text()
	if len(text) > o.Limit { // the frames were counted too low
		m.choose(0)
		text = m.text()
	}
	_, err := io.WriteString(w, text)
	return err
}

// A comment is made of items of which as many are taken as there is room for.
type comment struct {
	*outline
	opt   Options
	items [][]item // by chapter
	rows  []item   // of the table of cassettes
}

// An item is one line of a comment, with what stands below it.
type item struct {
	head  string // what the items of a part stand under, "" for none
	text  string
	class int // what is taken first
	grade diff.Grade
	taken bool
}

// The classes of items, what must not be missed first.
const (
	classAlarm = iota // new hosts, looser rules
	classBreaking
	classSent
	classAnswered
	classRest
	classes
)

// collect writes all items.
func (m *comment) collect() {
	for i := range m.chapters {
		c := &m.chapters[i]
		var items []item
		for _, h := range c.hosts {
			items = append(items, item{class: classAlarm, text: "- " + code(h.Host) + " in " + m.markedCassettes(h.Cassettes) + "\n"})
		}
		for _, r := range c.rules {
			items = append(items, ruleItem(&r))
		}
		for _, p := range c.parts {
			items = append(items, m.part(c, &p)...)
		}
		m.items = append(m.items, items)
	}
	for i := range m.d.Files {
		m.rows = append(m.rows, m.row(&m.d.Files[i]))
	}
}

func ruleItem(r *diff.RuleChange) item {
	one := item{class: classRest}
	word := ""
	if r.Looser {
		one.class, word = classAlarm, "**looser** "
	}
	one.text = "- " + word + code(cut(ruleText(r), mostLine)) + "\n"
	if r.Old != "" {
		one.text += "  - − " + code(cut(inLine(r.Old), mostLine)) + "\n"
	}
	if r.New != "" {
		one.text += "  - \\+ " + code(cut(inLine(r.New), mostLine)) + "\n"
	}
	return one
}

// choose takes items for room bytes: what matters most first, and no class more than
// its share before every other has had its own.
func (m *comment) choose(room int) {
	var all [classes][]*item
	for i := range m.items {
		for k := range m.items[i] {
			one := &m.items[i][k]
			one.taken = false
			all[one.class] = append(all[one.class], one)
		}
	}
	for i := range m.rows {
		m.rows[i].taken = false
		all[classRest] = append(all[classRest], &m.rows[i])
	}
	for _, share := range []int{60, 100} {
		for _, class := range all {
			spend := room * share / 100
			for _, one := range class {
				if cost := len(one.head) + len(one.text); !one.taken && cost <= spend {
					one.taken = true
					spend -= cost
					room -= cost
				}
			}
		}
	}
}

// head is what stands first in any case.
func (m *comment) head() string {
	var b strings.Builder
	b.WriteString("### " + m.markedSentence() + "\n")
	if m.opt.Title != "" {
		b.WriteString("\n" + prose(cut(inLine(m.opt.Title), mostLine)) + "\n")
	}
	if len(m.chapters) > 0 || m.hidden > 0 {
		b.WriteString("\n| | |\n|---|---|\n")
	}
	for i := range m.chapters {
		c := &m.chapters[i]
		var words []string
		switch c.section {
		case diff.Hosts:
			for k, h := range c.hosts {
				if k == mostPlaces {
					words = append(words, "and "+thousands(len(c.hosts)-k)+" more")
					break
				}
				words = append(words, cell(h.Host))
			}
		case diff.Rules:
			words = ruleWords(len(c.rules), m.looser)
			if m.looser > 0 {
				words[0] = "**" + words[0] + "**"
			}
		default:
			t := c.tally()
			words = t.words()
			if t.breaking > 0 {
				words[0] = "**" + words[0] + "**"
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", c.title, strings.Join(words, ", "))
	}
	if m.hidden > 0 {
		fmt.Fprintf(&b, "| Volatile | %s, not shown: ids, times, tokens |\n", thousands(m.hidden))
	}
	return b.String()
}

// markedSentence is the first line.
func (m *comment) markedSentence() string {
	d := m.d
	same := ""
	if d.Same > 0 {
		same = ", " + counted(d.Same, "is the same", "are the same")
	}
	switch n := len(d.Files); {
	case n == 1:
		f := &d.Files[0]
		state := fate(f)
		if f.Old != "" && f.New != "" && f.Old != f.New {
			state = "differs from " + code(cutFront(inLine(f.Old), mostName))
		}
		return code(cutFront(inLine(nameOf(f)), mostName)) + " " + state + same
	case n > 1 && m.names.folder != "":
		return counted(n, "cassette", "cassettes") + " in " + code(cutFront(inLine(m.names.folder), mostName)) + " differ" + same
	default:
		return m.sentence()
	}
}

// openItems is how many items of a chapter stand outside of a fold.
const openItems = 12

// frame bounds what stands around the items of a chapter: its title, a fold, and the
// line that counts what is left out.
const frame = 400

func (m *comment) frames() int { return frame * (len(m.chapters) + 2) }

// text puts the comment together.
func (m *comment) text() string {
	var b strings.Builder
	b.WriteString(m.head())
	if n := m.leftOut(); n > 0 {
		fmt.Fprintf(&b, "\n> This is not all: for want of room, %s left out below. `tapedeck diff` shows everything.\n", counted(n, "entry is", "entries are"))
	}
	for i := range m.chapters {
		b.WriteString("\n#### " + m.chapters[i].title + "\n\n")
		m.list(&b, m.items[i])
	}
	m.table(&b)
	return b.String()
}

func (m *comment) leftOut() (n int) {
	for _, items := range m.items {
		for i := range items {
			n += rank(!items[i].taken)
		}
	}
	return n
}

// list writes the items of a chapter that were taken, and what was not.
func (m *comment) list(b *strings.Builder, items []item) {
	shown, head, folded := 0, "", false
	taken := 0
	left := map[diff.Grade]int{}
	for i := range items {
		if items[i].taken {
			taken++
		} else {
			left[items[i].grade]++
		}
	}
	for i := range items {
		one := &items[i]
		if !one.taken {
			continue
		}
		if shown == openItems && taken > openItems+3 {
			fmt.Fprintf(b, "\n<details><summary>%s more</summary>\n\n", thousands(taken-shown))
			folded, head = true, ""
		}
		if one.head != head {
			b.WriteString(one.head)
			head = one.head
		}
		b.WriteString(one.text)
		shown++
	}
	if folded {
		b.WriteString("\n</details>\n")
	}
	if n := len(items) - taken; n > 0 {
		fmt.Fprintf(b, "\n_Left out here: %s_\n", strings.Join(leftWords(left), ", "))
	}
}

func leftWords(left map[diff.Grade]int) (words []string) {
	for _, g := range diff.Grades {
		if n := left[g]; n > 0 {
			words = append(words, thousands(n)+" "+string(g))
		}
	}
	if n := left[""]; n > 0 {
		words = append(words, counted(n, "entry", "entries"))
	}
	return words
}
