package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/elazarl/goproxy"
)

// newFront sets goproxy up as the front door. Its own dialers and its transport
// are replaced by ones that refuse: left alone they read HTTPS_PROXY, which may
// well be this proxy, and connect wherever a client asks.
func (s *Server) newFront() *goproxy.ProxyHttpServer {
	front := goproxy.NewProxyHttpServer()
	front.Logger = silentLogger{}
	front.Tr = &http.Transport{
		Proxy:       nil,
		DialContext: refuseDial,
	}
	front.ConnectDial = func(network, address string) (net.Conn, error) {
		return refuseDial(context.Background(), network, address)
	}
	front.ConnectDialWithReq = func(r *http.Request, network, address string) (net.Conn, error) {
		return refuseDial(r.Context(), network, address)
	}
	front.NonproxyHandler = s.o.Control
	front.OnRequest().HandleConnectFunc(s.connect)
	return front
}

func refuseDial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("proxy: goproxy may not dial")
}

// serveFront sorts what arrives at the proxy's own address. Plain proxied
// requests do not go through goproxy: it would not flush their answers.
func (s *Server) serveFront(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		s.front.ServeHTTP(keepBuffered{w}, r)
	case r.URL.IsAbs():
		s.servePlain(w, r)
	default:
		s.front.ServeHTTP(w, r) // → Control
	}
}

// servePlain answers a request in absolute form.
func (s *Server) servePlain(w http.ResponseWriter, r *http.Request) {
	t, ok := absoluteTarget(r)
	if !ok {
		WriteError(w, r, http.StatusBadRequest, "the proxied request's URL is not an http or https one; ask for http://HOST/… or use CONNECT")
		return
	}
	if s.isControl(r, hostPort(t.url)) {
		s.o.Control.ServeHTTP(w, r)
		return
	}
	s.exchange(w, r, t, "")
}

// mapped answers on a listener that stands for one API.
func (s *Server) mapped(base *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			WriteError(w, r, http.StatusMethodNotAllowed, "this address stands for an API (--map) and is no proxy; set HTTPS_PROXY to the proxy's own address")
			return
		}
		t, err := mappedTarget(r, base)
		if err != nil {
			WriteError(w, r, http.StatusBadRequest, "the request's path cannot be parsed; correct its percent escapes")
			return
		}
		s.exchange(w, r, t, "")
	})
}

// isControl reports that a host is the proxy itself.
func (s *Server) isControl(r *http.Request, hostport string) bool {
	if host, _, err := net.SplitHostPort(hostport); err == nil && host == ControlHost {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ownAddress(hostport, local)
}

// connect decides about one CONNECT. Every branch names an action: with none,
// goproxy would open a tunnel to the network.
func (s *Server) connect(authority string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
	r := ctx.Req
	reject := func(status int, message string) (*goproxy.ConnectAction, string) {
		ctx.Resp = ErrorResponse(r, status, message)
		ctx.Resp.Close = true
		return &goproxy.ConnectAction{Action: goproxy.ConnectReject}, authority
	}
	host, port, ok := connectAuthority(authority)
	if !ok {
		return reject(http.StatusBadRequest, "CONNECT names no host and port; write CONNECT HOST:PORT, such as api.example.com:443")
	}
	hostport := net.JoinHostPort(host, port)
	control := s.isControl(r, hostport)
	if !control && s.passes(hostport) {
		return &goproxy.ConnectAction{Action: goproxy.ConnectHijack, Hijack: func(r *http.Request, client net.Conn, _ *goproxy.ProxyCtx) {
			s.passTunnel(r, client, hostport)
		}}, authority
	}
	session := sessionName(r.Header)
	if !saneSession(session) {
		s.refused(http.StatusBadRequest, hostport)
		return reject(http.StatusBadRequest, badSession)
	}
	if session == "" {
		session, _ = r.Context().Value(listenerSessionKey{}).(string)
	}
	// A tunnel without a session is opened even where one is required: its
	// requests may name theirs by header, each its own.
	return &goproxy.ConnectAction{Action: goproxy.ConnectHijack, Hijack: func(_ *http.Request, client net.Conn, _ *goproxy.ProxyCtx) {
		s.openTunnel(&tunnel{headConn: asHeadConn(client), host: host, port: port, session: session, control: control})
	}}, authority
}

// listenerSessionKey carries the session that a listener stands for.
type listenerSessionKey struct{}

func (s *Server) passes(hostport string) bool {
	return s.o.Passthrough != nil && s.o.Passthrough(hostport)
}

func asHeadConn(c net.Conn) *headConn {
	if h, ok := c.(*headConn); ok {
		return h
	}
	return &headConn{Conn: c}
}
