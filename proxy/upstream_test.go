package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseResolve(t *testing.T) {
	for _, test := range []struct {
		entry, host, port string
		addresses         []string
	}{
		{"api.stripe.com:443:127.0.0.1", "api.stripe.com", "443", []string{"127.0.0.1:443"}},
		{"API.stripe.com:443:127.0.0.1:12112", "api.stripe.com", "443", []string{"127.0.0.1:12112"}},
		{"a:80:[::1]", "a", "80", []string{"[::1]:80"}},
		{"a:80:[::1]:8080", "a", "80", []string{"[::1]:8080"}},
		{"a:80:::1", "a", "80", []string{"[::1]:80"}},
		{"[::2]:80:1.2.3.4", "::2", "80", []string{"1.2.3.4:80"}},
		{"*:443:1.2.3.4", "*", "443", []string{"1.2.3.4:443"}},
		{"+a:443:1.2.3.4", "a", "443", []string{"1.2.3.4:443"}},
		{"a:443:1.2.3.4,[::1],5.6.7.8:9", "a", "443", []string{"1.2.3.4:443", "[::1]:443", "5.6.7.8:9"}},
		{"a:443:stripe-mock:12112", "a", "443", []string{"stripe-mock:12112"}},
		{"a:443:stripe-mock", "a", "443", []string{"stripe-mock:443"}},
	} {
		r, err := parseResolve(test.entry)
		if err != nil || r.host != test.host || r.port != test.port || !reflect.DeepEqual(r.addresses, test.addresses) {
			t.Errorf("%s: %+v, %v", test.entry, r, err)
		}
	}
	for _, entry := range []string{"", "a", "a:443", "a:443:", "a:0:1.2.3.4", "a:x:1.2.3.4", "a:99999:1.2.3.4", ":443:1.2.3.4", "a b:443:1.2.3.4",
		"[::1:80:1.2.3.4", "a:443:1.2.3.4:x", "a:443:1.2.3.4:0", "a:443:b c", "a:443:1.2.3.4,", "-a:443", "a:443:1:2:3"} {
		if r, err := parseResolve(entry); err == nil || !strings.Contains(err.Error(), "--resolve "+entry) || !strings.Contains(err.Error(), "HOST:PORT:ADDRESS") {
			t.Errorf("%q: %+v, %v", entry, r, err)
		}
	}
}

