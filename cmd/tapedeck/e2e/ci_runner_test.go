//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A workflow is what these tests need of a GitHub Actions file. Unknown keys are
// left to GitHub; unknown actions, expressions and conditions fail the test.
type workflow struct {
	Env  map[string]string      `yaml:"env"`
	Jobs map[string]workflowJob `yaml:"jobs"`
}

type workflowJob struct {
	If          string            `yaml:"if"`
	Environment string            `yaml:"environment"`
	Env         map[string]string `yaml:"env"`
	Outputs     map[string]string `yaml:"outputs"`
	Steps       []workflowStep    `yaml:"steps"`
}

type workflowStep struct {
	ID    string            `yaml:"id"`
	If    string            `yaml:"if"`
	Uses  string            `yaml:"uses"`
	Shell string            `yaml:"shell"`
	Run   string            `yaml:"run"`
	With  map[string]any    `yaml:"with"`
	Env   map[string]string `yaml:"env"`
}

func readWorkflow(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(programs.flows, "ci", name))), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// A runner runs jobs as GitHub or GitLab does: each in a fresh clone, with nothing
// but what the workflow gives it and the environment of the machine.
type runner struct {
	*workspace
	origin string   // the bare repository
	branch string   // that the jobs are for
	ref    string   // what is checked out instead of the branch; "" for the branch
	world  []string // how the machine reaches the API
	// environments hold the secrets that their jobs may see.
	environments map[string]map[string]string
	artifacts    string
	caches       map[string]string // by key, a folder
	jobs         int
	// token is GitHub's own.
	token string
	// jobToken and pushToken are GitLab's.
	jobToken, pushToken string
}

// A jobResult is how a job ended: "success", "failure" or "skipped".
type jobResult struct {
	result  string
	log     string
	outputs map[string]string
	ran     []string // the scripts of the steps that ran
}

func (r jobResult) must(t *testing.T, result string) {
	t.Helper()
	if r.result != result {
		t.Fatalf("the job ended with %s, want %s:\n%s", r.result, result, shorten(r.log))
	}
}

// folder makes a new folder for a job.
func (r *runner) folder(t *testing.T, name string) string {
	t.Helper()
	r.jobs++
	dir := r.path(fmt.Sprintf("jobs/%02d-%s", r.jobs, name))
	for _, sub := range []string{"work", "temp", "bin"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The programs have been built already: go build links to them.
	writeFile(t, filepath.Join(dir, "bin/go"), fmt.Sprintf(`#!/bin/sh
set -eu
if [ $# -ne 6 ] || [ "$1 $2 $4" != "build -C -o" ]; then echo "unknown: go $*" >&2; exit 2; fi
case $6 in
  ./cmd/tapedeck) program='%s' ;;
  ./examples/ci/comment) program='%s' ;;
  *) echo "unknown: go $*" >&2; exit 2 ;;
esac
cd "$3"
grep -q '^module tapedeck$' go.mod
mkdir -p "$(dirname "$5")"
ln -sf "$program" "$5"
`, programs.tapedeck, commentProgram(t)), 0o755)
	return dir
}

// job runs one job. needs are the outputs of the jobs that it needs, matrix its
// place in the matrix, inputs what was typed in.
func (r *runner) job(t *testing.T, file, name string, context map[string]string) jobResult {
	t.Helper()
	var flow workflow
	readWorkflow(t, file, &flow)
	job, ok := flow.Jobs[name]
	if !ok {
		t.Fatalf("%s has no job %s", file, name)
	}
	dir := r.folder(t, name)
	temp := filepath.Join(dir, "temp")
	known := map[string]string{
		"github.ref_name": r.branch, "runner.temp": temp, "runner.os": "Linux",
		// A secret that an environment does not have is empty.
		"secrets.SHOP_API_KEY": r.environments[job.Environment]["SHOP_API_KEY"],
		"github.token":         r.token,
	}
	maps.Copy(known, context)
	out := jobResult{result: "success", outputs: map[string]string{}}
	if !r.condition(t, job.If, known, out.result) {
		out.result = "skipped"
		return out
	}
	run := &jobRun{dir: dir, env: []map[string]string{flow.Env, job.Env}, files: map[string]string{}, out: &out}
	for _, variable := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		run.files[variable] = filepath.Join(dir, variable)
		writeFile(t, run.files[variable], "", 0o644)
	}
	r.steps(t, run, job.Steps, known)
	for _, f := range run.finally {
		if out.result == "success" {
			f()
		}
	}
	for key, value := range job.Outputs {
		out.outputs[key] = r.expand(t, value, dir, known)
	}
	return out
}

