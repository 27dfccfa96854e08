package cassettes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	vcr3 "gopkg.in/dnaeon/go-vcr.v3/recorder"
	cassette4 "gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	vcr4 "gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// newCleaner has all built-in rules and stores the request headers that matter here.
func newCleaner(t testing.TB) *clean.Cleaner {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(_ redact.Scope, name string) bool {
		return name == "Authorization" || name == "Accept" || name == "X-Many"
	}}
}

// A call is one request that the tests record with one program and play with another.
type call struct {
	name, method, path, contentType, body string
	answer                                func(w http.ResponseWriter)
}

const secret = "sk_test_4eC39HqLyjWDarjtT1zdp7dc" // Stripe's published example

var calls = []call{
	{"JSON", "POST", "/json", "application/json", `{"a":1}`, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":"cus_1","amount":10.50,"name":"Zoë 😀"}`)
	}},
	{"form", "POST", "/form?expand[]=a&b=%2F", "application/x-www-form-urlencoded", "line_items[0][price]=p%20q&metadata[x]=&a[]=1&a[]=2", func(w http.ResponseWriter) {
		w.WriteHeader(201)
		io.WriteString(w, "created\n")
	}},
	{"binary", "PUT", "/binary", "application/octet-stream", "\x00\xff\xfe", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "image/gif")
		w.Write([]byte("GIF89a\x00\x01\xff\xfe\r\n\x80"))
	}},
	{"HEAD", "HEAD", "/head", "", "", func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1234") }},
	{"204", "DELETE", "/gone", "", "", func(w http.ResponseWriter) { w.WriteHeader(204) }},
	{"304", "GET", "/same", "", "", func(w http.ResponseWriter) {
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(304)
	}},
	{"empty", "GET", "/empty", "", "", func(w http.ResponseWriter) {}},
	{"gzip", "GET", "/gzip", "", "", func(w http.ResponseWriter) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/plain")
		z := gzip.NewWriter(w)
		io.WriteString(z, strings.Repeat("unfolded ", 100))
		z.Close()
	}},
	{"repeated headers", "GET", "/headers", "", "", func(w http.ResponseWriter) {
		w.Header()["X-Many"] = []string{"b", "a, c", "b"}
		w.Header().Add("Link", `</a>; rel="next"`)
		io.WriteString(w, "x")
	}},
	{"stream", "GET", "/stream", "", "", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: {\"n\":%d}\n\n", i)
			w.(http.Flusher).Flush()
		}
	}},
	{"text that YAML dislikes", "GET", "/text", "", "", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, " leading: space\n\ttab # no comment\r\n- 'quotes\" \u2028 \u0085\n\n")
	}},
	{"secret in the answer", "POST", "/secret", "application/json", `{"client_secret":"` + secret + `"}`, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"key":"`+secret+`","ok":true}`)
	}},
	{"404 with a trailer", "GET", "/trailer", "", "", func(w http.ResponseWriter) {
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(404)
		io.WriteString(w, "not here")
		w.Header().Set("X-Sum", "42")
	}},
}

func upstream(t testing.TB) *httptest.Server {
	mux := http.NewServeMux()
	for _, c := range calls {
		path, _, _ := strings.Cut(c.path, "?")
		mux.HandleFunc(c.method+" "+path, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			c.answer(w)
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (c call) request(t testing.TB, base string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(c.method, base+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body == "" {
		req.Body, req.ContentLength = nil, 0
	}
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	req.Header.Set("Accept-Encoding", "gzip") // so that nobody unfolds it on the way
	return req
}

// got is what a client sees of an answer.
type got struct {
	status  int
	body    string
	length  int64
	header  http.Header
	trailer http.Header
}

func do(t testing.TB, client *http.Client, req *http.Request) got {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return got{resp.StatusCode, string(body), resp.ContentLength, resp.Header.Clone(), resp.Trailer}
}

// plain is got without what a recorder may change.
func plain(t testing.TB, g got) got {
	t.Helper()
	if g.header.Get("Content-Encoding") == "gzip" && g.body != "" {
		if z, err := gzip.NewReader(strings.NewReader(g.body)); err == nil {
			body, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			g.body = string(body)
		}
		g.header.Del("Content-Encoding")
	}
	return g
}

// recordAll records every call with this package, as the deck does.
func recordAll(t testing.TB, store Store, name, base string) map[string]got {
	t.Helper()
	cleaner := newCleaner(t)
	c, err := Open(store, name, cleaner, ToExtend)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	live := map[string]got{}
	var list []clean.Interaction
	for _, call := range calls {
		req := call.request(t, base)
		cleanReq, err := cleaner.Request(req, []byte(call.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		live[call.name] = plain(t, got{resp.StatusCode, string(body), resp.ContentLength, resp.Header.Clone(), resp.Trailer})
		in, err := cleaner.Interaction(cleanReq, clean.Answer{Response: resp, Body: body, Trailer: resp.Trailer})
		if err != nil {
			t.Fatal(err)
		}
		if in, err = c.Append(in); err != nil {
			t.Fatalf("%s: %v", call.name, err)
		}
		list = append(list, in)
	}
	for i, in := range list {
		if list[i], err = cleaner.Sweep(in); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Save(list, State{}); err != nil {
		t.Fatal(err)
	}
	return live
}

// noNetwork makes a touched network loud.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the network was touched")
}

// players are the stock programs that play a cassette. Version 4 compares more than
// method and URL unless it is told not to, and our files leave out most headers.
func players(t testing.TB, path string) map[string]http.RoundTripper {
	t.Helper()
	r3, err := vcr3.NewWithOptions(&vcr3.Options{CassetteName: path, Mode: vcr3.ModeReplayOnly, RealTransport: noNetwork{}})
	if err != nil {
		t.Fatalf("go-vcr v3: %v", err)
	}
	r4, err := vcr4.New(path, vcr4.WithMode(vcr4.ModeReplayOnly), vcr4.WithRealTransport(noNetwork{}),
		vcr4.WithMatcher(func(r *http.Request, i cassette4.Request) bool {
			return r.Method == i.Method && r.URL.String() == i.URL
		}))
	if err != nil {
		t.Fatalf("go-vcr v4: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(r3.Stop(), r4.Stop()); err != nil {
			t.Error(err)
		}
	})
	return map[string]http.RoundTripper{"go-vcr v3": r3, "go-vcr v4": r4}
}

func TestGoVCRPlaysOurs(t *testing.T) {
	dir := t.TempDir()
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := upstream(t)
	live := recordAll(t, store, "ours", server.URL)
	server.Close()
	for _, behind := range []bool{false, true} {
		for player, transport := range players(t, filepath.Join(dir, "ours")) {
			for _, call := range calls {
				t.Run(fmt.Sprintf("%s/behind a server %v/%s", player, behind, call.name), func(t *testing.T) {
					client := &http.Client{Transport: transport}
					req := call.request(t, server.URL)
					if behind {
						// A server in between trips over every length that is not the body's.
						target, _ := url.Parse(server.URL)
						front := httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
							ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), 555) }})
						defer front.Close()
						client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
						defer client.CloseIdleConnections()
						req = call.request(t, front.URL)
					}
					want, got := live[call.name], do(t, client, req)
					compareAnswers(t, call, want, got)
				})
			}
		}
	}
	file, err := readObject(store, "ours.yaml", largestFile)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte(secret)) {
		t.Error("the secret is in the file")
	}
}

func compareAnswers(t *testing.T, call call, want, got got) {
	t.Helper()
	if got.status != want.status {
		t.Errorf("status %d, want %d", got.status, want.status)
	}
	wantBody := want.body
	if call.name == "secret in the answer" {
		if strings.Contains(got.body, secret) || !strings.Contains(got.body, "REDACTED") {
			t.Errorf("body %q", got.body)
		}
	} else if strings.Contains(want.header.Get("Content-Type"), "json") {
		// JSON is indented in the file, and go-vcr plays it as it stands there.
		if !sameJSON(t, got.body, wantBody) {
			t.Errorf("body %q, want the JSON of %q", got.body, wantBody)
		}
	} else if got.body != wantBody {
		t.Errorf("body %q, want %q", got.body, wantBody)
	}
	switch {
	case call.method == "HEAD":
		if got.length != 1234 || got.header.Get("Content-Length") != "1234" {
			t.Errorf("HEAD tells the length %d and %q", got.length, got.header.Get("Content-Length"))
		}
	case got.length >= 0 && got.length != int64(len(got.body)):
		t.Errorf("the length is told as %d and is %d", got.length, len(got.body))
	case got.header.Get("Content-Length") != "" && got.header.Get("Content-Length") != strconv.Itoa(len(got.body)):
		t.Errorf("Content-Length is %s for %d bytes", got.header.Get("Content-Length"), len(got.body))
	}
	if many := want.header["X-Many"]; cmp.Diff(many, got.header["X-Many"]) != "" {
		t.Errorf("X-Many is %q, want %q", got.header["X-Many"], many)
	}
	if got.header.Get("Content-Encoding") != "" {
		t.Errorf("Content-Encoding is %q for a plain body", got.header.Get("Content-Encoding"))
	}
	if cmp.Diff(want.trailer.Get("X-Sum"), got.trailer.Get("X-Sum")) != "" {
		t.Errorf("trailers are %v, want %v", got.trailer, want.trailer)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Error(err)
	}
	return cmp.Equal(x, y)
}

// Our own replay gives every byte back, whatever stands in the file.
func TestWePlayOurs(t *testing.T) {
	store, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	live := recordAll(t, store, "ours", upstream(t).URL)
	c, err := Open(store, "ours", newCleaner(t), ToReplay)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes()) > 0 {
		t.Errorf("notes: %q", c.Notes())
	}
	comparePlayed(t, c, live, true)
}

func comparePlayed(t *testing.T, c *Cassette, live map[string]got, ours bool) {
	t.Helper()
	list := c.Interactions()
	if len(list) != len(calls) {
		t.Fatalf("%d interactions, want %d", len(list), len(calls))
	}
	for i, call := range calls {
		resp, err := list[i].Response()
		if err != nil {
			t.Fatal(err)
		}
		want := live[call.name]
		if resp.Status() != want.status {
			t.Errorf("%s: status %d, want %d", call.name, resp.Status(), want.status)
		}
		if call.name == "secret in the answer" {
			if bytes.Contains(resp.Body(), []byte(secret)) {
				t.Errorf("%s: body %q", call.name, resp.Body())
			}
		} else {
			if string(resp.Body()) != want.body {
				t.Errorf("%s: body %q, want %q", call.name, resp.Body(), want.body)
			}
			if string(list[i].Request().Body()) != call.body {
				t.Errorf("%s: request body %q, want %q", call.name, list[i].Request().Body(), call.body)
			}
		}
		if diff := cmp.Diff(want.header["X-Many"], resp.Header()["X-Many"]); diff != "" {
			t.Errorf("%s: %s", call.name, diff)
		}
		if length := resp.Header().Get("Content-Length"); call.method != "HEAD" && length != "" && length != strconv.Itoa(len(resp.Body())) {
			t.Errorf("%s: Content-Length %s for %d bytes", call.name, length, len(resp.Body()))
		}
		if ours && cmp.Diff(want.trailer.Get("X-Sum"), resp.Trailer().Get("X-Sum")) != "" {
			t.Errorf("%s: trailers %v, want %v", call.name, resp.Trailer(), want.trailer)
		}
	}
}

func TestWePlayGoVCRs(t *testing.T) {
	for name, record := range map[string]func(path string) (http.RoundTripper, func() error, error){
		"v3": func(path string) (http.RoundTripper, func() error, error) {
			r, err := vcr3.NewWithOptions(&vcr3.Options{CassetteName: path, Mode: vcr3.ModeRecordOnly, RealTransport: http.DefaultTransport})
			return r, r.Stop, err
		},
		"v4": func(path string) (http.RoundTripper, func() error, error) {
			r, err := vcr4.New(path, vcr4.WithMode(vcr4.ModeRecordOnly))
			return r, r.Stop, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			transport, stop, err := record(filepath.Join(dir, "theirs"))
			if err != nil {
				t.Fatal(err)
			}
			server := upstream(t)
			live := map[string]got{}
			for _, call := range calls {
				live[call.name] = plain(t, do(t, &http.Client{Transport: transport}, call.request(t, server.URL)))
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			store, err := NewFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Open(store, "theirs", newCleaner(t), ToReplay)
			if err != nil {
				t.Fatal(err)
			}
			comparePlayed(t, c, live, false)
		})
	}
}

// What encode leaves out, go-vcr does without: it plays an interaction that has nothing else.
func TestWhatGoVCRNeeds(t *testing.T) {
	dir := t.TempDir()
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	const file = "version: 2\ninteractions:\n- id: 0\n  request:\n    method: GET\n    url: http://a.test/x\n  response:\n    status: 200 OK\n    code: 200\n    content_length: 2\n    body: ok\n"
	if err := store.Replace("least.yaml", []byte(file)); err != nil {
		t.Fatal(err)
	}
	for player, transport := range players(t, filepath.Join(dir, "least")) {
		req, _ := http.NewRequest("GET", "http://a.test/x", nil)
		if got := do(t, &http.Client{Transport: transport}, req); got.body != "ok" || got.status != 200 || got.length != 2 {
			t.Errorf("%s: %+v", player, got)
		}
	}
}
