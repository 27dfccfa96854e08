package proxy

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestBadInput throws all sorts at the port; afterwards and meanwhile everyone
// else is served.
func TestBadInput(t *testing.T) {
	transport := play(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "played")
	})
	r := start(t, Options{HeaderTimeout: 300 * time.Millisecond, Transport: transport})
	// Where the size is what is wrong, a slow machine must not run out of time first.
	patient := start(t, Options{Transport: transport})
	served := func() {
		t.Helper()
		for _, way := range ways {
			resp, err := r.client(t, way.h2).Get(way.scheme + "://api.example/")
			if body(t, resp, err) != "played" {
				t.Error("others are not served")
			}
		}
	}
	connect := "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"
	for _, test := range []struct {
		name, send, answer string
		whole              bool
	}{
		{"garbage", "\x00\xff\x17garbage\r\n\r\n", "HTTP/1.1 400", false},
		{"TLS on the proxy's port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", false},
		{"half a request line", "GET http://api", "", false},
		{"half CONNECT", "CONNECT api.example:443 HT", "", false},
		{"CONNECT without end", "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n", "", false},
		{"slow headers", "GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\nX-A: ", "", false},
		{"large header", "GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\nX-A: " + strings.Repeat("a", 2<<20), "HTTP/1.1 431", false},
		{"many headers", "GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\n" + strings.Repeat("X-A: a\r\n", 200_000), "HTTP/1.1 431", false},
		{"no host", "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400", true},
		{"unknown scheme", "GET gopher://h/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400", true},
		{"bad escape", "GET http://api.example/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400", false},
		{"both lengths", "POST http://api.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200", true},
		{"CONNECT nothing", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400", false},
		{"CONNECT without port", "CONNECT api.example HTTP/1.1\r\nHost: api.example\r\n\r\n", "HTTP/1.1 400", false},
		{"CONNECT address without port", "CONNECT [::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n", "HTTP/1.1 400", false},
		{"CONNECT port 0", "CONNECT a:0 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400", false},
		{"silent tunnel", connect, "HTTP/1.1 200 Connection established", false},
		{"TLS garbage", connect + "\x16\x03\x01\x00\x05nonsense that is no ClientHello", "HTTP/1.1 200 Connection established", false},
		{"half a ClientHello", connect + "\x16\x03\x01\x02\x00\x01\x00", "HTTP/1.1 200 Connection established", false},
		{"another protocol", connect + "\x00\x00\x00\x08\x04\xd2\x16\x2f", "HTTP/1.1 200 Connection established", false},
		{"half a request in a tunnel", connect + "GET / HT", "HTTP/1.1 200 Connection established", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := r.dial(t)
			if len(test.send) > 1<<20 {
				c = patient.dial(t)
			}
			go func() {
				io.WriteString(c, test.send)
				if test.whole { // the connection is kept alive until we end it
					c.(*net.TCPConn).CloseWrite()
				}
			}()
			var got []byte
			var err error
			ended := make(chan bool)
			go func() {
				got, err = io.ReadAll(c) // the proxy ends it by itself
				close(ended)
			}()
			served()
			<-ended
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Error("the connection was left open")
			}
			if !strings.HasPrefix(string(got), test.answer) {
				t.Errorf("answer %q", got)
			}
		})
	}
	// Clients that hang up at every stage.
	for _, send := range []string{
		"", "CONN", connect, connect + "\x16\x03\x01",
		"POST http://api.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
		"POST http://api.example/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
		connect + "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
	} {
		for _, hard := range []bool{false, true} {
			c := r.dial(t)
			io.WriteString(c, send)
			if hard {
				c.(*net.TCPConn).SetLinger(0) // RST
			}
			c.Close()
		}
	}
	served()
	for _, want := range []string{"carries neither TLS nor HTTP", "sent nothing", "--passthrough", "handshake with the client failed", "hung up during the TLS handshake", "TLS to the proxy itself"} {
		eventually(t, "the log says "+want, func() bool { return strings.Contains(r.log.String(), want) })
	}
	log := r.log.String()
	if strings.Contains(log, "goroutine") || strings.Contains(log, "nonsense") {
		t.Errorf("the log holds a panic or traffic:\n%s", log)
	}
}

