package redact

import (
	"strings"
	"testing"
)

func TestMultipart(t *testing.T) {
	const contentType = "multipart/form-data; boundary=xx"
	in := strings.ReplaceAll(`--xx
Content-Disposition: form-data; name="password"

hunter2
--xx
Content-Disposition: form-data; name="purpose"

dispute_evidence
--xx
Content-Disposition: form-data; name="file"; filename="sk_test_KEY.txt"
Content-Type: text/plain

my key: sk_test_KEY, "token": "abc", RANDOM
--xx
Content-Disposition: form-data; name="meta"
Content-Type: application/json

{"a":{"client_secret":"RANDOM"},"number":"CARD"}
--xx
Content-Disposition: form-data; name="image"; filename="x.png"
Content-Type: image/png

`+"\x89PNG\x00\xff sk_test_KEY\x00\xfe"+`
--xx--
`, "\n", "\r\n")
	fill := strings.NewReplacer("KEY", key40, "RANDOM", random1, "CARD", card1)
	want := strings.NewReplacer("hunter2", "REDACTED-0001", "sk_test_KEY", "sk_test_REDACTED-0003", "RANDOM", "REDACTED-0004",
		`"abc"`, `"REDACTED-0002"`, "CARD", "4988438843884305").Replace(in)
	if got := body(t, vault(t, Config{}), stripe, InRequest, contentType, fill.Replace(in)); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// What does not parse, or has no structure that is known, is searched as text; names
// that stand before a value in the usual ways count there too.
func TestTextAndBytes(t *testing.T) {
	tests := []struct{ name, contentType, in, want string }{
		{"cut JSON", jsonType, `{"password": "hunter2", "list": [1, 2`, `{"password": "REDACTED-0001", "list": [1, 2`},
		{"duplicate names", jsonType, `{"a":1,"a":2,"client_secret":"pi_1_secret_` + random1 + `"}`, `{"a":1,"a":2,"client_secret":"pi_1_secret_REDACTED0001"}`},
		{"escaped quotes", jsonType, `{"password":"a\"b","x":`, `{"password":"REDACTED-0001","x":`},
		{"cut in a value", jsonType, `{"password": "hunter2hunt`, `{"password": "REDACTED-0001`},
		{"key in cut JSON", jsonType, `{"private_key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n","x":`, `{"private_key":"-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n","x":`},
		{"card in cut JSON", jsonType, `{"number": "` + card1 + `", "token" : "abc", "Authorization":"Bearer abd", "x`, `{"number": "4988438843884305", "token" : "REDACTED-0001", "Authorization":"Bearer REDACTED-0002", "x`},
		{"events", "text/event-stream", "event: a\ndata: {\"token\":\"" + random1 + "\"}\n\ndata: " + random1 + "\n\n", "event: a\ndata: {\"token\":\"REDACTED-0001\"}\n\ndata: REDACTED-0001\n\n"},
		{"XML", "application/xml", `<a><Password>x&amp;y</Password><ns:token t="1">abc</ns:token><name>n</name></a>`, `<a><Password>REDACTED-0001</Password><ns:token t="1">REDACTED-0002</ns:token><name>n</name></a>`},
		{"JSON in a string", "text/plain", `x = "{\"token\":\"abc\"}"`, `x = "{\"token\":\"REDACTED-0001\"}"`},
		{"page", "text/html", `<p>sk_live_` + key40 + `</p><a href="https://x.dev/?token=abc">`, `<p>sk_live_REDACTED-0002</p><a href="https://x.dev/?token=REDACTED-0001">`},
		{"binary", "application/octet-stream", "\x00\xffsk_live_" + key40 + "\x00\xfe", "\x00\xffsk_live_REDACTED-0001\x00\xfe"},
		{"digits follow", "text/plain", random1 + " " + random1 + "77", random1 + " " + random1 + "77"},
		{"NDJSON", "application/x-ndjson", "{\"token\":\"abc\"}\n{\"a\":\"b\"}\n", "{\"token\":\"REDACTED-0001\"}\n{\"a\":\"b\"}\n"},
		{"text", "text/plain", "nothing here: token, password, code=5", "nothing here: token, password, code=5"},
		{"empty", jsonType, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := body(t, vault(t, Config{}), stripe, InResponse, tt.contentType, tt.in); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A placeholder's number must stay readable when a digit follows the secret.
func TestDigitsAfterASecret(t *testing.T) {
	v := vault(t, Config{})
	got := body(t, v, stripe, InResponse, jsonType, `{"a":"`+random1+`77 `+random1+`_x","token":"`+random1+`"}`)
	if want := `{"a":"REDACTED-0002 REDACTED-0001_x","token":"REDACTED-0001"}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// A card that is known stays a number where it stands as one.
func TestKnownCardAsNumber(t *testing.T) {
	v := vault(t, Config{})
	got := body(t, v, stripe, InResponse, jsonType, `{"card":{"number":"`+card1+`"},"ref":`+card1+`,"other":4539578763621487}`)
	if want := `{"card":{"number":"4988438843884305"},"ref":4988438843884305,"other":4539578763621487}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// A key's lines are learned too: each gives part of it away.
func TestPrivateKeyLines(t *testing.T) {
	const line = "nB8kZp4vXc2QmL7sWd9RfT1yHj6GuE3aKo5iVbNxPq0="
	v := vault(t, Config{})
	body(t, v, stripe, InRequest, "text/plain", "-----BEGIN EC PRIVATE KEY-----\n"+line+"\nq\n-----END EC PRIVATE KEY-----\n")
	got := body(t, v, stripe, InResponse, "text/plain", "line: "+line)
	if got != "line: REDACTED-0001" {
		t.Error(got)
	}
}
