//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"tapedeck/examples/canary"
	"tapedeck/examples/upstreams"
)

// A client makes the calls of a checkout; each prints what it was answered.
type client struct {
	name string
	argv []string
	env  []string
	// heading is the first line it prints: the protocol it spoke, or the
	// request id, which only an SDK shows.
	heading string
	// throws says that it ends with an error when an answer is one.
	throws bool
	// plain says that its requests are the same as those of the other plain
	// clients, so that they can share a cassette. SDKs send a version of the API.
	plain bool
}

func clients() []client {
	curl := []string{programs.bash, programs.stripeFlow + "/curl.sh"}
	python := func(library string) []string {
		return []string{programs.python, programs.stripeFlow + "/stripe_flow.py", library}
	}
	return []client{
		{name: "curl-http1.1", argv: curl, env: []string{"CURL_OPTIONS=--http1.1"}, heading: "customer 200 HTTP/1.1", plain: true},
		{name: "curl-http2", argv: curl, env: []string{"CURL_OPTIONS=--http2"}, heading: "customer 200 HTTP/2", plain: true},
		{name: "curl-compressed", argv: curl, env: []string{"CURL_OPTIONS=--compressed"}, heading: "customer 200 HTTP/2", plain: true},
		{name: "python-requests", argv: python("requests"), heading: "customer 200 HTTP/1.1", plain: true},
		{name: "python-httpx", argv: python("httpx"), heading: "customer 200 HTTP/1.1", plain: true},
		{name: "python-httpx-http2", argv: python("httpx-h2"), heading: "customer 200 HTTP/2", plain: true},
		{name: "node-fetch", argv: []string{programs.node, programs.stripeFlow + "/fetch.mjs"}, heading: "customer 200", plain: true},
		{name: "node-stripe", argv: []string{programs.node, programs.stripeFlow + "/sdk.mjs"}, heading: "customer 200 req_123", throws: true},
		{name: "stripe-go", argv: []string{programs.stripeGo}, heading: "customer 200 req_123", throws: true},
	}
}

// calls is how many requests each client makes.
const calls = 8

func TestStripe(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	recordingKey := w.secret("the key that recorded", "sk_test_51")
	otherKey := w.secret("the key that replayed", "sk_test_51")
	w.learn(t, apis)

	all := clients()
	recorded := map[string]result{}
	for _, c := range all {
		t.Run("record/"+c.name, func(t *testing.T) {
			r := w.exec(t, c, "record-once", c.name, append(c.env, "STRIPE_API_KEY="+recordingKey), apis.Flags()...)
			r.mustEnd(t, 0)
			steps := r.steps()
			if len(steps) != calls || steps[0] != c.heading {
				t.Fatalf("want %d steps, the first %q: %s", calls, c.heading, r)
			}
			if n := interactions(t, w.cassette(c.name)); n != calls {
				t.Errorf("the cassette holds %d interactions, want %d", n, calls)
			}
			w.mustHoldNoSecret(t)
			recorded[c.name] = r
		})
	}
	stop(t, apis)
	if t.Failed() {
		t.FailNow()
	}

	for _, c := range all {
		// No flag says where the API is: it is not needed, and not there.
		before := read(t, w.cassette(c.name))
		key := "STRIPE_API_KEY=" + otherKey
		t.Run("replay/"+c.name, func(t *testing.T) {
			r := w.exec(t, c, "", c.name, append(c.env, key))
			r.mustEnd(t, 0)
			r.mustPrint(t, recorded[c.name])
		})
		t.Run("replay in another order/"+c.name, func(t *testing.T) {
			r := w.exec(t, c, "record-once", c.name, append(c.env, key, "ORDER=reversed"))
			r.mustEnd(t, 0)
			r.mustPrint(t, recorded[c.name])
		})
		t.Run("miss/"+c.name, func(t *testing.T) {
			r := w.exec(t, c, "replay-only", c.name, append(c.env, key, "AMOUNT=2001"))
			code := 90
			if c.throws {
				code = 1 // the command's own
			}
			r.mustEnd(t, code)
			r.mustSay(t, "body.amount", "2000", "2001")
		})
		if read(t, w.cassette(c.name)) != before {
			t.Errorf("%s: replaying changed the cassette", c.name)
		}
	}

	// A recording made by one program answers another.
	for _, from := range all {
		for _, to := range all {
			if !from.plain || !to.plain || from.name == to.name {
				continue
			}
			t.Run("replay across/"+from.name+"/"+to.name, func(t *testing.T) {
				r := w.exec(t, to, "replay-only", from.name, append(to.env, "STRIPE_API_KEY="+otherKey))
				r.mustEnd(t, 0)
				if got, want := len(r.steps()), calls; got != want {
					t.Fatalf("%d steps, want %d: %s", got, want, r)
				}
				got, want := answers(t, r), answers(t, recorded[from.name])
				for step, body := range want {
					if got[step] != body {
						t.Errorf("%s: recorded by %s\n%s\nreplayed by %s\n%s", step, from.name, body, to.name, got[step])
					}
				}
			})
		}
	}
	w.mustHoldNoSecret(t)
}

func (w *workspace) cassette(name string) string { return w.path("cassettes/" + name + ".yaml") }

// exec runs a client under tapedeck exec; without a mode it is what CI implies.
func (w *workspace) exec(t *testing.T, c client, mode, cassette string, env []string, flags ...string) result {
	t.Helper()
	arguments := []string{"exec", "--cassette", w.cassette(cassette)}
	if mode != "" {
		arguments = append(arguments, "--mode", mode)
	}
	arguments = append(append(arguments, flags...), "--")
	return w.tapedeck(t, env, append(arguments, c.argv...)...)
}

// answers are the bodies that a plain client printed, by step.
func answers(t *testing.T, r result) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, section := range strings.Split("\n"+r.stdout, "\n== ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		name, _, _ := strings.Cut(heading, " ")
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatalf("step %s: %v: %s", name, err, r)
		}
		compact, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(compact)
	}
	return out
}

// learn adds the secrets that stripe-mock's answers hold.
func (w *workspace) learn(t *testing.T, apis *upstreams.APIs) {
	t.Helper()
	secrets, err := apis.ClientSecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		w.secrets = append(w.secrets, canary.Secret{Name: "a client secret", Value: secret})
	}
}
