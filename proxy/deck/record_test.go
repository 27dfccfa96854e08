package deck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

func TestLiveKeyIsRefused(t *testing.T) {
	for _, mode := range []deck.Mode{deck.RecordOnce, deck.RecordOnly, deck.NewEpisodes} {
		for _, header := range [][2]string{
			{"Authorization", "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc"},
			{"Authorization", "Basic c2tfbGl2ZV80ZUMzOUhxTHlqV0RhcmpUdDo="}, // sk_live_… as the user name
			{"X-Key", "rk_live_4eC39HqLyjWDarjtT1zdp7dc"},
		} {
			b := newBench(t)
			d := b.open(mode, unreachable{t})
			resp, got := ask(t, d, "GET", "https://api.stripe.com/v1/customers", "", header[0], header[1])
			if resp.StatusCode != 403 || !strings.Contains(got, "--allow-live") || strings.Contains(got, "4eC39") {
				t.Errorf("%s, %s: %d %s", mode, header[0], resp.StatusCode, got)
			}
		}
	}
	b := newBench(t)
	server, n := counting(t)
	d := b.open(deck.RecordOnly, to{server}, func(o *deck.Options) { o.AllowLive = true })
	ask(t, d, "GET", "https://api.stripe.com/v1/customers", "", "Authorization", "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc")
	b.close(d)
	if n.Load() != 1 || strings.Contains(b.file(), "4eC39") {
		t.Error("--allow-live must record, and redact")
	}
}

func TestTooLargeBody(t *testing.T) {
	for _, mode := range []deck.Mode{deck.RecordOnly, deck.NewEpisodes} {
		for _, known := range []bool{true, false} {
			b := newBench(t)
			server, _ := counting(t)
			d := b.open(mode, to{server}, func(o *deck.Options) { o.MaxBody = 1000 })
			req, _ := http.NewRequest("POST", "https://api.acme.dev/", strings.NewReader(strings.Repeat("x", 1001)))
			if !known {
				req.ContentLength = -1
			}
			resp, err := d.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 413 || !strings.Contains(string(body), "--max-body") {
				t.Errorf("%s, length known %v: %d %s", mode, known, resp.StatusCode, body)
			}
		}
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("dial tcp: secret-host-detail")
}

func TestDeadUpstreamIsAnAnswer(t *testing.T) {
	b := newBench(t)
	d := b.open(deck.RecordOnly, failing{})
	resp, got := ask(t, d, "GET", "https://api.acme.dev/a?token="+secret, "")
	if resp.StatusCode != 502 || strings.Contains(got, "secret-host-detail") || strings.Contains(got, secret) {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	if len(d.Report().Failed) != 1 {
		t.Errorf("report: %+v", d.Report())
	}
}

func TestUnfinishedIsRecordedAgain(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnce, to{server})
	ask(t, d, "POST", "https://api.acme.dev/a", "")
	if err := d.Close(deck.Outcome{Failed: "the command ended with exit code 1"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.file(), "exit code 1") {
		t.Errorf("not marked:\n%s", b.file())
	}
	replaying := b.open(deck.ReplayOnly, nil)
	if _, got := ask(t, replaying, "POST", "https://api.acme.dev/a", ""); !strings.HasPrefix(got, `{"n":1`) {
		t.Errorf("replay-only must play it: %s", got)
	}
	if notes := strings.Join(replaying.Report().Notes, "\n"); !strings.Contains(notes, "unfinished") {
		t.Errorf("and warn: %q", notes)
	}
	b.close(replaying)
	d = b.open(deck.RecordOnce, to{server})
	if d.Mode() != deck.RecordOnly {
		t.Fatalf("resolved to %s", d.Mode())
	}
	if _, got := ask(t, d, "POST", "https://api.acme.dev/a", ""); !strings.HasPrefix(got, `{"n":2`) {
		t.Errorf("not recorded again: %s", got)
	}
	b.close(d)
	if strings.Contains(b.file(), "exit code 1") || !strings.Contains(b.file(), `"n": 2`) {
		t.Errorf("the old recording is still there:\n%s", b.file())
	}
}

func TestHostThatOnlyRefusedIsUnfinished(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) }))
	defer server.Close()
	d := b.open(deck.RecordOnce, to{server})
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	b.close(d)
	if d = b.open(deck.RecordOnce, to{server}); d.Mode() != deck.RecordOnly {
		t.Errorf("a recording of nothing but 401 was taken for whole")
	}
}

