package verify

import (
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// FuzzNoPlaceholderIsSent holds the promise: whatever a cassette holds, and whatever
// values there are for some of its placeholders, none of them reaches an API.
func FuzzNoPlaceholderIsSent(f *testing.F) {
	for _, seed := range [][4]string{
		{"/a/REDACTED-0001", "k=REDACTED-ACME_KEY-0000000001", "Bearer sk_test_REDACTED-0000000002", `{"a":"REDACTED-0003","b":["x REDACTED-0001 y"]}`},
		{"/%52EDACTED-0001", "REDACTED-0001=1&b=%52EDACTED-0002", "Basic alice:REDACTED-0001", "a=REDACTED-0001&b=redacted-0002%40example.com"},
		{"/bot12:REDACTED-0001/x", "", "Basic UkVEQUNURUQtMDAwMQ==", "--b\r\n\r\nREDACTED-0001\r\n--b--"},
		{"/a", "u=https%3A%2F%2Fx.dev%2F%3Fk%3DREDACTED-0001", "Token token=\"REDACTED-0001\"", "UkVEQUNURUQtMDAwMQ"},
		{"/a", "c=4988438843884305&p=%2B19075550101", "eyJhbGciOiJIUzI1NiJ9.ewoiaXNzIjoieCJ9.REDACTED000000000001", "\xff\x00REDACTED-0001"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	e := environment{"ACME_KEY": secret1, "ONE": secret2}
	base, m := cleanerOf(f, e, redact.Config{}), matcher(f)
	f.Fuzz(func(t *testing.T, path, query, authorization, body string) {
		for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=b", ""} {
			r := &recorder{t: t}
			r.stored = append(r.stored, clean.Stored{Meta: clean.Meta{Recorded: "2026-11-01"}, Method: "GET", URL: "https://api.acme.dev/" + strings.TrimPrefix(path, "/") + "?" + query,
				RequestHeader: http.Header{"Authorization": {authorization}, "Content-Type": {contentType}}, RequestBody: []byte(body),
				Status: 200, ResponseHeader: http.Header{}})
			cleaner := *base
			cleaner.Vault = redact.NewVault(base.Vault.Rules())
			in, err := cleaner.Load(r.stored[0])
			if err != nil {
				return // no cassette holds it
			}
			tr, list := &transport{Handler: echoing(`{}`), t: t}, []clean.Interaction{in}
			v := &Verifier{Transport: tr, Matcher: m, Cleaner: &cleaner, Lookup: e.lookup, Secrets: map[string]string{"0001": "ONE"}}
			plan, err := v.Plan(list)
			if err != nil {
				return
			}
			if _, err := plan.Run(t.Context()); err != nil {
				return
			}
			for _, sent := range tr.sent {
				if strings.Contains(sent, "REDACTED") {
					t.Errorf("sent %q", sent)
				}
				for _, ph := range redact.Placeholders(sent) {
					if strings.Contains(strings.ToLower(sent[ph.Start:ph.End]), "redacted") {
						t.Errorf("sent %q", sent)
					}
				}
			}
		}
	})
}
