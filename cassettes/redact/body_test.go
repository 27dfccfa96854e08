package redact

import (
	"strings"
	"testing"

	"tapedeck/cassettes/leaves"
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
	want := strings.NewReplacer("sk_test_KEY\x00", "sk_test_REDACTED-0003"+strings.Repeat(" ", len(key40)-len("REDACTED-0003"))+"\x00", "hunter2", "REDACTED-0001", "sk_test_KEY", "sk_test_REDACTED-0000000003", "RANDOM", "REDACTED-0004",
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
		{"duplicate names", jsonType, `{"a":1,"a":2,"client_secret":"pi_1_secret_` + random1 + `"}`, `{"a":1,"a":2,"client_secret":"pi_1_secret_REDACTED000000000001"}`},
		{"escaped quotes", jsonType, `{"password":"a\"b","x":`, `{"password":"REDACTED-0001","x":`},
		{"cut in a value", jsonType, `{"password": "hunter2hunt`, `{"password": "REDACTED-0001`},
		{"key in cut JSON", jsonType, `{"private_key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n","x":`, `{"private_key":"-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n","x":`},
		{"card in cut JSON", jsonType, `{"number": "` + card1 + `", "token" : "abc", "Authorization":"Bearer abd", "x`, `{"number": "4988438843884305", "token" : "REDACTED-0001", "Authorization":"Bearer REDACTED-0002", "x`},
		{"events", "text/event-stream", "event: a\ndata: {\"token\":\"" + random1 + "\"}\n\ndata: " + random1 + "\n\n", "event: a\ndata: {\"token\":\"REDACTED-0001\"}\n\ndata: REDACTED-0001\n\n"},
		{"XML", "application/xml", `<a><Password>x&amp;y</Password><ns:token t="1">abc</ns:token><name>n</name></a>`, `<a><Password>REDACTED-0001</Password><ns:token t="1">REDACTED-0002</ns:token><name>n</name></a>`},
		{"JSON in a string", "text/plain", `x = "{\"token\":\"abc\"}"`, `x = "{\"token\":\"REDACTED-0001\"}"`},
		{"page", "text/html", `<p>sk_live_` + key40 + `</p><a href="https://x.dev/?token=abc">`, `<p>sk_live_REDACTED-0000000002</p><a href="https://x.dev/?token=REDACTED-0001">`},
		{"binary", "application/octet-stream", "\x00\xffsk_live_" + key40 + "\x00\xfe", "\x00\xffsk_live_REDACTED-0001" + strings.Repeat(" ", len(key40)-len("REDACTED-0001")) + "\x00\xfe"},
		{"digits follow", "text/plain", random1 + " " + random1 + "77", random1 + " " + random1 + "77"},
		{"events of an API", "text/event-stream", "event: x\ndata: {\"id\":1,\"client_secret\":\"ek_short\"}\n\ndata:{\"a\":{\"client_secret\" :\n \"two\"}}\n\ndata: [DONE]\n\n", "event: x\ndata: {\"id\":1,\"client_secret\":\"REDACTED-0001\"}\n\ndata:{\"a\":{\"client_secret\" :\n \"REDACTED-0002\"}}\n\ndata: [DONE]\n\n"},
		{"aligned members", "text/plain", "{\"a\",\n\"password\"           :                    \"hunter2\"", "{\"a\",\n\"password\"           :                    \"REDACTED-0001\""},
		{"NDJSON that does not parse", "application/x-ndjson", "{\"client_secret\":\"abc\"}\n{bad\n", "{\"client_secret\":\"REDACTED-0001\"}\n{bad\n"},
		{"JSON in a string in JSON", jsonType, `{"a":" {\"password\":\"hunter2\"}"}`, `{"a":" {\"password\":\"REDACTED-0001\"}"}`},
		{"JSON in a string in a string", jsonType, `{"a":"{\"b\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}`, `{"a":"{\"b\":\"{\\\"password\\\":\\\"REDACTED-0001\\\"}\"}"}`},
		{"JSON in a log line in JSON", jsonType, `{"m":"sent {\"password\":\"hunter2\",\"n\":1}"}`, `{"m":"sent {\"password\":\"REDACTED-0001\",\"n\":1}"}`},
		{"XML in JSON", jsonType, `{"m":"<a><Password>hunter2</Password></a>"}`, `{"m":"<a><Password>REDACTED-0001</Password></a>"}`},
		{"twice escaped", "text/plain", `x = "{\"b\":\"{\\\"password\\\":\\\"a\\\\\"b\\\",\\\"n\\\":1}\"}"`, `x = "{\"b\":\"{\\\"password\\\":\\\"REDACTED-0001\\\",\\\"n\\\":1}\"}"`},
		{"a backslash at the end", "text/plain", `{"password":"a\\","n":"x", `, `{"password":"REDACTED-0001","n":"x", `},
		{"pieces of text", jsonType, `{"content":[{"token":"Hel","logprob":-0.1,"top_logprobs":[{"token":"token","logprob":-1}]}],"tokens":[{"token":"quick","start_offset":0}]}`, `{"content":[{"token":"Hel","logprob":-0.1,"top_logprobs":[{"token":"token","logprob":-1}]}],"tokens":[{"token":"quick","start_offset":0}]}`},
		{"pieces of text in events", "text/event-stream", "data: {\"token\":\"Hel\",\"logprob\":-0.1}\n\ndata: {\"token\":\"" + random1 + "\",\"logprob\":-0.1}\n\n", "data: {\"token\":\"Hel\",\"logprob\":-0.1}\n\ndata: {\"token\":\"REDACTED-0001\",\"logprob\":-0.1}\n\n"},
		{"certificate, then key", "text/plain", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n" + keyLine + "\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n"},
		{"two keys, escaped", jsonType, `{"a":"-----BEGIN EC PRIVATE KEY-----\n` + keyLine + `\n-----END EC PRIVATE KEY-----","b":"-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----"}`, `{"a":"-----BEGIN EC PRIVATE KEY-----\nREDACTED-0001\n-----END EC PRIVATE KEY-----","b":"-----BEGIN PGP PRIVATE KEY BLOCK-----\nREDACTED-0002\n-----END PGP PRIVATE KEY BLOCK-----"}`},
		{"key without its end", "text/plain", "-----BEGIN PRIVATE KEY-----\\n" + keyLine + "\\n" + keyLine[:10] + "\\nand more", "-----BEGIN PRIVATE KEY-----\\nREDACTED-0001\\nand more"},
		{"key without its end, and another", "text/plain", "-----BEGIN PRIVATE KEY-----\n" + keyLine + "\n-----BEGIN PRIVATE KEY-----\n" + keyLine + "\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----"},
		{"text about keys", "text/plain", "-----BEGIN PRIVATE KEY----- starts every one of them, -----BEGIN PRIVATE KEY----------END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- starts every one of them, -----BEGIN PRIVATE KEY----------END PRIVATE KEY-----"},
		{"client secret after words", "text/plain", "a_secret_x,pi_3Nab_secret_" + random1 + " a__secret_" + random2, "a_secret_x,pi_3Nab_secret_REDACTED000000000001 a__secret_REDACTED000000000002"},
		{"client secret, escapes", "text/plain", "cs_secret_%2Fab1cdefgh%2 cs_secret_abcdefghijklmnopqrst%2F cs_secret_ab%2F1cdefgh", "cs_secret_REDACTED000000000001%2 cs_secret_REDACTED000000000002%2F cs_secret_ab%2F1cdefgh"},
		{"long token after a short window", "text/plain", "xoxb-" + strings.Repeat(random1, 40), "xoxb-REDACTED-0000000001"},
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

const keyLine = "nB8kZp4vXc2QmL7sWd9RfT1yHj6GuE3aKo5iVbNxPq0="

// A key's lines are learned too: each gives part of it away.
func TestPrivateKeyLines(t *testing.T) {
	const line = keyLine
	v := vault(t, Config{})
	body(t, v, stripe, InRequest, "text/plain", "-----BEGIN EC PRIVATE KEY-----\n"+line+"\nq\n-----END EC PRIVATE KEY-----\n")
	got := body(t, v, stripe, InResponse, "text/plain", "line: "+line)
	if got != "line: REDACTED-0001" {
		t.Error(got)
	}
}

// Messages about a field are not what stands in it.
func TestMessagesAboutSecretsStay(t *testing.T) {
	for text, stays := range map[string]bool{
		`{"errors":{"password":["is too short"]}}`:     true,
		`{"error_messages":{"token":"must be given"}}`: true,
		`{"errors":{"password":"hunter2"}}`:            false,
		`{"user":{"password":"my long pass phrase"}}`:  false,
	} {
		if got := body(t, vault(t, Config{}), Scope{Method: "POST", Host: "api.acme.dev", Path: "/x"}, InResponse, "application/json", text); (got == text) != stays {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestLiteralsOfGraphQL(t *testing.T) {
	for _, text := range []string{
		`mutation { login(user:"bob", password:"hunter2") { id } }`,
		`mutation { login(user:"bob",password:"hunter2") { id } }`,
		`mutation { login(user: "bob", password: "hunter2") { id } }`,
		"mutation {\n  login(\n    password:\"hunter2\"\n  ) { id }\n}",
	} {
		scope := Scope{Method: "POST", Host: "api.acme.dev", Path: "/graphql"}
		for contentType, text := range map[string]string{
			"application/graphql": text,
			"application/json":    `{"query":` + string(leaves.QuoteJSON(text)) + `}`,
		} {
			if out := body(t, vault(t, Config{}), scope, InRequest, contentType, text); strings.Contains(out, "hunter2") {
				t.Errorf("%s: %s", contentType, out)
			}
		}
	}
}
