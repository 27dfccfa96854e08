package deck_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/proxy/deck"
)

func TestRerecordKeepsWhatWasNotAskedForAgain(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	for _, path := range []string{"/x", "/y", "/z"} {
		ask(t, d, "GET", "https://api.acme.dev"+path, "")
	}
	b.close(d)
	some := func(o *deck.Options) {
		o.Rerecord = func(r clean.Request) bool { return r.URL().Path != "/z" }
	}
	d = b.open(deck.RecordOnce, to{server}, some)
	if _, got := ask(t, d, "GET", "https://api.acme.dev/x", ""); !strings.HasPrefix(got, `{"n":4`) {
		t.Errorf("/x was not recorded again: %s", got)
	}
	if _, got := ask(t, d, "GET", "https://api.acme.dev/z", ""); !strings.HasPrefix(got, `{"n":3`) {
		t.Errorf("/z was not played: %s", got)
	}
	b.close(d)
	file := b.file()
	for _, want := range []string{"/x", "/y", "/z", `"n": 4`, `"n": 2`, `"n": 3`, "id: 0", "id: 1", "id: 2"} {
		if !strings.Contains(file, want) {
			t.Errorf("the file lacks %s:\n%s", want, file)
		}
	}
	if x, y := strings.Index(file, "/x"), strings.Index(file, "/y"); x > y {
		t.Errorf("what was recorded again has moved:\n%s", file)
	}
	if strings.Contains(file, `"n": 1,`) || strings.Contains(file, "id: 3") {
		t.Errorf("the old answer stayed beside the new one:\n%s", file)
	}
	for _, mode := range []deck.Mode{deck.RecordOnly, deck.ReplayOnly, deck.Passthrough} {
		if _, err := deck.Open(b.options(mode, to{server}, some)); err == nil {
			t.Errorf("rerecord was taken with %s", mode)
		}
	}
}

func TestRerecordDoesNotForwardPlaceholders(t *testing.T) {
	b := newBench(t)
	server, n := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/x", "", "Authorization", keyA)
	b.close(d)
	d = b.open(deck.RecordOnce, to{server}, func(o *deck.Options) { o.Rerecord = func(clean.Request) bool { return true } })
	if resp, _ := ask(t, d, "GET", "https://api.acme.dev/x", "", "Authorization", "Bearer sk_test_REDACTED-0000000001"); resp.StatusCode != deck.StatusMiss {
		t.Errorf("a placeholder was sent to the API: %d", resp.StatusCode)
	}
	if n.Load() != 1 {
		t.Errorf("the upstream saw %d requests", n.Load())
	}
}

func TestIdempotencyKeyBelongsToTheCaller(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "for "+r.Header.Get("Authorization")[len("Bearer sk_test_"):][:3])
	}))
	defer server.Close()
	both := func(d http.RoundTripper) (a, c string) {
		ask(t, d, "GET", "https://api.acme.dev/devices/a", "", "Authorization", keyA) // tells who is who
		_, a = ask(t, d, "POST", "https://api.acme.dev/pay", "", "Authorization", keyA, "Idempotency-Key", "order-1")
		_, c = ask(t, d, "POST", "https://api.acme.dev/pay", "", "Authorization", keyB, "Idempotency-Key", "order-1")
		return a, c
	}
	d := b.open(deck.RecordOnly, to{server})
	wantA, wantC := both(d)
	b.close(d)
	if strings.Contains(b.file(), "retry: true") {
		t.Error("another caller's request was taken for a retry")
	}
	d = b.open(deck.ReplayOnly, nil)
	if a, c := both(d); a != wantA || c != wantC {
		t.Errorf("played %q and %q, recorded %q and %q", a, c, wantA, wantC)
	}
}

func TestGivenBackAnswerIsForgotten(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	for _, key := range []string{"a", "b"} {
		ask(t, d, "POST", "https://api.acme.dev/pay", "", "Idempotency-Key", key)
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	req, _ := http.NewRequest("POST", "https://api.acme.dev/pay", nil)
	req.Header.Set("Idempotency-Key", "one")
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // the client left before it read anything
	var got []string
	for _, key := range []string{"one", "two"} {
		_, body := ask(t, d, "POST", "https://api.acme.dev/pay", "", "Idempotency-Key", key)
		got = append(got, body[:6])
	}
	if fmt.Sprint(got) != `[{"n":1 {"n":2]` {
		t.Errorf("played %s", got)
	}
}

// k1 failed, its retry succeeded, k2 came after both. Replayed with k2 overtaking
// the retry, nobody gets the failure for ever.
func TestRetryOvertaken(t *testing.T) {
	b := newBench(t)
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(500)
		}
		fmt.Fprint(w, n)
	}))
	defer server.Close()
	pay := func(d http.RoundTripper, key string) string {
		resp, body := ask(t, d, "POST", "https://api.acme.dev/pay", "", "Idempotency-Key", key)
		return fmt.Sprint(resp.StatusCode, " ", body)
	}
	d := b.open(deck.RecordOnly, to{server})
	for _, key := range []string{"k1", "k1", "k2"} {
		pay(d, key)
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	for i, step := range [][2]string{{"a", "500 1"}, {"b", "200 3"}, {"a", "200 2"}} {
		if got := pay(d, step[0]); got != step[1] {
			t.Errorf("step %d: %s, want %s", i, got, step[1])
		}
	}
}

