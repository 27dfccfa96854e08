package clean_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// fresh is a random value that no test has seen.
func fresh(t *testing.T) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "x7K" + hex.EncodeToString(b)
}

// all is everything of an interaction that is written to a file.
func all(t *testing.T, in clean.Interaction) string {
	t.Helper()
	s, err := in.Stored()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n%v\n%v\n%s\n%d %s\n%v\n%v\n%s\n", s.Method, s.URL, s.RequestHeader, s.RequestTrailer, s.RequestBody, s.Status, s.StatusText, s.ResponseHeader, s.ResponseTrailer, s.ResponseBody)
	for _, info := range s.Informational {
		fmt.Fprintf(&b, "%d %v\n", info.Status, info.Header)
	}
	return b.String()
}

// A secret that is known is gone from every part of an exchange, in every content
// coding.
func TestSecretsInEveryPart(t *testing.T) {
	for _, coding := range []string{"", "gzip", "x-gzip", "deflate", "raw deflate", "br", "zstd"} {
		token := fresh(t)
		encodings := []string{token, url.QueryEscape(token + "="), hex.EncodeToString([]byte(token)), base64.StdEncoding.EncodeToString([]byte("uv" + token)), fmt.Sprintf("%%%02X", token[0]) + token[1:]}
		for _, text := range encodings {
			c := newCleaner(t)
			c.KeepRequestHeader = func(redact.Scope, string) bool { return true }
			sent := []byte(`{"note":"` + text + `"}`)
			header := http.Header{"Content-Type": {"application/json"}, "X-Note": {text}}
			name := strings.TrimPrefix(coding, "raw ")
			if coding != "" {
				sent = encode(t, coding, sent)
				header.Set("Content-Encoding", name)
			}
			request(t, c, "POST", "https://api.acme.dev/login", "token="+token, "Content-Type", "application/x-www-form-urlencoded")
			raw := raw("POST", "https://api.acme.dev/a/"+text+"?q="+text+"&"+text+"=1")
			raw.Header = header.Clone()
			raw.Trailer = http.Header{"X-Trailer": {text}}
			req, err := c.Request(raw, sent)
			if err != nil {
				t.Fatal(err)
			}
			in, err := c.Interaction(req, clean.Answer{
				Response: &http.Response{StatusCode: 200, Status: "200 it is " + text, Header: header}, Body: sent,
				Trailer: http.Header{"X-Trailer": {text}}, Informational: []clean.Informational{{Status: 103, Header: http.Header{"Link": {"</a?x=" + text + ">; rel=preload"}, "X-Note": {text}}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(in); err != nil {
				t.Errorf("%s: %v", coding, err)
			}
			out := all(t, in)
			for _, encoded := range append(encodings, token[5:]) {
				if strings.Contains(out, encoded) {
					t.Errorf("%q, %s: it stays:\n%s", coding, text, out)
				}
			}
		}
	}
}

// record puts one flow through a cleaner: a login whose answer holds a secret, an
// answer that shows it before, and requests that use it.
func record(t *testing.T, c *clean.Cleaner) (out []clean.Interaction) {
	t.Helper()
	password, token, csrf, session := fresh(t), fresh(t), fresh(t), fresh(t)
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+token+`","exp":1}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(csrf))
	c.KeepRequestHeader = func(redact.Scope, string) bool { return true }
	exchange := func(method, url, kind, body, answer string, headers ...string) {
		req, err := c.Request(raw(method, url, append(headers, "Content-Type", kind)...), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		in, err := c.Interaction(req, clean.Answer{Response: &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"sid=" + session + "; Path=/"}}}, Body: []byte(answer)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, in)
	}
	const form, json = "application/x-www-form-urlencoded", "application/json"
	exchange("GET", "https://api.acme.dev/hint", json, "", `{"note":"`+token+`","n":1}`)
	exchange("POST", "https://api.acme.dev/login", form, "user=bob&password="+password, `{"access_token":"`+token+`","id_token":"`+jwt+`"}`)
	exchange("GET", "https://api.acme.dev/me?token="+token, json, "", `{"html":"<input name=\"csrf_token\" value=\"`+csrf+`\">"}`, "Authorization", "Bearer "+token, "Cookie", "sid="+session)
	exchange("POST", "https://api.acme.dev/pay/"+token, json, `{"raw":"`+base64.StdEncoding.EncodeToString([]byte("user:"+token))+`","csrf":"`+csrf+`"}`, `{"client_secret":"pi_3Nab_secret_`+fresh(t)+`"}`, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+password)))
	for i, in := range out { // what was learned late
		swept, err := c.Sweep(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(swept); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		text := all(t, swept)
		for _, secret := range []string{password, token, csrf, session} {
			if strings.Contains(text, secret) {
				t.Errorf("%d holds a secret:\n%s", i, text)
			}
		}
		out[i] = swept
	}
	return out
}

// The same flow with other secrets gives the same bytes: nothing of a secret is left
// in what stands for it, nor in the order of the numbers.
func TestRotatedSecretsGiveTheSameBytes(t *testing.T) {
	first, second := record(t, newCleaner(t)), record(t, newCleaner(t))
	for i := range first {
		if a, b := all(t, first[i]), all(t, second[i]); a != b {
			t.Errorf("%d:\n%s\n%s", i, a, b)
		}
	}
}

// A recording into a vault that has given out numbers before has other numbers, and
// the same bytes once they are renumbered.
func TestRotatedSecretsRenumbered(t *testing.T) {
	first := record(t, newCleaner(t))
	later := newCleaner(t)
	later.Vault.Reserve([]byte("REDACTED-9997"))
	second := record(t, later)
	ids := map[string]string{}
	for i := range first {
		old, recent := redact.Placeholders(all(t, first[i])), redact.Placeholders(all(t, second[i]))
		if len(old) != len(recent) {
			t.Fatalf("%d: %d and %d placeholders", i, len(old), len(recent))
		}
		for k := range recent {
			if to, ok := ids[recent[k].ID]; ok && to != old[k].ID {
				t.Errorf("%d: %s stands for %s and %s", i, recent[k].ID, to, old[k].ID)
			}
			ids[recent[k].ID] = old[k].ID
		}
	}
	for i := range second {
		renumbered, err := second[i].Renumber(ids)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := all(t, first[i]), all(t, renumbered); a != b {
			t.Errorf("%d:\n%s\n%s", i, a, b)
		}
	}
}
