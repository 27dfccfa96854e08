package redact

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

var tenantRule = Rule{ID: "tenant", Host: `([a-z0-9]{12})\.hooks\.acme\.dev`}

var hooks = Scope{Method: "POST", Host: "x7f9k2m4q8zt.hooks.acme.dev", Path: "/v1/events"}

// A secret in a host is replaced by a label wherever the host stands.
func TestHostRule(t *testing.T) {
	v := vault(t, Config{Add: []Rule{tenantRule}})
	for _, tt := range []struct{ in, want string }{
		{"https://x7f9k2m4q8zt.hooks.acme.dev/v1/events", "https://redacted-0001.hooks.acme.dev/v1/events"},
		{"https://X7F9k2m4q8zt.Hooks.acme.dev:8443/v1?a=1", "https://redacted-0001.Hooks.acme.dev:8443/v1?a=1"},
		{"https://u:hunter2@x7f9k2m4q8zt.hooks.acme.dev/", "https://u:REDACTED-0002@redacted-0001.hooks.acme.dev/"},
		{"https://a1b2c3d4e5f6.hooks.acme.dev/", "https://redacted-0003.hooks.acme.dev/"},
		{"https://api.acme.dev/x7f9k2m4q8zt", "https://api.acme.dev/redacted-0001"}, // learned: it is no word
	} {
		got, err := v.URL(hooks, InRequest, tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.in, err, got, tt.want)
		}
		if again, err := v.URL(hooks, InRequest, got); err != nil || again != got {
			t.Errorf("not idempotent: %s, %v", again, err)
		}
		if fresh, err := vault(t, Config{Add: []Rule{tenantRule}}).URL(hooks, InRequest, got); err != nil || fresh != got {
			t.Errorf("a fresh vault changes it: %s, %v", fresh, err)
		}
	}
	h, err := v.Header(hooks, InResponse, http.Header{
		"Location":                    {"https://x7f9k2m4q8zt.hooks.acme.dev/v1/events/7"},
		"Link":                        {`<https://x7f9k2m4q8zt.hooks.acme.dev/v1?page=2>; rel="next"`},
		"Access-Control-Allow-Origin": {"https://x7f9k2m4q8zt.hooks.acme.dev"},
		"X-Served-For":                {"x7f9k2m4q8zt.hooks.acme.dev"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Location":                    "https://redacted-0001.hooks.acme.dev/v1/events/7",
		"Link":                        `<https://redacted-0001.hooks.acme.dev/v1?page=2>; rel="next"`,
		"Access-Control-Allow-Origin": "https://redacted-0001.hooks.acme.dev",
		"X-Served-For":                "redacted-0000000001.hooks.acme.dev",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	got := body(t, v, hooks, InResponse, jsonType, `{"url":"https://x7f9k2m4q8zt.hooks.acme.dev/v1","host":"x7f9k2m4q8zt.hooks.acme.dev","tenant":"x7f9k2m4q8zt","other":"zz-x7f9k2m4q8zt.hooks.acme.dev.evil"}`)
	if strings.Contains(got, "x7f9k2m4q8zt") || !strings.Contains(got, `"host":"redacted-0000000001.hooks.acme.dev","tenant":"redacted-0001"`) {
		t.Error(got)
	}
	if shown := v.Text("dial tcp: lookup x7f9k2m4q8zt.hooks.acme.dev: no such host"); strings.Contains(shown, "x7f9k2m4q8zt") {
		t.Error(shown)
	}
	if shown := v.Host("b1b2c3d4e5f6.hooks.acme.dev:443"); shown != "redacted-0004.hooks.acme.dev:443" {
		t.Error(shown)
	}
}

// A word is replaced as a label of the host only: it may stand anywhere else by chance.
func TestHostRuleWithAWord(t *testing.T) {
	v := vault(t, Config{Add: []Rule{{ID: "shop", Host: `([a-z-]+)\.myshop\.dev`}}})
	s := Scope{Method: "GET", Host: "coffee.myshop.dev", Path: "/"}
	u, err := v.URL(s, InRequest, "https://coffee.myshop.dev/coffee")
	if want := "https://redacted-0001.myshop.dev/coffee"; err != nil || u != want {
		t.Errorf("%s, %v; want %s", u, err, want)
	}
	if got, want := body(t, v, s, InResponse, jsonType, `{"sells":"coffee","at":"https://coffee.myshop.dev","next":"tea.myshop.dev"}`),
		`{"sells":"coffee","at":"https://redacted-0001.myshop.dev","next":"redacted-0000000002.myshop.dev"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if list := v.Weak(); len(list) == 0 || list[0].Rule != "shop" {
		t.Errorf("a weak secret is reported: %v", list)
	}
}

// Without a host rule a secret in a host refuses the recording, and the cure works.
func TestSecretInHost(t *testing.T) {
	const u = "https://sk_test_51Hx9QeLkWv3RzTbYpNc.hooks.acme.dev/"
	_, err := vault(t, Config{}).URL(hooks, InRequest, u)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Place != "url.host" || !strings.Contains(refusal.Reason, "host rule") {
		t.Fatalf("%v", err)
	}
	got, err := vault(t, Config{Add: []Rule{{ID: "tenant", Host: `([A-Za-z0-9_]+)\.hooks\.acme\.dev`}}}).URL(hooks, InRequest, u)
	if err != nil || got != "https://redacted-0001.hooks.acme.dev/" {
		t.Errorf("%s, %v", got, err)
	}
}

// A host rule is limited by on, to the host as the user wrote it, and by keep.
func TestHostRuleLimits(t *testing.T) {
	rule := tenantRule
	rule.On = "POST *.hooks.acme.dev/**"
	v := vault(t, Config{Add: []Rule{rule}})
	if got, err := v.URL(hooks, InRequest, "https://x7f9k2m4q8zt.hooks.acme.dev/"); err != nil || got != "https://redacted-0001.hooks.acme.dev/" {
		t.Errorf("%s, %v", got, err)
	}
	if shown := v.Host("x7f9k2m4q8zt.hooks.acme.dev"); shown != "redacted-0001.hooks.acme.dev" {
		t.Errorf("shown as %s", shown)
	}
	stored := hooks
	stored.Host = "redacted-0001.hooks.acme.dev"
	if got, err := v.URL(stored, InRequest, "https://redacted-0001.hooks.acme.dev/"); err != nil || got != "https://redacted-0001.hooks.acme.dev/" {
		t.Errorf("%s, %v", got, err)
	}
	get := hooks
	get.Method = "GET"
	if got, err := vault(t, Config{Add: []Rule{rule}}).URL(get, InRequest, "https://x7f9k2m4q8zt.hooks.acme.dev/"); err != nil || got != "https://x7f9k2m4q8zt.hooks.acme.dev/" {
		t.Errorf("%s, %v", got, err)
	}
	kept := vault(t, Config{Add: []Rule{tenantRule}, Keep: []Keep{{Rule: "tenant", On: "* *.hooks.acme.dev/**", Reason: "the public tenant"}}})
	if got, err := kept.URL(hooks, InRequest, "https://x7f9k2m4q8zt.hooks.acme.dev/"); err != nil || got != "https://x7f9k2m4q8zt.hooks.acme.dev/" {
		t.Errorf("%s, %v", got, err)
	}
}

// A path rule names segments of a path: in the request's own URL and in others.
func TestPathRule(t *testing.T) {
	cfg := Config{Add: []Rule{
		{ID: "acme-hook", Path: "POST hooks.acme.dev/h/{secret}/**"},
		{ID: "acme-pair", Path: "* hooks.acme.dev/p/{team}/{secret}/x/{secret}"},
	}}
	post := Scope{Method: "POST", Host: "hooks.acme.dev", Path: "/h/Zk8QpL2xV9mN4tR7sW1y/x"}
	for _, tt := range []struct{ method, in, want string }{
		{"POST", "https://hooks.acme.dev/h/Zk8QpL2xV9mN4tR7sW1y/x?y=1", "https://hooks.acme.dev/h/REDACTED-0001/x?y=1"},
		{"POST", "https://hooks.acme.dev/h/short", "https://hooks.acme.dev/h/REDACTED-0001"},
		{"POST", "https://hooks.acme.dev/h/a%2Fb%20c/", "https://hooks.acme.dev/h/REDACTED-0001/"},
		{"GET", "https://hooks.acme.dev/h/Zk8QpL2xV9mN4tR7sW1y/x", "https://hooks.acme.dev/h/Zk8QpL2xV9mN4tR7sW1y/x"},
		{"POST", "https://other.acme.dev/h/Zk8QpL2xV9mN4tR7sW1y/x", "https://other.acme.dev/h/Zk8QpL2xV9mN4tR7sW1y/x"},
		{"PUT", "https://hooks.acme.dev/p/blue/one/x/two", "https://hooks.acme.dev/p/blue/REDACTED-0001/x/REDACTED-0002"},
		{"PUT", "https://hooks.acme.dev/p/blue/one/y/two", "https://hooks.acme.dev/p/blue/one/y/two"},
	} {
		v := vault(t, cfg)
		host, path, _ := strings.Cut(strings.TrimPrefix(tt.in, "https://"), "/")
		path, _, _ = strings.Cut(path, "?")
		s := Scope{Method: tt.method, Host: host, Path: "/" + path}
		got, err := v.URL(s, InRequest, tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%s %s: %v\n got %s\nwant %s", tt.method, tt.in, err, got, tt.want)
		}
		_, path, _ = strings.Cut(strings.TrimPrefix(got, "https://"), "/")
		s.Path = "/" + path
		if again, err := v.URL(s, InRequest, got); err != nil || again != got {
			t.Errorf("not idempotent: %s, %v", again, err)
		}
	}
	v := vault(t, cfg)
	h, err := v.Header(post, InResponse, http.Header{"Location": {"/h/Qm4tR7sW1yZk8QpL2xV9/y"}, "Content-Location": {"https://hooks.acme.dev/h/Qm4tR7sW1yZk8QpL2xV9/y"}})
	if err != nil || h.Get("Location") != "/h/REDACTED-0001/y" || h.Get("Content-Location") != "https://hooks.acme.dev/h/REDACTED-0001/y" {
		t.Errorf("%v %v", h, err)
	}
	if got, want := body(t, v, post, InResponse, jsonType, `{"hook":"https://hooks.acme.dev/h/shorty/z","id":"Qm4tR7sW1yZk8QpL2xV9"}`),
		`{"hook":"https://hooks.acme.dev/h/REDACTED-0002/z","id":"REDACTED-0001"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
