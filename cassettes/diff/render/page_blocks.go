package render

import (
	"strings"

	"tapedeck/cassettes/diff"
)

// A pageBlock is a piece of a message: lines that both sides have, a change, or a
// fold of what is quiet. Just one of them is set.
type pageBlock struct {
	Text string
	Row  *pageRow
	Fold *pageFold
}

// A pageFold hides lines that are equal or differ in volatile values only.
type pageFold struct {
	Lines    int
	Volatile int    // changes among them
	In       string // what the line behind the fold stands in
	Blocks   []pageBlock
	// Empty says that the page leaves the lines out.
	Empty bool
}

// Title is what the fold says of itself.
func (f *pageFold) Title() string {
	text := "… "
	if n := f.Lines - f.Volatile; n > 0 {
		text += counted(n, "equal line", "equal lines")
		if f.Volatile > 0 {
			text += ", "
		}
	}
	if f.Volatile > 0 {
		text += counted(f.Volatile, "volatile value", "volatile values")
	}
	return text
}

const (
	contextLines = 3   // beside a change
	leastFold    = 4   // lines; fewer are shorter than the fold
	mostFold     = 300 // lines; of more, the middle is left out
)

// blocks groups steps: changes with some lines around them, folds between. brief
// leaves out what is in the folds.
func blocks(steps []pageStep, brief bool) []pageBlock {
	var out []pageBlock
	quiet := func(s pageStep) bool { return s.row == nil || s.row.Grade == diff.Volatile || s.row.Grade == "" }
	for i := 0; i < len(steps); {
		if !quiet(steps[i]) {
			out = append(out, pageBlock{Row: steps[i].row})
			i++
			continue
		}
		end := i
		for end < len(steps) && quiet(steps[end]) {
			end++
		}
		run := steps[i:end]
		before, after := contextLines, contextLines
		if i == 0 {
			before = 0
		}
		if end == len(steps) {
			after = 0
		}
		if len(run) < before+after+leastFold {
			out = appendQuiet(out, run)
		} else {
			out = appendQuiet(out, run[:before])
			fold := foldOf(run[before:len(run)-after], brief)
			if end < len(steps) {
				fold.In = within(steps[end].at)
			}
			out = append(out, pageBlock{Fold: fold})
			out = appendQuiet(out, run[len(run)-after:])
		}
		i = end
	}
	return out
}

// appendQuiet joins equal lines into one text.
func appendQuiet(out []pageBlock, run []pageStep) []pageBlock {
	var text []string
	flush := func() {
		if text != nil {
			out = append(out, pageBlock{Text: strings.Join(text, "\n")})
			text = nil
		}
	}
	for _, s := range run {
		if s.row == nil {
			text = append(text, s.text)
			continue
		}
		flush()
		out = append(out, pageBlock{Row: s.row})
	}
	flush()
	return out
}

func foldOf(run []pageStep, brief bool) *pageFold {
	f := &pageFold{Lines: len(run)}
	for _, s := range run {
		if s.row != nil {
			f.Volatile++
		}
	}
	switch {
	case brief && f.Volatile == 0:
		f.Empty = true
	case brief:
		for _, s := range run {
			if s.row != nil {
				f.Blocks = append(f.Blocks, pageBlock{Row: s.row})
			}
		}
	case len(run) > mostFold:
		f.Blocks = appendQuiet(nil, run[:mostFold/2])
		middle := foldOf(run[mostFold/2:len(run)-mostFold/2], true)
		f.Blocks = append(f.Blocks, pageBlock{Fold: middle})
		f.Blocks = append(f.Blocks, appendQuiet(nil, run[len(run)-mostFold/2:])...)
	default:
		f.Blocks = appendQuiet(nil, run)
	}
	return f
}
