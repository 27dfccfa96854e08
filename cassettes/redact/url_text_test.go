package redact

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The password of a URL and its named parameters are replaced wherever the URL stands,
// and however it is written.
func TestURLsInTexts(t *testing.T) {
	for _, u := range []string{
		"https://u:hunter2@h.dev/a?password=hunter2", "ftp://u:hunter2@h/", "postgres://u:hunter2@h:5432/db", "redis://:hunter2@h:6379", "HTTPS://U:hunter2@H/",
		"jdbc:postgresql://u:hunter2@h/db", "mongodb+srv://u:hunter2@a,b/", "//u:hunter2@h/", "https://u@acme.dev:hunter2@h/", "https://u:x:hunter2@h/",
		"https://u:hunter2%40@h/", "https://u:hunter2@[::1]:80/", "https://u:hunter2@bücher.example/", "https://ü:hunter2@h/", "https://u:hunter2ü@h/?password=hunter2",
		"https://u:hunter2@…?password=hunter2", "https://u:hunter2^x@h/", "https://u:hunter2{x}@h/", "https://u:hunter2|x@h/", "https://u:hunter2'x@h/",
		"https://u:hunter2/x@h/", "https://u:x/hunter2@h/p", "https://u:x#hunter2@h/", "https://u:x?hunter2@h/", "https://u:x\u00a0hunter2@h/",
		"https://u:hunter2@h/https://u:hunter2@g/", "https://u:hunter2@h/?u=https://u:hunter2@g/", "https://h/?u=https%3A%2F%2Fu%3Ahunter2%40g%2F", "a://b://u:hunter2@h/",
		`https:\/\/u:hunter2@h\/?a=1\u0026token=hunter2`, `https://h/?token=hunter2\u0026password=hunter2`, "https://h/?a=1&amp;token=hunter2", "https://h/?a=1&#38;sig=hunter2",
		"http://h/a;token=hunter2;v=1/b;jsessionid=hunter2", "http://h/#access_token=hunter2", "http://h/#/x?access_token=hunter2", "app://callback?access_token=hunter2&state=x",
		"https://h/?client%5Fsecret=hunter2", `a\npassword=hunter2\n`,
	} {
		for _, in := range []struct{ contentType, before, after string }{
			{"text/plain", "see ", " now"}, {jsonType, `{"note":"`, `"}`}, {formType, "note=", ""}, {"text/html", `<a href="`, `">x</a>`}, {"application/octet-stream", "\x00 ", " \x00"},
		} {
			binary := in.contentType == "application/octet-stream"
			if binary && strings.Trim(u, "\x00\u00a0ü…") != u || binary && strings.ContainsAny(u, `ü^{|\'`+"\u00a0") {
				continue // bytes that are no URL's end it there
			}
			text := u
			switch in.contentType {
			case jsonType:
				text = strings.ReplaceAll(u, `\`, `\\`)
			case formType:
				text = url.QueryEscape(u)
			}
			v := vault(t, Config{})
			out := body(t, v, stripe, InResponse, in.contentType, in.before+text+in.after)
			if strings.Contains(out, "hunter2") {
				t.Errorf("%s: %s became %s", in.contentType, u, out)
			}
			if again := body(t, v, stripe, InResponse, in.contentType, out); again != out {
				t.Errorf("%s: %s became %s, then %s", in.contentType, u, out, again)
			}
		}
		for _, name := range []string{"Location", "X-Other"} {
			h, err := vault(t, Config{}).Header(stripe, InResponse, http.Header{name: {u}})
			if err != nil || name == "X-Other" && strings.Contains(h[name][0], "hunter2") {
				t.Errorf("%s: %s became %s, %v", name, u, h[name], err)
			}
		}
	}
}

// What only looks like a URL with a password stays.
func TestURLsWithoutSecrets(t *testing.T) {
	for _, text := range []string{
		"https://registry.npmjs.org:443/@scope/pkg", "https://medium.com/@user", "ssh://git@github.com:22/org/repo", "http://localhost:{port}/@vite/client", `{'a':'http://h:80','b':'x@y'}`,
		`<a href="http://h:80">a@b.c</a>`, "// see foo:bar", "http://[::1]/a@b", "https://h/a;b=1;v=2", "file:///a:b@c/d", "a//b:c@d", "http://a/b//c:d@e", "//", "://", "a:////b", "https://web.archive.org/web/2020/https://acme.dev/x",
		"https://h:80/?mail=a@b.c", "https://u@h/", "https://h/?a=1&amp;b=2",
	} {
		if got := body(t, vault(t, Config{}), stripe, InResponse, "text/plain", text); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// URLs run into each other.
func TestURLsWithoutSpace(t *testing.T) {
	for _, text := range []string{"//u:hunter2@hhttps://u:hunter2@g", "//u:hunter2@https://u:hunter2@g/", "https://u:hunter2@hhttps://u:hunter2@g", "https://u:x^hunter2@https://u:hunter2@g?a@b", "a://u:hunter2@b://u:hunter2@c://"} {
		v := vault(t, Config{})
		once := body(t, v, stripe, InResponse, "text/plain", text)
		if twice := body(t, v, stripe, InResponse, "text/plain", once); strings.Contains(once, "hunter2") || twice != once {
			t.Errorf("%s became %s, then %s", text, once, twice)
		}
	}
}

// A key of white space alone is nothing to search for.
func TestEmptyKey(t *testing.T) {
	for _, blank := range []string{`\n`, " ", `\r\n\n`} {
		body(t, vault(t, Config{}), stripe, InResponse, "text/plain", "password=\"-----BEGIN PRIVATE KEY-----\n"+blank+"-----END PRIVATE KEY-----\"")
		body(t, vault(t, Config{}), stripe, InResponse, jsonType, `{"password":"-----BEGIN PRIVATE KEY-----`+strings.ReplaceAll(blank, `\`, `\\`)+`x`+blank+`-----END PRIVATE KEY-----"}`)
	}
}
