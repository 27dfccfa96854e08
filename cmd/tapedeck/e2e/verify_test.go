//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVerifyStripe asks Stripe's own mock again what was recorded of it: it answers the
// same, though every key is another one.
func TestVerifyStripe(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	then, now := w.secret("the key that recorded", "sk_test_51"), w.secret("the key that verified", "sk_test_51")
	w.learn(t, apis)
	c := clients()[0]
	w.exec(t, c, "record-once", "stripe", append(c.env, "STRIPE_API_KEY="+then), apis.Flags()...).mustEnd(t, 0)
	before := read(t, w.cassette("stripe"))

	verify := func(key string, flags ...string) result {
		arguments := append(append([]string{"verify", "--delay", "0s"}, apis.Flags()...), flags...)
		return w.tapedeck(t, []string{"STRIPE_API_KEY=" + key}, append(arguments, w.cassette("stripe"))...)
	}
	r := verify(now, "--unsafe", "--fail-on", "value")
	r.mustEnd(t, 0)
	r.mustSay(t, "sends 8 of 8 requests", "to api.stripe.com: ", "; with STRIPE_API_KEY", "8 sent and answered")
	verify("", "--unsafe").mustEnd(t, 92)
	r = verify("sk_live_"+now[len("sk_test_"):], "--unsafe")
	r.mustEnd(t, 2)
	r.mustSay(t, "--allow-live")
	if read(t, w.cassette("stripe")) != before {
		t.Error("verifying changed the cassette")
	}
	w.mustHoldNoSecret(t)
}

// A driftAPI is the API of examples/drift, running.
type driftAPI struct {
	address string
	stop    func()
}

func startDrift(t *testing.T, program, secret string, arguments ...string) driftAPI {
	t.Helper()
	command := exec.Command(program, append([]string{"-listen", "127.0.0.1:0"}, arguments...)...)
	command.Env = append(os.Environ(), "SHOP_SECRET="+secret)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%s printed %q: %v", program, line, err)
	}
	return driftAPI{address, stop}
}

// accessToken is what the API's tokens look like.
var accessToken = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

