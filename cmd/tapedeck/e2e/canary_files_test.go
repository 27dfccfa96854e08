//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapedeck/examples/canary"
)

// startup plants one secret for messages about files and flags: none of them may
// quote what stands there.
func startup(t *testing.T) (r *canaryRun, secret string) {
	t.Helper()
	r = newCanaryRun(t)
	r.write(t, "work/here.txt", "something to search")
	secret = r.p.never("a secret where none belongs")
	r.look()
	return r, secret
}

// Errors about tapedeck.yaml name file, line and key, and never the value: it may
// be a secret that was put in the wrong place.
func TestCanaryConfiguration(t *testing.T) {
	t.Parallel()
	r, secret := startup(t)
	for i, text := range []string{
		"api_key: SECRET\n",
		"redcat: {token: SECRET}\n",
		"cassettes: {SECRET: 1}\n",
		"cassettes: [SECRET]\n",
		"strict: SECRET\n",
		"max_age: SECRET\n",
		"repeat: SECRET\n",
		"hosts: {record: SECRET}\n",
		"hosts: {record: [\"https://u:SECRET@api.example.com/\"]}\n",
		"hosts: {passthrough: [\"u:SECRET@api.example.com\"]}\n",
		"hosts: {api_key: SECRET}\n",
		"keep: {request: {token: SECRET}}\n",
		"keep: {request: [\"X-Token: SECRET\"]}\n",
		"sessions: {a: {token: SECRET}}\n",
		"sessions: {a: SECRET}\n",
		"rules: SECRET\n",
		"rules: [SECRET]\n",
		"rules: [{on: \"POST api.example.com/**\", token: SECRET}]\n",
		"rules: [{on: \"POST https://u:SECRET@api.example.com/**\"}]\n",
		"rules: [{on: \"POST api.example.com/x?token=SECRET\"}]\n",
		"rules: [{on: \"POST api.example.com/**\", ignore: SECRET}]\n",
		"rules: [{on: \"POST api.example.com/**\", as: {body.id: SECRET}}]\n",
		"rules: [{on: \"POST api.example.com/**\", repeat: SECRET}]\n",
		"rules: [{on: \"POST api.example.com/**\", echo: SECRET}]\n",
		"rules: [{on: \"POST api.example.com/**\", safe: SECRET}]\n",
		"rules: [{on: \"POST api.example.com/**\", headers: [\"X-Token: SECRET\"]}]\n",
		"rules: [{on: \"POST api.example.com/**\", rewrite: [{fact: body, find: \"SECRET(\", with: x}]}]\n",
		"redact: {add: [{id: mine, value: \"SECRET(\"}]}\n",
		"redact: {add: [{id: mine, value: \"SECRET\\\\\"}]}\n",
		"redact: {add: [{id: mine, value: \"[SECRET\"}]}\n",
		"redact: {add: [{id: mine, token: SECRET}]}\n",
		"redact: {add: [{id: mine, name: [SECRET]}]}\n",
		"redact: {unknown: SECRET}\n",
		"redact: {pii: SECRET}\n",
		"redact: {keep: [{rule: name-token, on: \"GET api.example.com/x\", at: body.token, reason: x, value: SECRET}]}\n",
		// What is not YAML.
		"api_key: 'SECRET\nstrict: true\n",
		"api_key: \"\\qSECRET\"\n",
		"api_key: @SECRET\n",
		"api_key: *SECRET\n",
		"api_key: !SECRET x\n",
		"api_key: &a SECRET\nother: *a\n",
		"strict: true\n\tapi_key: SECRET\n",
		"strict: true: SECRET\n",
		"strict: {true\nSECRET\n",
		"SECRET\n",
		"- SECRET\n",
		"%SECRET\n---\nstrict: true\n",
		"strict: \xffSECRET\n",
		"strict: true\nstrict: SECRET\n",
		"<<: {token: SECRET}\n",
		"--- {token: SECRET}\n--- SECRET\n",
	} {
		if leaveOut(i) {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			file := r.write(t, fmt.Sprintf("work/config-%d.yaml", i), strings.ReplaceAll(text, "SECRET", secret))
			r.mayHold[file] = true
			got := r.run(t, nil, "rules", "--config", file)
			got.mustEnd(t, 2)
			if !strings.Contains(got.stderr, filepath.Base(file)) {
				t.Errorf("the message names no file: %s", strings.ReplaceAll(got.String(), secret, "SECRET"))
			}
			if strings.Contains(got.stderr, secret) {
				t.Errorf("%q is quoted: %s", text, strings.ReplaceAll(got.stderr, secret, "SECRET"))
			}
		})
	}
}

