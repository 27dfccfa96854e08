//go:build e2e

package e2e

import (
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tapedeck/examples/canary"
)

// These tests run the workflows of examples/ci, which docs/ci.md shows, in clones of
// a small project whose tests call a shop.

// A shop is the API: it wants its key, and gives every order a new client secret.
type shop struct {
	server *httptest.Server
	key    atomic.Value
	asked  atomic.Int64
	// secrets are what it gives to orders, one after the other.
	secrets [10]string
	given   atomic.Int64
	// orders and customers are what a new release has added to its answers.
	orders, customers atomic.Value
	// rename says that the list of customers is called otherwise.
	rename atomic.Bool
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if r.Header.Get("Authorization") != "Bearer "+s.key.Load().(string) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.Method + " " + r.URL.Path {
	case "GET /customers":
		list := "customers"
		if s.rename.Load() {
			list = "data"
		}
		fmt.Fprintf(w, `{%q:[{"name":"ada"%s}]}`, list, s.customers.Load())
	case "POST /orders":
		fmt.Fprintf(w, `{"total":%s,"client_secret":%q%s}`, r.FormValue("total"), s.secrets[s.given.Add(1)-1], s.orders.Load())
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// project is what the scratch repository holds; "orders" is a test that swallows its errors.
var project = map[string]string{
	"Makefile":                "test:\n\t@sh tests/run.sh $(SHARD)\n",
	"tests/run.sh":            "set -eu\nshard=${1:-1/1} n=0\nfor test in tests/*_test.sh; do\n  n=$((n + 1))\n  if [ $((n % ${shard#*/})) -eq $((${shard%/*} % ${shard#*/})) ]; then\n    echo \"running $test\"\n    sh \"$test\"\n  fi\ndone\n",
	"tests/customers_test.sh": "curl -fsS -H \"Authorization: Bearer $SHOP_API_KEY\" -H 'Tapedeck-Session: customers' https://example.com/customers | grep -q ada\n",
	"tests/orders_test.sh":    "curl -sS -H \"Authorization: Bearer $SHOP_API_KEY\" -H 'Tapedeck-Session: orders' -d total=2000 https://example.com/orders >/dev/null || true\n",
}

// newRunner makes the repository, with cassettes that were recorded at somebody's desk.
func newRunner(t *testing.T) (*runner, *shop) {
	t.Helper()
	t.Parallel()
	r := &runner{workspace: newWorkspace(t), branch: "main", caches: map[string]string{}}
	r.origin, r.artifacts = r.path("origin.git"), r.path("artifacts")
	api := &shop{}
	key := r.secret("the key of the shop", "shop_live_")
	api.key.Store(key)
	for i := range api.secrets {
		api.secrets[i] = r.secret("a client secret", "ord_secret_")
	}
	api.orders.Store("")
	api.customers.Store("")
	api.server = httptest.NewTLSServer(api)
	t.Cleanup(api.server.Close)
	certificate := r.path("shop.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.server.Certificate().Raw})), 0o644)
	r.world = []string{"TAPEDECK_RESOLVE=example.com:443:" + api.server.Listener.Addr().String(), "TAPEDECK_UPSTREAM_CA=" + certificate}
	r.environments = map[string]map[string]string{"record": {"SHOP_API_KEY": key}}
	writeFile(t, r.path("tapedeck/go.mod"), "module tapedeck\n", 0o644)

	r.git(t, r.dir, "init", "--quiet", "--bare", "--initial-branch", "main", r.origin)
	desk := r.path("desk")
	r.git(t, r.dir, "clone", "--quiet", r.origin, desk)
	r.git(t, desk, "switch", "--quiet", "--orphan", "main")
	for name, text := range project {
		writeFile(t, filepath.Join(desk, name), text, 0o644)
	}
	recorded := r.script(t, desk, slices.Concat(r.world, []string{"SHOP_API_KEY=" + key, "CI="}), r.path("record.sh"),
		programs.tapedeck+" exec --cassettes cassettes -- make test\n", "-e")
	recorded.mustEnd(t, 0)
	r.commit(t, "the project", nil)
	r.git(t, desk, "push", "--quiet", "origin", "main:change")
	return r, api
}

// commit adds files to the branch and pushes it.
func (r *runner) commit(t *testing.T, message string, files map[string]string) {
	t.Helper()
	desk := r.path("desk")
	if r.branches(t)[r.branch] != "" {
		r.git(t, desk, "pull", "--quiet", "--ff-only", "origin", r.branch)
	}
	for name, text := range files {
		writeFile(t, filepath.Join(desk, name), text, 0o644)
	}
	r.git(t, desk, "add", ".")
	r.git(t, desk, "commit", "--quiet", "--message", message)
	r.git(t, desk, "push", "--quiet", "origin", "HEAD:"+r.branch)
}

// branches are the commits of origin by branch.
func (r *runner) branches(t *testing.T) map[string]string {
	t.Helper()
	heads := map[string]string{}
	for line := range strings.Lines(r.git(t, r.origin, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")) {
		name, commit, _ := strings.Cut(strings.TrimSpace(line), " ")
		heads[name] = commit
	}
	return heads
}

// mustPushOnly fails the test unless the branch "change", and it alone, has one commit
// more than before, which changes one file and holds no secret.
func (r *runner) mustPushOnly(t *testing.T, before map[string]string, file string) {
	t.Helper()
	after := r.branches(t)
	if got := r.git(t, r.origin, "rev-parse", "change~1"); got != before["change"] {
		t.Errorf("the commit before the pushed one is %s, want %s", got, before["change"])
	}
	if got := r.git(t, r.origin, "diff", "--name-only", "change~1", "change"); got != file {
		t.Errorf("pushed changes to %q, want %s alone", got, file)
	}
	after["change"] = before["change"]
	if !maps.Equal(before, after) {
		t.Errorf("branches %v, want %v", after, before)
	}
	pushed := r.git(t, r.origin, "show", "--format=fuller", "change")
	for _, hit := range canary.Search(r.secrets, "the pushed commit", []byte(pushed)) {
		t.Error(hit)
	}
}

func TestCIReplay(t *testing.T) {
	r, api := newRunner(t)
	api.server.Close()
	asked := api.asked.Load()
	played := r.job(t, "replay.yml", "test", nil)
	played.must(t, "success")
	for _, want := range []string{"running tests/orders_test.sh", "cassettes/orders.yaml: 1 played", "cassettes/customers.yaml: 1 played"} {
		if !strings.Contains(played.log, want) {
			t.Errorf("not in the log: %s\n%s", want, played.log)
		}
	}
	if _, err := os.Stat(r.artifacts); err == nil {
		t.Error("a passing job uploaded something")
	}

	// A test swallows the error of a request that is not recorded: the job fails all the same.
	r.commit(t, "ask for more", map[string]string{"tests/orders_test.sh": strings.Replace(project["tests/orders_test.sh"], "2000", "2001", 1)})
	missed := r.job(t, "replay.yml", "test", nil)
	missed.must(t, "failure")
	for _, want := range []string{"exit code 90", "::error title=tapedeck%3A not recorded,file=cassettes/orders.yaml::tapedeck: no recording answers POST https://example.com/orders%0A"} {
		if !strings.Contains(missed.log, want) {
			t.Errorf("not in the log: %s\n%s", want, missed.log)
		}
	}
	if xml := read(t, filepath.Join(r.artifacts, "tapedeck/tapedeck.xml")); !strings.Contains(xml, `name="miss: POST https://example.com/orders"`) {
		t.Errorf("the artifact does not name the miss:\n%s", xml)
	}
	if page := read(t, r.path(fmt.Sprintf("jobs/%02d-test/GITHUB_STEP_SUMMARY", r.jobs))); !strings.Contains(page, "| miss | <code>POST https://example.com/orders</code> |") {
		t.Errorf("the page of the run does not name the miss:\n%s", page)
	}
	if api.asked.Load() != asked {
		t.Error("the API was asked")
	}
	r.mustHoldNoSecret(t)
}

func TestCIRecordAgain(t *testing.T) {
	r, api := newRunner(t)
	r.branch = "change"
	before := r.branches(t)
	push := func(record jobResult) jobResult {
		return r.job(t, "rerecord.yml", "push", map[string]string{"needs.record.outputs.changed": record.outputs["changed"]})
	}

	// An API that has not changed changes nothing, although it gives new client secrets
	// and has been given a new key.
	rotated := r.secret("the key after a rotation", "shop_live_")
	api.key.Store(rotated)
	r.environments["record"]["SHOP_API_KEY"] = rotated
	asked := api.asked.Load()
	record := r.job(t, "rerecord.yml", "record", map[string]string{"inputs.only": ""})
	record.must(t, "success")
	if n := api.asked.Load() - asked; n != 2 {
		t.Errorf("the API was asked %d times, want 2", n)
	}
	push(record).must(t, "skipped")
	if after := r.branches(t); !maps.Equal(before, after) {
		t.Errorf("branches %v, want %v", after, before)
	}

	// One endpoint has: its cassette is pushed to the branch, and nothing else, even if
	// the job with the keys was talked into handing over more.
	api.orders.Store(`,"currency":"EUR"`)
	record = r.job(t, "rerecord.yml", "record", map[string]string{"inputs.only": ""})
	record.must(t, "success")
	patch := filepath.Join(r.artifacts, "cassettes/cassettes.patch")
	writeFile(t, patch, read(t, patch)+"diff --git a/.github/evil.yml b/.github/evil.yml\nnew file mode 100644\n--- /dev/null\n+++ b/.github/evil.yml\n@@ -0,0 +1 @@\n+evil\n", 0o644)
	push(record).must(t, "success")
	r.mustPushOnly(t, before, "cassettes/orders.yaml")
	if diff := r.git(t, r.origin, "diff", "change~1", "change"); !strings.Contains(diff, `+        "currency": "EUR"`) {
		t.Errorf("the diff does not show the new member:\n%s", diff)
	}

	// Both have, and only one is asked for.
	before = r.branches(t)
	api.orders.Store(`,"currency":"USD"`)
	api.customers.Store(`,"tier":"gold"`)
	record = r.job(t, "rerecord.yml", "record", map[string]string{"inputs.only": "GET example.com/customers"})
	record.must(t, "success")
	push(record).must(t, "success")
	r.mustPushOnly(t, before, "cassettes/customers.yaml")

	// Without the keys of the environment nothing is recorded and nothing pushed.
	before = r.branches(t)
	r.environments = nil
	r.job(t, "rerecord.yml", "record", map[string]string{"inputs.only": ""}).must(t, "failure")
	if after := r.branches(t); !maps.Equal(before, after) {
		t.Errorf("branches %v, want %v", after, before)
	}

	// What was pushed plays offline.
	api.server.Close()
	r.job(t, "replay.yml", "test", nil).must(t, "success")
	r.mustHoldNoSecret(t)
}

func TestCIShards(t *testing.T) {
	r, api := newRunner(t)
	api.server.Close()
	shards := func() {
		t.Helper()
		for i, test := range []string{"customers", "orders"} {
			shard := r.job(t, "shards.yml", "test", map[string]string{"matrix.shard": fmt.Sprint(i + 1)})
			shard.must(t, "success")
			if n := strings.Count(shard.log, "running tests/"); n != 1 || !strings.Contains(shard.log, "running tests/"+test+"_test.sh") {
				t.Errorf("shard %d ran %d tests, want %s alone:\n%s", i+1, n, test, shard.log)
			}
		}
	}
	shards()
	r.job(t, "shards.yml", "whole", nil).must(t, "success")

	// Recordings that no shard uses fail the whole, and no shard.
	old := read(t, filepath.Join(r.path("desk"), "cassettes/orders.yaml"))
	r.commit(t, "leave one behind", map[string]string{"cassettes/old.yaml": old})
	shards()
	whole := r.job(t, "shards.yml", "whole", nil)
	whole.must(t, "failure")
	if !strings.Contains(whole.log, "exit code 91") || !strings.Contains(whole.log, "file=cassettes/old.yaml::the whole cassette was never used") {
		t.Errorf("it does not say what was never used:\n%s", whole.log)
	}
}

func TestCICached(t *testing.T) {
	r, api := newRunner(t)
	api.server.Close()
	runs := func(what string, want bool) {
		t.Helper()
		job := r.job(t, "cached.yml", "test", nil)
		job.must(t, "success")
		if got := strings.Contains(job.log, "running tests/"); got != want {
			t.Errorf("%s: the tests ran: %v, want %v", what, got, want)
		}
	}
	runs("the first time", true)
	runs("nothing changed", false)
	r.commit(t, "not an input", map[string]string{"README.md": "Hello\n"})
	runs("a file that no test reads", false)
	cassette := read(t, filepath.Join(r.path("desk"), "cassettes/customers.yaml"))
	r.commit(t, "edit a cassette", map[string]string{"cassettes/customers.yaml": strings.Replace(cassette, `"ada"`, `"ada lovelace"`, 1)})
	runs("a cassette", true)
}
