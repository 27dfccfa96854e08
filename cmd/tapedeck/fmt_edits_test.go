package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapedeck/proxy/deck"
)

// recordedFile is a cassette as tapedeck writes it, to be edited by the tests below.
const recordedFile = `version: 2
interactions:
# POST https://api.test/orders → 201
- id: 3
  tapedeck: {recorded: 2026-11-21}
  request:
    method: POST
    url: https://api.test/orders
    headers:
      Content-Type: [application/x-www-form-urlencoded]
    form:
      total: ["2000"]
    body: total=2000
  response:
    status: 201 Created
    code: 201
    proto: HTTP/1.1
    proto_major: 1
    proto_minor: 1
    content_length: 36
    headers:
      Content-Length: ["36"]
      Content-Type: [text/plain]
    body: |
      one
      two
    duration: 0s
# PUT https://api.test/orders/1 → 200
- id: 5
  tapedeck: {recorded: 2026-11-21, style: {request: compact, response: spaced newline}}
  request:
    method: PUT
    url: https://api.test/orders/1
    headers:
      Content-Type: [application/json]
    body: |-
      {
        "total": 10.50
      }
  response:
    status: 200 OK
    code: 200
    proto: HTTP/1.1
    proto_major: 1
    proto_minor: 1
    content_length: 36
    headers:
      Content-Length: ["36"]
      Content-Type: [application/json]
    body: |-
      {
        "id": 1,
        "list": [
          9007199254740993
        ]
      }
    duration: 0s
`

// An asked is a request of the tests below.
type asked struct{ method, path, contentType, body string }

var (
	create = asked{"POST", "/orders", "application/x-www-form-urlencoded", "total=2000"}
	update = asked{"PUT", "/orders/1", "application/json", `{"total":10.5}`}
)

