//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Under tapedeck exec the client must be a program: this one, started again.
func init() {
	if os.Getenv("CANARY_CLIENT") == "" {
		return
	}
	if err := canaryProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// canaryProgram is the client as a program. It prints nothing: what is searched
// is what tapedeck prints.
func canaryProgram() error {
	proxy, err := url.Parse(os.Getenv("HTTPS_PROXY"))
	if err != nil || proxy.Host == "" {
		return errors.New("HTTPS_PROXY names no proxy")
	}
	certificates, err := os.ReadFile(os.Getenv("SSL_CERT_FILE"))
	if err != nil {
		return err
	}
	p := &planting{seed: os.Getenv("CANARY_SEED")}
	proxy.User = url.UserPassword("canary", p.never("password of the proxy's user"))
	c := newCaller(proxy, certificates)
	defer c.close()
	list := p.exchanges()
	if only := os.Getenv("CANARY_ONLY"); only != "" {
		list = withRule(list, only)
	}
	if os.Getenv("CANARY_CLIENT") == "miss" {
		return c.miss(list)
	}
	return c.all(list)
}

// withRule are the exchanges whose secrets a rule finds.
func withRule(list []*exchange, rule string) []*exchange {
	var out []*exchange
	for _, e := range list {
		for _, s := range e.secrets {
			if s.rule == rule {
				out = append(out, e)
				break
			}
		}
	}
	return out
}

// A caller sends exchanges through a proxy.
type caller struct {
	proxy  *url.URL
	client *http.Client
}

func newCaller(proxy *url.URL, certificates []byte) *caller {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificates)
	return &caller{proxy, &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyURL(proxy),
			TLSClientConfig:   &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// all sends the exchanges in order and wants the answers' statuses.
func (c *caller) all(list []*exchange) error {
	for _, e := range list {
		status, err := c.send(e)
		if err != nil {
			return fmt.Errorf("%s: %s", e.name, kind(err))
		}
		if status != e.status && !(e.upgrade != nil && status == http.StatusSwitchingProtocols) {
			return fmt.Errorf("%s: answered %d, want %d", e.name, status, e.status)
		}
	}
	return nil
}

// kind keeps an error of the client from printing the URL.
func kind(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// send sends one exchange, reads the answer to its end and returns its status.
func (c *caller) send(e *exchange) (int, error) {
	if e.upgrade != nil {
		return c.upgrade(e)
	}
	if e.userinfo != "" || e.header.Get("Proxy-Authorization") != "" {
		return c.raw(e)
	}
	request, err := e.request(context.Background())
	if err != nil {
		return 0, err
	}
	return c.do(request)
}

func (c *caller) do(request *http.Request) (int, error) {
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func (e *exchange) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if e.body != "" {
		body = strings.NewReader(e.body)
		if e.trailer != nil {
			body = struct{ io.Reader }{body} // of unknown length: HTTP/1 has trailers after chunks only
		}
	}
	request, err := http.NewRequestWithContext(ctx, e.method, e.url(), body)
	if err != nil {
		return nil, err
	}
	for name, values := range e.header {
		request.Header[name] = values
	}
	request.Trailer = e.trailer.Clone()
	return request, nil
}

// raw sends a request in absolute form as no client library does: with user-info.
func (c *caller) raw(e *exchange) (int, error) {
	conn, err := net.Dial("tcp", c.proxy.Host)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", e.method, e.url(), plainHost)
	e.header.Write(&head)
	io.WriteString(conn, head.String()+"\r\n"+e.body)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// upgrade opens a tunnel and a WebSocket in it, and exchanges frames.
func (c *caller) upgrade(e *exchange) (int, error) {
	conn, err := net.Dial("tcp", c.proxy.Host)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	user := ""
	if c.proxy.User != nil {
		password, _ := c.proxy.User.Password()
		user = "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(c.proxy.User.Username()+":"+password)) + "\r\n"
	}
	fmt.Fprintf(conn, "CONNECT %s:80 HTTP/1.1\r\nHost: %[1]s:80\r\n%s\r\n", plainHost, user)
	reader := bufio.NewReader(conn)
	tunnel, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, err
	}
	if tunnel.StatusCode != http.StatusOK {
		return tunnel.StatusCode, nil
	}
	var head strings.Builder
	fmt.Fprintf(&head, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", e.target, plainHost)
	e.header.Write(&head)
	io.WriteString(conn, head.String()+"\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		if response != nil {
			return response.StatusCode, err
		}
		return 0, err
	}
	for _, text := range e.upgrade {
		received := make([]byte, len(frame(text)))
		if _, err := io.ReadFull(reader, received); err != nil {
			return 0, err
		}
		if string(received) != string(frame(text)) {
			return 0, errors.New("a frame came back otherwise")
		}
		conn.Write(frame(text))
	}
	return response.StatusCode, nil
}

// miss sends every exchange again with one thing changed, for each thing that a
// matcher looks at. Each must be a miss.
func (c *caller) miss(list []*exchange) error {
	for _, e := range list {
		if e.upgrade != nil || e.userinfo != "" || e.header.Get("Proxy-Authorization") != "" {
			continue
		}
		for _, change := range changes {
			request, err := e.request(context.Background())
			if err != nil {
				return fmt.Errorf("%s: %s", e.name, kind(err))
			}
			if !change.do(request, e) {
				continue
			}
			status, err := c.do(request)
			if err != nil {
				return fmt.Errorf("%s, %s: %s", e.name, change.what, kind(err))
			}
			if status != http.StatusFailedDependency && !change.mayPlay {
				return fmt.Errorf("%s, %s: answered %d, want a miss", e.name, change.what, status)
			}
		}
	}
	return nil
}

// changes are differences that make a miss of a request, one for each kind of
// fact. do returns false where there is nothing to change.
var changes = []struct {
	what    string
	mayPlay bool // the difference does not always count
	do      func(*http.Request, *exchange) bool
}{
	{"another method", false, func(r *http.Request, _ *exchange) bool { r.Method = http.MethodPatch; return true }},
	{"another host", false, func(r *http.Request, _ *exchange) bool { r.URL.Host, r.Host = "other.example.com", ""; return true }},
	{"another port", false, func(r *http.Request, _ *exchange) bool { r.URL.Host, r.Host = r.URL.Host+":8443", ""; return true }},
	{"another scheme", false, func(r *http.Request, e *exchange) bool {
		r.URL.Scheme = "http"
		return !e.plain
	}},
	{"a longer path", false, func(r *http.Request, _ *exchange) bool { r.URL = r.URL.JoinPath("more"); return true }},
	{"a further parameter", false, func(r *http.Request, _ *exchange) bool {
		r.URL.RawQuery += "&further=1"
		return true
	}},
	{"no query", false, func(r *http.Request, _ *exchange) bool {
		had := r.URL.RawQuery != ""
		r.URL.RawQuery = ""
		return had
	}},
	{"a header that is compared", false, func(r *http.Request, _ *exchange) bool {
		r.Header = r.Header.Clone()
		r.Header.Set("Accept", "application/vnd.acme.other+json")
		return true
	}},
	{"text for an answer", false, func(r *http.Request, _ *exchange) bool {
		r.Header = r.Header.Clone()
		r.Header.Set("Accept", "text/plain")
		return true
	}},
	{"no headers", true, func(r *http.Request, _ *exchange) bool {
		had := len(r.Header) > 0
		r.Header = http.Header{}
		return had
	}},
	{"other credentials", true, func(r *http.Request, e *exchange) bool {
		r.Header = r.Header.Clone()
		r.Header.Set("Authorization", "Negotiate "+r.Header.Get("Authorization"))
		return e.header.Get("Authorization") != ""
	}},
	{"no body", false, func(r *http.Request, e *exchange) bool {
		r.Body, r.ContentLength, r.GetBody, r.Trailer = http.NoBody, 0, nil, nil
		return e.body != ""
	}},
	{"another kind of body", true, func(r *http.Request, e *exchange) bool {
		r.Header = r.Header.Clone()
		r.Header.Set("Content-Type", "application/x-acme")
		return e.body != ""
	}},
	{"a longer body", true, func(r *http.Request, e *exchange) bool {
		longer := e.body + "&further=1"
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(longer)), int64(len(longer)), nil
		return e.body != ""
	}},
	{"a body cut in half", false, func(r *http.Request, e *exchange) bool {
		half := e.body[:len(e.body)/2]
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(half)), int64(len(half)), nil
		return len(e.body) > 100
	}},
}