// Flags and variables may carry credentials, right ones and such as cannot be read.
func TestCanaryFlags(t *testing.T) {
	t.Parallel()
	r, secret := startup(t)
	record := []string{"record", "--listen", "127.0.0.1:0", "--cassette", r.cassette()}
	for i, one := range []struct{ env, arguments []string }{
		{nil, append(record, "--upstream-proxy", "http://u:SECRET@exa mple:1")},
		{nil, append(record, "--upstream-proxy", "http://u:SECRET@example:port")},
		{nil, append(record, "--upstream-proxy", "ftp://u:SECRET@example:1")},
		{nil, append(record, "--upstream-proxy", "http://u:SECRET%zz@example:1")},
		{nil, append(record, "--upstream-proxy", "SECRET:u@")},
		{[]string{"TAPEDECK_UPSTREAM_PROXY=socks5://u:SECRET@example:1"}, record},
		{nil, append(record, "--map", "127.0.0.1:0=https://u:SECRET@")},
		{nil, append(record, "--map", "127.0.0.1:0=ftp://u:SECRET@api.example.com")},
		{nil, append(record, "--map", "127.0.0.1:0=https://u:SECRET%zz@api.example.com")},
		{nil, append(record, "--map", "192.0.2.1:1=https://u:SECRET@api.example.com")},
		{nil, append(record, "--map", "192.0.2.1:1=https://api.example.com/?token=SECRET")},
		{nil, append(record, "--map", "192.0.2.1:1=https://api.example.com/hooks/SECRET")},
		{nil, append(record, "--map", "192.0.2.1:1=https://api.example.com/#SECRET")},
		{nil, append(record, "--map", "https://u:SECRET@api.example.com")},
		{[]string{"HTTPS_PROXY=ftp://u:SECRET@example:1"}, []string{"exec", "--mode", "record-once", "--", "true"}},
		{[]string{"HTTPS_PROXY=http://u:SECRET@exa mple:1"}, []string{"exec", "--mode", "record-once", "--", "true"}},
		{[]string{"HTTPS_PROXY=http://u:SECRET@example:1"}, []string{"exec", "--mode", "replay-only", "--", "true"}},
		{nil, []string{"exec", "--mode", "record-once", "--", "no-such-program", "--token", "SECRET"}},
		{nil, []string{"exec", "--mode", "replay-only", "--", "curl", "-u", "u:SECRET", "https://api.example.com"}},
		{[]string{"TAPEDECK_TOKEN=SECRET"}, []string{"status", "--address", "127.0.0.1:1"}},
		{[]string{"TAPEDECK_TOKEN=SECRET", "TAPEDECK_CONTROL=http://u:SECRET@127.0.0.1:1"}, []string{"status"}},
		{[]string{"TAPEDECK_TOKEN=SECRET\n", "TAPEDECK_CONTROL=http://127.0.0.1:1"}, []string{"save"}},
	} {
		if leaveOut(i) {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			replace := func(list []string) []string {
				out := make([]string, len(list))
				for i, text := range list {
					out[i] = strings.ReplaceAll(text, "SECRET", secret)
				}
				return out
			}
			got := r.run(t, replace(one.env), replace(one.arguments)...)
			if got.code == 0 && one.arguments[0] != "exec" { // which may do without an upstream
				t.Errorf("no error: %s", strings.ReplaceAll(got.String(), secret, "SECRET"))
			}
			if strings.Contains(got.stdout+got.stderr, secret) {
				t.Errorf("%q is quoted: %s", one.arguments, strings.ReplaceAll(got.stderr, secret, "SECRET"))
			}
		})
	}
}

