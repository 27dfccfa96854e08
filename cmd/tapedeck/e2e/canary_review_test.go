//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A reviewRun is a canary run in a git repository whose two commits hold cassettes in
// which every secret stands as it is, under names that say so and in every encoding.
type reviewRun struct {
	*canaryRun
	old, new string // the cassettes
}

func newReviewRun(t *testing.T) *reviewRun {
	t.Helper()
	r := &reviewRun{canaryRun: newCanaryRun(t)}
	r.settings(t)
	before := r.recordable()
	// The same exchanges with other secrets, in another order.
	first := r.p
	r.p = &planting{seed: first.seed + " again"}
	r.p.never("password of the proxy's user")
	r.exchanges = r.p.exchanges()
	for i := range r.p.secrets {
		r.p.secrets[i].Name += ", again"
	}
	after := r.recordable()
	slices.Reverse(after)
	r.p.secrets = append(slices.Clone(first.secrets), r.p.secrets...)
	r.p.seed = first.seed
	r.old = r.hold(t, "work/old/canary.yaml", rawCassette(before, "before"))
	r.new = r.hold(t, "work/new/canary.yaml", rawCassette(after, "after"))
	r.look()
	return r
}

// recordable are the exchanges that a cassette can hold.
func (r *reviewRun) recordable() []*exchange {
	return slices.DeleteFunc(slices.Clone(r.exchanges), func(e *exchange) bool { return e.upgrade != nil })
}

// hold writes a file that may hold secrets.
func (r *reviewRun) hold(t *testing.T, name, text string) string {
	t.Helper()
	file := r.path(name)
	r.mayHold[file] = true
	return r.write(t, name, text)
}

// tapedeck runs a command that knows the variables of both cassettes' secrets.
func (r *reviewRun) tapedeck(t *testing.T, arguments ...string) result {
	t.Helper()
	return r.run(t, []string{"CANARY_LATER_TOKEN=" + r.secret("environment variable, again"), "LC_ALL=C"}, arguments...)
}

// formats are those of reports.
var formats = []string{"text", "markdown", "json", "html"}

func TestCanaryReviewDiff(t *testing.T) {
	t.Parallel()
	r := newReviewRun(t)
	for _, sides := range [][]string{{r.old, r.new}, {r.new, r.old}, {os.DevNull, r.old}, {r.new, os.DevNull}, {filepath.Dir(r.old), filepath.Dir(r.new)}} {
		for _, format := range formats {
			got := r.tapedeck(t, append([]string{"diff", "--volatile", "--color", "always", "--format", format}, sides...)...)
			got.mustEnd(t, 0)
			if !strings.Contains(got.stdout, "canary.yaml") {
				t.Errorf("nothing is shown: %s", got)
			}
		}
	}
}

// The commands that write a cassette anew write nothing of what stands in it raw.
func TestCanaryReviewEdits(t *testing.T) {
	t.Parallel()
	r := newReviewRun(t)
	raw, odd := read(t, r.old), r.strangeCassette("strange")
	for _, one := range []struct {
		name      string
		arguments []string // FILE is the cassette
		code      int
		writes    bool
	}{
		{"check", []string{"fmt", "--check", "--upgrade", "FILE"}, 1, false},
		{"fmt", []string{"fmt", "FILE"}, 0, true},
		{"upgrade", []string{"fmt", "--upgrade", "FILE"}, 0, true},
		{"pin", []string{"pin", "FILE", "1", "2"}, 0, true},
		{"dry", []string{"forget", "--dry-run", "FILE", "3", "4"}, 0, false},
		{"forget", []string{"forget", "FILE", "3", "4"}, 0, true},
		{"prune", []string{"prune", "--cassettes", "DIR"}, 0, false},
		{"resolve", []string{"git", "resolve", "--ours", "FILE"}, 0, false},
		{"textconv", []string{"git", "textconv", "FILE"}, 0, false},
		{"verify", []string{"verify", "--dry-run", "--unsafe", "FILE"}, 92, false},
		{"strange", []string{"fmt", "FILE"}, 0, false}, // which leaves what go-vcr wrote
		{"strange upgrade", []string{"fmt", "--upgrade", "FILE"}, 0, true},
		{"strange pin", []string{"pin", "FILE", "0"}, 0, true},
		{"strange textconv", []string{"git", "textconv", "FILE"}, 0, false},
		{"strange diff", []string{"diff", "/dev/null", "FILE"}, 0, false},
		{"strange verify", []string{"verify", "--dry-run", "FILE"}, 0, false},
	} {
		t.Run(one.name, func(t *testing.T) {
			raw := raw
			if strings.HasPrefix(one.name, "strange") {
				raw = odd
			}
			file := r.hold(t, "work/"+one.name+"/canary.yaml", raw)
			arguments := slices.Clone(one.arguments)
			for i, argument := range arguments {
				arguments[i] = strings.NewReplacer("FILE", file, "DIR", filepath.Dir(file)).Replace(argument)
			}
			got := r.tapedeck(t, arguments...)
			mustMoveNoCursor(t, got.stdout+got.stderr)
			if got.code != one.code {
				t.Errorf("ended with %d, want %d: %s", got.code, one.code, got)
			}
			written := read(t, file) != raw
			if written != one.writes {
				t.Errorf("the file is written: %v", written)
			}
			if written {
				delete(r.mayHold, file)
				r.searchFiles()
				if raw == odd && !strings.Contains(read(t, file), "plain: kept") {
					t.Errorf("a key in which nothing secret stands is gone: %s", read(t, file))
				}
			}
		})
	}
}

