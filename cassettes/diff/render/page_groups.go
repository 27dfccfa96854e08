package render

import (
	"strconv"
	"strings"

	"tapedeck/cassettes/diff"
)

// A pageSection is a chapter of the page: changes that are equal stand in it once.
type pageSection struct {
	ID, Title, Hint string
	Grades          []pageCount
	Groups          []pageGroup
	Hosts           []pageHost
	Rules           []pageRule
	Left            int // groups that the page leaves out
}

// Kinds lists the section's grades for the page's filter.
func (s pageSection) Kinds() string { return gradeNames(s.Grades) }

// A pageGroup is changes that are equal in all that a reader looks at.
type pageGroup struct {
	ID    string
	Grade diff.Grade
	Title []pageSpan // marked: what stands between backquotes
	Old   string
	New   string
	Where string // "37 cassettes, 52 interactions"
	Refs  []pageRef
	Left  int // places that the page leaves out
}

// A pageRef leads to a change.
type pageRef struct{ ID, Cassette, Text string }

// A pageHost is one that was not called before.
type pageHost struct {
	ID, Host  string
	Cassettes []string
	Left      int // cassettes that the page leaves out
}

// A pageRule is an entry of the configuration that is another now.
type pageRule struct {
	ID, File, What string
	Grade          diff.Grade
	Kind           string
	Looser         bool
	Row            *pageRow
}

var sectionTitles = map[diff.Section][2]string{
	diff.Sent:      {"What our code sends", "Requests that are new, gone or different."},
	diff.Hosts:     {"New hosts", "Servers that no cassette called before."},
	diff.Rules:     {"Rules", "Entries of tapedeck.yaml. Looser ones let more requests count as the same, or less be redacted, recorded or checked."},
	diff.Answered:  {"What the API answers", "Answers to the same requests."},
	diff.Recording: {"The recordings themselves", "What tapedeck knows of them: days, order, how bodies are written."},
}

const (
	maxGroups = 400 // in one section
	maxRefs   = 25  // places of one group
)

// sections makes the chapters that have something in them.
func (p *pageMaker) sections(d diff.Diff) []pageSection {
	var out []pageSection
	for _, name := range diff.Sections {
		titles := sectionTitles[name]
		s := pageSection{ID: string(name), Title: titles[0], Hint: titles[1]}
		counts := map[diff.Grade]int{}
		for _, g := range d.Groups {
			if g.Section != name {
				continue
			}
			counts[g.Grade]++
			if name == diff.Hosts && len(d.NewHosts) > 0 || name == diff.Rules && len(d.Rules) > 0 {
				continue // they are shown as what they are
			}
			if len(s.Groups) == maxGroups {
				s.Left++
				continue
			}
			s.Groups = append(s.Groups, p.group(d, g))
		}
		if name == diff.Hosts {
			s.Hosts = p.hosts(d.NewHosts)
		}
		if name == diff.Rules {
			s.Rules = p.rules(d)
		}
		for _, g := range diff.Grades {
			if counts[g] > 0 {
				s.Grades = append(s.Grades, pageCount{g, counts[g]})
			}
		}
		if len(s.Groups)+len(s.Hosts)+len(s.Rules) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (p *pageMaker) group(d diff.Diff, g diff.Group) pageGroup {
	view := pageGroup{
		ID:    p.ids.of("g", string(g.Section), string(g.Grade), string(g.Kind), string(g.Part), g.Route, g.Place),
		Grade: g.Grade, Title: titleSpans(g.Title),
	}
	// A title has the values in short.
	if strings.Contains(g.Title, "…") {
		view.Old, view.New = groupValues(g.Old, g.New)
	}
	if g.Cassettes > 1 || g.Interactions > 1 {
		view.Where = counted(g.Cassettes, "cassette", "cassettes")
		if g.Interactions > g.Cassettes {
			view.Where += ", " + counted(g.Interactions, "interaction", "interactions")
		}
	}
	for i, ref := range g.Refs {
		if i == maxRefs {
			view.Left = len(g.Refs) - maxRefs
			break
		}
		view.Refs = append(view.Refs, p.ref(d, ref))
	}
	return view
}

// groupValues are as much of two values as stands beside a group's title, with what
// differs. Either may be nil.
func groupValues(old, fresh *diff.Value) (string, string) {
	const most = 300
	text := func(v *diff.Value) string {
		switch {
		case v == nil:
			return ""
		case v.Text == "":
			return valueText(v)
		}
		return inLine(beginning(v.Text, maxParsed))
	}
	if old == nil || fresh == nil {
		return cut(text(old), most), cut(text(fresh), most)
	}
	return around(text(old), text(fresh), most)
}

func (p *pageMaker) ref(d diff.Diff, at diff.Ref) pageRef {
	if at.File < 0 || at.File >= len(d.Files) {
		return pageRef{}
	}
	file := &d.Files[at.File]
	out := pageRef{ID: p.anchors[at], Cassette: p.names.of(file)}
	if at.Interaction < 0 || at.Interaction >= len(file.Interactions) {
		return out
	}
	in := &file.Interactions[at.Interaction]
	out.Text = "#" + strconv.Itoa(in.ID)
	if at.Change >= 0 && at.Change < len(in.Changes) {
		if place := string(in.Changes[at.Change].Place); strings.Contains(place, "[") {
			out.Text += " " + inLine(beginning(strings.TrimPrefix(place, "body."), 120))
		}
	}
	return out
}

func (p *pageMaker) hosts(list []diff.NewHost) []pageHost {
	var out []pageHost
	for _, h := range list {
		view := pageHost{ID: p.ids.of("h", h.Host), Host: inLine(h.Host)}
		for i, name := range h.Cassettes {
			if i == maxRefs {
				view.Left = len(h.Cassettes) - maxRefs
				break
			}
			view.Cassettes = append(view.Cassettes, inLine(name))
		}
		out = append(out, view)
	}
	return out
}

// rules shows the looser ones first.
func (p *pageMaker) rules(d diff.Diff) []pageRule {
	var looser, other []pageRule
	for _, r := range d.Rules {
		view := pageRule{
			ID: p.ids.of("r", r.File, r.What, string(r.Kind)), File: inLine(r.File), What: inLine(r.What),
			Kind: inLine(string(r.Kind)), Looser: r.Looser, Row: &pageRow{Kind: r.Kind, Grade: diff.Changed},
		}
		for text := range strings.Lines(r.Old) {
			view.Row.add([]pageSpan{{Text: readable(shortened(strings.TrimRight(text, "\n")))}}, true)
		}
		for text := range strings.Lines(r.New) {
			view.Row.add([]pageSpan{{Text: readable(shortened(strings.TrimRight(text, "\n")))}}, false)
		}
		if r.Looser {
			looser = append(looser, view)
		} else {
			other = append(other, view)
		}
	}
	return append(looser, other...)
}

// titleSpans marks what a title has between backquotes.
func titleSpans(title string) []pageSpan {
	var out []pageSpan
	for i, part := range strings.Split(inLine(shortened(title)), "`") {
		if part != "" {
			out = append(out, pageSpan{i%2 == 1, part})
		}
	}
	return out
}

// fileName is the name of a cassette as it is now, or as it was when it is gone.
func fileName(f *diff.File) string {
	if f.New != "" {
		return f.New
	}
	return f.Old
}
