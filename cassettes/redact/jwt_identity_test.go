package redact

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func signed(header, claims, signature string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(claims)) + "." + enc([]byte(signature))
}

// Tokens that say the same about who and what are one secret with one number, those
// that differ in anything else are two.
func TestJWTIdentity(t *testing.T) {
	const header = `{"alg":"RS256","typ":"JWT","kid":"k1"}`
	const base = `{"iss":"4711","sub":"alice","aud":"https://api.acme.dev","scope":"read","iat":1800000000,"exp":1800000600,"jti":"a1"}`
	for _, tt := range []struct {
		name, header, claims string
		same                 bool
	}{
		{"signed later", header, `{"iss":"4711","sub":"alice","aud":"https://api.acme.dev","scope":"read","iat":1800003600,"nbf":1800003600,"exp":1800004200,"jti":"b2","nonce":"n"}`, true},
		{"another order", `{"kid":"k1","typ":"JWT","alg":"RS256"}`, `{"exp":1800000600, "scope":"read","aud":"https://api.acme.dev","sub":"alice","iss":"4711"}`, true},
		{"another key of the same signer", `{"alg":"RS256","typ":"JWT","kid":"k2"}`, base, true},
		{"another user", header, strings.Replace(base, "alice", "bob", 1), false},
		{"another scope", header, strings.Replace(base, `"read"`, `"read write"`, 1), false},
		{"another audience", header, strings.Replace(base, "api.acme", "id.acme", 1), false},
		{"another algorithm", `{"alg":"none","typ":"JWT"}`, base, false},
		{"another kind", `{"alg":"RS256","typ":"at+jwt"}`, base, false},
		{"a claim more", header, strings.Replace(base, `"scope"`, `"tenant":"t2","scope"`, 1), false},
	} {
		v := vault(t, Config{})
		first, second := signed(header, base, "first signature"), signed(tt.header, tt.claims, "second signature")
		clean := body(t, v, stripe, InRequest, jsonType, fmt.Sprintf(`{"a":%q,"token":%q}`, first, second))
		list := Placeholders(clean)
		if len(list) != 2 || (list[0].ID == list[1].ID) != tt.same {
			t.Errorf("%s: %v in %s", tt.name, list, clean)
		}
		if err := v.Check("later", []byte(base64.StdEncoding.EncodeToString([]byte(second)))); err == nil {
			t.Errorf("%s: the second token is not searched for", tt.name)
		}
	}
}

// A token that names nobody is a secret by itself; a proof of possession (RFC 9449) is
// told by its key and the request that it is for.
func TestJWTWithoutIdentity(t *testing.T) {
	const proof = `{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"EC","x":"%s"}}`
	one := fmt.Sprintf(proof, "k1")
	for _, tt := range []struct {
		name, header, first, second string
		same                        bool
	}{
		{"nobody", `{"alg":"RS256"}`, `{"iat":1800000000,"scope":"a"}`, `{"iat":1800000001,"scope":"a"}`, false},
		{"an empty issuer", `{"alg":"RS256"}`, `{"iss":"","iat":1800000000}`, `{"iss":"","iat":1800000001}`, false},
		{"an app's number", `{"alg":"RS256"}`, `{"iss":4711,"iat":1800000000}`, `{"iss":4711,"iat":1800000001}`, true},
		{"proofs for one URL", one, `{"htm":"GET","htu":"https://a/b","jti":"1"}`, `{"htm":"GET","htu":"https://a/b","jti":"2"}`, true},
		{"proofs for two", one, `{"htm":"GET","htu":"https://a/b","jti":"1"}`, `{"htm":"GET","htu":"https://a/c","jti":"2"}`, false},
	} {
		clean := vaultText(t, signed(tt.header, tt.first, "first")+" "+signed(tt.header, tt.second, "second"))
		list := Placeholders(clean)
		if len(list) != 2 || (list[0].ID == list[1].ID) != tt.same {
			t.Errorf("%s: %v in %s", tt.name, list, clean)
		}
	}
}

func vaultText(t *testing.T, text string) string {
	t.Helper()
	return body(t, vault(t, Config{}), stripe, InRequest, "text/plain", text)
}

// A token of the environment has its name's number however often it is signed anew.
func TestJWTOfTheEnvironment(t *testing.T) {
	const header = `{"alg":"RS256"}`
	old, fresh := signed(header, `{"iss":"acme","exp":1800000000}`, "first"), signed(header, `{"iss":"acme","exp":1900000000}`, "second")
	v := vault(t, Config{Env: []string{"ACME_TOKEN=" + old}})
	clean := body(t, v, stripe, InRequest, "text/plain", fresh+" "+old)
	if list := Placeholders(clean); len(list) != 2 || list[0].ID != list[1].ID {
		t.Errorf("%s", clean)
	}
}

// Tokens that are issued anew on one day read the same.
func TestJWTTimesAreThoseOfTheDay(t *testing.T) {
	const morning = 1795219200 + 8*3600 // 2026-11-21
	text := func(iat, lives int) string {
		return vaultText(t, signed(`{"alg":"RS256"}`, fmt.Sprintf(`{"iss":"acme","iat":%d,"nbf":%d,"exp":%d}`, iat, iat-10, iat+lives), "s"))
	}
	if one, two := text(morning, 3600), text(morning+5000, 3600); one != two {
		t.Errorf("\n%s\n%s", one, two)
	}
	if one, two := text(morning, 3600), text(morning+86400, 3600); one == two {
		t.Error("the day is lost")
	}
	if one, two := text(morning, 3600), text(morning, 7200); one == two {
		t.Error("how long a token lives is lost")
	}
	_, claims, _ := jwtParts(text(morning+15*3600+1800, 3600)) // beyond midnight
	if got := string(claims["iat"]); got != fmt.Sprint(morning+15*3600+1800) {
		t.Errorf("moved to %s: when exp leaves its day, Refresh would take the token for expired", got)
	}
}
