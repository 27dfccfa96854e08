//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

var (
	plans   = recordedCall{id: 0, request: "GET /plans", answer: `{"plans":[{"id":"basic","price":10}]}`}
	signUp  = recordedCall{id: 1, request: "POST /users name=ada", answer: `{"user":"ada"}`}
	orderOf = recordedCall{id: 2, request: "POST /orders item=tea", answer: `{"order":"tea"}`}
	refund  = recordedCall{id: 2, request: "POST /refunds item=tea", answer: `{"refund":"tea"}`}
)

func dearer(price string) recordedCall {
	c := plans
	c.answer = strings.Replace(c.answer, "10", price, 1)
	return c
}

// every is what the calls of these tests answer.
func every(calls ...recordedCall) (answers map[string]string, requests []string) {
	answers = map[string]string{}
	for _, c := range calls {
		answers[c.request] = c.answer
		requests = append(requests, c.request)
	}
	return answers, requests
}

func TestGitShowsRequestsAndAnswers(t *testing.T) {
	g := newGitRepo(t, plans, signUp)
	g.branch(t, "topic", "main", dearer("12"), signUp, orderOf)
	for _, command := range [][]string{
		{"diff", "main", "topic"}, {"log", "-p", "-1"}, {"show"}, {"log", "-p", "-1"}, // the last one from git's cache
	} {
		out := g.must(t, 0, command...)
		for _, want := range []string{
			"GET http://api.example.com/plans → 200 (id 0)\n", "-          \"price\": 10\n", "+          \"price\": 12\n",
			"+POST http://api.example.com/orders → 200 (id 2)\n+    item = tea\n+  answer\n+    {\n+      \"order\": \"tea\"\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("git %s shows no %q:\n%s", strings.Join(command, " "), want, out)
			}
		}
		if strings.Contains(out, "content_length") || strings.Contains(out, "recorded:") {
			t.Errorf("git %s shows how the file is written:\n%s", strings.Join(command, " "), out)
		}
	}
	// The heading of a hunk names the interaction that it is in.
	long := signUp
	long.answer = `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}`
	g.commit(t, "long", cassetteFile, cassetteOf(plans, long))
	long.answer = strings.Replace(long.answer, "6", "7", 1)
	g.write(t, cassetteFile, cassetteOf(plans, long))
	if out := g.must(t, 0, "diff"); !strings.Contains(out, "@@ POST http://api.example.com/users → 200 (id 1)\n") {
		t.Errorf("the hunk does not say where it is:\n%s", out)
	}
	if out := g.must(t, 0, "diff", "--no-textconv"); !strings.Contains(out, "+    body: '") {
		t.Errorf("the file itself is not to be seen:\n%s", out)
	}
	if out := g.must(t, 0, "blame", cassetteFile); !strings.Contains(out, ") GET http://api.example.com/plans → 200 (id 0)\n") {
		t.Errorf("blame shows something else:\n%s", out)
	}
	// Of what cannot be read it is said why, and git does not fail.
	g.write(t, cassetteFile, strings.Replace(cassetteOf(plans), "  request:", "<<<<<<< HEAD\n  request:", 1))
	if out := g.must(t, 0, "diff"); !strings.Contains(out, "git has left conflict markers in it") {
		t.Errorf("a broken file is not shown:\n%s", out)
	}
}

// TestGitMergesByInteraction: both branches have added a call at the end and taken the same
// id for it, which no merge of text can join.
func TestGitMergesByInteraction(t *testing.T) {
	for name, join := range map[string]func(t *testing.T, g gitRepo){
		"merge":       func(t *testing.T, g gitRepo) { g.must(t, 0, "merge", "-q", "-m", "m", "topic") },
		"rebase":      func(t *testing.T, g gitRepo) { g.must(t, 0, "rebase", "-q", "topic") },
		"cherry-pick": func(t *testing.T, g gitRepo) { g.must(t, 0, "cherry-pick", "topic") },
		"revert": func(t *testing.T, g gitRepo) {
			g.must(t, 0, "cherry-pick", "topic")
			g.must(t, 0, "revert", "--no-edit", "HEAD")
			g.must(t, 0, "cherry-pick", "topic")
		},
		"stash": func(t *testing.T, g gitRepo) {
			g.must(t, 0, "switch", "-q", "topic")
			g.must(t, 0, "reset", "-q", "--mixed", "HEAD~1")
			g.must(t, 0, "stash", "-q")
			g.must(t, 0, "switch", "-q", "mine")
			g.must(t, 0, "stash", "pop", "-q")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGitRepo(t, plans, signUp)
			g.branch(t, "topic", "main", dearer("12"), signUp, refund)
			g.branch(t, "mine", "main", plans, signUp, orderOf)
			join(t, g)
			answers, requests := every(dearer("12"), signUp, orderOf, refund)
			g.mustReplay(t, cassetteFile, answers, requests...)
			if text := g.read(t, cassetteFile); strings.Count(text, "- id: 2\n") != 1 || strings.Count(text, "- id: 3\n") != 1 {
				t.Errorf("ids:\n%s", text)
			}
			if out := g.must(t, 0, "status", "--short"); strings.Contains(out, "UU") {
				t.Errorf("it is left in conflict: %s", out)
			}
		})
	}
}

