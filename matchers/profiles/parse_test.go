package profiles

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

func regexpMatch(t *testing.T, pattern, s string) bool {
	t.Helper()
	ok, err := regexp.MatchString(pattern, s)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

const whole = `# a comment
cassettes: testdata/cassettes
hosts:
  record: ["localhost:9200"]
  passthrough: ["*.svc.local"]
  ignore: [telemetry.acme.dev]
profiles: {search.acme.dev: ./search.profile.yaml}
rules:
  - on: POST api.stripe.com/v1/checkout/sessions
    ignore: [body.metadata.run_id]
    as: {body.client_reference_id: uuid}
  - on: POST api.openai.com/v1/responses
    rewrite: [{fact: body.input, find: '\d{4}-\d\d-\d\d', with: DATE}]
  - on: POST search.acme.dev/{index}/_search
    safe: true
    unordered: [body.fields]
    headers: [X-Tenant]
    repeat: last
    echo: off
redact:
  add: [{id: acme-key, name: x-acme-key, in: [request-header]}, {id: acme-pat, value: 'acp_\w{30}', reason: a token, on: "* api.acme.dev/**"}]
  remove: [name-pin]
  keep: [{rule: name-token, on: GET api.acme.dev/quota, at: body.token, reason: a count}]
  unknown: list
keep:
  request: [X-Trace-*]
  response: [Date]
sessions:
  "checkout/**": {strict: true}
  "**": {max_age: 10d, repeat: cycle, sequence: gates, carry: off}
max_age: 90d
repeat: last
sequence: fifo
carry: on
strict: false
`

func TestParse(t *testing.T) {
	yes, no := true, false
	got, err := Parse("tapedeck.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Name:      "tapedeck.yaml",
		Cassettes: "testdata/cassettes",
		Hosts:     Hosts{Record: []string{"localhost:9200"}, Passthrough: []string{"*.svc.local"}, Ignore: []string{"telemetry.acme.dev"}},
		Profiles:  map[string]string{"search.acme.dev": "./search.profile.yaml"},
		Rules: []matchers.Rule{
			{On: "POST api.stripe.com/v1/checkout/sessions", Ignore: []string{"body.metadata.run_id"}, As: map[string]string{"body.client_reference_id": "uuid"}, Source: "tapedeck.yaml:9"},
			{On: "POST api.openai.com/v1/responses", Rewrite: []matchers.Rewrite{{Fact: "body.input", Find: `\d{4}-\d\d-\d\d`, With: "DATE"}}, Source: "tapedeck.yaml:12"},
			{On: "POST search.acme.dev/{index}/_search", Safe: true, Unordered: []string{"body.fields"}, Headers: []string{"X-Tenant"}, Repeat: "last", Echo: "off", Source: "tapedeck.yaml:14"},
		},
		Redact: Redact{
			Add: []Redaction{
				{ID: "acme-key", Name: "x-acme-key", In: []string{"request-header"}, Reason: "added in tapedeck.yaml:21", Source: "tapedeck.yaml:21"},
				{ID: "acme-pat", Value: `acp_\w{30}`, Reason: "a token", On: "* api.acme.dev/**", Source: "tapedeck.yaml:21"},
			},
			Remove:  []string{"name-pin"},
			Keep:    []Exemption{{Rule: "name-token", On: "GET api.acme.dev/quota", At: "body.token", Reason: "a count", Source: "tapedeck.yaml:23"}},
			Unknown: "list",
		},
		Keep: Keep{Request: []string{"X-Trace-*"}, Response: []string{"Date"}},
		Sessions: Sessions{
			{Glob: "checkout/**", Strict: &yes},
			{Glob: "**", MaxAge: 10, Repeat: "cycle", Sequence: "gates", Carry: "off"},
		},
		MaxAge: 90,
		Repeat: "last", Sequence: "fifo", Carry: "on",
		Strict: &no,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Error(diff)
	}
	for path, at := range map[string]string{
		"redact.remove[0]":                     "tapedeck.yaml:22",
		"sessions.**":                          "tapedeck.yaml:30",
		"rules[0].as.body.client_reference_id": "tapedeck.yaml:11",
		"rules[9]":                             "tapedeck.yaml",
		"hosts.passthrough[0]":                 "tapedeck.yaml:5",
		"redact.add[1].value":                  "tapedeck.yaml:21",
	} {
		if got := got.At(path); got != at {
			t.Errorf("At(%q) = %q, want %q", path, got, at)
		}
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "~\n", "rules:\nhosts:\n  record:\nredact:\n  add:\nsessions:\n", "{}\n"} {
		f, err := Parse("tapedeck.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if len(f.Rules)+len(f.Sessions)+len(f.Warnings) > 0 {
			t.Errorf("%q: gives %+v", text, f)
		}
	}
}

func TestParseWarnings(t *testing.T) {
	f, err := Parse("t.yaml", []byte("redact:\n  pii: true\n  unknown: refuse\nrules:\n- on: POST a.dev/x\n  affects: [GET a.dev/y]\n- on: GET a.dev/x\n  affects: [GET a.dev/y]\n- {on: POST a.dev/search, safe: true, affects: [GET a.dev/y]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"t.yaml:8: rules[1].affects has no effect: the requests that this rule is about are safe, and change nothing; write the rule about those that do",
		"t.yaml:9: rules[2].affects has no effect: the requests that this rule is about are safe, and change nothing; write the rule about those that do",
	}
	if diff := cmp.Diff(want, f.Warnings); diff != "" {
		t.Error(diff)
	}
	f, err = Parse("t.yaml", []byte("redact: {pii: false, unknown: list}\n"))
	if err != nil || len(f.Warnings) > 0 {
		t.Errorf("got %v, %v", f, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("a: &a [*a]\n")
	f.Add("rules: [{on: x}]\n")
	f.Add("<<: {a: 1}\n? [x]\n: y\n")
	f.Add("sessions: {\"a/**/b\": {max_age: 3d}}\nkeep: {request: [\"*\"]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse("t.yaml", []byte(text))
		if (err == nil) != (got != nil) {
			t.Fatalf("got %v and %v", got, err)
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "t.yaml:") {
					t.Fatalf("error line without its place: %q", line)
				}
			}
			return
		}
		if _, err := matchers.New(got.Rules); err != nil {
			t.Fatalf("the rules do not compile: %v", err)
		}
		if _, err := redact.Compile(redact.Config{Add: got.Redact.Config().Add}); err != nil && !strings.Contains(err.Error(), "the id is taken") {
			t.Fatalf("the redactions do not compile: %v", err)
		}
		again, err := Parse("t.yaml", []byte(text))
		if err != nil || !cmp.Equal(got, again, cmpopts.IgnoreUnexported(File{})) {
			t.Fatalf("two reads of one text differ")
		}
	})
}
