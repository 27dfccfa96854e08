//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"tapedeck/examples/canary"
)

// An upstream that fails sends what it likes, and Go's own errors quote it.
func TestCanaryUpstreamFails(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"record-only", "new-episodes", "passthrough"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			r.settings(t)
			sent := r.p.add(planted{Secret: canary.Secret{Name: "what the broken upstream sent", Value: r.p.random("sent")[:36]}})
			r.look()
			hosts := startFaulty(t, "ghp_"+sent)
			arguments := []string{"proxy", "--mode", mode, "--cassette", r.cassette(), "--upstream-ca", r.origin.ca,
				"--report", r.path("work/report.json"), "--junit", r.path("work/junit.xml")}
			for _, h := range hosts {
				arguments = append(arguments, "--resolve", h.host+":443:"+h.address)
			}
			s := r.serve(t, nil, nil, arguments...)
			c := r.caller(t, s)
			// RFC 2606 keeps .invalid out of DNS.
			for _, h := range append(hosts, faulty{host: "nowhere.invalid", what: "its name has no address"}) {
				for _, e := range r.exchanges {
					switch e.name {
					case "path by shape", "query odd", "bearer", "cookies", "form", "json request", "request trailer":
					default:
						continue
					}
					if h.address == "" && e.name != "query odd" {
						continue // asking a name server may take long
					}
					request, err := e.request(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					request.URL.Host, request.Host = h.host, ""
					if status, err := c.do(request); err == nil && status < 300 && mode != "passthrough" && h.host != "coding.example.com" && h.host != "unknown.example.com" {
						t.Errorf("%s, %s: answered %d", h.what, e.name, status)
					}
				}
			}
			r.run(t, nil, "status", "--json", "--address", s.address).mustEnd(t, 0)
			got := r.end(t, s, syscall.SIGTERM)
			if mode != "passthrough" {
				got.mustEnd(t, 92)
			}
			report := read(t, r.path("work/report.json"))
			for _, reason := range []string{"its name has no address", "its certificate is for another host", "the connection was refused", "its answer is not valid HTTP", "closed the connection before"} {
				if !strings.Contains(report, reason) {
					t.Errorf("the report does not say %q: the upstreams did not fail as they should: %s", reason, got)
				}
			}
		})
	}
}

// A host is never rewritten on the wire. One that holds a secret is not recorded,
// and nothing says its name.
func TestCanaryHost(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"record-only", "passthrough", "replay-only"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			label := r.p.add(planted{Secret: canary.Secret{Name: "a host's name", Value: strings.ToLower(r.p.random("host")[:26])}, never: true})
			r.look()
			r.write(t, "work/cassettes/canary.yaml", "version: 2\ninteractions: []\n")
			r.write(t, "work/tapedeck.yaml", "hosts: {passthrough: [\"through.**\", \"through.*.example.com\"], ignore: [\"ignored.*.example.com\"]}\n")
			host := "glpat-" + label + ".example.com"
			hosts := []string{host, "dead." + host, "through." + host, "ignored." + host}
			flags := r.origin.flags()
			for _, host := range hosts {
				to := r.origin.secure.Listener.Addr().String()
				if strings.HasPrefix(host, "dead.") {
					to = "127.0.0.1:1"
				}
				flags = append(flags, "--resolve", host+":443:"+to)
			}
			s := r.serve(t, nil, nil, append([]string{"proxy", "--mode", mode, "--cassette", r.cassette(), "--max-body", "1KiB",
				"--report", r.path("work/report.json"), "--junit", r.path("work/junit.xml")}, flags...)...)
			c := r.caller(t, s)
			for _, host := range hosts {
				for _, e := range r.exchanges {
					switch e.name {
					case "query odd", "bearer", "form", "oauth":
					default:
						continue
					}
					request, err := e.request(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					request.URL.Host, request.Host = host, ""
					c.do(request) // that it is answered is not the point
				}
			}
			r.run(t, nil, "status", "--json", "--address", s.address).mustEnd(t, 0)
			got := r.end(t, s, syscall.SIGTERM)
			if !strings.Contains(got.stderr, "host=") || !strings.Contains(got.stderr, "REDACTED") {
				t.Errorf("no host is logged, so there is nothing to search: %s", got)
			}
		})
	}
}

