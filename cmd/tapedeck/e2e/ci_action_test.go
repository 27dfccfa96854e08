//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v4"
)

// commentProgram is examples/ci/comment, built by the first test that needs it.
func commentProgram(t *testing.T) string {
	t.Helper()
	buildComment.Do(func() {
		executable := filepath.Join(filepath.Dir(programs.tapedeck), "comment")
		if buildCommentError = build(filepath.Dir(programs.flows), executable, "./examples/ci/comment"); buildCommentError == nil {
			builtComment = executable
		}
	})
	if buildCommentError != nil {
		t.Fatal(buildCommentError)
	}
	return builtComment
}

var (
	buildComment      sync.Once
	buildCommentError error
	builtComment      string
)

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// A compositeAction is what these tests need of an action's file.
type compositeAction struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Value string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string         `yaml:"using"`
		Steps []workflowStep `yaml:"steps"`
	} `yaml:"runs"`
}

// action runs the steps of a composite action that stands in the checkout.
func (r *runner) action(t *testing.T, run *jobRun, step workflowStep, known map[string]string) {
	t.Helper()
	path := filepath.Join(run.dir, "work", step.Uses)
	var action compositeAction
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(path, "action.yml"))), &action); err != nil {
		t.Fatal(err)
	}
	if action.Runs.Using != "composite" {
		t.Fatalf("%s uses %q", step.Uses, action.Runs.Using)
	}
	inside := map[string]string{"github.action_path": path}
	for name, value := range known {
		// An action sees the job's contexts, but neither its secrets nor its steps.
		if !strings.HasPrefix(name, "secrets.") && !strings.HasPrefix(name, "steps.") && !strings.HasPrefix(name, "inputs.") {
			inside[name] = value
		}
	}
	for name, input := range action.Inputs {
		inside["inputs."+name] = r.expand(t, input.Default, run.dir, known)
	}
	for name, value := range step.With {
		if _, ok := action.Inputs[name]; !ok {
			t.Fatalf("%s has no input %s", step.Uses, name)
		}
		inside["inputs."+name] = value.(string)
	}
	for i, inner := range action.Runs.Steps {
		if inner.Run != "" && inner.Shell == "" {
			t.Fatalf("step %d of %s names no shell, which an action must", i, step.Uses)
		}
		if strings.Contains(inner.Run, "${{") {
			t.Errorf("step %d of %s puts what somebody typed into a script: %s", i, step.Uses, inner.Run)
		}
	}
	r.steps(t, run, action.Runs.Steps, inside)
	for name, output := range action.Outputs {
		known["steps."+step.ID+".outputs."+name] = r.expand(t, output.Value, run.dir, inside)
		run.out.outputs[name] = known["steps."+step.ID+".outputs."+name]
	}
}

// A forge is the part of GitHub's API, or GitLab's, that keeps comments and issues.
type forge struct {
	*httptest.Server
	mu       sync.Mutex
	token    string
	readOnly bool
	posts    []map[string]any
}

// newForge serves posts at list and single ones at item + id.
func newForge(t *testing.T, token, list, item string) *forge {
	t.Helper()
	f := &forge{token: token}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		id, single := strings.CutPrefix(r.URL.Path, item)
		var sent map[string]any
		if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&sent) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var answer any
		switch {
		case r.Header.Get("Authorization") != "Bearer "+f.token && r.Header.Get("Private-Token") != f.token:
			w.WriteHeader(http.StatusUnauthorized)
			return
		case r.URL.Path == "/user":
			answer = map[string]any{"id": 7}
		case r.URL.Path == list && r.Method == http.MethodGet:
			answer = append([]map[string]any{}, f.posts...)
		case f.readOnly:
			w.WriteHeader(http.StatusForbidden)
			return
		case r.URL.Path == list && r.Method == http.MethodPost:
			n := len(f.posts) + 1
			made := map[string]any{"id": n, "number": n, "html_url": fmt.Sprintf("https://forge.invalid/posts/%d", n), "user": map[string]any{"type": "Bot"}, "author": map[string]any{"id": 7}}
			maps.Copy(made, sent)
			f.posts = append(f.posts, made)
			answer = made
		case single:
			for _, p := range f.posts {
				if fmt.Sprint(p["id"]) == id {
					maps.Copy(p, sent)
					answer = p
				}
			}
		}
		if answer == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// only is the body of the one post, "" when there is none.
