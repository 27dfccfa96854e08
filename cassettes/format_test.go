package cassettes

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	vcr3 "gopkg.in/dnaeon/go-vcr.v3/cassette"
	vcr4 "gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"tapedeck/cassettes/clean"
)

// sample is an interaction that uses most of the format.
func sample() clean.Stored {
	return clean.Stored{
		Meta:            clean.Meta{ID: 3, Recorded: "2026-11-21"},
		Method:          "POST",
		URL:             "https://api.stripe.com/v1/checkout/sessions?expand[]=line_items",
		Proto:           "HTTP/2.0",
		RequestHeader:   http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Bearer REDACTED-0001"}},
		RequestBody:     []byte("line_items[0][price]=price_1&line_items[0][quantity]=2&metadata[note]=&a%5B%5D=x&a%5B%5D=y"),
		Status:          200,
		StatusText:      "OK",
		ResponseProto:   "HTTP/2.0",
		ResponseHeader:  http.Header{"Content-Type": {"application/json"}, "Content-Length": {"64"}, "Set-Cookie": {"a=REDACTED-0002; Path=/", "b=2"}, "Etag": {`W/"x"`}},
		ResponseTrailer: http.Header{"X-Sum": {"1"}},
		ResponseBody:    []byte(`{"id":"cs_1","amount":10.50,"name":"Zoë 😀","url":"https:\/\/x"}`),
		Informational:   []clean.Informational{{Status: 103, Header: http.Header{"Link": {"</a.css>; rel=preload, </b.css>"}}}},
	}
}

func TestEncodeGolden(t *testing.T) {
	text := sample()
	text.ID, text.Informational, text.ResponseTrailer = 4, nil, nil
	text.ResponseHeader = http.Header{"Content-Type": {"text/event-stream"}}
	text.Chunked, text.Cut, text.Pinned, text.Retry = true, "client", true, true
	text.ResponseBody = []byte("data: {\"a\":1}\n\ndata: [DONE]\n\n")
	binary := clean.Stored{Meta: clean.Meta{ID: 5}, Method: "GET", URL: "http://img.test/a.gif", Status: 200, StatusText: "OK",
		ResponseHeader: http.Header{"Content-Type": {"image/gif"}}, ResponseBody: []byte("GIF89a\x00\xff")}
	head := clean.Stored{Meta: clean.Meta{ID: 6}, Method: "HEAD", URL: "http://img.test/a.gif", Status: 200,
		ResponseHeader: http.Header{"Content-Length": {"8"}}}
	got, _ := encode(contents{State: State{Unfinished: "the command failed: exit 1"},
		list: []entry{{Stored: sample()}, {Stored: text}, {Stored: binary}, {Stored: head}}}, largestBody)
	golden := filepath.Join("testdata", "format.yaml")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the format changed (-golden +got); if that is meant, run with UPDATE_GOLDEN=1:\n%s", diff)
	}
}

// roundTrip encodes and decodes s, and checks that go-vcr's two loaders take
// the file too and see the same bodies.
func roundTrip(t *testing.T, s clean.Stored) {
	t.Helper()
	file, _ := encode(contents{list: []entry{{Stored: s}}}, largestBody)
	c, err := decode("x.yaml", file)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	want := s
	settle(&want)
	if diff := cmp.Diff([]clean.Stored{want}, storedOf(c.list), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("Decode(Encode(x)) differs from x (-x +got):\n%s\n%s", diff, file)
	}
	if len(c.notes) > 0 {
		t.Errorf("notes about our own file: %q", c.notes)
	}
	again, _ := encode(c, largestBody)
	if !bytes.Equal(file, again) {
		t.Fatalf("encoding again gives other bytes:\n%s", cmp.Diff(string(file), string(again)))
	}
	whole, err := parse("x.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	d := &decoder{object: "x.yaml"}
	if _, items, err := d.top(whole); err != nil || len(items) != 1 {
		t.Fatalf("read in one: %d interactions, %v", len(items), err)
	} else if e, err := d.interaction(0, items[0]); err != nil {
		t.Fatal(err)
	} else if diff := cmp.Diff([]clean.Stored{want}, storedOf([]entry{e}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("read in one it differs from read in parts:\n%s", diff)
	}
	if crlf := bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")); true {
		c, err := decode("x.yaml", crlf)
		if err != nil {
			t.Fatalf("with CRLF: %v", err)
		}
		if diff := cmp.Diff([]clean.Stored{want}, storedOf(c.list), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("a CRLF checkout differs:\n%s", diff)
		}
	}

	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path+".yaml", file, 0o600); err != nil {
		t.Fatal(err)
	}
	request, response := shown(want.RequestBody, nil, true), shown(want.ResponseBody, nil, false)
	v3, err := vcr3.Load(path)
	if err != nil {
		t.Fatalf("go-vcr v3: %v\n%s", err, file)
	}
	v4, err := vcr4.Load(path)
	if err != nil {
		t.Fatalf("go-vcr v4: %v\n%s", err, file)
	}
	i3, i4 := v3.Interactions[0], v4.Interactions[0]
	for _, got := range []struct {
		reader, method, url, request, response string
		code                                   int
		requestHeader, responseHeader          http.Header
	}{
		{"go-vcr v3", i3.Request.Method, i3.Request.URL, i3.Request.Body, i3.Response.Body, i3.Response.Code, i3.Request.Headers, i3.Response.Headers},
		{"go-vcr v4", i4.Request.Method, i4.Request.URL, i4.Request.Body, i4.Response.Body, i4.Response.Code, i4.Request.Headers, i4.Response.Headers},
	} {
		if got.method != want.Method || got.url != want.URL || got.request != request.text || got.response != response.text || got.code != want.Status {
			t.Errorf("%s reads %q %q %d, body %q and %q; want %q and %q\n%s", got.reader, got.method, got.url, got.code,
				got.request, got.response, request.text, response.text, file)
		}
		noLength := cmpopts.IgnoreMapEntries(func(name string, _ []string) bool { return name == "Content-Length" })
		if diff := cmp.Diff(want.RequestHeader, got.requestHeader, cmpopts.EquateEmpty(), noLength); diff != "" {
			t.Errorf("%s reads other request headers:\n%s", got.reader, diff)
		}
		if diff := cmp.Diff(want.ResponseHeader, got.responseHeader, cmpopts.EquateEmpty(), noLength); diff != "" {
			t.Errorf("%s reads other response headers:\n%s", got.reader, diff)
		}
	}
}

