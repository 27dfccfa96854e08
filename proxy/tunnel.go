package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// A tunnel is the client's end of one CONNECT, on which the proxy itself answers.
type tunnel struct {
	*headConn
	host, port string // what CONNECT named
	session    string // what CONNECT named, "" if nothing
	control    bool   // it leads to the proxy itself
	secure     bool   // the client speaks TLS in it
	alert      *alertWatch
}

func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.headConn.Read(p)
	if t.alert != nil {
		t.alert.see(p[:n])
	}
	return n, err
}

// alertWatch keeps the last bytes of a handshake. OpenSSL clients that refuse a
// TLS 1.3 certificate send their alert unencrypted, which crypto/tls takes for a
// damaged record ("bad record MAC").
type alertWatch struct{ last []byte }

// An alert record: type 21, version, length 2, level fatal, description (RFC
// 8446, sections 5.1 and 6).
const alertRecord = 7

func (w *alertWatch) see(p []byte) {
	w.last = append(w.last, p...)
	if extra := len(w.last) - alertRecord; extra > 0 {
		w.last = append(w.last[:0], w.last[extra:]...)
	}
}

// refused reports an alert about the certificate: bad, unsupported, revoked,
// expired or unknown certificate, or unknown authority.
func (w *alertWatch) refused() bool {
	l := w.last
	return len(l) == alertRecord && l[0] == 21 && l[1] == 3 && l[3] == 0 && l[4] == 2 &&
		l[5] == 2 && (l[6] >= 42 && l[6] <= 46 || l[6] == 48)
}

type tunnelKey struct{}

// tunnelOf finds the tunnel below a connection of the tunnel server.
func tunnelOf(c net.Conn) *tunnel {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	t, _ := c.(*tunnel)
	return t
}

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// tlsHandshakeRecord is the first byte of a ClientHello (RFC 8446, section 5.1).
const tlsHandshakeRecord = 0x16

// openTunnel accepts a tunnel and hands it to the tunnel server: TLS or plain
// HTTP, as its first byte says.
func (s *Server) openTunnel(t *tunnel) {
	if !s.beginOpening(t) {
		t.Close()
		return
	}
	conn, ok := s.settle(t)
	// Before the tunnel server has it: from then on Shutdown may no longer close
	// it, since a request may be under way.
	s.endOpening(t)
	if !ok || !s.queue.put(conn) {
		t.Close()
	}
}

// settle greets the client, finds out what it speaks, and ends its TLS.
func (s *Server) settle(t *tunnel) (conn net.Conn, ok bool) {
	t.SetDeadline(time.Now().Add(s.o.HeaderTimeout))
	if _, err := io.WriteString(t, established); err != nil {
		return nil, false
	}
	first, err := t.peek()
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.log.Warn("the client opened a tunnel and sent nothing; only HTTP and TLS can be recorded: pass other protocols with --passthrough", "host", t.host)
		}
		return nil, false
	}
	conn = t
	switch {
	case first == tlsHandshakeRecord:
		t.secure, t.alert = true, &alertWatch{}
		secured := tls.Server(t, s.tls)
		ctx, cancel := context.WithTimeout(s.base, s.o.HeaderTimeout)
		err := secured.HandshakeContext(ctx)
		cancel()
		if err != nil {
			s.logHandshake(t, err)
			return nil, false
		}
		t.alert, conn = nil, secured
	case first >= 'A' && first <= 'Z' || first >= 'a' && first <= 'z':
	default:
		s.log.Warn("the tunnel carries neither TLS nor HTTP and was closed; pass the host with --passthrough", "host", t.host)
		return nil, false
	}
	t.SetDeadline(time.Time{})
	return conn, true
}

// certificate serves the TLS of tunnels. A client that connects to an address
// sends no server name and expects a certificate for that address.
func (s *Server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := hello.ServerName
	if t, ok := hello.Conn.(*tunnel); ok && host == "" {
		host = t.host
	}
	return s.o.Authority.Leaf(host)
}

const trustHint = "set its CA bundle to the file that `tapedeck ca bundle` prints, its CA file to `tapedeck ca path`, or start it with `tapedeck exec`"

// logHandshake says once per host what a failed handshake means.
func (s *Server) logHandshake(t *tunnel, err error) {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" && strings.Contains(op.Err.Error(), "certificate") || t.alert.refused() {
		if _, known := s.distrust.LoadOrStore("alert "+t.host, true); !known {
			s.log.Warn("the client does not trust tapedeck's certificate authority; "+trustHint, "host", t.host)
		}
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		// Node gives no reason.
		if _, known := s.distrust.LoadOrStore("silent "+t.host, true); !known {
			s.log.Warn("the client hung up during the TLS handshake; if it reported a certificate error: "+trustHint, "host", t.host)
		}
		return
	}
	// Texts of crypto/tls name versions and alerts, never what was sent.
	s.log.Info("the TLS handshake with the client failed", "host", t.host, "error", err.Error())
}

// silentClose notices a client that closes after the handshake without a
// request: some verify the certificate only then, and send no alert.
func (s *Server) silentClose(c net.Conn) {
	t := tunnelOf(c)
	if t == nil || !t.secure {
		return
	}
	if _, known := s.distrust.LoadOrStore("silent "+t.host, true); !known {
		s.log.Info("a client closed its tunnel after the TLS handshake without a request; if it reported a certificate error: "+trustHint, "host", t.host)
	}
}

// serveTunnel answers a request that came out of a tunnel.
func (s *Server) serveTunnel(w http.ResponseWriter, r *http.Request) {
	t := r.Context().Value(tunnelKey{}).(*tunnel)
	if t.control {
		s.o.Control.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodConnect {
		WriteError(w, r, http.StatusMethodNotAllowed, "CONNECT inside a tunnel is not supported; open one tunnel per host")
		return
	}
	scheme := "http"
	if t.secure {
		scheme = "https"
	}
	s.exchange(w, r, tunnelTarget(r, scheme, t.host, t.port), t.session)
}

// beginOpening registers a tunnel that Shutdown may close at any time; false
// says that Shutdown has begun.
func (s *Server) beginOpening(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.opening[c] = struct{}{}
	return true
}

func (s *Server) endOpening(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.opening, c)
}
