//go:build e2e

package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// strange is a file that nobody but a hand writes: secrets stand where no traffic does.
// SHAPED1 and so on tell by their shapes what they are, NAMED1 by the names above them.
const strange = `# SHAPED1
version: 2
later: SHAPED2
tapedeck:
  unfinished: "SHAPED3 and password=NAMED1"
  later_key: SHAPED4
  "SHAPED5": 1
  nested: {token: NAMED2, list: [SHAPED6], n: 7}
  plain: kept
interactions:
- id: 0
  # SHAPED7
  later: SHAPED8
  tapedeck: {recorded: "SHAPED9", cut: "SHAPED10", later: SHAPED11, deep: {password: NAMED3}}
  request:
    method: POST
    host: SHAPED12.example.com
    request_uri: /x?token=NAMED4
    remote_addr: SHAPED13
    url: "https://api.example.com/x?SHAPED14=1&WORD=2#SHAPED15"
    headers: {Content-Type: [application/x-www-form-urlencoded]}
    form: {password: [NAMED5], "SHAPED16": [x]}
    body: "password=NAMED6&SHAPED17=1&x%1B%5B31mb=WORD&WORD=2"
  response:
    status: "200 SHAPED18"
    code: 200
    later: SHAPED19
    transfer_encoding: [SHAPED20]
    headers: {Content-Type: [application/json], X-Note: ["a\u001b]0;WORD\u0007"], "X-A\u001b[31mb": [WORD]}
    body: '{"SHAPED21":"WORD","token":"NAMED7","note":"\u001b[2J\u202e<script>alert(1)</script> WORD @octocat [x](javascript:alert(1))"}'
    duration: SHAPED22
`

// strangeCassette fills strange, and says what stands there for a search.
func (r *reviewRun) strangeCassette(word string) string {
	var fill []string
	for i := 22; i > 0; i-- { // SHAPED12 before SHAPED1
		name := "SHAPED" + strconv.Itoa(i)
		fill = append(fill, name, "ghp_"+r.p.shaped(name+" "+word, "value-github-token", 36))
	}
	for i := range 7 {
		name := "NAMED" + strconv.Itoa(i+1)
		fill = append(fill, name, r.p.plant(name+" "+word, ""))
	}
	r.look()
	return strings.NewReplacer(append(fill, "WORD", word)...).Replace(strange)
}

