package clean_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

const secret = "cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLGMGq7LLf8ODSQ8gL"

func newCleaner(t testing.TB) *clean.Cleaner {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &clean.Cleaner{
		Vault:              redact.NewVault(rules),
		KeepRequestHeader:  func(_ redact.Scope, name string) bool { return name == "Authorization" || name == "Accept" },
		DropResponseHeader: clean.Noise,
	}
}

func request(t testing.TB, c *clean.Cleaner, method, url, body string, header ...string) clean.Request {
	t.Helper()
	r, err := c.Request(raw(method, url, header...), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func raw(method, url string, header ...string) *http.Request {
	req := httptest.NewRequest(method, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

func TestRequestKeepsWhatIsAllowedAndRedactsIt(t *testing.T) {
	c := newCleaner(t)
	req := raw("POST", "https://api.acme.dev/a%2Fb?x=1&client_secret="+secret,
		"Content-Type", "application/json", "Authorization", "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc",
		"Accept", "text/html", "Accept", "*/*", "User-Agent", "curl", "Cookie", "a=b")
	req.RequestURI = ""
	before := req.Header.Clone()
	r, err := c.Request(req, []byte(`{"client_secret": "`+secret+`", "n": 1.50}`))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, req.Header) {
		t.Error("the live request was changed")
	}
	if got := r.RawURL(); got != "https://api.acme.dev/a%2Fb?x=1&client_secret=cuss_secret_REDACTED000000000002" {
		t.Errorf("URL %s", got)
	}
	if got := string(r.Body()); got != `{"client_secret": "cuss_secret_REDACTED000000000002", "n": 1.50}` {
		t.Errorf("body %s", got)
	}
	if got := r.HeaderNames(); !reflect.DeepEqual(got, []string{"Accept", "Authorization", "Content-Type"}) {
		t.Errorf("headers %v", got)
	}
	if got := r.Header("authorization"); len(got) != 1 || got[0] != "Bearer sk_test_REDACTED-0000000001" {
		t.Errorf("authorization %v", got)
	}
	if got := r.Header("Accept"); !reflect.DeepEqual(got, []string{"text/html", "*/*"}) {
		t.Errorf("accept %v", got)
	}
}

func TestRawURLComesFromTheRequestLine(t *testing.T) {
	c := newCleaner(t)
	for _, target := range []string{"/a%2fb?", "/a;b?x=%7e&&y", "/%e4?q=a+b", "/a//b/../c"} {
		req := raw("GET", "https://api.acme.dev/")
		req.RequestURI = target
		r, err := c.Request(req, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.RawURL(); got != "https://api.acme.dev"+target {
			t.Errorf("%s became %s", target, got)
		}
	}
}

func encode(t *testing.T, coding string, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw deflate": // how some servers understand "deflate"
		z, err := flate.NewWriter(&b, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentEncodings(t *testing.T) {
	plain := []byte(`{"client_secret":"` + secret + `"}`)
	for _, coding := range []string{"gzip", "x-gzip", "deflate", "br", "zstd"} {
		c := newCleaner(t)
		req := request(t, c, "GET", "https://api.acme.dev/", "")
		in, err := c.Interaction(req, clean.Answer{
			Response: &http.Response{StatusCode: 200, Status: "200 OK", ContentLength: 9,
				Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {coding}, "Content-Length": {"9"}}},
			Body: encode(t, coding, plain),
		})
		if err != nil {
			t.Fatalf("%s: %v", coding, err)
		}
		resp, err := in.Response()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(resp.Body()); got != `{"client_secret":"cuss_secret_REDACTED000000000001"}` {
			t.Errorf("%s: %q", coding, got)
		}
		h := resp.Header()
		if h.Get("Content-Encoding") != "" || h.Get("Content-Length") != "52" {
			t.Errorf("%s: headers %v", coding, h)
		}
	}
	c := newCleaner(t)
	if r, err := c.Request(raw("POST", "https://api.acme.dev/", "Content-Type", "application/json", "Content-Encoding", "deflate"),
		encode(t, "raw deflate", plain)); err != nil || !strings.Contains(string(r.Body()), "REDACTED000000000001") {
		t.Errorf("raw deflate: %v", err)
	}
	// Two codings, applied one after the other.
	if r, err := c.Request(raw("POST", "https://api.acme.dev/", "Content-Type", "application/json", "Content-Encoding", "gzip, br"),
		encode(t, "br", encode(t, "gzip", plain))); err != nil || !strings.Contains(string(r.Body()), "REDACTED000000000001") {
		t.Errorf("gzip, br: %v", err)
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	c := newCleaner(t)
	c.MaxDecoded = 1000
	for _, tc := range []struct {
		name, coding string
		body         []byte
	}{
		{"unknown coding", "rot13", []byte("body")},
		{"not gzip", "gzip", []byte("body")},
		{"cut short", "gzip", encode(t, "gzip", []byte("body"))[:12]},
		{"more than raw deflate", "deflate", append(encode(t, "raw deflate", []byte("body")), "more"...)},
		{"bomb", "gzip", encode(t, "gzip", bytes.Repeat([]byte{'x'}, 1001))},
		{"zstd bomb", "zstd", encode(t, "zstd", bytes.Repeat([]byte{'x'}, 1001))},
	} {
		_, err := c.Request(raw("POST", "https://api.acme.dev/", "Content-Encoding", tc.coding), tc.body)
		var refusal *redact.Refusal
		if !errors.As(err, &refusal) || strings.Contains(err.Error(), "rot13") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestMultipartBoundaryIsStoredUnderOneName(t *testing.T) {
	c := newCleaner(t)
	body := "--xyz123\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--xyz123--\r\n"
	r := request(t, c, "POST", "https://api.acme.dev/", body, "Content-Type", "multipart/form-data; boundary=xyz123")
	if strings.Contains(string(r.Body()), "xyz123") || strings.Contains(string(r.Body()), "hunter2") || strings.Contains(r.ContentType(), "xyz123") {
		t.Errorf("%s\n%s", r.ContentType(), r.Body())
	}
	if !strings.Contains(r.ContentType(), "boundary="+clean.Boundary) || strings.Count(string(r.Body()), "--"+clean.Boundary) != 2 {
		t.Errorf("%s\n%s", r.ContentType(), r.Body())
	}
}

func TestLengths(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		status       int
		length       int64
		header       string
		body         string
		want         string
	}{
		{"fixed", "GET", 200, 5, "5", "hello", "5"},
		{"stale", "GET", 200, 9, "9", "hello", "5"},
		{"chunked", "GET", 200, -1, "", "hello", ""},
		{"empty", "GET", 200, 0, "0", "", "0"},
		{"head", "HEAD", 200, 77, "77", "", "77"},
		{"not modified", "GET", 304, 77, "77", "", "77"},
		{"no content", "DELETE", 204, 0, "", "", ""},
	} {
		c := newCleaner(t)
		h := http.Header{}
		if tc.header != "" {
			h.Set("Content-Length", tc.header)
		}
		in, err := c.Interaction(request(t, c, tc.method, "https://api.acme.dev/", ""), clean.Answer{
			Response: &http.Response{StatusCode: tc.status, ContentLength: tc.length, Header: h}, Body: []byte(tc.body),
		})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := in.Response()
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header().Get("Content-Length"); got != tc.want {
			t.Errorf("%s: Content-Length %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestNoiseAndHopByHopHeadersStayOut(t *testing.T) {
	c := newCleaner(t)
	in, err := c.Interaction(request(t, c, "GET", "https://api.acme.dev/", ""), clean.Answer{Response: &http.Response{StatusCode: 200, Header: http.Header{
		"Date": {"now"}, "X-Ratelimit-Remaining": {"3"}, "Openai-Processing-Ms": {"12"}, "Connection": {"close"},
		"Request-Id": {"req_1"}, "Set-Cookie": {"sid=s3cr3t-v4lu3-abcdef0123; Path=/", "theme=dark"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := in.Response()
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.HeaderNames(); !reflect.DeepEqual(got, []string{"Request-Id", "Set-Cookie"}) {
		t.Errorf("headers %v", got)
	}
	cookies := resp.Header()["Set-Cookie"]
	if len(cookies) != 2 || strings.Contains(cookies[0], "s3cr3t") || !strings.HasPrefix(cookies[0], "sid=") || !strings.HasSuffix(cookies[0], "; Path=/") {
		t.Errorf("cookies %q", cookies)
	}
}

func TestLoadOfWhatWasStoredChangesNothing(t *testing.T) {
	c := newCleaner(t)
	req := request(t, c, "POST", "https://api.acme.dev/?token="+secret, `client_secret=`+secret, "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc")
	in, err := c.Interaction(req, clean.Answer{Response: &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/2.0", ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}}}, Body: []byte(`{"client_secret":"` + secret + `"}`),
		Trailer: http.Header{"X-Sum": {"1"}}, Informational: []clean.Informational{{Status: 103, Header: http.Header{"Link": {"</a>"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(in); err != nil {
		t.Errorf("a clean interaction does not pass the gate: %v", err)
	}
	stored, err := in.Stored()
	if err != nil {
		t.Fatal(err)
	}
	again, err := newCleaner(t).Load(stored)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := again.Stored()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(stored, restored) {
		t.Errorf("stored   %+v\nrestored %+v", stored, restored)
	}
}

// What was learned late is replaced in what was built before.
func TestSweep(t *testing.T) {
	c := newCleaner(t)
	const value = "q8f7a6s5d4f3g2h1j0k9l8"
	early, err := c.Interaction(request(t, c, "GET", "https://api.acme.dev/"+value, ""), clean.Answer{
		Response: &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/plain"}}}, Body: []byte("note: " + value)})
	if err != nil {
		t.Fatal(err)
	}
	request(t, c, "POST", "https://api.acme.dev/", `{"api_key":"`+value+`"}`, "Content-Type", "application/json")
	if err := c.Check(early); err == nil {
		t.Error("the gate let a learned value through")
	}
	swept, err := c.Sweep(early)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := swept.Response()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(swept.Request().RawURL(), value) || strings.Contains(string(resp.Body()), value) {
		t.Errorf("%s %s", swept.Request().RawURL(), resp.Body())
	}
	if err := c.Check(swept); err != nil {
		t.Error(err)
	}
}

func TestRenumber(t *testing.T) {
	c := newCleaner(t)
	in, err := c.Interaction(request(t, c, "POST", "https://api.acme.dev/?token="+secret, ""), clean.Answer{
		Response: &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/plain"}}}, Body: []byte(secret)})
	if err != nil {
		t.Fatal(err)
	}
	out, err := in.Renumber(map[string]string{"0001": "0042"})
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := out.Response()
	if !strings.Contains(out.Request().RawURL(), "REDACTED000000000042") || string(resp.Body()) != "cuss_secret_REDACTED000000000042" {
		t.Errorf("%s %s", out.Request().RawURL(), resp.Body())
	}
	if before, _ := in.Response(); string(before.Body()) != "cuss_secret_REDACTED000000000001" {
		t.Error("the original was changed")
	}
}
