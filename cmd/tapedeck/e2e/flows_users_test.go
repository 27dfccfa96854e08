//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tapedeck/examples/flows"
)

// mustNotMix fails the test when somebody was given what is another's: each step
// is the user's own answer, or a miss that says what to do. It counts both.
func mustNotMix(t *testing.T, r result) (own, missed int) {
	t.Helper()
	list := sections(r)
	if len(list) == 0 {
		t.Fatalf("nothing was printed: %s", r)
	}
	for heading, body := range list {
		user, _, _ := strings.Cut(heading, "-")
		switch {
		case strings.HasSuffix(heading, " 200") && strings.Contains(body, fmt.Sprintf("%q:%q", "name", user)):
			own++
		case strings.HasSuffix(heading, " 424") && strings.Contains(body, "environment variable of its own"):
			missed++
		default:
			t.Errorf("%s was answered %s", heading, body)
		}
	}
	return own, missed
}

// TestFlowAliceAndBob records Alice first and replays Bob first: with dummy tokens
// in the same variables, with words for tokens, and all at once.
func TestFlowAliceAndBob(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, golang("me"))
	recorded := b.record(t, "record-once", flows.NewCredentials())

	for name, c := range map[string]flows.Credentials{"other tokens": flows.NewCredentials(), "words": flows.Dummies()} {
		r := b.replay(t, c, []string{"ORDER=reversed"}, "--strict")
		if r.code != 0 {
			t.Errorf("%s: %s", name, r)
			continue
		}
		mustAnswerAlike(t, r, recorded)
	}

	parallel := b.client
	parallel.argv = golang("parallel")
	for _, order := range []string{"ORDER=", "ORDER=reversed"} {
		r := b.exec(t, parallel, "", b.name, append(flows.NewCredentials().Environ(), order))
		r.mustEnd(t, 0)
		r.mustSay(t, "parallel 16 each")
	}

	// Recorded all at once as well.
	b.argv, b.name = parallel.argv, "parallel"
	b.record(t, "record-once", flows.NewCredentials())
	r := b.replay(t, flows.Dummies(), []string{"ORDER=reversed"}, "--strict")
	r.mustEnd(t, 0)
	b.mustHoldNoSecret(t)
}

// TestFlowStrangers replays through a server that knows nothing of the tokens' names:
// nobody is taken for somebody else.
func TestFlowStrangers(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, golang("me"))
	b.record(t, "record-once", flows.NewCredentials())

	// Recorded without names too.
	c := flows.NewCredentials()
	servers := b.start(t, c)
	unnamed := b.cassette("unnamed")
	s := b.serve(t, nil, append([]string{"record", "--cassette", unnamed}, servers.Flags()...)...)
	recorded := b.through(t, s, c, golang("me"))
	recorded.mustEnd(t, 0)
	ended := s.end(t, b.workspace, syscall.SIGTERM)
	ended.mustEnd(t, 0)
	b.stop(t, servers, recorded, ended)
	if own, _ := mustNotMix(t, recorded); own != 4 {
		t.Fatalf("recorded %d answers, want 4: %s", own, recorded)
	}

	for _, cassette := range []string{b.cassette(b.name), unnamed} {
		for _, flags := range [][]string{nil, {"--strict"}} {
			s := b.serve(t, nil, append([]string{"replay", "--cassette", cassette}, flags...)...)
			for _, tokens := range []flows.Credentials{flows.NewCredentials(), flows.Dummies()} {
				r := b.through(t, s, tokens, golang("me"), "ORDER=reversed")
				r.mustEnd(t, 0)
				if _, missed := mustNotMix(t, r); missed != 4 {
					t.Errorf("%s %v: %d missed, want 4: %s", filepath.Base(cassette), flags, missed, r)
				}
			}
			s.end(t, b.workspace, syscall.SIGTERM).mustEnd(t, 90)
		}
	}

	// The other cure that the miss names: who calls does not count, the order does.
	rules := "rules:\n  - {on: GET api.acme.dev/me, ignore: [auth]}\n"
	if err := os.WriteFile(b.path("tapedeck.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	s = b.serve(t, nil, "replay", "--cassette", unnamed)
	r := b.through(t, s, flows.NewCredentials(), golang("me"))
	r.mustEnd(t, 0)
	r.mustPrint(t, recorded)
	s.end(t, b.workspace, syscall.SIGTERM).mustEnd(t, 0)
}

// TestFlowBasicNames: names tell users apart where nothing else does.
func TestFlowBasicNames(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, golang("basic"))
	recorded := b.record(t, "record-once", flows.NewCredentials())
	s := b.serve(t, nil, "replay", "--cassette", b.cassette(b.name), "--strict")
	r := b.through(t, s, flows.NewCredentials(), golang("basic"), "ORDER=reversed")
	r.mustEnd(t, 0)
	mustAnswerAlike(t, r, recorded)
	s.end(t, b.workspace, syscall.SIGTERM).mustEnd(t, 0)
	text := read(t, b.cassette(b.name))
	for _, name := range []string{"Basic alice:REDACTED-", "Basic bob:REDACTED-"} {
		if !strings.Contains(text, name) {
			t.Errorf("the cassette does not say %q", name)
		}
	}
}
