package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapedeck/cassettes/clean"
)

// reads records n reads of different things on each host.
func reads(t *testing.T, n int, hosts ...string) *recorder {
	t.Helper()
	r := newRecorder(t, nil, echoing(`{"ok":true}`))
	for i := range n {
		for _, host := range hosts {
			r.call(call{"GET", "https://" + host + "/a?n=" + strconv.Itoa(i), nil, ""})
		}
	}
	return r
}

// A broken transport fails for some hosts.
type broken struct {
	*transport
	errs map[string]error
	seen map[string]int
}

func (b *broken) RoundTrip(req *http.Request) (*http.Response, error) {
	b.seen[req.URL.Host]++
	if err := b.errs[req.URL.Host]; err != nil {
		return nil, err
	}
	return b.transport.RoundTrip(req)
}

// TestDeadHost: what cannot be connected to is asked once; what does not answer, a few
// times; the others are asked all the same.
func TestDeadHost(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		asks int
	}{
		"refused": {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 1},
		"no name": {&net.DNSError{Err: "no such host", IsNotFound: true}, 1},
		"silent":  {context.DeadlineExceeded, mostSilent},
		"reset":   {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, mostSilent},
	} {
		r := reads(t, 20, "dead.acme.dev", "api.acme.dev")
		v, list, tr := r.verifier(nil, echoing(`{"ok":true}`))
		b := &broken{tr, map[string]error{"dead.acme.dev": c.err}, map[string]int{}}
		v.Transport, v.Hosts = b, &Hosts{}
		v.Failure = func(err error, host string) (int, string) { return 502, "upstream " + host + ": it is dead" }
		out := outcome(t, v, list)
		if b.seen["dead.acme.dev"] != c.asks || b.seen["api.acme.dev"] != 20 {
			t.Errorf("%s: %v", name, b.seen)
		}
		if len(out.Faults) != 1 || !strings.Contains(out.Faults[0], "it is dead ("+strconv.Itoa(20-c.asks)+" not sent)") {
			t.Errorf("%s: %q", name, out.Faults)
		}
		// Another cassette of the same command asks the dead host no more.
		again, more, tr := r.verifier(nil, echoing(`{"ok":true}`))
		again.Transport, again.Hosts = &broken{tr, b.errs, b.seen}, v.Hosts
		if outcome(t, again, more); b.seen["dead.acme.dev"] != c.asks || b.seen["api.acme.dev"] != 40 {
			t.Errorf("%s, with what is known: %v", name, b.seen)
		}
		if Counted(out.Steps, Fails) != 20 || len(out.Live) != 20 || out.Complete() {
			t.Errorf("%s: %s", name, fates(out.Steps))
		}
	}
}

// TestTransportErrorsStaySilent: the text of a transport error may quote the request.
func TestTransportErrorsStaySilent(t *testing.T) {
	r := reads(t, 1, "api.acme.dev")
	v, list, tr := r.verifier(nil, echoing(`{}`))
	v.Transport = &broken{tr, map[string]error{"api.acme.dev": errors.New("malformed HTTP response \"" + secret1 + "\"")}, map[string]int{}}
	out := outcome(t, v, list)
	if why := out.Steps[0].Why; strings.Contains(why, secret1) || why == "" {
		t.Error(why)
	}
}

// busy answers some requests with a status before it passes them on.
func busy(times, status int, header http.Header, next http.Handler) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n <= times {
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestRetryAfter(t *testing.T) {
	late := time.Date(2026, 11, 22, 12, 0, 7, 0, time.UTC).Format(http.TimeFormat)
	for _, c := range []struct {
		name     string
		times    int
		status   int
		after    string
		waits    []time.Duration
		sent     int
		complete bool
		why      string
	}{
		{"seconds", 2, 429, "3", []time.Duration{3 * time.Second, 3 * time.Second}, 3, true, ""},
		{"a time", 1, 429, late, []time.Duration{7 * time.Second}, 2, true, ""},
		{"nothing said", 3, 429, "", []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, 4, true, ""},
		{"for ever", 100, 429, "0", nil, mostTries, false, "answered 429 each time"},
		{"too long", 1, 429, "3600", nil, 1, false, "wait for more than 1m"},
		{"ill for a moment", 1, 503, "", []time.Duration{time.Second}, 2, true, ""},
		{"ill", 100, 502, "0", nil, mostTries, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := reads(t, 1, "api.acme.dev")
			header := http.Header{}
			if c.after != "" {
				header.Set("Retry-After", c.after)
			}
			v, list, tr := r.verifier(nil, busy(c.times, c.status, header, echoing(`{"ok":true}`)))
			var waits []time.Duration
			v.Sleep = func(d time.Duration) <-chan time.Time {
				waits = append(waits, d)
				done := make(chan time.Time, 1)
				done <- time.Time{}
				return done
			}
			out := outcome(t, v, list)
			if len(tr.sent) != c.sent || out.Complete() != c.complete || !strings.Contains(out.Steps[0].Why, c.why) {
				t.Errorf("sent %d, complete %v, %q", len(tr.sent), out.Complete(), out.Steps[0].Why)
			}
			if len(waits) != len(c.waits) {
				t.Fatalf("waited %v, want %v", waits, c.waits)
			}
			for i := range waits {
				if waits[i] != c.waits[i] {
					t.Errorf("waited %v, want %v", waits, c.waits)
				}
			}
		})
	}
}