// handWritten is a cassette as somebody may write it, with SECRET where a rule
// says that it is one.
const handWritten = `version: 2
interactions:
- id: 0
  request:
    proto: HTTP/1.1
    proto_major: 1
    proto_minor: 1
    content_length: 0
    host: api.example.com
    body: token=SECRET
    form: {}
    headers:
      Authorization:
      - Bearer SECRET
      Content-Type:
      - application/x-www-form-urlencoded
    url: https://api.example.com/x?api_key=SECRET
    method: POST
  response:
    proto: HTTP/1.1
    proto_major: 1
    proto_minor: 1
    content_length: -1
    body: '{"access_token":"SECRET"}'
    headers:
      Content-Type:
      - application/json
      X-Auth-Token:
      - SECRET
    status: 200 OK
    code: 200
    duration: 0s
`

// A cassette that somebody broke by hand is refused with an error that names the
// line and does not show it.
func TestCanaryCassettes(t *testing.T) {
	t.Parallel()
	r, secret := startup(t)
	r.settings(t)
	fill := func(text string) string { return strings.ReplaceAll(text, "SECRET", secret) }
	whole := r.write(t, "work/whole.yaml", fill(handWritten))
	r.mayHold[whole] = true
	for _, arguments := range [][]string{
		{"export", whole}, {"recover", whole},
		{"exec", "--mode", "replay-only", "--strict", "--cassette", whole, "--report", r.path("work/strict.json"), "--", "true"},
	} {
		r.run(t, nil, arguments...)
	}
	if got := r.run(t, nil, "export", whole); got.code != 0 || strings.Count(got.stdout, "REDACTED") < 5 {
		t.Errorf("the cassette is not played as it should be: %s", strings.ReplaceAll(got.String(), secret, "SECRET"))
	}

	for i, change := range []struct{ from, to string }{
		{"- Bearer SECRET", "Bearer SECRET"},
		{"- Bearer SECRET", "- [Bearer SECRET]"},
		{"- Bearer SECRET", "- {Bearer: SECRET}"},
		{"- Bearer SECRET", "- 'Bearer SECRET"},
		{"- Bearer SECRET", "\t- Bearer SECRET"},
		{"- Bearer SECRET", "- \"\\qSECRET\""},
		{"- Bearer SECRET", "- @SECRET"},
		{"- Bearer SECRET", "- *SECRET"},
		{"- Bearer SECRET", "- !!binary SECRET?"},
		{"- Bearer SECRET", "- !SECRET x"},
		{"- Bearer SECRET", "- !!int SECRET"},
		{"body: token=SECRET", "body: {token: SECRET}"},
		{"body: token=SECRET", "body: [SECRET]"},
		{"body: token=SECRET", "body: !!binary token=SECRET"},
		{"body: token=SECRET", "body: token=SECRET: more"},
		{"body: token=SECRET", "body: \"token=SECRET"},
		{"body: token=SECRET", "body: a\n    body: SECRET"},
		{"form: {}", "form: SECRET"},
		{"form: {}", "form: {token: {a: SECRET}}"},
		{"url: https://api.example.com/x?api_key=SECRET", "url: SECRET"},
		{"url: https://api.example.com/x?api_key=SECRET", "url: https://u:SECRET%zz@api.example.com/"},
		{"url: https://api.example.com/x?api_key=SECRET", "url: \"https://api.example.com/\\x7f?SECRET\""},
		{"url: https://api.example.com/x?api_key=SECRET", "url: [https://api.example.com/, SECRET]"},
		{"code: 200", "code: SECRET"},
		{"code: 200", "code: [SECRET]"},
		{"status: 200 OK", "status: {SECRET: 1}"},
		{"proto: HTTP/1.1", "proto: SECRET"},
		{"method: POST", "method: SECRET"},
		{"host: api.example.com", "host: SECRET"},
		{"host: api.example.com", "remote_addr: SECRET\n    request_uri: SECRET"},
		{"status: 200 OK", "status: SECRET"},
		{"status: 200 OK", "status: 200 SECRET"},
		{"    status: 200 OK", "    proto: SECRET\n    status: 200 OK"},
		{"- id: 0", "- tapedeck: {cut: SECRET}\n  id: 0"},
		{"version: 2", "version: 2\ntapedeck: {unfinished: SECRET}"},
		{"version: 2", "version: 2\ntapedeck: {token: SECRET}"},
		{"version: 2", "# SECRET\nversion: 2"},
		{"version: 2", "version: 2\ntoken: SECRET"},
		{"duration: 0s", "duration: SECRET"},
		{"content_length: -1", "content_length: SECRET"},
		{"proto_major: 1", "proto_major: SECRET"},
		{"id: 0", "id: SECRET"},
		{"version: 2", "version: SECRET"},
		{"version: 2", "version: 2\n--- SECRET"},
		{"interactions:", "interactions: SECRET\nmore:"},
		{"    code: 200", "    code: 200\n    tapedeck: SECRET"},
		{"    code: 200", "    code: 200\n    tapedeck: {body: SECRET}"},
		{"  request:", "  tapedeck: {recorded: SECRET}\n  request:"},
		{"  request:", "  tapedeck: {token: SECRET}\n  request:"},
		{"  response:", "  tapedeck: [SECRET]\n  response:"},
	} {
		if leaveOut(i) {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			broken := strings.Replace(handWritten, change.from, change.to, 1)
			if broken == handWritten {
				t.Fatalf("%q stands nowhere", change.from)
			}
			file := r.write(t, fmt.Sprintf("work/broken-%d.yaml", i), fill(broken))
			r.mayHold[file] = true
			failed := 0
			for _, arguments := range [][]string{
				{"export", file},
				{"exec", "--mode", "replay-only", "--cassette", file, "--log-level", "debug", "--", "true"},
			} {
				got := r.run(t, nil, arguments...)
				if got.code != 0 {
					failed++
				}
				if strings.Contains(got.stdout+got.stderr, secret) {
					t.Errorf("%q: %s quotes it: %s", change.to, arguments[0], strings.ReplaceAll(got.stderr, secret, "SECRET"))
				}
			}
			t.Logf("%q: %d of 2 commands refuse it", change.to, failed)
		})
	}
}