func storedOf(list []entry) []clean.Stored {
	var out []clean.Stored
	for _, e := range list {
		out = append(out, e.Stored)
	}
	return out
}

// awkward are texts that YAML writers and readers are known to get wrong.
var awkward = []string{
	"", " ", "\n", "\n\n", " a", "a ", "a\n", "\na", " \na", "a\n ", "a\n\n", "a\n \n", "\ta\nb", "a\n\tb", "a\r\nb\r\n", "a\rb",
	"null", "~", "Null", "true", "yes", "No", "y", "1", "01", "0x1f", "1e3", ".inf", ".nan", "-", "- a", "-1", "?", "? a", ": a", "a: b", "a:", "a #b", "#",
	"2026-11-21", "12:30:45", "=", "<<", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "[", "]", "{", "}", "{}", "[]", ",", "'", `"`, `\`, `'"`, `a'b"c\d`,
	"a, b", "a; q=0.5, */*", "https://a.test/x?y=[1]&z={2}#f", "---", "--- a\nb", "...", "a\n---\nb", "a\n...\n", "\u0085", "a\u2028b\nc", "\ufeffa\nb", "\x00", "\x7f", "\u0080",
	"Zoë 😀", "Zoë 😀\nline", "\xff\xfe", "ok\xff\nno", strings.Repeat("long ", 300), strings.Repeat("k", 3000), strings.Repeat("a: b\n", 50), "\u200d\u200b", "\ud7ff\ue000\ufffd",
	"# a\n# b", "- a\n- b\n", "a:\n  b: c\n", "%YAML 1.1\n---\n", "\\n", `C:\x`, "a\tb", "x:\ty", "a\t#b", "\tx",
}

func TestAwkwardText(t *testing.T) {
	for _, text := range awkward {
		s := clean.Stored{Meta: clean.Meta{ID: 0}, Method: "POST", URL: "http://a.test/" + text, Status: 200, StatusText: text,
			RequestHeader: http.Header{"X-A": {text, text}, "Content-Type": {"application/x-www-form-urlencoded"}}, RequestBody: []byte(text),
			ResponseHeader:  http.Header{"X-B": {text}},
			ResponseTrailer: http.Header{"X-T": {text}}, ResponseBody: []byte(text),
			Informational: []clean.Informational{{Status: 103, Header: http.Header{"X-I": {text, "b"}}}}}
		s.Recorded, s.Cut = text, text
		roundTrip(t, s)
	}
}

