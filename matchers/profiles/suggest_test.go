package profiles

import (
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// TestSuggestedRules: the rule that a miss offers to paste is a valid file, and
// makes the request play.
func TestSuggestedRules(t *testing.T) {
	tests := []struct{ name, contentType, url, recorded, live string }{
		{"ignore", "application/json", "https://api.acme.dev/v1/orders", `{"n":1,"run":"a-7"}`, `{"n":1,"run":"b/9 {x}"}`},
		{"as", "application/json", "https://127.0.0.1:8443/v1/orders", `{"id":"9b2c7a50-5f5e-4f39-9a57-1d6f0e6a8f10"}`, `{"id":"0d0c7f6e-1111-4f39-9a57-1d6f0e6a8f11"}`},
		{"odd names", "application/json", "http://[::1]:9200/a%20b/x@y", `{"a.b":{"#":["k1"]}}`, `{"a.b":{"#":["k2"]}}`},
		{"form", "application/x-www-form-urlencoded", "https://api.stripe.com/v1/customers", "metadata[run id]=1x", "metadata[run id]=2y"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			read := func(m *matchers.Matcher, body string) (clean.Request, *clean.Cleaner) {
				rules, err := redact.Compile(redact.Config{})
				if err != nil {
					t.Fatal(err)
				}
				c := &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: m.Stores}
				raw, err := http.NewRequest("POST", test.url, nil)
				if err != nil {
					t.Fatal(err)
				}
				raw.Header.Set("Content-Type", test.contentType)
				req, err := c.Request(raw, []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				return req, c
			}
			index := func(rules []matchers.Rule) (*matchers.Matcher, *matchers.Index) {
				m, err := matchers.New(rules)
				if err != nil {
					t.Fatal(err)
				}
				req, c := read(m, test.recorded)
				in, err := c.Interaction(req, clean.Answer{Response: &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}}, Body: []byte("ok")})
				if err != nil {
					t.Fatal(err)
				}
				return m, matchers.NewIndex(m, []clean.Interaction{in})
			}
			m, ix := index(nil)
			req, _ := read(m, test.live)
			rule := ix.Nearest(m.Read(req, nil)).Rule
			if rule == "" {
				t.Fatal("no rule is offered")
			}
			f, err := Parse("tapedeck.yaml", []byte(rule))
			if err != nil {
				t.Fatalf("%v in\n%s", err, rule)
			}
			m, ix = index(f.Rules)
			req, _ = read(m, test.live)
			if found := ix.Lookup(m.Read(req, nil).Key); len(found) != 1 {
				t.Errorf("with the rule it still does not play:\n%s", strings.TrimSpace(rule))
			}
		})
	}
}
