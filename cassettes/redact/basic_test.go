package redact

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// TestBasicUser: the name of a user stays where it is a name, and what an API
// takes in its place does not.
func TestBasicUser(t *testing.T) {
	encoded := func(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }
	for _, c := range []struct{ pair, want string }{
		{"alice:" + random1, "alice:REDACTED-0001"},
		{"alice:password", "alice:REDACTED-0001"},
		{"alice@acme.dev:" + random1, "alice@acme.dev:REDACTED-0001"},
		{"ledger-app:a:b", "ledger-app:REDACTED-0001"},
		{"alice:", "REDACTED-0001"}, // what stands alone may be a key
		{":" + random1, "REDACTED-0001"},
		{"sk_test_" + key40 + ":x", "REDACTED-0001"},
		{random2 + ":x", "REDACTED-0001"},
		{random2 + ":" + random1, "REDACTED-0001"},
		{"Alice Liddell:" + random1, "REDACTED-0001"},
		{strings.Repeat("ab", 80) + ":" + random1, "REDACTED-0001"},
	} {
		v := vault(t, Config{})
		in := http.Header{"Authorization": {"Basic " + encoded(c.pair)}}
		out, err := v.Header(stripe, InRequest, in)
		if err != nil {
			t.Fatal(err)
		}
		got := out.Get("Authorization")
		if want := "Basic " + c.want; got != want {
			t.Errorf("%s: got %s, want %s", c.pair, got, want)
		}
		if again, _ := v.Header(stripe, InRequest, out); again.Get("Authorization") != got {
			t.Errorf("%s: redacting again gives %s", c.pair, again.Get("Authorization"))
		}
		if found := Placeholders(got); len(found) != 1 || found[0].ID != "0001" {
			t.Errorf("%s: placeholders %v", c.pair, found)
		}
	}
}

// TestBasicUnencoded: credentials that somebody forgot to encode are as secret.
func TestBasicUnencoded(t *testing.T) {
	v := vault(t, Config{})
	out, _ := v.Header(stripe, InRequest, http.Header{"Authorization": {"Basic alice:" + random1}})
	if got := out.Get("Authorization"); strings.Contains(got, random1) {
		t.Error(got)
	}
}
