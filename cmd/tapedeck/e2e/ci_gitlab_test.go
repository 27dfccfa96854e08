//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A gitlabJob is what these tests need of a job of GitLab CI/CD.
type gitlabJob struct {
	Before      *[]string         `yaml:"before_script"`
	Script      []string          `yaml:"script"`
	Variables   map[string]string `yaml:"variables"`
	Parallel    int               `yaml:"parallel"`
	Environment struct {
		Name string `yaml:"name"`
	} `yaml:"environment"`
	Artifacts struct {
		Paths   []string `yaml:"paths"`
		Reports struct {
			JUnit string `yaml:"junit"`
		} `yaml:"reports"`
	} `yaml:"artifacts"`
}

// gitlab runs one job, as node of several, and keeps its artifacts.
func (r *runner) gitlab(t *testing.T, name string, node int) result {
	t.Helper()
	// What is no job does not fit its type.
	var all map[string]any
	readWorkflow(t, "gitlab-ci.yml", &all)
	var file struct {
		Default gitlabJob `yaml:"default"`
		Test    gitlabJob `yaml:"test"`
		Report  gitlabJob `yaml:"report"`
		Record  gitlabJob `yaml:"record"`
		Push    gitlabJob `yaml:"push"`
	}
	readWorkflow(t, "gitlab-ci.yml", &file)
	if want := []string{"default", "push", "record", "report", "stages", "test", "workflow"}; !slices.Equal(slices.Sorted(maps.Keys(all)), want) {
		t.Fatalf("gitlab-ci.yml holds %v, and these tests know %v", slices.Sorted(maps.Keys(all)), want)
	}
	job := map[string]gitlabJob{"test": file.Test, "report": file.Report, "record": file.Record, "push": file.Push}[name]
	before := file.Default.Before
	if job.Before != nil {
		before = job.Before
	}
	dir := r.folder(t, name)
	work := filepath.Join(dir, "work")
	r.git(t, r.dir, "clone", "--quiet", "--branch", r.branch, r.origin, work)
	r.git(t, work, "checkout", "--quiet", "--detach")
	earlier, err := filepath.Glob(filepath.Join(r.artifacts, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range earlier {
		writeFile(t, filepath.Join(work, filepath.Base(file)), read(t, file), 0o644)
	}
	env := slices.Concat(r.world, []string{
		"GITLAB_CI=true", "CI_PROJECT_DIR=" + work, "CI_SERVER_HOST=gitlab.invalid", "CI_PROJECT_PATH=shop/web", "CI_JOB_TOKEN=" + r.jobToken,
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=" + r.branch, fmt.Sprintf("CI_NODE_INDEX=%d", node), fmt.Sprintf("CI_NODE_TOTAL=%d", max(job.Parallel, 1)),
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"),
		// The server's repositories are on this machine, for those who know its tokens.
		"GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=url." + r.path("tapedeck.git") + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://gitlab-ci-token:" + r.jobToken + "@gitlab.invalid/your-organisation/tapedeck.git",
		"GIT_CONFIG_KEY_1=url." + r.origin + ".insteadOf",
		"GIT_CONFIG_VALUE_1=https://oauth2:" + r.pushToken + "@gitlab.invalid/shop/web.git",
	})
	for _, variables := range []map[string]string{job.Variables, r.environments[job.Environment.Name]} {
		for key, value := range variables {
			env = append(env, key+"="+value)
		}
	}
	var lines []string
	if before != nil {
		lines = append(lines, *before...)
	}
	ended := r.script(t, work, env, filepath.Join(dir, "job.sh"), strings.Join(append(lines, job.Script...), "\n")+"\n", "-e", "-o", "pipefail")
	for _, pattern := range append(slices.Clone(job.Artifacts.Paths), job.Artifacts.Reports.JUnit) {
		if pattern == "" {
			continue
		}
		found, err := filepath.Glob(filepath.Join(work, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("job %s left no %s (%v): %s", name, pattern, err, ended)
		}
		for _, file := range found {
			writeFile(t, filepath.Join(r.artifacts, filepath.Base(file)), read(t, file), 0o644)
		}
	}
	return ended
}

func TestCIGitLab(t *testing.T) {
	r, api := newRunner(t)
	r.branch = "change"
	r.jobToken, r.pushToken = r.secret("the token of jobs", "glcbt-"), r.secret("the token that may push", "glpat-")
	r.environments["push"] = map[string]string{"PUSH_TOKEN": r.pushToken}
	r.git(t, r.path("tapedeck"), "init", "--quiet", "--initial-branch", "main")
	r.git(t, r.path("tapedeck"), "add", ".")
	r.git(t, r.path("tapedeck"), "commit", "--quiet", "--message", "tapedeck")
	r.git(t, r.dir, "clone", "--quiet", "--bare", r.path("tapedeck"), r.path("tapedeck.git"))

	before := r.branches(t)
	r.gitlab(t, "record", 1).mustEnd(t, 0)
	r.gitlab(t, "push", 1).mustEnd(t, 0)
	if after := r.branches(t); !maps.Equal(before, after) {
		t.Errorf("nothing had changed; branches %v, want %v", after, before)
	}
	api.orders.Store(`,"currency":"EUR"`)
	r.gitlab(t, "record", 1).mustEnd(t, 0)
	r.gitlab(t, "push", 1).mustEnd(t, 0)
	r.mustPushOnly(t, before, "cassettes/orders.yaml")

	api.server.Close()
	for node := range 2 {
		played := r.gitlab(t, "test", node+1)
		played.mustEnd(t, 0)
		played.mustSay(t, "1 played")
	}
	r.gitlab(t, "report", 1).mustEnd(t, 0)
	r.commit(t, "ask for more", map[string]string{"tests/orders_test.sh": strings.Replace(project["tests/orders_test.sh"], "2000", "2001", 1)})
	r.gitlab(t, "test", 2).mustEnd(t, 90)
	r.gitlab(t, "report", 1).mustEnd(t, 90)
	if xml := read(t, filepath.Join(r.artifacts, "tapedeck.xml")); !strings.Contains(xml, `name="miss: POST https://example.com/orders"`) {
		t.Errorf("the artifact does not name the miss:\n%s", xml)
	}
	r.mustHoldNoSecret(t)
}