func TestGitConflictIsSettled(t *testing.T) {
	for _, test := range []struct {
		side  string
		price string
	}{{"--ours", "15"}, {"--theirs", "12"}} {
		t.Run(test.side, func(t *testing.T) {
			t.Parallel()
			g := newGitRepo(t, plans, signUp)
			g.branch(t, "topic", "main", dearer("12"), signUp, refund)
			g.branch(t, "mine", "main", dearer("15"), signUp, orderOf)
			out := g.must(t, 1, "merge", "topic")
			for _, want := range []string{"interaction 0, GET api.example.com/plans: changed on both sides\n", "tapedeck git resolve --ours|--theirs|--both", "CONFLICT"} {
				if !strings.Contains(out, want) {
					t.Errorf("merge says no %q:\n%s", want, out)
				}
			}
			r := g.replay(t, cassetteFile, "GET /plans")
			if r.code == 0 || r.stdout != "" || !strings.Contains(r.stderr, "interaction 0 changed on both sides of a merge") || !strings.Contains(r.stderr, "tapedeck git resolve") {
				t.Errorf("a cassette in conflict is played: %s", r)
			}
			if r := g.tapedeck(t, nil, "git", "resolve", cassetteFile); r.code != 2 || !strings.Contains(r.stderr, "in conflict: 0; say which version to keep") {
				t.Errorf("%s", r)
			}
			if r := g.tapedeck(t, nil, "git", "resolve", test.side, "7", cassetteFile); r.code != 2 || !strings.Contains(r.stderr, "interaction 7 is not in conflict") {
				t.Errorf("%s", r)
			}
			g.mustEnd(t, g.tapedeck(t, nil, "git", "resolve", test.side, cassetteFile), 0)
			g.must(t, 0, "add", cassetteFile)
			g.must(t, 0, "commit", "-q", "-m", "settled")
			answers, requests := every(dearer(test.price), signUp, orderOf, refund)
			g.mustReplay(t, cassetteFile, answers, requests...)
		})
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		g := newGitRepo(t, plans, signUp)
		g.branch(t, "topic", "main", dearer("12"), signUp)
		g.branch(t, "mine", "main", dearer("15"), signUp)
		g.must(t, 0, "config", "--remove-section", "merge.tapedeck") // as before tapedeck git install
		g.must(t, 1, "merge", "topic")
		r := g.replay(t, cassetteFile, "GET /plans")
		if r.code == 0 || !strings.Contains(r.stderr, "git has left conflict markers in it") {
			t.Errorf("a file with conflict markers: %s", r)
		}
		g.mustEnd(t, g.tapedeck(t, nil, "git", "install"), 0)
		g.must(t, 0, "checkout", "-q", "--merge", cassetteFile)
		g.mustEnd(t, g.tapedeck(t, nil, "git", "resolve", "--both", cassetteFile), 0)
		if text := g.read(t, cassetteFile); !strings.Contains(text, `"price": 15`) || !strings.Contains(text, `"price": 12`) || strings.Contains(text, "onflict") {
			t.Errorf("both were to stay:\n%s", text)
		}
	})
}

