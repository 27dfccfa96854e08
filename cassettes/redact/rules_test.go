package redact

import (
	"regexp"
	"strings"
	"testing"
)

// Which names are secret, and which only look so.
func TestNames(t *testing.T) {
	fields := map[string]string{
		"client_secret": "name-client-secret", "clientSecret": "name-client-secret", "Client-Secret": "name-client-secret", "secret": "name-client-secret",
		"webhook_secret": "name-client-secret", "signing.secret": "name-client-secret", "api_key": "name-api-key", "apiKey": "name-api-key", "X-API-KEY": "name-api-key",
		"access_token": "name-token", "accessToken": "name-token", "refresh_token": "name-token", "id_token": "name-token", "token": "name-token", "TOKEN": "name-token", "sessionToken": "name-token",
		"code": "name-code", "code_verifier": "name-code-verifier", "client_assertion": "name-assertion", "assertion": "name-assertion", "jwt": "name-assertion", "SAMLResponse": "name-assertion",
		"password": "name-password", "passwd": "name-password", "pwd": "name-password", "new_password": "name-password", "pin": "name-pin", "otp": "name-pin",
		"sig": "name-signature", "signature": "name-signature", "X-Amz-Signature": "name-signature", "X-Amz-Credential": "name-aws-credential",
		"X-Amz-Security-Token": "name-aws-credential", "secretAccessKey": "name-aws-credential", "number": "name-card-number", "card_number": "name-card-number",
		"cvc": "name-card-check", "cvv": "name-card-check", "account_number": "name-account-number", "private_key": "name-private-key", "connection_string": "name-connection-string",

		"": "", "tokens": "", "token_type": "", "max_tokens": "", "total_tokens": "", "token_count": "", "next_page_token": "", "page_token": "", "pageToken": "", "nextToken": "",
		"continuationToken": "", "cursor": "", "secret_type": "", "secrets": "", "signature_type": "", "signature_required": "", "signatures": "", "password_required": "", "passwords": "", "password_hint": "",
		"reset_password": "", "has_password": "", "is_secret": "", "pinned": "", "shipping": "", "spin": "", "pins": "", "laptop": "", "otp_required": "", "sigma": "", "design": "", "codes": "", "country_code": "", "promo_code": "",
		"zipcode": "", "postal_code": "", "barcode": "", "account": "", "account_id": "", "account_name": "", "key": "", "keys": "", "key_id": "", "public_key": "", "publishable_key": "", "idempotency_key": "",
		"api_key_id": "", "number_of_items": "", "phone_number": "", "order_number": "", "invoice_number": "", "description": "", "author": "", "authorization_url": "", "etag": "", "id": "", "request_id": "", "cvc_check": "", "name": "", "email": "", "client_id": "",
	}
	headers := map[string]string{
		"Authorization": "header-authorization", "Proxy-Authorization": "header-authorization", "Cookie": "header-cookie", "X-Api-Key": "header-api-key", "Api-Key": "header-api-key", "Acme-Api-Key": "header-api-key",
		"X-Auth-Token": "header-token", "X-Access-Token": "header-token", "X-Amz-Security-Token": "header-token", "X-Shopify-Access-Token": "header-token", "X-Vault-Token": "header-token", "Private-Token": "header-token", "X-Csrf-Token": "header-token",
		"X-Goog-Api-Key": "header-api-key", "Dd-Api-Key": "header-api-key", "Ocp-Apim-Subscription-Key": "header-api-key", "Stripe-Signature": "header-signature", "X-Hub-Signature": "header-signature", "X-Hub-Signature-256": "header-signature",
		"Paypal-Auth-Assertion": "header-signature", "X-Some-Secret": "header-secret", "X-Some-Password": "header-secret", "X-Some-Credential": "header-secret",

		"Idempotency-Key": "", "Sec-Websocket-Key": "", "X-Request-Id": "", "Etag": "", "If-None-Match": "", "Stripe-Account": "", "Stripe-Version": "", "X-Continuation-Token": "", "X-Ms-Continuation-Token": "",
		"X-Ratelimit-Remaining-Tokens": "", "Access-Control-Allow-Credentials": "", "X-Token-Count": "", "Signature-Input": "", "Www-Authenticate": "", "Content-Type": "", "User-Agent": "",
	}
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	check := func(names map[string]string, in places) {
		for name, want := range names {
			got := ""
			if r := rules.named(name, in, stripe.Target()); r != nil {
				got = r.ID
			}
			if got != want {
				t.Errorf("%q: rule %q, want %q", name, got, want)
			}
		}
	}
	check(fields, inBody)
	check(fields, inQuery)
	check(headers, inRequestHeader)
}