// A journal that is no journal, and one that holds a secret, are not quoted either.
func TestCanaryJournals(t *testing.T) {
	t.Parallel()
	r, secret := startup(t)
	for i, text := range []string{
		"SECRET\n",
		"tapedeck-journalSECRET",
		"tapedeck-journal\x01e\x00\x00SECRET SECRET SECRET",
		"",
	} {
		name := fmt.Sprintf("work/j%d/.tapedeck/x.journal", i)
		file := r.write(t, name, strings.ReplaceAll(text, "SECRET", secret))
		for _, path := range []string{filepath.Dir(file), file} {
			mode := os.FileMode(0o700)
			if path == file {
				mode = 0o600
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		r.mayHold[file] = true
		cassette := r.path(fmt.Sprintf("work/j%d/x.yaml", i))
		for _, arguments := range [][]string{
			{"export", cassette},
			{"exec", "--mode", "replay-only", "--cassette", cassette, "--", "true"},
			{"recover", cassette},
		} {
			got := r.run(t, nil, arguments...)
			if strings.Contains(got.stdout+got.stderr, secret) {
				t.Errorf("%q: %s quotes it: %s", text, arguments[0], strings.ReplaceAll(got.stderr, secret, "SECRET"))
			}
		}
		// A damaged journal is copied aside, bytes and all, for its owner alone.
		damaged, err := filepath.Glob(filepath.Join(filepath.Dir(file), "x.damaged-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, copied := range damaged {
			r.mayHold[copied] = true
			if len(canary.Search(r.p.list(), copied, []byte(read(t, copied)))) == 0 && text != "" {
				t.Errorf("%q: the copy of the damaged journal is another", text)
			}
		}
		r.mu.Lock()
		for leak := range r.leaks { // seen before the copy had a name
			if strings.Contains(leak, ".damaged-") {
				delete(r.leaks, leak)
			}
		}
		r.mu.Unlock()
	}
}
