package redact

import "testing"

// The gate holds rules that are limited to requests and places against the bytes of
// those, and of no others.
func TestCheckIn(t *testing.T) {
	v := vault(t, Config{Add: []Rule{
		{ID: "acme-pat", Value: `acp_\w{10}`, In: []string{"body"}},
		{ID: "acme-on", Value: `aco_\w{10}`, On: "POST api.acme.dev/v1/**"},
		{ID: "acme-query", Value: `acq_\w{10}`, In: []string{"query"}},
		{ID: "acme-path", Value: `acr_\w{10}`, In: []string{"path"}},
		{ID: "acme-request", Value: `acs_\w{10}`, In: []string{"request-header"}},
	}})
	elsewhere := Scope{Method: "GET", Host: "api.acme.dev", Path: "/v1/orders"}
	for _, tt := range []struct {
		scope       Scope
		place, text string
		rule        string
	}{
		{shop, "response body", "x acp_0123456789", "acme-pat"},
		{shop, "request headers", "X: acp_0123456789\n", ""},
		{shop, "request URL", "https://api.acme.dev/acp_0123456789", ""},
		{shop, "response headers", "X: aco_0123456789\n", "acme-on"},
		{elsewhere, "response headers", "X: aco_0123456789\n", ""},
		{shop, "request URL", "https://api.acme.dev/x?a=acq_0123456789", "acme-query"},
		{shop, "request URL", "https://api.acme.dev/acq_0123456789?a=1", ""},
		{shop, "request line", "POST https://api.acme.dev/acr_0123456789?a=1", "acme-path"},
		{shop, "request line", "POST https://api.acme.dev/x?a=acr_0123456789", ""},
		{shop, "request trailers", "X: acs_0123456789\n", "acme-request"},
		{shop, "informational headers", "X: acs_0123456789\n", ""},
		{shop, "status line", "acp_0123456789 acs_0123456789", ""},
	} {
		err := v.CheckIn(tt.scope, tt.place, []byte(tt.text))
		got := ""
		if refusal, ok := err.(*Refusal); ok {
			got = refusal.Rule
		}
		if got != tt.rule {
			t.Errorf("%s %s %q: refused by %q, want %q", tt.scope.Method, tt.place, tt.text, got, tt.rule)
		}
		if err := v.Check(tt.place, []byte(tt.text)); err != nil {
			t.Errorf("without a scope: %v", err)
		}
	}
}
