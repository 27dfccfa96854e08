package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSessionsDocShowsTheExamples: what docs/sessions.md tells to copy is what the
// end-to-end tests run.
func TestSessionsDocShowsTheExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/sessions.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	if err := filepath.WalkDir("../../examples/sessions", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		examples.Write(data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```(go|python|js|bash)\n(.*?)```").FindAllStringSubmatch(string(doc), -1) {
		shown[block[1]]++
		if !strings.Contains(examples.String(), block[2]) {
			t.Errorf("this stands in no file of examples/sessions:\n%s", block[2])
		}
	}
	for _, language := range []string{"go", "python", "js", "bash"} {
		if shown[language] == 0 {
			t.Errorf("nothing is shown in %s", language)
		}
	}
}
