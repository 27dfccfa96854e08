package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestShutdownFinishes: what is in flight is answered whole, through every door.
func TestShutdownFinishes(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			arrived, release := make(chan bool), make(chan bool)
			r := start(t, Options{Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
				from, to := io.Pipe()
				go func() {
					io.WriteString(to, "first ")
					arrived <- true
					<-release
					io.WriteString(to, "last")
					to.Close()
				}()
				return &http.Response{StatusCode: 200, ContentLength: -1, Body: from}, nil
			})})
			got := make(chan string, 1)
			client := r.client(t, way.h2)
			go func() {
				resp, err := client.Get(way.scheme + "://api.example/")
				if err != nil {
					got <- err.Error()
					return
				}
				b, err := io.ReadAll(resp.Body)
				if err != nil {
					b = append(b, err.Error()...)
				}
				got <- string(b)
			}()
			<-arrived
			done := make(chan error, 1)
			go func() { done <- r.Shutdown(t.Context()) }()
			eventually(t, "the listener closes", func() bool {
				c, err := net.Dial("tcp", r.url.Host)
				if err == nil {
					c.Close()
				}
				return err != nil
			})
			select {
			case err := <-done:
				t.Fatalf("Shutdown did not wait: %v", err)
			default:
			}
			release <- true
			if text := <-got; text != "first last" {
				t.Errorf("the client got %q", text)
			}
			if err := <-done; err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

// TestShutdownClosesIdle: kept-alive and silent connections of every kind end.
func TestShutdownClosesIdle(t *testing.T) {
	upstream := api(t, "http", echo)
	r := start(t, Options{
		Transport:   say("played"),
		Passthrough: func(hostport string) bool { return strings.HasPrefix(hostport, "left.alone") },
		Dialer:      to(t, upstream),
	})
	client := r.client(t, true)
	resp, err := client.Get("https://api.example/")
	body(t, resp, err)
	conns := map[string]net.Conn{
		"fresh":             r.dial(t),
		"silent tunnel":     r.tunnel(t, "api.example:443", false),
		"silent TLS tunnel": r.tunnel(t, "api.example:443", true),
		"passthrough":       r.tunnel(t, "left.alone:80", false),
	}
	kept := r.tunnel(t, "api.example:443", true)
	io.WriteString(kept, "GET / HTTP/1.1\r\nHost: api.example\r\n\r\n")
	got, err := http.ReadResponse(bufio.NewReader(kept), nil)
	body(t, got, err)
	conns["kept alive"] = kept
	half := r.dial(t)
	io.WriteString(half, "GET http://api")
	conns["half a request"] = half
	ws, _, err := websocket.Dial(t.Context(), "ws://left.alone", &websocket.DialOptions{HTTPClient: r.client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for name, c := range conns {
		c.SetDeadline(time.Now().Add(5 * time.Second))
		if tcp, ok := c.(*tls.Conn); ok {
			c = tcp.NetConn()
		}
		_, err := io.Copy(io.Discard, c)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: still open", name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := ws.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the WebSocket is still open (%v)", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.relays)+len(r.opening) > 0 {
		t.Errorf("%d relays and %d opening tunnels are left", len(r.relays), len(r.opening))
	}
}

// TestShutdownGivesUp: what never ends is cut when the context ends.
func TestShutdownGivesUp(t *testing.T) {
	var cut atomic.Int64
	upstream := api(t, "http", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for c.Write(r.Context(), websocket.MessageText, []byte("tick")) == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cut.Add(1)
	})
	up := to(t, upstream)
	arrived := make(chan bool, 1)
	r := start(t, Options{Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/ws" {
			return up.RoundTrip(req)
		}
		arrived <- true
		<-req.Context().Done()
		cut.Add(1)
		return nil, req.Context().Err()
	})})
	ws, _, err := websocket.Dial(t.Context(), "ws://api.example/ws", &websocket.DialOptions{HTTPClient: r.client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	go func() {
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	go r.client(t, false).Get("https://api.example/")
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	eventually(t, "both ends are cut", func() bool { return cut.Load() == 2 })
}

func TestServeAfterShutdown(t *testing.T) {
	r := start(t, Options{Transport: say("played")})
	if err := r.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Shutdown(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
	l := listen(t)
	if err := r.Serve(l); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener was left open")
	}
}
