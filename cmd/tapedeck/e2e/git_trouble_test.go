//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGitTrouble: whatever goes wrong, ours stays what it was and git keeps theirs.
func TestGitTrouble(t *testing.T) {
	half := cassetteOf(plans, signUp, refund)
	half = half[:len(half)-60]
	for _, test := range []struct {
		name, theirs, config, want string
	}{
		{"half-written", half, "", "cassettes/shop.yaml (theirs):"},
		{"a later version", strings.Replace(cassetteOf(plans, refund), "tapedeck: {", "tapedeck: {direction: inbound, ", 1), "", "written by a later version"},
		{"settled by nobody", strings.Replace(cassetteOf(plans, refund), "tapedeck: {", "tapedeck: {conflict: ours, ", 1), "", "settle that with \"tapedeck git resolve\""},
		{"broken configuration", cassetteOf(plans, refund), "recall: 1\n", "tapedeck.yaml:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGitRepo(t, plans)
			g.must(t, 0, "switch", "-q", "-c", "topic", "main")
			g.commit(t, "topic", cassetteFile, test.theirs)
			ours := cassetteOf(plans, signUp)
			g.must(t, 0, "switch", "-q", "-c", "mine", "main")
			if test.config != "" {
				g.write(t, "tapedeck.yaml", test.config)
			}
			g.commit(t, "mine", cassetteFile, ours)
			out := g.must(t, 1, "merge", "topic")
			if !strings.Contains(out, test.want) || !strings.Contains(out, "is not merged, and is what it was on our side") || !strings.Contains(out, "CONFLICT") {
				t.Errorf("want %q:\n%s", test.want, out)
			}
			if got := g.read(t, cassetteFile); got != ours {
				t.Errorf("ours was changed:\n%s", got)
			}
			if got := g.must(t, 0, "show", "--no-textconv", ":3:"+cassetteFile); got != test.theirs {
				t.Errorf("git has lost theirs:\n%s", got)
			}
			if test.config == "" {
				g.must(t, 0, "diff")
			} else if r := g.git(t, "diff"); r.code == 0 || !strings.Contains(r.stderr, "--no-textconv") {
				// Without its rules, git would keep what they find in its notes.
				t.Errorf("git shows cassettes by no rules: %s", r)
			}
		})
	}
}

// TestGitWithoutTapedeck: the drivers are those of one clone. Another one merges and shows
// text, and so does one whose program is gone.
func TestGitWithoutTapedeck(t *testing.T) {
	t.Parallel()
	g := newGitRepo(t, plans, signUp)
	g.branch(t, "topic", "main", plans, signUp, refund)
	g.branch(t, "mine", "main", dearer("12"), signUp)

	clone := gitRepo{newWorkspace(t)}
	clone.must(t, 0, "clone", "-q", g.dir, clone.path("c"))
	clone.dir = clone.path("c")
	for _, folder := range []string{"home", "tmp"} {
		if err := os.Mkdir(clone.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out := clone.must(t, 0, "show", "origin/topic"); !strings.Contains(out, "+    method: POST\n") {
		t.Errorf("the clone shows no text:\n%s", out)
	}
	clone.must(t, 0, "merge", "-q", "-m", "m", "origin/topic")
	answers, requests := every(dearer("12"), signUp, refund)
	clone.mustReplay(t, cassetteFile, answers, requests...)

	gone := filepath.Join(g.path("home"), "gone", "tapedeck")
	g.mustEnd(t, g.tapedeck(t, nil, "git", "install", "--program", gone), 0)
	if out := g.must(t, 0, "merge", "-m", "m", "topic"); !strings.Contains(out, gone+" is missing: merging as text") {
		t.Errorf("nothing is said:\n%s", out)
	}
	g.mustReplay(t, cassetteFile, answers, requests...)
	if r := g.git(t, "show", "HEAD~1"); r.code == 0 || !strings.Contains(r.stderr, gone) {
		t.Errorf("git does not say what is missing: %s", r)
	}
	g.must(t, 0, "show", "--no-textconv", "HEAD~1")
	g.mustEnd(t, g.tapedeck(t, nil, "git", "uninstall"), 0)
	if _, err := os.Stat(g.path(".gitattributes")); err == nil {
		t.Error(".gitattributes has nothing in it and stays")
	}
	g.must(t, 0, "show", "HEAD~1")
}

// TestGitMergesBodyFiles: what stands in a file of its own is merged by its name, also
// while the other branch's files are not in the work tree yet.
func TestGitMergesBodyFiles(t *testing.T) {
	t.Parallel()
	g := newGitRepo(t, plans)
	body := bytes.Repeat([]byte("a line of a long report\n"), 9<<20/24)
	name := fmt.Sprintf("sha256-%x", sha256.Sum256(body))
	report := recordedCall{id: 2, request: "GET /report", answer: "{}"}
	text := cassetteOf(plans, report)
	at := strings.LastIndex(text, "  tapedeck: {")
	text = text[:at] + strings.NewReplacer("tapedeck: {", "tapedeck: {body_files: {response: "+name+"}, ", "    body: '{}'\n", "",
		"content_length: 2", fmt.Sprintf("content_length: %d", len(body)), `["2"]`, fmt.Sprintf(`["%d"]`, len(body)), "application/json", "text/plain").Replace(text[at:])
	g.must(t, 0, "switch", "-q", "-c", "topic", "main")
	g.write(t, "cassettes/shop.bodies/"+name, string(body))
	g.commit(t, "topic", cassetteFile, text)
	g.branch(t, "mine", "main", plans, orderOf)
	g.must(t, 0, "merge", "-q", "-m", "m", "topic")
	r := g.replay(t, cassetteFile, "POST /orders item=tea", "GET /report")
	if want := orderOf.answer + "\n" + string(body); r.code != 0 || strings.TrimRight(r.stdout, "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("%d bytes were played, want %d: %s", len(r.stdout), len(want), r)
	}
	if out := g.must(t, 0, "show", "topic"); !strings.Contains(out, "+    (a body in the file "+name+")\n") {
		t.Errorf("%s", shorten(out))
	}
}
