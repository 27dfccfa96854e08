//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapedeck/examples/canary"
)

// The canary plants a secret of its own in every place of docs/redaction.md and
// searches everything that tapedeck writes and prints, while it runs and after.
// TestCanaryFindsWhatNoRuleRemoves proves that the search would find them.
func TestCanaryRecord(t *testing.T) {
	t.Parallel()
	t.Run("exec", func(t *testing.T) {
		t.Parallel()
		r := newCanaryRun(t)
		r.settings(t)
		got := r.exec(t, "record-once", "all", nil, append(r.origin.flags(), "--report", r.path("work/report.json"), "--junit", r.path("work/junit.xml"))...)
		got.mustEnd(t, 0)
		// Two requests are not recorded by their nature: the upgrade, and none else.
		if got, want := interactions(t, r.cassette()), len(r.exchanges)-1; got != want {
			t.Errorf("the cassette holds %d interactions, want %d", got, want)
		}
		r.mustBeClean(t)
		r.replays(t)
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		r := newCanaryRun(t) // no settings: unknown headers are left out
		token := r.p.never("token of the control API")
		r.look()
		// The files by which status and rewind find a server, and nothing else.
		traces := r.path("cache/tapedeck/running")
		r.mayHold[traces] = true
		s := r.serve(t, []string{"TAPEDECK_TOKEN=" + token}, nil, append([]string{"record", "--cassette", r.cassette()}, r.origin.flags()...)...)
		running := filepath.Join(traces, strings.ReplaceAll(s.address, ":", "-")+".json")
		if info, err := os.Stat(running); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file that holds the token: %v, %v", info.Mode(), err)
		}
		if info, err := os.Stat(traces); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("its folder: %v, %v", info.Mode(), err)
		}
		c := r.caller(t, s)
		half := len(r.exchanges) / 2
		if err := c.all(r.exchanges[:half]); err != nil {
			t.Fatal(err)
		}
		r.control(t, c, token)
		for _, command := range [][]string{{"status"}, {"status", "--json"}, {"save"}} {
			r.run(t, nil, append(command, "--address", s.address)...).mustEnd(t, 0)
		}
		if err := c.all(r.exchanges[half:]); err != nil {
			t.Fatal(err)
		}
		r.end(t, s, syscall.SIGTERM).mustEnd(t, 0)
		if !r.journal {
			t.Error("no journal has been seen: the search looked in the wrong place")
		}
		if _, err := os.Stat(running); err == nil {
			t.Error("the file with the token is still there")
		}
		clear(r.mayHold)
		r.mu.Lock()
		clear(r.mayStand) // the journal has gone
		r.mu.Unlock()
		r.searchFiles()
	})
}

