package redact

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// ruleSets are configurations under which cleaning must be idempotent.
var ruleSets = sync.OnceValue(func() (out []*Rules) {
	for _, cfg := range []Config{
		{},
		{Env: []string{"ACME_TOKEN=" + random1, "STRIPE_KEY=sk_test_" + key40, "X_SECRET=" + key40}},
		{Add: []Rule{{ID: "acme", Name: "note", Reason: "x"}, {ID: "acme-end", Name: "*colour", Reason: "x"}, {ID: "acme-key", Value: `acme_(\w{12})`, Reason: "x"},
			{ID: "loose", Value: `[0-9]{3}-[0-9]{3}-ACME`, Reason: "x"}}},
		{Remove: []string{"value-stripe-key", "name-token", "value-card-number"}, Keep: []Keep{{Rule: "name-password", At: "body.a", Reason: "x"}}},
		{PII: true},
	} {
		rules, err := Compile(cfg)
		if err != nil {
			panic(err)
		}
		out = append(out, rules)
	}
	return out
})

var contentTypes = []string{jsonType, formType, "text/plain", "text/html", "application/xml", "text/event-stream", "application/x-ndjson", "multipart/form-data; boundary=b",
	"application/octet-stream", "application/protobuf", "application/grpc", "application/grpc-web-text", "image/png", "application/vnd.api+json", ""}