func TestDropRetried(t *testing.T) {
	b := newBench(t)
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(503)
		}
		fmt.Fprintf(w, "answer %d", n)
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server}, func(o *deck.Options) { o.DropRetried = true })
	for range 2 {
		ask(t, d, "POST", "https://api.acme.dev/a", "")
	}
	b.close(d)
	if strings.Contains(b.file(), "503") || !strings.Contains(b.file(), "answer 2") {
		t.Errorf("the 503 is still there:\n%s", b.file())
	}
}

// What a client has seen whole is in the journal: nothing is lost if the
// recorder is killed at that moment, so another deck must find it there.
func TestJournalComesBeforeTheLastByte(t *testing.T) {
	for _, length := range []string{"known", "unknown"} {
		t.Run(length, func(t *testing.T) {
			b := newBench(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if length == "unknown" {
					w.(http.Flusher).Flush()
				}
				io.WriteString(w, "the whole answer")
			}))
			defer server.Close()
			d := b.open(deck.RecordOnly, to{server})
			ask(t, d, "GET", "https://api.acme.dev/a", "")
			// Nothing has been saved or closed: a second deck sees what a kill would leave.
			if _, journal, err := cassettes.Exists(b.store, "test"); err != nil || !journal {
				t.Fatalf("no journal: %v", err)
			}
			other := b.open(deck.ReplayOnly, nil)
			if _, got := ask(t, other, "GET", "https://api.acme.dev/a", ""); got != "the whole answer" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestClientLeaves(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		io.WriteString(w, "data: one\n\ndata: two\n\ndata: thr")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{server})
	for _, path := range []string{"/events", "/plain"} {
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.acme.dev"+path, nil)
		resp, err := d.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, len("data: one\n\ndata: two\n\ndata: thr"))
		if _, err := io.ReadFull(resp.Body, buf); err != nil {
			t.Fatal(err)
		}
		cancel()
		resp.Body.Close()
	}
	b.close(d)
	if file := b.file(); !strings.Contains(file, "cut: client") || strings.Contains(file, "data: thr") || strings.Contains(file, "/plain") {
		t.Errorf("the file:\n%s", file)
	}
	if r := d.Report(); len(r.Dropped) != 1 {
		t.Errorf("dropped: %q", r.Dropped)
	}
	d = b.open(deck.ReplayOnly, nil)
	if _, got := ask(t, d, "GET", "https://api.acme.dev/events", ""); got != "data: one\n\ndata: two\n\n" {
		t.Errorf("played %q", got)
	}
}

func TestUpstreamBreaksOff(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	req, _ := http.NewRequest("GET", "https://api.acme.dev/a", nil)
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the client was told that half an answer is whole")
	}
	resp.Body.Close()
	if r := d.Report(); r.Recorded != 0 || len(r.Dropped) != 1 {
		t.Errorf("report: %+v", r)
	}
}

func TestClientBreaksOffItsRequest(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.NewEpisodes, to{server})
	req, _ := http.NewRequest("POST", "https://api.acme.dev/a", iotest.ErrReader(errors.New("gone")))
	if _, err := d.RoundTrip(req); err == nil {
		t.Error("no error for a client that is gone")
	}
	// The deck goes on serving.
	if resp, _ := ask(t, d, "POST", "https://api.acme.dev/a", "x"); resp.StatusCode != 200 {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
}

