package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/report"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// asCommand runs gitleaks as its command does over a file: over all of its lines, and
// over what is encoded in them.
func asCommand(g *gitleaks, data []byte) []report.Finding {
	g.detector.MaxDecodeDepth = 5 // --max-decode-depth
	return g.detector.DetectBytes(data)
}

// everySecret is a secret of every shape that a value rule knows, some of none, and the
// variables of an environment that holds some. keys are PEM blocks, which are left out
// of values.
func everySecret(t *testing.T) (values, keys, env []string) {
	t.Helper()
	r := newRandom()
	all := samples(r)
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules.List() {
		if rule.Kind() == "value" && all[rule.ID] == nil {
			t.Errorf("there is no sample for rule %s", rule.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if id == "value-private-key" {
			keys = append(keys, all[id]...)
			continue
		}
		values = append(values, all[id]...)
	}
	keys = append(keys, r.pem())
	for range 6 {
		values = append(values, r.of(alnum, 32), r.of(hexes, 40), r.of(alnum+"+/", 40)) // of no provider's shape
	}
	for _, name := range []string{"ACME_API_KEY", "STRIPE_SECRET_KEY", "X_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "K8S_CREDENTIALS"} {
		value := r.of(alnum, 32)
		values, env = append(values, value), append(env, name+"="+value)
	}
	value := "sk" + "_test_" + r.of(alnum, 24)
	values, env = append(values, value), append(env, "STRIPE_TEST_KEY="+value)
	return values, keys, env
}

// surroundings are the texts in which a secret stands for gitleaks to see: V is its place.
var surroundings = []string{"V", "the key is V.", "key: V.", "x-V", "V-x", "a=V", "key: id=V", "user.V.x", "https://api.acme.dev/v1?access_token=V&a=1",
	`{"token":"V"}`, "client_secret=V&grant_type=x", "Bearer V", "https://V.acme.dev/", "V, V", "key=V\nsecret=V", "%2FV%2F", `a\nV`, "<b>V</b>"}

// cassetteOf is a cassette of tapedeck that has recorded every value in every place, and
// some personal data. The numbers of its placeholders begin after last.
func cassetteOf(t *testing.T, values, env []string, last int) []byte {
	t.Helper()
	rules, err := redact.Compile(redact.Config{Env: env, PII: true, Add: []redact.Rule{{ID: "tenant", Host: `([a-z0-9]{12})\.acme\.dev`, Reason: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	c := &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
	c.Vault.Reserve([]byte("REDACTED-" + redact.Number(last)))
	var list []clean.Interaction
	for i, value := range values {
		line := strings.ReplaceAll(value, "\n", " ")
		member := map[string]any{"email": fmt.Sprintf("ada%d@lovelace.org", i), "first_name": "Ada", "auth_phone": "+1 415 867 53" + fmt.Sprint(10+i%90),
			"ip_address": fmt.Sprintf("81.2.69.%d", i%250), "token_host": fmt.Sprintf("x7f9k2m4%04d.acme.dev", i), "auth_user": "Ada Lovelace"}
		for _, name := range secretNames {
			member[name] = value
		}
		for j, around := range surroundings {
			member[fmt.Sprintf("auth_key_%d", j)] = strings.ReplaceAll(around, "V", value)
		}
		body, err := json.Marshal(member)
		if err != nil {
			t.Fatal(err)
		}
		form := "api_key=" + escape(value) + "&client_secret=" + escape(value)
		// A "+" for a space in a URL that stands in a comment is none to the audit.
		inURL := escape(strings.ReplaceAll(value, " ", ""))
		req, err := http.NewRequest("POST", fmt.Sprintf("https://api.acme.dev/v1/%d/%s?token=%s&api_key=%s", i, inURL, inURL, inURL), strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + line}, "X-Api-Key": {line}, "Cookie": {"session_token=" + escape(value)},
			"X-Secret-Note": {"key " + line}, "Content-Type": {"application/x-www-form-urlencoded"}}
		sent, err := c.Request(req, []byte(form))
		if err != nil {
			t.Fatal(err)
		}
		contentType, answer := "application/json", body
		if i%3 == 1 { // a text with the same lines, as settings files have them
			contentType, answer = "text/plain", []byte("api_key: "+value+"\nauth.token = x-"+line+"\nsecret=\""+line+"\"\n")
		}
		in, err := c.Interaction(sent, clean.Answer{Body: answer, Response: &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1",
			Header: http.Header{"Content-Type": {contentType}, "Set-Cookie": {"auth=" + escape(value) + "; Path=/"}, "X-Auth-Token": {line}}, ContentLength: int64(len(answer))}})
		if err != nil {
			t.Fatal(err)
		}
		in.ID = i
		list = append(list, in)
	}
	data, err := cassettes.Inline(list, cassettes.State{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gitleaks by itself is silent about every form of placeholder at every place, in files of
// tapedeck and of other tools.
func TestGitleaksIsSilentOnPlaceholders(t *testing.T) {
	values, _, env := everySecret(t)
	own := newAuditor(t, Config{Redact: redact.Config{Env: env, PII: true}, Own: true})
	before := harOf(values)
	change, err := own.Redact("traffic.har", before)
	if err != nil || change.Data == nil {
		t.Fatalf("nothing was replaced: %v, %+v", err, change)
	}
	both := newAuditor(t, Config{Own: true, Gitleaks: true})
	for name, data := range map[string][]byte{
		"traffic.har":   change.Data,
		"cassette.yaml": cassetteOf(t, values, env, 0),
		"digits.yaml":   cassetteOf(t, values, env, 2345), // digits that all differ are the most random
		// So much has no room between "glpat-" and what gitleaks takes for a token.
		"large.yaml": cassetteOf(t, slices.DeleteFunc(slices.Clone(values), func(v string) bool { return strings.HasPrefix(v, "glpat-") }), env, 123450),
	} {
		for _, v := range values {
			if strings.Contains(string(data), strings.TrimSpace(v)) {
				t.Errorf("%s: a value of %d bytes that begins with %.4s is still there", name, len(v), v)
			}
		}
		if n := len(redact.Placeholders(string(data))); n < 10*len(values) {
			t.Errorf("%s has only %d placeholders", name, n)
		}
		for _, leak := range asCommand(both.gitleaks, data) {
			t.Errorf("%s:%d: gitleaks %s: %.200s", name, leak.StartLine+1, leak.RuleID, leak.Match)
		}
		for _, f := range look(t, both, name, data).Findings {
			t.Errorf("%s:%d: %s: %s %s: %.200s", name, f.Line, f.Place, f.Source, f.Rule, bytes.TrimSpace(lineOf(data, f.Line)))
		}
	}
	// The test can fail: the same traffic before redaction is full of findings.
	if n := len(asCommand(both.gitleaks, before[:len(before)/8])); n < 20 {
		t.Errorf("gitleaks finds %d secrets in a part of what was not redacted; that proves nothing", n)
	}
}

// The placeholder of a private key keeps the markers of a PEM block. gitleaks takes all
// from the first one to any marker that is 64 characters further on for a key, so it
// fires when another key follows, and only then. The allowlist of the docs is for this.
func TestGitleaksOnPrivateKeys(t *testing.T) {
	_, keys, env := everySecret(t)
	both := newAuditor(t, Config{Own: true, Gitleaks: true})
	one := []byte("key: |\n  -----BEGIN PRIVATE KEY-----\n  REDACTED-0001\n  -----END PRIVATE KEY-----\ntoken: REDACTED-0002\n")
	for _, leak := range asCommand(both.gitleaks, one) {
		t.Errorf("one key: gitleaks %s: %.150s", leak.RuleID, leak.Match)
	}
	data := cassetteOf(t, keys, env, 0)
	fired := 0
	for _, leak := range asCommand(both.gitleaks, data) {
		if fired++; leak.RuleID != "private-key" {
			t.Errorf("gitleaks %s: %.150s", leak.RuleID, leak.Match)
		}
	}
	if fired == 0 {
		t.Error("gitleaks is silent about several keys: docs/audit.md need not give an allowlist")
	}
	allowed := newAuditor(t, Config{Gitleaks: true}).gitleaks
	rule := allowed.detector.Config.Rules["private-key"]
	rule.Allowlists = append(rule.Allowlists, documentedAllowlist(t))
	allowed.detector.Config.Rules["private-key"] = rule
	for _, leak := range asCommand(allowed, data) {
		t.Errorf("gitleaks %s, with the allowlist: %.150s", leak.RuleID, leak.Match)
	}
	// The audit knows them, and still finds a key that was not replaced behind one that was.
	for _, f := range look(t, both, "keys.yaml", data).Findings {
		t.Errorf("line %d: %s: %s %s", f.Line, f.Place, f.Source, f.Rule)
	}
	body := "-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n"
	removed := newAuditor(t, Config{Redact: redact.Config{Remove: []string{"value-private-key"}}, Gitleaks: true})
	if got := short(look(t, removed, "keys.har", harWith(t, map[string]string{"a": body, "b": body, "c": body + keys[0]})).Findings); !slices.Equal(got, []string{"response body.c gitleaks private-key"}) {
		t.Error(got)
	}
}

// A placeholder does not hide what is glued to it, and placeholders as earlier versions
// wrote them are none either.
func TestGluedSecretsAreFound(t *testing.T) {
	r := newRandom()
	a := newAuditor(t, Config{Gitleaks: true})
	for _, around := range []string{"PSECRET", "SECRETP", "P-SECRET", "SECRET.P", "sk_test_PSECRET", "SECRET_sk_test_PX", "P=SECRET", "P7SECRET"} {
		for _, ph := range []string{"REDACTED-0001", "REDACTED-0000000001", "REDACTED-KEY-0000000001", "REDACTED000000000001"} {
			text := strings.NewReplacer("P", ph, "SECRET", r.of(alnum, 30), "X", "").Replace(around)
			// The name is one that only gitleaks knows.
			if got := short(look(t, a, "glued.har", harWith(t, map[string]string{"access_note": text})).Findings); len(got) != 1 {
				t.Errorf("%s with %s: %v", around, ph, got)
			}
		}
	}
	for _, value := range []string{"sk_test_REDACTED-0001", "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_REDACTED0001", "whsec_REDACTED0001", "ghp_REDACTED-ACME_KEY-0055", "REDACTED-ACME_API_KEY-0055",
		"REDACTED-A00054321", "id=sk_test_REDACTED-0001", "sk_test_REDACTED-0001, sk_test_REDACTED-0000000002", "AKIAREDACTED-0001.", "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE5MDAwMDAwMDB9.REDACTED0001"} {
		for _, name := range []string{"api_key", "client_secret", "auth_note"} {
			if got := short(look(t, a, "before.har", harWith(t, map[string]string{name: value})).Findings); len(got) > 0 {
				t.Errorf("%s: %s: %v", name, value, got)
			}
		}
	}
}

// harWith is an exchange whose answer is a JSON object.
func harWith(t *testing.T, members map[string]string) []byte {
	t.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "entries": []any{map[string]any{
		"request":  map[string]any{"method": "GET", "url": "https://api.acme.dev/v1/x", "headers": []any{}},
		"response": map[string]any{"status": 200, "headers": []any{}, "content": map[string]any{"mimeType": "application/json", "text": string(body)}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The cassettes of the repository were written by tapedeck, or look so.
func TestGitleaksIsSilentOnTheRepository(t *testing.T) {
	g := newAuditor(t, Config{Gitleaks: true}).gitleaks
	seen := 0
	for _, pattern := range []string{"../../testdata/*.yaml", "../testdata/*.yaml", "../../examples/*/testdata/*/*.yaml", "../../examples/*/testdata/*.yaml", "../../examples/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			for _, leak := range asCommand(g, data) {
				t.Errorf("%s:%d: gitleaks %s: %.150s", file, leak.StartLine+1, leak.RuleID, leak.Match)
			}
		}
	}
	if seen == 0 {
		t.Error("no file was found")
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
	_, rest, ok := strings.Cut(string(doc), "targetRules = [\"private-key\"]")
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
