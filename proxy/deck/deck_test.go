package deck_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// touched is the status of an upstream that must not be reached. No API answers
// with it, so that a touched network is loud.
const touched = 555

type unreachable struct{ t *testing.T }

func (u unreachable) RoundTrip(req *http.Request) (*http.Response, error) {
	u.t.Errorf("the network was touched: %s %s", req.Method, req.URL)
	return &http.Response{StatusCode: touched, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
}

// to sends every request to a test server, whatever host it names.
type to struct{ server *httptest.Server }

func (u to) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Host = req.URL.Host
	out.URL.Scheme = "http"
	out.URL.Host = strings.TrimPrefix(u.server.URL, "http://")
	return (&http.Transport{DisableCompression: true}).RoundTrip(out)
}

// bench is one cassette folder and what decks on it share.
type bench struct {
	t     *testing.T
	dir   string
	store cassettes.Store
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	store, err := cassettes.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, dir, store}
}

func (b *bench) options(mode deck.Mode, upstream http.RoundTripper, change ...func(*deck.Options)) deck.Options {
	b.t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		b.t.Fatal(err)
	}
	matcher, err := matchers.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	opt := deck.Options{
		Store: b.store, Name: "test", File: "test.yaml", Mode: mode, Upstream: upstream,
		Matcher: matcher, Rules: rules, DropResponseHeader: clean.Noise,
		RecordCommand: func(m deck.Mode) string { return "tapedeck exec --mode " + string(m) },
	}
	for _, f := range change {
		f(&opt)
	}
	return opt
}

func (b *bench) open(mode deck.Mode, upstream http.RoundTripper, change ...func(*deck.Options)) *deck.Deck {
	b.t.Helper()
	d, err := deck.Open(b.options(mode, upstream, change...))
	if err != nil {
		b.t.Fatalf("open in %s: %v", mode, err)
	}
	b.t.Cleanup(func() { d.Close(deck.Outcome{}) })
	return d
}

func (b *bench) close(d *deck.Deck) {
	b.t.Helper()
	if err := d.Close(deck.Outcome{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) file() string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "test.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

// ask sends a request through a deck and returns status, headers and body.
func ask(t *testing.T, d http.RoundTripper, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got)
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	secret   = "cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLGMGq7LLf8ODSQ8gL"
	keyA     = "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dcAAAA"
	keyB     = "Bearer sk_test_9zZ88yXxWwVvUuTtSsRrQqPpBBBB"
)

func counting(t *testing.T) (*httptest.Server, *atomic.Int64) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", jsonType)
		fmt.Fprintf(w, `{"n":%d,"client_secret":%q}`, i, secret)
	}))
	t.Cleanup(server.Close)
	return server, &n
}

func TestRecordThenReplay(t *testing.T) {
	b := newBench(t)
	server, n := counting(t)
	d := b.open(deck.RecordOnce, to{server})
	if d.Mode() != deck.RecordOnly {
		t.Fatalf("record-once without a cassette resolved to %s", d.Mode())
	}
	resp, first := ask(t, d, "POST", "https://api.stripe.com/v1/customers", "name=A&metadata[k]=", "Content-Type", formType, "Authorization", keyA)
	if resp.StatusCode != 200 || !strings.Contains(first, secret) {
		t.Fatalf("the recording client must get the real answer, got %d %s", resp.StatusCode, first)
	}
	ask(t, d, "POST", "https://api.stripe.com/v1/customers", "name=A&metadata[k]=", "Content-Type", formType, "Authorization", keyA)
	b.close(d)
	server.Close()

	file := b.file()
	for _, value := range []string{secret, strings.TrimPrefix(keyA, "Bearer ")} {
		if strings.Contains(file, value) {
			t.Errorf("the cassette holds a secret")
		}
	}
	d = b.open(deck.RecordOnce, unreachable{t})
	if d.Mode() != deck.ReplayOnly {
		t.Fatalf("record-once with a cassette resolved to %s", d.Mode())
	}
	for i, want := range []string{`{"n":1,`, `{"n":2,`} {
		resp, got := ask(t, d, "POST", "https://api.stripe.com/v1/customers", "metadata%5Bk%5D=&name=A", "Content-Type", formType, "Authorization", keyB)
		if resp.StatusCode != 200 || !strings.HasPrefix(got, want) {
			t.Errorf("play %d: got %d %s", i, resp.StatusCode, got)
		}
		if !strings.Contains(got, `"cuss_secret_REDACTED000000000002"`) {
			t.Errorf("play %d: the client secret's shape is lost: %s", i, got)
		}
	}
	resp, got := ask(t, d, "POST", "https://api.stripe.com/v1/customers", "name=A&metadata[k]=", "Content-Type", formType, "Authorization", keyB)
	if resp.StatusCode != deck.StatusMiss || !strings.Contains(got, "recorded 2, this is the 3rd") {
		t.Errorf("a third POST: got %d %s", resp.StatusCode, got)
	}
	if n.Load() != 2 {
		t.Errorf("the upstream saw %d requests", n.Load())
	}
}