func TestNotModifiedIsForTheSameCopyOnly(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(304)
			return
		}
		io.WriteString(w, "fresh")
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	ask(t, d, "GET", "https://api.acme.dev/a", "", "If-None-Match", `"v1"`)
	ask(t, d, "GET", "https://api.acme.dev/b", "", "If-None-Match", `"v1"`)
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	for i := range 2 {
		if resp, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); resp.StatusCode != 200 || got != "fresh" {
			t.Errorf("request %d of a client without a copy: %d %s", i, resp.StatusCode, got)
		}
	}
	if resp, _ := ask(t, d, "GET", "https://api.acme.dev/b", "", "If-None-Match", `"other"`); resp.StatusCode != deck.StatusMiss {
		t.Errorf("a client with another copy got %d", resp.StatusCode)
	}
}

// On the wire, a client that leaves cancels the request before the body is closed.
func TestCancelledEventStreamIsKept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: one\n\ndata: tw")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{server})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.acme.dev/events", nil)
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, len("data: one\n\ndata: tw"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	b.close(d)
	if file := b.file(); !strings.Contains(file, "cut: client") {
		t.Errorf("the file:\n%s", file)
	}
}

func TestLiveKeyInABodyIsRefused(t *testing.T) {
	for _, contentType := range []string{formType, jsonType, ""} {
		b := newBench(t)
		d := b.open(deck.RecordOnly, unreachable{t})
		resp, _ := ask(t, d, "POST", "https://api.acme.dev/pay", "key=sk_live_4eC39HqLyjWDarjtT1zdp7dc", "Content-Type", contentType)
		if resp.StatusCode != 403 {
			t.Errorf("%q: %d", contentType, resp.StatusCode)
		}
	}
}

func TestUpstreamFailureLeavesTheRecordingUnfinished(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	broken := true
	upstream := roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/flaky" && broken {
			broken = false
			return failing{}.RoundTrip(req)
		}
		if req.URL.Path == "/dead" {
			return failing{}.RoundTrip(req)
		}
		return to{server}.RoundTrip(req)
	})
	d := b.open(deck.RecordOnly, upstream)
	ask(t, d, "GET", "https://api.acme.dev/flaky", "")
	ask(t, d, "GET", "https://api.acme.dev/flaky", "")
	b.close(d)
	if r := d.Report(); r.Missing != 0 || strings.Contains(b.file(), "unfinished") {
		t.Errorf("a failure that a retry mended still counts: %+v", r)
	}
	d = b.open(deck.RecordOnly, upstream)
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	ask(t, d, "GET", "https://api.acme.dev/dead", "")
	b.close(d)
	if r := d.Report(); r.Missing != 1 || !strings.Contains(b.file(), "unfinished") {
		t.Errorf("an unanswered request left no mark: %+v", r)
	}
	// Adding to an unfinished recording does not finish it.
	d = b.open(deck.NewEpisodes, upstream)
	ask(t, d, "GET", "https://api.acme.dev/more", "")
	b.close(d)
	if !strings.Contains(b.file(), "unfinished") {
		t.Errorf("the mark is gone:\n%s", b.file())
	}
}