// A jobRun is a job under way.
type jobRun struct {
	dir     string
	env     []map[string]string // of the workflow and the job
	files   map[string]string   // by their variables
	finally []func()
	out     *jobResult
}

// steps runs the steps of a job, or of an action, which has a context of its own.
func (r *runner) steps(t *testing.T, run *jobRun, steps []workflowStep, known map[string]string) {
	t.Helper()
	dir, files, out := run.dir, run.files, run.out
	temp := filepath.Join(dir, "temp")
	for _, step := range steps {
		if !r.condition(t, step.If, known, out.result) {
			continue
		}
		with := map[string]any{}
		for key, value := range step.With {
			with[key] = r.expand(t, fmt.Sprint(value), filepath.Join(dir, "work"), known)
		}
		step.With = with
		if strings.HasPrefix(step.Uses, "./") {
			r.action(t, run, step, known)
			continue
		}
		if step.Uses != "" {
			err := r.uses(t, step, dir, known, &run.finally)
			if err != nil {
				out.log += fmt.Sprintf("%s: %v\n", step.Uses, err)
				out.result = "failure"
			}
			continue
		}
		search := filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")
		for line := range strings.Lines(read(t, files["GITHUB_PATH"])) {
			search = strings.TrimSpace(line) + ":" + search
		}
		env := slices.Concat(r.world, []string{"PATH=" + search, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + filepath.Join(dir, "work"), "RUNNER_TEMP=" + temp})
		for _, variable := range slices.Sorted(maps.Keys(files)) {
			env = append(env, variable+"="+files[variable])
		}
		for _, more := range append(slices.Clone(run.env), step.Env) {
			for key, value := range more {
				env = append(env, key+"="+r.expand(t, value, dir, known))
			}
		}
		script := r.expand(t, step.Run, dir, known)
		flags := []string{"-e"} // as GitHub does where a workflow names no shell
		if step.Shell == "bash" {
			flags = append(flags, "-o", "pipefail")
		} else if step.Shell != "" {
			t.Fatalf("no shell %s is known here", step.Shell)
		}
		result := r.script(t, filepath.Join(dir, "work"), env, fmt.Sprintf("%s/step-%d.sh", dir, len(out.ran)), script, flags...)
		out.ran = append(out.ran, script)
		out.log += result.String() + "\n"
		if result.code != 0 {
			out.result = "failure"
		}
		for line := range strings.Lines(read(t, files["GITHUB_OUTPUT"])) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && step.ID != "" {
				known["steps."+step.ID+".outputs."+key] = value
			}
		}
		writeFile(t, files["GITHUB_OUTPUT"], "", 0o644)
	}
}

// script runs a script with bash in dir.
func (r *runner) script(t *testing.T, dir string, env []string, file, script string, flags ...string) result {
	t.Helper()
	writeFile(t, file, script, 0o644)
	inside := *r.workspace
	inside.dir = dir
	// The home folder and that for temporary files stay those of the machine.
	env = append([]string{"HOME=" + r.path("home"), "TMPDIR=" + r.path("tmp")}, env...)
	return inside.run(t, env, programs.bash, append(append([]string{"--noprofile", "--norc"}, flags...), file)...)
}

