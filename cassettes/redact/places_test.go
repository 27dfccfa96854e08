package redact

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"
)

const weakSecret = "hunter2"

// Names count wherever a format puts them.
func TestNamesInFormats(t *testing.T) {
	for _, tt := range []struct{ name, contentType, in, want string }{
		{"YAML", "application/yaml", "db:\n  password: hunter2\n  api_key: 'hunter2'\n- token: \"hunter2\"\r\n  name: x\n",
			"db:\n  password: REDACTED-0001\n  api_key: 'REDACTED-0001'\n- token: \"REDACTED-0001\"\r\n  name: x\n"},
		{"GraphQL", jsonType, `{"query":"mutation { login(user: \"u\", password: \"hunter2\") { token } }"}`, `{"query":"mutation { login(user: \"u\", password: \"REDACTED-0001\") { token } }"}`},
		{"a program", "text/javascript", `x = {user: 'u', password: 'hunter2', a:"b"}; y({token:"hunter2"}); window.__TOKEN__ = "hunter2"`,
			`x = {user: 'u', password: 'REDACTED-0001', a:"b"}; y({token:"REDACTED-0001"}); window.__TOKEN__ = "REDACTED-0001"`},
		{"a batch", "multipart/mixed; boundary=b", "--b\r\nContent-Type: application/http\r\n\r\nGET /x HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nX-Api-Key: hunter2\r\nCookie: sid=hunter2; a=b\r\n\r\n--b--\r\n",
			"--b\r\nContent-Type: application/http\r\n\r\nGET /x HTTP/1.1\r\nAuthorization: Bearer REDACTED-0001\r\nX-Api-Key: REDACTED-0001\r\nCookie: sid=REDACTED-0001; a=REDACTED-0002\r\n\r\n--b--\r\n"},
		{"an answer with headers", "text/plain", "HTTP/1.1 200 OK\nSet-Cookie: sid=hunter2; Path=/\nDate: Sat, 21 Nov 2026 10:00:00 GMT\n", "HTTP/1.1 200 OK\nSet-Cookie: sid=REDACTED-0001; Path=/\nDate: Sat, 21 Nov 2026 10:00:00 GMT\n"},
		{"headers in a string", jsonType, `{"raw":"GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\n\r\n"}`, `{"raw":"GET / HTTP/1.1\r\nAuthorization: Bearer REDACTED-0001\r\n\r\n"}`},
		{"a command", "text/plain", `curl -H 'Authorization: Bearer hunter2' -H "X-Api-Key: hunter2" https://h`, `curl -H 'Authorization: Bearer REDACTED-0001' -H "X-Api-Key: REDACTED-0001" https://h`},
		{"headers as data", jsonType, `{"headers":{"Cookie":"sid=hunter2","Authorization":"token hunter2"},"cookie":"accepted"}`, `{"headers":{"Cookie":"sid=REDACTED-0001","Authorization":"token REDACTED-0001"},"cookie":"accepted"}`},
		{"labels", jsonType, `{"env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"PORT","value":"80"}],"credentials":[{"type":"password","value":"hunter2"}],"h":{"key":"Authorization","value":"Bearer hunter2"}}`,
			`{"env":[{"name":"DB_PASSWORD","value":"REDACTED-0001"},{"name":"PORT","value":"80"}],"credentials":[{"type":"password","value":"REDACTED-0001"}],"h":{"key":"Authorization","value":"Bearer REDACTED-0001"}}`},
		{"a value in its name", jsonType, `{"password":{"value":"hunter2","temporary":false},"port":{"value":"80"}}`, `{"password":{"value":"REDACTED-0001","temporary":false},"port":{"value":"80"}}`},
		{"pieces of a text", jsonType, `{"tokens":[{"type":"token","value":"hunter2"}]}`, `{"tokens":[{"type":"token","value":"hunter2"}]}`},
	} {
		got := strings.ReplaceAll(body(t, vault(t, Config{}), stripe, InResponse, tt.contentType, tt.in), "000000", "")
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// What is a word about a secret, or a type of one, stays.
func TestWordsAboutSecrets(t *testing.T) {
	for _, in := range []string{
		"Password: must be at least 8 characters long", "type Login { password: String! token: ID }", "interface X {\n  password: string;\n  token: string\n}", "password:\n  type: string\n",
		"token: |\n  a\n", "password: ${{ x }}", "password: null", "Enter your password: \"", `"hint":"Your password:","next":"a1","x":"password: ","y":"b2"`, "Cookie: a cookie", "the token: 15 of them",
		"password: [a1]", "password: <b>1</b>", "x?password:1:2", "Authorization: required", "https://h:80/token:a1", "12:30: pin: 4 times", `{password:f("a1")}`,
	} {
		if got := body(t, vault(t, Config{}), stripe, InResponse, "text/plain", in); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// Texts in UTF-16 are read and written as such.
func TestUTF16(t *testing.T) {
	for _, order := range []wide{{order: little}, {order: big}, {order: little, mark: true}, {order: big, mark: true}} {
		for _, tt := range []struct{ contentType, in, want string }{
			{jsonType, `{"password":"hunter2","note":"schön 🎈"}`, `{"password":"REDACTED-0001","note":"schön 🎈"}`},
			{"application/xml", "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<password>hunter2</password>", "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<password>REDACTED-0001</password>"},
			{"text/plain", "nothing", "nothing"},
		} {
			got := body(t, vault(t, Config{}), stripe, InResponse, tt.contentType, order.write(tt.in))
			text, w, ok := wideText(got)
			if text = strings.ReplaceAll(text, "000000", ""); !ok || w != order || strings.TrimPrefix(text, "\ufeff") != tt.want {
				t.Errorf("%v: %q", order, got)
			}
		}
	}
	for _, in := range []string{"a\x00\x01\x00b\x00c\x00", "abcd", "\xff\xfe", "a\x00b\x00c", "a\x00\x00\xd8", "\xff\xfea"} {
		if _, _, ok := wideText(in); ok {
			t.Errorf("%q is taken for UTF-16", in)
		}
	}
	if _, _, ok := wideText(string([]byte{0xff, 0xfe, 'a', 0, 'b', 0})); !ok || len(utf16.Encode([]rune("a"))) != 1 {
		t.Error("ab with a mark is not")
	}
}

// Credentials in headers that are not called Authorization.
func TestCredentialHeaders(t *testing.T) {
	for name, value := range map[string]string{
		"X-Authorization": "Bearer hunter2", "X-Forwarded-Authorization": "Bearer hunter2", "Authentication": "Bearer hunter2", "X-Auth-Key": weakSecret, "X-Access-Key": weakSecret, "Set-Cookie2": "sid=hunter2; Version=1",
		"Authorization": `Digest username="u", response="hunter2", nonce="x"`, "Proxy-Authorization": "Basic dTpodW50ZXIy",
	} {
		d := InRequest
		if strings.HasPrefix(name, "Set") {
			d = InResponse
		}
		h, err := vault(t, Config{}).Header(stripe, d, http.Header{name: {value}})
		if err != nil || strings.Contains(h[name][0], weakSecret) || strings.Contains(h[name][0], "dTpodW50ZXIy") {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
}