func TestMissExplains(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "POST", "https://api.stripe.com/v1/customers", "name=A&run=100", "Content-Type", formType)
	b.close(d)

	d = b.open(deck.ReplayOnly, nil)
	resp, got := ask(t, d, "POST", "https://api.stripe.com/v1/customers", "name=A&run=200", "Content-Type", formType)
	if resp.StatusCode != 424 || resp.Header.Get("Tapedeck-Miss") != "1" || resp.Header.Get("Stripe-Should-Retry") != "false" {
		t.Errorf("not a miss: %d %v", resp.StatusCode, resp.Header)
	}
	for _, want := range []string{"body.run", "100", "200", "test.yaml", "interaction 0", "as:", "tapedeck exec --mode new-episodes"} {
		if !strings.Contains(got, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, got)
		}
	}
	resp, _ = ask(t, d, "HEAD", "https://api.stripe.com/v1/nothing", "")
	if resp.Header.Get("Tapedeck-Miss-Reason") == "" {
		t.Error("a HEAD miss carries no reason")
	}
	resp, got = ask(t, d, "GET", "https://api.stripe.com/v1/nothing", "", "Accept", "text/plain")
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || !strings.HasPrefix(got, "tapedeck:") {
		t.Errorf("a text client got %s: %s", resp.Header.Get("Content-Type"), got)
	}
	resp, _ = ask(t, d, "POST", "https://api.stripe.com/pkg.Service/Call", "", "Content-Type", "application/grpc")
	if resp.StatusCode != 200 || resp.Header.Get("Grpc-Status") != "9" {
		t.Errorf("a gRPC client got %d %v", resp.StatusCode, resp.Header)
	}
	if r := d.Report(); len(r.Misses) != 4 || len(r.Unused) != 1 {
		t.Errorf("report: %d misses, %d unused", len(r.Misses), len(r.Unused))
	}
}