func TestAnswerThatDidNotArriveIsGivenBack(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "POST", "https://api.acme.dev/a", "")
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	req, _ := http.NewRequest("POST", "https://api.acme.dev/a", nil)
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Read(make([]byte, 3))
	resp.Body.Close()
	for i, want := range []int{200, deck.StatusMiss} {
		if resp, _ := ask(t, d, "POST", "https://api.acme.dev/a", ""); resp.StatusCode != want {
			t.Errorf("request %d: %d, want %d", i, resp.StatusCode, want)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"v1"`)
		w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")
		if r.URL.Path == "/warm" && r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(304)
			return
		}
		io.WriteString(w, "fresh")
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/cold", "")
	ask(t, d, "GET", "https://api.acme.dev/warm", "", "If-None-Match", `"v1"`)
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	for _, tc := range []struct {
		path, header, value string
		want                int
	}{
		{"/cold", "If-None-Match", `"v0", W/"v1"`, 304},
		{"/cold", "If-None-Match", `"v2"`, 200},
		{"/cold", "If-Modified-Since", "Sat, 21 Nov 2026 11:00:00 GMT", 304},
		{"/cold", "If-Modified-Since", "Sat, 21 Nov 2026 09:00:00 GMT", 200},
		{"/cold", "X-Nothing", "", 200},
		{"/warm", "If-None-Match", `"v1"`, 304},
		{"/warm", "X-Nothing", "", deck.StatusMiss},
	} {
		resp, got := ask(t, d, "GET", "https://api.acme.dev"+tc.path, "", tc.header, tc.value)
		if resp.StatusCode != tc.want || resp.StatusCode == 304 && got != "" {
			t.Errorf("%s with %s %s: %d %q, want %d", tc.path, tc.header, tc.value, resp.StatusCode, got, tc.want)
		}
	}
}

func TestInventedValuesComeBack(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		if r.Method == "GET" {
			io.WriteString(w, `{"found":"`+r.URL.Path[len("/orders/"):]+`"}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	}))
	defer server.Close()
	rules := func(o *deck.Options) {
		m, err := matchers.New([]matchers.Rule{{On: "POST api.acme.dev/orders", As: map[string]string{"body.id": "uuid"}}})
		if err != nil {
			t.Fatal(err)
		}
		o.Matcher = m
	}
	const recorded, live = "6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c1e11", "11111111-2222-4333-8444-555555555555"
	d := b.open(deck.RecordOnly, to{server}, rules)
	ask(t, d, "POST", "https://api.acme.dev/orders", `{"id":"`+recorded+`"}`, "Content-Type", jsonType)
	ask(t, d, "GET", "https://api.acme.dev/orders/"+recorded, "")
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, rules)
	if _, got := ask(t, d, "POST", "https://api.acme.dev/orders", `{"id":"`+live+`"}`, "Content-Type", jsonType); got != `{"id":"`+live+`"}` {
		t.Errorf("POST: %s", got)
	}
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/orders/"+live, ""); got != `{"found":"`+live+`"}` {
		t.Errorf("GET: %d %s", resp.StatusCode, got)
	}
	if resp, _ := ask(t, d, "POST", "https://api.acme.dev/orders", `{"id":"not a uuid"}`, "Content-Type", jsonType); resp.StatusCode != deck.StatusMiss {
		t.Errorf("a value of another shape was played: %d", resp.StatusCode)
	}
}

func TestMissingCassette(t *testing.T) {
	b := newBench(t)
	_, err := deck.Open(b.options(deck.ReplayOnly, nil))
	if err == nil || !strings.Contains(err.Error(), "test.yaml") || !strings.Contains(err.Error(), "tapedeck exec") {
		t.Errorf("error: %v", err)
	}
}

func TestSavedTwiceGivesTheSameBytes(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server}, func(o *deck.Options) {
		o.Now = func() time.Time { return time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) }
	})
	for i := range 5 {
		ask(t, d, "POST", fmt.Sprintf("https://api.acme.dev/%d", i), "a=1", "Content-Type", formType, "Authorization", keyA)
	}
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	first := b.file()
	b.close(d)
	second := strings.ReplaceAll(first, "the recorder was still running when this was saved", "")
	if !strings.Contains(b.file(), "id: 4") || len(b.file()) >= len(first) || strings.Contains(second, "sk_test_4eC") {
		t.Errorf("first save:\n%s\nsecond:\n%s", first, b.file())
	}
	// Loading and saving what is there changes no byte.
	before := b.file()
	d = b.open(deck.NewEpisodes, to{server})
	ask(t, d, "POST", "https://api.acme.dev/0", "a=1", "Content-Type", formType, "Authorization", keyA)
	b.close(d)
	if b.file() != before {
		t.Errorf("a run that recorded nothing changed the file")
	}
}

