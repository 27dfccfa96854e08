// Package proxy puts a round tripper on the wire: it is the HTTP(S) proxy that
// clients are pointed at, and it asks its Transport for every answer.
//
// Three doors lead to the same exchange: CONNECT tunnels, in which TLS is ended
// with a certificate of our own authority; plain requests in absolute form; and
// listeners mapped to one API, for clients that take a base URL. goproxy is the
// front door that sorts out CONNECT and requests for the proxy itself; tunnels
// are then hijacked into net/http's own server, which does HTTP/2, 100-continue,
// trailers and Shutdown right.
//
//	server, err := proxy.New(proxy.Options{Transport: deck, Authority: authority})
//	go server.Serve(listener)
//	defer server.Shutdown(ctx)
//
// Nothing here dials: the Transport answers, and only a Dialer given in Options
// lets passthrough hosts out. [Upstream] is the Transport and Dialer that does
// reach the real APIs.
package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/elazarl/goproxy"

	"tapedeck/proxy/ca"
)

// DefaultMaxBody is the request body limit when Options.MaxBody is 0: 64 MiB.
const DefaultMaxBody = 64 << 20

// DefaultHeaderTimeout is the limit of Options.HeaderTimeout when it is 0.
const DefaultHeaderTimeout = 30 * time.Second

// A Dialer opens connections to passthrough hosts. [Upstream] is one. A Dialer
// that is an http.RoundTripper too also forwards the plain requests to them.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Options says what a Server does. Transport and Authority are needed.
type Options struct {
	// Transport answers every request that is not passed through. The request
	// is fresh, absolute, and has the client's request target in RequestURI, so
	// that its raw bytes are known; its Body is limited to MaxBody and may only
	// be read until RoundTrip's answer has been written. An answer 101 has an
	// io.ReadWriteCloser as its Body. Answers 1xx go through the context's
	// httptrace.ClientTrace.Got1xxResponse. One Read of the answer's body is
	// flushed to the client as one.
	Transport http.RoundTripper
	// Authority signs the certificates that clients see.
	Authority *ca.Authority
	// Session puts a session's name into a request's context. It is not called
	// for requests that name none. If nil, names are accepted and ignored.
	Session func(ctx context.Context, name string) context.Context
	// RequireSession answers 407 to requests without a session's name.
	RequireSession bool
	// Passthrough reports whether a host ("name:port") is left alone: its tunnels
	// are relayed unseen, its plain requests forwarded. If nil, none is.
	Passthrough func(hostport string) bool
	// Dialer connects to passthrough hosts. If nil, this package cannot dial.
	Dialer Dialer
	// OnPassthrough is told of each tunnel and each plain request that is passed
	// through, by its host ("name:port"). It may be called concurrently.
	OnPassthrough func(host string)
	// OnRefused is told of each request, or tunnel, that never came to the
	// Transport: 400 for one whose session's name cannot be one, 407 for one that
	// names no session, 413 for one that announces too large a body. It may be
	// called concurrently.
	OnRefused func(status int, host string)
	// Control answers requests to the proxy's own address and to
	// http(s)://tapedeck.invalid/. If nil, they get a 404.
	Control http.Handler
	// MaxBody limits request bodies, in bytes; 0 means DefaultMaxBody. What is
	// larger gets a 413.
	MaxBody int64
	// HeaderTimeout limits how long a client may take for a TLS handshake and
	// for one request's headers; 0 means DefaultHeaderTimeout.
	HeaderTimeout time.Duration
	// Logger gets host names, methods and statuses, never more of the traffic.
	// If nil, nothing is logged.
	Logger *slog.Logger
}

// A Server is a running proxy. It may serve several listeners.
type Server struct {
	o        Options
	log      *slog.Logger
	front    *goproxy.ProxyHttpServer
	direct   http.RoundTripper // for passthrough; nil when nothing may be dialled
	tls      *tls.Config
	tunnels  *http.Server // serves what comes out of the tunnels, plain or TLS
	queue    *connQueue
	distrust sync.Map // what was already said about clients that may not trust us, by host

	mu      sync.Mutex
	closing bool
	doors   []*http.Server // one per listener
	fresh   map[net.Conn]struct{}
	opening map[net.Conn]struct{} // tunnels on which nothing is served yet
	relays  map[*relay]struct{}
	// base ends when Shutdown gives up waiting.
	base   context.Context
	giveUp context.CancelFunc
}

