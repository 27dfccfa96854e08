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

// formats are those of reports.
var formats = []string{"text", "markdown", "json", "html"}

func TestCanaryReviewDiff(t *testing.T) {
	t.Parallel()
	r := newReviewRun(t)
	for _, sides := range [][]string{{r.old, r.new}, {r.new, r.old}, {os.DevNull, r.old}, {r.new, os.DevNull}, {filepath.Dir(r.old), filepath.Dir(r.new)}} {
		for _, format := range formats {
			got := r.run(t, nil, append([]string{"diff", "--volatile", "--color", "always", "--format", format}, sides...)...)
			got.mustEnd(t, 0)
			if !strings.Contains(got.stdout, "canary.yaml") {
				t.Errorf("nothing is shown: %s", got)
			}
			os.WriteFile("/tmp/canary2/"+format+filepath.Base(sides[0])+filepath.Base(sides[1]), []byte(got.stdout), 0o644)
		}
	}
}