func TestStrictRefusesGuesses(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "for %d", len(r.Header.Get("Authorization"))+len(body))
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", keyA)
	ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", keyB+"longer")
	ask(t, d, "POST", "https://api.acme.dev/me", "client_secret=sk_test_22222aaaaBBBBccccDDDD1111", "Content-Type", formType)
	ask(t, d, "POST", "https://api.acme.dev/me", "client_secret=sk_test_33333aaaaBBBBccccDDDD1111longer", "Content-Type", formType)
	b.close(d)
	const key = "sk_test_11111aaaaBBBBccccDDDD1111"
	const live, form = "Bearer " + key, "client_secret=" + key
	d = b.open(deck.ReplayOnly, nil)
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", live); resp.StatusCode != deck.StatusMiss || !strings.Contains(got, "environment variable") {
		t.Errorf("who calls was guessed, or the miss does not say what to do: %d %s", resp.StatusCode, got)
	}
	if resp, _ := ask(t, d, "POST", "https://api.acme.dev/me", form, "Content-Type", formType); resp.StatusCode != 200 || len(d.Report().Unproven) != 1 {
		t.Errorf("%d, unproven: %q", resp.StatusCode, d.Report().Unproven)
	}
	d = b.open(deck.ReplayOnly, nil, func(o *deck.Options) { o.Strict = true })
	if resp, got := ask(t, d, "POST", "https://api.acme.dev/me", form, "Content-Type", formType); resp.StatusCode != deck.StatusMiss || !strings.Contains(got, "--strict") {
		t.Errorf("strict: %d %s", resp.StatusCode, got)
	}
}

// A value is recorded under a neutral name, and only later learned to be secret.
// What a kill leaves after that must be clean, once the sweeper has passed.
func TestLateSecretIsSweptFromTheJournal(t *testing.T) {
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		io.WriteString(w, `{"note":"`+value+`"}`)
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://api.acme.dev/early", "")
	ask(t, d, "POST", "https://api.acme.dev/late", `{"api_key":"`+value+`"}`, "Content-Type", jsonType)
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		// Another deck sees what a killed recorder would leave; its vault knows nothing.
		other := b.open(deck.ReplayOnly, nil)
		_, got := ask(t, other, "GET", "https://api.acme.dev/early", "")
		b.close(other)
		if !strings.Contains(got, value) {
			break
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("the value still stands in the journal: %s", got)
		}
	}
	// A moment later its old bytes are in no file, while the recorder runs on.
	b.cleanSoon(value)
	if len(b.names("test.journal")) == 0 {
		t.Error("there is no journal")
	}
	ask(t, d, "GET", "https://api.acme.dev/after", "")
	b.close(d)
	if strings.Contains(b.file(), value) {
		t.Error("the value is in the saved cassette")
	}
}

// cleanSoon waits until no file under the bench's folder holds a text.
func (b *bench) cleanSoon(text string) {
	b.t.Helper()
	for start := time.Now(); len(b.found(text)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			b.t.Fatalf("the value still stands in %q", b.found(text))
		}
	}
}

// What is learned from traffic that is never recorded, or not to its end, counts too.
func TestLateSecretOfWhatIsNotRecorded(t *testing.T) {
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	head := `{"api_key":"` + value + `","text":"`
	long := strings.Repeat("lorem ipsum ", 1+clean.LargeBody/12)
	for name, late := range map[string]http.HandlerFunc{
		"an answer that breaks off": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, head+long)
			panic(http.ErrAbortHandler)
		},
		"an answer that does not end": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, head+long)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"an answer that cannot be unpacked": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "no gzip")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", jsonType)
				if r.URL.Path == "/early" {
					io.WriteString(w, `{"note":"`+value+`"}`)
					return
				}
				late(w, r)
			}))
			defer server.Close()
			d := b.open(deck.RecordOnly, to{server})
			ask(t, d, "GET", "https://api.acme.dev/early", "")
			if len(b.found(value)) == 0 {
				t.Fatal("the value is not in the journal before it is learned: this test shows nothing")
			}
			req, _ := http.NewRequest("POST", "https://api.acme.dev/late", strings.NewReader(`{"api_key":"`+value+`"}`))
			req.Header.Set("Content-Type", jsonType)
			resp, err := d.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			io.CopyN(io.Discard, resp.Body, int64(len(head)+len(long))) // it may end earlier
			if name != "an answer that does not end" {
				io.Copy(io.Discard, resp.Body)
			}
			b.cleanSoon(value)
			resp.Body.Close()
			b.close(d)
		})
	}
}

