package render

import (
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/diff"
)

// A pageCard is one interaction that differs.
type pageCard struct {
	ID, Cassette string
	Number       int
	Was          string // its number before, where that was another
	Fate         diff.Fate
	Method       string
	Host, Path   string
	Status       int
	Grades       []pageCount
	Open         bool
	Parts        []pagePart
}

// Kinds lists the card's grades for the page's filter.
func (c pageCard) Kinds() string { return gradeNames(c.Grades) }

func gradeNames(list []pageCount) string {
	names := make([]string, len(list))
	for i, g := range list {
		names[i] = string(g.Grade)
	}
	return strings.Join(names, " ")
}

// A pageCount says how many changes there are of a grade.
type pageCount struct {
	Grade diff.Grade
	N     int
}

// Text is the number with its thousands apart.
func (c pageCount) Text() string { return thousands(c.N) }

// gradesOf counts changes, the gravest grade first.
func gradesOf(changes []diff.Change) []pageCount {
	var out []pageCount
	for _, g := range diff.Grades {
		n := 0
		for _, c := range changes {
			if c.Grade == g {
				n++
			}
		}
		if n > 0 {
			out = append(out, pageCount{g, n})
		}
	}
	return out
}

// countsOf is the same of numbers that are known.
func countsOf(c diff.Counts) []pageCount {
	all := []pageCount{{diff.Breaking, c.Breaking}, {diff.Additive, c.Additive}, {diff.Changed, c.Value}, {diff.Volatile, c.Volatile}}
	return slices.DeleteFunc(all, func(c pageCount) bool { return c.N == 0 })
}

// A pagePart is the request, the response, or what is known beside them.
type pagePart struct {
	Name   string
	Note   string // "unchanged", "only volatile values differ"
	Folded bool
	Beside bool // it is not about the traffic
	Blocks []pageBlock
}

// maxPartRows is how many changes of one message stand in the page.
const maxPartRows = 400

// card makes the view of an interaction. brief leaves out what did not change.
func (p *pageMaker) card(file string, ref diff.Ref, in *diff.Interaction, brief bool) pageCard {
	name := strconv.Itoa(in.ID)
	c := pageCard{
		ID: p.ids.of("i", file, string(in.Fate), name), Cassette: inLine(file), Number: in.ID, Fate: in.Fate,
		Method: inLine(in.Method), Status: in.Status, Grades: gradesOf(in.Changes), Open: p.open,
	}
	p.anchors[diff.Ref{File: ref.File, Interaction: ref.Interaction, Change: -1}] = c.ID
	c.Host, c.Path = shownPath(in.URL)
	if in.Was != nil && *in.Was != in.ID {
		c.Was = strconv.Itoa(*in.Was)
	}
	switch in.Fate {
	case diff.IsNew:
		c.Grades = []pageCount{{diff.Additive, 1}}
		c.Parts = wholeParts(in, diff.Additive, false)
		return c
	case diff.IsGone:
		c.Grades = []pageCount{{diff.Changed, 1}}
		c.Parts = wholeParts(in, diff.Changed, true)
		return c
	}
	if len(c.Grades) == 1 && c.Grades[0].Grade == diff.Volatile {
		c.Open = false
	}
	oldRequest, oldResponse := messagesOf(in.OldSide)
	newRequest, newResponse := messagesOf(in.NewSide)
	for _, part := range []struct {
		part     diff.Part
		name     string
		old, new *pageMessage
	}{
		{diff.Request, "Request", oldRequest, newRequest},
		{diff.Response, "Response", oldResponse, newResponse},
		{diff.Meta, "Recording", nil, nil},
	} {
		var changes []diff.Change
		var ids []string
		for i, change := range in.Changes {
			if change.Part != part.part && (part.part != diff.Meta || change.Part == diff.Request || change.Part == diff.Response) {
				continue
			}
			id := p.ids.of("c", file, name, string(change.Part), string(change.Kind), string(change.Place))
			p.anchors[diff.Ref{File: ref.File, Interaction: ref.Interaction, Change: i}] = id
			changes, ids = append(changes, change), append(ids, id)
		}
		if view := partOf(part.name, newComparison(changes, ids, part.old, part.new), brief); view.Blocks != nil {
			c.Parts = append(c.Parts, view)
		}
	}
	return c
}

func partOf(name string, c *comparison, brief bool) pagePart {
	steps := c.steps()
	for _, r := range c.rest() {
		steps = append(steps, pageStep{row: r})
	}
	view := pagePart{Name: name, Beside: name == "Recording"}
	loud := 0
	for i, s := range steps {
		if s.row == nil || s.row.Grade == diff.Volatile || s.row.Grade == "" {
			continue
		}
		if loud++; loud == maxPartRows && i+1 < len(steps) {
			steps = append(steps[:i+1:i+1], pageStep{text: "… " + counted(len(steps)-i-1, "more line or change of this "+strings.ToLower(name)+" is", "more lines and changes of this "+strings.ToLower(name)+" are") + " not in this page"})
			break
		}
	}
	switch {
	case len(c.changes) == 0:
		view.Note, view.Folded = "unchanged", true
	case loud == 0:
		view.Note, view.Folded = "only volatile values differ", true
	}
	if brief && len(c.changes) == 0 {
		return view
	}
	if view.Folded {
		view.Blocks = appendQuiet(nil, steps[:min(len(steps), 2*mostFold)])
		if left := len(steps) - 2*mostFold; left > 0 {
			view.Blocks = append(view.Blocks, pageBlock{Fold: &pageFold{Lines: left, Empty: true}})
		}
		return view
	}
	view.Blocks = blocks(steps, brief)
	return view
}

// wholeParts shows an interaction of which there is one side only.
func wholeParts(in *diff.Interaction, grade diff.Grade, isOld bool) []pagePart {
	side := in.NewSide
	if isOld {
		side = in.OldSide
	}
	request, response := messagesOf(side)
	if request == nil && in.Recorded != nil {
		request, response = messageOf(in.Recorded.Request), messageOf(in.Recorded.Response)
	}
	var out []pagePart
	for _, one := range []struct {
		name    string
		message *pageMessage
	}{{"Request", request}, {"Response", response}} {
		if one.message == nil {
			continue
		}
		row := &pageRow{Grade: grade, Kind: diff.Added}
		if isOld {
			row.Kind = diff.Removed
		}
		for _, l := range one.message.lay(memberOrder{}, true) {
			row.add([]pageSpan{{Text: l.text()}}, isOld)
		}
		row.settle()
		out = append(out, pagePart{Name: one.name, Blocks: []pageBlock{{Row: row}}})
	}
	return out
}
