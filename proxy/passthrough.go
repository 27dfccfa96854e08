package proxy

import (
	"io"
	"net"
	"net/http"
	"time"
)

// passTunnel relays a tunnel to a passthrough host without looking inside.
func (s *Server) passTunnel(r *http.Request, client net.Conn, hostport string) {
	if !s.beginOpening(client) {
		client.Close()
		return
	}
	if s.o.OnPassthrough != nil {
		s.o.OnPassthrough(hostport)
	}
	upstream, err := s.o.Dialer.DialContext(s.base, "tcp", hostport)
	s.endOpening(client)
	if err != nil {
		status, reason := UpstreamFailure(err, hostport)
		s.log.Warn(reason, "method", r.Method, "host", hostport, "status", status)
		resp := ErrorResponse(r, status, reason)
		resp.Close = true
		client.SetWriteDeadline(time.Now().Add(s.o.HeaderTimeout))
		resp.Write(client) // the client may be gone: nobody is left to tell
		client.Close()
		return
	}
	if _, err := io.WriteString(client, established); err != nil {
		client.Close()
		upstream.Close()
		return
	}
	s.log.Debug("passing a tunnel through", "method", r.Method, "host", hostport)
	s.relay(client, upstream)
}

// passthroughTransport forwards plain requests to passthrough hosts.
func passthroughTransport(d Dialer) http.RoundTripper {
	if transport, ok := d.(http.RoundTripper); ok {
		return transport
	}
	return exactTransport{&http.Transport{
		DialContext:         d.DialContext,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		TLSHandshakeTimeout: handshakeTimeout,
		IdleConnTimeout:     90 * time.Second,
	}}
}

// exactTransport sends requests as the client wrote them.
type exactTransport struct{ *http.Transport }

func (t exactTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.Transport.RoundTrip(exact(req, false))
}
