package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapedeck/cassettes/diff"
)

var update = flag.Bool("update", false, "write testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (write it with -update):\n%s", file, diff)
	}
}

func written(t *testing.T, name string, d diff.Diff, o Options) string {
	t.Helper()
	f, ok := ByName(name)
	if !ok {
		t.Fatalf("there is no format %s", name)
	}
	var b bytes.Buffer
	if err := f.Write(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	one := everything()
	one.Files, one.NewHosts, one.Rules, one.Same = one.Files[1:2], nil, nil, 0
	one.Files[0].New = one.Files[0].Old
	var groups []diff.Group
	for _, g := range one.Groups {
		var refs []diff.Ref
		for _, r := range g.Refs {
			if r.File == 1 {
				refs = append(refs, diff.Ref{File: 0, Interaction: r.Interaction, Change: r.Change})
			}
		}
		if g.Refs = refs; len(refs) > 0 {
			groups = append(groups, g)
		}
	}
	one.Groups = groups
	for _, c := range []struct {
		file, format string
		d            diff.Diff
		o            Options
	}{
		{"all.txt", "text", everything(), Options{}},
		{"all-wide.txt", "text", everything(), Options{Width: 160, Volatile: true}},
		{"all-color.txt", "text", everything(), Options{Color: true}},
		{"one.txt", "text", one, Options{}},
		{"same.txt", "text", diff.Diff{Version: 1, Same: 3}, Options{}},
		{"rules.txt", "text", diff.Diff{Version: 1, Same: 3, Rules: everything().Rules}, Options{}},
		{"all.md", "markdown", everything(), Options{Title: "main and the work tree"}},
		{"one.md", "markdown", one, Options{Volatile: true}},
		{"same.md", "markdown", diff.Diff{Version: 1, Same: 3}, Options{}},
		{"one.json", "json", one, Options{}},
	} {
		t.Run(c.file, func(t *testing.T) { golden(t, c.file, written(t, c.format, c.d, c.o)) })
	}
}

// Every line of text fits the terminal.
func TestTextFits(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200} {
		for line := range strings.Lines(written(t, "text", everything(), Options{Width: width, Volatile: true})) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns where there are %d: %s", n, width, line)
			}
		}
	}
}

// A reader who sees one screen of a long report has seen what matters.
func TestFirstScreen(t *testing.T) {
	lines := strings.SplitAfter(written(t, "text", everything(), Options{}), "\n")
	screen := strings.Join(lines[:min(len(lines), 24)], "")
	for _, want := range []string{"+ " + refunds, "https://api.mail.dev", "! tapedeck.yaml: rules: on POST api.stripe.com/v1/re", "status in POST api.stripe.com/v1/charges", "body.balance in GET api.stripe.com"} {
		if !strings.Contains(screen, want) {
			t.Errorf("%q is not on the first screen:\n%s", want, screen)
		}
	}
}
