//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tapedeck/examples/flows"
)

// A secretFlow is a program whose requests carry secrets that answers have
// handed out, or that are all that tells two users apart.
type secretFlow struct {
	name string
	argv []string
	env  []string
	// steps is how many headings it prints, interactions how many requests it makes.
	steps, interactions int
	// another is an environment with which it makes the same requests in another order.
	another string
	// shows are words that its output has if it got as far as it should.
	shows []string
}

// The clients of the flows, as commands.
func python(script string, arguments ...string) []string {
	return append([]string{programs.python, flowClient(script)}, arguments...)
}

func node(script string, arguments ...string) []string {
	return append([]string{programs.node, flowClient(script)}, arguments...)
}

func shell(script string) []string { return []string{programs.bash, flowClient(script)} }

func golang(flow string) []string { return []string{flowsGo(), flow} }

func flowClient(name string) string { return filepath.Join(programs.flows, "flows", "clients", name) }

// secretFlows are those that all go alike; each client is in at least two.
func secretFlows() []secretFlow {
	site := []string{"0 items", "logged-in 303", "2 items", "logout 303", "stranger-again 401", "Forgot your password?"}
	return []secretFlow{
		{name: "client credentials, Basic, requests", argv: python("oauth.py", "requests", "basic"), steps: 4, interactions: 4, shows: []string{"stranger 401", "orders-again 200"}},
		{name: "client credentials, form, httpx", argv: python("oauth.py", "httpx", "form"), steps: 4, interactions: 4, shows: []string{"stranger 401", "orders-again 200"}},
		{name: "client credentials, Basic, Go", argv: golang("oauth"), steps: 2, interactions: 3, shows: []string{"orders-again 200"}},
		{name: "client credentials, Basic refused, Go", argv: golang("oauth-form"), steps: 2, interactions: 4, shows: []string{"orders-again 200"}},
		{name: "refresh tokens, requests", argv: python("oauth.py", "requests", "refresh"), steps: 7, interactions: 7,
			shows: []string{"JWT HS256", `"generation":3`, "used 400", "this refresh token has been used"}},
		{name: "refresh tokens, Go", argv: golang("refresh"), steps: 7, interactions: 7, shows: []string{`"generation":3`, "used 400 invalid_grant"}},
		{name: "client secrets, Node", argv: node("payments.mjs"), steps: 6, interactions: 6,
			shows: []string{`"succeeded"`, `{"good":[true,true]}`, "the-wrong-one 401"}},
		{name: "session, curl", argv: shell("site.sh"), steps: 9, interactions: 9, shows: site},
		{name: "session, requests", argv: python("site.py"), steps: 9, interactions: 9, shows: site},
		{name: "session, Node", argv: node("site.mjs"), steps: 9, interactions: 9, shows: site},
		{name: "two users with Basic, Go", argv: golang("basic"), steps: 4, interactions: 4, another: "ORDER=reversed",
			shows: []string{`"name":"alice","visit":2`, `"name":"bob","visit":2`}},
		{name: "two users with tokens, Go", argv: golang("me"), steps: 4, interactions: 4, another: "ORDER=reversed",
			shows: []string{`"name":"alice","visit":2`, `"name":"bob","visit":2`}},
		{name: "signed URLs, httpx", argv: python("signed.py"), steps: 7, interactions: 7, shows: []string{"one loom", "two engines", "nothing 404"}},
		{name: "with and without a token, curl", argv: shell("catalog.sh"), steps: 2, interactions: 2, another: "ORDER=reversed",
			shows: []string{`[{"name":"loom"},`, `"price":1200`}},
		{name: "with a token first, curl", argv: shell("catalog.sh"), env: []string{"ORDER=reversed"}, steps: 2, interactions: 2, another: "ORDER=",
			shows: []string{`[{"name":"loom"},`, `"price":1200`}},
		{name: "an account that is user and path, curl", argv: shell("twilio.sh"), steps: 2, interactions: 2, shows: []string{`"status":"delivered"`}},
		{name: "a webhook's secret, httpx", argv: python("webhooks.py"), steps: 1, interactions: 1, shows: []string{"stripe True", "svix True"}},
		{name: "keys in the path, Go", argv: golang("paths"), steps: 3, interactions: 3, shows: []string{"loom_bot", "hook 200"}},
	}
}

// flowsGo builds the Go client when it is first asked for.
var flowsGo = sync.OnceValue(func() string {
	executable := filepath.Join(filepath.Dir(programs.tapedeck), "flows-go")
	if err := build(filepath.Join(programs.flows, "flows", "clients", "go"), executable, "."); err != nil {
		panic(err)
	}
	return executable
})

// A flowBench is where one flow is recorded and replayed.
type flowBench struct {
	*workspace
	client
	// clock is the time of all recordings, so that they differ in their secrets alone.
	clock time.Time
}

func newFlowBench(t *testing.T, argv []string, env ...string) *flowBench {
	return &flowBench{newWorkspace(t), client{name: "flow", argv: argv, env: env}, time.Now().Truncate(time.Second)}
}

