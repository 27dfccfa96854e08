package profiles

import (
	"net/http"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// TestShippedRules reads requests as all the shipped profiles together have them read.
func TestShippedRules(t *testing.T) {
	var list []matchers.Rule
	for _, f := range List() {
		list = append(list, f.Rules...)
	}
	m, err := matchers.New(list)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(url, header, value, contentType, body string) matchers.Reading {
		t.Helper()
		raw, err := http.NewRequest("POST", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			raw.Header.Set(header, value)
		}
		raw.Header.Set("Content-Type", contentType)
		c := &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: m.Stores}
		req, err := c.Request(raw, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return m.Read(req, nil)
	}

	for _, h := range []struct{ url, name string }{
		{"https://api.stripe.com/v1/customers", "Stripe-Context"},
		{"https://api.digitalriver.com/customers", "DigitalRiver-Version"},
		{"https://api.anthropic.com/v1/messages", "anthropic-beta"},
	} {
		one, two := read(h.url, h.name, "a", "application/json", `{}`), read(h.url, h.name, "b", "application/json", `{}`)
		if one.Key == two.Key {
			t.Errorf("%s does not count at %s", h.name, h.url)
		}
		if one, two = read("https://acme.dev/", h.name, "a", "application/json", `{}`), read("https://acme.dev/", h.name, "b", "application/json", `{}`); one.Key != two.Key {
			t.Errorf("%s counts elsewhere", h.name)
		}
	}

	for url, safe := range map[string]bool{
		"https://api.stripe.com/v1/invoices/create_preview":  true,
		"https://api.stripe.com/v1/invoices":                 false,
		"https://api.openai.com/v1/embeddings":               true,
		"https://api.openai.com/v1/moderations":              true,
		"https://api.openai.com/v1/responses":                false,
		"https://api.anthropic.com/v1/messages/count_tokens": true,
		"https://api.anthropic.com/v1/messages":              false,
		"https://api.github.com/markdown":                    true,
		"https://api.github.com/markdown/raw":                true,
		"https://api.github.com/graphql":                     false,
		"https://api.fastspring.com/sessions":                false,
		"https://api.digitalriver.com/customers/5823594808":  false,
	} {
		if got := read(url, "", "", "application/json", `{}`).Safe; got != safe {
			t.Errorf("POST %s: safe is %v", url, got)
		}
	}

	const uuid, other = "9b2c7a50-5f5e-4f39-9a57-1d6f0e6a8f10", "0d0c7f6e-1111-4f39-9a57-1d6f0e6a8f11"
	form := "application/x-www-form-urlencoded"
	run := func(token string) matchers.Key {
		return read("https://ec2.eu-west-1.amazonaws.com/", "", "", form, "Action=RunInstances&ClientToken="+token).Key
	}
	if run(uuid) != run(other) {
		t.Error("EC2's idempotency token counts by more than its shape")
	}
	if run(uuid) == run("mine") {
		t.Error("an idempotency token of the program's own does not count")
	}
	// The buyer's address decides country and currency.
	session := func(ip string) matchers.Key {
		return read("https://api.fastspring.com/sessions/store/main", "", "", "application/json", `{"buyerIp":"`+ip+`"}`).Key
	}
	if session("192.0.2.1") == session("192.0.2.2") {
		t.Error("FastSpring's buyerIp does not count")
	}
}
