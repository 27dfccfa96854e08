package audit

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
