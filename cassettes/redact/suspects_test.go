package redact

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const hex32 = "9f86d081884c7d659a2feaa0c55ad015"

// What is suspect and what is not, by name and value.
func TestSuspects(t *testing.T) {
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, contentType, body, want string }{
		{"a token under an unknown name", jsonType, `{"foo":"` + random1 + `"}`, "body.foo (22 bytes, letters and digits)"},
		{"hexadecimal", jsonType, `{"foo":"` + hex32 + `"}`, "body.foo (32 bytes, hexadecimal)"},
		{"base64", jsonType, `{"foo":"q7Zt2LmX9vRbK4wPjN8sYcHd83kf/Pq0sVnZ+mW5tQ=="}`, "body.foo (44 bytes, base64)"},
		{"in an array", jsonType, `{"list":[{"x_ticket":"` + random1 + `"},{"x_ticket":"` + random2 + `"}]}`, "body.list[0].x_ticket (22 bytes, letters and digits)"},
		{"in a form", formType, "a=1&x[ticket]=" + random1, "body.x.ticket (22 bytes, letters and digits)"},
		{"a key that says so", jsonType, `{"foo":"acme_key_` + random1 + `"}`, "body.foo (31 bytes, letters, digits and marks)"},

		{"a placeholder", jsonType, `{"foo":"REDACTED-0001","b":"acme_REDACTED-0000000002xyz"}`, ""},
		{"ids", jsonType, `{"id":"` + random1 + `","customer_id":"` + random2 + `","requestId":"` + hex32 + `","etag":"` + hex32 + `","order":"` + random1 + `"}`, ""},
		{"ids that say what they are of", jsonType, `{"foo":"cus_NffrFeUfNV2Hib","bar":"price_1MoBy5LkdIwHu7ixZhnattbh","baz":"cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u"}`, ""},
		{"an id elsewhere", jsonType, `{"id":"` + random1 + `","foo":"` + random1 + `"}`, ""},
		{"a UUID", jsonType, `{"foo":"fd74a5c5-0163-469a-ae8e-031f0259b576"}`, ""},
		{"hashes", jsonType, `{"sha256":"` + hex32 + hex32 + `","fingerprint":"Xt5EWLLDS7FJjR1c","commit":"` + hex32 + `"}`, ""},
		{"cursors", jsonType, `{"next_cursor":"` + random1 + `","nextPageToken":"` + random2 + `","starting_after":"` + random1 + `"}`, ""},
		{"dates and words", jsonType, `{"a":"2026-11-21T08:30:00.000Z","b":"payment_intent.succeeded","c":"requires_payment_method","d":"correct-horse-battery-staple","f":"invoice_line_items","e":"application/vnd.api+json"}`, ""},
		{"numbers", jsonType, `{"foo":"1234567890123456789","bar":12345678901234567890}`, ""},
		{"an image", jsonType, `{"foo":"` + strings.Repeat(random1, 30) + `"}`, ""},
		{"an image in a URL", jsonType, `{"foo":"data:image/png;base64,` + random1 + random2 + `"}`, ""},
		{"URLs and hosts", jsonType, `{"foo":"https://acme.dev/` + random1 + `","bar":"ec2-12-34-56-78.eu-west-1.compute.amazonaws.com","baz":"arn:aws:kms:eu-west-1:1234:key/x9"}`, ""},
		{"a published key", jsonType, `{"token":"tok_visa","key":"pk_test_51Hx9QeLkWv3RzTbYpNcMdAf"}`, ""},
		{"text without names", "text/plain", random1, ""},
	} {
		w := rules.Watch()
		w.Body(shop, InResponse, tt.contentType, []byte(tt.body))
		var got []string
		for _, s := range w.List() {
			got = append(got, strings.TrimPrefix(s.String(), "POST api.acme.dev/v1/orders: "))
			if strings.Contains(fmt.Sprint(s), random1) {
				t.Errorf("%s: the value is shown: %v", tt.name, s)
			}
			if s.Host != "api.acme.dev" {
				t.Errorf("%s: host %q", tt.name, s.Host)
			}
		}
		if g := strings.Join(got, "; "); g != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, g, tt.want)
		}
	}
}

