package render

import (
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/diff"
)

// An entry is one group as reports show it.
type entry struct {
	mark  string // + - ~
	place string
	note  string // why, in a few words
	refs  []diff.Ref
	// examples are the values: one when they are the same everywhere, else the first few.
	examples []example
	more     int // further places with other values
	whole    bool
}

// An example is the values of one change.
type example struct {
	place    string // where it is another than the entry's
	old, new *diff.Value
	edits    []diff.Edit
	retyped  bool
	refs     []diff.Ref // where; nil when it is everywhere
}

var marks = map[diff.Kind]string{diff.Added: "+", diff.Removed: "-"}

func (o *outline) entry(g *diff.Group) entry {
	e := entry{mark: marks[g.Kind], place: inLine(g.Place), refs: g.Refs, whole: isWhole(g)}
	if e.mark == "" {
		e.mark = "~"
	}
	if e.whole {
		return e
	}
	if len(g.Refs) == 0 {
		e.place = inLine(g.Title)
		return e
	}
	first := o.change(g.Refs[0])
	if first == nil {
		return e
	}
	e.note = o.note(g, first)
	if len(g.Refs) == 1 {
		e.place = o.placeOf(first)
	}
	if (g.Kind == diff.Moved || g.Kind == diff.Rewrote) && first.Old == nil && first.New == nil {
		return e
	}
	if len(g.Refs) == 1 || g.Old != nil || g.New != nil {
		e.examples = []example{{old: first.Old, new: first.New, edits: first.Edits, retyped: g.Kind == diff.Retyped}}
		return e
	}
	e.examples, e.more = o.examples(g)
	return e
}

// examples are the first few values of a group that differ from each other, as far as
// a line shows them.
func (o *outline) examples(g *diff.Group) (list []example, more int) {
	for _, ref := range g.Refs {
		c := o.change(ref)
		if c == nil {
			continue
		}
		if i := slices.IndexFunc(list, func(e example) bool {
			return look(e.old) == look(c.Old) && look(e.new) == look(c.New) && (len(c.Edits) == 0 || equalValues(e.old, c.Old) && equalValues(e.new, c.New))
		}); i >= 0 {
			list[i].refs = append(list[i].refs, ref)
			continue
		}
		if len(list) == mostPlaces {
			more++
			continue
		}
		one := example{old: c.Old, new: c.New, edits: c.Edits, retyped: g.Kind == diff.Retyped, refs: []diff.Ref{ref}}
		if string(c.Place) != g.Place || c.Element != "" {
			one.place = o.placeOf(c)
		}
		list = append(list, one)
	}
	if len(list) == 1 && more == 0 {
		list[0].refs = nil // everywhere
	}
	return list, more
}

// look is a value as far as reports show one that they do not compare with another.
func look(v *diff.Value) string {
	if v == nil {
		return ""
	}
	if v.Type == "object" || v.Type == "array" {
		return v.Type + cut(literal(v), lookColumns)
	}
	return v.Type + literal(v)
}

// lookColumns is how much of an object or array is looked at.
const lookColumns = 50

func equalValues(a, b *diff.Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && a.Text == b.Text && a.Size == b.Size && a.SHA256 == b.SHA256
}

// placeOf is a change's place, with the element that it is in, and what it was.
func (o *outline) placeOf(c *diff.Change) string {
	text := inLine(string(c.Place))
	if c.Was != "" && c.Was != c.Place {
		text += " (was " + inLine(string(c.Was)) + ")"
	}
	if c.Element != "" {
		text += " (" + inLine(beginning(c.Element, 60)) + ")"
	}
	return text
}

// note says why a change has its grade, where the values do not show it.
func (o *outline) note(g *diff.Group, c *diff.Change) string {
	switch g.Kind {
	case diff.Moved:
		return "moved"
	case diff.Rewrote:
		return "the same content in other bytes"
	case diff.Removed, diff.Added, diff.Retyped:
		return ""
	}
	return inLine(c.Why)
}

// A brief is an interaction in short: what it asks, sends and gets.
type brief struct {
	request string // "POST https://api.stripe.com/v1/refunds"
	status  string // " → 200"
	sends   string // the body, "" where there is none
	gets    string
}

// line is the request and its status in n columns.
func (b brief) line(n int) string { return cut(b.request, n-columns(b.status)) + b.status }

// mostBrief bounds each part of a brief, in bytes.
const mostBrief = 2000

func briefOf(in *diff.Interaction) brief {
	b := brief{request: inLine(in.Method + " " + beginning(in.URL, mostBrief))}
	if in.Status != 0 {
		b.status = " → " + strconv.Itoa(in.Status)
	}
	if in.Recorded == nil {
		return b
	}
	b.sends, b.gets = bodyText(in.Recorded.Request), bodyText(in.Recorded.Response)
	return b
}

// bodyText is a body in one line, with its size when it is long.
func bodyText(m diff.Message) string {
	v := m.Body
	if v == nil || v.Type != "binary" && v.Text == "" {
		return ""
	}
	if v.Type == "binary" {
		return valueText(v)
	}
	text := inLine(strings.TrimSpace(spaced(v.Text)))
	if size := sizeOf(v); size > mostBrief {
		return beginning(text, mostBrief) + "… (" + bytesText(size) + ")"
	}
	return text
}
