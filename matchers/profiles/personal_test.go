package profiles

import (
	"testing"

	"tapedeck/cassettes/redact"
)

// What the reference pages of the payment APIs show of people, as requests and answers
// carry it, with the rules that come with tapedeck.
func TestPersonalDataOfTheAPIs(t *testing.T) {
	cfg := redact.Config{PII: true}
	for _, p := range List() {
		cfg.Add = append(cfg.Add, p.Redact.Config().Add...)
	}
	rules, err := redact.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	for _, tt := range []struct{ name, method, host, path, contentType, in, want string }{
		{"Stripe: a customer by name alone", "POST", "api.stripe.com", "/v1/customers", formType, "name=Anna+Berg&metadata[tier]=gold", "name=Redacted-0001&metadata[tier]=gold"},
		{"Stripe: a product's name", "POST", "api.stripe.com", "/v1/products", formType, "name=Lamp", "name=Lamp"},
		{"Stripe: shipping of a checkout session", "POST", "api.stripe.com", "/v1/checkout/sessions/cs_test_a1", formType,
			"collected_information[shipping_details][name]=Anna+Berg&collected_information[shipping_details][address][line1]=Hauptstr.+5&collected_information[shipping_details][address][postal_code]=10115&collected_information[shipping_details][address][country]=DE&line_items[0][price_data][product_data][name]=Lamp",
			"collected_information[shipping_details][name]=Redacted-0001&collected_information[shipping_details][address][line1]=Redacted-0002&collected_information[shipping_details][address][postal_code]=10100&collected_information[shipping_details][address][country]=DE&line_items[0][price_data][product_data][name]=Lamp"},
		{"Stripe: a tax number", "POST", "api.stripe.com", "/v1/customers/cus_1/tax_ids", formType, "type=eu_vat&value=DE123456789", "type=eu_vat&value=Redacted-0001"},
		{"FastSpring: a session's customer", "POST", "api.fastspring.com", "/sessions/acme/main", jsonType,
			`{"language":"en","buyerIp":"84.12.9.100","customer":{"first":"Anna","last":"Berg","email":"anna@acme.dev","phone":"4155552671","addressLine1":"Hauptstr. 5","postalCode":"10115"},"cart":{"items":[{"product":"lamp","display":{"en":"Lamp"}}]}}`,
			`{"language":"en","buyerIp":"198.19.0.1","customer":{"first":"Redacted-0002","last":"Redacted-0003","email":"redacted-0004@example.com","phone":"9075550105","addressLine1":"Redacted-0006","postalCode":"10100"},"cart":{"items":[{"product":"lamp","display":{"en":"Lamp"}}]}}`},
		{"Digital River: a customer", "POST", "api.digitalriver.com", "/customers/5823594808", jsonType,
			`{"email":"anna@acme.dev","defaultSourceId":"fd74a5c5-0163-469a-ae8e-031f0259b576","locale":"en_US","type":"individual","enabled":true}`,
			`{"email":"redacted-0001@example.com","defaultSourceId":"fd74a5c5-0163-469a-ae8e-031f0259b576","locale":"en_US","type":"individual","enabled":true}`},
		{"Digital River: a tax identifier", "POST", "api.digitalriver.com", "/tax-identifiers", jsonType, `{"type":"uk","value":"GB123456789"}`, `{"type":"uk","value":"Redacted-0001"}`},
		{"Digital River: the tax identifiers of a customer", "GET", "api.digitalriver.com", "/customers/1", jsonType,
			`{"taxIdentifiers":[{"id":"4774f344-b4da-450c-9e4e-22963b0e1c0a","type":"uk","value":"GB123456789"}]}`, `{"taxIdentifiers":[{"id":"4774f344-b4da-450c-9e4e-22963b0e1c0a","type":"uk","value":"Redacted-0001"}]}`},
	} {
		s := redact.Scope{Method: tt.method, Host: tt.host, Path: tt.path}
		got, err := redact.NewVault(rules).Body(s, redact.InRequest, tt.contentType, []byte(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.name, err, got, tt.want)
		}
	}
}