// TestRefusedCredentials: a 401 says nothing of the API's answers.
func TestRefusedCredentials(t *testing.T) {
	r := reads(t, 1, "api.acme.dev")
	v, list, _ := r.verifier(nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) }))
	out := outcome(t, v, list)
	if len(out.Live) != 0 || out.Steps[0].Fate != Fails || !strings.Contains(out.Steps[0].Why, "401") {
		t.Errorf("%s: %s", out.Steps[0].Fate, out.Steps[0].Why)
	}
}

// TestLeftOut: what says nothing of the API is not asked again.
func TestLeftOut(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{}`))
	add := func(method string, status int, change func(*clean.Stored)) {
		s := clean.Stored{Method: method, URL: "https://api.acme.dev/a/" + strconv.Itoa(len(r.stored)), Status: status}
		s.ID, s.Recorded = len(r.stored), "2026-11-01"
		if change != nil {
			change(&s)
		}
		r.stored = append(r.stored, s)
	}
	add("GET", 304, nil)
	add("GET", 429, nil)
	add("GET", 503, nil)
	add("GET", 101, nil)
	add("GET", 200, func(s *clean.Stored) { s.Pinned = true })
	add("POST", 200, nil)
	add("DELETE", 204, nil)
	add("GET", 404, func(s *clean.Stored) { s.URL = "https://api.acme.dev/a/6/b" })
	add("GET", 404, func(s *clean.Stored) { s.URL = "https://api.acme.dev/a/66" })
	add("GET", 200, func(s *clean.Stored) { s.URL = "ftp://api.acme.dev/a" })
	v, list, tr := r.verifier(nil, echoing(`{}`))
	out := outcome(t, v, list)
	if got := fates(out.Steps); got != "leave leave leave leave leave leave leave leave send leave" || len(tr.sent) != 1 {
		t.Errorf("%s\n%s", got, whys(out.Steps))
	}
	v, list, tr = r.verifier(nil, echoing(`{}`))
	v.Unsafe, v.Only = true, patterns(t, "DELETE api.acme.dev/**")
	if outcome(t, v, list); len(tr.sent) != 1 || !strings.HasPrefix(tr.sent[0], "DELETE") {
		t.Errorf("--only: %q", tr.sent)
	}
}

// TestOverriddenMethods: a read that names another method in its headers or its query
// may be none.
func TestOverriddenMethods(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{}`))
	for i, one := range []struct{ header, query string }{
		{"DELETE", ""}, {"put", ""}, {"get", ""}, {"", "?_method=DELETE"}, {"", "?_method=GET"}, {"", "?method=DELETE"},
	} {
		s := clean.Stored{Method: "GET", URL: "https://api.acme.dev/a" + one.query, Status: 200}
		s.ID, s.Recorded = i, "2026-11-01"
		if one.header != "" {
			s.RequestHeader = http.Header{"X-Http-Method-Override": {one.header}}
		}
		r.stored = append(r.stored, s)
	}
	v, list, tr := r.verifier(nil, echoing(`{}`))
	out := outcome(t, v, list)
	if got := fates(out.Steps); got != "leave leave send leave send send" || len(tr.sent) != 3 {
		t.Errorf("%s\n%s", got, whys(out.Steps))
	}
}

