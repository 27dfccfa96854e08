package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tapedeck/proxy/deck"
)

func TestVerdict(t *testing.T) {
	missed := deck.Report{Mode: deck.ReplayOnly, Misses: []deck.Miss{{Request: "GET /a"}}}
	refused := deck.Report{Mode: deck.RecordOnly, Refused: []string{"GET /a: no"}}
	unanswered := deck.Report{Mode: deck.RecordOnly, Failed: []string{"GET /a: no"}, Missing: 1}
	unused := deck.Report{Mode: deck.ReplayOnly, Strict: true, Unused: []string{"interaction 1, GET /a"}}
	expired := deck.Report{Mode: deck.ReplayOnly, Expired: true, Notes: []string{"older than max_age (90d)"}}
	one := map[string]int{"407 to example.com: it names no session": 1}
	large := map[string]int{"413 to example.com: it is over the limit": 1}
	for _, c := range []struct {
		what   string
		report runReport
		how    strictness
		want   int
	}{
		{"nothing", runReport{}, strictness{}, 0},
		{"a miss", runReport{Cassettes: []deck.Report{missed}}, strictness{}, 90},
		{"no session", runReport{Mode: deck.RecordOnly, Refused: one}, strictness{}, 90},
		{"too large to play", runReport{Mode: deck.ReplayOnly, Refused: large}, strictness{}, 90},
		{"too large to record", runReport{Mode: deck.RecordOnly, Refused: large}, strictness{}, 92},
		{"refused", runReport{Cassettes: []deck.Report{refused}}, strictness{}, 92},
		{"no answer", runReport{Cassettes: []deck.Report{unanswered}}, strictness{}, 92},
		{"answered when it was asked again", runReport{Cassettes: []deck.Report{{Mode: deck.RecordOnly, Failed: []string{"GET /a: no"}}}}, strictness{}, 0},
		{"no answer, and nothing was to be recorded", runReport{Cassettes: []deck.Report{{Mode: deck.Passthrough, Missing: 1}}}, strictness{}, 0},
		{"unused", runReport{Cassettes: []deck.Report{unused}}, strictness{}, 91},
		{"unused, not strict", runReport{Cassettes: []deck.Report{{Unused: unused.Unused}}}, strictness{}, 0},
		{"unused, and the command failed", runReport{Cassettes: []deck.Report{unused}}, strictness{partly: true}, 0},
		{"too old", runReport{Cassettes: []deck.Report{expired}}, strictness{failExpired: true}, 91},
		{"too old, and nobody minds", runReport{Cassettes: []deck.Report{expired}}, strictness{}, 0},
		{"a miss before all", runReport{Cassettes: []deck.Report{unused, refused, expired, missed}}, strictness{failExpired: true}, 90},
		{"incomplete before unused", runReport{Cassettes: []deck.Report{unused, expired, refused}}, strictness{failExpired: true}, 92},
		{"incomplete before a cassette that is unused", runReport{Mode: deck.RecordOnly, Refused: large, Cassettes: []deck.Report{unused}}, strictness{}, 92},
	} {
		if got := verdict(c.report.faults(c.how)); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

func TestEqualFaultsAreToldOnce(t *testing.T) {
	miss := deck.Miss{Request: "GET /a", Reason: "because", Text: "the whole"}
	other := miss
	other.Text = "another"
	got := runReport{Cassettes: []deck.Report{{Cassette: "a.yaml", Misses: []deck.Miss{miss, other, miss}}}}.faults(strictness{})
	want := []fault{
		{faultMiss, "a.yaml", "GET /a", "because", 2, "the whole"},
		{faultMiss, "a.yaml", "GET /a", "because", 1, "another"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fault{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hostile are texts as requests, cassettes and file names can hold them.
var hostile = []string{
	"a\r\n::error::taken over\n##[error]and again",
	"%0A::set-output name=x::y, a:b, 100%",
	"]]><failure/> & \"quoted\" 'too' <script>alert(1)</script>",
	"nul \x00 bell \a escape \x1b[31mred\x1b[0m not UTF-8 \xff\xfe \ufffe \u0085",
	"| a | cell |\n|---|\n`code` *bold* [x](javascript:y) ![i](z) @everyone #1 </code></td> <!-- ",
	strings.Repeat("long ", 5000),
	"größer 漢字 🎛",
}

// hostileReport is a run in which every text is hostile and every kind of fault occurs.
func hostileReport() runReport {
	r := runReport{Mode: deck.ReplayOnly, ExitCode: 90, Started: time.Date(2026, 11, 22, 3, 54, 16, 0, time.UTC), Seconds: 12.3456, Refused: map[string]int{}}
	for _, text := range hostile {
		r.Refused[text] = 2
		r.Cassettes = append(r.Cassettes, deck.Report{
			Cassette: text + ".yaml", Mode: deck.NewEpisodes, Played: 3, Strict: true, Expired: true, Missing: 1,
			Misses:  []deck.Miss{{Request: text, Reason: text, Text: text}, {Request: text, Reason: text, Text: text + " differs"}},
			Refused: []string{text}, Failed: []string{text}, Unused: []string{text}, Notes: []string{"max_age: " + text},
		})
	}
	r.Faults = r.faults(strictness{failExpired: true})
	return r
}

func TestJUnitOfHostileTexts(t *testing.T) {
	report := hostileReport()
	data, err := junit(report)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(data) {
		t.Error("it is not UTF-8")
	}
	for i, c := range string(data) {
		if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0xfffe {
			t.Fatalf("control character %U at byte %d", c, i)
		}
	}
	for _, reference := range regexp.MustCompile(`&#x?[0-9A-Fa-f]+;`).FindAllString(string(data), -1) {
		if !slices.Contains([]string{"&#34;", "&#39;", "&#xA;", "&#x9;"}, reference) {
			t.Errorf("%s stands for a control character", reference)
		}
	}
	var got junitSuites
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimSpace(data)))
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("it is not XML: %v", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Errorf("more follows the document: %v", err)
	}
	if got.Time != "12.346" || got.Failures != len(report.Faults) || got.Tests != got.Failures+len(got.Suites) || len(got.Suites) != len(hostile)+1 {
		t.Errorf("time %s, %d tests, %d failures, %d suites for %d faults", got.Time, got.Tests, got.Failures, len(got.Suites), len(report.Faults))
	}
	for _, suite := range got.Suites {
		names, failures := map[string]bool{}, 0
		for _, c := range suite.Cases {
			if names[c.Name] {
				t.Errorf("two cases are called %q", c.Name)
			}
			names[c.Name] = true
			if c.Class == "" || c.Name == "" || c.Time == "" || strings.ContainsAny(c.Class+c.Name, "\n\r") {
				t.Errorf("case %q of %q, time %q", c.Name, c.Class, c.Time)
			}
			if c.Failure != nil {
				failures++
				if c.Failure.Message == "" || c.Failure.Text == "" {
					t.Errorf("the failure of %q says nothing", c.Name)
				}
			}
		}
		if suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Timestamp != "2026-11-22T03:54:16" {
			t.Errorf("suite %q counts %d tests and %d failures of %d and %d, at %s", suite.Name, suite.Tests, suite.Failures, len(suite.Cases), failures, suite.Timestamp)
		}
	}
	// Every kind is there.
	for _, kind := range faultKinds {
		if !bytes.Contains(data, []byte(`type="`+kind.kind+`"`)) {
			t.Errorf("no failure of type %s", kind.kind)
		}
	}
}

// command is what the runner of GitHub Actions takes for a workflow command: it trims
// lines first (actions/runner, ActionCommand.TryParseV2).
var command = regexp.MustCompile(`(?m)^[ \t]*::`)

func TestAnnotationsOfHostileTexts(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	report := hostileReport()
	var out strings.Builder
	summary := filepath.Join(t.TempDir(), "summary.md")
	github(&out, report, func(name string) string {
		return map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": filepath.Dir(filepath.Dir(here)), "GITHUB_STEP_SUMMARY": summary}[name]
	})
	line := regexp.MustCompile(`^::error title=([^,:]*)(?:,file=([^,:]*))?::([^\r\n]*)$`)
	var texts, files []string
	for _, text := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		m := line.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("not one command on one line: %q", text)
		}
		if !strings.HasPrefix(m[1], "tapedeck%3A ") {
			t.Errorf("title %q", m[1])
		}
		texts = append(texts, strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n").Replace(m[3]))
		files = append(files, strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",").Replace(m[2]))
	}
	var want, wantFiles []string
	for _, f := range report.Faults {
		want = append(want, f.text)
		file := ""
		if f.Cassette != "" {
			file = "cmd/tapedeck/" + filepath.ToSlash(filepath.Clean(f.Cassette))
		}
		wantFiles = append(wantFiles, file)
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantFiles, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	page, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 1<<20 || !utf8.Valid(page) || command.Match(page) {
		t.Errorf("the summary has %d bytes, is UTF-8: %v", len(page), utf8.Valid(page))
	}
	rows := 0
	for _, text := range strings.Split(string(page), "\n") {
		if !strings.HasPrefix(text, "|") {
			if text != "" && !strings.HasPrefix(text, "### tapedeck: replay-only, exit code 90") {
				t.Errorf("not a row of a table: %q", text)
			}
			continue
		}
		rows++
		if n := strings.Count(text, "|"); n != 7 && n != 4 {
			t.Errorf("%d cells: %q", n-1, text)
		}
		plain := strings.NewReplacer("<code>", "", "</code>", "").Replace(text)
		if strings.ContainsAny(plain, "<>`*[]@\\\r\x00\x1b") || len(text) > 4000 {
			t.Errorf("markup in %q", text)
		}
	}
	if want := 4 + len(hostile) + min(len(report.Faults), maxSummaryRows+1); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}

	// Elsewhere nothing is said, and nothing written.
	out.Reset()
	github(&out, report, func(string) string { return "" })
	if out.String() != "" {
		t.Errorf("outside of GitHub: %s", out.String())
	}
	// A second step adds to the page.
	github(&out, runReport{Mode: deck.RecordOnce}, func(name string) string {
		return map[string]string{"GITHUB_STEP_SUMMARY": summary}[name]
	})
	after, err := os.ReadFile(summary)
	if err != nil || !bytes.HasPrefix(after, page) || !strings.Contains(string(after), "### tapedeck: record-once, passed") {
		t.Errorf("the page was not added to (%v)", err)
	}
}

// A cassette outside of the checkout has no path that GitHub knows.
func TestAnnotatedFiles(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ workspace, file, want string }{
		{here, "cassettes/a.yaml", "cassettes/a.yaml"},
		{filepath.Dir(here), "cassettes/a.yaml", "tapedeck/cassettes/a.yaml"},
		{here, filepath.Join(here, "a.yaml"), "a.yaml"},
		{here, "../a.yaml", ""},
		{"", "a.yaml", ""},
		{here, "", ""},
	} {
		if got := inWorkspace(c.workspace, c.file); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.file, c.workspace, got, c.want)
		}
	}
}
