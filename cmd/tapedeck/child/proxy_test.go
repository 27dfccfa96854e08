package child

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tapedeck/proxy/ca"
)

// A testProxy answers every request by itself, so that hosts which do not exist work through it and
// through nothing else. It speaks what tapedeck's proxy does: absolute-form requests, and inside
// CONNECT either TLS (HTTP/1.1 and 2) or plain HTTP.
type testProxy struct {
	address   string
	authority *ca.Authority

	mu       sync.Mutex
	seen     []string // "GET https://host/path HTTP/1.1"
	sessions map[string]bool
	refusal  string // if set, CONNECT is answered 403 with it
}

func startProxy(t *testing.T) *testProxy {
	t.Helper()
	authority, err := ca.NewInMemory()
	if err != nil {
		t.Fatal(err)
	}
	p := &testProxy{authority: authority, sessions: map[string]bool{}}

	plain := newConns()
	secure := newConns()
	quiet := log.New(io.Discard, "", 0) // handshakes that fail are what some tests want
	inner := &http.Server{Handler: http.HandlerFunc(p.answer), ErrorLog: quiet}
	innerTLS := &http.Server{
		Handler:   http.HandlerFunc(p.answer),
		ErrorLog:  quiet,
		TLSConfig: &tls.Config{GetCertificate: authority.GetCertificate},
	}
	go inner.Serve(plain)
	go innerTLS.ServeTLS(secure, "", "")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	outer := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.proxyUser(r)
		if r.Method != http.MethodConnect {
			p.answer(w, r)
			return
		}
		p.mu.Lock()
		refusal := p.refusal
		p.mu.Unlock()
		if refusal != "" {
			http.Error(w, refusal, http.StatusForbidden)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		first, err := buffered.Peek(1)
		if err != nil {
			conn.Close()
			return
		}
		if first[0] == 0x16 { // a TLS handshake
			secure.accepted <- bufferedConn{conn, buffered.Reader}
		} else {
			plain.accepted <- bufferedConn{conn, buffered.Reader}
		}
	})}
	go outer.Serve(l)
	t.Cleanup(func() {
		outer.Close()
		inner.Close()
		innerTLS.Close()
	})
	return p
}

// answer notes the request and says which it was.
func (p *testProxy) answer(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	line := fmt.Sprintf("%s %s://%s%s %s", r.Method, scheme, r.Host, r.URL.RequestURI(), r.Proto)
	if r.URL.IsAbs() {
		line = fmt.Sprintf("%s %s %s absolute", r.Method, r.URL, r.Proto)
	}
	p.mu.Lock()
	p.seen = append(p.seen, line)
	p.mu.Unlock()
	switch {
	case r.URL.Query().Has("echo"):
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Received", strconv.Itoa(len(body)))
		w.Write(body)
		return
	case r.URL.Query().Has("hang"):
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"answer": "from the proxy", "path": r.URL.Path})
}

func (p *testProxy) proxyUser(r *http.Request) {
	request := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	if user, _, ok := request.BasicAuth(); ok {
		p.mu.Lock()
		p.sessions[user] = true
		p.mu.Unlock()
	}
}

// requests returns what came in since the last call.
func (p *testProxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

func (p *testProxy) session(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[name]
}

// conns is a listener over connections that were accepted elsewhere.
type conns struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func newConns() conns { return conns{make(chan net.Conn), make(chan struct{})} }

func (c conns) Accept() (net.Conn, error) {
	select {
	case conn := <-c.accepted:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c conns) Close() error {
	close(c.closed)
	return nil
}

func (c conns) Addr() net.Addr { return &net.TCPAddr{} }

type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// environment prepares the environment that a command gets, from the environment of the test and
// the given pairs.
func (p *testProxy) environment(t *testing.T, change func(*Settings), pairs ...string) *Environment {
	t.Helper()
	system, err := ca.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	s := Settings{
		Proxy:   p.address,
		CA:      p.authority.CertPEM(),
		System:  system,
		Environ: append(os.Environ(), pairs...),
		Dir:     t.TempDir(),
	}
	if change != nil {
		change(&s)
	}
	e, err := Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range e.Notes {
		if !strings.Contains(note, "left out") {
			t.Errorf("unexpected note: %s", note)
		}
	}
	return e
}