func TestResolutionsLookup(t *testing.T) {
	all, err := parseResolves([]string{"*:443:1.1.1.1", "a:443:2.2.2.2", "a:443:3.3.3.3", "b:80:4.4.4.4"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"a:443": "[2.2.2.2:443]", "A.:443": "[2.2.2.2:443]", "c:443": "[1.1.1.1:443]", "b:80": "[4.4.4.4:80]", "b:443": "[1.1.1.1:443]", "c:80": "[]", "odd": "[]",
	} {
		if got := fmt.Sprint(all.lookup(address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestNewUpstreamFaults(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	os.WriteFile(empty, []byte("nothing"), 0o600)
	for _, test := range []struct {
		o    UpstreamOptions
		want string
	}{
		{UpstreamOptions{Resolve: []string{"x"}}, "--resolve x"},
		{UpstreamOptions{CAFile: "/no/such.pem"}, "--upstream-ca /no/such.pem: cannot be read: no such file"},
		{UpstreamOptions{CAFile: empty}, "--upstream-ca " + empty + ": holds no PEM certificate"},
		{UpstreamOptions{Proxy: "socks5://user:SECRET@h:1"}, `--upstream-proxy: scheme "socks5"`},
		{UpstreamOptions{Proxy: "http://user:SECRET@h:port/%zz"}, "--upstream-proxy: is not a URL"},
		{UpstreamOptions{Proxy: "http://"}, "--upstream-proxy: is not a URL"},
	} {
		_, err := NewUpstream(test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
}

func pemFile(t testing.TB, server *httptest.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "upstream.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestUpstreamTLS(t *testing.T) {
	server := api(t, "h2", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	resolve := []string{"example.com:443:" + server.Listener.Addr().String()}
	u, err := NewUpstream(UpstreamOptions{Resolve: resolve, CAFile: pemFile(t, server)})
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", "https://example.com/", nil)
	resp, err := u.RoundTrip(req)
	if got := body(t, resp, err); got != "HTTP/2.0" || resp.Request != req {
		t.Errorf("%q", got)
	}
	u.CloseIdleConnections()

	untrusting, _ := NewUpstream(UpstreamOptions{Resolve: resolve})
	_, err = untrusting.RoundTrip(req)
	if status, reason := UpstreamFailure(err, "example.com"); status != 502 || !strings.Contains(reason, "unknown authority") || !strings.Contains(reason, "--upstream-ca") {
		t.Errorf("%d %s", status, reason)
	}
	other, _ := NewUpstream(UpstreamOptions{Resolve: []string{"*:443:" + server.Listener.Addr().String()}, CAFile: pemFile(t, server)})
	req, _ = http.NewRequest("GET", "https://other.name/", nil)
	_, err = other.RoundTrip(req)
	if status, reason := UpstreamFailure(err, "other.name"); status != 502 || !strings.Contains(reason, "for another host") {
		t.Errorf("%d %s", status, reason)
	}
}

// TestUpstreamIgnoresTheEnvironment: the environment's proxy may be this proxy.
func TestUpstreamIgnoresTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	u, err := NewUpstream(UpstreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{"http://a.example", "https://a.example"} {
		target, _ := url.Parse(raw)
		if p, err := u.proxyForRequest(&http.Request{URL: target}); p != nil || err != nil {
			t.Errorf("%s goes through %v, %v", raw, p, err)
		}
	}
}

// A chained proxy is what a company might have: CONNECT and plain, with
// credentials; it sends the first bytes of a tunnel together with its answer.
func chainedProxy(t *testing.T, secure bool, to string) (*httptest.Server, *atomic.Int64) {
	var used atomic.Int64
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("us er:p@ss")) {
			w.Header().Set("Proxy-Authenticate", "Basic")
			w.WriteHeader(407)
			return
		}
		used.Add(1)
		if r.Method != http.MethodConnect {
			fmt.Fprintf(w, "proxied %s", r.RequestURI)
			return
		}
		if strings.HasPrefix(r.Host, "forbidden") {
			w.WriteHeader(403)
			return
		}
		upstream, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		c, _, _ := http.NewResponseController(w).Hijack()
		first := ""
		if strings.HasPrefix(r.Host, "greeting") {
			first = "hello"
		}
		io.WriteString(c, established+first)
		go io.Copy(upstream, c)
		io.Copy(c, upstream)
		c.Close()
	}
	kind := "http"
	if secure {
		kind = "https"
	}
	return api(t, kind, h), &used
}

func TestUpstreamProxy(t *testing.T) {
	server := api(t, "h2", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "real "+r.RequestURI) })
	for _, secure := range []bool{false, true} {
		chained, used := chainedProxy(t, secure, server.Listener.Addr().String())
		u, _ := url.Parse(chained.URL)
		if secure {
			u.Host = "example.com:" + u.Port()
		}
		u.User = url.UserPassword("us er", "p@ss")
		options := UpstreamOptions{
			Proxy: u.String(), NoProxy: "direct.example", CAFile: pemFile(t, server),
			Resolve: []string{"resolved.example:80:" + server.Listener.Addr().String(), "example.com:" + u.Port() + ":" + chained.Listener.Addr().String()},
		}
		up, err := NewUpstream(options)
		if err != nil {
			t.Fatal(err)
		}
		r := start(t, Options{Transport: up, Passthrough: func(h string) bool { return strings.HasPrefix(h, "left.alone") }, Dialer: up})
		t.Run(fmt.Sprint("secure ", secure), func(t *testing.T) {
			resp, err := r.client(t, false).Get("https://example.com/x")
			if got := body(t, resp, err); got != "real /x" || used.Load() != 1 {
				t.Errorf("TLS: %q, used %d times", got, used.Load())
			}
			// Plain: exact bytes in absolute form.
			c := r.dial(t)
			io.WriteString(c, "GET http://plain.example/a|b?c HTTP/1.1\r\nHost: plain.example\r\n\r\n")
			resp, err = http.ReadResponse(bufio.NewReader(c), nil)
			if got := body(t, resp, err); got != "proxied http://plain.example/a|b?c" {
				t.Errorf("plain: %q", got)
			}
			// Passthrough chains with CONNECT and keeps bytes that came at once.
			conn, err := up.DialContext(t.Context(), "tcp", "greeting.example:443")
			if err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 5)
			if _, err := io.ReadFull(conn, first); err != nil || string(first) != "hello" {
				t.Errorf("first bytes %q, %v", first, err)
			}
			conn.Close()
			client := server.Client()
			client.Transport.(*http.Transport).Proxy = http.ProxyURL(r.url)
			client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
			resp, err = client.Get("https://left.alone/p")
			if got := body(t, resp, err); got != "real /p" {
				t.Errorf("passthrough: %q", got)
			}
			client.CloseIdleConnections()
			// --resolve and NO_PROXY go directly.
			before := used.Load()
			conn, err = up.DialContext(t.Context(), "tcp", "resolved.example:80")
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			for _, raw := range []string{"http://resolved.example/", "https://direct.example/"} {
				target, _ := url.Parse(raw)
				if p, _ := up.proxyForRequest(&http.Request{URL: target}); p != nil {
					t.Errorf("%s goes through the proxy", raw)
				}
			}
			if used.Load() != before {
				t.Error("the proxy was used for a resolved host")
			}
			// Refusals are told apart.
			for _, dial := range []func() error{
				func() error { _, err := up.DialContext(t.Context(), "tcp", "forbidden.example:443"); return err },
				func() error {
					req, _ := http.NewRequest("GET", "https://forbidden.example/", nil)
					_, err := up.RoundTrip(req)
					return err
				},
			} {
				if status, reason := UpstreamFailure(dial(), "forbidden.example"); status != 502 || !strings.Contains(reason, "upstream proxy: answered 403") {
					t.Errorf("%d %s", status, reason)
				}
			}
			u.User = url.UserPassword("us er", "wrong")
			options.Proxy = u.String()
			wrong, _ := NewUpstream(options)
			for _, raw := range []string{"https://example.com/", "http://plain.example/"} {
				req, _ := http.NewRequest("GET", raw, nil)
				_, err = wrong.RoundTrip(req)
				if status, reason := UpstreamFailure(err, "example.com"); status != 502 || !strings.Contains(reason, "answered 407") || !strings.Contains(reason, "--upstream-proxy") {
					t.Errorf("%s: %d %s", raw, status, reason)
				}
			}
		})
		up.CloseIdleConnections()
	}
}

// TestDialThroughEnds: a proxy that says nothing is not waited for forever.
func TestDialThroughEnds(t *testing.T) {
	l := listen(t)
	defer l.Close()
	for _, proxy := range []string{"http://", "https://"} {
		u, _ := NewUpstream(UpstreamOptions{Proxy: proxy + l.Addr().String()})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := u.DialContext(ctx, "tcp", "a.example:443")
		cancel()
		if status, reason := UpstreamFailure(err, "a.example"); status != 504 || !strings.Contains(reason, "upstream proxy on the way to a.example") {
			t.Errorf("%d %s (%v)", status, reason, err)
		}
	}
}

// TestDialTakesConnect: a client that connects to one place and names another
// host reaches that place.
func TestDialTakesConnect(t *testing.T) {
	server := api(t, "http", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
	up, _ := NewUpstream(UpstreamOptions{})
	defer up.CloseIdleConnections()
	r := start(t, Options{Transport: up})
	c := r.tunnel(t, server.Listener.Addr().String(), false)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: virtual.invalid\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if got := body(t, resp, err); got != "virtual.invalid" {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

// TestUpstreamFailures makes each failure for real.
func TestUpstreamFailures(t *testing.T) {
	afterRequest := func(f func(c net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			http.ReadRequest(bufio.NewReader(c))
			f(c)
			c.Close()
		}
	}
	closed := listen(t)
	closed.Close()
	for _, test := range []struct {
		name, scheme, address string
		status                int
		want                  []string
	}{
		{"refused", "http", closed.Addr().String(), 502, []string{"refused", "(by --resolve)", "check the address in --resolve"}},
		{"dns", "http", "no-such-host.invalid:80", 502, []string{"no address (DNS)", "(by --resolve)"}},
		{"reset", "http", upstreamOf(t, afterRequest(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) })), 502, []string{"reset"}},
		{"closed", "http", upstreamOf(t, afterRequest(func(net.Conn) {})), 502, []string{"closed the connection"}},
		{"not HTTP", "http", upstreamOf(t, afterRequest(func(c net.Conn) { io.WriteString(c, "SECRET\r\n\r\n") })), 502, []string{"not valid HTTP"}},
		{"broken header", "http", upstreamOf(t, afterRequest(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nSECRET\r\n\r\n") })), 502, nil},
		{"not TLS", "https", upstreamOf(t, afterRequest(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 SECRET\r\n\r\n") })), 502, []string{"does not speak TLS", "scheme and port"}},
		{"TLS alert", "https", upstreamOf(t, func(c net.Conn) {
			tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12, GetCertificate: authority().GetCertificate}).Handshake()
			c.Close()
		}), 502, []string{"alert"}},
		{"our own authority", "https", upstreamOf(t, func(c net.Conn) {
			tls.Server(c, &tls.Config{GetCertificate: authority().GetCertificate}).Handshake()
			c.Close()
		}), 502, []string{"unknown authority", "--upstream-ca"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u, err := NewUpstream(UpstreamOptions{Resolve: []string{"*:80:" + test.address, "*:443:" + test.address}})
			if err != nil {
				t.Fatal(err)
			}
			r := start(t, Options{Transport: u})
			resp, err := r.client(t, false).Get(test.scheme + "://api.example/?SECRET")
			text := body(t, resp, err)
			m := message(t, resp, text)
			if resp.StatusCode != test.status || !strings.HasPrefix(m, "upstream api.example") {
				t.Errorf("%d %s", resp.StatusCode, m)
			}
			for _, part := range test.want {
				if !strings.Contains(m, part) {
					t.Errorf("%q does not say %q", m, part)
				}
			}
			if strings.Contains(text, "SECRET") || strings.Contains(r.log.String(), "SECRET") {
				t.Error("traffic in an error")
			}
		})
	}
}

func TestUpstreamFailureTexts(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{&net.DNSError{Err: "SECRET", Name: "SECRET", IsNotFound: true}, 502, "upstream h: its name has no address (DNS); check the name and the network, or give its address with --resolve"},
		{&net.DNSError{Err: "SECRET", IsTimeout: true}, 504, "upstream h: it did not answer in time; "},
		{context.DeadlineExceeded, 504, "upstream h: it did not answer in time; "},
		{context.Canceled, 502, "upstream h: the client hung up"},
		{errors.New("SECRET"), 502, "upstream h: the request failed before an answer came; "},
		{fmt.Errorf("wrapped: %w", io.ErrUnexpectedEOF), 502, "upstream h: it closed the connection"},
		{errors.New("http: server closed idle connection"), 502, "upstream h: it closed the connection"},
	} {
		if status, reason := UpstreamFailure(test.err, "h"); status != test.status || !strings.HasPrefix(reason, test.want) || strings.Contains(reason, "SECRET") {
			t.Errorf("%v: %d %s", test.err, status, reason)
		}
	}
}