// Every value rule finds its secrets anywhere in a text, keeps their shape, and
// is quiet about what resembles them.
func TestValueRules(t *testing.T) {
	const (
		upper16 = "QYLPVBT3XCZ7MN4K"
		long40  = "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3bC5dE7f"
	)
	hex32 := "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	tests := []struct{ in, want string }{
		{"sk_test_" + long40, "sk_test_REDACTED-0000000001"},
		{"rk_live_" + long40, "rk_live_REDACTED-0000000001"},
		{"uk_test_" + long40, "uk_test_REDACTED-0000000001"},
		{"ek_test_" + long40, "ek_test_REDACTED-0000000001"},
		{"sk_org_live_" + long40, "sk_org_live_REDACTED-0000000001"},
		{"whsec_" + long40, "whsec_REDACTED000000000001"},
		{"pi_3NabCdef_secret_" + long40, "pi_3NabCdef_secret_REDACTED000000000001"},
		{"seti_1Nab_secret_" + long40, "seti_1Nab_secret_REDACTED000000000001"},
		{"acss_debit_secret_" + long40, "acss_debit_secret_REDACTED000000000001"},
		{"cs_test_a1YS1URl_secret_fidwbEhqYWAn%2FPydmcHZxamgn%3DeCUl", "cs_test_a1YS1URl_secret_REDACTED000000000001"},
		{"AKIA" + upper16, "AKIAREDACTED-0000000001"},
		{"ASIA" + upper16, "ASIAREDACTED-0000000001"},
		{"ghp_" + long40, "ghp_REDACTED-0000000001"},
		{"gho_" + long40, "gho_REDACTED-0000000001"},
		{"github_pat_11ABCDEFG0_" + long40, "github_pat_REDACTED-0000000001"},
		{"glpat-" + long40, "glpat-REDACTED-0000000001"},
		{"AIza" + long40[:35], "AIzaREDACTED-0000000001"},
		{"ya29.a0" + long40, "ya29.REDACTED-0000000001"},
		{"npm_" + long40, "npm_REDACTED-0000000001"},
		{"pypi-AgEIcHlwaS5vcmc" + long40, "pypi-REDACTED-0000000001"},
		{"sk-ant-api03-" + long40, "sk-ant-REDACTED-0000000001"},
		{"sk-proj-" + long40, "sk-proj-REDACTED-0000000001"},
		{"sk-" + long40[:20] + "T3BlbkFJ" + long40[20:], "sk-REDACTED-0000000001"},
		{"hf_" + long40, "hf_REDACTED-0000000001"},
		{"xoxb-123456789012-" + long40, "xoxb-REDACTED-0000000001"},
		{"xapp-1-A0B1C2D3E4-" + long40, "xapp-REDACTED-0000000001"},
		{"SG." + long40[:22] + "." + long40, "SG.REDACTED-0000000001"},
		{"shpat_" + hex32, "shpat_REDACTED-0000000001"},
		{"4539 5787 6362 1486", "4988 4388 4388 4305"},
		{"4539-5787-6362-1486", "4988-4388-4388-4305"},
		{card1 + " 2027", "4988438843884305 2027"},

		{"sk_test_short", "sk_test_short"},
		{"task_test_" + long40, "task_test_" + long40},
		{"AKIA" + upper16 + "EXTRA", "AKIA" + upper16 + "EXTRA"},
		{"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"},
		{"pk_test_" + long40, "pk_test_" + long40},
		{"the_secret_ingredient", "the_secret_ingredient"},
		{"client_secret_basic", "client_secret_basic"},
		{"SG.short.short", "SG.short.short"},
		{"hf_hub_download", "hf_hub_download"},
		{"4539578763621487", "4539578763621487"},
		{"1" + card1, "1" + card1},
		{"order_" + card1, "order_" + card1},
		{card1 + ".25", card1 + ".25"},
		{"1234567812345670", "1234567812345670"},
		{"2026-01-02 10:20:30", "2026-01-02 10:20:30"},
	}
	for _, tt := range tests {
		for _, around := range []string{"%", "see %, please", "x=%&y", "(%)", "\xff%\xfe"} {
			in, want := strings.ReplaceAll(around, "%", tt.in), strings.ReplaceAll(around, "%", tt.want)
			if strings.Contains(tt.in, "%") {
				in, want = strings.Replace(around, "%", tt.in, 1), strings.Replace(around, "%", tt.want, 1)
			}
			if got := body(t, vault(t, Config{}), stripe, InResponse, "text/plain", in); got != want {
				t.Errorf("%q\n got %q\nwant %q", in, got, want)
			}
		}
	}
}

func TestList(t *testing.T) {
	rules, err := Compile(Config{Add: []Rule{{ID: "mine", Name: "x", Reason: "y"}}, Remove: []string{"name-pin"}})
	if err != nil {
		t.Fatal(err)
	}
	list := rules.List()
	if last := list[len(list)-1]; last.ID != "mine" {
		t.Errorf("the last rule is %s", last.ID)
	}
	for _, r := range list {
		if r.ID == "name-pin" {
			t.Error("a removed rule is listed")
		}
		if r.ID == "" || r.Reason == "" || (r.Name == "") == (r.Value == "") {
			t.Errorf("%+v: needs an id, a reason and either name or value", r)
		}
		if _, err := regexp.Compile(r.Value); err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
}
