//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A gitRepo is a repository with cassettes, in which tapedeck git install has been run.
type gitRepo struct{ *workspace }

const cassetteFile = "cassettes/shop.yaml"

// newGitRepo has one commit, with the calls as its cassette.
func newGitRepo(t *testing.T, calls ...recordedCall) gitRepo {
	t.Helper()
	g := gitRepo{newWorkspace(t)}
	g.must(t, 0, "init", "-q", "-b", "main")
	g.write(t, ".git/info/exclude", "/home/\n/tmp/\n")
	g.mustEnd(t, g.tapedeck(t, nil, "git", "install"), 0)
	g.commit(t, "begin", cassetteFile, cassetteOf(calls...))
	return g
}

// env keeps the machine's own configuration of git out.
func (g gitRepo) env() []string {
	return []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_EDITOR=true", "GIT_PAGER=cat",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"}
}

func (g gitRepo) git(t *testing.T, arguments ...string) result {
	t.Helper()
	return g.run(t, g.env(), "git", arguments...)
}

// must runs git and returns what it prints.
func (g gitRepo) must(t *testing.T, code int, arguments ...string) string {
	t.Helper()
	r := g.git(t, arguments...)
	g.mustEnd(t, r, code)
	return r.stdout + r.stderr
}

func (g gitRepo) mustEnd(t *testing.T, r result, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d was wanted: %s", code, r)
	}
}

func (g gitRepo) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(g.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (g gitRepo) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(g.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (g gitRepo) commit(t *testing.T, message, name, text string) {
	t.Helper()
	g.write(t, name, text)
	g.must(t, 0, "add", "-A")
	g.must(t, 0, "commit", "-q", "-m", message)
}

// branch makes a branch at a revision, with one commit.
func (g gitRepo) branch(t *testing.T, name, at string, calls ...recordedCall) {
	t.Helper()
	g.must(t, 0, "switch", "-q", "-c", name, at)
	g.commit(t, name, cassetteFile, cassetteOf(calls...))
}

// replay plays a cassette to requests, written "GET /plans" or "POST /orders n=1", and
// returns the answers.
func (g gitRepo) replay(t *testing.T, file string, requests ...string) result {
	t.Helper()
	var script strings.Builder
	for _, request := range requests {
		words := strings.Fields(request)
		fmt.Fprintf(&script, "'%s' -sS -X %s ", programs.curl, words[0])
		if len(words) == 3 {
			fmt.Fprintf(&script, "-d '%s' ", words[2])
		}
		fmt.Fprintf(&script, "'http://api.example.com%s'; echo; ", words[1])
	}
	return g.tapedeck(t, nil, "exec", "--mode", "replay-only", "--cassette", file, "--", programs.bash, "-c", script.String())
}

// mustReplay holds what a cassette answers, one line for each request.
func (g gitRepo) mustReplay(t *testing.T, file string, want map[string]string, requests ...string) {
	t.Helper()
	r := g.replay(t, file, requests...)
	var lines []string
	for _, request := range requests {
		lines = append(lines, want[request])
	}
	if got := strings.TrimSpace(r.stdout); r.code != 0 || got != strings.Join(lines, "\n") {
		t.Errorf("played %q, want %q: %s\n%s", got, lines, r, g.read(t, file))
	}
}

// A recordedCall is one interaction of a cassette.
type recordedCall struct {
	id      int
	request string // as replay has it
	answer  string // JSON
	day     string
}

func cassetteOf(calls ...recordedCall) string {
	var b strings.Builder
	b.WriteString("version: 2\ninteractions:\n")
	for _, c := range calls {
		words := strings.Fields(c.request)
		fmt.Fprintf(&b, "# %s http://api.example.com%s → 200\n- id: %d\n  tapedeck: {recorded: %s}\n  request:\n    method: %s\n    url: http://api.example.com%s\n",
			words[0], words[1], c.id, cmp.Or(c.day, "2026-11-20"), words[0], words[1])
		if len(words) == 3 {
			name, value, _ := strings.Cut(words[2], "=")
			fmt.Fprintf(&b, "    headers:\n      Content-Type: [application/x-www-form-urlencoded]\n    form:\n      %s: [%q]\n    body: %s\n", name, value, words[2])
		}
		fmt.Fprintf(&b, "  response:\n    status: 200 OK\n    code: 200\n    proto: HTTP/1.1\n    proto_major: 1\n    proto_minor: 1\n    content_length: %d\n    headers:\n      Content-Length: [\"%d\"]\n      Content-Type: [application/json]\n    body: '%s'\n    duration: 0s\n",
			len(c.answer), len(c.answer), c.answer)
	}
	return b.String()
}