func (f *forge) only(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch len(f.posts) {
	case 0:
		return ""
	case 1:
		return f.posts[0]["body"].(string)
	}
	t.Fatalf("there are %d posts", len(f.posts))
	return ""
}

// pull makes the pull request 12 of files against main, as GitHub keeps it, and returns
// what the job knows of it.
func (r *runner) pull(t *testing.T, f *forge, files map[string]string) map[string]string {
	t.Helper()
	desk := r.path("desk")
	r.git(t, desk, "switch", "--quiet", "--force-create", "topic", "origin/main")
	for name, text := range files {
		writeFile(t, filepath.Join(desk, name), text, 0o644)
	}
	r.git(t, desk, "add", "--all")
	r.git(t, desk, "commit", "--quiet", "--allow-empty", "--message", "the topic")
	head, base := r.git(t, desk, "rev-parse", "HEAD"), r.git(t, desk, "rev-parse", "origin/main")
	r.git(t, desk, "switch", "--quiet", "--detach", "origin/main")
	r.git(t, desk, "merge", "--quiet", "--no-ff", "--message", "what the merge would be", "topic")
	r.git(t, desk, "push", "--quiet", "--force", "origin", "HEAD:refs/pull/12/merge", "topic:refs/pull/12/head")
	r.git(t, desk, "switch", "--quiet", "--force-create", "main", "origin/main")
	event := r.path("event.json")
	writeFile(t, event, `{"pull_request": {"number": 12}}`, 0o644)
	r.ref = "refs/pull/12/merge"
	r.world = append(r.world, "GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event, "GITHUB_REPOSITORY=shop/web", "GITHUB_API_URL="+f.URL)
	return map[string]string{"github.event.pull_request.head.sha": head, "github.event.pull_request.base.sha": base}
}

// summary is what stands on the page of the last job.
func (r *runner) summary(t *testing.T, job string) string {
	t.Helper()
	return read(t, r.path(fmt.Sprintf("jobs/%02d-%s/GITHUB_STEP_SUMMARY", r.jobs, job)))
}

// newReview is newRunner with the action in tapedeck's repository, and an API for comments.
func newReview(t *testing.T) (*runner, *forge, map[string]string) {
	t.Helper()
	r, api := newRunner(t)
	api.server.Close()
	r.token = r.secret("the token of the job", "ghs_")
	root := filepath.Dir(programs.flows)
	for _, file := range []string{"action.yml", "go.mod", "go.sum"} {
		writeFile(t, filepath.Join(r.path("tapedeck"), file), read(t, filepath.Join(root, file)), 0o644)
	}
	writeFile(t, r.path("tapedeck/.ci/action"), read(t, filepath.Join(root, ".ci/action")), 0o755)
	orders := read(t, filepath.Join(r.path("desk"), "cassettes/orders.yaml"))
	return r, newForge(t, r.token, "/repos/shop/web/issues/12/comments", "/repos/shop/web/issues/comments/"), map[string]string{
		"more":  strings.Replace(orders, `        "total": 2000,`, `        "total": 2000,`+"\n"+`        "currency": "EUR",`, 1),
		"less":  strings.Replace(orders, `        "total": 2000,`+"\n", "", 1),
		"as is": orders,
	}
}

func TestCIAction(t *testing.T) {
	r, f, orders := newReview(t)
	context := r.pull(t, f, map[string]string{"README.md": "Hello\n"})
	job := r.job(t, "review.yml", "review", context)
	job.must(t, "success")
	if job.outputs["changed"] != "false" || job.outputs["page"] != "" || f.only(t) != "" || !strings.Contains(r.summary(t, "review"), "No cassette differs.") {
		t.Errorf("nothing differs; outputs %v, comment %q, summary %q", job.outputs, f.only(t), r.summary(t, "review"))
	}
	if _, err := os.Stat(r.artifacts); err == nil {
		t.Error("a page was uploaded")
	}

	// Main goes on meanwhile; what it changes is not the pull request's.
	r.commit(t, "another change on main", map[string]string{"cassettes/customers.yaml": strings.Replace(read(t, r.path("desk/cassettes/customers.yaml")), `"ada"`, `"ada lovelace"`, 1)})
	context = r.pull(t, f, map[string]string{"cassettes/orders.yaml": orders["more"]})
	job = r.job(t, "review.yml", "review", context)
	job.must(t, "success")
	if job.outputs["changed"] != "true" || job.outputs["breaking"] != "0" || job.outputs["additive"] != "1" || job.outputs["comment-url"] != "https://forge.invalid/posts/1" {
		t.Errorf("outputs %v", job.outputs)
	}
	for where, text := range map[string]string{"the comment": f.only(t), "the summary": r.summary(t, "review"), "the page": read(t, filepath.Join(r.artifacts, "tapedeck-review/review.html"))} {
		if !strings.Contains(text, "currency") || strings.Contains(text, "lovelace") {
			t.Errorf("%s tells something else than the pull request's change:\n%s", where, shorten(text))
		}
	}
	if text := f.only(t); !strings.HasPrefix(text, "<!-- tapedeck-review -->\n") || !strings.Contains(text, "(https://forge.invalid/artifacts/tapedeck-review)") {
		t.Errorf("the comment has no mark or no link:\n%s", text)
	}

	// Breaking: the same comment says so, and the job fails.
	job = r.job(t, "review.yml", "review", r.pull(t, f, map[string]string{"cassettes/orders.yaml": orders["less"]}))
	job.must(t, "failure")
	if !strings.Contains(job.log, "::error title=tapedeck::changes of the grade breaking or a graver one: 1") || job.outputs["breaking"] != "1" || !strings.Contains(f.only(t), "total") {
		t.Errorf("outputs %v, comment\n%s\n%s", job.outputs, f.only(t), job.log)
	}

	// Taken back: the comment says that too.
	job = r.job(t, "review.yml", "review", r.pull(t, f, nil))
	job.must(t, "success")
	if !strings.Contains(f.only(t), "No cassette differs any more.") {
		t.Errorf("the comment still says\n%s", f.only(t))
	}
	r.mustHoldNoSecret(t)
}

// The token of a pull request from a fork may not write.
func TestCIActionFork(t *testing.T) {
	r, f, orders := newReview(t)
	f.readOnly = true
	job := r.job(t, "review.yml", "review", r.pull(t, f, map[string]string{"cassettes/orders.yaml": orders["more"]}))
	job.must(t, "success")
	if f.only(t) != "" || !strings.Contains(job.log, "not posted: the token may not write here") {
		t.Errorf("a comment was made, or it is not said why there is none:\n%s", job.log)
	}
	if !strings.Contains(r.summary(t, "review"), "currency") || !strings.Contains(read(t, filepath.Join(r.artifacts, "tapedeck-review/review.html")), "currency") {
		t.Error("summary and page do not tell the change")
	}

	// Broken input is an error, and nobody is told that nothing differs.
	job = r.job(t, "review.yml", "review", r.pull(t, f, map[string]string{"cassettes/orders.yaml": strings.Replace(orders["as is"], "code: 200", "code: two", 1)}))
	job.must(t, "failure")
	if !strings.Contains(job.log, "cassettes/orders.yaml") || strings.Contains(r.summary(t, "review"), "No cassette differs") {
		t.Errorf("log %s\nsummary %s", job.log, r.summary(t, "review"))
	}
	r.mustHoldNoSecret(t)
}

// What is given to the action is data, and what it must not do it refuses.
func TestCIActionInputs(t *testing.T) {
	r, f, orders := newReview(t)
	context := r.pull(t, f, map[string]string{"cassettes/orders.yaml": orders["less"], "cassettes/$(touch pwned).yaml": orders["more"]})
	direct := func(with map[string]any, world ...string) jobResult {
		t.Helper()
		dir := r.folder(t, "direct")
		out := jobResult{result: "success", outputs: map[string]string{}}
		run := &jobRun{dir: dir, files: map[string]string{}, out: &out}
		for _, variable := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
			run.files[variable] = filepath.Join(dir, variable)
			writeFile(t, run.files[variable], "", 0o644)
		}
		known := map[string]string{"runner.temp": filepath.Join(dir, "temp"), "github.token": r.token}
		maps.Copy(known, context)
		before := r.world
		r.world = append(r.world[:len(r.world):len(r.world)], world...)
		depth := or(fmt.Sprint(with["depth"]), "2")
		delete(with, "depth")
		r.steps(t, run, []workflowStep{
			{Uses: "actions/checkout@v4", With: map[string]any{"fetch-depth": strings.Replace(depth, "<nil>", "2", 1)}},
			{Uses: "actions/checkout@v4", With: map[string]any{"repository": "your-organisation/tapedeck", "path": ".tapedeck-source"}},
			{ID: "review", Uses: "./.tapedeck-source", With: with},
		}, known)
		r.world = before
		if found, err := filepath.Glob(filepath.Join(dir, "*", "pwned*")); err != nil || len(found) > 0 {
			t.Errorf("a name was run as a command: %v %v", found, err)
		}
		return out
	}
	// Only some paths, no comment, never failing.
	some := direct(map[string]any{"paths": "\ncassettes/$(touch pwned).yaml\n", "comment": "false"})
	some.must(t, "success")
	if some.outputs["breaking"] != "0" || some.outputs["changed"] != "true" || f.only(t) != "" {
		t.Errorf("outputs %v, comment %q", some.outputs, f.only(t))
	}
	for _, test := range []struct {
		name  string
		with  map[string]any
		world []string
		want  string
	}{
		{"a grade that is none", map[string]any{"fail-on": "$(touch pwned)"}, nil, "fail-on is breaking, additive or value"},
		{"a graver one than asked", map[string]any{"fail-on": "value"}, nil, "changes of the grade value or a graver one"},
		{"a commit that is none", map[string]any{"base": "--upload-pack=touch pwned;"}, nil, "--upload-pack"},
		{"pull_request_target", nil, []string{"GITHUB_EVENT_NAME=pull_request_target"}, "use pull_request"},
		{"a path that is not there", map[string]any{"paths": "`touch pwned`"}, nil, "neither a revision nor a path"},
		{"a configuration that is not there", map[string]any{"config": "'; touch pwned #"}, nil, "touch pwned"},
	} {
		with := test.with
		if with == nil {
			with = map[string]any{}
		}
		if got := direct(with, test.world...); got.result != "failure" || !strings.Contains(got.log, test.want) {
			t.Errorf("%s: %s\n%s", test.name, got.result, shorten(got.log))
		}
	}

	// The branch itself is checked out: it is compared with where it began, if that is there.
	r.commit(t, "main goes on", map[string]string{"README.md": "Hello\n"})
	context["github.event.pull_request.base.sha"] = r.git(t, r.origin, "rev-parse", "main")
	r.ref = "refs/pull/12/head"
	if got := direct(map[string]any{"depth": "1"}); got.result != "failure" || !strings.Contains(got.log, "check out with fetch-depth: 2, or 0") {
		t.Errorf("%s\n%s", got.result, shorten(got.log))
	}
	whole := direct(map[string]any{"depth": "0"})
	whole.must(t, "success")
	if whole.outputs["breaking"] != "1" {
		t.Errorf("outputs %v", whole.outputs)
	}
	// With a depth of 1 the merge's parents are fetched.
	r.ref = "refs/pull/12/merge"
	direct(map[string]any{"depth": "1"}).must(t, "success")
	r.mustHoldNoSecret(t)
}
