package render

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
)

// evil are texts that would be something else than text.
var evil = []string{
	"`", "``` ", "|", "\\|", "<script>alert(1)</script>", "</details>", "<img src=x>", "@octocat", "#12", "GH-1", "\n/close\n", "\r\n### x", "[x](http://a.dev)", "![x](y)",
	"\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\u202eright to left", "\x00", "\xff\xfe", "e\u0301\u0301\u0301", strings.Repeat("\u0301", 2000), "日本語", "👩‍👩‍👧", "&lt;", "*bold*", "_i_", "~~s~~", "- x", "1. x", "> q", "\t", " ", "",
	strings.Repeat("x", 70_000), strings.Repeat("`", 3000), strings.Repeat("é", 300), "REDACTED-0001",
}

// A mess makes Diffs of anything.
type mess struct{ *rand.Rand }

func (m mess) text() string {
	var b strings.Builder
	for range m.IntN(4) {
		b.WriteString(evil[m.IntN(len(evil))])
	}
	return b.String()
}

func (m mess) value() *diff.Value {
	types := []string{"string", "number", "bool", "null", "object", "array", "text", "binary", "nonsense"}
	return &diff.Value{Type: types[m.IntN(len(types))], Text: m.text(), Size: m.Int64(), SHA256: m.text()}
}

func (m mess) changed() diff.Change {
	kinds := []diff.Kind{diff.Added, diff.Removed, diff.Other, diff.Retyped, diff.Moved, diff.Rewrote}
	c := diff.Change{
		Part: []diff.Part{diff.Request, diff.Response, diff.Meta}[m.IntN(3)], Place: leaves.Place("body." + m.text()), Was: leaves.Place(m.text()), Element: m.text(),
		Kind: kinds[m.IntN(len(kinds))], Grade: diff.Grades[m.IntN(4)], Why: m.text(),
	}
	if m.IntN(4) > 0 {
		c.Old = m.value()
	}
	if m.IntN(4) > 0 {
		c.New = m.value()
	}
	for range m.IntN(6) {
		c.Edits = append(c.Edits, diff.Edit{Op: []string{"=", "-", "+"}[m.IntN(3)], Text: m.text()})
	}
	return c
}

func (m mess) diff(n int) diff.Diff {
	d := diff.Diff{Version: 1, Same: m.IntN(3)}
	for range 1 + m.IntN(n) {
		f := diff.File{Old: m.text(), New: m.text(), Changes: []diff.Change{m.changed()}}
		for id := range m.IntN(4) {
			in := diff.Interaction{ID: id, Method: m.text(), URL: m.text(), Status: m.IntN(1000), Route: m.text(), Recorded: &diff.Recorded{Request: diff.Message{Body: m.value()}, Response: diff.Message{Body: m.value()}}}
			in.Changes = append(in.Changes, m.changed(), m.changed())
			f.Interactions = append(f.Interactions, in)
		}
		d.Files = append(d.Files, f)
		d.NewHosts = append(d.NewHosts, diff.NewHost{Host: m.text(), Cassettes: []string{m.text(), m.text()}})
		d.Rules = append(d.Rules, diff.RuleChange{File: m.text(), What: m.text(), Kind: diff.Other, Looser: m.IntN(2) == 0, Old: m.text(), New: m.text()})
	}
	for range m.IntN(3 * n) {
		c := m.changed()
		g := diff.Group{Section: diff.Sections[m.IntN(5)], Grade: c.Grade, Kind: c.Kind, Part: c.Part, Route: m.text(), Place: string(c.Place), Title: m.text()}
		if m.IntN(2) == 0 {
			g.Old, g.New = c.Old, c.New
		}
		for range m.IntN(6) {
			g.Refs = append(g.Refs, diff.Ref{File: m.IntN(len(d.Files)+2) - 1, Interaction: m.IntN(5) - 1, Change: m.IntN(4) - 1})
		}
		d.Groups = append(d.Groups, g)
	}
	d.Counts.Volatile = m.IntN(5)
	return d
}

var (
	tagsOfOurs  = regexp.MustCompile(`</?(?:details|summary)>`)
	codeElement = regexp.MustCompile(`<code>[^<]*</code>`)
	plainEntity = regexp.MustCompile(`&#\d+;`)
	mention     = regexp.MustCompile(`[@#]\w|GH-\d|://|www\.`)
)