func TestSafeRequestsRepeatTheLast(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	for range 2 {
		ask(t, d, "GET", "https://api.acme.dev/things", "")
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	for i, want := range []string{`{"n":1`, `{"n":2`, `{"n":2`, `{"n":2`} {
		if _, got := ask(t, d, "GET", "https://api.acme.dev/things", ""); !strings.HasPrefix(got, want) {
			t.Errorf("GET %d: %s", i, got)
		}
	}
	d.Rewind("")
	if _, got := ask(t, d, "GET", "https://api.acme.dev/things", ""); !strings.HasPrefix(got, `{"n":1`) {
		t.Errorf("after rewind: %s", got)
	}
}

func TestRepeatOption(t *testing.T) {
	for _, tc := range []struct {
		repeat string
		want   []string
	}{
		{"last", []string{`{"n":1`, `{"n":2`, `{"n":2`}},
		{"cycle", []string{`{"n":1`, `{"n":2`, `{"n":1`, `{"n":2`, `{"n":1`}},
	} {
		t.Run(tc.repeat, func(t *testing.T) {
			b := newBench(t)
			server, _ := counting(t)
			d := b.open(deck.RecordOnly, to{server})
			for range 2 {
				ask(t, d, "POST", "https://api.acme.dev/things", "")
			}
			b.close(d)
			d = b.open(deck.ReplayOnly, nil, func(o *deck.Options) { o.Repeat = tc.repeat })
			for i, want := range tc.want {
				if _, got := ask(t, d, "POST", "https://api.acme.dev/things", ""); !strings.HasPrefix(got, want) {
					t.Errorf("POST %d: %s", i, got)
				}
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Run("a retry that was not recorded gets the same answer", func(t *testing.T) {
		b := newBench(t)
		server, _ := counting(t)
		d := b.open(deck.RecordOnly, to{server})
		for _, key := range []string{"k1", "k2"} {
			ask(t, d, "POST", "https://api.acme.dev/charges", "a=1", "Content-Type", formType, "Idempotency-Key", key)
		}
		b.close(d)
		if strings.Contains(b.file(), "k1") {
			t.Error("an Idempotency-Key is stored")
		}
		d = b.open(deck.ReplayOnly, nil)
		for i, tc := range []struct{ key, want string }{{"x", `{"n":1`}, {"x", `{"n":1`}, {"y", `{"n":2`}, {"x", `{"n":1`}} {
			if _, got := ask(t, d, "POST", "https://api.acme.dev/charges", "a=1", "Content-Type", formType, "Idempotency-Key", tc.key); !strings.HasPrefix(got, tc.want) {
				t.Errorf("request %d: %s", i, got)
			}
		}
	})
	t.Run("a retry that was recorded advances", func(t *testing.T) {
		b := newBench(t)
		server, _ := counting(t)
		d := b.open(deck.RecordOnly, to{server})
		for range 2 {
			ask(t, d, "POST", "https://api.acme.dev/charges", "a=1", "Content-Type", formType, "Idempotency-Key", "same")
		}
		b.close(d)
		d = b.open(deck.ReplayOnly, nil)
		for i, want := range []string{`{"n":1`, `{"n":2`, `{"n":2`} {
			if _, got := ask(t, d, "POST", "https://api.acme.dev/charges", "a=1", "Content-Type", formType, "Idempotency-Key", "other"); !strings.HasPrefix(got, want) {
				t.Errorf("request %d: %s", i, got)
			}
		}
	})
}

// The flow that payment pages live by: a secret from one answer is sent in the next request.
func TestSecretFlowsFromAnswerToRequest(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/sessions":
			fmt.Fprintf(w, `{"client_secret": %q}`, secret)
		case strings.Contains(string(body), secret):
			io.WriteString(w, `{"confirmed": true}`)
		default:
			w.WriteHeader(403)
		}
	}))
	defer server.Close()
	flow := func(d http.RoundTripper, auth string) string {
		_, got := ask(t, d, "POST", "https://api.acme.dev/sessions", "", "Authorization", auth)
		value := strings.Split(got, `"`)[3]
		_, got = ask(t, d, "POST", "https://api.acme.dev/confirm", `{"client_secret":"`+value+`"}`, "Content-Type", jsonType)
		return got
	}
	d := b.open(deck.RecordOnly, to{server})
	if got := flow(d, keyA); got != `{"confirmed": true}` {
		t.Fatalf("recording: %s", got)
	}
	b.close(d)
	if strings.Contains(b.file(), "QXhWeUEtZoDV8FHnNbPi") {
		t.Error("the client secret is in the cassette")
	}
	d = b.open(deck.ReplayOnly, nil, func(o *deck.Options) { o.Strict = true })
	if got := flow(d, keyB); got != `{"confirmed": true}` {
		t.Errorf("replaying: %s", got)
	}
}

// Two users ask the same thing and get different answers: neither ever gets the other's.
func TestTwoUsers(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "for "+r.Header.Get("Authorization")[len("Bearer sk_test_"):][:3])
	}))
	defer server.Close()
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "POST", "https://api.acme.dev/devices/a", "", "Authorization", keyA)
	ask(t, d, "POST", "https://api.acme.dev/devices/b", "", "Authorization", keyB)
	for range 3 {
		ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", keyA)
		ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", keyB)
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	const live1, live2, live3 = "Bearer sk_test_11111aaaaBBBBccccDDDD1111", "Bearer sk_test_22222eeeeFFFFggggHHHH2222", "Bearer sk_test_33333iiiiJJJJkkkkLLLL3333"
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", live2); resp.StatusCode != deck.StatusMiss {
		t.Errorf("who calls was guessed: %d %s", resp.StatusCode, got)
	}
	ask(t, d, "POST", "https://api.acme.dev/devices/b", "", "Authorization", live2) // which only the second user did
	ask(t, d, "POST", "https://api.acme.dev/devices/a", "", "Authorization", live1)
	for range 3 {
		_, c := ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", live2)
		_, a := ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", live1)
		if wantA, wantC := "for "+keyA[len("Bearer sk_test_"):][:3], "for "+keyB[len("Bearer sk_test_"):][:3]; a != wantA || c != wantC {
			t.Fatalf("answers were mixed: %q %q, want %q %q", a, c, wantA, wantC)
		}
	}
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/me", "", "Authorization", live3); resp.StatusCode != deck.StatusMiss {
		t.Errorf("a third user got an answer: %d %s", resp.StatusCode, got)
	}
}

