package audit

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zricethezav/gitleaks/v8/config"

	"tapedeck/cassettes/redact"
)

func newAuditor(t testing.TB, cfg Config) *Auditor {
	t.Helper()
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func look(t testing.TB, a *Auditor, file string, data []byte) *Report {
	t.Helper()
	r, err := a.Data(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// short lists findings as "line place rule".
func short(list []Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, strings.Join([]string{f.Place, f.Source, f.Rule}, " "))
	}
	return out
}

// TestGitleaksIsSilentOnPlaceholders shows every form of placeholder, at every kind of
// place, to gitleaks: as the audit does, and as somebody who runs gitleaks over a
// repository.
func TestGitleaksIsSilentOnPlaceholders(t *testing.T) {
	r := newRandom()
	all := samples(r)
	var values []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		values = append(values, all[id]...)
	}
	for range 4 {
		values = append(values, r.of(alnum, 32), r.of(hexes, 40), r.of(alnum+"+/", 40)) // of no provider's shape
	}
	fromEnv := r.of(alnum, 32)
	values = append(values, fromEnv)
	before := harOf(values)
	own := newAuditor(t, Config{Redact: redact.Config{Env: []string{"ACME_API_KEY=" + fromEnv}, PII: true}, Own: true})
	change, err := own.Redact("traffic.har", before)
	if err != nil {
		t.Fatal(err)
	}
	if change.Data == nil {
		t.Fatalf("nothing was replaced: %+v", change.Refused)
	}
	for _, rule := range own.rules.List() {
		if rule.Kind() == "value" && all[rule.ID] == nil {
			t.Errorf("there is no sample for rule %s", rule.ID)
		}
	}
	for _, v := range values {
		if strings.Contains(string(change.Data), strings.TrimSpace(v)) {
			t.Errorf("a value of %d bytes that begins with %.4s is still there", len(v), v)
		}
	}
	both := newAuditor(t, Config{Own: true, Gitleaks: true})
	for _, f := range look(t, both, "traffic.har", change.Data).Findings {
		t.Errorf("line %d: %s: %s %s: %s", f.Line, f.Place, f.Source, f.Rule, bytes.TrimSpace(lineOf(change.Data, f.Line)))
	}
	// gitleaks by itself, over the file: its generic rule takes the prefixes that keys
	// keep for randomness, and a JWT and a PEM block stay what they look like. No rule of a
	// provider fires, and with the allowlist that the docs give, none at all.
	detector := both.gitleaks.detector
	for _, leak := range detector.DetectBytes(change.Data) {
		known := leak.RuleID == "generic-api-key" || leak.RuleID == "jwt" || leak.RuleID == "private-key"
		if !known || len(redact.Placeholders(leak.Match)) == 0 {
			t.Errorf("gitleaks %s in the file: %.150s", leak.RuleID, leak.Match)
		}
	}
	allowed := newAuditor(t, Config{Gitleaks: true}).gitleaks.detector
	allowed.Config.Allowlists = append(allowed.Config.Allowlists, documentedAllowlist(t))
	for _, leak := range allowed.DetectBytes(change.Data) {
		t.Errorf("gitleaks %s in the file, with the allowlist: %.150s", leak.RuleID, leak.Match)
	}
	// The test can fail: the same traffic before redaction is full of findings.
	if n := len(allowed.DetectBytes(before[:len(before)/8])); n < 20 {
		t.Errorf("gitleaks finds %d secrets in a part of what was not redacted; that proves nothing", n)
	}
}

// documentedAllowlist is the one that docs/audit.md tells people to put into
// .gitleaks.toml.
func documentedAllowlist(t *testing.T) *config.Allowlist {
	t.Helper()
	doc, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "regexTarget = \"match\"")
	_, rest, ok2 := strings.Cut(rest, "'''")
	text, _, ok3 := strings.Cut(rest, "'''")
	if !ok || !ok2 || !ok3 {
		t.Fatal("docs/audit.md has no allowlist for .gitleaks.toml")
	}
	list := &config.Allowlist{RegexTarget: "match", Regexes: []*regexp.Regexp{regexp.MustCompile(text)}}
	if err := list.Validate(); err != nil {
		t.Fatal(err)
	}
	return list
}

func lineOf(data []byte, n int) []byte {
	lines := bytes.Split(data, []byte("\n"))
	if n < 1 || n > len(lines) {
		return nil
	}
	return lines[n-1]
}

const goVCR = `version: 2
interactions:
- id: 0
  request:
    method: POST
    url: https://u:hunter2hunter@api.acme.dev/v1/login/VALUE?token=VALUE
    headers:
      Authorization: [Bearer VALUE]
      Content-Type: [application/json]
      X-Note: ["fine"]
    body: '{"nested":[{"password":"hunter2"},{"client_secret":"VALUE"}]}'
  response:
    status: 200 OK
    code: 200
    headers:
      Content-Type: [application/json]
    body: |-
      {
        "n": 1,
        "echo": "VALUE"
      }
    duration: 0s
`