// TestVerifyDrift records version 1 of an API, and asks version 1 and 2 again in
// processes that know none of the recorded ids.
func TestVerifyDrift(t *testing.T) {
	w := newWorkspace(t)
	program := filepath.Join(t.TempDir(), "drift")
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if err := build(root, program, "./examples/drift"); err != nil {
		t.Fatal(err)
	}
	then, now := w.secret("the secret of the recording", ""), w.secret("the secret now", "")
	shop := client{argv: []string{programs.python, filepath.Join(programs.flows, "drift", "shop.py")}}

	api := startDrift(t, program, then)
	resolve := func(address string) []string { return []string{"--resolve", "api.drift.test:80:" + address} }
	w.exec(t, shop, "record-once", "shop", []string{"SHOP_SECRET=" + then}, resolve(api.address)...).mustEnd(t, 0)
	api.stop()
	before := read(t, w.cassette("shop"))

	verify := func(t *testing.T, address string, flags ...string) result {
		t.Helper()
		arguments := append(append([]string{"verify", "--delay", "0s"}, resolve(address)...), flags...)
		r := w.tapedeck(t, []string{"SHOP_SECRET=" + now}, append(arguments, w.cassette("shop"))...)
		if token := accessToken.FindString(r.stdout + r.stderr); token != "" {
			t.Errorf("what looks like an access token is printed: %s", r)
		}
		return r
	}
	token := []string{"--allow", "POST api.drift.test/oauth/token"}

	t.Run("nothing has changed", func(t *testing.T) {
		api := startDrift(t, program, now, "-version", "1")
		r := verify(t, api.address, "--unsafe", "--fail-on", "value")
		r.mustEnd(t, 0)
		r.mustSay(t, "9 sent and answered", "2 POST, 6 GET, 1 DELETE; with SHOP_SECRET")
	})
	t.Run("reads only", func(t *testing.T) {
		api := startDrift(t, program, now, "-version", "1")
		r := verify(t, api.address, append(token, "--fail-on", "value")...)
		r.mustEnd(t, 0)
		r.mustSay(t, "sends 5 of 9", "5 sent and answered, 4 left out", "it may change something", "it needs what interaction 4 (POST) gave, which is not sent")
		r = verify(t, api.address)
		r.mustEnd(t, 92)
		r.mustSay(t, "nothing was verified", "it needs what interaction 0 (POST) gave")
	})
	t.Run("busy", func(t *testing.T) {
		api := startDrift(t, program, now, "-busy")
		verify(t, api.address, "--unsafe").mustEnd(t, 0)
	})
	t.Run("wrong credentials", func(t *testing.T) {
		api := startDrift(t, program, then)
		r := verify(t, api.address, "--unsafe")
		r.mustEnd(t, 92)
		r.mustSay(t, "credentials are refused (401)")
	})
	t.Run("dead", func(t *testing.T) {
		api := startDrift(t, program, now)
		api.stop()
		r := verify(t, api.address, "--unsafe")
		r.mustEnd(t, 92)
		if n := strings.Count(r.stderr, "refused"); n > 2 {
			t.Errorf("one dead host is %d lines: %s", n, r)
		}
	})
	t.Run("version 2", func(t *testing.T) {
		api := startDrift(t, program, now, "-version", "2")
		r := verify(t, api.address, "--unsafe", "--format", "json")
		r.mustEnd(t, 1)
		mustDrift(t, r.stdout)
		for _, format := range []string{"text", "markdown", "html"} {
			r := verify(t, api.address, "--unsafe", "--format", format, "--output", w.path("drift."+format), "--report", w.path("report.json"))
			r.mustEnd(t, 1)
			for _, word := range []string{"weight_grams", "currency", "price", "/v1/report"} {
				if !strings.Contains(read(t, w.path("drift."+format)), word) {
					t.Errorf("%s: %s is not in the report", format, word)
				}
			}
		}
		verify(t, api.address, append(token, "--only", "GET api.drift.test/v1/report", "--only", "POST api.drift.test/oauth/token")...).mustEnd(t, 1)
	})
	if read(t, w.cassette("shop")) != before {
		t.Error("verifying changed the cassette")
	}
	for _, file := range []string{"drift.text", "drift.markdown", "drift.html", "report.json"} {
		if token := accessToken.FindString(read(t, w.path(file))); token != "" {
			t.Errorf("%s holds what looks like an access token", file)
		}
	}
	w.mustHoldNoSecret(t)
}

// mustDrift checks what of version 2 is found, and how it is graded.
func mustDrift(t *testing.T, text string) {
	t.Helper()
	var d struct {
		Files []struct {
			Interactions []struct {
				Method, URL string
				Changes     []struct{ Part, Place, Kind, Grade string }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range d.Files {
		for _, in := range file.Interactions {
			for _, c := range in.Changes {
				if c.Grade == "volatile" {
					continue
				}
				place := regexp.MustCompile(`^body\.data\[\d+\]`).ReplaceAllString(c.Place, "body")
				found[strings.Join([]string{c.Grade, c.Kind, place}, " ")] = true
				if c.Part != "response" {
					t.Errorf("%s %s: a change of the %s: %s", in.Method, in.URL, c.Part, c.Place)
				}
			}
		}
	}
	for _, want := range []string{
		"breaking removed body.weight_grams", "additive added body.currency", "breaking retyped body.price", "value changed body.status", "breaking changed status",
	} {
		if !found[want] {
			t.Errorf("%q is not found", want)
		}
		delete(found, want)
	}
	// The report that is gone answers something else altogether.
	for _, rest := range []string{"breaking removed body.generated_at", "breaking removed body.products", "additive added body.error"} {
		delete(found, rest)
	}
	for extra := range found {
		t.Errorf("%q is found and is none of what version 2 changed", extra)
	}
}