// What people do to a cassette in an editor plays as they mean it: as it stands, checked
// out with other line ends, and once fmt has written it.
func TestEditsByHandPlay(t *testing.T) {
	for _, test := range []struct {
		name     string
		old, new string // "" for none
		ask      asked
		want     string // status and body
	}{
		{"untouched", "", "", create, "201 one\ntwo\n"},
		{"untouched JSON", "", "", update, "200 {\"id\": 1, \"list\": [9007199254740993]}\n"},
		{"the body of an answer, longer", "      two\n", "      two\n      three\n", create, "201 one\ntwo\nthree\n"},
		{"the body of an answer, without a line break at the end", "    body: |\n      one", "    body: |-\n      one", create, "201 one\ntwo"},
		{"JSON, one member more", "\"id\": 1,\n", "\"id\": 1, \"fee\": \"é\",\n", update, "200 {\"id\": 1, \"fee\": \"é\", \"list\": [9007199254740993]}\n"},
		{"JSON with other indentation", "\"id\": 1,\n        \"list\": [\n          9007199254740993\n        ]\n", "   \"id\": 2, \"list\": []\n", update, "200 {\"id\": 2, \"list\": []}\n"},
		{"JSON that is none any more", "        \"id\": 1,\n", "        id: 1,\n", update, "200 {\n  id: 1,\n  \"list\": [\n    9007199254740993\n  ]\n}"},
		{"the style removed", ", style: {request: compact, response: spaced newline}", "", update, "200 {\n  \"id\": 1,\n  \"list\": [\n    9007199254740993\n  ]\n}"},
		{"another style", "response: spaced newline", "response: compact", update, "200 {\"id\":1,\"list\":[9007199254740993]}"},
		{"all of tapedeck: removed", "  tapedeck: {recorded: 2026-11-21, style: {request: compact, response: spaced newline}}\n", "", update, "200 {\n  \"id\": 1,\n  \"list\": [\n    9007199254740993\n  ]\n}"},
		{"the body of a form request", "    body: total=2000\n", "    body: total=3000&a%5B%5D=1\n", asked{create.method, create.path, create.contentType, "a[]=1&total=3000"}, "201 one\ntwo\n"},
		{"the form alone, which does not count", "total: [\"2000\"]", "total: [\"3000\"]", create, "201 one\ntwo\n"},
		{"the form removed", "    form:\n      total: [\"2000\"]\n", "", create, "201 one\ntwo\n"},
		{"the body of a JSON request", "10.50", "11", asked{update.method, update.path, update.contentType, `{"total": 11.0}`}, "200 {\"id\": 1, \"list\": [9007199254740993]}\n"},
		{"an id removed", "- id: 3\n  tapedeck:", "- tapedeck:", create, "201 one\ntwo\n"},
		{"another id", "- id: 3\n", "- id: 77\n", create, "201 one\ntwo\n"},
		{"another URL", "    url: https://api.test/orders\n", "    url: https://api.test/v2/orders?x=1\n", asked{create.method, "/v2/orders?x=1", create.contentType, create.body}, "201 one\ntwo\n"},
		{"another method", "    method: POST\n", "    method: PATCH\n", asked{"PATCH", create.path, create.contentType, create.body}, "201 one\ntwo\n"},
		{"content_length removed", "    content_length: 36\n    headers:\n      Content-Length: [\"36\"]\n      Content-Type: [text/plain]\n", "    headers:\n      Content-Type: [text/plain]\n", create, "201 one\ntwo\n"},
		{"another status", "    status: 201 Created\n    code: 201\n", "    status: 409 Conflict\n    code: 409\n", create, "409 one\ntwo\n"},
		{"the status line and protocol removed", "    status: 201 Created\n    code: 201\n    proto: HTTP/1.1\n    proto_major: 1\n    proto_minor: 1\n", "    code: 202\n", create, "202 one\ntwo\n"},
		{"no comment lines", "# POST https://api.test/orders → 201\n", "", create, "201 one\ntwo\n"},
		{"a body in quotes", "    body: |\n      one\n      two\n", "    body: \"one\\ttwo\"\n", create, "201 one\ttwo"},
		{"no body", "    body: |\n      one\n      two\n", "", create, "201 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			if n := strings.Count(recordedFile, test.old); test.old != "" && n != 1 {
				t.Fatalf("the edit is at %d places of the file", n)
			}
			edited := recordedFile
			if test.old != "" {
				edited = strings.Replace(recordedFile, test.old, test.new, 1)
			}
			file := filepath.Join(t.TempDir(), "edited.yaml")
			for _, eol := range []string{"\r\n", "\n"} {
				writeTestFile(t, file, strings.ReplaceAll(edited, "\n", eol))
				if got := playOne(t, file, test.ask); got != test.want {
					t.Errorf("line ends %q: played %q, want %q", eol, got, test.want)
				}
			}
			if code, _, said := inProcess("fmt", file); code != 0 {
				t.Fatalf("fmt ended with %d: %s", code, said)
			}
			if got := playOne(t, file, test.ask); got != test.want {
				t.Errorf("after fmt: played %q, want %q\n%s", got, test.want, readTestFile(t, file))
			}
			if code, listed, _ := inProcess("fmt", "--check", file); code != 0 || listed != "" {
				t.Errorf("fmt would change once more what it has written: %d %q", code, listed)
			}
		})
	}
}

// Two interactions with one id play in their order; fmt does not choose.
func TestOneIDTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "twice.yaml")
	twice := strings.Replace(recordedFile, "- id: 5\n", "- id: 3\n", 1)
	writeTestFile(t, file, twice)
	for _, ask := range []asked{create, update} {
		if got := playOne(t, file, ask); !strings.HasPrefix(got, "20") {
			t.Errorf("%s: %s", ask.path, got)
		}
	}
	code, out, said := inProcess("fmt", file)
	if want := "twice.yaml:29: interaction 3: its id stands in line 4 already; give one of the two the id 4, which is free"; code != exitUsage || out != "" || !strings.Contains(said, want) {
		t.Errorf("fmt: code %d, %q; want %q", code, said, want)
	}
	if readTestFile(t, file) != twice {
		t.Error("fmt has written the file")
	}
}

// playOne asks one thing of a cassette.
func playOne(t *testing.T, file string, ask asked) string {
	t.Helper()
	d, err := deck.New(file, deck.Options{Mode: deck.ReplayOnly})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(deck.Outcome{})
	req, err := http.NewRequest(ask.method, "https://api.test"+ask.path, strings.NewReader(ask.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", ask.contentType)
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != int64(len(body)) {
		t.Errorf("announced %d bytes, played %d", resp.ContentLength, len(body))
	}
	return resp.Status[:3] + " " + string(body)
}

// inProcess runs the program within this process.
func inProcess(arguments ...string) (code int, out, said string) {
	var stdout, stderr bytes.Buffer
	code = run(context.Background(), append([]string{"tapedeck"}, arguments...), stdio{strings.NewReader(""), &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

func writeTestFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readTestFile(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