// Cleaning what is clean changes nothing, in the same cassette and in another one that
// reads it, and teaches nothing.
func FuzzIdempotent(f *testing.F) {
	for i, s := range []string{`{"token":"` + random1 + `","note":"` + key40 + `"}`, "client_secret=" + random1 + "&x=REDACTED-0001", "REDACTED-0001 REDACTED-9999999 REDACTED-A00010000x REDACTED0002",
		`<input name="csrf_token" value="a&amp;b"> password = "REDACTED-0003"`, "data: {\"d\":\"sk_te\"}\n\ndata: {\"d\":\"st_" + key40 + "\"}\n\n", "%73k_test_" + key40 + " &#115;k_live_" + key40,
		b64("sk_test_"+key40) + "\n" + wrapLines(b64(prose+"sk_test_"+key40), 64, "\n"), protoMessage("sk_test_" + key40), frame(0, protoMessage(random1)), "acme_abcdefghij12 123-456-ACME", card1 + " 4988438843884305 " + random1 + "7",
		"https://u:p@h.dev/?token=x#code=y", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--b--\r\n", "\x00token=abc&password=REDACTED0001 \x00sk_test_0123456789", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9." + random1,
		"-----BEGIN PRIVATE KEY-----\n" + keyLine + "\n-----END PRIVATE KEY-----", "REDACTED-X-0001=REDACTED-0001&REDACTED-0001", `{"password":"REDACTED-0001 ","pin":"x REDACTED-0002"}`} {
		for kind := range byte(len(contentTypes)) {
			f.Add(s, kind, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind, set byte) {
		contentType, sets := contentTypes[int(kind)%len(contentTypes)], ruleSets()
		rules := sets[int(set)%len(sets)]
		v := NewVault(rules)
		once, err := v.Body(stripe, InResponse, contentType, []byte(text))
		if err != nil {
			return
		}
		learned := v.Learned()
		twice, err := v.Body(stripe, InResponse, contentType, once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%s, rules %d, %v:\n in    %q\n once  %q\n twice %q", contentType, int(set)%len(sets), err, text, once, twice)
		}
		if v.Learned() != learned {
			t.Errorf("%s, rules %d: the vault learns from clean text: %q", contentType, int(set)%len(sets), once)
		}
		if v.Check("body", once) != nil {
			return // refused
		}
		reader := NewVault(rules)
		learned = reader.Learned()
		read, err := reader.Body(stripe, InResponse, contentType, once)
		if err != nil || string(read) != string(once) || reader.Learned() != learned {
			t.Errorf("%s, rules %d, read again: %v, learned %d:\n in    %q\n once  %q\n read  %q", contentType, int(set)%len(sets), err, reader.Learned()-learned, text, once, read)
		}
	})
}

// What only looks like a placeholder: the exact form is taken for one, with its number,
// anything else is text like other text.
func TestLookalikes(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"note":"REDACTED-0001","token":"` + random1 + `"}`, `{"note":"REDACTED-0001","token":"REDACTED-0002"}`},
		{`{"note":"REDACTED-9999999","password":"REDACTED-9999999"}`, `{"note":"REDACTED-9999999","password":"REDACTED-0001"}`},
		{`{"note":"REDACTED","password":"REDACTED"}`, `{"note":"REDACTED","password":"REDACTED-0001"}`},
		{`{"password":"my REDACTED-0007 password"}`, `{"password":"REDACTED-0001"}`},
		{`{"note":"[REDACTED]"}`, `{"note":"[REDACTED]"}`},
	}
	for _, tt := range tests {
		if got := body(t, vault(t, Config{}), stripe, InResponse, jsonType, tt.in); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
	}
}

// SDKs check the shape of what they get before they use it.
func TestShapesThatSDKsCheck(t *testing.T) {
	v := vault(t, Config{})
	enc := base64.RawURLEncoding.EncodeToString
	jwe := enc([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM"}`)) + "." + random1 + "." + random2 + "." + random1 + random2 + "." + random2
	jwt := enc([]byte(`{"alg":"ES256","kid":"k1"}`)) + "." + enc([]byte(`{"iss":"https://id.acme.dev","sub":"alice","exp":4102444800}`)) + "." + enc([]byte(strings.Repeat("s", 64)))
	var got map[string]string
	clean := body(t, v, stripe, InResponse, jsonType, `{"intent":"pi_3NabCdEf_secret_`+random1+`","setup":"seti_1Nab_secret_`+random2+`","key":"sk_test_`+key40+`","hook":"whsec_`+random1+random2+`",
		"jwt":"`+jwt+`","jwe":"`+jwe+`","visa":"`+card1+`","visa2":"4716108999716531","amex":"373412345678904"}`)
	if err := json.Unmarshal([]byte(clean), &got); err != nil {
		t.Fatal(err)
	}
	for name, shape := range map[string]string{
		"intent": `^(pi|seti)_[^_]+_secret_[^_]+$`, // stripe-ios, stripe-android, Stripe.js
		"setup":  `^(pi|seti)_[^_]+_secret_[^_]+$`,
		"key":    `^sk_test_REDACTED-0{6}\d{4}$`, // the hyphen: no scanner's expression for a key matches
		"hook":   `^whsec_`,
		"jwt":    `^[\w-]+\.[\w-]+\.[\w-]+$`,
		"visa":   `^4\d{15}$`, "visa2": `^4\d{15}$`, "amex": `^3[47]\d{13}$`,
	} {
		if !regexp.MustCompile(shape).MatchString(got[name]) {
			t.Errorf("%s: %s does not have the shape %s", name, got[name], shape)
		}
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(got["hook"], "whsec_")); err != nil {
		t.Errorf("Svix cannot read %s: %v", got["hook"], err)
	}
	if !luhn(got["visa"]) || !luhn(got["visa2"]) || got["visa"] == got["visa2"] {
		t.Errorf("cards: %s, %s", got["visa"], got["visa2"])
	}
	// The signature is opaque: any length decodes. An encrypted token has no readable
	// part, and is one placeholder.
	for i, part := range strings.Split(got["jwt"], ".") {
		if raw, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || i < 2 && !json.Valid(raw) {
			t.Errorf("part %d of %s: %v", i, got["jwt"], err)
		}
	}
	if !regexp.MustCompile(`^REDACTED-\d{4}$`).MatchString(got["jwe"]) {
		t.Errorf("JWE: %s", got["jwe"])
	}
}

// A private key stays a PEM block to a reader, and is none to a parser: no program can
// take a placeholder for a key. A certificate beside it is still found.
func TestPEMPlaceholder(t *testing.T) {
	const certificate = "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n"
	clean := body(t, vault(t, Config{}), stripe, InResponse, "application/x-pem-file", "-----BEGIN PRIVATE KEY-----\n"+keyLine+"\n-----END PRIVATE KEY-----\n"+certificate)
	if want := "-----BEGIN PRIVATE KEY-----\nREDACTED-0001\n-----END PRIVATE KEY-----\n" + certificate; clean != want {
		t.Errorf("\n got %s\nwant %s", clean, want)
	}
	if block, rest := pem.Decode([]byte(clean)); block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Errorf("a parser sees %v, then %q", block, rest)
	}
}
