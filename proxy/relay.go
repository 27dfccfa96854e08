package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// idleRelay is how long no byte may have moved before Shutdown takes a relay for
// idle.
const idleRelay = 250 * time.Millisecond

// A relay moves bytes both ways between two connections until both directions
// have ended.
type relay struct {
	client, upstream io.ReadWriteCloser
	moved            atomic.Int64 // when a byte last moved, in nanoseconds
}

// relay runs until both directions have ended, then closes both connections.
func (s *Server) relay(client, upstream io.ReadWriteCloser) {
	r := &relay{client: client, upstream: upstream}
	r.moved.Store(time.Now().UnixNano())
	defer r.close()
	s.mu.Lock()
	closing := s.closing
	if !closing {
		s.relays[r] = struct{}{}
	}
	s.mu.Unlock()
	if closing {
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.relays, r)
	}()
	var both sync.WaitGroup
	both.Go(func() { r.copy(upstream, client) })
	both.Go(func() { r.copy(client, upstream) })
	both.Wait()
}

// copy moves one direction. Its end is passed on as a half-close, since the other
// direction may have more to say; where that is impossible, or after an error,
// all ends.
func (r *relay) copy(to io.Writer, from io.Reader) {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	for {
		n, err := from.Read(buffer[:])
		r.moved.Store(time.Now().UnixNano())
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				r.close()
				return
			}
		}
		if err == io.EOF && closeWrite(to) == nil {
			return
		}
		if err != nil {
			r.close()
			return
		}
	}
}

func (r *relay) close() {
	r.client.Close()
	r.upstream.Close()
}

func (r *relay) idle() bool {
	return time.Since(time.Unix(0, r.moved.Load())) >= idleRelay
}

// upgrade turns a connection over after 101 and relays it. Bytes that arrived
// with the upgrade, on either side, are relayed first.
func (s *Server) upgrade(a *answer, resp *http.Response) {
	upstream, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || a.r.ProtoMajor != 1 {
		resp.Body.Close()
		a.error(http.StatusBadGateway, "upstream "+a.host+": it switched protocols where the client cannot follow; connect with HTTP/1.1")
		return
	}
	conn, buffered, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		upstream.Close()
		panic(http.ErrAbortHandler)
	}
	a.started = true
	header := resp.Header.Clone()
	protocol := upgradeProtocol(header)
	dropHopByHop(header)
	head := &http.Response{
		Status: resp.Status, StatusCode: resp.StatusCode, ProtoMajor: 1, ProtoMinor: 1,
		Header: header,
	}
	header.Set("Connection", "Upgrade")
	if protocol != "" {
		header.Set("Upgrade", protocol)
	}
	client := takeBuffered(conn, buffered.Reader)
	// One Write: some clients stumble over a header in several TLS records.
	if head.Write(buffered.Writer) != nil || buffered.Writer.Flush() != nil {
		client.Close()
		upstream.Close()
		return
	}
	a.log.Debug("upgraded", "method", a.r.Method, "host", a.host, "status", resp.StatusCode)
	s.relay(client, upstream)
}