// The credentials of the proxy on the way to the API are the user's, and what
// that proxy answers is traffic.
func TestCanaryUpstreamProxy(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	password := r.p.never("password for the upstream proxy")
	said := r.p.never("what the upstream proxy said")
	r.look()
	wants := "Basic " + base64.StdEncoding.EncodeToString([]byte("deploy:"+password))
	var answer atomic.Value
	answer.Store("")
	var tunnels atomic.Int32
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	go func() {
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				request, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				if text := answer.Load().(string); text != "" {
					io.WriteString(conn, text)
					return
				}
				if request.Header.Get("Proxy-Authorization") != wants {
					io.WriteString(conn, "HTTP/1.1 407 "+said+"\r\nProxy-Authenticate: Basic realm=\""+said+"\"\r\nContent-Length: 0\r\n\r\n")
					return
				}
				tunnels.Add(1)
				api, err := net.Dial("tcp", r.origin.secure.Listener.Addr().String())
				if err != nil {
					return
				}
				defer api.Close()
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
				go io.Copy(api, reader)
				io.Copy(conn, api)
			}()
		}
	}()

	url := "http://deploy:" + password + "@" + proxy.Addr().String()
	secure := r.exchanges[:0:0]
	for _, e := range r.exchanges[2:] { // behind those about the journal
		if !e.plain {
			secure = append(secure, e)
		}
	}
	for i, given := range []struct{ env, flags []string }{
		{flags: []string{"--upstream-proxy", url}},
		{env: []string{"TAPEDECK_UPSTREAM_PROXY=" + url}},
		// A server does not take these: they may name tapedeck itself. The wrong
		// password is a secret too.
		{env: []string{"HTTPS_PROXY=" + url}, flags: []string{"--upstream-proxy", strings.Replace(url, "@", "x@", 1)}},
		{flags: []string{"--upstream-proxy", "http://deploy:" + password + "@127.0.0.1:1"}},
	} {
		cassette := r.path(fmt.Sprintf("work/proxied-%d.yaml", i))
		s := r.serve(t, given.env, nil, append([]string{"record", "--cassette", cassette, "--upstream-ca", r.origin.ca, "--report", cassette + ".json"}, given.flags...)...)
		c := r.caller(t, s)
		if i < 2 {
			if err := c.all(secure[:10]); err != nil {
				t.Error(err)
			}
		}
		answer.Store("HTTP/1.1 502 " + said + "\r\nX-Said: " + said + "\r\n\r\n")
		if status, err := c.elsewhere(secure[10]); err != nil || status != http.StatusBadGateway {
			t.Error("a refusing upstream proxy let requests through")
		}
		answer.Store(said + "\r\n\r\n")
		if status, err := c.elsewhere(secure[11]); err != nil || status != http.StatusBadGateway {
			t.Error("an upstream proxy that speaks no HTTP let requests through")
		}
		answer.Store("")
		if i == 2 {
			if status, err := c.elsewhere(secure[12]); err != nil || status != http.StatusBadGateway {
				t.Error("the wrong password let requests through")
			}
		}
		r.end(t, s, syscall.SIGTERM).mustEnd(t, 92)
	}
	if tunnels.Load() == 0 {
		t.Error("no tunnel was opened through the upstream proxy")
	}

	// exec takes over what the user has set.
	got := r.run(t, []string{"HTTPS_PROXY=" + url, "CANARY_CLIENT=all", "CANARY_ONLY=header-api-key"},
		"exec", "--mode", "record-only", "--cassette", r.path("work/inherited.yaml"), "--upstream-ca", r.origin.ca, "--log-level", "debug", "--", self)
	got.mustEnd(t, 0)
}

// elsewhere sends an exchange to a host of its own, for which no connection is open.
func (c *caller) elsewhere(e *exchange) (int, error) {
	request, err := e.request(context.Background())
	if err != nil {
		return 0, err
	}
	request.URL.Host, request.Host = strings.ReplaceAll(strings.ToLower(e.name), " ", "-")+".example.com", ""
	return c.do(request)
}

// --map stands for an API: its target may carry what a proxied URL carries.
func TestCanaryMap(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	r.settings(t)
	user := r.p.never("user-info of a mapped URL")
	r.look()
	// A loopback address of its own, so that the port is free.
	address := fmt.Sprintf("127.%d.%d.%d:18080", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	s := r.serve(t, nil, nil, append([]string{"record", "--cassette", r.cassette(), "--map", address + "=https://deploy:" + user + "@" + secureHost}, r.origin.flags()...)...)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, e := range r.exchanges {
		if e.plain {
			continue
		}
		request, err := e.request(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Scheme, request.URL.Host, request.Host = "http", address, ""
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(kind(err))
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != e.status {
			t.Errorf("%s: answered %d, want %d", e.name, response.StatusCode, e.status)
		}
	}
	client.CloseIdleConnections()
	r.end(t, s, syscall.SIGTERM).mustEnd(t, 0)
}
