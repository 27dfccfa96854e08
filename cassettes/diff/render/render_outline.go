package render

import (
	"slices"

	"tapedeck/cassettes/diff"
)

// A chapter is what a report says of one section.
type chapter struct {
	section diff.Section
	title   string
	parts   []part
	hosts   []diff.NewHost
	rules   []diff.RuleChange // the looser ones first
}

// A part is groups of one grade that are about the same requests: interactions that are
// new or gone, or changes.
type part struct {
	grade  diff.Grade
	route  string
	order  int
	groups []*diff.Group
}

var titles = map[diff.Section]string{
	diff.Sent:      "What our code sends",
	diff.Hosts:     "New hosts",
	diff.Rules:     "Rules",
	diff.Answered:  "What the API answers",
	diff.Recording: "Of the recording",
}

// An outline is a Diff in the order in which it is read.
type outline struct {
	d        *diff.Diff
	chapters []chapter // those that have anything to say
	names    names
	// looser counts rules.
	looser int
	// hidden counts volatile changes that are not shown.
	hidden int
}

func newOutline(d *diff.Diff, o Options) *outline {
	out := &outline{d: d, names: newNames(d)}
	if !o.Volatile {
		out.hidden = d.Counts.Volatile
	}
	for _, section := range diff.Sections {
		c := chapter{section: section, title: titles[section]}
		switch section {
		case diff.Hosts:
			c.hosts = d.NewHosts
		case diff.Rules:
			c.rules = slices.Clone(d.Rules)
			slices.SortStableFunc(c.rules, func(a, b diff.RuleChange) int { return rank(!a.Looser) - rank(!b.Looser) })
			for _, r := range c.rules {
				out.looser += rank(r.Looser)
			}
		default:
			c.parts = out.parts(section, o)
		}
		if len(c.parts)+len(c.hosts)+len(c.rules) > 0 {
			out.chapters = append(out.chapters, c)
		}
	}
	return out
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parts joins the groups of a section, which come by grade and then by route.
func (o *outline) parts(section diff.Section, opt Options) (list []part) {
	for i := range o.d.Groups {
		g := &o.d.Groups[i]
		if g.Section != section || g.Grade == diff.Volatile && !opt.Volatile {
			continue
		}
		at := orderOf(g)
		if n := len(list); n == 0 || list[n-1].order != at || list[n-1].route != g.Route {
			list = append(list, part{grade: g.Grade, route: g.Route, order: at})
		}
		last := &list[len(list)-1]
		last.groups = append(last.groups, g)
	}
	slices.SortStableFunc(list, func(a, b part) int { return a.order - b.order })
	return list
}

// orderOf is where a group stands in its section: by grade, but new requests before
// what is new in others, and those that are gone before what is another value.
func orderOf(g *diff.Group) int {
	at := 2 * slices.Index(diff.Grades, g.Grade)
	if isWhole(g) {
		at--
	}
	return at
}

// A tally counts what a chapter shows.
type tally struct {
	begun, ended int // new interactions, and those that are gone
	breaking     int
	additive     int
	value        int
	volatile     int
}

func (c *chapter) tally() (t tally) {
	for _, p := range c.parts {
		for _, g := range p.groups {
			n := max(len(g.Refs), 1)
			switch {
			case isWhole(g) && g.Kind == diff.Added:
				t.begun += n
			case isWhole(g):
				t.ended += n
			case g.Grade == diff.Breaking:
				t.breaking += n
			case g.Grade == diff.Additive:
				t.additive += n
			case g.Grade == diff.Volatile:
				t.volatile += n
			default:
				t.value += n
			}
		}
	}
	return t
}

// words are the tally as a list, the gravest first.
func (t tally) words() (list []string) {
	for _, one := range []struct {
		n          int
		word, more string
	}{
		{t.breaking, "breaking", "breaking"}, {t.begun, "new request", "new requests"}, {t.ended, "request gone", "requests gone"},
		{t.additive, "additive", "additive"}, {t.value, "other value", "other values"}, {t.volatile, "volatile", "volatile"},
	} {
		if one.n > 0 {
			list = append(list, counted(one.n, one.word, one.more))
		}
	}
	return list
}

// isWhole reports a group of interactions that are new or gone.
func isWhole(g *diff.Group) bool {
	return len(g.Refs) > 0 && g.Refs[0].Change < 0 && g.Refs[0].Interaction >= 0
}

// change is what a ref points to, nil where it is none or points nowhere.
func (o *outline) change(r diff.Ref) *diff.Change {
	f := o.file(r)
	switch {
	case f == nil || r.Change < 0:
		return nil
	case r.Interaction < 0:
		if r.Change < len(f.Changes) {
			return &f.Changes[r.Change]
		}
		return nil
	}
	if in := o.interaction(r); in != nil && r.Change < len(in.Changes) {
		return &in.Changes[r.Change]
	}
	return nil
}

func (o *outline) interaction(r diff.Ref) *diff.Interaction {
	if f := o.file(r); f != nil && r.Interaction >= 0 && r.Interaction < len(f.Interactions) {
		return &f.Interactions[r.Interaction]
	}
	return nil
}

func (o *outline) file(r diff.Ref) *diff.File {
	if r.File < 0 || r.File >= len(o.d.Files) {
		return nil
	}
	return &o.d.Files[r.File]
}
