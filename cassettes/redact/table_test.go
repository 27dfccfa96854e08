package redact

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// secretFields are the names of docs/redaction.md under which a value is secret in a
// query, form, JSON, XML or multipart body. hidden is what stands there: some names
// want a value of their kind.
var secretFields = []struct{ name, hidden string }{
	{"client_secret", random1}, {"secret", random1}, {"webhook_secret", random1}, {"signing_secret", random1}, {"signingSecret", random1},
	{"api_key", random1}, {"access_token", random1}, {"refresh_token", random1}, {"id_token", random1}, {"token", random1},
	{"code_verifier", random1}, {"client_assertion", random1}, {"assertion", random1},
	{"password", "hunter2x"}, {"passwd", "hunter2x"}, {"pwd", "hunter2x"}, {"pin", "482913"}, {"otp", "482913"},
	{"sig", random1}, {"signature", random1}, {"X-Amz-Signature", random1}, {"X-Amz-Credential", random1}, {"X-Amz-Security-Token", random1},
	{"jwt", random1}, {"SAMLResponse", random1},
	{"number", card1}, {"card_number", card1}, {"cardNumber", card1}, {"cvc", "737"}, {"cvv", "737"}, {"account_number", "8675309123"},
	{"private_key", random1}, {"connection_string", "Server=db;Password=" + random1}, {"secretAccessKey", random1}, {"sessionToken", random1},
}

// secretPlaces are the places in which a name may stand: each writes a document that
// holds value under name.
var secretPlaces = []struct {
	place, contentType string
	write              func(name, value string) string
}{
	{"form", formType, func(n, v string) string { return "x=1&" + url.QueryEscape(n) + "=" + url.QueryEscape(v) }},
	{"form bracket", formType, func(n, v string) string { return "a[b][" + n + "]=" + url.QueryEscape(v) + "&x=1" }},
	{"form bracket, escaped", formType, func(n, v string) string { return "a%5B0%5D%5B" + n + "%5D=" + url.QueryEscape(v) }},
	{"JSON at the top", jsonType, func(n, v string) string { return fmt.Sprintf(`{%q:%q,"x":1}`, n, v) }},
	{"JSON at depth", jsonType, func(n, v string) string {
		return fmt.Sprintf(`{"data":[{"a":{"b":[[{"c":{%q: %q}}]]}}]}`, n, v)
	}},
	{"JSON array", jsonType, func(n, v string) string { return fmt.Sprintf(`{%q:[%q]}`, n, v) }},
	{"JSON in a string", jsonType, func(n, v string) string { return fmt.Sprintf(`{"log":%q}`, fmt.Sprintf(`{%q:%q}`, n, v)) }},
	{"JSON that is cut", "text/plain", func(n, v string) string { return fmt.Sprintf(`{"a":[{%q:%q`, n, v) }},
	{"NDJSON", "application/x-ndjson", func(n, v string) string { return fmt.Sprintf("{\"x\":1}\n{%q:%q}\n", n, v) }},
	{"event stream", "text/event-stream", func(n, v string) string { return fmt.Sprintf("event: a\ndata: {%q:%q}\n\n", n, v) }},
	{"XML element", "application/xml", func(n, v string) string { return fmt.Sprintf("<a><%s>%s</%s></a>", n, v, n) }},
	{"XML element with prefix and attribute", "text/xml", func(n, v string) string { return fmt.Sprintf(`<s:a xmlns:s="x"><s:%s id="7">%s</s:%s></s:a>`, n, v, n) }},
	{"multipart field", "multipart/form-data; boundary=b0", func(n, v string) string {
		return fmt.Sprintf("--b0\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n--b0--\r\n", n, v)
	}},
}

// Every name is caught in every place.
func TestEveryNameInEveryPlace(t *testing.T) {
	for _, field := range secretFields {
		for _, in := range secretPlaces {
			doc := in.write(field.name, field.hidden)
			for _, dir := range []Direction{InRequest, InResponse} {
				v := vault(t, Config{})
				got := body(t, v, shop, dir, in.contentType, doc)
				if strings.Contains(got, field.hidden) || strings.Contains(got, url.QueryEscape(field.hidden)) || len(Placeholders(got)) == 0 {
					t.Errorf("%s as %s (direction %d): %s", field.name, in.place, dir, got)
				}
			}
		}
		v := vault(t, Config{})
		for _, u := range []string{"https://api.acme.dev/x?a=1&" + field.name + "=" + url.QueryEscape(field.hidden), "https://api.acme.dev/x?a[b][" + field.name + "]=" + url.QueryEscape(field.hidden)} {
			got, err := v.URL(shop, InRequest, u)
			if err != nil || strings.Contains(got, url.QueryEscape(field.hidden)) || len(Placeholders(got)) != 1 {
				t.Errorf("%s in a query: %s, %v", field.name, got, err)
			}
		}
		link := "https://app.acme.dev/cb?x=1&" + field.name + "=" + url.QueryEscape(field.hidden)
		h, err := vault(t, Config{}).Header(shop, InResponse, http.Header{"Location": {link}, "Link": {"<" + link + `>; rel="next", </p?page=2>; rel="last"`}})
		if err != nil {
			t.Fatal(err)
		}
		for name := range h {
			if got := h.Get(name); strings.Contains(got, url.QueryEscape(field.hidden)) || !strings.Contains(got, "x=1") {
				t.Errorf("%s in %s: %s", field.name, name, got)
			}
		}
	}
}

