package matchers

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// endpoint is where most requests of these tests go.
const endpoint = "https://api.acme.dev/v1"

// request writes a request down: "METHOD URL", header lines, an empty line, the body.
type request string

func (r request) http(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	head, body, _ := strings.Cut(string(r), "\n\n")
	lines := strings.Split(head, "\n")
	method, url, _ := strings.Cut(lines[0], " ")
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The proxy's server keeps the target as it came.
	_, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		req.RequestURI = rest[i:]
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	return req, []byte(body)
}

// deck builds clean values for tests: one vault, as one cassette has.
type deck struct {
	t       testing.TB
	matcher *Matcher
	cleaner *clean.Cleaner
}

func newDeck(t testing.TB, rules ...Rule) *deck {
	t.Helper()
	return newDeckEnv(t, nil, rules...)
}

func newDeckEnv(t testing.TB, env []string, rules ...Rule) *deck {
	t.Helper()
	m, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := redact.Compile(redact.Config{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return &deck{t, m, &clean.Cleaner{Vault: redact.NewVault(compiled), KeepRequestHeader: m.Stores}}
}

func (d *deck) clean(r request) clean.Request {
	d.t.Helper()
	req, body := r.http(d.t)
	out, err := d.cleaner.Request(req, body)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *deck) read(r request) Reading {
	d.t.Helper()
	return d.matcher.Read(d.clean(r), nil)
}

// interaction records an answer of status 200.
func (d *deck) interaction(r request, answer string, header ...string) clean.Interaction {
	d.t.Helper()
	resp := &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"application/json"}}}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Add(header[i], header[i+1])
	}
	resp.Body = io.NopCloser(bytes.NewReader(nil))
	in, err := d.cleaner.Interaction(d.clean(r), clean.Answer{Response: resp, Body: []byte(answer)})
	if err != nil {
		d.t.Fatal(err)
	}
	return in
}

// form and json write requests to one endpoint.
func form(body string) request {
	return request("POST " + endpoint + "\nContent-Type: application/x-www-form-urlencoded\n\n" + body)
}

func json(body string) request {
	return request("POST " + endpoint + "\nContent-Type: application/json\n\n" + body)
}

func get(url string, headers ...string) request {
	r := "GET " + url
	for _, h := range headers {
		r += "\n" + h
	}
	return request(r)
}

func ndjson(body string) request {
	return request("POST " + endpoint + "\nContent-Type: application/x-ndjson\n\n" + body)
}

func typed(contentType, body string) request {
	return request("POST " + endpoint + "\nContent-Type: " + contentType + "\n\n" + body)
}