// A value that cannot be replaced where it stands takes its interaction out of the journal.
func TestLateSecretThatCannotBeReplaced(t *testing.T) {
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "fine")
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "GET", "https://"+value+".acme.dev/early", "")
	if len(b.found(value)) == 0 {
		t.Fatal("the value is not in the journal before it is learned: this test shows nothing")
	}
	ask(t, d, "POST", "https://api.acme.dev/late", `{"api_key":"`+value+`"}`, "Content-Type", jsonType)
	b.cleanSoon(value)
	b.close(d)
	if r := d.Report(); len(r.Refused) != 1 || !strings.Contains(r.Refused[0], ".acme.dev/early: left out of the saved cassette") {
		t.Errorf("refused: %q", r.Refused)
	}
	if got := b.file(); strings.Contains(got, value) || strings.Contains(got, "/early") || !strings.Contains(got, "/late") {
		t.Errorf("the saved cassette:\n%s", got)
	}
}

// A run that goes on with the journal of a killed one cleans that too.
func TestLateSecretInAJournalThatWasLeft(t *testing.T) {
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		io.WriteString(w, `{"note":"`+value+`"}`)
	}))
	defer server.Close()
	d := b.open(deck.NewEpisodes, to{server})
	ask(t, d, "GET", "https://api.acme.dev/early", "")
	journal := b.names("test.journal")
	if len(journal) != 1 {
		t.Fatalf("%q", journal)
	}
	left, err := os.ReadFile(journal[0])
	if err != nil {
		t.Fatal(err)
	}
	b.close(d)
	if err := os.Remove(filepath.Join(b.dir, "test.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal[0], left, 0o600); err != nil {
		t.Fatal(err)
	}
	d = b.open(deck.NewEpisodes, to{server})
	ask(t, d, "POST", "https://api.acme.dev/late", `{"api_key":"`+value+`"}`, "Content-Type", jsonType)
	b.cleanSoon(value)
	b.close(d)
	if got := b.file(); !strings.Contains(got, "/early") || !strings.Contains(got, "/late") {
		t.Errorf("the saved cassette:\n%s", got)
	}
}

// BenchmarkLateSecrets records 20,000 interactions of which every hundredth teaches a
// value that was seen before, beside the same ones that teach nothing.
func BenchmarkLateSecrets(b *testing.B) {
	for _, teaches := range []bool{false, true} {
		b.Run(fmt.Sprintf("learned=%v", teaches), func(b *testing.B) {
			for b.Loop() {
				recordLateSecrets(b, 20_000, teaches)
			}
		})
	}
}

func recordLateSecrets(b *testing.B, n int, teaches bool) {
	b.Helper()
	store, err := cassettes.NewFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		b.Fatal(err)
	}
	matcher, err := matchers.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	d, err := deck.Open(deck.Options{Store: store, Name: "x", Mode: deck.RecordOnly, Rules: rules, Matcher: matcher,
		Upstream: roundTrip(func(req *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, req.Body)
			const body = `{"id":"cs_test_1","object":"checkout.session","amount_total":1200,"currency":"eur"}`
			return &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
				Header: http.Header{"Content-Type": {jsonType}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
		})})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		value := fmt.Sprintf("Qm7rX2vK9pLw4sTz8Nc%06d", i/100)
		body := `{"note":"` + value + `"}`
		if i%100 == 99 && teaches {
			body = `{"api_key":"` + value + `"}`
		}
		req, err := http.NewRequest("POST", fmt.Sprintf("https://api.acme.dev/things/%d", i), strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", jsonType)
		resp, err := d.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if err := d.Close(deck.Outcome{}); err != nil {
		b.Fatal(err)
	}
}