// TestBodies: what is compressed is unpacked, a stream is read as far as it was
// recorded, and what is too large is not kept.
func TestBodies(t *testing.T) {
	events := strings.Repeat("data: {\"n\":1}\n\n", 5)
	r := newRecorder(t, nil, echoing(`{}`))
	for i, s := range []clean.Stored{
		{ResponseHeader: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte(`{"a":1}`)},
		{ResponseHeader: http.Header{"Content-Type": {"text/event-stream"}}, ResponseBody: []byte(events[:30]), Meta: clean.Meta{Cut: "client"}},
		{ResponseHeader: http.Header{"Content-Type": {"text/plain"}}, ResponseBody: []byte("x")},
	} {
		s.ID, s.Method, s.Status, s.URL = i, "GET", 200, "https://api.acme.dev/"+strconv.Itoa(i)
		r.stored = append(r.stored, s)
	}
	v, list, _ := r.verifier(nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/0":
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Error("gzip is not asked for")
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"a":2}`)
			z.Close()
		case "/1":
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, events)
		default:
			w.Write(bytes.Repeat([]byte("x"), clean.LargeBody+1))
		}
	}))
	out := outcome(t, v, list)
	if got := fates(out.Steps); got != "send send fail" {
		t.Fatalf("%s\n%s", got, whys(out.Steps))
	}
	for i, want := range []string{`{"a":2}`, events[:30]} {
		resp, err := out.Live[i].Response()
		if err != nil {
			t.Fatal(err)
		}
		if string(resp.Body()) != want {
			t.Errorf("%q, want %q", resp.Body(), want)
		}
	}
}

// TestEchoedSecrets: an API that repeats what it is sent, in headers, in plain text and
// encoded, brings no secret into what is shown.
func TestEchoedSecrets(t *testing.T) {
	api := func(key string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Echo", r.Header.Get("X-Ticket-Id"))
			io.WriteString(w, `{"you_sent":"`+r.URL.Query().Get("api_key")+`","encoded":"`+basic("u", key)+`","page":"<a href='/?k=`+key+`'>"}`)
		})
	}
	then, now := environment{"ACME_KEY": secret1}, environment{"OTHER_NAME": secret2}
	r := newRecorder(t, then, api(secret1))
	r.call(call{"GET", "https://api.acme.dev/a?api_key=" + secret1, nil, ""})
	v, list, _ := r.verifier(now, api(secret2))
	v.Secrets = map[string]string{"0001": "OTHER_NAME"}
	out := outcome(t, v, list)
	if len(out.Live) != 1 {
		t.Fatal(whys(out.Steps))
	}
	mustHoldNoSecret(t, out, secret2)
}

// TestCancelled: a run that is told to end sends nothing more.
func TestCancelled(t *testing.T) {
	r := reads(t, 5, "api.acme.dev")
	v, list, tr := r.verifier(nil, echoing(`{}`))
	plan, err := v.Plan(list)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plan.Run(ctx); !errors.Is(err, context.Canceled) || len(tr.sent) > 1 {
		t.Errorf("%v, sent %d", err, len(tr.sent))
	}
}

// TestAnswersThatMislead: what an API gives in the place of an id leads to no other
// thing, and to no real money.
func TestAnswersThatMislead(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{"data":[{"id":"thing_a1b2c3d4e5f6"}],"client_secret":"`+secret1+`"}`))
	r.call(call{"GET", "https://api.acme.dev/things", nil, ""})
	r.call(call{"GET", "https://api.acme.dev/things/thing_a1b2c3d4e5f6", nil, ""})
	r.call(call{"GET", "https://api.acme.dev/me", http.Header{"Authorization": {"Bearer " + secret1}}, ""})
	for id, want := range map[string]string{
		"..":              "send lack lack",
		".":               "send lack lack",
		"../../admin":     "send send lack",
		"x?all=true#y":    "send send lack",
		"":                "send lack lack",
		"thing_99999c4e5": "send send lack",
	} {
		v, list, tr := r.verifier(nil, echoing(`{"data":[{"id":"`+id+`"}],"client_secret":"`+liveKey+`"}`))
		out := outcome(t, v, list)
		if got := fates(out.Steps); got != want {
			t.Errorf("%q: %s, want %s\n%s\n%s", id, got, want, whys(out.Steps), tr.sent)
		}
		for _, sent := range tr.sent {
			if _, path, _ := strings.Cut(sent, "https://api.acme.dev"); strings.Count(path, "/") > 2 || strings.Contains(sent, "?") || strings.Contains(sent, "sk_live") {
				t.Errorf("%q: sent %s", id, sent)
			}
		}
		if why := out.Steps[2].Why; !strings.Contains(why, "--allow-live") || strings.Contains(why, liveKey) {
			t.Errorf("%q: %s", id, why)
		}
	}
}

// TestReadsOfWhatIsStillThere: where a DELETE was not answered, a 404 is not asked for again.
func TestReadsOfWhatIsStillThere(t *testing.T) {
	gone := map[string]bool{}
	api := func(away bool) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == "DELETE" && away:
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(429)
			case r.Method == "DELETE":
				gone[r.URL.Path] = true
				w.WriteHeader(204)
			case gone[r.URL.Path]:
				w.WriteHeader(404)
			}
		})
	}
	r := newRecorder(t, nil, api(false))
	r.call(call{"DELETE", "https://api.acme.dev/things/mine", nil, ""})
	r.call(call{"GET", "https://api.acme.dev/things/mine", nil, ""})
	clear(gone)
	v, list, tr := r.verifier(nil, api(true))
	v.Unsafe = true
	if got := fates(outcome(t, v, list).Steps); got != "fail lack" || len(tr.sent) != 1 {
		t.Errorf("%s %q", got, tr.sent)
	}
	v, list, _ = r.verifier(nil, api(false))
	v.Unsafe = true
	if got := fates(outcome(t, v, list).Steps); got != "send send" {
		t.Error(got)
	}
}