func TestSecretThatOnlyAnAnswerHoldsKeepsItsNumber(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		fmt.Fprintf(w, `{"echo":%q}`, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/a", "", "Authorization", keyA)
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	ask(t, d, "GET", "https://api.acme.dev/b", "", "Authorization", keyA)
	b.close(d)
	if file := b.file(); strings.Contains(file, "0002") || strings.Count(file, "REDACTED-0000000001") != 4 {
		t.Errorf("one secret has two numbers:\n%s", file)
	}
}

func TestReportIsCleanOfWhatWasLearnedLater(t *testing.T) {
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	b := newBench(t)
	d := b.open(deck.RecordOnly, failing{})
	ask(t, d, "GET", "https://api.acme.dev/"+value, "")
	ask(t, d, "POST", "https://api.acme.dev/late", `{"api_key":"`+value+`"}`, "Content-Type", jsonType)
	if report := fmt.Sprintf("%+v", d.Report()); strings.Contains(report, value) {
		t.Errorf("%s", report)
	}
}

// A first recording was killed. The next run records again, says so, and keeps
// what there was until it has saved.
func TestKilledFirstRecordingIsKept(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnce, to{server})
	ask(t, d, "POST", "https://api.acme.dev/first", "")
	if err := d.Abandon(); err != nil {
		t.Fatal(err)
	}
	d = b.open(deck.RecordOnce, to{server})
	if d.Mode() != deck.RecordOnly {
		t.Fatalf("resolved to %s", d.Mode())
	}
	if notes := fmt.Sprint(d.Report().Notes); !strings.Contains(notes, "recorded again") {
		t.Errorf("nothing was said: %s", notes)
	}
	if file := b.file(); !strings.Contains(file, "/first") || !strings.Contains(file, "unfinished") {
		t.Errorf("what the killed run left is not in the file:\n%s", file)
	}
	ask(t, d, "POST", "https://api.acme.dev/second", "")
	b.close(d)
	if file := b.file(); strings.Contains(file, "/first") || strings.Contains(file, "unfinished") {
		t.Errorf("the new recording did not take its place:\n%s", file)
	}
}

func TestUpgradesPassThroughLiveAndAreMissedInReplay(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	upstream := roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("Upgrade") == "" {
			return to{server}.RoundTrip(req)
		}
		return &http.Response{StatusCode: 101, Status: "101 Switching Protocols", Header: http.Header{"Upgrade": {"websocket"}}, Body: http.NoBody, Request: req}, nil
	})
	d := b.open(deck.RecordOnly, upstream)
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	if resp, _ := ask(t, d, "GET", "https://api.acme.dev/ws", "", "Connection", "Upgrade", "Upgrade", "websocket"); resp.StatusCode != 101 {
		t.Errorf("recording: %d", resp.StatusCode)
	}
	if resp, _ := ask(t, d, "GET", "https://api.acme.dev/ws", "", "Upgrade", "websocket", "Authorization", "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc"); resp.StatusCode != 403 {
		t.Errorf("recording with a live key: %d", resp.StatusCode)
	}
	b.close(d)
	if strings.Contains(b.file(), "/ws") {
		t.Error("an upgrade was recorded")
	}
	d = b.open(deck.ReplayOnly, nil)
	resp, got := ask(t, d, "GET", "https://api.acme.dev/ws", "", "Connection", "Upgrade", "Upgrade", "websocket")
	if resp.StatusCode != deck.StatusMiss || !strings.Contains(got, "--passthrough") || strings.Contains(got, "to record it") {
		t.Errorf("replay: %d %s", resp.StatusCode, got)
	}
}

func TestIgnoredHosts(t *testing.T) {
	b := newBench(t)
	server, n := counting(t)
	ignore := func(o *deck.Options) {
		o.Ignore = func(authority string) bool { return authority == "telemetry.acme.dev:443" }
	}
	d := b.open(deck.RecordOnly, to{server}, ignore)
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	ask(t, d, "POST", "https://telemetry.acme.dev/t", "")
	b.close(d)
	if n.Load() != 2 || strings.Contains(b.file(), "telemetry") {
		t.Errorf("upstream saw %d requests; the file:\n%s", n.Load(), b.file())
	}
	d = b.open(deck.ReplayOnly, nil, ignore)
	resp, _ := ask(t, d, "POST", "https://telemetry.acme.dev/t", "")
	if r := d.Report(); resp.StatusCode != http.StatusBadGateway || len(r.Misses) != 0 || r.Ignored["telemetry.acme.dev"] != 1 {
		t.Errorf("replay: %d, report %+v", resp.StatusCode, r)
	}
}

// A body that was taken whole can be sent again when an idle connection to the
// upstream turns out to be closed: that is no failure of the recording.
func TestTakenBodyCanBeSentAgain(t *testing.T) {
	b := newBench(t)
	var got string
	d := b.open(deck.NewEpisodes, roundTrip(func(req *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, req.Body)
		again, err := req.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(again)
		got = string(body)
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	}))
	ask(t, d, "POST", "https://api.acme.dev/a", "a=1", "Content-Type", formType)
	if got != "a=1" {
		t.Errorf("the second reading gave %q", got)
	}
}

func TestWeakSecretsAreReported(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "POST", "https://api.acme.dev/login", "user=me&password=password", "Content-Type", formType)
	b.close(d)
	if strings.Contains(b.file(), "password=password") {
		t.Errorf("not replaced:\n%s", b.file())
	}
	if weak := d.Report().Weak; len(weak) != 1 || !strings.HasPrefix(weak[0], "body.password (rule ") {
		t.Errorf("reported %q", weak)
	}
}