// start starts the servers.
func (b *flowBench) start(t *testing.T, c flows.Credentials) *flows.Servers {
	t.Helper()
	servers, err := flows.Start(t.TempDir(), c, func() time.Time { return b.clock })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = servers.Stop() })
	return servers
}

// stop stops them and finds no secret anywhere, but for those that are words: these
// stand in every text.
func (b *flowBench) stop(t *testing.T, servers *flows.Servers, outputs ...result) {
	t.Helper()
	if err := servers.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range servers.Secrets() {
		if secret.Value != wordPassword {
			b.secrets = append(b.secrets, secret)
		}
	}
	for _, r := range outputs {
		b.mustBeSilent(t, r)
	}
	b.mustHoldNoSecret(t)
}

// wordPassword is a password that is a word.
const wordPassword = "password"

// record records with live secrets, stops the servers, and finds no secret
// anywhere.
func (b *flowBench) record(t *testing.T, mode string, c flows.Credentials, flags ...string) result {
	t.Helper()
	servers := b.start(t, c)
	env := append(append(c.Environ(), b.env...), fmt.Sprint("NOW=", b.clock.Unix()))
	r := b.exec(t, b.client, mode, b.name, env, append(servers.Flags(), flags...)...)
	b.stop(t, servers, r)
	r.mustEnd(t, 0)
	return r
}

// through runs a client through a server that tapedeck is, which sees nothing of
// the client's environment.
func (b *flowBench) through(t *testing.T, s *server, c flows.Credentials, argv []string, more ...string) result {
	t.Helper()
	bundle := b.tapedeck(t, nil, "ca", "bundle", "--ca-dir", b.path("authority"))
	bundle.mustEnd(t, 0)
	file := strings.TrimSpace(bundle.stdout)
	env := append(c.Environ(), "HTTPS_PROXY=http://"+s.address, "SSL_CERT_FILE="+file, "CURL_CA_BUNDLE="+file)
	return b.run(t, append(env, more...), argv[0], argv[1:]...)
}

// replay plays with other secrets, in a process that knows of no server.
func (b *flowBench) replay(t *testing.T, c flows.Credentials, more []string, flags ...string) result {
	t.Helper()
	return b.exec(t, b.client, "", b.name, append(append(c.Environ(), b.env...), more...), flags...)
}

// TestFlows records each flow, replays it with the servers gone and other
// credentials, and records it again: rotated secrets leave the file as it is.
func TestFlows(t *testing.T) {
	for _, f := range secretFlows() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			b := newFlowBench(t, f.argv, f.env...)
			recorded := b.record(t, "record-once", flows.NewCredentials())
			if got := len(recorded.steps()); got != f.steps {
				t.Fatalf("%d steps, want %d: %s", got, f.steps, recorded)
			}
			recorded.mustSay(t, f.shows...)
			if n := interactions(t, b.cassette(b.name)); n != f.interactions {
				t.Errorf("the cassette holds %d interactions, want %d", n, f.interactions)
			}
			file := read(t, b.cassette(b.name))

			for _, other := range []struct {
				name  string
				live  flows.Credentials
				flags []string
			}{
				{"other secrets", flows.NewCredentials(), []string{"--strict"}},
				{"words", flows.Dummies(), []string{"--strict"}},
			} {
				r := b.replay(t, other.live, nil, other.flags...)
				if r.code != 0 {
					t.Errorf("replay with %s: %s", other.name, r)
					continue
				}
				r.mustPrint(t, recorded)
				if strings.Contains(r.stderr, "unproven") {
					t.Errorf("replay with %s rests on a guess: %s", other.name, r)
				}
			}
			if f.another != "" {
				r := b.replay(t, flows.NewCredentials(), []string{f.another})
				r.mustEnd(t, 0)
				mustAnswerAlike(t, r, recorded)
			}
			if read(t, b.cassette(b.name)) != file {
				t.Error("replaying changed the cassette")
			}

			again := b.record(t, "record-only", flows.NewCredentials())
			again.mustPrint(t, recorded)
			if now := read(t, b.cassette(b.name)); now != file {
				t.Errorf("rotated secrets changed the cassette:\n%s", firstDifference(file, now))
			}
			b.mustHoldNoSecret(t)
		})
	}
}

// mustAnswerAlike compares the steps of a run with those of another that made
// them in another order.
func mustAnswerAlike(t *testing.T, r, recorded result) {
	t.Helper()
	got, want := sections(r), sections(recorded)
	if len(got) != len(want) {
		t.Fatalf("%d steps, want %d: %s", len(got), len(want), r)
	}
	for heading, body := range want {
		if got[heading] != body {
			t.Errorf("%s\nrecorded: %s\nreplayed: %s", heading, body, got[heading])
		}
	}
}

// sections are what stands under each heading that a flow printed.
func sections(r result) map[string]string {
	out := map[string]string{}
	for _, section := range strings.Split("\n"+r.stdout, "\n== ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		out[heading] = strings.TrimSpace(body)
	}
	return out
}

// firstDifference shows the first line in which two files differ.
func firstDifference(a, b string) string {
	was, is := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			return fmt.Sprintf("line %d was %s\nline %d is  %s", i+1, was[i], i+1, is[i])
		}
	}
	return fmt.Sprintf("%d lines, were %d", len(is), len(was))
}
