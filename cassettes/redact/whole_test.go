package redact

import (
	"net/url"
	"strings"
	"testing"

	"tapedeck/cassettes/leaves"
)

// A secret that holds what ends a value in some place must not be cut there: half of it
// would stay. It is learned before, after, or from the environment.
func TestKnownSecretsAreNotCut(t *testing.T) {
	const first, second = "kTxvbDGDiHmVOaP8PQ3rBz", "KbdSwLiLiiq1rzKzlNfoFa"
	for _, cut := range []string{";", ",", "&", "#", `"`, "$", "}", "<", ">", "'", "|", "^", "{", "+", "/", "=", "%", "é", "?", ":", "@", "!", "*", "(", ")"} {
		secret := first + cut + second
		login := `{"password":` + string(leaves.QuoteJSON(secret)) + `}`
		for _, c := range []struct{ what, contentType, text string }{
			{"assigned in text", "text/plain", "password=" + secret},
			{"assigned in a line", "text/plain", "Server=db;Password=" + secret + ";x"},
			{"a flag", "text/plain", "mysql --password=" + secret + " -u x"},
			{"a URL in text", "text/plain", "see https://x.dev/cb?token=" + secret + " now"},
			{"a raw form", "application/x-www-form-urlencoded", "password=" + secret + "&a=1"},
			{"a raw form, another name", "application/x-www-form-urlencoded", "a=1&b=x" + secret},
			{"JSON", "application/json", `{"log":` + string(leaves.QuoteJSON("password="+secret)) + `}`},
			{"a connection string in JSON", "application/json", `{"s":` + string(leaves.QuoteJSON("Server=db;Password="+secret+";x")) + `}`},
			{"a URL in a URL in JSON", "application/json", `{"u":` + string(leaves.QuoteJSON("https://y.dev/?next=https://x.dev/cb?token="+secret)) + `}`},
		} {
			for _, order := range []string{"learned before", "learned after", "of the environment"} {
				cfg := Config{}
				if order == "of the environment" {
					cfg.Env = []string{"DB_PASSWORD=" + secret}
				}
				v := vault(t, cfg)
				scope := Scope{Method: "POST", Host: "api.acme.dev", Path: "/x"}
				if order == "learned before" {
					body(t, v, scope, InRequest, "application/json", login)
				}
				out := body(t, v, scope, InRequest, c.contentType, c.text)
				if order == "learned after" {
					body(t, v, scope, InRequest, "application/json", login)
					swept, _, err := v.Sweep(c.contentType, []byte(out))
					if err != nil {
						continue // refused, so nothing is stored
					}
					out = string(swept)
				}
				if strings.Contains(out, first) || strings.Contains(out, second) {
					t.Errorf("%s, cut at %q, %s: %s", c.what, cut, order, out)
				}
			}
		}
		v := vault(t, Config{Env: []string{"DB_PASSWORD=" + secret}})
		u, err := v.URL(Scope{Method: "GET", Host: "y.dev", Path: "/"}, InRequest, "https://y.dev/?next=https://x.dev/cb?token="+secret)
		if err == nil && (strings.Contains(u, first) || strings.Contains(u, second)) {
			t.Errorf("the request's own URL, cut at %q: %s", cut, u)
		}
		if u, err = v.URL(Scope{Method: "GET", Host: "y.dev", Path: "/"}, InRequest, "https://y.dev/?q="+url.QueryEscape(secret)); err == nil && strings.Contains(u, second) {
			t.Errorf("escaped in the request's own URL, cut at %q: %s", cut, u)
		}
	}
}

// A short end of a secret is found with the whole, once that is known.
func TestKnownSecretsKeepNoEnd(t *testing.T) {
	const first, end = "kTxvbDGDiHmVOaP8PQ3rBz", "Qz7x"
	for _, cut := range []string{";", ",", "&", "#", `"`, "$", "}", "<", "+", "/", "é", "?"} {
		secret := first + cut + end
		for contentType, text := range map[string]string{
			"text/plain":                        "mysql --password=" + secret + " -u x, https://x.dev/?token=" + secret + " ",
			"application/x-www-form-urlencoded": "password=" + secret + "&a=1",
			"application/json":                  `{"log":` + string(leaves.QuoteJSON("Password="+secret+";x, https://x.dev/?token="+secret)) + `}`,
		} {
			v := vault(t, Config{Env: []string{"DB_PASSWORD=" + secret}})
			if out := body(t, v, Scope{Method: "POST", Host: "api.acme.dev", Path: "/x"}, InRequest, contentType, text); strings.Contains(out, end) {
				t.Errorf("%s, cut at %q: %s", contentType, cut, out)
			}
		}
	}
}
