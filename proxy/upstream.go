package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// UpstreamOptions says how the real APIs are reached. The zero value connects
// directly and trusts the system's roots; nothing is read from the environment.
type UpstreamOptions struct {
	// Resolve holds curl's HOST:PORT:ADDRESS. HOST may be *, ADDRESS may carry
	// an own :PORT. What is resolved here is connected to directly, Proxy or not.
	Resolve []string
	// CAFile is a PEM file of authorities to trust beside the system's.
	CAFile string
	// Proxy is the URL of the proxy that leads to the APIs, http or https, with
	// credentials if it wants some. Loopback hosts are never asked through it.
	Proxy string
	// NoProxy lists the hosts that Proxy is not used for, as NO_PROXY does.
	NoProxy string
}

// Upstream is the way to the real APIs: an http.RoundTripper for recording, and
// a [Dialer] for passthrough. It adds nothing to requests and unpacks nothing
// from answers; the request target goes out as Request.RequestURI has it.
type Upstream struct {
	transport *http.Transport
	dialer    *net.Dialer
	resolve   resolutions
	tls       *tls.Config
	proxyFor  func(*url.URL) (*url.URL, error)
	proxyAddr string // host:port of the proxy, "" without one
}

const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 20 * time.Second
)

// NewUpstream checks the options and connects to nothing yet. Errors name the
// flag that carried the faulty value.
func NewUpstream(o UpstreamOptions) (*Upstream, error) {
	resolve, err := parseResolves(o.Resolve)
	if err != nil {
		return nil, err
	}
	u := &Upstream{
		resolve:  resolve,
		dialer:   &net.Dialer{Timeout: dialTimeout},
		tls:      &tls.Config{},
		proxyFor: func(*url.URL) (*url.URL, error) { return nil, nil },
	}
	if o.CAFile != "" {
		if u.tls.RootCAs, err = rootsWith(o.CAFile); err != nil {
			return nil, err
		}
	}
	if o.Proxy != "" {
		p, err := proxyURL(o.Proxy)
		if err != nil {
			return nil, err
		}
		u.proxyAddr = hostPort(p)
		config := httpproxy.Config{HTTPProxy: p.String(), HTTPSProxy: p.String(), NoProxy: o.NoProxy}
		u.proxyFor = config.ProxyFunc()
	}
	u.transport = &http.Transport{
		Proxy:                  u.proxyForRequest,
		OnProxyConnectResponse: refusedByProxy,
		DialContext:            u.dialDirect,
		TLSClientConfig:        u.tls,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true, // a dialer or TLS configuration of one's own turns it off
		DisableCompression:     true, // an answer is recorded as it was sent
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		// No ResponseHeaderTimeout: how long an answer may take is the client's
		// to decide, and it hangs up when it has waited enough.
	}
	return u, nil
}

// RoundTrip sends one request. See [UpstreamFailure] for what its errors mean.
func (u *Upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	plainProxy := false
	if req.URL.Scheme == "http" {
		p, err := u.proxyForRequest(req)
		if err != nil {
			return nil, err
		}
		plainProxy = p != nil
	}
	resp, err := u.transport.RoundTrip(exact(req, plainProxy))
	if err != nil {
		return nil, err
	}
	if plainProxy && resp.StatusCode == http.StatusProxyAuthRequired {
		// The proxy's own answer, which must not be recorded as the API's.
		resp.Body.Close()
		return nil, &proxyRefusal{status: resp.StatusCode}
	}
	resp.Request = req
	return resp, nil
}

// CloseIdleConnections closes what is kept alive and unused.
func (u *Upstream) CloseIdleConnections() { u.transport.CloseIdleConnections() }

// DialContext connects to address ("host:port") as requests do: by Resolve, else
// through Proxy with CONNECT, else directly.
func (u *Upstream) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if u.resolve.lookup(address) != nil {
		return u.dialDirect(ctx, network, address)
	}
	proxy, err := u.proxyFor(&url.URL{Scheme: "https", Host: address})
	if err != nil {
		return nil, err
	}
	if proxy == nil {
		return u.dialDirect(ctx, network, address)
	}
	return u.dialThrough(ctx, network, proxy, address)
}

func (u *Upstream) proxyForRequest(req *http.Request) (*url.URL, error) {
	if u.resolve.lookup(hostPort(req.URL)) != nil {
		return nil, nil
	}
	return u.proxyFor(req.URL)
}

// dialDirect connects without a proxy; it is also what connects to the proxy.
func (u *Upstream) dialDirect(ctx context.Context, network, address string) (net.Conn, error) {
	if to := u.resolve.lookup(address); to != nil {
		var errs []error
		for _, address := range to {
			conn, err := u.dialer.DialContext(ctx, network, address)
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, &resolvedError{errors.Join(errs...)}
	}
	if meant, ok := ctx.Value(dialKey{}).(string); ok && address != u.proxyAddr {
		if to := u.resolve.lookup(meant); to != nil {
			address = to[0]
		} else {
			address = meant
		}
	}
	return u.dialer.DialContext(ctx, network, address)
}

// dialKey carries the address that a client's CONNECT named, when its requests
// name another host.
type dialKey struct{}

// rootsWith reads the authorities of --upstream-ca beside the system's.
func rootsWith(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return nil, fmt.Errorf("--upstream-ca %s: cannot be read: %w; give a PEM file", file, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("--upstream-ca %s: the system's certificates cannot be read beside it: %w; set SSL_CERT_FILE to a readable bundle", file, err)
	}
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("--upstream-ca %s: holds no PEM certificate; give a file that has a BEGIN CERTIFICATE line", file)
	}
	return roots, nil
}

// proxyURL reads --upstream-proxy. Errors never show it: it may hold a password.
func proxyURL(raw string) (*url.URL, error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	p, err := url.Parse(raw)
	if err != nil || p.Hostname() == "" {
		return nil, errors.New("--upstream-proxy: is not a URL; write http://USER:PASSWORD@HOST:PORT")
	}
	if p.Scheme != "http" && p.Scheme != "https" {
		return nil, fmt.Errorf("--upstream-proxy: scheme %q is not supported; use an http:// or https:// proxy", p.Scheme)
	}
	return &url.URL{Scheme: p.Scheme, User: p.User, Host: p.Host}, nil
}
