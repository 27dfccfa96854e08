//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"testing"
)

// The weekly job reads the API again, keeps one issue while it answers otherwise, and
// closes it.
func TestCIVerify(t *testing.T) {
	r, api := newRunner(t)
	r.token = r.secret("the token of the job", "ghs_")
	f := newForge(t, r.token, "/repos/shop/web/issues", "/repos/shop/web/issues/")
	r.world = append(r.world, "GITHUB_EVENT_NAME=schedule", "GITHUB_REPOSITORY=shop/web", "GITHUB_API_URL="+f.URL)
	r.environments["verify"] = maps.Clone(r.environments["record"])
	before := r.branches(t)
	run := func() jobResult {
		t.Helper()
		return r.job(t, "verify.yml", "verify", nil)
	}

	orders := api.given.Load()
	same := run()
	same.must(t, "success")
	if f.only(t) != "" || api.given.Load() != orders {
		t.Errorf("an issue was opened (%q), or an order made (%d)", f.only(t), api.given.Load()-orders)
	}
	api.customers.Store(`,"tier":"gold"`)
	run().must(t, "success") // something new breaks nobody
	api.rename.Store(true)
	for range 2 {
		drift := run()
		drift.must(t, "failure")
		if text := f.only(t); !strings.Contains(text, "body.customers") || !strings.Contains(r.summary(t, "verify"), "body.customers") {
			t.Fatalf("the issue says\n%s\n%s", text, shorten(drift.log))
		}
	}
	if title := f.posts[0]["title"]; title != "The API answers otherwise than the cassettes" {
		t.Errorf("the title is %q", title)
	}
	api.rename.Store(false)
	run().must(t, "success")
	if f.posts[0]["state"] != "closed" {
		t.Errorf("the issue is not closed: %v", f.posts[0])
	}
	// An API that does not answer is no drift.
	api.server.Close()
	said := f.only(t)
	run().must(t, "failure")
	if f.only(t) != said {
		t.Errorf("the issue says %s", f.only(t))
	}
	if after := r.branches(t); !maps.Equal(before, after) {
		t.Errorf("branches %v, want %v", after, before)
	}
	r.mustHoldNoSecret(t)
}