// Live answers of an API that gives out secrets, beside a recording that holds others.
func TestCanaryReviewVerify(t *testing.T) {
	t.Parallel()
	r := newReviewRun(t)
	for _, format := range formats {
		report := r.path("work/report-" + format + ".json")
		got := r.tapedeck(t, append(append([]string{"verify", "--unsafe", "--delay", "0s", "--volatile", "--format", format, "--report", report}, r.origin.flags()...), r.old)...)
		if got.code != 1 || !strings.Contains(got.stdout, "REDACTED") {
			t.Errorf("nothing was compared: %s", got)
		}
	}
}

// What is broken is not quoted: half a file, ended in the middle of a secret, the marks of
// a merge as text, and what is no YAML.
func TestCanaryReviewErrors(t *testing.T) {
	t.Parallel()
	r, secret := startup(t)
	r.settings(t)
	fill := func(text string) string { return strings.ReplaceAll(text, "SECRET", secret) }
	whole := r.write(t, "work/whole.yaml", fill(handWritten))
	r.mayHold[whole] = true
	body := strings.Index(handWritten, "access_token") + 20
	for i, text := range []string{
		handWritten[:body],
		handWritten[:body] + "\n",
		strings.Replace(handWritten, "      Authorization:\n", "<<<<<<< SECRET\n      Authorization:\n=======\n      SECRET:\n>>>>>>> SECRET\n", 1),
		strings.Replace(handWritten, "- Bearer SECRET", "Bearer SECRET", 1),
		strings.Replace(handWritten, "Authorization:\n      - Bearer SECRET", "SECRET: x", 1),
		strings.Replace(handWritten, "- Bearer SECRET", "- \"\\qSECRET\"", 1),
		strings.Replace(handWritten, "- Bearer SECRET", "- *SECRET", 1),
		strings.Replace(handWritten, "url: https://api.example.com/x", "url: https://u:SECRET%zz@api.example.com/x", 1),
		strings.Replace(handWritten, "code: 200", "code: SECRET", 1),
		strings.Replace(handWritten, "id: 0", "id: SECRET", 1),
		strings.Replace(handWritten, "- id: 0", "- tapedeck: {body_files: {response: SECRET}}\n  id: 0", 1),
		strings.Replace(handWritten, "- id: 0", "- tapedeck: {style: {SECRET: SECRET}}\n  id: 0", 1),
		strings.Replace(handWritten, "- id: 0", "- tapedeck: {conflict: SECRET}\n  id: 0", 1),
	} {
		if leaveOut(i) {
			continue
		}
		broken := r.write(t, "work/broken.yaml", fill(text))
		r.mayHold[broken] = true
		for _, one := range []struct {
			code      int // or another one, but not 0
			arguments []string
		}{
			{2, []string{"diff", whole, broken}},
			{2, []string{"diff", "--format", "json", broken, whole}},
			{2, []string{"fmt", broken}},
			{2, []string{"fmt", "--check", "--upgrade", broken}},
			{2, []string{"verify", "--dry-run", broken}},
			{2, []string{"pin", broken, "0"}},
			{2, []string{"forget", broken, "0"}},
			{2, []string{"git", "resolve", "--ours", broken}},
			{1, []string{"git", "merge", whole, broken, whole, "7", "cassettes/canary.yaml"}},
			{0, []string{"git", "textconv", broken}},
		} {
			got := r.run(t, nil, one.arguments...)
			if got.code != one.code && (got.code == 0 || one.code == 0) {
				t.Errorf("%d: ended with %d, want %d: %s", i, got.code, one.code, strings.ReplaceAll(got.String(), secret, "SECRET"))
			}
			if strings.Contains(got.stdout+got.stderr, secret) {
				t.Errorf("%d: it is quoted: %s", i, strings.ReplaceAll(got.String(), secret, "SECRET"))
			}
		}
	}
}