// An authorization code is one in OAuth exchanges alone.
func TestCodeOnlyInOAuth(t *testing.T) {
	token := Scope{Method: "POST", Host: "id.acme.dev", Path: "/oauth/token"}
	for _, tt := range []struct {
		scope Scope
		body  string
		gone  bool
	}{
		{token, "grant_type=authorization_code&code=" + random1, true},
		{shop, "grant_type=authorization_code&code=" + random1, true},
		{shop, "country=DE&code=SPRING24", false},
	} {
		got := body(t, vault(t, Config{}), tt.scope, InRequest, formType, tt.body)
		if gone := got != tt.body; gone != tt.gone {
			t.Errorf("%s %s: %s", tt.scope.Path, tt.body, got)
		}
	}
	h, err := vault(t, Config{}).Header(shop, InResponse, http.Header{"Location": {"https://app.acme.dev/cb?code=" + random1 + "&state=xyz"}})
	if got := h.Get("Location"); err != nil || got != "https://app.acme.dev/cb?code=REDACTED-0001&state=xyz" {
		t.Errorf("%s, %v", got, err)
	}
}

// Every header of docs/redaction.md, and what stays of its value.
func TestEveryHeader(t *testing.T) {
	whole := []string{"X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token", "X-Amz-Security-Token", "X-Goog-Api-Key", "X-Shopify-Access-Token",
		"X-Vault-Token", "Private-Token", "X-Csrf-Token", "Stripe-Signature", "X-Hub-Signature", "X-Hub-Signature-256", "X-Hub-Signature-512", "Paypal-Auth-Assertion", "Dd-Api-Key",
		"Ocp-Apim-Subscription-Key", "X-Acme-Token", "X-Acme-Secret", "X-Acme-Password", "X-Acme-Api-Key", "X-Acme-Signature", "X-Acme-Credential"}
	for _, name := range whole {
		for _, value := range []string{random1, "short-and-weak"} {
			h, err := vault(t, Config{}).Header(shop, InRequest, http.Header{name: {value}})
			if got := h.Get(name); err != nil || got != "REDACTED-0001" {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
	}
	for _, tt := range []struct {
		dir               Direction
		name, value, want string
	}{
		{InRequest, "Authorization", "Bearer " + random1, "Bearer REDACTED-0001"},
		{InRequest, "Authorization", random1, "REDACTED-0001"},
		{InRequest, "Authorization", "Token token=" + random1, "Token REDACTED-0001"},
		{InRequest, "Cookie", "sid=" + random1 + "; theme=dark", "sid=REDACTED-0001; theme=REDACTED-0002"},
		{InResponse, "Set-Cookie", "sid=" + random1 + "; Path=/; HttpOnly", "sid=REDACTED-0001; Path=/; HttpOnly"},
		{InResponse, "Authentication-Info", `nextnonce="` + random1 + `"`, "REDACTED-0001"},
		{InResponse, "Location", "https://u:" + random1 + "@app.acme.dev/", "https://u:REDACTED-0001@app.acme.dev/"},
		{InResponse, "Location", "https://hooks.slack.com/services/T0ABCDEF/B0ABCDEF/" + random1, "https://hooks.slack.com/services/T0ABCDEF/B0ABCDEF/REDACTED-0001"},
		{InResponse, "Link", "<https://api.telegram.org/bot123456789:" + random1 + random2 + "/x>; rel=next", "<https://api.telegram.org/bot123456789:REDACTED-0001/x>; rel=next"},
	} {
		h, err := vault(t, Config{}).Header(shop, tt.dir, http.Header{tt.name: {tt.value}})
		if got := h.Get(tt.name); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v\nwant %s", tt.name, got, err, tt.want)
		}
	}
}
