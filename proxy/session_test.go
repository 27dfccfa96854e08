package proxy

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type sessionTestKey struct{}

func sessions(require bool) Options {
	return Options{
		RequireSession: require,
		Session: func(ctx context.Context, name string) context.Context {
			return context.WithValue(ctx, sessionTestKey{}, name)
		},
		Transport: deckFunc(func(r *http.Request) (*http.Response, error) {
			for name := range r.Header {
				if name == SessionHeader || strings.HasPrefix(name, "Proxy-") {
					return say("LEAKED " + name)(r)
				}
			}
			name, ok := r.Context().Value(sessionTestKey{}).(string)
			return say(fmt.Sprintf("%q %v", name, ok))(r)
		}),
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestSessions(t *testing.T) {
	r := start(t, sessions(false))
	for _, way := range ways {
		for _, test := range []struct{ user, header, want string }{
			{"", "", `"" false`},
			{"checkout", "", `"checkout" true`},
			{"", "by_header", `"by_header" true`},
			{"checkout", "by_header", `"by_header" true`},
			{"checkout/EUR::a b", "", `"checkout/EUR::a b" true`},
			{"checkout%2FEUR", "", `"checkout/EUR" true`},
			{"50%", "", `"50%" true`},
			{"ü", "", `"ü" true`},
		} {
			client := r.client(t, way.h2)
			if test.user != "" {
				u := *r.url
				u.User = url.UserPassword(test.user, "x")
				client.Transport.(*http.Transport).Proxy = http.ProxyURL(&u)
			}
			req, _ := http.NewRequest("GET", way.scheme+"://api.example/", nil)
			if test.header != "" {
				req.Header.Set(SessionHeader, test.header)
			}
			resp, err := client.Do(req)
			if got := body(t, resp, err); got != test.want {
				t.Errorf("%s: user %q, header %q: session %s, want %s", way.name, test.user, test.header, got, test.want)
			}
		}
	}
	// One kept-alive tunnel, several sessions.
	c := r.tunnel(t, "api.example:443", true, SessionHeader+": tunnel")
	b := bufio.NewReader(c)
	for _, test := range []struct{ header, want string }{{"", "tunnel"}, {"one", "one"}, {"two", "two"}, {"", "tunnel"}} {
		header := ""
		if test.header != "" {
			header = SessionHeader + ": " + test.header + "\r\n"
		}
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: api.example\r\n%s\r\n", header)
		resp, err := http.ReadResponse(b, nil)
		if got := body(t, resp, err); got != fmt.Sprintf("%q true", test.want) {
			t.Errorf("header %q: session %s", test.header, got)
		}
	}
}

func TestSessionOfListener(t *testing.T) {
	r := start(t, sessions(true))
	l := listen(t)
	go r.ServeSession(l, "by/port")
	own := &rig{Server: r.Server, url: &url.URL{Scheme: "http", Host: l.Addr().String()}}
	for _, way := range ways {
		resp, err := own.client(t, way.h2).Get(way.scheme + "://api.example/")
		if got := body(t, resp, err); got != `"by/port" true` {
			t.Errorf("%s: session %s", way.name, got)
		}
	}
}

func TestSessionRequired(t *testing.T) {
	r := start(t, sessions(true))
	mapped := listen(t)
	go r.ServeMap(mapped, &url.URL{Scheme: "https", Host: "api.example"})
	refused := func(name string, resp *http.Response, err error) {
		t.Helper()
		text := body(t, resp, err)
		m := message(t, resp, text)
		if resp.StatusCode != 407 || !strings.Contains(m, "http://NAME:x@") || !strings.Contains(m, "Tapedeck-Session: NAME") ||
			!strings.HasPrefix(resp.Header.Get("Proxy-Authenticate"), "Basic ") {
			t.Errorf("%s: %d %q %v", name, resp.StatusCode, text, resp.Header)
		}
	}
	for _, way := range ways {
		client := r.client(t, way.h2)
		resp, err := client.Get(way.scheme + "://api.example/")
		refused(way.name, resp, err)
		req, _ := http.NewRequest("GET", way.scheme+"://api.example/", nil)
		req.Header.Set(SessionHeader, "n")
		resp, err = client.Do(req)
		if got := body(t, resp, err); got != `"n" true` {
			t.Errorf("%s: %s", way.name, got)
		}
	}
	resp, err := http.Get("http://" + mapped.Addr().String())
	refused("map", resp, err)
}

func TestSessionNames(t *testing.T) {
	for _, test := range []struct{ header, credentials, want string }{
		{"", basic("a", "x"), "a"}, {"", basic("a", ""), "a"}, {"", "basic " + base64.StdEncoding.EncodeToString([]byte("a")), "a"},
		{"", "Bearer a", ""}, {"", "Basic !!!", ""}, {"", basic("", "x"), ""}, {"h", basic("a", "x"), "h"}, {"", basic("a::b", "x"), "a::b"},
	} {
		h := http.Header{}
		h.Set(SessionHeader, test.header)
		h.Set("Proxy-Authorization", test.credentials)
		if got := sessionName(h); got != test.want {
			t.Errorf("%q %q: %q, want %q", test.header, test.credentials, got, test.want)
		}
	}
	r := start(t, sessions(false))
	for _, bad := range []string{"a\x01b", "\xff", strings.Repeat("a", 300)} {
		c := r.dial(t)
		fmt.Fprintf(c, "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nProxy-Authorization: %s\r\n\r\n", basic(bad, "x"))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if text := body(t, resp, err); resp.StatusCode != 400 || !strings.Contains(message(t, resp, text), "session") {
			t.Errorf("%q: %d %q", bad, resp.StatusCode, text)
		}
		c = r.dial(t)
		fmt.Fprintf(c, "GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\nProxy-Authorization: %s\r\n\r\n", basic(bad, "x"))
		resp, err = http.ReadResponse(bufio.NewReader(c), nil)
		if text := body(t, resp, err); resp.StatusCode != 400 {
			t.Errorf("%q: %d %q", bad, resp.StatusCode, text)
		}
	}
	if strings.Contains(r.log.String(), "aaaa") {
		t.Error("a session's name of any length is in the log")
	}
}

// TestSessionOfPassthrough: a host that is left alone needs no session.
func TestSessionOfPassthrough(t *testing.T) {
	upstream := api(t, "http", func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if name == SessionHeader || strings.HasPrefix(name, "Proxy-") {
				io.WriteString(w, "LEAKED")
			}
		}
		io.WriteString(w, "real")
	})
	o := sessions(true)
	o.Passthrough = func(hostport string) bool { host, _, _ := net.SplitHostPort(hostport); return host == "left.alone" }
	o.Dialer = to(t, upstream)
	r := start(t, o)
	client := r.client(t, false)
	req, _ := http.NewRequest("GET", "http://left.alone/", nil)
	req.Header.Set(SessionHeader, "n")
	resp, err := client.Do(req)
	if got := body(t, resp, err); got != "real" {
		t.Errorf("%q", got)
	}
}
