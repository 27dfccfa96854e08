package proxy

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// freshGrace is how long a connection that is open when Shutdown begins may take
// to send its request.
const freshGrace = 200 * time.Millisecond

// Shutdown stops accepting connections and requests, lets requests that are in
// flight and tunnels that carry bytes finish, and closes what is idle: kept-alive
// connections, tunnels without a request, relays (WebSocket, passthrough) on
// which nothing moved for a quarter of a second. When ctx ends first, all that
// is left is closed and ctx's error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	servers := append([]*http.Server{s.tunnels}, s.doors...)
	for c := range s.opening {
		c.Close()
	}
	s.mu.Unlock()
	defer s.giveUp()

	grace := time.AfterFunc(freshGrace, s.closeFresh)
	defer grace.Stop()
	s.queue.Close()
	errs := make([]error, len(servers)+1)
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() { errs[i] = server.Shutdown(ctx) })
	}
	all.Go(func() { errs[len(servers)] = s.finishRelays(ctx) })
	all.Wait()
	if ctx.Err() == nil {
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	for _, err := range errs {
		if err != nil {
			s.closeAll(servers)
			return err
		}
	}
	return nil
}

// closeFresh closes the connections that have sent no request.
func (s *Server) closeFresh() {
	s.mu.Lock()
	fresh := make([]net.Conn, 0, len(s.fresh))
	for c := range s.fresh {
		fresh = append(fresh, c)
	}
	s.mu.Unlock()
	for _, c := range fresh {
		c.Close()
	}
}

// finishRelays closes relays as they fall idle, until none is left.
func (s *Server) finishRelays(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		left := len(s.relays)
		for r := range s.relays {
			if r.idle() {
				go r.close() // closing TLS may wait for a peer that does not read
			}
		}
		s.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) closeAll(servers []*http.Server) {
	for _, server := range servers {
		server.Close()
	}
	s.mu.Lock()
	relays := make([]*relay, 0, len(s.relays))
	for r := range s.relays {
		relays = append(relays, r)
	}
	s.mu.Unlock()
	for _, r := range relays {
		go r.close()
	}
}