func TestParallelEqualRequestsGetAPermutation(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	const n = 40
	for range n {
		ask(t, d, "POST", "https://api.acme.dev/things", "")
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, got := ask(t, d, "POST", "https://api.acme.dev/things", "")
			mu.Lock()
			seen[got] = true
			mu.Unlock()
		}()
	}
	wg.Wait()
	if len(seen) != n {
		t.Errorf("%d different answers, want %d", len(seen), n)
	}
}

func TestNewEpisodes(t *testing.T) {
	b := newBench(t)
	server, n := counting(t)
	d := b.open(deck.RecordOnly, to{server})
	ask(t, d, "POST", "https://api.acme.dev/a", "", "Authorization", keyA)
	ask(t, d, "GET", "https://api.acme.dev/state", "", "Authorization", keyA)
	b.close(d)
	before := b.file()

	d = b.open(deck.NewEpisodes, to{server})
	if _, got := ask(t, d, "POST", "https://api.acme.dev/a", "", "Authorization", keyB); !strings.HasPrefix(got, `{"n":1`) {
		t.Errorf("not played: %s", got)
	}
	if _, got := ask(t, d, "GET", "https://api.acme.dev/state", "", "Authorization", keyB); !strings.HasPrefix(got, `{"n":2`) {
		t.Errorf("not played: %s", got)
	}
	if _, got := ask(t, d, "POST", "https://api.acme.dev/b", "", "Authorization", keyB); !strings.HasPrefix(got, `{"n":3`) {
		t.Errorf("not forwarded: %s", got)
	}
	if _, got := ask(t, d, "GET", "https://api.acme.dev/state", "", "Authorization", keyB); !strings.HasPrefix(got, `{"n":4`) {
		t.Errorf("after a forwarded POST, a GET must see the live state: %s", got)
	}
	resp, _ := ask(t, d, "POST", "https://api.acme.dev/c", "", "Authorization", "Bearer sk_test_REDACTED-0000000001")
	if resp.StatusCode != deck.StatusMiss {
		t.Errorf("a redacted token was sent on: %d", resp.StatusCode)
	}
	b.close(d)
	if n.Load() != 4 {
		t.Errorf("the upstream saw %d requests", n.Load())
	}
	after := b.file()
	if !strings.HasPrefix(after, strings.TrimRight(before, "\n")) {
		t.Errorf("adding interactions changed what was there:\n%s\n----\n%s", before, after)
	}
	if strings.Count(after, "sk_test_REDACTED-0000000001") != 4 {
		t.Errorf("the bound token did not get the recorded placeholder:\n%s", after)
	}
}

func TestRecordOnlyKeepsNumbersForLife(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		io.WriteString(w, `{"ok":true}`)
	}))
	defer server.Close()
	record := func(extra bool, tokens ...string) string {
		d := b.open(deck.RecordOnly, to{server})
		if extra {
			ask(t, d, "GET", "https://api.acme.dev/new", "", "Authorization", "Bearer "+tokens[2])
		}
		ask(t, d, "GET", "https://api.acme.dev/one", "", "Authorization", "Bearer "+tokens[0])
		ask(t, d, "GET", "https://api.acme.dev/two", "", "Authorization", "Bearer "+tokens[1])
		b.close(d)
		return b.file()
	}
	one := record(false, "tokenA-q8f7a6s5d4f3g2h1j0", "tokenB-z1x2c3v4b5n6m7l8k9")
	two := record(false, "tokenC-rotated8f7a6s5d4f3", "tokenD-rotated2c3v4b5n6m7")
	if one != two {
		t.Errorf("rotated secrets changed the file:\n%s\n----\n%s", one, two)
	}
	three := record(true, "tokenE-rotated8f7a6s5d4f3", "tokenF-rotated2c3v4b5n6m7", "tokenG-brandnew99c3v4b5n6")
	for _, want := range []string{"id: 0", "id: 1", "id: 2", "REDACTED-0003"} {
		if !strings.Contains(three, want) {
			t.Errorf("after adding one interaction, the file lacks %q:\n%s", want, three)
		}
	}
	if strings.Index(three, "id: 2") > strings.Index(three, "id: 0") {
		t.Errorf("the new interaction came first and is not first:\n%s", three)
	}
}

