package render

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"tapedeck/cassettes/diff"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// HTML prints the report as one self-contained page, volatile changes included. The
// error is that of w.
func HTML(w io.Writer, d diff.Diff, o Options) error { return Page{Title: o.Title}.Write(w, d) }

// A Page is the report as one HTML file that needs nothing beside it: no network, no
// other file. Everything in it that comes from a cassette is text.
type Page struct {
	// Title stands above the report; "" says what differs.
	Title string
	// Live is the version of the report in a page that is served; "" for a file. Such a page
	// listens to the events of the path "events" beside it, and loads itself anew when an
	// event "version" names another.
	Live string
	// Fault is what keeps the report from being newer, in one line.
	Fault string

	// limit is the size in bytes that no page exceeds by much; 0 means maxPage.
	limit int
}

const (
	// maxPage bounds a page: beyond it browsers become slow, and mail and artefacts heavy.
	maxPage = 18 << 20
	// maxOpen is how many interactions a page shows unfolded.
	maxOpen = 150
)

// A pageMaker makes one page.
type pageMaker struct {
	ids     pageAnchors
	anchors map[diff.Ref]string // of what stands in the page
	names   names
	open    bool
}

// A pageHead is what stands before the cassettes.
type pageHead struct {
	Page     Page
	CSS      template.CSS
	JS       template.JS
	CSP      string
	Headline string
	Counts   []pageCount
	Total    int
	Same     int
	Files    []pageFile
	Sections []pageSection
	Left     int // interactions that the page leaves out
	Folded   bool
}

// A pageFile is a cassette that differs.
type pageFile struct {
	ID, Name, Was        string
	State                string // "new", "gone", "renamed"
	Grades               []pageCount
	Added, Removed, Also int
	Unchanged            int
	Reordered            bool
	Rows                 []*pageRow
}

// Kinds lists the file's grades for the page's filter.
func (f pageFile) Kinds() string { return gradeNames(f.Grades) }

// Write prints the page. The error is that of w.
func (o Page) Write(w io.Writer, d diff.Diff) error {
	o.Title, o.Fault = inLine(o.Title), readable(o.Fault)
	limit := o.limit
	if limit == 0 {
		limit = maxPage
	}
	total := 0
	for i := range d.Files {
		total += len(d.Files[i].Interactions)
	}
	p := &pageMaker{ids: pageAnchors{}, anchors: map[diff.Ref]string{}, names: newNames(&d), open: total <= maxOpen}
	head := pageHead{
		Page: o, CSS: template.CSS(pageCSS), JS: template.JS(pageJS), CSP: policy(o.Live != ""),
		Headline: headline(d), Counts: allCounts(d.Counts), Total: total, Same: d.Same, Folded: !p.open,
	}
	// The cassettes come first here: only then it is known which changes can be linked to.
	var body bytes.Buffer
	for i := range d.Files {
		file := p.file(i, &d.Files[i])
		head.Files = append(head.Files, file)
		if body.Len() > limit {
			head.Left += len(d.Files[i].Interactions)
			continue
		}
		if err := pageTemplate.ExecuteTemplate(&body, "file", file); err != nil {
			return fmt.Errorf("page: %w", err)
		}
		left, err := p.cards(&body, i, &d.Files[i], limit)
		if err != nil {
			return fmt.Errorf("page: %w", err)
		}
		head.Left += left
		if err := pageTemplate.ExecuteTemplate(&body, "endfile", left); err != nil {
			return fmt.Errorf("page: %w", err)
		}
	}
	head.Sections = p.sections(d)
	if err := pageTemplate.ExecuteTemplate(w, "head", head); err != nil {
		return err
	}
	if _, err := w.Write(body.Bytes()); err != nil {
		return err
	}
	return pageTemplate.ExecuteTemplate(w, "foot", head)
}

// cards prints the interactions of a file, and says how many it leaves out.
func (p *pageMaker) cards(body *bytes.Buffer, at int, file *diff.File, limit int) (left int, err error) {
	name := fileName(file)
	for i := range file.Interactions {
		if body.Len() > limit {
			return len(file.Interactions) - i, nil
		}
		// From half of the room on, what did not change is left out.
		card := p.card(name, diff.Ref{File: at, Interaction: i}, &file.Interactions[i], body.Len() > limit/2)
		if err := pageTemplate.ExecuteTemplate(body, "card", card); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func (p *pageMaker) file(at int, f *diff.File) pageFile {
	name := fileName(f)
	view := pageFile{
		ID: p.ids.of("f", name), Name: inLine(name), Grades: countsOf(f.Counts),
		Unchanged: f.Unchanged, Reordered: f.Order != nil,
	}
	switch {
	case f.Old == "":
		view.State = "new"
	case f.New == "":
		view.State = "gone"
	case f.Old != f.New:
		view.State, view.Was = "renamed", inLine(f.Old)
	}
	for i := range f.Interactions {
		switch f.Interactions[i].Fate {
		case diff.IsNew:
			view.Added++
		case diff.IsGone:
			view.Removed++
		case diff.IsChanged:
			view.Also++
		}
	}
	p.anchors[diff.Ref{File: at, Interaction: -1, Change: -1}] = view.ID
	ids := make([]string, len(f.Changes))
	for i, c := range f.Changes {
		ids[i] = p.ids.of("c", name, string(c.Kind), string(c.Place))
		p.anchors[diff.Ref{File: at, Interaction: -1, Change: i}] = ids[i]
	}
	view.Rows = newComparison(f.Changes, ids, nil, nil).rest()
	return view
}

func headline(d diff.Diff) string {
	switch n := len(d.Files); {
	case n == 0 && len(d.Rules) == 0:
		return "Nothing differs"
	case n == 0:
		return "Only the rules differ"
	case n == 1:
		return "1 cassette differs"
	default:
		return thousands(n) + " cassettes differ"
	}
}

// allCounts has a number for every grade, be it 0.
func allCounts(c diff.Counts) []pageCount {
	return []pageCount{{diff.Breaking, c.Breaking}, {diff.Additive, c.Additive}, {diff.Changed, c.Value}, {diff.Volatile, c.Volatile}}
}

// policy is the page's Content-Security-Policy: nothing but its own style and
// script, of which the hashes are given, and no way to turn text into markup.
func policy(live bool) string {
	connect := ""
	if live {
		connect = "; connect-src 'self'"
	}
	return "default-src 'none'; style-src '" + hashed(pageCSS) + "'; script-src '" + hashed(pageJS) +
		"'; img-src data:" + connect + "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
