package redact

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// However credentials are written, nothing of a secret remains, and what is clean
// stays as it is. § stands for a secret.
func TestCredentialsInHeaders(t *testing.T) {
	requests := map[string][]string{
		"Authorization": {"§", "Bearer §", "bearer  §", "Token §", "Token token=§", `Token token="§", nonce="def"`, "ApiKey §", "ApiKey id:§", "Key §", "Klaviyo-API-Key pk_§", "SSWS §",
			"AWS4-HMAC-SHA256 Credential=AKIAQYLPVBT3XCZ7MN4K/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=§",
			"AWS AKIAQYLPVBT3XCZ7MN4K:§", `Digest username="bob", realm="r", nonce="§", uri="/", response="§"`, `OAuth oauth_consumer_key="k", oauth_token="§", oauth_signature="§"`,
			"Negotiate §==", `Hawk id="k", mac="§"`, "Bearer tok_§", "Bearer card_§", "src_§", "Bearer pm_1§", "Bearer §\xff", "\xff§", "Bearer\t§", "Basic §", "Basic " + base64.StdEncoding.EncodeToString([]byte("u:§"))},
		"Proxy-Authorization": {"Basic §", "Bearer §", "§"},
		"X-Api-Key":           {"§", "tok_§", "card_1§", "pm_§", "pk_§", "\xfe§", `"§"`},
		"Cookie":              {"sid=§", `sid="§"`, "a=b; sid=§;t=§", "§", "=§", `sid="x;§"`, "sid=\xff§", "tok=tok_§", "a=x=§"},
	}
	responses := map[string][]string{
		"Set-Cookie": {"sid=§", "sid=§; HTTPONLY; path=/; MAX-AGE=60; SameSite=lax", "SID=\"§\" ;Secure;Domain=x.dev", "Path=/; sid=§", "sid=a; Path=/, tok=§; Path=/", "§; Path=/", "a=b;token=§",
			"sid=§; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "sid=\xff§\xfe; Path=/", "tok=card_§"},
		"Location":            {"https://u:§@x.dev/?code=§&state=1", "/cb#access_token=§"},
		"Authentication-Info": {`nextnonce="§"`},
	}
	for i, headers := range []map[string][]string{requests, responses} {
		for name, values := range headers {
			for _, value := range values {
				v := vault(t, Config{})
				live := strings.ReplaceAll(value, "§", random1)
				if strings.HasPrefix(value, "Basic dT") {
					live = "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+random1))
				}
				once, err := v.Header(stripe, Direction(i), http.Header{name: {live}})
				if err != nil {
					t.Fatal(err)
				}
				got := once[name][0]
				if strings.Contains(got, random1) || strings.Contains(got, random1[4:18]) || !strings.Contains(got, word) {
					t.Errorf("%s: %q became %q", name, value, got)
				}
				if err := v.Check("header", []byte(got)); err != nil {
					t.Errorf("%s: %q: %v", name, got, err)
				}
				if twice, _ := v.Header(stripe, Direction(i), once); twice[name][0] != got {
					t.Errorf("%s: %q is not idempotent: %q", name, got, twice[name][0])
				}
			}
		}
	}
}

// What a client parses in a Set-Cookie header stays.
func TestCookieAttributesStay(t *testing.T) {
	const attributes = "; EXPIRES=Wed, 21 Oct 2026 07:28:00 GMT; path=/a,b; Max-Age=60; domain=.x.dev; samesite=None; Secure; HttpOnly; Partitioned; SameParty"
	v := vault(t, Config{})
	h, err := v.Header(stripe, InResponse, http.Header{"Set-Cookie": {"sid=" + random1 + attributes}})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Get("Set-Cookie"); got != "sid=REDACTED-0001"+attributes {
		t.Error(got)
	}
}

// A secret among the parameters of an unknown scheme is known by itself.
func TestParametersAreLearned(t *testing.T) {
	v := vault(t, Config{})
	if _, err := v.Header(stripe, InRequest, http.Header{"Authorization": {`Token token="` + random1 + `", realm="` + random2 + `"`}}); err != nil {
		t.Fatal(err)
	}
	if got := v.Text(random1 + " " + random2); got != "REDACTED-0002 "+random2 {
		t.Error(got)
	}
}

// A published token, or the id of an object of Stripe's, stays where objects are
// named, and nowhere else.
func TestReferences(t *testing.T) {
	references := []string{"tok_visa", "tok_chargeDeclined", "tok_visa_debit", "tok_mastercard_prepaid", "tok_threeDSecure2Required", "tok_cvcCheckFail", "tok_avsLine1Fail", "tok_br", "tok_jcb",
		"btok_us_verified", "btok_us_verified_noAccount", "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_visa_chargeDeclinedFraudulent", "pm_usBankAccount_success", "pm_sepaDebit_failedWithDelay",
		"tok_1MzxDqB7WZ01zgkWKzgXzNpC", "pm_1MzxDqB7WZ01zgkWKzgXzNpC", "src_1MzxDqB7WZ01zgkW", "card_1MzxDqB7WZ01zgkW"}
	secrets := []string{"tok_QXhWeUEtZoDV8FHnNbPiBHmA", "card_QXhWeUEtZoDV8FHnNbPiBHmA", "src_q7Zt2LmX9vRbK4wPjN8sYc", "pm_0a1b2c3d4e5f60718293a4b5c6d7e8f9", "tok_xkqjzvwpmtrbghndcfyl", "tok_2aB-cD", "pk_01ab23cd45ef67ab89"}
	for _, value := range append(references, secrets...) {
		for _, name := range []string{"access_token", "client_secret", "api_key", "refresh_token", "id_token", "password", "session_token", "secret", "signature"} {
			got := body(t, vault(t, Config{}), stripe, InResponse, jsonType, `{"`+name+`":"`+value+`"}`)
			if strings.Contains(got, value) {
				t.Errorf("%s stays under %s", value, name)
			}
		}
		for _, name := range []string{"Authorization", "X-Api-Key", "X-Auth-Token", "Cookie"} {
			live := value
			if name == "Cookie" {
				live = "a=" + value
			}
			h, _ := vault(t, Config{}).Header(stripe, InRequest, http.Header{name: {live}})
			if strings.Contains(h.Get(name), value) {
				t.Errorf("%s stays in %s", value, name)
			}
		}
	}
	for _, value := range references {
		for _, name := range []string{"token", "source", "payment_method", "id", "card", "default_source", "customer"} {
			in := `{"` + name + `":"` + value + `"}`
			if got := body(t, vault(t, Config{}), stripe, InRequest, jsonType, in); got != in {
				t.Errorf("%s became %s", in, got)
			}
		}
		v := vault(t, Config{Env: []string{"TEST_TOKEN=" + value}, Add: []Rule{{ID: "mine", Name: "source", Reason: "x"}}})
		if got := body(t, v, stripe, InRequest, formType, "source="+value+"&a[token]="+value); got != "source="+value+"&a[token]="+value {
			t.Error(got)
		}
	}
	for _, value := range secrets {
		if got := body(t, vault(t, Config{}), stripe, InRequest, formType, "token="+value); strings.Contains(got, value) {
			t.Error(got)
		}
	}
	// Basic credentials and user-info are credentials, whatever they look like.
	v := vault(t, Config{})
	_, _ = v.Header(stripe, InRequest, http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+secrets[0]))}})
	if got := v.Text(secrets[0]); strings.Contains(got, secrets[0]) {
		t.Error(got)
	}
	if got, _ := v.URL(stripe, InRequest, "https://u:"+references[0]+"@x.dev/"); strings.Contains(got, references[0]) {
		t.Error(got)
	}
}

// A presigned URL and an OAuth exchange: what is made anew for every request is
// blank in the key.
func TestOnceOnlyValuesAreBlank(t *testing.T) {
	urls := []string{"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAQYLPVBT3XCZ7MN4K%2F20260101%2Feu%2Fs3%2Faws4_request&X-Amz-Signature=0a1b2c3d4e5f60718293a4b5c6d7e8f9",
		"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAZZLPVBT3XCZ7MN4K%2F20260102%2Feu%2Fs3%2Faws4_request&X-Amz-Signature=ffffffffffffffffffffffffffffff00"}
	forms := []string{"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&redirect_uri=https://x.dev",
		"grant_type=authorization_code&code=abc&code_verifier=short&redirect_uri=https://x.dev"}
	v := vault(t, Config{})
	var keys []string
	for _, u := range urls {
		clean, err := v.URL(stripe, InRequest, u)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, Blank(clean))
	}
	for _, form := range forms {
		keys = append(keys, Blank(body(t, v, stripe, InRequest, formType, form)))
	}
	if keys[0] != keys[1] || keys[2] != keys[3] {
		t.Errorf("the keys differ:\n%s", strings.Join(keys, "\n"))
	}
}
