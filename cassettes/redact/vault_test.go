package redact

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestStrong(t *testing.T) {
	yes := []string{
		random1, key40, "550e8400-e29b-41d4-a716-446655440000", "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
		"xkqjzvwpmtrbghndcfyl", "ABCDEFGH12345678IJKL9012", "a8F-k2.Lm_93~xQzP4", "fidwbEhqYWAnPydmcHZxamgneCUl",
		"q1w2e3r4t5y6u7i8o9p0", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "dGhpcyBpcyBhIHRlc3Q9PQ==", "89237498237498234792837492",
	}
	no := []string{
		"", "hunter2", "password", "correct-horse-battery-staple", "this is a sentence", "aaaaaaaaaaaaaaaaaaaaaaaa",
		"2026-01-02T03:04:05Z", "test_secret_token_0001", "placeholder-password-value", "authorization_code_flow",
		"someCamelCaseIdentifierName", "SOME_UPPER_CASE_CONSTANT", "1234567890123456", "user@example-domain.com",
		"https://api.example.com/v1/customers", "REDACTED-0001-REDACTED-0002", "short1Aa", "tapedeck-test-password-1",
	}
	for _, s := range yes {
		if !strong(s) {
			t.Errorf("%q is not strong", s)
		}
	}
	for _, s := range no {
		if strong(s) {
			t.Errorf("%q is strong", s)
		}
	}
}

