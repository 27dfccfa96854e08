package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
	"tapedeck/matchers"
)

// A transport answers by a handler, with no network in between.
type transport struct {
	http.Handler
	t    *testing.T
	sent []string // method, URL and body of every request
}

func (tr *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	tr.sent = append(tr.sent, strings.TrimSpace(req.Method+" "+req.URL.String()+" "+string(body)))
	in := req.Clone(req.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	tr.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// environment is what both the recording and the verifying process have.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) list() []string {
	var out []string
	for name, value := range e {
		out = append(out, name+"="+value)
	}
	return out
}

func cleanerOf(t testing.TB, e environment, more redact.Config) *clean.Cleaner {
	t.Helper()
	more.Env = e.list()
	rules, err := redact.Compile(more)
	if err != nil {
		t.Fatal(err)
	}
	m := matcher(t)
	return &clean.Cleaner{
		Vault:              redact.NewVault(rules),
		KeepRequestHeader:  func(s redact.Scope, name string) bool { return m.Stores(s, name) || name == "Idempotency-Key" },
		DropResponseHeader: clean.Noise,
	}
}

func matcher(t testing.TB) *matchers.Matcher {
	t.Helper()
	m, err := matchers.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A call is one request of the program whose traffic was recorded.
type call struct {
	method, url string
	header      http.Header
	body        string
}

// A recorder records calls as tapedeck does.
type recorder struct {
	t       *testing.T
	cleaner *clean.Cleaner
	handler http.Handler
	stored  []clean.Stored
	config  redact.Config
}

func newRecorder(t *testing.T, e environment, handler http.Handler) *recorder {
	return &recorder{t: t, cleaner: cleanerOf(t, e, redact.Config{}), handler: handler}
}

// call makes a call, records it and returns the live answer's body.
func (r *recorder) call(c call) map[string]any {
	r.t.Helper()
	req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		r.t.Fatal(err)
	}
	if c.header != nil {
		req.Header = c.header
	}
	if c.body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	request, err := r.cleaner.Request(req, []byte(c.body))
	if err != nil {
		r.t.Fatal(err)
	}
	body := w.Body.Bytes()
	in, err := r.cleaner.Interaction(request, clean.Answer{Response: w.Result(), Body: body})
	if err != nil {
		r.t.Fatal(err)
	}
	if in, err = r.cleaner.Sweep(in); err != nil {
		r.t.Fatal(err)
	}
	s, err := in.Stored()
	if err != nil {
		r.t.Fatal(err)
	}
	s.ID, s.Recorded = len(r.stored), "2026-11-01"
	r.stored = append(r.stored, s)
	var members map[string]any
	_ = json.Unmarshal(body, &members) // an array has none
	return members
}

// verifier loads what was recorded in another process, as it were.
func (r *recorder) verifier(e environment, handler http.Handler) (*Verifier, []clean.Interaction, *transport) {
	r.t.Helper()
	cleaner := cleanerOf(r.t, e, r.config)
	var list []clean.Interaction
	for _, s := range r.stored {
		in, err := cleaner.Load(s)
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, in)
	}
	tr := &transport{Handler: handler, t: r.t}
	return &Verifier{Transport: tr, Matcher: matcher(r.t), Cleaner: cleaner, Lookup: e.lookup,
		Now:   func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
		Sleep: func(time.Duration) <-chan time.Time { c := make(chan time.Time, 1); c <- time.Time{}; return c },
	}, list, tr
}