// git runs git, and searches what it prints. What it keeps for a moment is its own affair.
func (r *reviewRun) git(t *testing.T, arguments ...string) result {
	t.Helper()
	command := exec.Command("git", arguments...)
	command.Dir = r.path("work")
	command.Env = r.environ("CANARY_LATER_TOKEN="+r.secret("environment variable, again"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	_ = command.Run() // how it ended stands in ProcessState
	out := result{command.String(), command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	r.note(nil, "", r.searcher.Search("stdout of "+out.command, []byte(out.stdout)))
	r.note(nil, "", r.searcher.Search("stderr of "+out.command, []byte(out.stderr)))
	return out
}

func (r *reviewRun) commit(t *testing.T, message string) {
	t.Helper()
	r.git(t, "add", "-A").mustEnd(t, 0)
	r.git(t, "commit", "-qm", message).mustEnd(t, 0)
}

// allowObjects says that what git holds by now may hold secrets: people committed it.
func (r *reviewRun) allowObjects(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(r.path("work/.git/objects"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			r.mayHold[path] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newReviewRepository is a review run with three branches of one cassette, and a strange
// one beside it. HEAD is on main.
func newReviewRepository(t *testing.T) *reviewRun {
	t.Helper()
	r := newReviewRun(t)
	for _, file := range []string{r.old, r.new} {
		if err := os.RemoveAll(filepath.Dir(file)); err != nil {
			t.Fatal(err)
		}
	}
	list := r.recordable()
	text := func(from, to int, word string) string { return rawCassette(list[from:to], word) }
	before, after := r.strangeCassette("before"), r.strangeCassette("after")
	r.git(t, "init", "-q", "-b", "main").mustEnd(t, 0)
	r.git(t, "config", "gc.auto", "0").mustEnd(t, 0)
	r.tapedeckEnds(t, 0, "git", "install", "--program", programs.tapedeck)
	r.hold(t, "work/cassettes/canary.yaml", text(0, 40, "before"))
	r.hold(t, "work/cassettes/strange.yaml", before)
	r.commit(t, "main")
	r.git(t, "switch", "-qc", "theirs").mustEnd(t, 0)
	r.write(t, "work/cassettes/canary.yaml", text(0, 40, "before")+strings.TrimPrefix(text(40, 60, "theirs"), "version: 2\ninteractions:\n"))
	r.write(t, "work/cassettes/strange.yaml", after)
	r.commit(t, "theirs")
	r.git(t, "switch", "-qc", "other", "main").mustEnd(t, 0)
	r.write(t, "work/cassettes/canary.yaml", text(0, 40, "other"))
	r.commit(t, "other")
	r.git(t, "switch", "-q", "main").mustEnd(t, 0)
	r.write(t, "work/cassettes/canary.yaml", text(0, 39, "main"))
	r.write(t, "work/cassettes/strange.yaml", before+"- {id: 9, request: {method: GET, url: \"https://api.example.com/more\"}, response: {code: 204}}\n")
	r.commit(t, "main again")
	r.allowObjects(t)
	return r
}

func (r *reviewRun) tapedeckEnds(t *testing.T, code int, arguments ...string) result {
	t.Helper()
	got := r.tapedeck(t, arguments...)
	if got.code != code {
		t.Errorf("ended with %d, want %d: %s", got.code, code, got)
	}
	return got
}

// What git shows, keeps in its notes, merges and hands to tapedeck diff is clean, however
// the commits came to hold what they hold.
func TestCanaryReviewGit(t *testing.T) {
	t.Parallel()
	r := newReviewRepository(t)
	for _, arguments := range [][]string{{"log", "-p", "--all"}, {"diff", "main", "theirs"}, {"show", "other"}} {
		got := r.git(t, arguments...)
		got.mustEnd(t, 0)
		if !strings.Contains(got.stdout, "REDACTED") {
			t.Errorf("tapedeck shows nothing: %s", got)
		}
		mustMoveNoCursor(t, got.stdout)
	}
	if notes := r.git(t, "notes", "--ref", "textconv/diff.tapedeck", "list"); notes.code != 0 && !strings.Contains(r.git(t, "for-each-ref").stdout, "textconv") {
		t.Errorf("git keeps no notes: %s", r.git(t, "for-each-ref").stdout)
	}
	r.searchFiles() // the notes

	for _, format := range formats {
		got := r.tapedeckEnds(t, 0, "diff", "--git", "--volatile", "--format", format, "main..theirs")
		if format != "json" {
			mustMoveNoCursor(t, got.stdout)
		}
		if format == "markdown" && (strings.Contains(got.stdout, "\n@octocat") || strings.Contains(got.stdout, "<script>alert") && !strings.Contains(got.stdout, "`")) {
			t.Errorf("what stands in an answer is markup: %s", got)
		}
		if format == "html" && strings.Contains(got.stdout, "<script>alert") {
			t.Error("what stands in an answer is a part of the page")
		}
	}

	// Merged without a conflict, then with one in every interaction.
	r.git(t, "merge", "-q", "-m", "m", "theirs").mustEnd(t, 0)
	for _, file := range []string{"canary", "strange"} {
		delete(r.mayHold, r.path("work/cassettes/"+file+".yaml"))
	}
	if file := read(t, r.path("work/cassettes/strange.yaml")); strings.Count(file, "REDACTED") < 5 || !strings.Contains(file, "plain: kept") || !strings.Contains(file, "after") || !strings.Contains(file, "/more") {
		t.Errorf("this is not what was merged: %s", file)
	}
	if file := read(t, r.cassette()); strings.Count(file, "REDACTED") < 20 || !strings.Contains(file, "[theirs]") {
		t.Errorf("this is not what was merged: %s", shorten(file))
	}
	r.searchFiles()
	if got := r.git(t, "merge", "-m", "m", "other"); got.code != 1 {
		t.Errorf("no conflict: %s", got)
	}
	if strings.Count(read(t, r.cassette()), "conflict: theirs") < 20 {
		t.Error("nothing is in conflict")
	}
	r.searchFiles()
	r.git(t, "diff")
	for _, arguments := range [][]string{{"diff", "--git"}, {"git", "resolve", r.cassette()}, {"fmt", r.cassette()}} {
		r.tapedeckEnds(t, 2, arguments...)
	}
	r.tapedeckEnds(t, 0, "git", "resolve", "--both", r.cassette())
	r.git(t, "add", "-A").mustEnd(t, 0)
	r.searchFiles()
}

// Without the rules, the same search finds the secrets in what git shows, in its notes and
// in what is merged.
func TestCanaryReviewGitFindsWhatNoRuleRemoves(t *testing.T) {
	t.Parallel()
	r := newReviewRepository(t)
	r.settings(t, r.rulesInForce(t)...)
	uncovered := func() map[string]string {
		r.mu.Lock()
		defer r.mu.Unlock()
		out := map[string]string{}
		for leak := range r.leaks {
			for _, place := range []string{"stdout of", "work/.git/objects/", "work/cassettes/canary.yaml"} {
				if strings.Contains(leak, place) {
					out[place] = leak
				}
			}
		}
		clear(r.leaks)
		return out
	}
	for _, format := range formats {
		r.tapedeck(t, "diff", "--git", "--volatile", "--format", format, "main..theirs")
		if found := uncovered(); found["stdout of"] == "" {
			t.Errorf("%s: the search finds nothing", format)
		}
	}
	r.git(t, "show", "theirs")
	r.git(t, "merge", "-q", "-m", "m", "theirs")
	delete(r.mayHold, r.cassette())
	r.searchFiles()
	if found := uncovered(); len(found) != 3 {
		t.Errorf("the search finds only %v", found)
	}
}

// mustMoveNoCursor fails when a text could do more in a terminal than colour itself.
func mustMoveNoCursor(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"\x1b]", "\x1b[2J", "\x07", "\u202e", "\x1b[31mb"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is printed as it is", bad)
		}
	}
}
