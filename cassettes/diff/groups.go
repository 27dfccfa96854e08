package diff

import (
	"cmp"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// sectionOf is the chapter in which a change is told.
func sectionOf(c *Change) Section {
	switch {
	case c.Part == Meta, c.Kind == Rewrote:
		return Recording
	case c.Part == Request:
		return Sent
	}
	return Answered
}

func (n *Counts) add(g Grade) {
	switch g {
	case Breaking:
		n.Breaking++
	case Additive:
		n.Additive++
	case Volatile:
		n.Volatile++
	default:
		n.Value++
	}
}

func (n *Counts) plus(m Counts) {
	n.Breaking += m.Breaking
	n.Additive += m.Additive
	n.Value += m.Value
	n.Volatile += m.Volatile
}

// gradeOfFate is the grade of an interaction that is new or gone.
func gradeOfFate(f Fate) Grade {
	if f == IsNew {
		return Additive
	}
	return Changed
}

// count counts the changes of a file.
func (f *File) count() {
	f.Counts = Counts{}
	for i := range f.Changes {
		f.Counts.add(f.Changes[i].Grade)
	}
	for i := range f.Interactions {
		one := &f.Interactions[i]
		if one.Fate != IsChanged {
			f.Counts.add(gradeOfFate(one.Fate))
		}
		for n := range one.Changes {
			f.Counts.add(one.Changes[n].Grade)
		}
	}
}

// A groupKey is what the changes of a group have in common.
type groupKey struct {
	section Section
	grade   Grade
	kind    Kind
	part    Part
	route   string
	place   string
}

// group makes groups of all that changed, and counts it.
func (d *Diff) group() {
	b := groupBuilder{of: d, groups: make(map[groupKey]*building)}
	d.Counts = Counts{}
	for i := range d.Files {
		f := &d.Files[i]
		d.Counts.plus(f.Counts)
		for n := range f.Changes {
			b.change(Ref{i, -1, n}, "", &f.Changes[n])
		}
		for j := range f.Interactions {
			one := &f.Interactions[j]
			if one.Fate != IsChanged {
				b.fate(Ref{i, j, -1}, one)
			}
			for n := range one.Changes {
				b.change(Ref{i, j, n}, one.Route, &one.Changes[n])
			}
		}
	}
	for i := range d.NewHosts {
		b.host(&d.NewHosts[i])
	}
	for i := range d.Rules {
		d.Counts.add(b.rule(&d.Rules[i]))
	}
	d.Groups = b.sorted()
}

type groupBuilder struct {
	of     *Diff
	groups map[groupKey]*building
	order  []*building
}

// A building is a group that may grow yet.
type building struct {
	Group
	differing    bool // in their values
	files        map[int]bool
	interactions map[[2]int]bool
}

func (b *groupBuilder) at(k groupKey) (g *building, isNew bool) {
	g = b.groups[k]
	if g == nil {
		g = &building{
			Group: Group{Section: k.section, Grade: k.grade, Kind: k.kind, Part: k.part, Route: k.route, Place: k.place},
			files: make(map[int]bool), interactions: make(map[[2]int]bool),
		}
		b.groups[k] = g
		b.order = append(b.order, g)
		return g, true
	}
	return g, false
}

func (g *building) refer(r Ref) {
	g.Refs = append(g.Refs, r)
	g.files[r.File] = true
	if r.Interaction >= 0 {
		g.interactions[[2]int{r.File, r.Interaction}] = true
	}
}

func (b *groupBuilder) change(r Ref, route string, c *Change) {
	g, isNew := b.at(groupKey{sectionOf(c), c.Grade, c.Kind, c.Part, route, c.Place.AnyIndex()})
	if isNew {
		g.Old, g.New = c.Old, c.New
	} else if !equalValues(g.Old, c.Old) || !equalValues(g.New, c.New) {
		g.differing = true
	}
	g.refer(r)
}

func (b *groupBuilder) fate(r Ref, one *Interaction) {
	kind := Added
	if one.Fate == IsGone {
		kind = Removed
	}
	g, _ := b.at(groupKey{section: Sent, grade: gradeOfFate(one.Fate), kind: kind, route: one.Route})
	g.refer(r)
}

func (b *groupBuilder) host(h *NewHost) {
	g, _ := b.at(groupKey{section: Hosts, grade: Additive, kind: Added, place: h.Host})
	g.Title = h.Host + " was not called before"
	g.Cassettes = len(h.Cassettes)
	for i := range b.of.Files {
		for _, one := range b.of.Files[i].Interactions {
			if one.NewSide != nil && slices.Contains(h.Cassettes, b.of.Files[i].New) && hostOfURL(one.NewSide.Request().URL()) == h.Host {
				g.interactions[[2]int{i, one.ID}] = true
			}
		}
	}
}

// rule adds a rule that changed, and says how grave that is. More that counts as the same,
// or less that is redacted, may hide what a test should see.
func (b *groupBuilder) rule(r *RuleChange) Grade {
	grade := Changed
	if r.Kind == Added && !r.Looser {
		grade = Additive
	}
	// Every rule is a group of its own: the text is part of what a reader looks at.
	g, isNew := b.at(groupKey{section: Rules, grade: grade, kind: r.Kind, route: r.File, place: r.What})
	g.Title = ruleTitle(r)
	if isNew {
		if r.Old != "" {
			g.Old = textValue(r.Old)
		}
		if r.New != "" {
			g.New = textValue(r.New)
		}
	} else {
		g.differing = true
	}
	return grade
}

func equalValues(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && a.Text == b.Text && a.Size == b.Size && a.SHA256 == b.SHA256
}

// sorted are the groups in the order of reports.
func (b *groupBuilder) sorted() []Group {
	for _, g := range b.order {
		if g.differing {
			g.Old, g.New = nil, nil
		}
		if len(g.Refs) > 0 {
			g.Cassettes = len(g.files)
		}
		g.Interactions = len(g.interactions)
		if g.Title == "" {
			g.Title = g.title()
		}
	}
	slices.SortStableFunc(b.order, func(x, y *building) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Sections, x.Section), slices.Index(Sections, y.Section)),
			cmp.Compare(slices.Index(Grades, x.Grade), slices.Index(Grades, y.Grade)),
			byPath(x.Route, y.Route),
			cmp.Compare(partOrder(x.Part), partOrder(y.Part)),
			leaves.Place(x.Place).Compare(leaves.Place(y.Place)),
			strings.Compare(string(x.Kind), string(y.Kind)),
		)
	})
	out := make([]Group, len(b.order))
	for i, g := range b.order {
		out[i] = g.Group
	}
	return out
}

func partOrder(p Part) int { return slices.Index([]Part{"", Request, Response, Meta}, p) }

// byPath orders routes by host and path, then by method.
func byPath(a, b string) int {
	methodA, pathA, _ := strings.Cut(a, " ")
	methodB, pathB, _ := strings.Cut(b, " ")
	return cmp.Or(strings.Compare(pathA, pathB), strings.Compare(methodA, methodB))
}