func outcome(t *testing.T, v *Verifier, list []clean.Interaction) *Outcome {
	t.Helper()
	plan, err := v.Plan(list)
	if err != nil {
		t.Fatal(err)
	}
	out, err := plan.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fates are the fates of all steps, in order.
func fates(steps []Step) string {
	var out []string
	for _, step := range steps {
		out = append(out, string(step.Fate))
	}
	return strings.Join(out, " ")
}

func whys(steps []Step) string {
	var out []string
	for _, step := range steps {
		if step.Why != "" {
			out = append(out, fmt.Sprintf("%d: %s", step.ID, step.Why))
		}
	}
	return strings.Join(out, "\n")
}

const secret1 = "Zk8QmX2vR7pLw4TnB9sYc3dHj6F"
const secret2 = "Wq5Tn8Zr3Yv6Lx1Mc9Bk2Ph7DsA"

// TestFlow sends a whole flow again: the token, ids, secrets and cursors of then are
// those of now, wherever they stand.
func TestFlow(t *testing.T) {
	r := record(t, environment{"SHOP_SECRET": secret1})
	e := environment{"SHOP_SECRET": secret2}
	v, list, tr := r.verifier(e, shop("2", secret2))
	v.Unsafe = true
	out := outcome(t, v, list)
	if got := fates(out.Steps); got != "send send send send send send" {
		t.Fatalf("%s\n%s\n%s", got, whys(out.Steps), strings.Join(tr.sent, "\n"))
	}
	for i, live := range out.Live {
		resp, err := live.Response()
		if err != nil {
			t.Fatal(err)
		}
		if resp.Status() != 200 {
			t.Errorf("%s: %d", tr.sent[i], resp.Status())
		}
	}
	if !out.Complete() {
		t.Error("the run is not complete")
	}
	if !out.Replaced["cus_1Nab8Kq2LmX9v"] || !out.Replaced["cur1aa11bb22"] || out.Replaced["Ada"] || out.Replaced["customers"] {
		t.Errorf("replaced: %v", out.Replaced)
	}
	for _, sent := range tr.sent {
		if strings.Contains(sent, "REDACTED") || strings.Contains(sent, "cus_1") {
			t.Errorf("sent as it was recorded: %s", sent)
		}
	}
	mustHoldNoSecret(t, out, secret2, "at29hX2mQ7vRkLwZ4pTnB8sYc3d", "2k3J8sQ0wZ5xV7bN2")
}

// mustHoldNoSecret looks for live secrets in all that a run brings.
func mustHoldNoSecret(t *testing.T, out *Outcome, secrets ...string) {
	t.Helper()
	var all strings.Builder
	for _, in := range out.Live {
		s, err := in.Stored()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s %v %s\n%d %v %s\n", s.Method, s.URL, s.RequestHeader, s.RequestBody, s.Status, s.ResponseHeader, s.ResponseBody)
	}
	all.WriteString(whys(out.Steps) + strings.Join(out.Faults, "\n"))
	for _, secret := range secrets {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the secret %s is in what the run brings:\n%s", secret, all.String())
		}
		if len(secret) > 20 && !out.Leaks("x "+secret) {
			t.Errorf("%s is not known to be a secret", secret)
		}
	}
}

// TestSafeOnly: what changes something is not sent, and neither is what hangs on it.
func TestSafeOnly(t *testing.T) {
	e := environment{"SHOP_SECRET": secret1}
	r := record(t, e)
	v, list, tr := r.verifier(e, shop("2", secret1))
	out := outcome(t, v, list)
	if got := fates(out.Steps); got != "leave leave leave leave leave leave" || len(tr.sent) > 0 {
		t.Errorf("%s\n%s\n%v", got, whys(out.Steps), tr.sent)
	}
	// The token alone makes the reads possible that need no customer.
	v, list, tr = r.verifier(e, shop("2", secret1))
	v.Allow = patterns(t, "POST api.acme.dev/oauth/token")
	out = outcome(t, v, list)
	if got := fates(out.Steps); got != "send leave leave leave send send" {
		t.Errorf("%s\n%s\n%v", got, whys(out.Steps), tr.sent)
	}
	if want := "it needs what interaction 1 (POST) gave, which is not sent; add --unsafe"; !strings.Contains(out.Steps[2].Why, want) {
		t.Errorf("%q, want %q", out.Steps[2].Why, want)
	}
	// A token that somebody else has got does it too.
	e["TOKEN"] = "at29hX2mQ7vRkLwZ4pTnB8sYc3d"
	v, list, _ = r.verifier(e, shop("2", secret1))
	v.Secrets = map[string]string{"0002": "TOKEN"}
	if got := fates(outcome(t, v, list).Steps); got != "leave leave leave leave send send" {
		t.Error(got)
	}
}

func patterns(t *testing.T, list ...string) []scope.On {
	t.Helper()
	var out []scope.On
	for _, text := range list {
		on, err := scope.ParseOn(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, on)
	}
	return out
}
