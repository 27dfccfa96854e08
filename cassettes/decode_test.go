package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

const whole = `version: 2
interactions:
- id: 4
  request: {method: GET, url: "https://a.test/"}
  response: {code: 200, body: ok}
`

func TestDecodeErrors(t *testing.T) {
	item := func(lines string) string { return "version: 2\ninteractions:\n- id: 4\n" + lines }
	for _, test := range []struct{ name, file, want string }{
		{"empty", "", "cassette dir/x.yaml: the file is empty; restore the file from version control, or move it away and record again"},
		{"only a comment", "# hello\n", "not one YAML document"},
		{"not YAML", "version: 2\ninteractions: [\n", "cassette dir/x.yaml:3: this is not YAML: "},
		{"truncated", whole[:len(whole)-20], "cassette dir/x.yaml:5: the file ends here, in the middle"},
		{"two documents", whole + "---\n" + whole, "not one YAML document"},
		{"a list", "- a\n", "cassette dir/x.yaml:1: this is not a cassette; "},
		{"no version", "interactions: []\n", ":1: version is missing; a cassette begins with \"version: 2\""},
		{"future version", "version: 3\ninteractions: []\n", ":1: it has format version 3, written by a later program; update tapedeck, or move it away and record again"},
		{"old version", "---\nversion: 1\n", ":2: it has format version 1; this is not go-vcr's version 2; move it away and record again"},
		{"version as text", "version: \"2\"\n", ":1: version must be a number; "},
		{"interactions as mapping", "version: 2\ninteractions: {a: 1}\n", ":2: interactions must be a list; "},
		{"duplicate key", item("  request: {}\n  request: {}\n"), ":5: interaction 4: the interaction has the same key twice; "},
		{"duplicate header", item("  request: {url: \"http://a\", headers: {A: [], A: []}}\n  response: {code: 200}\n"), ":4: interaction 4: request.headers has the same key twice"},
		{"no method", item("  request: {url: \"http://a\", method: \"GET /\\nHost: b\"}\n  response: {code: 200}\n"), ":4: interaction 4: request.method is no method; write one word, such as GET"},
		{"no request", item("  response: {code: 200}\n"), ":3: interaction 4: request is missing; restore the file, or move it away and record again"},
		{"no response", item("  request: {url: \"http://a\"}\n"), ":3: interaction 4: response is missing; restore the file, or move it away and record again"},
		{"no url", item("  request: {method: GET}\n  response: {code: 200}\n"), ":4: interaction 4: request.url is missing; "},
		{"code as text", item("  request: {url: \"http://a\"}\n  response:\n    code: \"200\"\n"), ":6: interaction 4: response.code must be a number; write it in digits, without quotes"},
		{"code out of range", item("  request: {url: \"http://a\"}\n  response: {code: 42}\n"), "response.code must be between 100 and 999; correct the file, or move it away and record again"},
		{"no code", item("  request: {url: \"http://a\"}\n  response: {}\n"), "response.code is missing; "},
		{"length", item("  request: {url: \"http://a\"}\n  response: {code: 200, content_length: -2}\n"), "response.content_length must be between -1"},
		{"header not a list", item("  request:\n    url: http://a\n    headers:\n      Accept: text/html\n  response: {code: 200}\n"), ":7: interaction 4: request.headers.Accept must be a list of values; write it as [value]"},
		{"header as list", item("  request: {url: \"http://a\", headers: [a]}\n  response: {code: 200}\n"), "request.headers must be a mapping; "},
		{"header name that may be traffic", item("  request: {url: \"http://a\", headers: {\"sk_live_x y\": a}}\n  response: {code: 200}\n"), "request.headers.(a name) must be a list"},
		{"body as mapping", item("  request: {url: \"http://a\"}\n  response: {code: 200, body: {a: 1}}\n"), "response.body must be text; put it in a block"},
		{"bad base64", item("  request: {url: \"http://a\"}\n  response: {code: 200, body: !!binary \"@\"}\n"), "response.body is marked !!binary and is not base64; restore the file, or move it away and record again"},
		{"unknown style", item("  tapedeck: {style: {response: curly}}\n  request: {url: \"http://a\"}\n  response: {code: 200}\n"), "tapedeck.style names a style that this version does not know; "},
		{"body file leaves the folder", item("  tapedeck: {body_files: {response: ../x}}\n  request: {url: \"http://a\"}\n  response: {code: 200}\n"), "tapedeck.body_files does not name a body file; "},
		{"pinned", item("  tapedeck: {pinned: 3}\n  request: {url: \"http://a\"}\n  response: {code: 200}\n"), "tapedeck.pinned must be true or false; "},
		{"inbound", item("  tapedeck: {direction: inbound}\n  request: {url: \"http://a\"}\n  response: {code: 200}\n"), "tapedeck.direction is written by a later version; update tapedeck"},
		{"merge key", "version: 2\na: &a {x: 1}\ninteractions:\n- <<: *a\n", ":4: interaction 0: the interaction uses a merge key (<<); "},
		{"unknown alias", item("  request: *nothing\n"), ":4: this is not YAML: it cannot be read here; "},
		{"id", "version: 2\ninteractions:\n- id: -1\n", "interaction 0: id must be between 0"},
		{"item", "version: 2\ninteractions:\n- 5\n", ":3: interaction 0: it must be a mapping; "},
		{"control character", "version: 2\na: \x01\n", ":2: the line holds a control character; restore the file from version control, or move it away and record again"},
		{"not UTF-8", "version: 2\n\na: \xff\n", ":3: the line is not UTF-8; "},
		{"UTF-16", "\xff\xfev\x00", ":1: the file is UTF-16; "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := decode("dir/x.yaml", []byte(test.file))
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) || format.Cure == "" {
				t.Fatalf("got %v, want a FormatError with %q (%d interactions)", err, test.want, len(c.list))
			}
			if strings.Contains(err.Error(), "sk_live") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
}

func TestDecodeRefusesAliasBombs(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 2\nx: &values [" + strings.TrimSuffix(strings.Repeat("v, ", 2000), ", ") + "]\ny: &headers {")
	for i := range 2000 {
		fmt.Fprintf(&b, "h%d: *values, ", i)
	}
	b.WriteString("z: [a]}\ninteractions:\n- &one {request: {url: \"http://a\", headers: *headers}, response: {code: 200, headers: *headers}}\n")
	b.WriteString(strings.Repeat("- *one\n", 2000))
	_, err := decode("x.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "aliases unfold to too much") {
		t.Fatalf("%d bytes that unfold to billions: %v", b.Len(), err)
	}
	_, err = decode("x.yaml", []byte("version: 2\ninteractions: &all\n- request: *all\n"))
	if err == nil {
		t.Fatal("an alias inside of what it stands for is taken")
	}
	c, err := decode("x.yaml", []byte("version: 2\nx: &h {A: [b]}\ninteractions:\n- {request: {url: \"http://a\", headers: *h}, response: {code: 200}}\n"))
	if err != nil || c.list[0].RequestHeader.Get("A") != "b" {
		t.Fatalf("an honest alias: %v", err)
	}
}

func TestDecodeOversized(t *testing.T) {
	_, err := decode("x.yaml", make([]byte, largestFile+1))
	if err == nil || !strings.Contains(err.Error(), "larger than 512 MiB") {
		t.Fatal(err)
	}
}

// What people and other programs do to files.
func TestDecodeTakes(t *testing.T) {
	for _, test := range []struct {
		name, file string
		check      func(c contents) bool
	}{
		{"document start and no tapedeck", "---\n" + whole, func(c contents) bool { return len(c.list) == 1 && string(c.list[0].ResponseBody) == "ok" }},
		{"no interactions", "version: 2\ninteractions:\n", func(c contents) bool { return len(c.list) == 0 }},
		{"unknown keys everywhere", "version: 2\nmu: 1\ninteractions:\n- id: 0\n  a: {b: c}\n  request: {url: \"http://a\", q: 1}\n  response: {code: 204, q: [1]}\n", func(c contents) bool { return c.list[0].Status == 204 }},
		{"indented list", "version: 2\ninteractions:\n    - id: 1\n      request:\n        url: http://a\n      response:\n        code: 200\n", func(c contents) bool { return c.list[0].ID == 1 && c.list[0].Method == "GET" }},
		{"header names", "version: 2\ninteractions:\n- request: {url: \"http://a\", headers: {accept: [a], Accept: [b]}}\n  response: {code: 200, headers: {content-type: [text/plain]}}\n",
			func(c contents) bool {
				return strings.Join(c.list[0].RequestHeader["Accept"], ",") == "b,a" && c.list[0].ResponseHeader.Get("Content-Type") == "text/plain"
			}},
		{"stale lengths", "version: 2\ninteractions:\n- request: {url: \"http://a\"}\n  response: {code: 200, content_length: 99, body: four, headers: {Content-Length: [\"99\"]}}\n",
			func(c contents) bool {
				return c.list[0].ResponseHeader.Get("Content-Length") == "4" && !c.list[0].Chunked
			}},
		{"chunked", "version: 2\ninteractions:\n- request: {url: \"http://a\"}\n  response: {code: 200, content_length: -1, body: four, headers: {Content-Length: [\"99\"]}}\n",
			func(c contents) bool {
				return c.list[0].Chunked && len(c.list[0].ResponseHeader["Content-Length"]) == 0
			}},
		{"gzip header, plain body", "version: 2\ninteractions:\n- request: {url: \"http://a\"}\n  response: {code: 200, body: plain, headers: {Content-Encoding: [gzip]}}\n",
			func(c contents) bool {
				return string(c.list[0].ResponseBody) == "plain" && c.list[0].ResponseHeader.Get("Content-Encoding") == ""
			}},
		{"scalars that are not text", "version: 2\ninteractions:\n- request: {url: \"http://a\", body: 12.50}\n  response: {code: 200, body: true, headers: {A: [1e3, null]}}\n",
			func(c contents) bool {
				return string(c.list[0].RequestBody) == "12.50" && string(c.list[0].ResponseBody) == "true" && c.list[0].ResponseHeader["A"][0] == "1e3"
			}},
		{"hand-edited JSON keeps its style", "version: 2\ninteractions:\n- tapedeck: {style: {response: compact newline}}\n  request: {url: \"http://a\"}\n  response:\n    code: 200\n    body: |\n      {\n         \"a\":   [1,\n         2]\n      }\n",
			func(c contents) bool { return string(c.list[0].ResponseBody) == "{\"a\":[1,2]}\n" && len(c.notes) == 0 }},
		{"hand-edited to no JSON", "version: 2\ninteractions:\n- tapedeck: {style: {response: compact}}\n  request: {url: \"http://a\"}\n  response: {code: 200, body: \"{oops\"}\n",
			func(c contents) bool {
				return string(c.list[0].ResponseBody) == "{oops" && strings.Contains(c.notes[0], "not valid JSON")
			}},
		{"form differs", "version: 2\ninteractions:\n- request: {url: \"http://a\", headers: {Content-Type: [application/x-www-form-urlencoded]}, form: {a: [\"2\"]}, body: a=1}\n  response: {code: 200}\n",
			func(c contents) bool {
				return string(c.list[0].RequestBody) == "a=1" && strings.Contains(c.notes[0], "the body counts")
			}},
		{"form agrees", "version: 2\ninteractions:\n- request: {url: \"http://a\", headers: {Content-Type: [application/x-www-form-urlencoded]}, form: {a: [\"1\", \"2\"], \"b[c]\": [\"\"]}, body: a=1&b%5Bc%5D=&a=2}\n  response: {code: 200}\n",
			func(c contents) bool { return len(c.notes) == 0 }},
		{"ids twice and none", "version: 2\ninteractions:\n" + strings.Repeat("- {id: 5, request: {url: \"http://a\"}, response: {code: 200}}\n", 2) + "- {request: {url: \"http://a\"}, response: {code: 200}}\n",
			func(c contents) bool {
				return c.list[0].ID == 5 && c.list[1].ID == 6 && c.list[2].ID == 7 && strings.Contains(c.notes[0], "stands twice")
			}},
		{"status of another code", "version: 2\ninteractions:\n- request: {url: \"http://a\"}\n  response: {code: 404, status: 200 OK}\n",
			func(c contents) bool {
				return c.list[0].Status == 404 && c.list[0].StatusText == "Not Found" && strings.Contains(c.notes[0], "the code counts")
			}},
		{"comments between interactions", "version: 2\ninteractions:\n# GET http://a → 200\n# mine\n- request: {url: \"http://a\"}\n  response: {code: 200}\n# and mine\n# GET http://b → 200\n" +
			"- request: {url: \"http://b\"} # another\n  response: {code: 200}\n# the last\n", func(c contents) bool { return c.remarks == 4 }},
		{"status without code", "version: 2\ninteractions:\n- request: {url: \"http://a\"}\n  response: {code: 404, status: Nope}\n", func(c contents) bool { return c.list[0].StatusText == "Nope" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, eol := range []string{"\n", "\r\n"} {
				c, err := decode("x.yaml", []byte(strings.ReplaceAll(test.file, "\n", eol)))
				if err != nil {
					t.Fatal(err)
				}
				if !test.check(c) {
					t.Errorf("line ends %q: read %+v, notes %q", eol, c.list, c.notes)
				}
			}
		})
	}
}

func TestKeysOfALaterVersionAreKept(t *testing.T) {
	const file = `version: 2
tapedeck: {later: {a: [1, "b\nc", true]}, unfinished: interrupted}
interactions:
- id: 0
  tapedeck: {frames: [1, 2], recorded: 2026-11-21, zoo: "é"}
  request: {url: "http://a"}
  response: {code: 200}
`
	c, err := decode("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	once, _ := encode(c, largestBody)
	for _, want := range []string{`tapedeck: {unfinished: interrupted, later: {a: [1, "b\nc", true]}}`, `tapedeck: {recorded: 2026-11-21, frames: [1, 2], zoo: "é"}`} {
		if !strings.Contains(string(once), want) {
			t.Errorf("want %s in\n%s", want, once)
		}
	}
	c, err = decode("x.yaml", once)
	if err != nil {
		t.Fatal(err)
	}
	if twice, _ := encode(c, largestBody); !bytes.Equal(once, twice) {
		t.Errorf("saved again:\n%s\nfirst:\n%s", twice, once)
	}
}

func FuzzDecode(f *testing.F) {
	golden, _ := encode(contents{list: []entry{{Stored: sample()}, {Stored: clean.Stored{Meta: clean.Meta{ID: 4}, URL: "http://a", Status: 200, ResponseBody: []byte("\xff")}}}}, largestBody)
	f.Add(golden)
	f.Add([]byte(whole))
	f.Add([]byte("version: 2\nx: &a {b: [c]}\ninteractions: [{request: {url: 'http://a', headers: *a}, response: {code: 200}}]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := decode("x.yaml", file)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		once, _ := encode(c, largestBody)
		again, err := decode("x.yaml", once)
		if err != nil {
			t.Fatalf("what was read cannot be read once saved: %v\n%s", err, once)
		}
		if twice, _ := encode(again, largestBody); !bytes.Equal(once, twice) {
			t.Fatalf("saving again changes the file:\n%s\n%s", once, twice)
		}
	})
}