// TestConnectWithoutPort expects the reason at once, in the answer to CONNECT: a
// client that was let in would wait in a tunnel in which nobody speaks.
func TestConnectWithoutPort(t *testing.T) {
	r := start(t, Options{Transport: deckFunc(func(*http.Request) (*http.Response, error) {
		t.Error("something was asked of the transport")
		return nil, net.ErrClosed
	})})
	for _, authority := range []string{"nohostport", "api.example.", "[2001:db8::1]", "api.example:"} {
		c := r.dial(t)
		io.WriteString(c, "CONNECT "+authority+" HTTP/1.1\r\nHost: "+authority+"\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: "CONNECT"})
		if err != nil {
			t.Fatalf("%s: %v", authority, err)
		}
		if resp.StatusCode != 400 || !strings.Contains(resp.Header.Get(ErrorReasonHeader), "CONNECT HOST:PORT") {
			t.Errorf("%s: answered %s, reason %q", authority, resp.Status, resp.Header.Get(ErrorReasonHeader))
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%s: the connection was left open: %v", authority, err)
		}
		c.Close()
	}
}

// TestHelloWithConnect sends CONNECT and the ClientHello in one segment, as
// impatient clients do.
func TestHelloWithConnect(t *testing.T) {
	r := start(t, Options{Transport: say("played")})
	c := &gluing{Conn: r.dial(t), first: []byte("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n")}
	s := tls.Client(c, &tls.Config{RootCAs: roots(), ServerName: "api.example"})
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, "GET / HTTP/1.1\r\nHost: api.example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(s), nil)
	if got := body(t, resp, err); got != "played" {
		t.Errorf("%q", got)
	}
}

// gluing sends its first bytes together with the first Write, and drops the
// answer to CONNECT from what is read.
type gluing struct {
	net.Conn
	first []byte
	read  *bufio.Reader
}

func (c *gluing) Write(p []byte) (int, error) {
	if c.first == nil {
		return c.Conn.Write(p)
	}
	_, err := c.Conn.Write(append(c.first, p...))
	c.first = nil
	return len(p), err
}

func (c *gluing) Read(p []byte) (int, error) {
	if c.read == nil {
		c.read = bufio.NewReader(c.Conn)
		if resp, err := http.ReadResponse(c.read, &http.Request{Method: "CONNECT"}); err != nil || resp.StatusCode != 200 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	return c.read.Read(p)
}

// TestUntrusting is the mistake that everyone makes once.
func TestUntrusting(t *testing.T) {
	r := start(t, Options{Transport: say("played")})
	for range 3 {
		client := r.client(t, false)
		client.Transport.(*http.Transport).TLSClientConfig.RootCAs = nil
		if _, err := client.Get("https://api.example/"); err == nil {
			t.Fatal("our own authority is trusted by the system")
		}
	}
	const want = "does not trust"
	eventually(t, "a line about trust", func() bool { return strings.Contains(r.log.String(), want) })
	log := r.log.String()
	if strings.Count(log, want) != 1 || !strings.Contains(log, "host=api.example") || !strings.Contains(log, "tapedeck ca path") || !strings.Contains(log, "tapedeck exec") {
		t.Errorf("log:\n%s", log)
	}
	// Clients that send no alert but close.
	c := r.tunnel(t, "quiet.example:443", true)
	c.(*tls.Conn).NetConn().Close()
	eventually(t, "a line about closing", func() bool { return strings.Contains(r.log.String(), "host=quiet.example") })
}

// TestServerNames: the certificate is for the name that TLS asks for, or for
// CONNECT's host when TLS names none.
func TestServerNames(t *testing.T) {
	r := start(t, Options{Transport: say("played")})
	for _, test := range []struct{ connect, sni, want string }{
		{"api.example:443", "api.example", "api.example"},
		{"127.0.0.1:9", "api.example", "api.example"},
		{"127.0.0.1:9", "", "127.0.0.1"},
		{"[::1]:9", "", "::1"},
		{"api.example:443", "", "api.example"},
	} {
		c := r.tunnel(t, test.connect, false)
		s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: test.sni})
		if err := s.Handshake(); err != nil {
			t.Errorf("%v: %v", test, err)
			continue
		}
		if err := s.ConnectionState().PeerCertificates[0].VerifyHostname(test.want); err != nil {
			t.Errorf("%v: %v", test, err)
		}
	}
}

// TestHTTPProtocols that clients may speak in a tunnel.
func TestHTTPProtocols(t *testing.T) {
	r := start(t, Options{Transport: say("played")})
	for _, test := range []struct {
		offer []string
		want  string
	}{{nil, ""}, {[]string{"http/1.1"}, "http/1.1"}, {[]string{"http/1.1", "h2"}, "h2"}, {[]string{"h2"}, "h2"}} {
		c := r.tunnel(t, "api.example:443", false)
		s := tls.Client(c, &tls.Config{RootCAs: roots(), ServerName: "api.example", NextProtos: test.offer})
		if err := s.Handshake(); err != nil || s.ConnectionState().NegotiatedProtocol != test.want {
			t.Errorf("%q: %q, %v", test.offer, s.ConnectionState().NegotiatedProtocol, err)
		}
	}
	// HTTP/1.0 without chunks.
	c := r.tunnel(t, "api.example:443", true)
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	raw, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(raw), "HTTP/1.0 200 OK\r\n") || !strings.HasSuffix(string(raw), "\r\n\r\nplayed") {
		t.Errorf("%q, %v", raw, err)
	}
}
