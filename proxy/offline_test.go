package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// trapDefaults makes every dial and every look-up fail the test that goes
// through net/http's or net's shared defaults.
func trapDefaults(t *testing.T) {
	transport, resolver := http.DefaultTransport, net.DefaultResolver
	t.Cleanup(func() { http.DefaultTransport, net.DefaultResolver = transport, resolver })
	http.DefaultTransport = deckFunc(func(r *http.Request) (*http.Response, error) {
		t.Errorf("http.DefaultTransport was used for %s", r.URL.Host)
		return nil, net.ErrClosed
	})
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t.Errorf("a name was looked up at %s", address)
		return nil, net.ErrClosed
	}}
}

// everything sends a request of each kind through the proxy.
func everything(t *testing.T, r *rig, hostport string) {
	host, port, _ := net.SplitHostPort(hostport)
	for _, raw := range []string{
		"GET http://" + hostport + "/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET https://" + hostport + "/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET ftp://" + hostport + "/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET ws://" + hostport + "/ HTTP/1.1\r\nHost: x\r\n" + handshake,
		"GET / HTTP/1.1\r\nHost: " + hostport + "\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: " + hostport + "\r\n\r\n",
		"CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n\r\nGET / HTTP/1.1\r\nHost: " + hostport + "\r\n\r\n",
		"CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n\r\nSSH-2.0-x\r\n",
		"CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n\r\n\x00\x01\x02",
		"CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n\r\n\x16garbage",
		"CONNECT " + hostport + " HTTP/1.1\r\nHost: " + hostport + "\r\n\r\nCONNECT " + hostport + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"CONNECT :" + port + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT http://" + hostport + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		c := r.dial(t)
		io.WriteString(c, raw)
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.CloseWrite()
		}
		io.Copy(io.Discard, c)
		c.Close()
	}
	for _, h2 := range []bool{false, true} {
		for _, scheme := range []string{"http", "https"} {
			resp, err := r.client(t, h2).Get(scheme + "://" + hostport + "/")
			body(t, resp, err)
		}
	}
}

// TestNothingIsDialled points every kind of request at a listener that must stay
// untouched, with proxies in the environment that must stay untouched too.
func TestNothingIsDialled(t *testing.T) {
	if os.Getenv("OFFLINE_TEST") == "" {
		// goproxy and net/http read the environment once, so a process of its own.
		trap := listen(t)
		defer trap.Close()
		var touched atomic.Int64
		go func() {
			for {
				c, err := trap.Accept()
				if err != nil {
					return
				}
				touched.Add(1)
				c.Close()
			}
		}()
		address := "http://" + trap.Addr().String()
		args := []string{"-test.run=^TestNothingIsDialled$", "-test.v"}
		c := exec.Command(os.Args[0], args...)
		traced := ""
		if path, err := exec.LookPath("strace"); err == nil && runtime.GOOS == "linux" {
			traced = t.TempDir() + "/strace"
			c = exec.Command(path, append([]string{"-f", "-e", "trace=connect", "-o", traced, os.Args[0]}, args...)...)
		}
		c.Env = append(os.Environ(), "OFFLINE_TEST="+trap.Addr().String(), "HTTP_PROXY="+address, "HTTPS_PROXY="+address,
			"http_proxy="+address, "https_proxy="+address, "ALL_PROXY="+address, "NO_PROXY=", "no_proxy=")
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestNothingIsDialled") {
			t.Errorf("%v\n%s", err, out)
		}
		if n := touched.Load(); n > 0 {
			t.Errorf("the network was touched %d times", n)
		}
		if traced != "" {
			log, _ := os.ReadFile(traced)
			_, port, _ := net.SplitHostPort(trap.Addr().String())
			if len(log) == 0 || strings.Contains(string(log), "htons("+port+")") {
				t.Errorf("strace saw a connection to the trap, or nothing at all (%d bytes)", len(log))
			}
		}
		return
	}
	trapDefaults(t)
	var asked atomic.Int64
	r := start(t, Options{HeaderTimeout: time.Second, Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
		asked.Add(1)
		return say("played")(req)
	})})
	for _, hostport := range []string{os.Getenv("OFFLINE_TEST"), "api.example:443"} {
		everything(t, r, hostport)
	}
	if asked.Load() < 8 {
		t.Errorf("only %d requests reached the deck", asked.Load())
	}
}

// TestDialsStayWithPassthrough gives a dialer: only passthrough hosts may use it.
func TestDialsStayWithPassthrough(t *testing.T) {
	trapDefaults(t)
	upstream := api(t, "http", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "real "+r.RequestURI) })
	var dialled, counted atomic.Int64
	r := start(t, Options{
		HeaderTimeout: time.Second,
		Transport:     say("played"),
		Passthrough:   func(hostport string) bool { return strings.HasPrefix(hostport, "left.alone:") },
		OnPassthrough: func(host string) {
			if counted.Add(1); !strings.HasPrefix(host, "left.alone:") {
				t.Errorf("passed %s through", host)
			}
		},
		Dialer: dialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			if dialled.Add(1); !strings.HasPrefix(address, "left.alone:") {
				t.Errorf("dialled %s", address)
			}
			var d net.Dialer
			return d.DialContext(ctx, network, upstream.Listener.Addr().String())
		}),
	})
	everything(t, r, "api.example:443")
	everything(t, r, "left.alone.example:443")
	if dialled.Load() != 0 {
		t.Fatal("dialled for a host that is not passed through")
	}
	c := r.dial(t)
	io.WriteString(c, "GET http://left.alone/a|b?x HTTP/1.1\r\nHost: left.alone\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if got := body(t, resp, err); got != "real /a|b?x" {
		t.Errorf("plain: %q", got)
	}
	c = r.tunnel(t, "left.alone:80", false)
	fmt.Fprintf(c, "GET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	if text := body(t, got, err); text != "real /t" {
		t.Errorf("tunnel: %q", text)
	}
	if dialled.Load() != 2 || counted.Load() != 2 {
		t.Errorf("dialled %d, counted %d", dialled.Load(), counted.Load())
	}
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// TestPassthroughIsUnseen: TLS to a passthrough host ends at the host itself,
// with the ClientHello in the same segment as CONNECT.
func TestPassthroughIsUnseen(t *testing.T) {
	upstream := api(t, "h2", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	r := start(t, Options{
		Transport:   say("played"),
		Passthrough: func(string) bool { return true },
		Dialer: dialFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, upstream.Listener.Addr().String())
		}),
	})
	client := upstream.Client() // trusts the upstream's certificate, not ours
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(r.url)
	resp, err := client.Get("https://example.com/")
	if got := body(t, resp, err); got != "HTTP/2.0" {
		t.Errorf("%q", got)
	}
}

func TestPassthroughFails(t *testing.T) {
	closed := listen(t)
	closed.Close()
	r := start(t, Options{
		Transport:   say("played"),
		Passthrough: func(string) bool { return true },
		Dialer: dialFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, closed.Addr().String())
		}),
	})
	c := r.dial(t)
	io.WriteString(c, "CONNECT gone.example:443 HTTP/1.1\r\nHost: gone.example:443\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	text := body(t, resp, err)
	if m := message(t, resp, text); resp.StatusCode != 502 || m != "upstream gone.example:443: the connection was refused; check that it is running, or point the host elsewhere with --resolve" {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}
