package render

import (
	"slices"
	"strings"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
)

// A pageRow is one change as it stands among the lines of a message.
type pageRow struct {
	ID      string
	Grade   diff.Grade // "" for what no change of the comparison explains
	Kind    diff.Kind
	Why     string
	Place   string
	Element string
	Old     []pageSpan
	New     []pageSpan
	HasOld  bool
	HasNew  bool
	// OldMore and NewMore are what a long side has behind its first lines.
	OldMore, NewMore pageMore
	// Left counts lines that the page leaves out.
	Left int

	change             int
	oldLines, newLines int
}

// A pageMore is the rest of a long side of a change.
type pageMore struct {
	Lines int
	Text  []pageSpan
}

// Title is what its fold says of it.
func (m pageMore) Title() string { return "… " + counted(m.Lines, "more line", "more lines") }

// comparison joins the changes of one part of an interaction with its lines.
type comparison struct {
	changes []diff.Change
	ids     []string // the anchor of each change
	byOld   map[leaves.Place][]int
	byNew   map[leaves.Place][]int
	told    []bool // whether a row shows the change
	old     []pageLine
	new     []pageLine
}

func newComparison(changes []diff.Change, ids []string, before, after *pageMessage) *comparison {
	c := &comparison{
		changes: changes, ids: ids, told: make([]bool, len(changes)),
		byOld: map[leaves.Place][]int{}, byNew: map[leaves.Place][]int{},
	}
	for i, change := range changes {
		was := change.Place
		if change.Was != "" {
			was = change.Was
		}
		if change.Kind != diff.Added {
			c.byOld[was] = append(c.byOld[was], i)
		}
		if change.Kind != diff.Removed {
			c.byNew[change.Place] = append(c.byNew[change.Place], i)
		}
	}
	members := memberOrder{}
	if before != nil && after != nil {
		c.new = after.lay(members, true)
		c.old = before.lay(members, false)
	}
	return c
}

// whole reports whether a change is about all that its place holds.
func whole(kind diff.Kind) bool {
	return kind == diff.Added || kind == diff.Removed || kind == diff.Retyped
}

// find returns the change that a line shows, and whether it is one of the line's own
// place; -1 when there is none. Changes around the line that are not about all that
// they hold only explain lines that have no counterpart.
func (c *comparison) find(l *pageLine, by map[leaves.Place][]int) (change int, own, sure bool) {
	around := -1
	look := func(place leaves.Place, here bool) bool {
		for _, n := range by[place] {
			kind := c.changes[n].Kind
			switch {
			case whole(kind) && !l.prose:
				change, own, sure = n, here && !l.shuts, true
				return true
			case here && !l.opens && !l.shuts && !l.prose && kind == diff.Other:
				change, own, sure = n, true, true
				return true
			case around < 0:
				around = n
			}
		}
		return false
	}
	if l.place == "" {
		return -1, false, false
	}
	if look(l.place, true) || l.wide != "" && look(l.wide, true) {
		return change, own, sure
	}
	for place := range holders(l.place) {
		if look(place, false) {
			return change, own, sure
		}
	}
	return around, false, false
}

// A pageStep is one step through both sides: a line that both have, or the lines of
// one change.
type pageStep struct {
	text string   // of a line that both have
	row  *pageRow // of a change
	at   leaves.Place
}

// steps walks through both sides together.
func (c *comparison) steps() []pageStep {
	keys, next := map[string]int32{}, int32(0)
	fresh := func() int32 { next++; return next }
	pair := make([]int32, len(c.changes))
	for i := range pair {
		pair[i] = fresh()
	}
	key := func(list []pageLine, by map[leaves.Place][]int, used []bool) ([]int32, []int) {
		out, change := make([]int32, len(list)), make([]int, len(list))
		for i := range list {
			n, own, sure := c.find(&list[i], by)
			change[i] = n
			switch {
			case sure && own && !used[n] && (c.changes[n].Kind == diff.Other || c.changes[n].Kind == diff.Retyped):
				out[i], used[n] = pair[n], true
			case sure:
				out[i] = fresh()
			default:
				l := list[i]
				l.tail = ""
				text := l.text()
				if keys[text] == 0 {
					keys[text] = fresh()
				}
				out[i] = keys[text]
			}
		}
		return out, change
	}
	oldKeys, oldChange := key(c.old, c.byOld, make([]bool, len(c.changes)))
	newKeys, newChange := key(c.new, c.byNew, make([]bool, len(c.changes)))
	var out []pageStep
	var row *pageRow
	take := func(change int, l pageLine, isOld bool) {
		if row == nil || row.change != change || row.HasNew && isOld && !row.shared() {
			row = c.newRow(change, l.place)
			out = append(out, pageStep{row: row, at: l.place})
		}
		row.add(c.spans(change, l, isOld), isOld)
	}
	for _, p := range alignKeys(oldKeys, newKeys) {
		switch i, j := p[0], p[1]; {
		case i >= 0 && j >= 0 && c.paired(oldKeys[i], pair):
			row = nil
			take(newChange[j], c.old[i], true)
			take(newChange[j], c.new[j], false)
		case i >= 0 && j >= 0:
			row = nil
			out = append(out, pageStep{text: c.new[j].text(), at: c.new[j].place})
		case i >= 0:
			take(oldChange[i], c.old[i], true)
		default:
			take(newChange[j], c.new[j], false)
		}
	}
	for _, step := range out {
		if step.row != nil {
			step.row.settle()
		}
	}
	return out
}

