//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The page that review serves, its events, and what it says of broken files.
func TestCanaryReviewServed(t *testing.T) {
	t.Parallel()
	r := newReviewRepository(t)
	r.git(t, "switch", "-q", "other").mustEnd(t, 0)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	p := r.start(t, []string{"CANARY_LATER_TOKEN=" + r.secret("environment variable, again")}, programs.tapedeck, "review", "--git", "theirs", "--listen", address)
	url := "http://" + address + "/"
	r.until(t, "the review answers", func() bool {
		response, err := http.Get(url)
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	})
	get := func(path string) string {
		t.Helper()
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if path == "events" {
			line, _ := bufio.NewReader(response.Body).ReadString('\n')
			return line
		}
		page, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		r.note(nil, "", r.searcher.Search("the page", page))
		return string(page)
	}
	if page := get(""); !strings.Contains(page, "REDACTED") || strings.Contains(page, "<script>alert") {
		t.Error("the page shows no cassette, or runs what stands in one")
	}
	get("nothing?token=" + r.secret("bearer token, again"))
	// Half of the file, in the middle of a secret.
	raw := read(t, r.cassette())
	at := strings.Index(raw, r.secret("bearer token, again"))
	r.write(t, "work/cassettes/canary.yaml", raw[:at+10])
	r.until(t, "the page says that the file is broken", func() bool { return strings.Contains(get(""), "the file ends here") })
	r.write(t, "work/cassettes/canary.yaml", "<<<<<<< ours\n"+raw)
	r.until(t, "the page says that markers are in it", func() bool { return strings.Contains(get(""), "conflict markers") })
	r.note(nil, "", r.searcher.Search("the events", []byte(get("events"))))
	r.end(t, p, syscall.SIGTERM).mustEnd(t, 0)
}

// The steps of the action write the comment, the job's summary and the page.
func TestCanaryReviewAction(t *testing.T) {
	t.Parallel()
	r := newReviewRepository(t)
	bin := r.path("tmp/tapedeck-review/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, program := range map[string]string{"tapedeck": programs.tapedeck, "comment": commentProgram(t)} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	token := "ghs_" + r.p.shaped("the token of the job", "", 36)
	r.look()
	// An API that tells what it was sent, in its answer to it.
	forge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodGet {
			io.WriteString(w, "[]")
			return
		}
		sent, _ := io.ReadAll(request.Body)
		r.note(nil, "", r.searcher.Search("the comment", sent))
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"message":"%s","token":"%[1]s"}`, request.Header.Get("Authorization"))
	}))
	t.Cleanup(forge.Close)
	event := r.write(t, "event.json", `{"pull_request":{"number":7}}`)
	script := filepath.Join(filepath.Dir(programs.flows), ".ci", "action")
	for _, step := range []string{"compare", "comment"} {
		command := exec.Command("bash", script, step)
		command.Dir = r.path("work")
		command.Env = r.environ("CANARY_LATER_TOKEN="+r.secret("environment variable, again"), "RUNNER_TEMP="+r.path("tmp"), "BASE=main", "HEAD_COMMIT=", "PATHS=", "PAGE=",
			"GITHUB_OUTPUT="+r.path("output"), "GITHUB_STEP_SUMMARY="+r.path("summary.md"),
			"GITHUB_REPOSITORY=shop/web", "GITHUB_TOKEN="+token, "GITHUB_API_URL="+forge.URL, "GITHUB_EVENT_PATH="+event)
		r.git(t, "switch", "-q", "theirs").mustEnd(t, 0)
		printed, err := command.CombinedOutput()
		if (err != nil) != (step == "comment") {
			t.Errorf("%s: %v: %s", step, err, printed)
		}
		r.note(nil, "", r.searcher.Search("what the step "+step+" prints", printed))
	}
	if summary := read(t, r.path("summary.md")); !strings.Contains(summary, "REDACTED") {
		t.Errorf("the summary shows no cassette: %s", shorten(summary))
	}
	r.searchFiles()
}

// Whoever names files and branches, or writes rules, may put anything there.
func TestCanaryReviewNames(t *testing.T) {
	t.Parallel()
	r := newReviewRun(t)
	// Not among those that are searched for in files: git keeps these names.
	inFile, inBranch, inRule := "ghp_"+r.p.random("file")[:36], "ghp_"+r.p.random("branch")[:36], "ghp_"+r.p.random("rule")[:36]
	cassette := func(word string) string {
		return "version: 2\ninteractions:\n- {id: 0, request: {method: GET, url: \"https://api.example.com/x\"}, response: {code: 200, status: 200 OK, headers: {Content-Type: [text/plain]}, body: " + word + "}}\n"
	}
	hostile := "work/named/\x1b]0;title\x07\n::warning::\n@octocat <script>alert(1)</script> \u202e.yaml"
	r.git(t, "init", "-q", "-b", inBranch).mustEnd(t, 0)
	r.write(t, "work/.gitignore", "/old\n/new\n")
	r.write(t, "work/named/"+inFile+".yaml", cassette("before"))
	r.write(t, hostile, cassette("before"))
	r.commit(t, "before")
	r.git(t, "switch", "-qc", "later").mustEnd(t, 0)
	r.write(t, "work/named/"+inFile+".yaml", cassette("after"))
	r.write(t, hostile, cassette("after"))
	r.write(t, "work/tapedeck.yaml", strings.ReplaceAll(`rules:
- {on: "POST api.example.com/SECRET/**", ignore: [body.SECRET]}
hosts: {passthrough: ["SECRET.example.com"]}
redact:
  keep: [{rule: name-token, on: GET api.example.com/x, at: body.token, reason: SECRET}]
`, "SECRET", inRule))
	check := func(got result) {
		t.Helper()
		for what, secret := range map[string]string{"a file's name": inFile, "a branch's name": inBranch, "a rule": inRule} {
			if strings.Contains(got.stdout+got.stderr, secret) {
				t.Errorf("%s is told as it is: %s", what, got)
			}
		}
		if !json.Valid([]byte(got.stdout)) { // which is data
			mustMoveNoCursor(t, got.stdout)
		}
		mustMoveNoCursor(t, got.stderr)
		if strings.Contains("\n"+got.stdout+"\n"+got.stderr, "\n::warning") || strings.Contains(got.stdout, "\n@octocat") {
			t.Errorf("a name ends a line: %s", got)
		}
	}
	for _, format := range formats {
		got := r.tapedeckEnds(t, 0, "diff", "--git", "--format", format, inBranch)
		if !strings.Contains(got.stdout, "after") {
			t.Errorf("nothing is shown: %s", got)
		}
		if format == "html" && strings.Contains(got.stdout, "<script>alert") {
			t.Error("a name is a part of the page")
		}
		check(got)
	}
	r.write(t, hostile, "version: 2\ninteractions:\n- {")
	check(r.tapedeckEnds(t, 2, "diff", "--git", inBranch))
	r.write(t, hostile, cassette("after"))
	r.write(t, "work/named/"+inFile+".yaml", "version: 2\ninteractions:\n- {")
	check(r.tapedeckEnds(t, 2, "diff", "--git", inBranch))
}