// control talks to the control API through the proxy, with the token and with
// wrong ones, and to paths that are none.
func (r *canaryRun) control(t *testing.T, c *caller, token string) {
	t.Helper()
	for _, call := range []struct {
		method, path, authorization string
		status                      int
	}{
		{"GET", "/status", "Bearer " + token, 200},
		{"GET", "/status", "Basic " + token, 401},
		{"GET", "/status?token=" + token, "", 401},
		{"GET", "/" + token, "Bearer " + token, 404},
		{"PUT", "/sessions/canary", "Bearer " + token, 400},
		{"POST", "/sessions/" + token + "/nothing", "Bearer " + token, 400},
	} {
		request, err := http.NewRequestWithContext(t.Context(), call.method, "http://tapedeck.invalid"+call.path, strings.NewReader(`{"token":"`+token+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if call.authorization != "" {
			request.Header.Set("Authorization", call.authorization)
		}
		if status, err := c.do(request); err != nil || status != call.status {
			t.Errorf("%s %s: %d, %v; want %d", call.method, strings.ReplaceAll(call.path, token, "TOKEN"), status, err, call.status)
		}
	}
}

// replays plays what was recorded, with other secrets, and misses in every way.
func (r *canaryRun) replays(t *testing.T) {
	t.Helper()
	recorded := r.p
	r.p = &planting{seed: r.p.seed + " replayed"}
	r.p.never("password of the proxy's user")
	r.exchanges = r.p.exchanges()
	live := r.p.secrets
	r.p.secrets = append(slices.Clone(recorded.secrets), live...)
	r.look()
	env := []string{"CANARY_SEED=" + r.p.seed, environmentVariable + "=" + live[slices.IndexFunc(live, func(s planted) bool { return s.Name == "environment variable" })].Value}

	// The upgrade is a miss by its nature, and so the client says what it wanted.
	got := r.exec(t, "replay-only", "all", env)
	if got.code != 1 || !strings.Contains(got.stderr, "websocket: answered 424") {
		t.Errorf("the replay did not come to its upgrade: %s", got)
	}
	report, junit := r.path("work/miss.json"), r.path("work/miss.xml")
	got = r.exec(t, "replay-only", "miss", env, "--report", report, "--junit", junit)
	got.mustEnd(t, 90)
	got.mustSay(t, "::error title=tapedeck%3A not recorded", "missed")
	var said struct {
		Cassettes []struct {
			Misses []struct{ Facts []string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, report)), &said); err != nil {
		t.Fatal(err)
	}
	facts := map[string]bool{}
	for _, m := range said.Cassettes[0].Misses {
		for _, f := range m.Facts {
			kind, _, _ := strings.Cut(f, ".")
			kind, _, _ = strings.Cut(kind, "[")
			facts[kind] = true
		}
	}
	for _, kind := range []string{"method", "host", "path", "query", "body", "header", "auth"} {
		if !facts[kind] {
			t.Errorf("no miss differed in a fact of kind %s: %v", kind, facts)
		}
	}

	s := r.serve(t, env, nil, "replay", "--cassette", r.cassette())
	if err := r.caller(t, s).miss(r.exchanges[:20]); err != nil {
		t.Error(err)
	}
	for _, command := range [][]string{{"status", "--json"}, {"rewind"}} {
		r.run(t, nil, append(command, "--address", s.address)...).mustEnd(t, 0)
	}
	r.end(t, s, syscall.SIGINT).mustEnd(t, 90)
	for _, command := range [][]string{{"export", r.cassette()}, {"rules"}, {"rules", "--json"}, {"recover", r.cassette()}, {"env"}, {"ca", "show"}} {
		r.run(t, []string{"HTTPS_PROXY=http://u:" + r.secret("bearer token") + "@proxy.example.com:3128"}, command...).mustEnd(t, 0)
	}
}

// A value that is seen under a neutral name may stand in the journal until it is
// learned, and about a second more. Then it is in no file, while the recorder runs
// on (docs/crash-safety.md).
func TestCanaryJournalWindow(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	early := "first under a neutral name"
	s := r.serve(t, nil, nil, append([]string{"record", "--cassette", r.cassette()}, r.origin.flags()...)...)
	c := r.caller(t, s)
	if err := c.all(r.exchanges[:1]); err != nil {
		t.Fatal(err)
	}
	r.searchFiles()
	if !r.early[early] {
		t.Fatal("the value is not in the journal before it is learned: this test shows nothing")
	}
	if err := c.all(r.exchanges[1:2]); err != nil {
		t.Fatal(err)
	}
	learned := time.Now()
	r.until(t, "no file holds the value", func() bool { return !r.standsAnywhere(t, early) })
	if took := time.Since(learned); took > soon {
		t.Errorf("the value was in a file for %v after it was learned, want at most %v", took, soon)
	}
	// From now on it may stand nowhere, also not for a moment.
	r.mu.Lock()
	delete(r.mayStand, early)
	r.mu.Unlock()
	if got := r.export(t); strings.Contains(got, r.secret(early)) || strings.Count(got, "REDACTED-") < 2 {
		t.Errorf("the journal, as it is read: %s", strings.ReplaceAll(got, r.secret(early), "SECRET"))
	}
	for range 10 {
		if err := c.all(r.exchanges[1:2]); err != nil {
			t.Fatal(err)
		}
		r.searchFiles()
	}
	select {
	case <-s.done:
		t.Fatal("the recorder has ended")
	default:
	}
	// A kill now must leave nothing to be found in what is recovered.
	r.end(t, s, syscall.SIGKILL)
	r.run(t, nil, "recover", r.cassette()).mustEnd(t, 0)
	if n := interactions(t, r.cassette()); n != 12 {
		t.Errorf("recovered %d interactions, want 12", n)
	}
	if found := r.found(t, r.cassette()); len(found) > 0 {
		t.Errorf("the recovered cassette holds %v", found)
	}
	r.searchFiles()
}

// soon is how long a value that was learned may stand in a journal in this test: about
// a second is promised, and the machine may be busy.
const soon = 20 * time.Second

// standsAnywhere reports whether a secret stands in any file.
func (r *canaryRun) standsAnywhere(t *testing.T, name string) bool {
	t.Helper()
	hits, files, err := r.searcher.SearchFiles(r.dir)
	if err != nil || files == 0 {
		t.Fatalf("%d files: %v", files, err)
	}
	return slices.ContainsFunc(hits, func(hit canary.Hit) bool { return hit.Secret == name })
}

// export reads the cassette and its journal as any opening does.
func (r *canaryRun) export(t *testing.T) string {
	t.Helper()
	got := r.run(t, nil, "export", r.cassette())
	got.mustEnd(t, 0)
	return got.stdout
}

// until waits for something that comes by itself.
func (r *canaryRun) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// rulesInForce are the ids of all redaction rules but that of the environment,
// which is switched off by what the variable is called.
func (r *canaryRun) rulesInForce(t *testing.T) []string {
	t.Helper()
	got := r.run(t, nil, "rules", "--json")
	got.mustEnd(t, 0)
	var list struct{ Rules []struct{ ID string } }
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || len(list.Rules) == 0 {
		t.Fatalf("%d rules: %v", len(list.Rules), err)
	}
	var ids []string
	for _, one := range list.Rules {
		if one.ID != "environment" {
			ids = append(ids, one.ID)
		}
	}
	return ids
}

// With every rule switched off, every planted secret must be found: in every
// place and in every encoding. This is what proves that the searches above
// would have found a leak.
func TestCanaryFindsWhatNoRuleRemoves(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	r.settings(t, r.rulesInForce(t)...)
	for _, s := range r.p.secrets {
		r.uncovered[s.Name] = !s.never
	}
	// Under a name that says nothing tapedeck does not take the variable for a secret.
	environment := []string{environmentVariable + "=", "CANARY_GREETING=" + r.secret("environment variable")}
	r.exec(t, "record-once", "all", environment, append(r.origin.flags(), "--allow-live")...).mustEnd(t, 0)
	found := r.found(t, r.cassette())
	for _, s := range r.p.secrets {
		switch {
		case s.never && found[s.Name] != "":
			t.Errorf("%s: is stored, though it stands where nothing is", s.Name)
		case !s.never && found[s.Name] == "":
			t.Errorf("%s: no rule is in force and the search does not find it", s.Name)
		}
	}
	for _, e := range promised() {
		if name := "learned, then as " + e.Name; !strings.Contains(found[name], e.Name) {
			t.Errorf("%s: the search finds it only as %s", name, found[name])
		}
	}
	t.Run("and is played", r.playRaw)
}

// playRaw plays a cassette that holds every secret as it is, as one that somebody
// else's tool wrote may: it is cleaned when it is read.
func (r *canaryRun) playRaw(t *testing.T) {
	r.settings(t)
	clear(r.uncovered)
	r.mayHold[r.cassette()] = true
	got := r.exec(t, "replay-only", "all", nil)
	if got.code != 1 || !strings.Contains(got.stderr, "websocket: answered 424") {
		t.Errorf("the replay did not come to its upgrade: %s", got)
	}
	r.exec(t, "replay-only", "miss", nil, "--report", r.path("work/raw.json"), "--junit", r.path("work/raw.xml")).mustEnd(t, 90)
	r.run(t, nil, "export", r.cassette()).mustEnd(t, 0)
	r.run(t, nil, "recover", r.cassette()).mustEnd(t, 0)
	if len(r.found(t, r.cassette())) == 0 {
		t.Fatal("the cassette is clean before anything was to clean it")
	}
	// What is added to it cleans all of it.
	s := r.serve(t, nil, nil, append([]string{"proxy", "--mode", "new-episodes", "--cassette", r.cassette()}, r.origin.flags()...)...)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+secureHost+"/neutral?again=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := r.caller(t, s)
	if status, err := c.do(request); err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	r.end(t, s, syscall.SIGTERM).mustEnd(t, 0)
	if found := r.found(t, r.cassette()); len(found) > 0 {
		t.Errorf("the saved cassette still holds %v", found)
	}
	delete(r.mayHold, r.cassette())
}

// With one rule switched off, what only that rule finds must be found.
func TestCanaryFindsWhatOneRuleWouldRemove(t *testing.T) {
	t.Parallel()
	all := (&planting{seed: "names"})
	all.exchanges()
	byRule := map[string]bool{}
	for _, s := range all.secrets {
		if s.rule != "" && !s.early {
			byRule[s.rule] = true
		}
	}
	for i, rule := range slices.Sorted(maps.Keys(byRule)) {
		if leaveOut(i) {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			r.settings(t, rule)
			for _, s := range r.p.secrets {
				r.uncovered[s.Name] = s.rule == rule
			}
			r.exec(t, "record-once", "all", []string{"CANARY_ONLY=" + rule}, r.origin.flags()...).mustEnd(t, 0)
			found := r.found(t, r.cassette())
			for _, s := range r.p.secrets {
				switch {
				case s.rule == rule && found[s.Name] == "":
					t.Errorf("%s: rule %s is switched off and the search does not find it", s.Name, rule)
				case s.rule != rule && found[s.Name] != "":
					t.Errorf("%s: is there, though rule %s is in force", s.Name, s.rule)
				}
			}
		})
	}
	t.Run("environment", func(t *testing.T) {
		t.Parallel()
		r := newCanaryRun(t)
		r.settings(t)
		name := "environment variable"
		r.uncovered[name] = true
		r.exec(t, "record-once", "all", []string{environmentVariable + "=", "CANARY_GREETING=" + r.secret(name)}, r.origin.flags()...).mustEnd(t, 0)
		if found := fmt.Sprint(r.found(t, r.cassette())); found != "map["+name+":as it is; ]" {
			t.Errorf("found %s, want the variable's value alone", found)
		}
	})
}
