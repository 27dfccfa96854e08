package redact

import (
	"encoding/base64"
	"net/http"
	"testing"
)

// TestWeakEnv: the dummy words of a CI machine are known by their variables where
// a rule names their place, and nowhere else.
func TestWeakEnv(t *testing.T) {
	v := vault(t, Config{Env: []string{
		"ALICE_TOKEN=alice", "BOB_TOKEN=dummy-bob", "BOB_PASSWORD=bob", "STRIPE_KEY=sk_test_dummy",
		"ONE_TOKEN=dummy", "OTHER_TOKEN=dummy", "EMPTY_TOKEN=", "HOME=home",
	}})
	if n := v.Learned(); n != 0 {
		t.Errorf("%d values are searched for everywhere, want none", n)
	}
	for _, c := range []struct{ value, want string }{
		{"Bearer alice", "Bearer REDACTED-ALICE_TOKEN-0000000001"},
		{"Bearer dummy-bob", "Bearer REDACTED-BOB_TOKEN-0000000002"},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte("bob:bob")), "Basic bob:REDACTED-BOB_PASSWORD-0000000003"},
		{"Bearer sk_test_dummy", "Bearer sk_test_REDACTED-STRIPE_KEY-0000000004"},
		{"Bearer dummy", "Bearer REDACTED-0005"}, // two variables hold it
		{"Bearer home", "Bearer REDACTED-0006"},
	} {
		out, err := v.Header(stripe, InRequest, http.Header{"Authorization": {c.value}})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Get("Authorization"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.value, got, c.want)
		}
	}
	const page = `{"user":"alice","text":"alice and bob are no dummy-bob, nor sk_test_dummy"}`
	if got := body(t, v, stripe, InResponse, jsonType, page); got != page {
		t.Errorf("words were replaced in a text: %s", got)
	}
}

// TestEnvOrder: which of two variables names a value does not depend on their order.
func TestEnvOrder(t *testing.T) {
	for _, env := range [][]string{{"A_KEY=" + random1, "B_KEY=" + random1}, {"B_KEY=" + random1, "A_KEY=" + random1}} {
		v := vault(t, Config{Env: env})
		out, _ := v.Header(stripe, InRequest, http.Header{"Authorization": {"Bearer " + random1}})
		if got := out.Get("Authorization"); got != "Bearer REDACTED-A_KEY-0000000001" {
			t.Errorf("%q: %s", env, got)
		}
	}
}