func TestEnvironment(t *testing.T) {
	cfg := Config{Env: []string{
		"STRIPE_KEY=sk_test_" + key40,
		"ACME_TOKEN=" + random1,
		"STRIPE_PUBLISHABLE_KEY=pk_test_" + random2,
		"MY_PUBLIC_KEY=" + random2,
		"KEY_PATH=/etc/" + random2,
		"DB_PASSWORD=hunter2",
		"HOME=/root", "EMPTY_TOKEN=", "not a pair",
	}}
	v := vault(t, cfg)
	if n := v.Learned(); n != 2 {
		t.Errorf("%d values known from the environment, want 2", n)
	}
	h, err := v.Header(stripe, InRequest, http.Header{"Authorization": {"Bearer sk_test_" + key40}, "X-Note": {"a " + random1 + " b"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Get("Authorization"); got != "Bearer sk_test_REDACTED-STRIPE_KEY-0000000001" {
		t.Error(got)
	}
	if got := h.Get("X-Note"); got != "a REDACTED-ACME_TOKEN-0000000002 b" {
		t.Error(got)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("sk_test_"+key40+":"))
	h, _ = v.Header(stripe, InRequest, http.Header{"Authorization": {basic}})
	if got := h.Get("Authorization"); got != "Basic REDACTED-STRIPE_KEY-0000000003" {
		t.Error(got)
	}
	if got := body(t, v, stripe, InResponse, jsonType, `{"note":"`+random2+` hunter2"}`); got != `{"note":"`+random2+` hunter2"}` {
		t.Error(got)
	}
}

// A value learned in one place is replaced in every spelling in all that follows.
func TestLearnedSpellings(t *testing.T) {
	secret := `p@ss/W0rd+9&x"Kq<7z>Zt`
	for _, text := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape("/")) + url.QueryEscape(secret),
		`p@ss/W0rd+9&x\"Kq<7z>Zt`, `p@ss\/W0rd+9&x\"Kq<7z>Zt`, `p@ss/W0rd+9&amp;x&#34;Kq&lt;7z&gt;Zt`, `p@ss/W0rd+9&amp;x&quot;Kq&lt;7z&gt;Zt`,
		`p@ss/W0rd+9\u0026x\"Kq\u003c7z\u003eZt`,
	} {
		v := vault(t, Config{})
		if _, err := v.Body(stripe, InRequest, formType, []byte("password="+url.QueryEscape(secret))); err != nil {
			t.Fatal(err)
		}
		if v.Learned() != 1 {
			t.Fatalf("learned %d", v.Learned())
		}
		in := "before " + text + " after"
		if err := v.Check("x", []byte(in)); err == nil {
			t.Errorf("Check misses %s", text)
		}
		got := body(t, v, stripe, InResponse, "text/plain", in)
		if strings.Contains(got, "Kq") || !strings.HasSuffix(got, "REDACTED-0001 after") {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestCheckEncodings(t *testing.T) {
	for _, secret := range []string{random1, "Zt/9+kQ" + random2, key40} {
		v := vault(t, Config{})
		body(t, v, stripe, InRequest, formType, "password="+url.QueryEscape(secret))
		encodings := map[string]string{
			"raw": secret, "url": url.QueryEscape(secret), "hex": hex.EncodeToString([]byte(secret)),
			"HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		}
		for lead := range 3 {
			padded := []byte(strings.Repeat("u", lead) + secret + "tail")
			encodings[fmt.Sprintf("base64 at %d", lead)] = base64.StdEncoding.EncodeToString(padded)
			encodings[fmt.Sprintf("base64url at %d", lead)] = base64.RawURLEncoding.EncodeToString(padded)
		}
		for name, text := range encodings {
			err := v.Check("journal entry", []byte("abc "+text+" def"))
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Place != "journal entry" || refusal.Rule == "" {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error holds the value", name)
			}
			// Where it can be replaced, the same text then passes.
			clean := body(t, v, stripe, InResponse, "text/plain", "abc "+text+" def")
			if !strings.HasPrefix(clean, "abc ") || !strings.HasSuffix(clean, " def") || strings.Contains(clean, text) {
				t.Errorf("%s: became %s", name, clean)
			}
		}
	}
}

func TestCheckValueRules(t *testing.T) {
	hits := []string{"sk_live_" + key40, `"x\nsk_live_` + key40, "n=" + card1, "n: 4539 5787 6362 1486\n", "a 4539 5787 6362 1486", "ghp_" + random1}
	for _, s := range hits {
		if vault(t, Config{}).Check("x", []byte(s)) == nil {
			t.Errorf("%s passes", s)
		}
	}
	passes := []string{"", "plain", "sk_test_REDACTED-0000000001", "4242424242424242", "4988438843884305", `"id":` + card1 + `,`, card1, "id: " + card1 + "\n",
		"pk_live_" + key40, "eyJhbGciOiJIUzI1NiJ9.e30.REDACTED000000000001", "glpat-REDACTED-0000000001abcdefghijk"}
	for _, s := range passes {
		if err := vault(t, Config{}).Check("x", []byte(s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestSweep(t *testing.T) {
	v := vault(t, Config{})
	early := body(t, v, stripe, InResponse, jsonType, `{"ref":"`+random1+`","keep":"x"}`)
	if !strings.Contains(early, random1) {
		t.Fatal("a neutral value was replaced before it was learned")
	}
	before := v.Learned()
	body(t, v, stripe, InResponse, jsonType, `{"token":"`+random1+`"}`)
	if v.Learned() <= before {
		t.Error("Learned did not grow")
	}
	got, changed, err := v.Sweep(jsonType, []byte(early))
	if err != nil || !changed || string(got) != `{"ref":"REDACTED-0001","keep":"x"}` {
		t.Errorf("%s, %v, %v", got, changed, err)
	}
	if _, changed, _ := v.Sweep(jsonType, got); changed {
		t.Error("a second sweep changes something")
	}
	if out, changed, _ := v.Sweep(jsonType, []byte(`{"password":"hunter2"}`)); changed {
		t.Errorf("a sweep goes by names: %s", out)
	}
}

func TestReserve(t *testing.T) {
	v := vault(t, Config{})
	v.Reserve([]byte("a: REDACTED-0007\nb: x_secret_REDACTED000000000003\nc: 4988438843884305\n"))
	got := body(t, v, stripe, InRequest, formType, "token="+random1+"&card[number]="+card1)
	if got != "token=REDACTED-0008&card[number]=4166676667666746" {
		t.Error(got)
	}
	// A placeholder that a live client sends is what it was, and its number taken.
	got = body(t, v, stripe, InRequest, formType, "token=REDACTED-0020&password=x")
	if got != "token=REDACTED-0020&password=REDACTED-0021" {
		t.Error(got)
	}
}

func TestManyNumbers(t *testing.T) {
	v := vault(t, Config{})
	v.Reserve([]byte("REDACTED-9999"))
	if got := body(t, v, stripe, InRequest, formType, "token="+random1); got != "token=REDACTED-A00000000010000" {
		t.Error(got)
	}
}

func TestWeak(t *testing.T) {
	v := vault(t, Config{})
	body(t, v, stripe, InRequest, formType, "a[password]=hunter2&token="+random1)
	weak := v.Weak()
	if len(weak) != 1 || weak[0].Rule != "name-password" || weak[0].Place != "body.a.password" {
		t.Errorf("%v", weak)
	}
}

func TestConfig(t *testing.T) {
	v := vault(t, Config{
		Add: []Rule{
			{ID: "acme-key", Reason: "x", Name: "x-acme-key"},
			{ID: "acme-ends", Reason: "x", Name: "*acmeish"},
			{ID: "acme-pat", Reason: "x", Value: `acp_(\w{12})`},
			{ID: "acme-digits", Reason: "x", Value: `[0-9]{3}-[0-9]{3}-ACME`},
			{ID: "scoped", Reason: "x", Name: "colour", On: "POST api.acme.dev/things/{id}"},
			{ID: "query-only", Reason: "x", Name: "flavour", In: []string{"query"}},
		},
		Remove: []string{"name-pin"},
		Keep: []Keep{
			{Rule: "name-token", On: "* api.acme.dev/quota", At: "body.token", Reason: "a count"},
			{Rule: "value-stripe-key", At: "body.example", Reason: "from the documentation"},
		},
	})
	acme := func(method, path string) Scope { return Scope{Method: method, Host: "api.acme.dev:443", Path: path} }
	tests := []struct {
		scope    Scope
		in, want string
	}{
		{stripe, `{"X_Acme_Key":"abc"}`, `{"X_Acme_Key":"REDACTED-0001"}`},
		{stripe, `{"very_acmeish":"abd"}`, `{"very_acmeish":"REDACTED-0002"}`},
		{stripe, `{"x":"see acp_abcdefghij12 there"}`, `{"x":"see acp_REDACTED-0000000003 there"}`},
		{stripe, `{"password":"acp_abcdefghij12"}`, `{"password":"acp_REDACTED-0000000003"}`},
		{stripe, `{"x":"see 123-456-ACME there"}`, `{"x":"see REDACTED-0004 there"}`},
		{acme("POST", "/things/7"), `{"colour":"red"}`, `{"colour":"REDACTED-0005"}`},
		{acme("GET", "/things/7"), `{"colour":"red"}`, `{"colour":"red"}`},
		{acme("POST", "/things/7/x"), `{"colour":"red"}`, `{"colour":"red"}`},
		{stripe, `{"flavour":"red"}`, `{"flavour":"red"}`},
		{stripe, `{"pin":"1234"}`, `{"pin":"1234"}`},
		{acme("GET", "/quota"), `{"token":"17"}`, `{"token":"17"}`},
		{acme("GET", "/quota"), `{"a":{"token":"17"}}`, `{"a":{"token":"REDACTED-0006"}}`},
		{acme("GET", "/other"), `{"token":"17"}`, `{"token":"REDACTED-0006"}`},
		{stripe, `{"example":"sk_test_` + random2 + `"}`, `{"example":"sk_test_` + random2 + `"}`},
	}
	for _, tt := range tests {
		if got := body(t, v, tt.scope, InResponse, jsonType, tt.in); got != tt.want {
			t.Errorf("%s %s\n got %s\nwant %s", tt.scope.Method, tt.scope.Path, got, tt.want)
		}
	}
	kept := []byte(`{"example":"sk_test_` + random2 + `"}`)
	if got, changed, err := v.Sweep(jsonType, kept); changed || err != nil {
		t.Errorf("a sweep replaces what a keep lets stand: %s, %v", got, err)
	}
	if got, _ := v.URL(stripe, InRequest, "https://x.dev/?flavour=red"); got != "https://x.dev/?flavour=REDACTED-0005" {
		t.Error(got)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{Add: []Rule{{Name: "x"}}}, "redact.add[0]: the rule has no id"},
		{Config{Add: []Rule{{ID: "a"}}}, "rule a: exactly one of name, value, path and host"},
		{Config{Add: []Rule{{ID: "a", Name: "x", Value: "y"}}}, "rule a: exactly one of name, value, path and host"},
		{Config{Add: []Rule{{ID: "a", Value: "("}}}, "rule a: value: error parsing regexp"},
		{Config{Add: []Rule{{ID: "a", Value: "x*"}}}, "matches the empty text"},
		{Config{Add: []Rule{{ID: "name-pin", Name: "x"}}}, "the id is taken"},
		{Config{Add: []Rule{{ID: "a", Name: "x", In: []string{"head"}}}}, `in: "head" is none of`},
		{Config{Add: []Rule{{ID: "a", Name: "x", On: "api.acme.dev"}}}, `rule a: on: "api.acme.dev" is not "METHOD host/path"; write "`},
		{Config{Add: []Rule{{ID: "a", Name: "a*b"}}}, "must be a name"},
		{Config{Remove: []string{"nope"}}, `redact.remove[0]: there is no rule "nope"`},
		{Config{Keep: []Keep{{Rule: "nope", At: "body", Reason: "x"}}}, `there is no rule "nope"`},
		{Config{Keep: []Keep{{Rule: "name-pin", At: "body"}}}, "needs a reason"},
		{Config{Keep: []Keep{{Rule: "name-pin", Reason: "x"}}}, "say where"},
		{Config{Keep: []Keep{{Rule: "name-pin", At: "body[", Reason: "x"}}}, "redact.keep[0]: at:"},
	}
	for _, tt := range tests {
		if _, err := Compile(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v\nwant %s", err, tt.want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	v := vault(t, Config{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				token := fmt.Sprintf("%s%02d", random1, i)
				out, err := v.Body(stripe, InRequest, formType, []byte("token="+token))
				if err != nil || !strings.HasPrefix(string(out), "token=REDACTED-") {
					t.Errorf("%d: %s, %v", g, out, err)
				}
				if err := v.Check("x", out); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := v.Learned(); n != 50 {
		t.Errorf("learned %d values, want 50", n)
	}
}
