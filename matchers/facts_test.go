package matchers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// multi writes a multipart body with boundary b.
func multi(boundary string, parts ...string) request {
	var body strings.Builder
	for _, p := range parts {
		body.WriteString("--" + boundary + "\r\n" + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	body.WriteString("--" + boundary + "--\r\n")
	return typed("multipart/form-data; boundary="+boundary, body.String())
}

func part(name, content string, more ...string) string {
	head := `Content-Disposition: form-data; name="` + name + `"`
	for _, m := range more {
		head += m
	}
	return head + "\n\n" + content
}

// TestSame: which pairs of requests are the same. It holds every trap of matching.md.
func TestSame(t *testing.T) {
	for _, c := range []struct {
		what string
		a, b request
		same bool
	}{
		// Method, host, path.
		{"method", "GET " + endpoint, "HEAD " + endpoint, false},
		{"scheme", "GET https://api.acme.dev/", "GET http://api.acme.dev/", false},
		{"host case", "GET https://API.acme.dev/", "GET https://api.acme.dev/", true},
		{"default port", "GET https://api.acme.dev:443/", "GET https://api.acme.dev/", true},
		{"default port of http", "GET http://api.acme.dev:80/", "GET http://api.acme.dev/", true},
		{"the other scheme's port", "GET https://api.acme.dev:80/", "GET https://api.acme.dev/", false},
		{"another port", "GET https://api.acme.dev:8443/", "GET https://api.acme.dev/", false},
		{"root of the DNS", "GET https://api.acme.dev./", "GET https://api.acme.dev/", true},
		{"IDNA", "GET https://BÜCHER.example/", "GET https://xn--bcher-kva.example/", true},
		{"underscore in a host", "GET https://a_b.EXAMPLE/", "GET https://a_b.example/", true},
		{"IPv6", "GET http://[::1]:80/", "GET http://[0:0:0:0:0:0:0:1]/", true},
		{"IPv6 and port", "GET http://[::1]:81/", "GET http://[::1]/", false},
		{"empty path", "GET https://api.acme.dev", "GET https://api.acme.dev/", true},
		{"empty path with query", "GET https://api.acme.dev?a=1", "GET https://api.acme.dev/?a=1", true},
		{"%2F is not /", "GET https://api.acme.dev/a%2Fb", "GET https://api.acme.dev/a/b", false},
		{"%2F beside a raw byte is not /", "GET https://api.acme.dev/a%2Fb/é", "GET https://api.acme.dev/a/b/é", false},
		{"~ equals %7E", "GET https://api.acme.dev/~u", "GET https://api.acme.dev/%7Eu", true},
		{"hex case", "GET https://api.acme.dev/a%2fb", "GET https://api.acme.dev/a%2Fb", true},
		{"reserved escapes stay", "GET https://api.acme.dev/a:b", "GET https://api.acme.dev/a%3Ab", false},
		{"raw bytes are escaped", "GET https://api.acme.dev/é", "GET https://api.acme.dev/%C3%A9", true},
		{"dot segments stay", "GET https://api.acme.dev/a/../b", "GET https://api.acme.dev/b", false},
		{"trailing slash", "GET https://api.acme.dev/a/", "GET https://api.acme.dev/a", false},
		{"double slash", "GET https://api.acme.dev//a", "GET https://api.acme.dev/a", false},
		{"path case", "GET https://api.acme.dev/A", "GET https://api.acme.dev/a", false},

		// Query.
		{"an escaped & is no separator", get(endpoint + "?a=1%26b=2"), get(endpoint + "?a=1&b=2"), false},
		{"order of equal names", get(endpoint + "?a=1&a=2"), get(endpoint + "?a=2&a=1"), false},
		{"order of different names", get(endpoint + "?a=1&b=2"), get(endpoint + "?b=2&a=1"), true},
		{"interleaved names", get(endpoint + "?a=1&b=2&a=3"), get(endpoint + "?b=2&a=1&a=3"), true},
		{"an extra parameter", get(endpoint + "?a=1"), get(endpoint + "?a=1&b=2"), false},
		{"an extra repetition", get(endpoint + "?a=1"), get(endpoint + "?a=1&a=1"), false},
		{"+ is a space", get(endpoint + "?a=x+y"), get(endpoint + "?a=x%20y"), true},
		{"%2B is a plus", get(endpoint + "?a=x+y"), get(endpoint + "?a=x%2By"), false},
		{"k equals k=", get(endpoint + "?k"), get(endpoint + "?k="), true},
		{"empty is not absent", get(endpoint + "?k="), get(endpoint), false},
		{"empty query", get(endpoint + "?"), get(endpoint), true},
		{"empty fields", get(endpoint + "?&a=1&&"), get(endpoint + "?a=1"), true},
		{"; is no separator", get(endpoint + "?a=1;b=2"), get(endpoint + "?a=1&b=2"), false},
		{"bad escape against its text", get(endpoint + "?a=%zz"), get(endpoint + "?a=%25zz"), false},
		{"bad escape and case", get(endpoint + "?a=%zz"), get(endpoint + "?a=%ZZ"), false},
		{"bytes that are not UTF-8", get(endpoint + "?a=%ff"), get(endpoint + "?a=%fe"), false},
		{"presigning dates", get(endpoint + "?X-Amz-Date=20261121T000000Z&X-Amz-Signature=0123456789abcdef0123456789abcdef&v=1"),
			get(endpoint + "?X-Amz-Date=20261122T000000Z&X-Amz-Signature=fedcba9876543210fedcba9876543210&v=1"), true},
		{"expires without a signature", get(endpoint + "?Expires=1"), get(endpoint + "?Expires=2"), false},

		// Forms.
		{"member order", form("a=1&b=2"), form("b=2&a=1"), true},
		{"brackets escaped", form("a%5Bb%5d=1"), form("a[b]=1"), true},
		{"a[] and a[0]", form("a[]=x&a[]=y"), form("a[0]=x&a[1]=y"), true},
		{"indexes in any order", form("a[1]=y&a[0]=x"), form("a[0]=x&a[1]=y"), true},
		{"element order", form("a[]=x&a[]=y"), form("a[]=y&a[]=x"), false},
		{"plain repetition is no array", form("a=x&a=y"), form("a[]=x&a[]=y"), false},
		{"a[][p] elements", form("a[][p]=1&a[][q]=2&a[][p]=3"), form("a[0][p]=1&a[0][q]=2&a[1][p]=3"), true},
		{"a[][p] is not one element", form("a[][p]=1&a[][q]=2"), form("a[0][p]=1&a[1][q]=2"), false},
		{"gaps stay", form("a[0]=x&a[2]=y"), form("a[0]=x&a[1]=y"), false},
		{"malformed brackets", form("a[b=1"), form("a.b=1"), false},
		{"a dot is no bracket", form("a.b=1"), form("a[b]=1"), false},
		{"empty value and none", form("metadata[k]="), form("metadata[k]"), true},
		{"an unset is sent", form("metadata[k]=&x=1"), form("x=1"), false},
		{"no trimming", form("a=1"), form("a=1+"), false},
		{"no type folding", form("a=1"), form("a=1.0"), false},
		{"true and True", form("a=true"), form("a=True"), false},
		{"form and JSON", form(`{"a":1}`), json(`{"a":1}`), false},
		{"Stripe line items reordered", form("line_items[0][id]=a&line_items[1][id]=b"), form("line_items[0][id]=b&line_items[1][id]=a"), false},
		{"bad escape in a form", form("a=%zz"), form("a=%25zz"), false},

		// JSON.
		{"white space and member order", json(`{"a":1,"b":[1,2]}`), json("{ \"b\" : [1, 2],\n\"a\":1 }"), true},
		{"array order", json(`{"paymentMethodsOrder":["card","paypal"]}`), json(`{"paymentMethodsOrder":["paypal","card"]}`), false},
		{"10.50 and 10.5", json(`[10.50]`), json(`[10.5]`), true},
		{"1e2 and 100", json(`[1e2]`), json(`[100]`), true},
		{"1E+2 and 100.0", json(`[1E+2]`), json(`[100.0]`), true},
		{"-0 and 0", json(`[-0]`), json(`[0.0e5]`), true},
		{"2^53 and 2^53+1", json(`[9007199254740992]`), json(`[9007199254740993]`), false},
		{"30 digits", json(`[123456789012345678901234567890]`), json(`[123456789012345678901234567891]`), false},
		{"1e23 and its float", json(`[1e23]`), json(`[99999999999999991611392]`), false},
		{"huge exponents", json(`[1e999999999]`), json(`[10e999999998]`), true},
		{"huge exponents differ", json(`[1e999999999]`), json(`[1e999999998]`), false},
		{"string and number", json(`["1"]`), json(`[1]`), false},
		{"null and absence", json(`{"a":null}`), json(`{}`), false},
		{"null and empty string", json(`[null]`), json(`[""]`), false},
		{"false and null", json(`[false]`), json(`[null]`), false},
		{"true and its text", json(`[true]`), json(`["true"]`), false},
		{"empty object and array", json(`{"a":{}}`), json(`{"a":[]}`), false},
		{"empty object and absence", json(`{"a":{}}`), json(`{}`), false},
		{"dots in names", json(`{"a.b":1}`), json(`{"a":{"b":1}}`), false},
		{"index and member", json(`{"a":{"0":1}}`), json(`{"a":[1]}`), false},
		{"quotes in names", json(`{"a\"]":1}`), json(`{"a":1}`), false},
		{"escapes", json(`["\u00e9\/"]`), json(`["é/"]`), true},
		{"code points, not looks", json(`["é"]`), json(`["e\u0301"]`), false},
		{"case of member names", json(`{"A":1}`), json(`{"a":1}`), false},
		{"top-level scalars", json(`"a"`), json(` "a" `), true},
		{"object and its text", json(`{"a":1}`), typed("text/plain", `{"a":1}`), false},
		{"+json", json(`{"a":1}`), typed("application/vnd.api+json; charset=utf-8", `{ "a": 1 }`), true},
		{"untyped JSON", json(`{"a":1}`), request("POST https://api.acme.dev/v1\n\n" + `{ "a":1 }`), true},
		{"duplicate names are raw", json(`{"a":1,"a":1}`), json(`{"a":1, "a":1}`), false},
		{"broken JSON equals itself", json(`{"a":`), json(`{"a":`), true},
		{"broken JSON is not text", json(`{"a":`), typed("text/plain", `{"a":`), false},
		{"lone surrogates are raw", json(`["\ud800"]`), json(`["\uD800"]`), false},
		{"NDJSON lines", ndjson("{\"a\":1}\n{\"b\":2}\n"), ndjson("{ \"a\":1 }\r\n{\"b\":2}"), true},
		{"NDJSON line order", ndjson("{\"a\":1}\n{\"b\":2}\n"), ndjson("{\"b\":2}\n{\"a\":1}\n"), false},
		{"NDJSON and an array", ndjson("{\"a\":1}\n"), json(`[{"a":1}]`), false},

		// Multipart.
		{"boundary", multi("x1", part("a", "1")), multi("y2", part("a", "1")), true},
		{"part order", multi("x1", part("a", "1"), part("b", "2")), multi("x1", part("b", "2"), part("a", "1")), false},
		{"part name", multi("x1", part("a", "1")), multi("x1", part("b", "1")), false},
		{"file name", multi("x1", part("a", "1", `; filename="x"`)), multi("x1", part("a", "1", `; filename="y"`)), false},
		{"file or field", multi("x1", part("a", "1", `; filename=""`)), multi("x1", part("a", "1")), false},
		{"part type", multi("x1", part("a", "1", "\nContent-Type: text/css")), multi("x1", part("a", "1", "\nContent-Type: text/csv")), false},
		{"part type's case", multi("x1", part("a", "1", "\nContent-Type: Text/CSS")), multi("x1", part("a", "1", "\nContent-Type: text/css")), true},
		{"part content", multi("x1", part("a", "1", `; filename="x"`)), multi("x1", part("a", "2", `; filename="x"`)), false},
		{"JSON in a part", multi("x1", part("a", `{"x":1,"y":2}`, "\nContent-Type: application/json")),
			multi("x1", part("a", `{ "y":2, "x":1 }`, "\nContent-Type: application/json")), true},
		{"two parts or one array", multi("x1", part("a", `{"x":1}`), part("a", `{"x":2}`)), multi("x1", part("a", `[{"x":1},{"x":2}]`)), false},
		{"which part holds which member", multi("x1", part("a", `{"x":1}`), part("a", `{"x":2}`)), multi("x1", part("a", `{"x":2}`), part("a", `{"x":1}`)), false},
		{"preamble", multi("x1", part("a", "1")), typed("multipart/form-data; boundary=x1", "hello\r\n--x1\r\n"+strings.ReplaceAll(part("a", "1"), "\n", "\r\n")+"\r\n--x1--"), true},

		// Other bodies.
		{"binary", typed("image/png", "\x89PNG\x00\xff"), typed("image/png", "\x89PNG\x00\xfe"), false},
		{"binary equals itself", typed("image/png", "\x89PNG\x00\xff"), typed("image/png", "\x89PNG\x00\xff"), true},
		{"empty body whatever its type", get(endpoint, "Content-Type: application/json"), get(endpoint), true},
		{"empty form", form(""), request("POST " + endpoint), true},
		{"empty and white space", json(" "), json(""), false},

		// Headers.
		{"Accept absent", get(endpoint), get(endpoint, "Accept: */*"), true},
		{"Accept empty", get(endpoint), get(endpoint, "Accept: "), true},
		{"Accept matters", get(endpoint, "Accept: text/csv"), get(endpoint), false},
		{"Accept's order by quality", get(endpoint, "Accept: text/csv;q=0.5, text/html"), get(endpoint, "Accept: Text/HTML , text/csv"), true},
		{"Accept's order", get(endpoint, "Accept: text/csv, text/html"), get(endpoint, "Accept: text/html, text/csv"), false},
		{"Accept excluded", get(endpoint, "Accept: text/csv, text/html;q=0"), get(endpoint, "Accept: text/csv, text/html"), false},
		{"Accept parameters", get(endpoint, `Accept: a/b;v="1,2"`), get(endpoint, "Accept: a/b"), false},
		{"Accept in two lines", get(endpoint, "Accept: text/csv", "Accept: text/html"), get(endpoint, "Accept: text/csv,text/html"), true},
		{"Java's Accept", get(endpoint, "Accept: text/html, *; q=.2, */*; q=.2"), get(endpoint, "Accept: text/html, */*, */*"), true},
		{"Range", get(endpoint, "Range: bytes=0-9"), get(endpoint), false},
		{"Stripe-Account", get(endpoint, "Stripe-Account: acct_1"), get(endpoint, "Stripe-Account: acct_2"), false},
		{"Stripe-Version", get(endpoint, "Stripe-Version: 2024-06-20"), get(endpoint), false},
		{"X-HTTP-Method-Override", get(endpoint, "X-HTTP-Method-Override: PUT"), get(endpoint), false},
		{"X-Amz-Target", get(endpoint, "X-Amz-Target: A.B"), get(endpoint, "X-Amz-Target: A.C"), false},
		{"SOAPAction", get(endpoint, `SOAPAction: "a"`), get(endpoint), false},
		{"Anthropic-Version", get(endpoint, "Anthropic-Version: 1"), get(endpoint), false},
		{"X-GitHub-Api-Version", get(endpoint, "X-GitHub-Api-Version: 1"), get(endpoint), false},
		{"OpenAI-Beta", get(endpoint, "OpenAI-Beta: a"), get(endpoint), false},
		{"OpenAI-Organization", get(endpoint, "OpenAI-Organization: a"), get(endpoint), false},
		{"OpenAI-Project", get(endpoint, "OpenAI-Project: a"), get(endpoint), false},
		{"header values that are not UTF-8", get(endpoint, "Stripe-Account: a\xff"), get(endpoint, "Stripe-Account: a\xfe"), false},
		{"noise", get(endpoint, "User-Agent: a", "Idempotency-Key: 1", "Traceparent: x", "Date: y", "Accept-Encoding: gzip", "X-Stripe-Client-Telemetry: t", "Cookie: _ga=1", "If-None-Match: \"1\""), get(endpoint), true},

		// Credentials: their class counts, which one it was does not.
		{"two bearers", get(endpoint, "Authorization: Bearer aaaaaaaaaaaaaaaa11"), get(endpoint, "Authorization: bearer bbbbbbbbbbbbbbbb22"), true},
		{"bearer and none", get(endpoint, "Authorization: Bearer aaaaaaaaaaaaaaaa11"), get(endpoint), false},
		{"bearer and basic", get(endpoint, "Authorization: Bearer aaaaaaaaaaaaaaaa11"), get(endpoint, "Authorization: Basic dXNlcjpwYXNzd29yZA=="), false},
		{"basic and user-info", get("https://u:hunter22@api.acme.dev/v1"), get(endpoint, "Authorization: Basic dXNlcjpwYXNzd29yZA=="), true},
		{"key and none", get(endpoint, "X-Api-Key: 0123456789abcdef"), get(endpoint), false},
		{"any key header", get(endpoint, "X-Acme-Api-Key: 0123456789abcdef"), get(endpoint), false},
		{"cookie and none", get(endpoint, "Cookie: sid=0123456789abcdef"), get(endpoint), false},
		{"cookie beside a bearer", get(endpoint, "Cookie: sid=0123456789abcdef", "Authorization: Bearer aaaaaaaaaaaaaaaa11"), get(endpoint, "Authorization: Bearer aaaaaaaaaaaaaaaa11"), true},
		{"other schemes", get(endpoint, "Authorization: Digest username=\"a\", response=\"0123456789abcdef\""), get(endpoint, "Authorization: Bearer aaaaaaaaaaaaaaaa11"), false},

		// Secrets in bodies are blank, published test values are not.
		{"client secrets", json(`{"client_secret":"s3cr3t-aaaaaaaaaaaa"}`), json(`{"client_secret":"s3cr3t-bbbbbbbbbbbb"}`), true},
		{"issuer's prefix", json(`{"api_key":"sk_test_4eC39HqLyjWDarjtT1zdp7dc"}`), json(`{"api_key":"dummy"}`), true},
		{"test cards", form("card[number]=4242424242424242"), form("card[number]=4000000000000002"), false},
		{"test tokens", form("source=tok_visa"), form("source=tok_chargeDeclined"), false},
	} {
		d := newDeck(t)
		a, b := d.read(c.a), d.read(c.b)
		if (a.Key == b.Key) != c.same {
			t.Errorf("%s: same is %v, want %v\n%s", c.what, !c.same, c.same, cmp.Diff(a.String(), b.String()))
		}
		if diff := cmp.Diff(a.Facts, b.Facts); (a.Key == b.Key) != (diff == "") {
			t.Errorf("%s: keys and facts disagree:\n%s", c.what, diff)
		}
	}
}

func TestReading(t *testing.T) {
	d := newDeck(t)
	r := d.read(request(`POST https://api.acme.dev:8443/v1/a%2fb?limit=10&x[]=%ff
Authorization: Bearer aaaaaaaaaaaaaaaa11
Stripe-Account: acct_1
Content-Type: application/json

{"a.b":[1.50,"1",null,true,{},[]],"client_secret":"pi_3Nab_secret_Q2FzYW5vdmFTZWNyZXQ"}`))
	want := `auth: bearer
body: json
body.client_secret: "pi_3Nab_secret_[REDACTED]"
body["a.b"][0]: 1.5
body["a.b"][1]: "1"
body["a.b"][2]: null
body["a.b"][3]: true
body["a.b"][4]: {}
body["a.b"][5]: []
header.accept: "*/*"
header.stripe-account: "acct_1"
host: api.acme.dev:8443
method: POST
path: /v1/a%2Fb
query.limit: "10"
query.x[0]: "\xff"
scheme: https
`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
	var places []string
	for _, s := range r.Secrets {
		places = append(places, string(s.Place))
		if len(s.ID) != 4 {
			t.Errorf("id %q", s.ID)
		}
	}
	if diff := cmp.Diff([]string{"auth", "body.client_secret"}, places); diff != "" {
		t.Error(diff)
	}
	if r.Safe || r.Repeat != "" || !r.Echo || r.Ignored != 0 || len(r.Invented) != 0 || len(r.Warnings) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestSafe(t *testing.T) {
	d := newDeck(t)
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "POST": false, "PUT": false, "PATCH": false, "DELETE": false} {
		if got := d.read(request(method + " " + endpoint)).Safe; got != want {
			t.Errorf("%s is safe: %v", method, got)
		}
	}
}

func TestAuthClass(t *testing.T) {
	d := newDeck(t)
	for want, r := range map[string]request{
		"none":   get(endpoint, "Cookie: _ga=GA1.2; AWSALB=x"),
		"basic":  get(endpoint, "Authorization: BASIC dTpwYXNzd29yZA=="),
		"bearer": get(endpoint, "Authorization: Bearer pk_test_123", "X-Api-Key: abcdefghijklmnop1"),
		"key":    get(endpoint, "X-Api-Key: abcdefghijklmnop1", "Cookie: sid=abcdefghijklmnop1"),
		"cookie": get(endpoint, "Cookie: _ga=1; sid=abcdefghijklmnop1"),
		"other":  get(endpoint, "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0123456789abcdef"),
	} {
		if got := d.read(r).fact("auth"); got != want {
			t.Errorf("class %s, want %s", got, want)
		}
	}
	if got := d.read(get(endpoint, "Authorization: abcdefghijklmnop1")).fact("auth"); got != "key" {
		t.Errorf("a key alone is %s", got)
	}
}

func TestSecrets(t *testing.T) {
	d := newDeck(t)
	show := func(r request) string {
		var out []string
		for _, s := range d.read(r).Secrets {
			out = append(out, string(s.Place)+"="+s.ID)
		}
		return strings.Join(out, " ")
	}
	const a, b = "Qx7vT2mK9pLw4RzB8nYd", "Hs5cJ1gF6uXe3WqA0kPo"
	for _, c := range []struct {
		r    request
		want string
	}{
		{get(endpoint, "Authorization: Bearer "+a), "auth=0001"},
		{get(endpoint, "X-Api-Key: "+a), "header.x-api-key=0001"},
		{get(endpoint, "Cookie: sid="+a+"; _ga="+b), "header.cookie.sid=0001"},
		{get(endpoint, "Cookie: sid="+b, "Authorization: Bearer "+a), "auth=0001"},
		{json(`{"x":{"client_secret":"` + a + `"}}`), "body.x.client_secret=0001"},
		{form("token=" + a + "&b[token]=" + a), "body.b.token=0001 body.token=0001"},
		{get(endpoint + "?sig=" + a + "&token=" + a), "query.token=0001"}, // a signature is of one request
		{typed("text/plain", "see "+a+"!"), "body=0001"},
	} {
		if got := show(c.r); got != c.want {
			t.Errorf("%.80s: %s, want %s", strings.ReplaceAll(string(c.r), "\n", " "), got, c.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	d := newDeck(t)
	for _, c := range []struct {
		r    request
		want string
	}{
		{json(`{"secretive":1,`), "body: invalid JSON: it ends too early; it is compared by its bytes"},
		{form("secretive=%"), "body: a percent escape is not valid; it is compared by its bytes"},
		{get(endpoint + "?secretive=%"), "query: a percent escape is not valid; that field is compared as it is written"},
		{multi("b", part("a", "{secretive", "\nContent-Type: application/json")), "body.a: invalid JSON: syntax error at byte 1; it is compared by its bytes"},
	} {
		if diff := cmp.Diff([]string{c.want}, d.read(c.r).Warnings); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNormalNumber(t *testing.T) {
	for token, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "0e99999999999999999999": "0", "-0E-5": "0",
		"1": "1", "10": "10", "10.50": "10.5", "1e2": "100", "1E+2": "100", "-1.20e1": "-12",
		"0.001": "0.001", "1e-3": "0.001", "123e-2": "1.23", "0.5e1": "5",
		"9007199254740993": "9007199254740993", "123456789012345678901234567890": "123456789012345678901234567890",
		"1e23": "100000000000000000000000", "99999999999999991611392": "99999999999999991611392",
		"1e999999999": "1e999999999", "10e999999998": "1e999999999", "1.5e-999999999": "15e-1000000000",
		"1e99999999999999999999": "1e0e99999999999999999999", "-10e-99999999999999999999": "-1e1e-99999999999999999999",
		"1e000000000000000000000002": "100",
	} {
		if got := normalNumber(token); got != want {
			t.Errorf("%s is %s, want %s", token, got, want)
		}
	}
}
