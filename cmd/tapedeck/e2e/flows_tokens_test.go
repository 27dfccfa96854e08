//go:build e2e

package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapedeck/examples/flows"
)

// TestFlowRefreshUnnamed replays rotating refresh tokens through a server: the one
// that the client brings along is none of those that the answers hand out.
func TestFlowRefreshUnnamed(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, golang("refresh"))
	recorded := b.record(t, "record-once", flows.NewCredentials())
	s := b.serve(t, nil, "replay", "--cassette", b.cassette(b.name), "--strict")
	r := b.through(t, s, flows.NewCredentials(), golang("refresh"))
	r.mustEnd(t, 0)
	r.mustPrint(t, recorded)
	ended := s.end(t, b.workspace, syscall.SIGTERM)
	ended.mustEnd(t, 0)
	if strings.Contains(ended.stderr, "unproven") {
		t.Errorf("the replay rests on a guess: %s", ended)
	}
}

// TestFlowYearOldTokens replays what was recorded a year ago, with a client that
// checks when its tokens end.
func TestFlowYearOldTokens(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, python("oauth.py", "requests", "refresh"))
	today := time.Now().UTC().Format(time.DateOnly)
	b.clock = b.clock.AddDate(-1, 0, 0)
	recorded := b.record(t, "record-once", flows.NewCredentials())

	// Tokens that had expired on the day of recording stay expired.
	r := b.replay(t, flows.NewCredentials(), nil)
	r.mustEnd(t, 1)
	r.mustSay(t, "the token expired")

	// The file as it would be had it been written then.
	file := b.cassette(b.name)
	text := read(t, file)
	then := strings.ReplaceAll(text, "recorded: "+today, "recorded: "+b.clock.UTC().Format(time.DateOnly))
	if then == text {
		t.Fatalf("the cassette does not say that it was recorded on %s:\n%s", today, shorten(text))
	}
	if err := os.WriteFile(file, []byte(then), 0o600); err != nil {
		t.Fatal(err)
	}
	r = b.replay(t, flows.NewCredentials(), nil, "--strict")
	r.mustEnd(t, 0)
	r.mustPrint(t, recorded)
	if read(t, file) != then {
		t.Error("replaying changed the cassette")
	}
}

// TestFlowPasswordThatIsAWord logs in with the password "password" to a site that
// has the word on every page.
func TestFlowPasswordThatIsAWord(t *testing.T) {
	t.Parallel()
	b := newFlowBench(t, shell("site.sh"))
	c := flows.NewCredentials()
	c.LoginPassword = wordPassword
	recorded := b.record(t, "record-once", c)
	recorded.mustSay(t, "logged-in 303", "2 items", `placeholder="password"`)
	text := read(t, b.cassette(b.name))
	if strings.Contains(text, "password=password") {
		t.Error("the password is in the cassette")
	}
	for _, page := range []string{
		"Never tell anybody your password.", `<input type="password" name="password" placeholder="password" autocomplete="current-password">`,
		"/password/reset?reason=forgotten-password", "Your password was changed 3 days ago.",
	} {
		if !strings.Contains(text, page) {
			t.Errorf("the page has lost %s", page)
		}
	}
	for name, password := range map[string]string{"the same": wordPassword, "another": "hunter2", "a random one": c.ClientSecret} {
		live := flows.NewCredentials()
		live.LoginPassword = password
		r := b.replay(t, live, nil, "--strict")
		if r.code != 0 {
			t.Errorf("replay with %s password: %s", name, r)
			continue
		}
		r.mustPrint(t, recorded)
	}

	// A password that is none leaves the file as it is, but for its own name.
	again := b.record(t, "record-only", c)
	again.mustPrint(t, recorded)
	if now := read(t, b.cassette(b.name)); now != text {
		t.Errorf("recording again changed the cassette:\n%s", firstDifference(text, now))
	}
}
