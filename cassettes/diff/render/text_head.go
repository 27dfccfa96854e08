package render

import (
	"strings"

	"tapedeck/cassettes/diff"
)

// mostHeadlines is how many things of one kind the head names.
const mostHeadlines = 5

// head says what differs and how much. In a long report it also names what must not
// be missed: what our code sends now, new hosts, looser rules, breaking answers.
func (t *textWriter) head(long bool) {
	for _, line := range wrap(t.sentence(), t.width) {
		t.line(t.paint.title(line))
	}
	rows := t.rows(long)
	if len(rows)+t.hidden > 0 {
		t.line()
	}
	for _, r := range rows {
		for i, line := range wrap(strings.Join(r.words, ", "), t.width-2-len(pad(""))) {
			title := r.title
			if i > 0 {
				title = ""
			}
			t.line("  ", pad(title), line)
		}
		for _, line := range r.list {
			t.line("  ", pad(""), line)
		}
	}
	if t.hidden > 0 {
		t.line("  ", pad("Volatile"), t.paint.faint(thousands(t.hidden)+" not shown; see them with --volatile"))
	}
}

func pad(title string) string { return title + strings.Repeat(" ", max(23-len(title), 1)) }

// sentence is the first line: "3 cassettes in testdata/cassettes/ differ, 12 are the same".
func (o *outline) sentence() string {
	d := o.d
	same := ""
	if d.Same > 0 {
		same = ", " + counted(d.Same, "is the same", "are the same")
	}
	switch n := len(d.Files); {
	case n == 0 && len(d.Rules) > 0:
		return "No cassette differs, but rules do" + same
	case n == 0:
		return "No cassette differs" + same
	case n == 1:
		f := &d.Files[0]
		return inLine(nameOf(f)) + " " + fate(f) + same
	default:
		in := ""
		if o.names.folder != "" {
			in = " in " + inLine(o.names.folder)
		}
		return counted(n, "cassette", "cassettes") + in + " differ" + same
	}
}

// fate says what became of a cassette: "differs", "is new".
func fate(f *diff.File) string {
	switch {
	case f.Old == "":
		return "is new (" + counted(len(f.Interactions), "interaction", "interactions") + ")"
	case f.New == "":
		return "is gone (" + counted(len(f.Interactions), "interaction", "interactions") + ")"
	case f.Old != f.New:
		return "differs from " + inLine(f.Old)
	}
	return "differs"
}

// A headRow is one line of the head and what is named below it.
type headRow struct {
	title string
	words []string
	list  []string
}

func (t *textWriter) rows(long bool) (rows []headRow) {
	if r := t.filesRow(); len(r.words) > 0 {
		rows = append(rows, r)
	}
	for i := range t.chapters {
		c := &t.chapters[i]
		r := headRow{title: c.title, words: c.tally().words()}
		room := t.width - 2 - len(pad("")) - 2
		var names []string
		paint := t.paint.added
		switch c.section {
		case diff.Hosts:
			r.words = []string{counted(len(c.hosts), "host", "hosts")}
			for _, h := range c.hosts {
				names = append(names, "+ "+inLine(h.Host))
			}
			if text := strings.TrimPrefix(strings.Join(names, ", "), "+ "); len(names) == 1 {
				r.words, names = []string{paint(cut(text, room))}, nil
			}
		case diff.Rules:
			r.words = ruleWords(len(c.rules), t.looser)
			paint = t.paint.grades[diff.Breaking]
			for _, rule := range c.rules[:t.looser] {
				names = append(names, "! "+ruleText(&rule))
			}
		case diff.Sent:
			names = t.headlines(c, func(g *diff.Group) bool { return g.Grade == diff.Breaking || g.Grade == diff.Additive })
		case diff.Answered:
			paint = t.paint.grades[diff.Breaking]
			names = t.headlines(c, func(g *diff.Group) bool { return g.Grade == diff.Breaking })
		}
		if long {
			for i, name := range names {
				if i == mostHeadlines && len(names) > mostHeadlines+1 {
					r.list = append(r.list, t.paint.faint("and "+thousands(len(names)-i)+" more"))
					break
				}
				r.list = append(r.list, paint(cut(name, room)))
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// filesRow counts cassettes that are new, gone or renamed, among several.
func (t *textWriter) filesRow() headRow {
	r := headRow{title: "Cassettes"}
	if t.names.one {
		return r
	}
	var begun, ended, renamed int
	for _, f := range t.d.Files {
		switch {
		case f.Old == "":
			begun++
		case f.New == "":
			ended++
		case f.Old != f.New:
			renamed++
		}
	}
	for _, one := range []struct {
		n    int
		word string
	}{{begun, "new"}, {ended, "gone"}, {renamed, "renamed"}} {
		if one.n > 0 {
			r.words = append(r.words, thousands(one.n)+" "+one.word)
		}
	}
	return r
}

// headlines says the groups of a chapter that fit in one line each.
func (t *textWriter) headlines(c *chapter, fits func(*diff.Group) bool) (list []string) {
	for _, p := range c.parts {
		for _, g := range p.groups {
			if !fits(g) {
				continue
			}
			e := t.entry(g)
			text := e.mark + " " + inLine(p.route)
			if !e.whole {
				text = e.mark + " " + e.place + " in " + inLine(p.route)
			}
			list = append(list, text)
		}
	}
	return list
}
