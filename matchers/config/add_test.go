package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapedeck/matchers"
)

func TestAddRules(t *testing.T) {
	add := []matchers.Rule{{On: "POST api.acme.dev/v1", Ignore: []string{"body.run"}}}
	const added = "  - on: POST api.acme.dev/v1\n    ignore:\n      - body.run\n"
	for _, c := range []struct{ what, before, after, err string }{
		{what: "no file", after: "rules:\n" + added},
		{what: "no rules", before: "cassettes: tapes # here\n", after: "cassettes: tapes # here\nrules:\n" + added},
		{what: "no line end", before: "cassettes: tapes", after: "cassettes: tapes\nrules:\n" + added},
		{what: "nothing under rules", before: "rules:\ncassettes: tapes\n", after: "rules:\n" + added + "cassettes: tapes\n"},
		{
			what:   "behind others, before a comment",
			before: "# ours\nrules:\n  - on: GET a.dev/x   # noise\n    ignore: [query.t]\n\n# theirs\ncassettes: tapes\n",
			after:  "# ours\nrules:\n  - on: GET a.dev/x   # noise\n    ignore: [query.t]\n" + added + "\n# theirs\ncassettes: tapes\n",
		},
		{
			what:   "another indentation",
			before: "rules:\n- on: GET a.dev/x\n  ignore:\n  - query.t\ncassettes: tapes\n",
			after:  "rules:\n- on: GET a.dev/x\n  ignore:\n  - query.t\n" + strings.ReplaceAll(added[2:], "\n  ", "\n") + "cassettes: tapes\n",
		},
		{
			what:   "a text over several lines",
			before: "rules:\n  - on: GET a.dev/x\n    rewrite:\n      - fact: query.t\n        with: X\n        find: >-\n          a\n\n          b\ncassettes: tapes\n",
			after:  "rules:\n  - on: GET a.dev/x\n    rewrite:\n      - fact: query.t\n        with: X\n        find: >-\n          a\n\n          b\n" + added + "cassettes: tapes\n",
		},
		{what: "in one line", before: "rules: []\n", err: `"rules" is written in one line`},
		{what: "not YAML", before: "a: [\n", err: "not valid YAML"},
		{what: "a key that is not known", before: "cassetes: tapes\n", err: "nothing was written"},
	} {
		t.Run(c.what, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tapedeck.yaml")
			if c.before != "" {
				if err := os.WriteFile(file, []byte(c.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := AddRules(file, add)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				c.after = c.before
			} else if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.after, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if info, err := os.Stat(file); c.before != "" && (err != nil || info.Mode().Perm() != 0o600) {
				t.Errorf("the file's mode changed to %v (%v)", info.Mode(), err)
			}
		})
	}
}