// New checks the options and builds a server that listens nowhere yet.
func New(o Options) (*Server, error) {
	switch {
	case o.Transport == nil:
		return nil, errors.New("proxy: no Transport to answer requests; give one")
	case o.Authority == nil:
		return nil, errors.New("proxy: no certificate Authority; give one")
	case o.Passthrough != nil && o.Dialer == nil:
		return nil, errors.New("proxy: hosts to pass through, but no Dialer to reach them; give one or leave Passthrough out")
	case o.MaxBody < 0:
		return nil, fmt.Errorf("proxy: MaxBody is %d; give a number of bytes, or 0 for 64 MiB", o.MaxBody)
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.HeaderTimeout == 0 {
		o.HeaderTimeout = DefaultHeaderTimeout
	}
	if o.Control == nil {
		o.Control = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			WriteError(w, r, http.StatusNotFound, "this is tapedeck's proxy and it has no control pages; use it as HTTPS_PROXY and HTTP_PROXY")
		})
	}
	s := &Server{
		o:       o,
		log:     o.Logger,
		queue:   newConnQueue(),
		fresh:   make(map[net.Conn]struct{}),
		opening: make(map[net.Conn]struct{}),
		relays:  make(map[*relay]struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.base, s.giveUp = context.WithCancel(context.Background())
	if o.Passthrough != nil {
		s.direct = passthroughTransport(o.Dialer)
	}
	s.front = s.newFront()
	s.tls = &tls.Config{
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: s.certificate,
	}
	s.tunnels = s.newHTTPServer(http.HandlerFunc(s.serveTunnel))
	s.tunnels.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, tunnelKey{}, tunnelOf(c))
	}
	go s.tunnels.Serve(s.queue)
	return s, nil
}

// Serve accepts clients of the proxy until Shutdown, which makes it return nil.
// It may be called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	return s.serve(l, http.HandlerFunc(s.serveFront))
}

// ServeSession is Serve for a listener whose requests belong to one session
// unless they name another, for clients that can send neither proxy
// credentials nor headers.
func (s *Server) ServeSession(l net.Listener, name string) error {
	if name == "" || !saneSession(name) {
		return errors.New("proxy: " + badSession)
	}
	return s.serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serveFront(w, r.WithContext(context.WithValue(r.Context(), listenerSessionKey{}, name)))
	}))
}

// ServeMap accepts clients that take the listener for the API at target: an
// absolute http or https URL, below whose path requests go. Scheme and Host
// become the target's. It returns nil after Shutdown.
func (s *Server) ServeMap(l net.Listener, target *url.URL) error {
	if target == nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return errors.New("--map: the target is not an absolute http or https URL; write ADDRESS=https://HOST")
	}
	return s.serve(l, s.mapped(target))
}

func (s *Server) serve(l net.Listener, h http.Handler) error {
	door := s.newHTTPServer(h)
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return l.Close()
	}
	s.doors = append(s.doors, door)
	s.mu.Unlock()
	if err := door.Serve(&doorListener{l, s.log}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *Server) newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            s.o.HeaderTimeout,
		DisableGeneralOptionsHandler: true, // OPTIONS * is the API's to answer
		ConnState:                    s.connState,
		ErrorLog:                     acceptErrors(s.log),
	}
}

// connState keeps the connections that have sent no request yet. http.Server's
// Shutdown would wait five seconds for each of them.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	if state == http.StateNew {
		s.fresh[c] = struct{}{}
		s.mu.Unlock()
		return
	}
	_, silent := s.fresh[c]
	delete(s.fresh, c)
	closing := s.closing
	s.mu.Unlock()
	if silent && state == http.StateClosed && !closing {
		s.silentClose(c)
	}
}
