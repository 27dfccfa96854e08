package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestUpgrade(t *testing.T) {
	segment := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	header := segment(`{"alg":"HS256"}`)
	for _, test := range []struct{ name, old, want string }{
		{"nothing", "plain text", "plain text"},
		{"by itself", "REDACTED-0001", "REDACTED-0001"},
		{"in a sentence", `{"a":"REDACTED-0001","b":"Bearer REDACTED-0002"}`, `{"a":"REDACTED-0001","b":"Bearer REDACTED-0002"}`},
		{"behind a prefix", `{"key":"sk_test_REDACTED-0004"}`, `{"key":"sk_test_REDACTED-0000000004"}`},
		{"a variable's name", "Bearer REDACTED-STRIPE_KEY-0001", "Bearer REDACTED-STRIPE_KEY-0000000001"},
		{"above 9999", "key_REDACTED-A00010000", "key_REDACTED-A000000000010000"},
		{"joined", "pi_3Nab_secret_REDACTED0002", "pi_3Nab_secret_REDACTED000000000002"},
		{"a form", "a=REDACTED-0001&b=x%2FREDACTED-0002&c=REDACTED-0003", "a=REDACTED-0001&b=x%2FREDACTED-0002&c=REDACTED-0003"},
		{"a path", "https://a.test/h/REDACTED-0001/x", "https://a.test/h/REDACTED-0001/x"},
		{"an escape in JSON", `"a\nREDACTED-0001 b\u003dREDACTED-0002"`, `"a\nREDACTED-0001 b\u003dREDACTED-0002"`},
		{"a JWT", "Bearer " + header + "." + segment(`{"exp":1}`) + ".REDACTED0005", "Bearer " + header + "." + segment("{\n"+`"exp":1}`) + ".REDACTED000000000005"},
		{"a card", "4988438843884305", "4988438843884305"},
		{"a name and an address", "Redacted-0001 redacted-0002@example.com", "Redacted-0001 redacted-0002@example.com"},
		{"no number", "REDACTED- REDACTED-12", "REDACTED- REDACTED-12"},
	} {
		got := Upgrade(test.old)
		if got != test.want {
			t.Errorf("%s: %q became %q, want %q", test.name, test.old, got, test.want)
		}
		if again := Upgrade(got); again != got {
			t.Errorf("%s: the second time %q became %q", test.name, got, again)
		}
		if before, after := ids(test.old), ids(got); before != after {
			t.Errorf("%s: the identities were %s and are %s", test.name, before, after)
		}
		if Blank(test.old) != Blank(got) {
			t.Errorf("%s: keys see %q, and saw %q", test.name, Blank(got), Blank(test.old))
		}
	}
}

func ids(s string) string {
	var list []string
	for _, ph := range Placeholders(s) {
		list = append(list, ph.ID+" "+ph.Env)
	}
	return strings.Join(list, ", ")
}

// What this version writes is what it would upgrade to.
func TestUpgradeLeavesTodaysPlaceholders(t *testing.T) {
	rules, err := Compile(Config{Env: []string{"STRIPE_KEY=sk_test_4eC39HqLyjWDarjtT1zdp7dc"}})
	if err != nil {
		t.Fatal(err)
	}
	v := NewVault(rules)
	s := Scope{Method: "POST", Host: "api.stripe.com", Path: "/v1/x"}
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"a","sub":"b","exp":1}`)) + ".c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl"
	for contentType, bodies := range map[string][]string{
		"application/json": {
			`{"client_secret":"pi_3Nab_secret_Qm9pN2VkYzRsTHZ0","password":"hunter2hunter2","api_key":"sk_live_51HqLyjWDarjtT1zdp7dcAAAA","token":"` + jwt + `"}`,
			`{"note":"key sk_test_4eC39HqLyjWDarjtT1zdp7dc, also x=sk_test_4eC39HqLyjWDarjtT1zdp7dc","url":"https://a.test/?access_token=Hd83kfPq0sVnZmW5tRxLbY"}`,
		},
		"application/x-www-form-urlencoded": {"client_secret=Hd83kfPq0sVnZmW5tRxLbY&key=sk_test_4eC39HqLyjWDarjtT1zdp7dc&a[token]=Zk83kfPq0sVnZmW5tRxLbY"},
		"text/plain":                        {"Authorization: Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc\napi_key=Hd83kfPq0sVnZmW5tRxLbY\n"},
	} {
		for _, body := range bodies {
			clean, err := v.Body(s, InResponse, contentType, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if len(Placeholders(string(clean))) == 0 {
				t.Errorf("nothing was replaced in %s", body)
			}
			if got := UpgradeBody(contentType, string(clean)); got != string(clean) {
				t.Errorf("%s\nwould become\n%s", clean, got)
			}
		}
	}
}
