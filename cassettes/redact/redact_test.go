package redact

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// builtIn is compiled once: fuzzing makes thousands of vaults.
var builtIn = sync.OnceValues(func() (*Rules, error) { return Compile(Config{}) })

func vault(t testing.TB, cfg Config) *Vault {
	t.Helper()
	if reflect.ValueOf(cfg).IsZero() {
		rules, err := builtIn()
		if err != nil {
			t.Fatal(err)
		}
		return NewVault(rules)
	}
	rules, err := Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return NewVault(rules)
}

var stripe = Scope{Method: "POST", Host: "api.stripe.com", Path: "/v1/payment_intents"}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func body(t testing.TB, v *Vault, s Scope, d Direction, contentType, text string) string {
	t.Helper()
	out, err := v.Body(s, d, contentType, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.Body(s, d, contentType, out)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(out) {
		t.Errorf("not idempotent:\n once %s\ntwice %s", out, again)
	}
	if err := v.Check("body", out); err != nil {
		t.Errorf("Check of redacted body: %v\n%s", err, out)
	}
	return string(out)
}

const (
	key40   = "51Hx9QeLkWv3RzTbYpNcMdAfGjKs8uEo2iV7wXyZ4"
	random1 = "q7Zt2LmX9vRbK4wPjN8sYc"
	random2 = "Hd83kfPq0sVnZmW5tRxLbY"
	card1   = "4539578763621486" // passes Luhn, published nowhere
)

func TestJSONBody(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"stripe client secret", `{"client_secret":"cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLGMGq7LLf8ODSQ8gL"}`, `{"client_secret":"cuss_secret_REDACTED000000000001"}`},
		{"neutral name", `{"x":"pi_3Nab_secret_` + random1 + `"}`, `{"x":"pi_3Nab_secret_REDACTED000000000001"}`},
		{"escapes in the secret", `{"client_secret":"cs_test_a1YS1URl_secret_fidwbEhqYWAnPydmcHZxamgneCUl%2FKDx"}`, `{"client_secret":"cs_test_a1YS1URl_secret_REDACTED000000000001"}`},
		{"short client secret", `{"client_secret":"pi_123_secret_456"}`, `{"client_secret":"pi_123_secret_REDACTED000000000001"}`},
		{"key in a message", `{"error":{"message":"Invalid API Key: sk_test_` + key40 + `."}}`, `{"error":{"message":"Invalid API Key: sk_test_REDACTED-0000000001."}}`},
		{"webhook secret", `{"secret": "whsec_` + random1 + `"}`, `{"secret": "whsec_REDACTED000000000001"}`},
		{"password, weak", `{"user":"bob","password":"hunter2"}`, `{"user":"bob","password":"REDACTED-0001"}`},
		{"weak value stays elsewhere", `{"password":"blue","colour":"blue"}`, `{"password":"REDACTED-0001","colour":"blue"}`},
		{"strong value goes elsewhere", `{"note":"use ` + random1 + `!","token":"` + random1 + `"}`, `{"note":"use REDACTED-0001!","token":"REDACTED-0001"}`},
		{"same secret, same placeholder", `[{"token":"` + random1 + `"},{"token":"` + random2 + `"},{"token":"` + random1 + `"}]`, `[{"token":"REDACTED-0001"},{"token":"REDACTED-0002"},{"token":"REDACTED-0001"}]`},
		{"array under a secret name", `{"secret":["` + random1 + `","` + random2 + `"]}`, `{"secret":["REDACTED-0001","REDACTED-0002"]}`},
		{"object under a secret name", `{"token":{"id":"tok_1","value":"plain"}}`, `{"token":{"id":"tok_1","value":"plain"}}`},
		{"card", `{"card":{"number":"` + card1 + `","exp_year":2030}}`, `{"card":{"number":"4988438843884305","exp_year":2030}}`},
		{"card in groups", `{"x":"4539 5787 6362 1486"}`, `{"x":"4988 4388 4388 4305"}`},
		{"card number as a number", `{"number":` + card1 + `}`, `{"number":4988438843884305}`},
		{"long number under a neutral name", `{"id":` + card1 + `}`, `{"id":` + card1 + `}`},
		{"cvc", `{"cvc":"314"}`, `{"cvc":"REDACTED-0001"}`},
		{"slash escapes", `{"note":"https:\/\/u:` + random1 + `@h\/p","keep":"a\/b"}`, `{"note":"https://u:REDACTED-0001@h/p","keep":"a\/b"}`},
		{"url with a token", `{"url":"https://x.dev/a?token=` + random1 + `&b=1"}`, `{"url":"https://x.dev/a?token=REDACTED-0001&b=1"}`},
		{"json in a string", `{"payload":"{\"password\":\"hunter2\"}"}`, `{"payload":"{\"password\":\"REDACTED-0001\"}"}`},
		{"member name", `{"sk_test_` + key40 + `":1}`, `{"sk_test_REDACTED-0000000001":1}`},
		{"private key", `{"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ==\n-----END PRIVATE KEY-----\n"}`, `{"key":"-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n"}`},
		{"certificate", `{"key":"-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END CERTIFICATE-----\n"}`, `{"key":"-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END CERTIFICATE-----\n"}`},
		{"base64 of a learned value", `{"token":"` + random1 + `","b":"` + "cTdadDJMbVg5dlJiSzR3UGpOOHNZYw==" + `"}`, `{"token":"REDACTED-0001","b":"REDACTED-0002"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := vault(t, Config{})
			if got := body(t, v, stripe, InResponse, jsonType, tt.in); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// What is no secret stays byte for byte.
func TestStays(t *testing.T) {
	tests := []string{
		`{"token":null,"secret":false,"pin":1234,"otp":{},"sig":[]}`,
		`{"next_page_token":"` + random1 + `","pageToken":"` + random2 + `","continuationToken":"abc","nextToken":"` + random1 + `"}`,
		`{"max_tokens":100,"total_tokens":"200","token_type":"bearer","tokens":["a","b"],"token_count":"3"}`,
		`{"signature_type":"rsa","password_required":"yes","code":"card_declined","secret_type":"x","client_secret_expires_at":"0"}`,
		`{"publishable_key":"pk_test_` + key40 + `","api_key":"pk_live_` + key40 + `"}`,
		`{"id":"cus_Nab12345678901","customer":"cus_Nab12345678901","etag":"\"33a64df551425fcc55e4d42a148795d9f25f89d4\"","request":"req_` + random1 + `"}`,
		`{"number":"4242424242424242","source":"tok_visa","payment_method":"pm_card_visa","card":"4000 0000 0000 0002"}`,
		`{"token":"tok_visa","token2":"tok_1Mxyz23456"}`,
		`{"number":"42","number2":"INV-0001","order":"1234567890123456"}`,
		`{"password":"********","secret":"****abcd"}`,
		`{"message":"client_secret_authentication is task_test_suite_runner"}`,
		`{"u":"550e8400-e29b-41d4-a716-446655440000","t":"2026-01-02T03:04:05Z"}`,
		`{"account_number":"000123456789","last4":"6789"}`,
		`{"url":"https://api.acme.dev/v1/x?page_token=` + random1 + `&code=DE"}`,
		`{ "a" : [ 1 , 2.50, 1e5 ] , "é":"\u00e9 \/ \n" }`,
	}
	for _, in := range tests {
		v := vault(t, Config{})
		if got := body(t, v, stripe, InResponse, jsonType, in); got != in {
			t.Errorf("\n got %s\nwant %s", got, in)
		}
		if n := v.Learned(); n != 0 {
			t.Errorf("learned %d values from %s", n, in)
		}
	}
}

func TestFormBody(t *testing.T) {
	token := Scope{Method: "POST", Host: "id.acme.dev", Path: "/oauth/token"}
	tests := []struct {
		name     string
		scope    Scope
		in, want string
	}{
		{"names", stripe, "client_secret=abc&name=x", "client_secret=REDACTED-0001&name=x"},
		{"brackets", stripe, "card%5Bcvc%5D=123&card[number]=" + card1, "card%5Bcvc%5D=REDACTED-0001&card[number]=4988438843884305"},
		{"plus and escapes stay", stripe, "a+b=c%20d&token=" + random1 + "&e=%7e", "a+b=c%20d&token=REDACTED-0001&e=%7e"},
		{"escaped secret", stripe, "password=a%26b%2Fc", "password=REDACTED-0001"},
		{"published", stripe, "source=tok_visa&card[number]=4242424242424242", "source=tok_visa&card[number]=4242424242424242"},
		{"code in an exchange", token, "grant_type=authorization_code&code=abc", "grant_type=authorization_code&code=REDACTED-0001"},
		{"code beside redirect_uri", stripe, "redirect_uri=http://x&code=abc", "redirect_uri=http://x&code=REDACTED-0001"},
		{"code elsewhere", stripe, "code=SUMMER&x=1", "code=SUMMER&x=1"},
		{"json in a field", stripe, `data={"token":"` + random1 + `"}`, `data=%7B%22token%22%3A%22REDACTED-0001%22%7D`},
		{"bad escape", stripe, "password=a%zz&x=%zz", "password=REDACTED-0001&x=%zz"},
		{"card with spaces", stripe, "n=4539+5787+6362+1486", "n=4988+4388+4388+4305"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := body(t, vault(t, Config{}), tt.scope, InRequest, formType, tt.in); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	tests := []struct {
		d              Direction
		name, in, want string
	}{
		{InRequest, "Authorization", "Bearer sk_test_" + key40, "Bearer sk_test_REDACTED-0000000001"},
		{InRequest, "Authorization", "Bearer sk_test_123", "Bearer sk_test_REDACTED-0000000001"},
		{InRequest, "Authorization", "Bearer " + random1, "Bearer REDACTED-0001"},
		{InRequest, "Authorization", random1, "REDACTED-0001"},
		{InRequest, "Authorization", "Basic dXNlcjpodW50ZXIy", "Basic user:REDACTED-0001"},
		{InRequest, "Authorization", "AWS4-HMAC-SHA256 Credential=AKIAABCDEFGHIJKLMNOP/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=abc", "AWS4-HMAC-SHA256 REDACTED-0001"},
		{InRequest, "Authorization", `Digest username="bob", realm="x", response="6629fae49393a05397450978507c4ef1"`, "Digest REDACTED-0001"},
		{InRequest, "Authorization", "Bearer pk_test_abc", "Bearer pk_test_abc"},
		{InRequest, "Proxy-Authorization", "Basic eDp5", "Basic x:REDACTED-0001"},
		{InRequest, "Cookie", "sid=abc; theme=\"dark\"; empty=", `sid=REDACTED-0001; theme="REDACTED-0002"; empty=`},
		{InRequest, "X-Api-Key", "abc", "REDACTED-0001"},
		{InRequest, "Acme-Access-Token", "abc", "REDACTED-0001"},
		{InRequest, "X-My-Secret", "abc", "REDACTED-0001"},
		{InRequest, "Private-Token", "glpat-" + random1, "glpat-REDACTED-0000000001"},
		{InRequest, "Stripe-Signature", "t=1,v1=abc", "REDACTED-0001"},
		{InRequest, "Idempotency-Key", random1, random1},
		{InRequest, "X-Continuation-Token", random1, random1},
		{InRequest, "X-Other", "see sk_live_" + key40, "see sk_live_REDACTED-0000000001"},
		{InRequest, "User-Agent", "Stripe/v1 GoBindings/82.0.0", "Stripe/v1 GoBindings/82.0.0"},
		{InResponse, "Set-Cookie", "sid=" + random1 + "; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "sid=REDACTED-0001; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT"},
		{InResponse, "Set-Cookie", "sid=; Max-Age=0", "sid=; Max-Age=0"},
		{InResponse, "Authentication-Info", `nextnonce="abc"`, "REDACTED-0001"},
		{InResponse, "Location", "/cb?code=" + random1 + "&state=xyz", "/cb?code=REDACTED-0001&state=xyz"},
		{InResponse, "Location", "https://bob:pw@x.dev/a#access_token=" + random1, "https://bob:REDACTED-0001@x.dev/a#access_token=REDACTED-0002"},
		{InResponse, "Link", `<https://x.dev/a?token=abc>; rel="next", </b?page=2>; rel="last"`, `<https://x.dev/a?token=REDACTED-0001>; rel="next", </b?page=2>; rel="last"`},
		{InResponse, "Etag", `"33a64df551425fcc55e4d42a148795d9f25f89d4"`, `"33a64df551425fcc55e4d42a148795d9f25f89d4"`},
		{InResponse, "Request-Id", "req_" + random1, "req_" + random1},
		{InResponse, "Access-Control-Allow-Credentials", "true", "true"},
		{InResponse, "Www-Authenticate", `Bearer realm="x", error="invalid_token"`, `Bearer realm="x", error="invalid_token"`},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.want, func(t *testing.T) {
			v := vault(t, Config{})
			in := http.Header{tt.name: {tt.in}}
			got, err := v.Header(stripe, tt.d, in)
			if err != nil {
				t.Fatal(err)
			}
			if got[tt.name][0] != tt.want {
				t.Errorf("\n got %s\nwant %s", got[tt.name][0], tt.want)
			}
			if in[tt.name][0] != tt.in {
				t.Error("the live header was changed")
			}
			again, _ := v.Header(stripe, tt.d, got)
			if again[tt.name][0] != tt.want {
				t.Errorf("not idempotent: %s", again[tt.name][0])
			}
			if err := v.Check("header", []byte(got[tt.name][0])); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestURL(t *testing.T) {
	tests := []struct{ in, want string }{
		{"https://api.stripe.com/v1/customers/cus_123?expand[]=a&limit=%33", "https://api.stripe.com/v1/customers/cus_123?expand[]=a&limit=%33"},
		{"https://u:p%40ss@x.dev/a", "https://u:REDACTED-0001@x.dev/a"},
		{"https://sk_test_" + key40 + ":@x.dev/a", "https://sk_test_REDACTED-0000000001:@x.dev/a"},
		{"https://" + random1 + "@x.dev/a", "https://REDACTED-0001@x.dev/a"},
		{"https://x.dev/v1/pi_1_secret_" + random1 + "/confirm", "https://x.dev/v1/pi_1_secret_REDACTED000000000001/confirm"},
		{"https://x.dev/a?api_key=abc&b=%zz", "https://x.dev/a?api_key=REDACTED-0001&b=%zz"},
		{"https://x.dev/a?q=sk%5Ftest%5F" + key40, "https://x.dev/a?q=sk_test_REDACTED-0000000001"},
		{"https://x.dev/a%2Fsk%5Ftest%5F" + key40 + "/b", "https://x.dev/a%2Fsk%5Ftest%5FREDACTED-0000000001/b"},
		{"https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx", "https://hooks.slack.com/services/T01234567/B01234567/REDACTED-0001"},
		{"https://api.telegram.org/bot123456:AAF_abcdefghijklmnopqrstuvwxyz12345/getMe", "https://api.telegram.org/bot123456:REDACTED-0001/getMe"},
		{"https://x.dev/#id_token=abc", "https://x.dev/#id_token=REDACTED-0001"},
		{"https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c3d4e5f60718293a4b5c6d7e8f9&X-Amz-Expires=60", "https://b.s3.amazonaws.com/k?X-Amz-Signature=REDACTED-0001&X-Amz-Expires=60"},
		{"https://x.dev", "https://x.dev"},
		{"https://x.dev/?", "https://x.dev/?"},
	}
	for _, tt := range tests {
		v := vault(t, Config{})
		got, err := v.URL(stripe, InRequest, tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
		if again, _ := v.URL(stripe, InRequest, got); again != got {
			t.Errorf("not idempotent: %s", again)
		}
	}
	_, err := vault(t, Config{}).URL(stripe, InRequest, "https://sk_test_"+key40+".x.dev/")
	if refusal, ok := err.(*Refusal); !ok || refusal.Place != "url.host" || strings.Contains(err.Error(), key40) {
		t.Errorf("a secret in the host: %v", err)
	}
}
