package profiles

import (
	"os"
	"strings"
	"testing"
)

// TestReference holds docs/configuration.md against the schema: each of its
// examples is a valid file, together they use every key, and it has a row for
// every profile.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	blocks := strings.Split(string(text), "```yaml\n")
	for _, block := range blocks[1:] {
		example, _, _ := strings.Cut(block, "```")
		f, err := Parse("docs/configuration.md", []byte(example))
		if err != nil {
			t.Errorf("%v in:\n%s", err, example)
			continue
		}
		for path := range f.lines {
			used[unindexed(path)] = true
		}
	}
	var walk func(path string, s *shape)
	walk = func(path string, s *shape) {
		for _, k := range s.keys {
			at := join(path, k.name)
			// The names in a table are the user's, so its settings are looked for by their ends.
			if !used[at] && !endsIn(used, path, k.name) {
				t.Errorf("no example uses %s", at)
			}
			walk(at, k.shape)
		}
		switch s.kind {
		case list:
			walk(path, s.item)
		case table:
			walk(path+".*", s.item)
		}
	}
	walk("", file)
	for _, f := range List() {
		if !strings.Contains(string(text), "| "+f.ShortName()+" |") {
			t.Errorf("no row for the profile %s", f.ShortName())
		}
	}
}

func endsIn(used map[string]bool, path, name string) bool {
	head, ok := strings.CutSuffix(path, ".*")
	if !ok {
		return false
	}
	for have := range used {
		if strings.HasPrefix(have, head+".") && strings.HasSuffix(have, "."+name) {
			return true
		}
	}
	return false
}

// TestExamples: what the other pages show is valid too.
func TestExamples(t *testing.T) {
	for _, page := range []string{"matching.md", "redaction.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(text), "```yaml\n")
		if len(blocks) < 2 {
			t.Errorf("%s has no example", page)
		}
		for _, block := range blocks[1:] {
			example, _, _ := strings.Cut(block, "```")
			if _, err := Parse(page, []byte(example)); err != nil {
				t.Errorf("%v in:\n%s", err, example)
			}
		}
	}
}

// unindexed is a path without its indexes: rules.on for rules[3].on.
func unindexed(path string) string {
	var out strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			out.WriteRune(r)
		}
	}
	return out.String()
}
