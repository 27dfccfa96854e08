package redact

import (
	"strings"
	"testing"
)

// TestCSRFNames: what frameworks call their CSRF tokens is secret in forms, in JSON
// and in the pages that hand them out.
func TestCSRFNames(t *testing.T) {
	for framework, name := range map[string]string{
		"Django": "csrfmiddlewaretoken", "Rails": "authenticity_token", "ASP.NET": "__RequestVerificationToken", "Express and Spring": "_csrf",
		"Tornado": "_xsrf", "Laravel": "_token", "Flask": "csrf_token", "Angular": "XSRF-TOKEN", "others": "anti-csrf-token",
	} {
		for contentType, text := range map[string]string{
			formType:    "a=1&" + name + "=§",
			jsonType:    `{"` + name + `":"§"}`,
			"text/html": `<form><input type="hidden" name="` + name + `" value="§"></form>`,
		} {
			v := vault(t, Config{})
			want := strings.ReplaceAll(text, "§", "REDACTED-0001")
			if got := body(t, v, stripe, InResponse, contentType, strings.ReplaceAll(text, "§", random1)); got != want {
				t.Errorf("%s: got %s, want %s", framework, got, want)
			}
		}
	}
}