// TestUnreadableTextIsBase64 holds the size of a file to that of its bodies: as
// \\u0000 a body of NULs would be six times as long, and no easier to read.
func TestUnreadableTextIsBase64(t *testing.T) {
	const size = 20_000
	for _, test := range []struct {
		name, text string
		binary     bool
	}{
		{"NULs", strings.Repeat("\x00", size), true},
		{"text with a NUL", strings.Repeat("abcdefghi\n", size/10) + "\x00", true},
		{"control characters", strings.Repeat("\x01\x02a", size/3), true},
		{"byte order marks", strings.Repeat("\ufeff", size/3), true},
		{"text with control characters", strings.Repeat("\x1b[1mbold\x1b[0m ", size/13), false},
		{"lines", strings.Repeat("a\r\n", size/3), false},
		{"quotes", strings.Repeat(`\"'`, size/3), false},
		{"emoji", strings.Repeat("😀", size/4), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := clean.Stored{Method: "PUT", URL: "http://a.test/", Status: 200, RequestBody: []byte(test.text), ResponseBody: []byte(test.text),
				ResponseHeader: http.Header{"X-A": {test.text[:10], test.text[len(test.text)-1:]}}}
			roundTrip(t, s)
			file, _ := encode(contents{list: []entry{{Stored: s}}}, largestBody)
			if got := bytes.Count(file, []byte("body: !!binary ")); (got == 2) != test.binary || got == 1 {
				t.Errorf("%d of 2 bodies are base64", got)
			}
			if test.binary && len(file) > 2*size*3/2 {
				t.Errorf("two bodies of %d bytes make a file of %d", size, len(file))
			}
		})
	}
}

// TestKeptKeysStayText: what a later version wrote is kept as text, however odd,
// since a tag would change what it means.
func TestKeptKeysStayText(t *testing.T) {
	const line = `tapedeck: {"a\u0000": ["\u0000\u0001", {b: "\u0001"}]}` + "\n"
	c, err := decode("x.yaml", []byte("version: 2\n"+line+"interactions: []\n"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		file, _ := encode(c, largestBody)
		if !strings.Contains(string(file), line) {
			t.Fatalf("not kept as it was:\n%s", file)
		}
		if c, err = decode("x.yaml", file); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, text := range awkward {
		f.Add("X-Name", text, []byte(text), []byte(text), 200)
	}
	for _, body := range bodies {
		f.Add("A", "b", []byte(body), []byte(body), 404)
	}
	f.Fuzz(func(t *testing.T, name, value string, request, response []byte, status int) {
		s := clean.Stored{Meta: clean.Meta{ID: 7}, Method: "PUT", URL: "https://a.test/" + value, Status: 100 + (status%900+900)%900, StatusText: "x" + value,
			RequestHeader: http.Header{"X-A": {value, ""}}, RequestBody: request,
			ResponseHeader: http.Header{name: {value}, "Content-Length": {value}}, ResponseBody: response}
		if len(request)%2 == 0 {
			s.RequestHeader.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if http.CanonicalHeaderKey(name) == "Content-Encoding" {
			return // taken off a body when it is read
		}
		roundTrip(t, s)
	})
}

var bodies = []string{
	`{"a":1,"b":[1,2,{}],"c":{}}`, `{"a": 1, "b": [1, 2]}`, "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}\n", "{\n    \"a\": [\n        1\n    ]\n}", "{\n\t\"a\": 1\n}\n",
	`{"a":1}` + "\n", `{"a" : 1}`, `[ 1, 2 ]`, `[]`, `{}`, `[1]`, `{"a":"\/"}`, `{"a":1E2,"b":1.50,"c":12345678901234567890123}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`,
	`{"a":` + "\"\u2028\"}", "{\"a\":\"\x7f\"}", "{\"a\":1}\r\n", "\ufeff{\"a\":1}", `{"a":1}{"b":2}`, "{\"a\":1}\n{\"b\":2}\n", "{\"a\":\xff}", `{"a":1,`, `{"é":"😀"}`,
	"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
}

func TestShowRestoresEveryByte(t *testing.T) {
	for body, want := range map[string]recipe{
		`{"a":1,"b":[1,2,{}],"c":{}}`:               "compact",
		`{"a":1}` + "\n":                            "compact newline",
		`{"a": 1, "b": [1, 2]}`:                     "spaced",
		`{"a": 1, "b": [1, 2]}` + "\n":              "spaced newline",
		"{\n    \"a\": [\n        1\n    ]\n}":      "indent 4",
		"{\n\t\"a\": 1\n}\n":                        "tab newline",
		"{\n  \"a\": 1\n}":                          "", // stands as it is
		"{\n  \"a\": 1\n}\n":                        "",
		`{"a" : 1}`:                                 "",
		`{}`:                                        "",
		`{"a":1,"a":2}`:                             "compact",
		`{"a":"\/","b":1E2,"c":10.50,"d":"\u00e9"}`: "compact",
		"{\"a\":1}\r\n":                             "",
		`{"a":1}{"b":2}`:                            "",
	} {
		text, how, ok := show([]byte(body))
		if how != want || ok != (want != "") {
			t.Errorf("%q: recipe %q, want %q", body, how, want)
			continue
		}
		if !ok {
			continue
		}
		if back, valid := how.apply([]byte(text)); !valid || string(back) != body {
			t.Errorf("%q comes back as %q", body, back)
		}
	}
}
