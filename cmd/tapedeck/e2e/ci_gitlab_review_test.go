//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gitlabReview runs the job of gitlab-review.yml for the branch "change".
func (r *runner) gitlabReview(t *testing.T, f *forge, token string) (ended result, page string) {
	t.Helper()
	var jobs map[string]gitlabJob
	readWorkflow(t, "gitlab-review.yml", &jobs)
	if len(jobs) != 1 {
		t.Fatalf("gitlab-review.yml holds %d jobs", len(jobs))
	}
	job := jobs["review"]
	dir := r.folder(t, "review")
	work := filepath.Join(dir, "work")
	r.git(t, r.dir, "clone", "--quiet", "--branch", "change", r.origin, work)
	r.git(t, work, "checkout", "--quiet", "--detach")
	env := slices.Concat(r.world, []string{
		"GITLAB_CI=true", "CI_PROJECT_DIR=" + work, "CI_SERVER_HOST=gitlab.invalid", "CI_JOB_TOKEN=" + r.jobToken,
		"CI_API_V4_URL=" + f.URL, "CI_PROJECT_ID=34", "CI_MERGE_REQUEST_IID=12", "CI_PROJECT_URL=https://gitlab.invalid/shop/web", "CI_JOB_URL=https://gitlab.invalid/shop/web/-/jobs/99",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA=" + r.git(t, work, "merge-base", "origin/main", "HEAD"), "CI_COMMIT_SHA=" + r.git(t, work, "rev-parse", "HEAD"),
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"),
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url." + r.path("tapedeck.git") + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://gitlab-ci-token:" + r.jobToken + "@gitlab.invalid/your-organisation/tapedeck.git",
	})
	if token != "" {
		env = append(env, "REVIEW_TOKEN="+token)
	}
	for key, value := range job.Variables {
		env = append(env, key+"="+value)
	}
	ended = r.script(t, work, env, filepath.Join(dir, "job.sh"), strings.Join(job.Script, "\n")+"\n", "-e", "-o", "pipefail")
	// What is exposed has to be one plain path.
	if !slices.Equal(job.Artifacts.Paths, []string{"review.html"}) {
		t.Errorf("artifacts %v", job.Artifacts.Paths)
	}
	data, err := os.ReadFile(filepath.Join(work, "review.html"))
	if err != nil && ended.code == 0 {
		t.Error(err)
	}
	return ended, string(data)
}

func TestCIGitLabReview(t *testing.T) {
	r, api := newRunner(t)
	api.server.Close()
	r.jobToken = r.secret("the token of jobs", "glcbt-")
	token := r.secret("the token for notes", "glpat-")
	f := newForge(t, token, "/projects/34/merge_requests/12/notes", "/projects/34/merge_requests/12/notes/")
	r.git(t, r.path("tapedeck"), "init", "--quiet", "--initial-branch", "main")
	r.git(t, r.path("tapedeck"), "add", ".")
	r.git(t, r.path("tapedeck"), "commit", "--quiet", "--message", "tapedeck")
	r.git(t, r.dir, "clone", "--quiet", "--bare", r.path("tapedeck"), r.path("tapedeck.git"))

	orders := read(t, r.path("desk/cassettes/orders.yaml"))
	change := func(text string) {
		t.Helper()
		desk := r.path("desk")
		r.git(t, desk, "switch", "--quiet", "--force-create", "change", "origin/change")
		r.branch = "change"
		r.commit(t, "another recording", map[string]string{"cassettes/orders.yaml": text})
	}
	first, _ := r.gitlabReview(t, f, token)
	first.mustEnd(t, 0)
	if f.only(t) != "" {
		t.Errorf("nothing differs, and a note says %s", f.only(t))
	}
	change(strings.Replace(orders, `        "total": 2000,`, `        "total": 2000,`+"\n"+`        "currency": "EUR",`, 1))
	second, page := r.gitlabReview(t, f, token)
	second.mustEnd(t, 0)
	if text := f.only(t); !strings.Contains(text, "currency") || !strings.Contains(text, "(https://gitlab.invalid/shop/web/-/jobs/99/artifacts/file/review.html)") || !strings.Contains(page, "currency") {
		t.Errorf("the note says\n%s", text)
	}
	change(strings.Replace(orders, `        "total": 2000,`+"\n", "", 1))
	third, _ := r.gitlabReview(t, f, token)
	third.mustEnd(t, 1)
	third.mustSay(t, "--fail-on breaking is met")
	if text := f.only(t); !strings.Contains(text, "total") || strings.Contains(text, "currency") {
		t.Errorf("the note says\n%s", text)
	}
	// Without a token, as in a fork: the page.
	before := f.only(t)
	change(orders + "\n")
	fourth, page := r.gitlabReview(t, f, "")
	fourth.mustEnd(t, 0)
	fourth.mustSay(t, "not posted: this is no job of a pull request or merge request, or there is no token")
	if f.only(t) != before || page == "" {
		t.Error("a note was written, or there is no page")
	}
	r.mustHoldNoSecret(t)
}
