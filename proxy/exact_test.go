package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// rawUpstream answers 204 to everything and reports each request's head, byte
// for byte.
func rawUpstream(t testing.TB) (address string, heads chan string) {
	t.Helper()
	heads = make(chan string, 16)
	address = upstreamOf(t, func(c net.Conn) {
		defer c.Close()
		b := bufio.NewReader(c)
		for {
			var head strings.Builder
			for {
				line, err := b.ReadString('\n')
				if err != nil {
					return
				}
				if line == "\r\n" {
					break
				}
				head.WriteString(line)
			}
			heads <- head.String()
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	return address, heads
}

func upstreamAt(t testing.TB, address string) *Upstream {
	t.Helper()
	u, err := NewUpstream(UpstreamOptions{Resolve: []string{"*:80:" + address, "*:443:" + address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.CloseIdleConnections)
	return u
}

// TestRequestTargetIsExact sends raw request targets through each door that
// carries plain HTTP and reads what the upstream gets.
func TestRequestTargetIsExact(t *testing.T) {
	address, heads := rawUpstream(t)
	r := start(t, Options{Transport: upstreamAt(t, address)})
	mapped := listen(t)
	go r.ServeMap(mapped, &url.URL{Scheme: "http", Host: "api.example"})
	for _, uri := range []string{
		"/", "/?", "/a%2Fb", "/a%2fb", "/a%2Fb%2fc?x=%2F", "/%7Euser/~user", "/a|b", "/a\"<>{}^`\\b", "/a[1]", "/a;b=c,d:e@f!$&'()*+",
		"/a//b/../c/./d", "//double", "//double|odd?x", "/%E2%82%AC", "/\xe2\x82\xac", "/x?a=%zz&b=%", "/x?a=1%26b=2&&=", "/x?q=a|b\"<>", "/x?",
		"/x??", "/x?http://other/", "/x#frag", "/%20+%20", "/:colon", "/a%00b",
	} {
		for _, door := range []string{"plain", "tunnel", "map"} {
			var c net.Conn
			line := uri
			switch door {
			case "plain":
				c, line = r.dial(t), "http://api.example"+uri
			case "tunnel":
				c = r.tunnel(t, "api.example:80", false)
			case "map":
				var err error
				if c, err = net.Dial("tcp", mapped.Addr().String()); err != nil {
					t.Fatal(err)
				}
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: api.example\r\n\r\n", line)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			c.Close()
			if err != nil || resp.StatusCode != 204 {
				t.Errorf("%s %q: %v %v", door, uri, resp, err)
				continue
			}
			got, _, _ := strings.Cut(<-heads, "\r\n")
			want := "GET " + uri + " HTTP/1.1"
			if strings.HasPrefix(uri, "//") && uri != "//double" {
				want = "GET http://api.example" + uri + " HTTP/1.1" // the absolute form of the same
			}
			if got != want {
				t.Errorf("%s: upstream got %q, want %q", door, got, want)
			}
		}
	}
	// Without a path and with a query only.
	c := r.dial(t)
	io.WriteString(c, "GET http://api.example?a|b HTTP/1.1\r\nHost: api.example\r\n\r\n")
	if got := <-heads; !strings.HasPrefix(got, "GET /?a|b HTTP/1.1\r\n") {
		t.Errorf("upstream got %q", got)
	}
}

// TestRequestHeadersAreExact compares whole heads: nothing invented, nothing of
// the proxy or the connection left over, equal names apart and in order.
func TestRequestHeadersAreExact(t *testing.T) {
	address, heads := rawUpstream(t)
	r := start(t, Options{Transport: upstreamAt(t, address)})
	for _, test := range []struct{ name, send, want string }{
		{"bare", "", ""},
		{"repeated", "X-B: 2\r\nX-B: 1\r\nX-A: a, b\r\nx-b: 3\r\n", "X-A: a, b\r\nX-B: 2\r\nX-B: 1\r\nX-B: 3\r\n"},
		{"the proxy's", "Proxy-Authorization: Basic Y2hlY2tvdXQ6eA==\r\nProxy-Connection: keep-alive\r\nTapedeck-Session: s\r\nX-A: 1\r\n", "X-A: 1\r\n"},
		{"hop by hop", "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\nUpgrade: h2c\r\nX-A: 1\r\n", "X-A: 1\r\n"},
		{"h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n", ""},
		{"te trailers", "TE: trailers\r\nConnection: TE\r\n", "Te: trailers\r\n"},
		{"agent and encoding", "User-Agent: x/1\r\nAccept-Encoding: br\r\n", "User-Agent: x/1\r\nAccept-Encoding: br\r\n"},
		{"non-ASCII", "X-A: \xff\xfe\r\n", "X-A: \xff\xfe\r\n"},
		{"empty", "X-A:\r\n", "X-A: \r\n"},
		{"websocket", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
	} {
		for _, tunnel := range []bool{false, true} {
			c, uri := r.dial(t), "http://Api.example/"
			if tunnel {
				c, uri = r.tunnel(t, "api.example:80", false), "/"
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: Api.example\r\n%s\r\n", uri, test.send)
			if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 204 {
				t.Fatalf("%s: %v %v", test.name, resp, err)
			}
			want := "GET / HTTP/1.1\r\nHost: Api.example\r\n" + test.want
			if got := <-heads; got != want {
				t.Errorf("%s (tunnel %v): upstream got\n%q, want\n%q", test.name, tunnel, got, want)
			}
		}
	}
}

// TestResponseHeadersAreExact is the way back.
func TestResponseHeadersAreExact(t *testing.T) {
	var answer string
	address := upstreamOf(t, func(c net.Conn) {
		defer c.Close()
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, answer)
	})
	r := start(t, Options{Transport: upstreamAt(t, address)})
	for _, test := range []struct{ name, upstream, want string }{
		{"repeated", "HTTP/1.1 200 OK\r\nDate: D\r\nSet-Cookie: b=2\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: D\r\nSet-Cookie: b=2\r\nSet-Cookie: a=1\r\n\r\nok"},
		{"no type is not guessed", "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Length: 6\r\n\r\n<html>",
			"HTTP/1.1 201 Created\r\nContent-Length: 6\r\nDate: D\r\n\r\n<html>"},
		{"hop by hop", "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: D\r\n\r\n"},
		{"encoded", "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bx",
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nDate: D\r\n\r\n\x1f\x8bx"},
		{"redirect", "HTTP/1.1 302 Found\r\nDate: D\r\nLocation: https://other.example/a%2Fb\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nDate: D\r\nLocation: https://other.example/a%2Fb\r\n\r\n"},
		{"204", "HTTP/1.1 204 No Content\r\nDate: D\r\nEtag: x\r\n\r\n",
			"HTTP/1.1 204 No Content\r\nDate: D\r\nEtag: x\r\n\r\n"},
		{"304", "HTTP/1.1 304 Not Modified\r\nDate: D\r\nEtag: x\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nDate: D\r\nEtag: x\r\n\r\n"},
	} {
		answer = test.upstream
		c := r.tunnel(t, "api.example:80", false)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
		raw, err := io.ReadAll(c)
		// The proxy's own connection to the client is another one.
		got := strings.Replace(string(raw), "Connection: close\r\n", "", 1)
		if got != test.want || err != nil {
			t.Errorf("%s: client got\n%q, want\n%q (%v)", test.name, got, test.want, err)
		}
	}
}

func TestExactLeavesTheRequestAlone(t *testing.T) {
	u, _ := url.Parse("http://api.example/a%2fb")
	req := &http.Request{URL: u, RequestURI: "/a|b", Header: http.Header{"X": {"1"}}}
	out := exact(req, false)
	if u.Opaque != "" || len(req.Header) != 1 || out == req || out.URL.RequestURI() != "/a|b" {
		t.Errorf("request %v became %v", req, out)
	}
	if got := exact(req, true).URL.RequestURI(); got != "http://api.example/a|b" {
		t.Errorf("absolute form %q", got)
	}
	plain := &http.Request{URL: u, Header: http.Header{"User-Agent": {"x"}}}
	if exact(plain, false) != plain {
		t.Error("a request that is exact already was copied")
	}
	if got := exact(&http.Request{URL: u}, false); got.Header == nil || got.URL != u {
		t.Error("a request without headers")
	}
}

func TestTargets(t *testing.T) {
	for uri, want := range map[string]string{
		"/a": "/a", "*": "*", "http://h": "/", "http://h/": "/", "http://h?q=/": "/?q=/", "HTTPS://u:p@h:1/a?b": "/a?b", "odd": "odd", "//h/a": "//h/a",
	} {
		if got := originForm(uri); got != want {
			t.Errorf("originForm(%q) = %q, want %q", uri, got, want)
		}
	}
	for host, want := range map[string]string{
		"a.example": "a.example", "a.example:8": "a.example", "[::1]:8": "::1", "[::1]": "::1", "10.0.0.1": "10.0.0.1", "my_host": "my_host",
		"": "", "a b": "", "a/b": "", "a@b": "", "a:b": "", "é": "", "a:99999": "",
	} {
		if got := hostName(host); got != want {
			t.Errorf("hostName(%q) = %q, want %q", host, got, want)
		}
	}
	for _, test := range []struct{ authority, host, port string }{
		{"a:1", "a", "1"}, {"a", "", ""}, {"[::1]:8", "::1", "8"}, {"[::1]", "", ""}, {"::1", "", ""}, {"a:", "", ""},
		{"", "", ""}, {":443", "", ""}, {"a:0", "", ""}, {"a:99999", "", ""}, {"a:x", "", ""}, {"/path", "", ""},
	} {
		host, port, ok := connectAuthority(test.authority)
		if host != test.host || port != test.port || ok != (test.host != "") {
			t.Errorf("connectAuthority(%q) = %q, %q, %v", test.authority, host, port, ok)
		}
	}
	for _, test := range []struct{ scheme, in, want string }{
		{"https", "a:443", "a"}, {"http", "a:443", "a:443"}, {"http", "a:80", "a"}, {"https", "[::1]:443", "[::1]"}, {"https", "[::1]:8", "[::1]:8"}, {"http", "a", "a"}, {"http", "a:", "a"},
	} {
		if got := withoutDefaultPort(test.scheme, test.in); got != test.want {
			t.Errorf("withoutDefaultPort(%q, %q) = %q, want %q", test.scheme, test.in, got, test.want)
		}
	}
}
