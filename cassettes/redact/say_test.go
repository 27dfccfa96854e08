package redact

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	keep := []Keep{{Rule: "value-stripe-key", At: "body.kept", Reason: "an example"}}
	v := vault(t, Config{Keep: keep})
	secret := "p/" + random1 + "&+"
	kept := "sk_test_" + random2
	body(t, v, stripe, InRequest, formType, "password="+url.QueryEscape(secret)+"&kept="+kept)
	document := strings.Repeat("QUJD", maxRun/4) + base64.StdEncoding.EncodeToString([]byte("xxx"+secret+"xxxx")) + strings.Repeat("QUJD", maxRun/4)
	tests := []struct{ name, in, want string }{
		{"clean", "404 Not Found: /v1/customers/cus_123", "404 Not Found: /v1/customers/cus_123"},
		{"empty", "", ""},
		{"short", "OK", "OK"},
		{"raw", "bad password " + secret + ".", "bad password REDACTED-0001."},
		{"URL", "at " + url.QueryEscape(secret), "at REDACTED-0001"},
		{"hex", "at " + hex.EncodeToString([]byte(secret)) + " end", "at REDACTED-0002 end"},
		{"base64", "at " + base64.StdEncoding.EncodeToString([]byte(secret)) + " end", "at REDACTED-0003 end"},
		{"a document", "at " + document + " end", "at [REDACTED] end"},
		{"status phrase", "Invalid key sk_live_" + key40, "Invalid key sk_live_REDACTED-0000000004"},
		{"method", "GET-sk_live_" + key40, "GET-sk_live_REDACTED-0000000004"},
		{"card", "card " + card1, "card 4988438843884305"},
		{"error of net/http", `Get "https://u:pw@h.dev/x?token=abc&page=2": EOF`, `Get "https://u:REDACTED-0005@h.dev/x?token=REDACTED-0006&page=2": EOF`},
		{"placeholder", "want REDACTED-0001, got sk_test_REDACTED-0000000009", "want REDACTED-0001, got sk_test_REDACTED-0000000009"},
		{"kept", "got " + kept, "got " + kept},
		{"names", `"colour": "blue", token and password`, `"colour": "blue", token and password`},
		{"bytes", "\xff" + secret + "\xfe", "\xffREDACTED-0001\xfe"},
	}
	for _, tt := range tests {
		got := v.Text(tt.in)
		if got != tt.want {
			t.Errorf("%s:\n got %.200q\nwant %q", tt.name, got, tt.want)
		}
		if again := v.Text(got); again != got {
			t.Errorf("%s: not idempotent: %.200q", tt.name, again)
		}
		if err := v.Check("text", []byte(got)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzText(f *testing.F) {
	secret := "cN7" + random2
	for _, s := range []string{"%", "a % b", "https://u:%@h/?token=%", "sk_test_%", "REDACTED-0001%", "-----BEGIN PRIVATE KEY-----\n%\n", "x_secret_%", "://%@", card1 + "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := vault(t, Config{})
		v.learn(secret, "name-token", secret)
		once := v.Text(strings.ReplaceAll(text, "%", secret))
		if strings.Contains(once, secret) {
			t.Errorf("the text of %q holds the secret: %q", text, once)
		}
		if err := v.Check("text", []byte(once)); err != nil {
			t.Errorf("%q: %v: %q", text, err, once)
		}
		if twice := v.Text(once); twice != once {
			t.Errorf("not idempotent:\n in    %q\n once  %q\n twice %q", text, once, twice)
		}
	})
}
