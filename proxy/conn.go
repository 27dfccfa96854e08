package proxy

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// headConn is a connection whose first bytes have been read already.
type headConn struct {
	net.Conn
	head []byte
}

func (c *headConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	if c.head = c.head[n:]; len(c.head) == 0 {
		c.head = nil
	}
	return n, nil
}

// peek waits for the first byte and leaves it to be read.
func (c *headConn) peek() (byte, error) {
	for len(c.head) == 0 {
		first := make([]byte, 1024)
		n, err := c.Conn.Read(first)
		c.head = first[:n]
		if n == 0 && err != nil {
			return 0, err
		}
	}
	return c.head[0], nil
}

// CloseWrite passes a half-close on; embedding the interface would hide it.
func (c *headConn) CloseWrite() error { return closeWrite(c.Conn) }

// closeWrite ends the writing side. The error is [errors.ErrUnsupported] where
// a connection can only be closed whole.
func closeWrite(c any) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// takeBuffered turns what Hijack returns into one connection: the buffered
// bytes, then the rest. A client may send its ClientHello together with CONNECT
// or its first frame together with an upgrade, and those bytes are only in the
// buffer.
func takeBuffered(conn net.Conn, buffered *bufio.Reader) *headConn {
	c := &headConn{Conn: conn}
	if n := buffered.Buffered(); n > 0 {
		peeked, _ := buffered.Peek(n)
		c.head = append([]byte(nil), peeked...)
	}
	return c
}

// doorListener notices clients that speak TLS to the proxy itself. They get an
// answer that they cannot read, so only the log can tell what is wrong.
type doorListener struct {
	net.Listener
	log *slog.Logger
}

func (l *doorListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &doorConn{Conn: c, log: l.log}, nil
}

type doorConn struct {
	net.Conn
	log *slog.Logger // nil once the first byte was seen
}

func (c *doorConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.log != nil {
		if p[0] == tlsHandshakeRecord {
			c.log.Warn("a client speaks TLS to the proxy itself; write http:// in its proxy setting (HTTPS_PROXY=http://HOST:PORT), or for --map in its base URL")
		}
		c.log = nil
	}
	return n, err
}

// CloseWrite passes a half-close on.
func (c *doorConn) CloseWrite() error { return closeWrite(c.Conn) }

// keepBuffered is given to goproxy in place of the ResponseWriter, because
// goproxy drops the buffer of a hijacked connection.
type keepBuffered struct{ http.ResponseWriter }

func (w keepBuffered) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return takeBuffered(conn, buffered.Reader), buffered, nil
}

// connQueue is a listener whose connections come from the proxy's own tunnels,
// so that one http.Server serves them all.
type connQueue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newConnQueue() *connQueue {
	return &connQueue{conns: make(chan net.Conn), done: make(chan struct{})}
}

// put hands a connection to the server, or reports that it takes no more.
func (q *connQueue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *connQueue) Addr() net.Addr { return queueAddr{} }

type queueAddr struct{}

func (queueAddr) Network() string { return "tunnel" }
func (queueAddr) String() string  { return "tunnel" }
