package redact

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// repeats are what makes a careless search slow: anchors of rules, starts of values
// and marks of structure, each of which seems to start a secret at every place. A
// %d counts, for values that all differ.
var repeats = []string{
	// anchors
	"sk_test_", "a=sk_test_", "sk_test_ ", "sk_org_", "whsec_", "_secret_", "a_secret_", "1_secret_", "a__secret_", "AKIA", "ghp_", "github_pat_", "glpat-",
	"AIza", "ya29.", "npm_", "pypi-", "sk-ant-", "sk-proj-", "sk-", "hf_", "xoxb-", "xapp-", "/services/T", "/services/TAAAAAAA/B", "/bot", "/bot123456:",
	"SG.", "SG.aaaaaaaaaaaaaaaa.", "shpat_", "-----BEGIN ", "-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----aaaa", "-----END PRIVATE KEY-----", "\\n", "-----",
	"eyJ", "eyJ.", "-eyJaaaaaaaaaa", "-eyJhbGciOiJ", "eyJaaaaaaaaaa.", "eyJaaaaaaaaaa.aaa.", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9.e30.", "e30.e30.", ".",
	"acme_", "acme_aaaaaaaaaa", "loose", "lllll",
	// secrets
	"sk_test_aaaaaaaaaaaaaaaaaa ", "whsec_abcdefghij ", "ghp_aaaaaaaaaaaaaaaaaaaaaaaa", "x_secret_abcdefghij1abcdefg", "token=q7Zt2LmX9vRbK4w%08d&",
	"q7Zt2LmX9vRbK4w%08d ", random1, random1 + " ", random1[:8], "cTdadDJMbVg5dlJiSzR3UGpOOHNZYw", "cTdadDJMbVg5dlJiSzR3UGpOOHNZYw ", "cTdadDJMbVg5dlJiSzR3UGpOOHNZYw/", hex.EncodeToString([]byte(random1)),
	// cards
	card1, card1 + " ", "4539 5787 6362 1486 ", "1234 ", "12345", "0",
	// placeholders
	"REDACTED", "REDACTED-", "REDACTED-A", "REDACTED-X-", "REDACTED-0001", "REDACTED000000000001", ".REDACTED000000000001", "e30.REDACTED000000000001.", "e30.e30.REDACTED000000000001", "eyJhbGciOiJIUzI1NiJ9.e30.REDACTED",
	// structure
	`"token":`, `"token":"`, `\"token\":\"`, `\\\"token\\\":\\\"`, `"token" : "`, `\`, `\"`, `":`, `\":`, ":", `"`, "</token>", "<token></token>", "<token>", "</", "<", ">",
	"://", "a://", "https://", "a://?", "a://#", "a://b=", "?token=", "https://a@b?#", "https://a:b@c/?token=x&", "https://x/?u=", "https://x/%%3Fu=", "@", "#", "?",
	"&", "%%", "a%%", "=", ";", "/", "%%2F", "%%5B", "%%255B", "token=a&", "code=a&", "code=a&state=b&", "a[b]=", "a[]=1&", "a[][b]=1&",
	`{"a":`, "[", `{"a":"`, "[{", `"[{\"`, `{"a":"https://x?token=1"},`, "--b\r\n", "--b\r\n\r\n", "data: ", "data: {\"token\":\"a\"}\n\n", "{\"token\":\"abc\"}\n", "{\"code\":\"abc\"}\n", "\n", " ", "a", "\xff",
	// wrappings and pairs
	"%%25", "%%2525", "%%73", "&amp;", "&#38;", "&#x", "&", `\\u0073`, `\\`, "c2tfdGVzdF8", "c2tfdGVzdF9hYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\n", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n ", "736b5f74",
	"token=", "token='", `token="`, "token =", "&token=", "<input ", `<input name="token" value=`, `<a name="token">`, "<a b=", "<password><![CDATA[", "]]></token>",
	// URLs without schemes, in each other and in pages, and names in lines and labels
	"//u:p@", "//a", "a:b//", `https:\/\/`, `https:\/\/u:p@h\/?a=1\u0026`, "https://a/", "https://u:p^", "https://h/;token=a", ";token=a", "&amp;token=a",
	"token: ", "token: 'a1' ", "'token: a1 ", "token: a1\n", "token:\"a\",", "- - ", "cookie: a=1; ", `\ntoken: a1`, `{"name":"token","value":"a"},`, `{"value":"a"},`, "a\x00",
	"data: {\"d\":\"sk_\"}\n\n", "data: sk_test_\n\n", "data: a\ndata: b\n", "{\"d\":\"q7Zt\"}\n", "\x0a\x08", "\x0b", "\x00\x00\x00\x00\x08", "\x00token=a&",
}

// attack fills about size bytes with a repeated text.
func attack(token string, size int) string {
	var b strings.Builder
	b.Grow(size + 64)
	for i := 0; b.Len() < size; i++ {
		if strings.Contains(token, "%") {
			text := fmt.Sprintf(token, i)
			b.WriteString(strings.TrimSuffix(text, fmt.Sprintf("%%!(EXTRA int=%d)", i)))
			continue
		}
		b.WriteString(token)
	}
	return b.String()
}

func attacked(t testing.TB) *Vault {
	t.Helper()
	v := vault(t, Config{Add: []Rule{
		{ID: "acme", Value: `acme_[a-z]{10}`, Reason: "x"},
		{ID: "acme-open", Value: `acme_[a-z_]*!`, Reason: "x"},
		{ID: "loose", Value: `l[o]+se-\d+`, Reason: "x"},
	}})
	v.learn(random1, "name-token", random1)
	return v
}

// Hostile text must cost time in proportion to its length. This test times nothing:
// with quadratic work it would take minutes. BenchmarkHostileText shows the worst.
func TestHostileText(t *testing.T) {
	once := []string{"eyJ.", "SG.", "hf_", "sk_test_", "code=a&", "cTdadDJMbVg5dlJiSzR3UGpOOHNZYw", hex.EncodeToString([]byte(random1)), "acme_", "token=q7Zt2LmX9vRbK4w%08d&", "https://a@b?#"}
	for _, token := range once { // these were quadratic
		everything(t, token, formType, 256<<10)
	}
	for _, token := range repeats {
		for _, contentType := range []string{"text/plain", jsonType, formType, "text/event-stream", "application/x-ndjson", "application/protobuf", "application/grpc"} {
			everything(t, token, contentType, 16<<10)
		}
	}
}

// The same for headers and URLs, which clients and servers may make long.
func TestHostileHeadersAndURLs(t *testing.T) {
	names := []string{"Authorization", "Cookie", "Set-Cookie", "Location", "Link", "X-Api-Key", "X-Other"}
	for _, token := range repeats {
		text := attack(token, 8<<10)
		h := make(http.Header)
		for _, name := range names {
			h[name] = []string{text}
		}
		v := attacked(t)
		for _, d := range []Direction{InRequest, InResponse} {
			once, err := v.Header(stripe, d, h)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names[:3] {
				if (name == "Set-Cookie") == (d == InResponse) && strings.Contains(once[name][0], random1) {
					t.Errorf("%q: %s holds the secret", token, name)
				}
			}
		}
		for _, start := range []string{"", "https://h/", "https://h/?"} {
			clean, err := v.URL(stripe, InRequest, start+text)
			if err == nil && strings.Contains(clean, random1) {
				t.Errorf("%q after %q: the URL holds the secret", token, start)
			}
		}
	}
}

// everything puts a repeated text through all that reads bodies and texts.
func everything(t testing.TB, token, contentType string, size int) {
	v := attacked(t)
	out, err := v.Body(stripe, InRequest, contentType, []byte(attack(token, size)))
	if err != nil {
		t.Fatalf("%q as %s: %v", token, contentType, err)
	}
	_ = v.Check("body", out) // a document of encoded secrets is refused
	clean := string(out)
	blank := Blank(clean)
	if Blank(blank) != blank {
		t.Errorf("%q as %s: Blank is not idempotent", token, contentType)
	}
	Renumber(clean, map[string]string{"0001": "0009"})
	Refresh(clean, time.Unix(1, 0), time.Unix(2, 0))
	if strings.Contains(v.Text(clean), random1) {
		t.Errorf("%q as %s: Text holds the secret", token, contentType)
	}
}

func BenchmarkHostileText(b *testing.B) {
	for _, token := range repeats {
		b.Run(fmt.Sprintf("%q", token), func(b *testing.B) {
			text := []byte(attack(token, 1<<20))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				v := attacked(b)
				out, err := v.Body(stripe, InRequest, "text/plain", text)
				if err != nil {
					b.Fatal(err)
				}
				_ = v.Check("body", out)
			}
		})
	}
}