// uses does what an action does, on this machine.
func (r *runner) uses(t *testing.T, step workflowStep, dir string, known map[string]string, finally *[]func()) error {
	t.Helper()
	with := func(key string) string {
		value, _ := step.With[key].(string)
		return value
	}
	work := filepath.Join(dir, "work")
	switch step.Uses {
	case "actions/checkout@v4":
		if with("repository") == "" && r.ref != "" {
			// As the action does: that one commit, and as many before it as are asked for.
			depth, refs := []string{"--depth", or(with("fetch-depth"), "1")}, []string{r.ref}
			if with("fetch-depth") == "0" {
				depth, refs = nil, []string{r.ref, "+refs/heads/*:refs/remotes/origin/*"}
			}
			r.git(t, r.dir, "init", "--quiet", work)
			r.git(t, work, "remote", "add", "origin", "file://"+r.origin)
			r.git(t, work, slices.Concat([]string{"fetch", "--quiet", "--no-tags"}, depth, []string{"origin"}, refs)...)
			r.git(t, work, "checkout", "--quiet", "--detach", "FETCH_HEAD")
			return nil
		}
		if with("repository") == "" {
			r.git(t, r.dir, "clone", "--quiet", "--branch", r.branch, r.origin, work)
			return nil
		}
		return os.CopyFS(filepath.Join(work, with("path")), os.DirFS(r.path("tapedeck")))
	case "actions/setup-go@v5":
		file := with("go-version-file")
		if !filepath.IsAbs(file) {
			file = filepath.Join(work, file)
		}
		_, err := os.Stat(file)
		return err
	case "actions/upload-artifact@v4":
		from := with("path")
		if !filepath.IsAbs(from) {
			from = filepath.Join(work, from)
		}
		data, err := os.ReadFile(from)
		if err == nil {
			writeFile(t, filepath.Join(r.artifacts, with("name"), filepath.Base(from)), string(data), 0o644)
			known["steps."+step.ID+".outputs.artifact-url"] = "https://forge.invalid/artifacts/" + with("name")
		}
		return err
	case "actions/download-artifact@v4":
		pattern := with("name") + with("pattern")
		found, err := filepath.Glob(filepath.Join(r.artifacts, pattern, "*"))
		if err != nil || len(found) == 0 {
			return fmt.Errorf("no artifact is called %s (%v)", pattern, err)
		}
		to := with("path")
		if !filepath.IsAbs(to) {
			to = filepath.Join(work, to)
		}
		for _, file := range found {
			writeFile(t, filepath.Join(to, filepath.Base(file)), read(t, file), 0o644)
		}
		return nil
	case "actions/cache@v4":
		key, from := with("key"), filepath.Join(work, with("path"))
		if saved, ok := r.caches[key]; ok {
			known["steps."+step.ID+".outputs.cache-hit"] = "true"
			writeFile(t, from, saved, 0o644)
			return nil
		}
		known["steps."+step.ID+".outputs.cache-hit"] = ""
		*finally = append(*finally, func() { r.caches[key] = read(t, from) })
		return nil
	}
	t.Fatalf("no local equivalent of %s is known", step.Uses)
	return nil
}

var (
	expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)
	comparison = regexp.MustCompile(`^([\w.-]+) (==|!=) '([^']*)'$`)
	hashed     = regexp.MustCompile(`^hashFiles\((.*)\)$`)
)

// expand replaces the expressions in a text.
func (r *runner) expand(t *testing.T, text, work string, known map[string]string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(match string) string {
		name := expression.FindStringSubmatch(match)[1]
		if m := hashed.FindStringSubmatch(name); m != nil {
			var patterns []string
			for _, p := range strings.Split(m[1], ", ") {
				patterns = append(patterns, strings.Trim(p, "'"))
			}
			return hashFiles(t, work, patterns)
		}
		value, ok := known[name]
		if !ok && !strings.HasPrefix(name, "steps.") {
			t.Fatalf("no value is known for ${{ %s }}", name)
		}
		return value
	})
}

// condition says whether a step or job runs; so far is how the job went.
func (r *runner) condition(t *testing.T, text string, known map[string]string, so string) bool {
	t.Helper()
	if m := expression.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	switch text {
	case "":
		return so == "success"
	case "failure()":
		return so == "failure"
	case "!cancelled()":
		return true
	}
	m := comparison.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("the condition %q is not known", text)
	}
	return so == "success" && (known[m[1]] == m[3]) == (m[2] == "==")
}

// hashFiles hashes the files under work that patterns select.
func hashFiles(t *testing.T, work string, patterns []string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(work, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(work, file)
		if err != nil {
			return err
		}
		for _, p := range patterns {
			folder, deep := strings.CutSuffix(p, "/**")
			if ok, _ := path.Match(p, name); ok || deep && strings.HasPrefix(name, folder+"/") {
				fmt.Fprintf(sum, "%s\n%s", name, read(t, file))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// git runs git as somebody who may commit.
func (r *runner) git(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	inside := *r.workspace
	inside.dir = dir
	result := inside.run(t, []string{"HOME=" + r.path("home"), "TMPDIR=" + r.path("tmp"),
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com"}, "git", arguments...)
	result.mustEnd(t, 0)
	return strings.TrimSpace(result.stdout)
}

func writeFile(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
