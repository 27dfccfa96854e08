package scope

import (
	"net/url"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		on, method, url string
		want            bool
	}{
		{"POST api.acme.dev/a", "POST", "https://api.acme.dev/a", true},
		{"post API.acme.dev/a", "POST", "https://api.ACME.dev:443/a", true},
		{"post api.acme.dev/a", "Post", "https://api.acme.dev/a", true},
		{"POST api.acme.dev/a", "GET", "https://api.acme.dev/a", false},
		{"* api.acme.dev/a", "PATCH", "http://api.acme.dev:8080/a", true},
		{"* api.acme.dev:8080/a", "GET", "http://api.acme.dev:8080/a", true},
		{"* api.acme.dev:8080/a", "GET", "http://api.acme.dev:8081/a", false},
		{"* api.acme.dev:443/a", "GET", "https://api.acme.dev:8443/a", false},
		{"* api.acme.dev:*/a", "GET", "http://api.acme.dev:8081/a", true},
		{"* api.acme.dev:80*/a", "GET", "http://api.acme.dev:8081/a", true},
		{"* api.acme.dev:80*/a", "GET", "http://api.acme.dev:9081/a", false},
		{"* [::1]:80/a", "GET", "http://[::1]:80/a", true},
		{"* [::1]/a", "GET", "http://[0::1]:80/a", true},
		{"* *.acme.dev/a", "GET", "https://api.acme.dev/a", true},
		{"* *.acme.dev/a", "GET", "https://x.api.acme.dev/a", false},
		{"* *.acme.dev/**", "GET", "https://api.acme.dev/x/y/z", true},
		{"* *.acme.dev/**", "GET", "https://a.b.acme.dev/", false},
		{"* api-*.acme.dev/a", "GET", "https://api-eu.acme.dev/a", true},
		{"* */a", "GET", "https://x.api.acme.dev:99/a", true},
		{"* */**", "GET", "https://x.api.acme.dev/", true},
		{"* bücher.example/", "GET", "https://xn--bcher-kva.example/", true},
		{"* h/a/{id}", "GET", "https://h/a/b", true},
		{"* h/a/{id}", "GET", "https://h/a/b/c", false},
		{"* h/a/{id}", "GET", "https://h/a/", false},
		{"* h/a/{id}/c", "GET", "https://h/a/b%2Fx/c", true},
		{"* h/a/{id}/c", "GET", "https://h/a/1/2/c", false},
		{"* h/a/{id}/c", "GET", "https://h/a//c", false},
		{"* h/a/**", "GET", "https://h/a/b/c", true},
		{"* h/a/**", "GET", "https://h/a", true},
		{"* h/a/**", "GET", "https://h/ab", false},
		{"* h/**", "GET", "https://h", true},
		{"* h", "GET", "https://h/a/b", true},
		{"* h/", "GET", "https://h", true},
		{"* h/", "GET", "https://h/a", false},
		{"* h/v*/c", "GET", "https://h/v12/c", true},
		{"* h/a*.json", "GET", "https://h/abc.json", true},
		{"* h/a*.json", "GET", "https://h/ab/c.json", false},
		{"* h/a/**/z", "GET", "https://h/a/b/c/z", true},
		{"* h/~u", "GET", "https://h/%7Eu", true},
		{"* h/a.b", "GET", "https://h/axb", false},
	} {
		on, err := ParseOn(c.on)
		if err != nil {
			t.Error(err)
			continue
		}
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		request := Scope{Method: c.method, Host: u.Host, Path: u.EscapedPath()}
		if got := on.Match(request.Target()); got != c.want {
			t.Errorf("%s on %s %s: %v", c.on, c.method, c.url, got)
		}
	}
}

func TestZeroOnSelectsEverything(t *testing.T) {
	for _, s := range []Scope{{}, {"GET", "api.acme.dev:8443", "/a"}} {
		if !new(On).Match(s.Target()) {
			t.Errorf("%+v is not selected", s)
		}
	}
}

func TestParseOnErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `"" is not "METHOD host/path"; write "POST api.acme.dev/orders/{id}"`},
		{"api.acme.dev/**", `"api.acme.dev/**" is not "METHOD host/path"`},
		{"GET h/a b", `is not "METHOD host/path"`},
		{"GET https://h/", "has a scheme; write"},
		{"GET h/a?b", "has a query; rules select by method, host and path, so leave it out"},
		{"GET h/a#b", "has a query"},
		{"G,T h/a", `has the method "G,T"; write one method, or *`},
		{"GET /a", "names no host; write *"},
		{"GET h:http/a", `has the port "http"; write a number, or leave it out`},
		{"GET h:\xff/a", "has the port"},
		{"GET h/{id}.json", `has a brace inside the path segment "{id}.json"; {name} stands for a whole segment`},
	} {
		if _, err := ParseOn(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestHost(t *testing.T) {
	for text, want := range map[string]string{
		"GET API.acme.dev:*/a": "API.acme.dev:*",
		"* *.acme.dev":         "*.acme.dev",
		"* [::1]:80/**":        "[::1]:80",
	} {
		on, err := ParseOn(text)
		if err != nil {
			t.Error(err)
		} else if on.Host() != want {
			t.Errorf("%s: host %s, want %s", text, on.Host(), want)
		}
	}
}

// FuzzParseOn: what is accepted without wildcards selects the request that it
// spells out.
func FuzzParseOn(f *testing.F) {
	f.Add("POST api.acme.dev/orders/{id}")
	f.Add("* *.acme.dev:80*/a*.json")
	f.Add("get BÜCHER.example./%7eu")
	f.Add("* [::1]:443/\xff/**")
	f.Fuzz(func(t *testing.T, text string) {
		on, err := ParseOn(text)
		if err != nil {
			return
		}
		method, target, _ := strings.Cut(strings.TrimSpace(text), " ")
		host, path, hasPath := strings.Cut(strings.TrimSpace(target), "/")
		if strings.ContainsAny(text, "*{") {
			return
		}
		if hasPath {
			path = "/" + path
		}
		if !on.Match(Scope{method, host, path}.Target()) {
			t.Errorf("%q does not select its own request", text)
		}
		if normal := NormalPath(path); NormalPath(normal) != normal {
			t.Errorf("%q is not normal", normal)
		}
	})
}
