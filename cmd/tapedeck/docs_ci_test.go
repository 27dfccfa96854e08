package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The end-to-end tests run the files of examples/ci; people copy what docs/ci.md shows.
func TestDocsShowTheWorkflows(t *testing.T) {
	doc := readDoc(t, "ci.md")
	files, err := filepath.Glob("../../examples/ci/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no workflows (%v)", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(doc, "```yaml\n"+string(data)+"```\n") {
			t.Errorf("docs/ci.md does not show %s as it is", file)
		}
	}
	if n := strings.Count(doc, "```yaml\n"); n != len(files) {
		t.Errorf("docs/ci.md shows %d workflows, examples/ci has %d", n, len(files))
	}
}

// A go.work in the repository under test stands above tapedeck's checkout: with it go
// refuses to build, or builds what the pull request says.
func TestWorkflowsBuildWithoutTheWorkspace(t *testing.T) {
	files, err := filepath.Glob("../../examples/ci/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for _, file := range append(files, "../../.ci/action") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if !strings.Contains(line, "go build") {
				continue
			}
			if met++; !strings.Contains(line, "GOWORK=off go build -C ") {
				t.Errorf("%s: %s", file, strings.TrimSpace(line))
			}
		}
	}
	if met == 0 {
		t.Error("nothing builds tapedeck")
	}
}

func TestDocsListEveryMemberOfTheReport(t *testing.T) {
	doc := readDoc(t, "ci.md")
	seen := make(map[reflect.Type]bool)
	var walk func(reflect.Type)
	walk = func(is reflect.Type) {
		switch is.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			walk(is.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[is] || is == reflect.TypeFor[time.Time]() {
			return
		}
		seen[is] = true
		for i := range is.NumField() {
			field := is.Field(i)
			if !field.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" || !strings.Contains(doc, "`"+name+"`") {
				t.Errorf("docs/ci.md does not list %q, the member %s of %s", name, field.Name, is)
			}
			walk(field.Type)
		}
	}
	walk(reflect.TypeFor[runReport]())
	if len(seen) < 5 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}

func TestDocsListEveryExitCode(t *testing.T) {
	doc := readDoc(t, "ci.md")
	for _, code := range []int{exitMiss, exitIncomplete, exitStale, exitFailure, exitUsage} {
		if !strings.Contains(doc, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("the table of docs/ci.md has no line for %d", code)
		}
	}
	for _, known := range faultKinds {
		if !strings.Contains(doc, "`"+string(known.kind)+"`") {
			t.Errorf("docs/ci.md does not name the kind %s", known.kind)
		}
	}
}