func TestFindingsNamePlaceRuleAndLine(t *testing.T) {
	data := []byte(strings.ReplaceAll(goVCR, "VALUE", newRandom().of(alnum, 24)))
	report := look(t, newAuditor(t, Config{Own: true}), "x.yaml", data)
	var got []string
	for _, f := range report.Findings {
		got = append(got, strings.Join([]string{itoa(f.Line), f.Request, f.Place, f.Rule}, " | "))
	}
	request := "POST https://api.acme.dev/v1/login/REDACTED-0002"
	want := []string{
		"6 | " + request + " | request path | name-token",
		"6 | " + request + " | request query.token | name-token",
		"6 | " + request + " | request userinfo | userinfo-password",
		"8 | " + request + " | request header.authorization | header-authorization",
		"11 | " + request + " | request body.nested[0].password | name-password",
		"11 | " + request + " | request body.nested[1].client_secret | name-client-secret",
		"20 | " + request + " | response body.echo | name-token",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)}), "0")
}

func TestNothingOfAValueIsPrinted(t *testing.T) {
	r := newRandom()
	all := samples(r)
	var values []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		values = append(values, all[id]...)
	}
	unknown := r.of(alnum, 30)
	data := harOf(append(values, unknown))
	data = bytes.ReplaceAll(data, []byte("/v1/0?"), []byte("/v1/"+unknown+"?")) // in the path of a request that is printed
	given, err := ReadValues(strings.NewReader(unknown + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{Own: true, Gitleaks: true, Values: given}, {Own: true}, {Values: given}} {
		a := newAuditor(t, cfg)
		s := &Summary{Reports: []*Report{look(t, a, "traffic.har", data)}}
		var out bytes.Buffer
		for _, write := range []func() error{
			func() error { return s.WriteText(&out) }, func() error { return s.WriteJSON(&out) }, func() error { return s.WriteSARIF(&out, "/", "v1.2.3") },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.Reports[0].Findings) < 10 {
			t.Errorf("only %d findings", len(s.Reports[0].Findings))
		}
		for _, v := range append(values, unknown) {
			for _, part := range []string{v, v[:min(len(v), 14)], v[max(0, len(v)-12):]} {
				if part != "" && !strings.Contains("-----BEGIN RSA PRIVATE KEY----- https://hooks.slack.com/services https://api.telegram.org/bot", part[:min(len(part), 14)]) &&
					strings.Contains(out.String(), part) {
					t.Errorf("part of a value that begins with %.6s is printed", v)
				}
			}
		}
	}
}

func TestKeepsAreListedApart(t *testing.T) {
	data := []byte(strings.ReplaceAll(strings.Replace(goVCR, `"echo": "VALUE"`, `"token": "KEPT"`, 1), "VALUE", newRandom().of(alnum, 24)))
	data = bytes.Replace(data, []byte("KEPT"), []byte(newRandom().of(hexes, 40)), 1)
	cfg := Config{Own: true, Gitleaks: true, Redact: redact.Config{Keep: []redact.Keep{
		{Rule: "name-token", On: "POST api.acme.dev/v1/login/{x}", At: "body.token", Reason: "a count"},
	}}}
	report := look(t, newAuditor(t, cfg), "x.yaml", data)
	if got := short(report.Kept); len(got) != 1 || got[0] != "response body.token tapedeck name-token" || report.Kept[0].Why != "a count" {
		t.Errorf("kept: %v", report.Kept)
	}
	for _, f := range report.Findings {
		if f.Place == "response body.token" {
			t.Errorf("a kept place is a finding too: %s %s", f.Source, f.Rule)
		}
	}
}

func TestGitleaksFindsWhatNoOwnRuleKnows(t *testing.T) {
	r := newRandom()
	// A name that gitleaks' generic rule knows and a value of no known shape.
	body := `{"a":1,"creds_for_acme":"` + r.of(alnum, 32) + `"}`
	data := []byte("version: 1\ninteractions:\n- request:\n    method: GET\n    url: https://api.acme.dev/x\n  response:\n    code: 200\n    headers: {Content-Type: [application/json]}\n    body: '" + body + "'\n")
	report := look(t, newAuditor(t, Config{Own: true, Gitleaks: true}), "x.yaml", data)
	if got := short(report.Findings); len(got) != 1 || got[0] != "response body.creds_for_acme gitleaks generic-api-key" || report.Findings[0].Line != 9 {
		t.Errorf("%+v", report.Findings)
	}
	ignore := Ignore{"x.yaml:generic-api-key:9": true}
	report = look(t, newAuditor(t, Config{Own: true, Gitleaks: true, Ignore: ignore}), "x.yaml", data)
	if len(report.Findings) != 0 || len(report.Kept) != 1 {
		t.Errorf("found %v, kept %v", report.Findings, report.Kept)
	}
}

func TestSuspects(t *testing.T) {
	body := `{"a":1,"blorb":"` + newRandom().of(alnum, 40) + `"}`
	data := []byte("version: 1\ninteractions:\n- request:\n    method: GET\n    url: https://api.acme.dev/x\n  response:\n    code: 200\n    headers: {Content-Type: [application/json]}\n    body: '" + body + "'\n")
	report := look(t, newAuditor(t, Config{Own: true}), "x.yaml", data)
	if len(report.Findings) != 0 || len(report.Suspects) != 1 || report.Suspects[0].Place != "response body.blorb" || report.Suspects[0].Line != 9 {
		t.Errorf("found %v, suspects %+v", report.Findings, report.Suspects)
	}
	report = look(t, newAuditor(t, Config{Own: true, Redact: redact.Config{RefuseUnknown: true}}), "x.yaml", data)
	if len(report.Findings) != 1 || len(report.Suspects) != 0 {
		t.Errorf("with refuse: found %v, suspects %v", report.Findings, report.Suspects)
	}
}
