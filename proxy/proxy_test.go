package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tapedeck/proxy/ca"
)

var authority = sync.OnceValue(func() *ca.Authority {
	a, err := ca.NewInMemory()
	if err != nil {
		panic(err)
	}
	return a
})

// roots is what a client of the proxy trusts.
func roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority().CertPEM())
	return pool
}

// A rig is a running proxy and what its tests need of it.
type rig struct {
	*Server
	url  *url.URL
	log  *logBuffer
	stop func()
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits for what another goroutine is about to do.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}

func start(t testing.TB, o Options) *rig {
	t.Helper()
	r := &rig{log: &logBuffer{}}
	o.Authority = authority()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = s
	l := listen(t)
	r.url = &url.URL{Scheme: "http", Host: l.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	r.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// upstreamOf is the address of a server that gives every connection to serve,
// which closes it.
func upstreamOf(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// client is a Go client that uses the proxy; h2 lets it speak HTTP/2 in tunnels.
func (r *rig) client(t testing.TB, h2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{
		Proxy:              http.ProxyURL(r.url),
		TLSClientConfig:    &tls.Config{RootCAs: roots()},
		ForceAttemptHTTP2:  h2,
		DisableCompression: true,
	}
	if !h2 {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// tunnel opens a CONNECT tunnel by hand and, if secure, TLS in it.
func (r *rig) tunnel(t testing.TB, hostport string, secure bool, header ...string) net.Conn {
	t.Helper()
	c := r.dial(t)
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", hostport, hostport, strings.Join(append(header, ""), "\r\n"))
	b := bufio.NewReader(c)
	resp, err := http.ReadResponse(b, &http.Request{Method: "CONNECT"})
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("CONNECT: %v %v", resp, err)
	}
	if !secure {
		return c
	}
	host, _, _ := net.SplitHostPort(hostport)
	s := tls.Client(c, &tls.Config{RootCAs: roots(), ServerName: host})
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// A deckFunc is a Transport.
type deckFunc func(*http.Request) (*http.Response, error)

func (f deckFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// play answers from a handler, with no network: what a replaying deck does.
func play(h http.HandlerFunc) deckFunc {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		h(w, r)
		resp := w.Result()
		resp.Request = r
		return resp, nil
	}
}

func say(text string) deckFunc {
	return play(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
}

// to is a Transport that reaches one test server under any https or http name.
func to(t testing.TB, server *httptest.Server) *Upstream {
	t.Helper()
	u, err := NewUpstream(UpstreamOptions{Resolve: []string{"*:443:" + server.Listener.Addr().String(), "*:80:" + server.Listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	if server.TLS != nil {
		u.tls.RootCAs = x509.NewCertPool()
		u.tls.RootCAs.AddCert(server.Certificate())
		u.tls.ServerName = "example.com" // what httptest's certificate is for
	}
	t.Cleanup(u.CloseIdleConnections)
	return u
}

// api starts an upstream: kind is "http", "https" or "h2".
func api(t testing.TB, kind string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = acceptErrors(slog.New(slog.DiscardHandler))
	switch kind {
	case "http":
		s.Start()
	case "h2":
		s.EnableHTTP2 = true
		fallthrough
	default:
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

func body(t testing.TB, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ways are the doors a request can come through.
var ways = []struct {
	name, scheme string
	h2           bool
}{
	{"plain", "http", false},
	{"tunnel HTTP/1.1", "https", false},
	{"tunnel HTTP/2", "https", true},
}

func TestDoors(t *testing.T) {
	var got atomic.Pointer[http.Request]
	r := start(t, Options{Transport: deckFunc(func(r *http.Request) (*http.Response, error) {
		got.Store(r)
		return say("played")(r)
	})})
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			resp, err := r.client(t, way.h2).Get(way.scheme + "://api.example/v1/x?a=1")
			if text := body(t, resp, err); text != "played" {
				t.Errorf("body %q", text)
			}
			if way.h2 != (resp.ProtoMajor == 2) {
				t.Errorf("protocol %s", resp.Proto)
			}
			req := got.Load()
			if u := req.URL.String(); u != way.scheme+"://api.example/v1/x?a=1" || req.RequestURI != "/v1/x?a=1" || req.Host != "api.example" {
				t.Errorf("URL %s, RequestURI %s, Host %s", u, req.RequestURI, req.Host)
			}
			if way.h2 != (req.ProtoMajor == 2) {
				t.Errorf("the deck was told %s", req.Proto)
			}
		})
	}
	t.Run("map", func(t *testing.T) {
		l := listen(t)
		go r.ServeMap(l, &url.URL{Scheme: "https", Host: "api.stripe.com:443", Path: "/base/"})
		resp, err := http.Get("http://" + l.Addr().String() + "/v1%2Fx?a=1")
		body(t, resp, err)
		req := got.Load()
		if u := req.URL.String(); u != "https://api.stripe.com/base/v1%2Fx?a=1" || req.RequestURI != "/base/v1%2Fx?a=1" || req.Host != "api.stripe.com" {
			t.Errorf("URL %s, RequestURI %s, Host %s", u, req.RequestURI, req.Host)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 405 {
			t.Errorf("CONNECT on a mapped address: %v %v", resp, err)
		}
	})
	t.Run("plain HTTP in a tunnel", func(t *testing.T) {
		c := r.tunnel(t, "api.example:8080", false)
		io.WriteString(c, "GET /x HTTP/1.1\r\nHost: api.example:8080\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if text := body(t, resp, err); text != "played" {
			t.Errorf("body %q", text)
		}
		if u := got.Load().URL.String(); u != "http://api.example:8080/x" {
			t.Errorf("URL %s", u)
		}
	})
	t.Run("virtual host", func(t *testing.T) {
		c := r.tunnel(t, "127.0.0.1:8443", true)
		io.WriteString(c, "GET /x HTTP/1.1\r\nHost: Virtual.example:9\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		body(t, resp, err)
		req := got.Load()
		if u := req.URL.String(); u != "https://Virtual.example:8443/x" || req.Host != "Virtual.example:9" {
			t.Errorf("URL %s, Host %s", u, req.Host)
		}
		if dial, _ := req.Context().Value(dialKey{}).(string); dial != "127.0.0.1:8443" {
			t.Errorf("would dial %q", dial)
		}
	})
	t.Run("https in absolute form", func(t *testing.T) {
		c := r.dial(t)
		io.WriteString(c, "GET https://api.example?q HTTP/1.1\r\nHost: other\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		body(t, resp, err)
		req := got.Load()
		if u := req.URL.String(); u != "https://api.example?q" || req.RequestURI != "/?q" {
			t.Errorf("URL %s, RequestURI %s", u, req.RequestURI)
		}
	})
	t.Run("OPTIONS *", func(t *testing.T) {
		c := r.tunnel(t, "api.example:443", true)
		io.WriteString(c, "OPTIONS * HTTP/1.1\r\nHost: api.example\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		body(t, resp, err)
		if req := got.Load(); req.RequestURI != "*" || req.URL.Path != "*" {
			t.Errorf("RequestURI %q, path %q", req.RequestURI, req.URL.Path)
		}
	})
}

func TestControl(t *testing.T) {
	control := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "control "+r.URL.Path) })
	r := start(t, Options{Control: control, RequireSession: true, Transport: say("deck")})
	client := r.client(t, true)
	_, port, _ := net.SplitHostPort(r.url.Host)
	for _, test := range []struct{ name, url string }{
		{"by name", "http://tapedeck.invalid/ca.pem"},
		{"by name over TLS", "https://tapedeck.invalid/ca.pem"},
		{"own address through itself", "http://" + r.url.Host + "/ca.pem"},
	} {
		resp, err := client.Get(test.url)
		if text := body(t, resp, err); text != "control /ca.pem" {
			t.Errorf("%s: %q", test.name, text)
		}
	}
	resp, err := http.Get(r.url.String() + "/health")
	if text := body(t, resp, err); text != "control /health" {
		t.Errorf("path form: %q", text)
	}
	// A client that proxies loopback too (--record-loopback).
	c := r.tunnel(t, "localhost:"+port, false)
	io.WriteString(c, "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	if text := body(t, got, err); text != "control /status" {
		t.Errorf("tunnel to itself: %q", text)
	}

	bare := start(t, Options{Transport: say("deck")})
	resp, err = http.Get(bare.url.String() + "/")
	if text := body(t, resp, err); resp.StatusCode != 404 || !strings.Contains(text, "HTTPS_PROXY") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

func TestNewChecksOptions(t *testing.T) {
	for _, o := range []Options{
		{},
		{Transport: say("")},
		{Transport: say(""), Authority: authority(), Passthrough: func(string) bool { return true }},
		{Transport: say(""), Authority: authority(), MaxBody: -1},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	s, err := New(Options{Transport: say(""), Authority: authority()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(t.Context())
	for _, target := range []*url.URL{nil, {Host: "x"}, {Scheme: "ftp", Host: "x"}, {Scheme: "https"}} {
		l := listen(t)
		if err := s.ServeMap(l, target); err == nil || !strings.Contains(err.Error(), "--map") {
			t.Errorf("%v: %v", target, err)
		}
		l.Close()
	}
	if err := s.ServeSession(listen(t), ""); err == nil {
		t.Error("a listener for a session without a name")
	}
}

// message is the error.message of an answer in the proxy's own name.
func message(t testing.TB, resp *http.Response, text string) string {
	t.Helper()
	var e struct {
		Error struct{ Message, Type string }
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error.Type != "tapedeck_error" || e.Error.Message == "" {
		t.Errorf("not an error of ours: %q", text)
	}
	if resp.Header.Get(ErrorHeader) != "1" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", resp.Header)
	}
	return e.Error.Message
}

func TestErrorResponse(t *testing.T) {
	for _, test := range []struct {
		accept string
		text   bool
	}{
		{"", false}, {"*/*", false}, {"application/json", false}, {"text/plain", true},
		{"text/html, text/plain;q=0.5", true}, {"text/html,application/xhtml+xml,*/*;q=0.8", false}, {"text/event-stream", true},
	} {
		r := &http.Request{Method: "GET", Header: http.Header{}}
		if test.accept != "" {
			r.Header.Set("Accept", test.accept)
		}
		resp := ErrorResponse(r, 502, "upstream a: x <y>\nand more")
		text := body(t, resp, nil)
		if test.text {
			if text != "upstream a: x <y>\nand more\n" {
				t.Errorf("%s: %q", test.accept, text)
			}
		} else if message(t, resp, text) != "upstream a: x <y>\nand more" || strings.Contains(text, `\u003c`) {
			t.Errorf("%s: %q", test.accept, text)
		}
		if got := resp.Header.Get(ErrorReasonHeader); got != "upstream a: x <y> and more" {
			t.Errorf("%s: reason %q", test.accept, got)
		}
		w := httptest.NewRecorder()
		WriteError(w, r, 502, "upstream a: x <y>\nand more")
		if w.Body.String() != text || w.Code != 502 || w.Header().Get("Content-Length") != fmt.Sprint(len(text)) {
			t.Errorf("%s: WriteError differs: %d %q", test.accept, w.Code, w.Body)
		}
	}
	shape := ErrorResponse(nil, 502, "GET a/b… is for Zoë")
	if text := body(t, shape, nil); text != "{\n  \"error\": {\n    \"message\": \"GET a/b… is for Zoë\",\n    \"type\": \"tapedeck_error\"\n  }\n}\n" {
		t.Errorf("the error is written as %q", text)
	}
	if got := shape.Header.Get(ErrorReasonHeader); got != "GET a/b... is for Zo?" {
		t.Errorf("reason %q", got)
	}
	head := ErrorResponse(&http.Request{Method: "HEAD"}, 413, "too large")
	if text := body(t, head, nil); text != "" || head.ContentLength == 0 {
		t.Errorf("HEAD got %q", text)
	}
}

func TestTransportFailures(t *testing.T) {
	var deck atomic.Pointer[deckFunc]
	r := start(t, Options{Transport: deckFunc(func(r *http.Request) (*http.Response, error) { return (*deck.Load())(r) })})
	for _, test := range []struct {
		name   string
		deck   deckFunc
		status int
	}{
		{"panic", func(*http.Request) (*http.Response, error) { panic("SECRET") }, 500},
		{"runtime panic", func(*http.Request) (*http.Response, error) {
			new(http.Response).Header.Set("SECRET", "")
			return nil, nil
		}, 500},
		{"error", func(*http.Request) (*http.Response, error) { return nil, errors.New("SECRET") }, 502},
		{"nothing", func(*http.Request) (*http.Response, error) { return nil, nil }, 500},
		{"status 42", func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 42}, nil }, 502},
		{"panic in a body", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: 10, Body: io.NopCloser(panicReader{})}, nil
		}, 0},
	} {
		deck.Store(&test.deck)
		for _, way := range ways {
			t.Run(test.name+"/"+way.name, func(t *testing.T) {
				resp, err := r.client(t, way.h2).Get(way.scheme + "://api.example/")
				if test.status == 0 {
					if err == nil {
						_, err = io.ReadAll(resp.Body)
						resp.Body.Close()
					}
					if err == nil {
						t.Error("the client noticed nothing")
					}
					return
				}
				text := body(t, resp, err)
				if message(t, resp, text); resp.StatusCode != test.status || strings.Contains(text, "SECRET") {
					t.Errorf("%d %q", resp.StatusCode, text)
				}
			})
		}
	}
	if strings.Contains(r.log.String(), "SECRET") {
		t.Errorf("the log holds what must not be in it:\n%s", r.log)
	}
	if !strings.Contains(r.log.String(), "assignment to entry in nil map") {
		t.Error("the log does not say what went wrong")
	}
	fine := say("still here")
	deck.Store(&fine)
	resp, err := r.client(t, false).Get("https://api.example/")
	if body(t, resp, err) != "still here" {
		t.Error("the proxy did not survive")
	}
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("SECRET") }

func TestManyAtOnce(t *testing.T) {
	r := start(t, Options{Transport: play(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.URL.Host, r.URL.RawQuery, b)
	})})
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			client := r.client(t, way.h2)
			var all sync.WaitGroup
			for i := range 200 {
				all.Go(func() {
					host := fmt.Sprintf("h%d.example", i%7)
					resp, err := client.Post(fmt.Sprintf("%s://%s/?n=%d", way.scheme, host, i), "text/plain", strings.NewReader(fmt.Sprint("body ", i)))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					b, err := io.ReadAll(resp.Body)
					if want := fmt.Sprintf("%s n=%d body %d", host, i, i); string(b) != want || err != nil {
						t.Errorf("%q, want %q (%v)", b, want, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestMultiplexing holds one HTTP/2 request open while others on the same
// connection are answered.
func TestMultiplexing(t *testing.T) {
	release := make(chan struct{})
	r := start(t, Options{Transport: deckFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/slow" {
			<-release
		}
		return say(r.URL.Path)(r)
	})})
	client := r.client(t, true)
	resp, err := client.Get("https://api.example/first") // opens the one connection
	body(t, resp, err)
	slow := make(chan string, 1)
	go func() {
		resp, err := client.Get("https://api.example/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		b, _ := io.ReadAll(resp.Body)
		slow <- string(b)
	}()
	for i := range 20 {
		path := fmt.Sprint("/fast", i)
		resp, err := client.Get("https://api.example" + path)
		if got := body(t, resp, err); got != path {
			t.Errorf("%q", got)
		}
	}
	close(release)
	if got := <-slow; got != "/slow" {
		t.Errorf("%q", got)
	}
}

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
