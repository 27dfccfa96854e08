package scope

import (
	"net/url"
	"testing"
)

func TestNormalHost(t *testing.T) {
	for raw, want := range map[string]string{
		"https://API.Acme.dev":            "api.acme.dev",
		"https://api.acme.dev:443":        "api.acme.dev",
		"http://api.acme.dev:443":         "api.acme.dev:443",
		"HTTP://api.acme.dev.:80":         "api.acme.dev",
		"wss://api.acme.dev:443":          "api.acme.dev",
		"https://[2001:DB8:0::1]:8443":    "[2001:db8::1]:8443",
		"https://b\u00fccher.example":     "xn--bcher-kva.example",
		"https://Some_Service.acme.local": "some_service.acme.local",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := NormalHost(u); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestNormalPath(t *testing.T) {
	for path, want := range map[string]string{
		"":             "/",
		"/a:b":         "/a:b",
		"/a%3ab":       "/a%3Ab",
		"/%7Eu/%61":    "/~u/a",
		"/a%2fb/../c":  "/a%2Fb/../c",
		"/\u00e9 \"":   "/%C3%A9%20%22",
		"/100%/%zz/%4": "/100%/%zz/%4",
	} {
		if got := NormalPath(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
		if again := NormalPath(want); again != want {
			t.Errorf("%q is not normal: %q", want, again)
		}
	}
}