func TestGitMergesRenamesAndDeletions(t *testing.T) {
	t.Run("renamed and changed", func(t *testing.T) {
		t.Parallel()
		g := newGitRepo(t, plans, signUp)
		g.branch(t, "topic", "main", plans, signUp, refund)
		g.must(t, 0, "switch", "-q", "-c", "mine", "main")
		g.must(t, 0, "mv", cassetteFile, "cassettes/store.yaml")
		g.commit(t, "renamed", "cassettes/store.yaml", cassetteOf(plans, signUp, orderOf))
		g.must(t, 0, "merge", "-q", "-m", "m", "topic")
		answers, requests := every(plans, signUp, orderOf, refund)
		g.mustReplay(t, "cassettes/store.yaml", answers, requests...)
		if _, err := os.Stat(g.path(cassetteFile)); err == nil {
			t.Error("the old file is there again")
		}
	})
	t.Run("deleted and changed", func(t *testing.T) {
		t.Parallel()
		g := newGitRepo(t, plans, signUp)
		g.branch(t, "topic", "main", plans, signUp, refund)
		g.must(t, 0, "switch", "-q", "-c", "mine", "main")
		g.must(t, 0, "rm", "-q", cassetteFile)
		g.must(t, 0, "commit", "-q", "-m", "gone")
		if out := g.must(t, 1, "merge", "topic"); !strings.Contains(out, "CONFLICT (modify/delete)") {
			t.Errorf("%s", out)
		}
		answers, requests := every(plans, signUp, refund) // git leaves what was changed
		g.mustReplay(t, cassetteFile, answers, requests...)
	})
	t.Run("new on both sides", func(t *testing.T) {
		t.Parallel()
		g := newGitRepo(t, plans)
		const file = "cassettes/checkout/new.yaml"
		g.must(t, 0, "switch", "-q", "-c", "topic", "main")
		g.commit(t, "topic", file, cassetteOf(plans, refund))
		g.must(t, 0, "switch", "-q", "-c", "mine", "main")
		g.commit(t, "mine", file, cassetteOf(plans, signUp, orderOf))
		g.must(t, 0, "merge", "-q", "-m", "m", "topic")
		answers, requests := every(plans, signUp, orderOf, refund)
		g.mustReplay(t, file, answers, requests...)
	})
}

// TestGitCrissCross: two merges of the same two commits have two merge bases, which git
// merges first. Here these two cannot be merged, and the outcome is in conflict itself.
func TestGitCrissCross(t *testing.T) {
	t.Parallel()
	g := newGitRepo(t, plans, signUp)
	g.branch(t, "a", "main", dearer("12"), signUp)
	g.branch(t, "b", "main", dearer("15"), signUp)
	for _, side := range []struct{ name, from, other string }{{"left", "a", "b"}, {"right", "b", "a"}} {
		g.must(t, 0, "switch", "-q", "-c", side.name, side.from)
		g.must(t, 1, "merge", side.other)
		keep := "--ours"
		if side.name == "right" {
			keep = "--theirs" // both have come to 12
		}
		g.mustEnd(t, g.tapedeck(t, nil, "git", "resolve", keep, cassetteFile), 0)
		g.must(t, 0, "commit", "-q", "-am", side.name)
	}
	g.commit(t, "right more", cassetteFile, cassetteOf(dearer("12"), signUp, refund))
	g.must(t, 0, "switch", "-q", "left")
	g.commit(t, "left more", cassetteFile, cassetteOf(dearer("12"), signUp, orderOf))
	if bases := strings.Fields(g.must(t, 0, "merge-base", "--all", "left", "right")); len(bases) != 2 {
		t.Fatalf("%d merge bases", len(bases))
	}
	out := g.must(t, 0, "merge", "-m", "m", "right")
	if strings.Contains(out, "tapedeck:") {
		t.Errorf("merging the bases is talked about:\n%s", out)
	}
	answers, requests := every(dearer("12"), signUp, orderOf, refund)
	g.mustReplay(t, cassetteFile, answers, requests...)
}

// TestGitOctopus: git merges more than two heads without drivers, and refuses when they
// touch the same lines. Nothing is lost then.
func TestGitOctopus(t *testing.T) {
	t.Parallel()
	g := newGitRepo(t, plans, signUp)
	g.branch(t, "a", "main", plans, signUp, orderOf)
	g.branch(t, "b", "main", plans, signUp, refund)
	g.branch(t, "mine", "main", dearer("12"), signUp)
	if r := g.git(t, "merge", "a", "b"); r.code == 0 {
		t.Fatalf("an octopus of changes at one place is merged: %s", r)
	}
	g.must(t, 0, "reset", "-q", "--hard")
	for _, name := range []string{"a", "b"} {
		g.must(t, 0, "merge", "-q", "-m", name, name)
	}
	answers, requests := every(dearer("12"), signUp, orderOf, refund)
	g.mustReplay(t, cassetteFile, answers, requests...)
}