func TestSuspectsInURLsAndHeaders(t *testing.T) {
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"/h/" + random1 + "/x", `path {id: my-h-segment, path: "GET api.acme.dev/h/{secret}/x"} GET api.acme.dev/h/{id}/x`},
		{"/" + random1, `path {id: my-path-segment, path: "GET api.acme.dev/{secret}"} GET api.acme.dev/{id}`},
		{"/v1/x?ticket=" + random1, `query.ticket {id: my-ticket, name: ticket} GET api.acme.dev/v1/x`},
		{"/customers/" + random1 + "/orders/" + random2, ""},
		{"/v1/sessions/fd74a5c5-0163-469a-ae8e-031f0259b576", ""},
		{"/v1/x?page=" + random1 + "&limit=10", ""},
	} {
		w := rules.Watch()
		path, _, _ := strings.Cut(tt.path, "?")
		w.URL(Scope{Method: "GET", Host: "api.acme.dev", Path: path}, "https://api.acme.dev"+tt.path)
		got := ""
		for _, s := range w.List() {
			got += s.Place + " " + s.Rule + " " + s.Request
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.path, got, tt.want)
		}
	}
	w := rules.Watch()
	w.Header(shop, InResponse, http.Header{
		"X-Acme-Ticket": {random1}, "Etag": {`"` + hex32 + `"`}, "X-Request-Id": {"Qm4tR7sW1yZk8QpL2xV9"}, "X-Amz-Id-2": {"Pw3sXvB8nYk2LqR6tZd9"}, "Content-Type": {"application/json"},
		"Location": {"https://app.acme.dev/cas?grant=" + random2}, "Stripe-Version": {"2024-06-20.acacia"}, "Strict-Transport-Security": {"max-age=63072000;includeSubDomains"},
	})
	var got []string
	for _, s := range w.List() {
		got = append(got, s.Place+" "+s.Rule)
	}
	want := map[string]bool{"header.x-acme-ticket {id: my-x-acme-ticket, name: X-Acme-Ticket}": true, "query.grant {id: my-grant, name: grant}": true}
	if len(got) != 2 || !want[got[0]] || !want[got[1]] {
		t.Errorf("%q", got)
	}
}

// The rule that a suspect comes with catches it, and the keep silences it.
func TestSuspectsCures(t *testing.T) {
	in := `{"foo":"` + random1 + `"}`
	kept, err := Compile(Config{Keep: []Keep{{Rule: UnknownRule, On: "POST api.acme.dev/v1/orders", At: "body.foo", Reason: "a number"}}})
	if err != nil {
		t.Fatal(err)
	}
	w := kept.Watch()
	w.Body(shop, InRequest, jsonType, []byte(in))
	if list := w.List(); len(list) > 0 {
		t.Errorf("kept: %v", list)
	}
	ruled, err := Compile(Config{Add: []Rule{{ID: "my-foo", Name: "foo"}}})
	if err != nil {
		t.Fatal(err)
	}
	w = ruled.Watch()
	w.Body(shop, InRequest, jsonType, []byte(body(t, NewVault(ruled), shop, InRequest, jsonType, in)))
	if list := w.List(); len(list) > 0 {
		t.Errorf("with a rule: %v", list)
	}
}

// The list is bounded, and each name of a host is in it once.
func TestSuspectsAreFew(t *testing.T) {
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	w := rules.Watch()
	for i := range 1000 {
		w.Body(shop, InRequest, jsonType, fmt.Appendf(nil, `{"foo":"%s%d","bar%d":"%s"}`, random1, i, i, random2))
	}
	if n := len(w.List()); n != maxSuspects {
		t.Errorf("%d", n)
	}
}

// Recorded answers of the payment APIs hold no suspects. They are in testdata/answers, as
// published in each API's reference.
func TestNoSuspectsInAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/answers/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v: %v", files, err)
	}
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clean := body(t, NewVault(rules), stripe, InResponse, jsonType, string(text))
		w := rules.Watch()
		w.Body(stripe, InResponse, jsonType, []byte(clean))
		for _, s := range w.List() {
			t.Errorf("%s: %s", file, s)
		}
	}
}