// paired reports whether a key is that of a change: those come first.
func (c *comparison) paired(key int32, pair []int32) bool { return int(key) <= len(pair) }

// shared reports whether a row may take old lines after new ones: those of a value
// that became one of another type.
func (r *pageRow) shared() bool { return r.Kind == diff.Retyped }

func (c *comparison) newRow(change int, place leaves.Place) *pageRow {
	r := &pageRow{change: change, Place: inLine(string(place))}
	if change < 0 {
		return r
	}
	from := c.changes[change]
	r.Grade, r.Kind, r.Why, r.Element = from.Grade, from.Kind, inLine(from.Why), inLine(shortened(from.Element))
	r.Place = inLine(string(from.Place))
	if !c.told[change] { // the anchor leads to the first row of a change
		r.ID, c.told[change] = c.ids[change], true
	}
	return r
}

const (
	maxRowLines   = 400 // of one side of a change stand in the page
	shownRowLines = 12  // of them unfolded
)

func (r *pageRow) add(line []pageSpan, isOld bool) {
	side, more, lines := &r.New, &r.NewMore, &r.newLines
	if isOld {
		side, more, lines = &r.Old, &r.OldMore, &r.oldLines
	}
	r.HasOld, r.HasNew = r.HasOld || isOld, r.HasNew || !isOld
	switch *lines++; {
	case *lines > maxRowLines:
		r.Left++
		return
	case *lines > shownRowLines:
		if more.Lines++; more.Lines > 1 {
			more.Text = append(more.Text, pageSpan{Text: "\n"})
		}
		more.Text = append(more.Text, line...)
	default:
		if *lines > 1 {
			*side = append(*side, pageSpan{Text: "\n"})
		}
		*side = append(*side, line...)
	}
}

// settle unfolds what is hardly longer than its fold.
func (r *pageRow) settle() {
	for _, one := range []struct {
		side *[]pageSpan
		more *pageMore
	}{{&r.Old, &r.OldMore}, {&r.New, &r.NewMore}} {
		if n := one.more.Lines; n > 0 && n <= leastFold {
			*one.side = append(append(*one.side, pageSpan{Text: "\n"}), one.more.Text...)
			*one.more = pageMore{}
		}
	}
}

// spans is a line of a change with what changed in it marked.
func (c *comparison) spans(change int, l pageLine, isOld bool) []pageSpan {
	plain := []pageSpan{{Text: l.text()}}
	if change < 0 {
		return plain
	}
	from := c.changes[change]
	switch {
	case l.prose && len(from.Edits) > 0:
		return proseSpans(l, from.Edits, isOld)
	case from.Kind != diff.Other && from.Kind != diff.Retyped, l.opens, l.shuts, l.prose:
		return plain
	case from.Place != l.place && from.Place != l.wide && from.Was != l.place && from.Was != l.wide:
		return plain
	}
	before, after := l.margin()+l.head, l.tail
	var marked []pageSpan
	if len(from.Edits) > 0 {
		quote := func(s string) string { return inLine(s) }
		if l.quoted {
			quote = func(s string) string {
				return inLine(strings.TrimSuffix(strings.TrimPrefix(string(leaves.QuoteJSON(s)), `"`), `"`))
			}
			before, after = before+`"`, `"`+after
		}
		marked = editSpans(from.Edits, isOld, quote)
	} else {
		marked = []pageSpan{{true, l.value}}
	}
	return slices.Concat([]pageSpan{{Text: before}}, marked, []pageSpan{{Text: after}})
}

// rest are rows for the changes that no line shows: of places that have no line of
// their own, and of sides that are not at hand.
func (c *comparison) rest() []*pageRow {
	var list []*pageRow
	for i, change := range c.changes {
		if c.told[i] {
			continue
		}
		r := c.newRow(i, change.Place)
		if change.Old != nil {
			r.add(append([]pageSpan{{Text: r.Place + ": "}}, valueSpans(change.Old, change.Edits, true)...), true)
		}
		if change.New != nil {
			r.add(append([]pageSpan{{Text: r.Place + ": "}}, valueSpans(change.New, change.Edits, false)...), false)
		}
		if !r.HasOld && !r.HasNew {
			r.add([]pageSpan{{Text: r.Place + ": " + inLine(string(change.Kind))}}, false)
		}
		list = append(list, r)
	}
	return list
}