func TestBodiesAndHeadersSurvive(t *testing.T) {
	b := newBench(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, `{"token":"`+secret+`","text":"hé"}`)
	z.Close()
	binary := []byte{0, 1, 2, 0xff, 0xfe, '\r', '\n', 0x80}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Type", jsonType)
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped.Bytes())
		case "/binary":
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header()["X-Many"] = []string{"b", "a", "b"}
			w.Write(binary)
		case "/none":
			w.WriteHeader(204)
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "body")
			w.(http.Flusher).Flush()
			w.Header().Set("X-Sum", "42")
		case "/early":
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(103)
			io.WriteString(w, "late")
		case "/redirect":
			http.Redirect(w, r, "/elsewhere?token="+secret, http.StatusFound)
		default:
			io.WriteString(w, "plain")
		}
	}))
	defer server.Close()
	urls := []string{"/gzip", "/binary", "/none", "/trailer", "/early", "/redirect", "/x%2Fy?a=%7E&b"}
	d := b.open(deck.RecordOnly, to{server})
	for _, u := range urls {
		ask(t, d, "GET", "https://api.acme.dev"+u, "")
	}
	ask(t, d, "HEAD", "https://api.acme.dev/binary", "")
	b.close(d)
	if strings.Contains(b.file(), secret) {
		t.Errorf("a secret is in the file:\n%s", b.file())
	}

	d = b.open(deck.ReplayOnly, nil)
	get := func(u string) (*http.Response, string) { return ask(t, d, "GET", "https://api.acme.dev"+u, "") }
	if resp, got := get("/gzip"); got != `{"token":"cuss_secret_REDACTED000000000001","text":"hé"}` || resp.Header.Get("Content-Encoding") != "" || resp.ContentLength != int64(len(got)) {
		t.Errorf("gzip: %q %v", got, resp.Header)
	}
	if resp, got := get("/binary"); got != string(binary) || fmt.Sprint(resp.Header["X-Many"]) != "[b a b]" {
		t.Errorf("binary: %q %v", got, resp.Header)
	}
	if resp, got := get("/none"); resp.StatusCode != 204 || got != "" {
		t.Errorf("none: %d %q", resp.StatusCode, got)
	}
	if resp, got := get("/trailer"); got != "body" || resp.Trailer.Get("X-Sum") != "42" {
		t.Errorf("trailer: %q %v", got, resp.Trailer)
	}
	if _, got := get("/early"); got != "late" {
		t.Errorf("early hints: %q", got)
	}
	if resp, _ := get("/redirect"); resp.StatusCode != 302 || strings.Contains(resp.Header.Get("Location"), secret) {
		t.Errorf("redirect: %d", resp.StatusCode)
	}
	if resp, got := get("/x%2Fy?a=%7E&b"); resp.StatusCode != 200 || got != "plain" {
		t.Errorf("escapes: %d %q", resp.StatusCode, got)
	}
	if resp, _ := get("/x/y?a=~&b"); resp.StatusCode != deck.StatusMiss {
		t.Errorf("%%2F was taken for a slash: %d", resp.StatusCode)
	}
	if resp, got := ask(t, d, "HEAD", "https://api.acme.dev/binary", ""); resp.StatusCode != 200 || got != "" || resp.Header.Get("Content-Length") != "8" {
		t.Errorf("HEAD: %d %q %v", resp.StatusCode, got, resp.Header)
	}
}
