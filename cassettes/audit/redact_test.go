package audit

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	recorderv3 "gopkg.in/dnaeon/go-vcr.v3/recorder"
	cassettev4 "gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	recorderv4 "gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"tapedeck/cassettes/redact"
)

// cassettesOf are files of several recorders with the same secret in them.
func cassettesOf(secret string) map[string]string {
	return map[string]string{
		"govcr.yaml": "---\n# by hand\nversion: 2\ninteractions:\n    - id: 0\n      request:\n        proto: HTTP/1.1\n        proto_major: 1\n        proto_minor: 1\n        content_length: 0\n        host: api.acme.dev\n        form: {}\n        headers:\n            Authorization:\n                - Bearer " + secret + "\n        url: https://api.acme.dev/me\n        method: GET\n        body: \"\"\n" +
			"      response:\n        proto: HTTP/1.1\n        proto_major: 1\n        proto_minor: 1\n        content_length: 55\n        uncompressed: false\n        body: '{\"access_token\":\"" + secret + "\", \"plan\": \"free\"}'\n        headers:\n            Content-Length:\n                - \"55\"\n            Content-Type:\n                - application/json\n        status: 200 OK\n        code: 200\n        duration: 5ms\n",
		"vcr.yaml":    "---\nhttp_interactions:\n- request:\n    method: get\n    uri: https://api.acme.dev/me?access_token=" + secret + "\n    body:\n      encoding: US-ASCII\n      string: ''\n    headers: {}\n  response:\n    status:\n      code: 200\n      message: OK\n    headers: {}\n    body:\n      encoding: UTF-8\n      string: '{\"access_token\":\"" + secret + "\"}'\n  recorded_at: Tue, 01 Nov 2026 04:58:44 GMT\nrecorded_with: VCR 6.2.0\n",
		"vcrpy.yaml":  "interactions:\n- request:\n    body: null\n    headers:\n      Authorization:\n      - Bearer " + secret + "\n    method: GET\n    uri: https://api.acme.dev/me\n  response:\n    body:\n      string: !!python/unicode '{\"access_token\":\"" + secret + "\", \"text\": \"it goes\n        on\"}'\n    headers: {}\n    status: {code: 200, message: OK}\nversion: 1\n",
		"browser.har": `{"log": {"version": "1.2", "entries": [{"request": {"method": "GET", "url": "https://api.acme.dev/me", "headers": [{"name": "Authorization", "value": "Bearer ` + secret + `"}]}, "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": "{\"access_token\":\"` + secret + `\"}"}}}]}}`,
	}
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

func redactAll(t *testing.T, a *Auditor, dir string, write bool) *Changes {
	t.Helper()
	files, _, err := Find([]string{dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := a.RedactFiles(context.Background(), files, write, nil)
	if err != nil || len(changes.Errors) > 0 {
		t.Fatal(err, changes.Errors)
	}
	return changes
}

func TestRedactReplacesFilesOnce(t *testing.T) {
	secret := newRandom().of(alnum, 20)
	dir := t.TempDir()
	files := cassettesOf(secret)
	writeAll(t, dir, files)
	a := newAuditor(t, Config{Own: true})

	for _, c := range redactAll(t, a, dir, false).List {
		if c.Data == nil {
			t.Errorf("%s would not change", c.File)
		}
	}
	for name, text := range files {
		if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != text {
			t.Errorf("%s has changed in a run that was to write nothing", name)
		}
	}

	redactAll(t, a, dir, true)
	clean := make(map[string][]byte)
	for name, text := range files {
		file := filepath.Join(dir, name)
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clean[name] = got
		want := strings.ReplaceAll(strings.ReplaceAll(text, secret, "REDACTED-0001"), "55", "48")
		if string(got) != want {
			t.Errorf("%s: more than the values has changed:\n%s", name, got)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: the permissions are not what they were: %v", name, info.Mode())
		}
		report := look(t, a, name, got)
		if len(report.Findings) != 0 {
			t.Errorf("%s: after it, the audit finds %v", name, short(report.Findings))
		}
	}
	for _, c := range redactAll(t, a, dir, true).List {
		if c.Data != nil || len(c.Replaced) > 0 {
			t.Errorf("%s changes again", c.File)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(files) {
		t.Errorf("files are left behind: %v", entries)
	}
}

func TestRedactLeavesWhatItCannotReplace(t *testing.T) {
	secret := newRandom().of(alnum, 20)
	for name, text := range map[string]string{
		"a host":              "version: 1\ninteractions:\n- request:\n    method: GET\n    url: https://ghp" + "_" + newRandom().of(alnum, 36) + ".acme.dev/\n  response:\n    code: 200\n    body: ''\n",
		"an unknown encoding": "version: 1\ninteractions:\n- request:\n    method: GET\n    url: https://api.acme.dev/?token=" + secret + "\n  response:\n    code: 200\n    headers: {Content-Encoding: [secret-squeeze]}\n    body: !!binary /wD/AA==\n",
		"base64 that is none": "http_interactions:\n- request:\n    method: get\n    uri: https://api.acme.dev/?token=" + secret + "\n  response:\n    body: {encoding: x, base64_string: '****'}\n",
		"a missing body file": "version: 2\ntapedeck: {}\ninteractions:\n- id: 0\n  tapedeck: {body_files: {response: sha256-" + strings.Repeat("0", 64) + "}}\n  request:\n    method: GET\n    url: https://api.acme.dev/?token=" + secret + "\n  response:\n    code: 200\n",
	} {
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		changes := redactAll(t, newAuditor(t, Config{Own: true}), file, true)
		if len(changes.List) != 1 || len(changes.List[0].Refused) == 0 {
			t.Errorf("%s: it is not refused", name)
			continue
		}
		if got, _ := os.ReadFile(file); string(got) != text {
			t.Errorf("%s: the file has changed", name)
		}
		for _, f := range changes.List[0].Refused {
			if f.Line == 0 || f.Rule == "" || f.Why == "" || strings.Contains(f.Why, secret) {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// TestBodyFilesAreLookedInto: bodies that tapedeck stores beside a cassette.
func TestBodyFilesAreLookedInto(t *testing.T) {
	dir := t.TempDir()
	name := "sha256-" + strings.Repeat("a", 64)
	if err := os.Mkdir(filepath.Join(dir, "x.bodies"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeAll(t, dir, map[string]string{
		"x.yaml": "version: 2\ninteractions:\n- id: 4\n  tapedeck: {body_files: {response: " + name + "}}\n  request:\n    method: GET\n    url: https://api.acme.dev/big\n  response:\n    code: 200\n    headers:\n      Content-Type: [application/json]\n",
	})
	writeAll(t, filepath.Join(dir, "x.bodies"), map[string]string{name: `{"access_token":"` + newRandom().of(alnum, 24) + `"}`})
	a := newAuditor(t, Config{Own: true})
	report, err := a.File(filepath.Join(dir, "x.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := short(report.Findings); len(got) != 1 || got[0] != "response body.access_token tapedeck name-token" || report.Findings[0].Line != 4 {
		t.Errorf("%+v", report.Findings)
	}
	if c := redactAll(t, a, filepath.Join(dir, "x.yaml"), true).List[0]; len(c.Refused) != 1 {
		t.Errorf("a body file cannot be replaced here: %+v", c)
	}
}

// TestGoVCRStillPlays plays a redacted file with the unmodified library.
func TestGoVCRStillPlays(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, map[string]string{"govcr.yaml": cassettesOf(newRandom().of(alnum, 20))["govcr.yaml"]})
	redactAll(t, newAuditor(t, Config{Own: true}), dir, true)
	name := filepath.Join(dir, "govcr")
	v3, err := recorderv3.NewWithOptions(&recorderv3.Options{CassetteName: name, Mode: recorderv3.ModeReplayOnly})
	if err != nil {
		t.Fatal(err)
	}
	v4, err := recorderv4.New(name, recorderv4.WithMode(recorderv4.ModeReplayOnly), recorderv4.WithMatcher(func(r *http.Request, i cassettev4.Request) bool {
		return r.Method == i.Method && r.URL.String() == i.URL
	}))
	if err != nil {
		t.Fatal(err)
	}
	for version, client := range map[string]*http.Client{"v3": v3.GetDefaultClient(), "v4": v4.GetDefaultClient()} {
		resp, err := client.Get("https://api.acme.dev/me")
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := `{"access_token":"REDACTED-0001", "plan": "free"}`; err != nil || string(body) != want || resp.ContentLength != int64(len(want)) {
			t.Errorf("%s: %q, %d bytes, %v", version, body, resp.ContentLength, err)
		}
	}
}

// TestPythonStillReads loads a redacted file as vcrpy does: with PyYAML's full loader.
func TestPythonStillReads(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import yaml").Run() != nil {
		t.Skip("python3 with PyYAML is not here; apt-get install python3-yaml brings it")
	}
	dir := t.TempDir()
	secret := newRandom().of(alnum, 20)
	writeAll(t, dir, map[string]string{"vcrpy.yaml": cassettesOf(secret)["vcrpy.yaml"], "vcr.yaml": cassettesOf(secret)["vcr.yaml"]})
	redactAll(t, newAuditor(t, Config{Own: true}), dir, true)
	const program = `
import sys, yaml
one = yaml.load(open(sys.argv[1]), Loader=yaml.Loader)
i = one["interactions"][0]
assert one["version"] == 1 and i["request"]["uri"] == "https://api.acme.dev/me"
assert i["request"]["headers"] == {"Authorization": ["Bearer REDACTED-0001"]}
assert i["response"]["body"]["string"] == '{"access_token":"REDACTED-0001", "text": "it goes on"}', i["response"]["body"]
two = yaml.safe_load(open(sys.argv[2]))["http_interactions"][0]
assert two["request"]["uri"] == "https://api.acme.dev/me?access_token=REDACTED-0001"
assert two["response"]["body"]["string"] == '{"access_token":"REDACTED-0001"}'
`
	out, err := exec.Command(python, "-c", program, filepath.Join(dir, "vcrpy.yaml"), filepath.Join(dir, "vcr.yaml")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// FuzzRedact: what is redacted is clean, and redacting it again changes no byte.
func FuzzRedact(f *testing.F) {
	r := newRandom()
	for _, text := range cassettesOf(r.of(alnum, 20)) {
		f.Add([]byte(text))
	}
	f.Add([]byte(strings.ReplaceAll(goVCR, "VALUE", r.of(alnum, 24))))
	f.Add(harOf([]string{r.jwt(), "4539578763621486"}))
	a, err := New(Config{Own: true, Redact: redact.Config{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := a.Redact("f", data)
		if err != nil || first.Data == nil {
			return
		}
		again, err := a.Redact("f", first.Data)
		if err != nil {
			t.Fatalf("what was redacted cannot be redacted again: %v", err)
		}
		if again.Data != nil && !bytes.Equal(again.Data, first.Data) {
			t.Fatalf("redacting again changes the file:\n%s\n%s", first.Data, again.Data)
		}
		if len(again.Refused) > 0 {
			t.Fatalf("what was redacted is refused: %+v", again.Refused)
		}
	})
}