// outsideCode is a line of Markdown without its code spans.
func outsideCode(line string) string {
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '`')
		if i < 0 {
			break
		}
		b.WriteString(line[:i])
		n := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
		rest, fence := line[i+n:], line[i:i+n]
		at := 0
		for { // a closing run is exactly as long
			k := strings.Index(rest[at:], fence)
			if k < 0 {
				return b.String() + line[i:] // no span at all
			}
			end := at + k + n
			for end < len(rest) && rest[end] == '`' {
				end++
			}
			if end == at+k+n {
				line = rest[end:]
				break
			}
			at = end
		}
		b.WriteString("CODE")
	}
	return b.String() + line
}

// Whatever a Diff holds, a comment is not too long and nothing in it is markup but
// what this package wrote.
func TestMarkdownOfAnything(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := mess{rand.New(rand.NewPCG(seed, 1))}
			o := Options{Title: m.text(), Volatile: seed%2 == 0}
			limit := DefaultLimit
			if seed%3 == 0 {
				o.Limit = 10_000
				limit = o.Limit
			}
			text := written(t, "markdown", m.diff(1+int(seed)%20*8), o)
			if len(text) > limit {
				t.Errorf("%d bytes", len(text))
			}
			open := 0
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				open += strings.Count(outsideCode(line), "<details>") - strings.Count(outsideCode(line), "</details>")
				rest := plainEntity.ReplaceAllString(codeElement.ReplaceAllString(tagsOfOurs.ReplaceAllString(outsideCode(line), ""), "CODE"), "E")
				if i := strings.IndexAny(rest, "<&`@"); i >= 0 || mention.MatchString(strings.TrimLeft(rest, "# ")) {
					t.Fatalf("markup at %d of %.300q\nfrom %.300q", i, rest, line)
				}
				if strings.HasPrefix(line, "|") && strings.Count(rest, "|") != 3 && strings.Count(rest, "|") != 6 {
					t.Fatalf("a row of a table breaks: %.300q", line)
				}
				if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0xfffd }) {
					t.Fatalf("a control character: %.300q", line)
				}
			}
			if open != 0 {
				t.Error("a fold is not closed")
			}
		})
	}
}

// A report that is cut says so, and keeps what must not be missed.
func TestMarkdownSaysWhatIsLeftOut(t *testing.T) {
	b := &builder{}
	f := b.file("a.yaml", "a.yaml")
	for i := range 4000 {
		route := fmt.Sprintf("GET api.acme.dev/%d/items", i)
		b.change(f, i, "GET", "https://api.acme.dev/", route, diff.Change{Part: diff.Response, Place: "body.name", Kind: diff.Other, Grade: diff.Changed, Old: textual("a"), New: textual("b")})
		b.change(f, i, "GET", "https://api.acme.dev/", route, diff.Change{Part: diff.Request, Place: "query.x", Kind: diff.Other, Grade: diff.Changed, Old: textual("a"), New: textual("b")})
	}
	b.change(f, 9999, "GET", "https://api.acme.dev/", "GET api.acme.dev/last", diff.Change{Part: diff.Response, Place: "body.gone", Kind: diff.Removed, Grade: diff.Breaking, Old: textual("a")})
	b.d.NewHosts = []diff.NewHost{{Host: "https://new.dev", Cassettes: []string{"a.yaml"}}}
	text := written(t, "markdown", b.sorted(), Options{})
	for _, want := range []string{"This is not all", "_Left out here: ", "body.gone", "https://new.dev", "`query.x`", "`body.name`", "| What our code sends | 4,000 other values |"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if len(text) > DefaultLimit || len(text) < DefaultLimit/2 {
		t.Errorf("%d bytes", len(text))
	}
}

// No control character of a cassette reaches a terminal.
func TestTextOfAnything(t *testing.T) {
	for seed := range uint64(12) {
		m := mess{rand.New(rand.NewPCG(seed, 2))}
		text := written(t, "text", m.diff(1+int(seed)), Options{Volatile: true, Width: 60 + int(seed)})
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e }); i >= 0 {
			t.Fatalf("seed %d: %q", seed, text[max(i-100, 0):i+10])
		}
		if len(text) > 20<<20 {
			t.Errorf("%d bytes of text", len(text))
		}
		written(t, "json", m.diff(3), Options{})
	}
}
