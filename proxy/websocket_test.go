package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// echo is a WebSocket server that speaks first, then repeats what it hears.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"tapedeck.test"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	if c.Write(r.Context(), websocket.MessageText, []byte("welcome")) != nil {
		return
	}
	for {
		kind, data, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if c.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

func TestWebSocket(t *testing.T) {
	// An h2 upstream too: the upgrade must choose HTTP/1.1 there.
	for _, kind := range []string{"http", "https", "h2"} {
		r := start(t, Options{Transport: to(t, api(t, kind, echo))})
		mapped := listen(t)
		scheme := "https"
		if kind == "http" {
			scheme = "http"
		}
		go r.ServeMap(mapped, &url.URL{Scheme: scheme, Host: "api.example"})
		doors := map[string]string{"map": "ws://" + mapped.Addr().String()}
		if kind == "http" {
			doors["plain"] = "ws://api.example" // Go's client sends it in absolute form
		} else {
			doors["tunnel"] = "wss://api.example"
		}
		for door, address := range doors {
			t.Run(kind+"/"+door, func(t *testing.T) {
				client := r.client(t, false)
				if door == "map" {
					client = http.DefaultClient
				}
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				c, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"tapedeck.test"}})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				c.SetReadLimit(1 << 20)
				if c.Subprotocol() != "tapedeck.test" || resp.Header.Get(ErrorHeader) != "" {
					t.Errorf("headers %v", resp.Header)
				}
				if _, data, err := c.Read(ctx); err != nil || string(data) != "welcome" {
					t.Fatalf("%q, %v", data, err)
				}
				big := strings.Repeat("x", 200_000)
				for i := range 20 {
					text := fmt.Sprint(i, " ", big[:i*10_000])
					if err := c.Write(ctx, websocket.MessageBinary, []byte(text)); err != nil {
						t.Fatal(err)
					}
					if _, data, err := c.Read(ctx); err != nil || string(data) != text {
						t.Fatalf("message %d: %d bytes, %v", i, len(data), err)
					}
				}
				if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
					t.Errorf("closing handshake: %v", err)
				}
			})
		}
	}
}

const handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// hello is the text frame "hello", masked with zeros as clients must mask.
const hello = "\x81\x85\x00\x00\x00\x00hello"

// TestFramesWithTheUpgrade sends a frame in the same segment as the upgrade and
// expects the server's first frame in the same segment as the 101.
func TestFramesWithTheUpgrade(t *testing.T) {
	address := upstreamOf(t, func(c net.Conn) {
		defer c.Close()
		b := bufio.NewReader(c)
		if _, err := http.ReadRequest(b); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nEARLY")
		io.Copy(c, b)
	})
	r := start(t, Options{Transport: upstreamAt(t, address)})
	for _, door := range []string{"plain", "tunnel"} {
		c, uri := r.dial(t), "http://api.example/"
		if door == "tunnel" {
			c, uri = r.tunnel(t, "api.example:80", false), "/"
		}
		io.WriteString(c, "GET "+uri+" HTTP/1.1\r\nHost: api.example\r\n"+handshake+hello)
		b := bufio.NewReader(c)
		resp, err := http.ReadResponse(b, &http.Request{Method: "GET"})
		if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Connection") != "Upgrade" {
			t.Fatalf("%s: %v %v", door, resp, err)
		}
		got := make([]byte, len("EARLY"+hello))
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "EARLY"+hello {
			t.Errorf("%s: %q, %v", door, got, err)
		}
		// The client ends its side; the server still answers what it was sent.
		io.WriteString(c, "last words")
		c.(interface{ CloseWrite() error }).CloseWrite()
		if rest, err := io.ReadAll(b); err != nil || string(rest) != "last words" {
			t.Errorf("%s: after half-close %q, %v", door, rest, err)
		}
	}
}

// TestUpgradeRefused: an ordinary answer to an upgrade reaches the client.
func TestUpgradeRefused(t *testing.T) {
	r := start(t, Options{Transport: play(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(403)
		io.WriteString(w, "no")
	})})
	c := r.tunnel(t, "api.example:443", true)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\n"+handshake)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if got := body(t, resp, err); got != "no" || resp.StatusCode != 403 {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

// TestUpgradeFromTransport is a deck that itself plays the other side, and one
// that answers 101 without a connection.
func TestUpgradeFromTransport(t *testing.T) {
	ours, theirs := net.Pipe()
	r := start(t, Options{Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: 101, Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}}
		if req.URL.Path == "/" {
			resp.Body = theirs
		} else {
			resp.Body = http.NoBody
		}
		return resp, nil
	})})
	go func() {
		b := make([]byte, 4)
		io.ReadFull(ours, b)
		ours.Write([]byte("pong"))
		ours.Close()
	}()
	c := r.tunnel(t, "api.example:443", true)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\n"+handshake+"ping")
	b := bufio.NewReader(c)
	resp, err := http.ReadResponse(b, &http.Request{Method: "GET"})
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v %v", resp, err)
	}
	if got, _ := io.ReadAll(b); string(got) != "pong" {
		t.Errorf("%q", got)
	}

	c = r.tunnel(t, "api.example:443", true)
	io.WriteString(c, "GET /none HTTP/1.1\r\nHost: api.example\r\n"+handshake)
	resp, err = http.ReadResponse(bufio.NewReader(c), nil)
	if text := body(t, resp, err); resp.StatusCode != 502 || !strings.Contains(message(t, resp, text), "HTTP/1.1") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

// TestUpgradeOverHTTP2 cannot work and must say so.
func TestUpgradeOverHTTP2(t *testing.T) {
	r := start(t, Options{Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
		ours, _ := net.Pipe()
		return &http.Response{StatusCode: 101, Body: ours}, nil
	})})
	resp, err := r.client(t, true).Get("https://api.example/")
	if text := body(t, resp, err); resp.StatusCode != 502 {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

// TestUpstreamVanishes: the client's connection ends with the upstream's.
func TestUpstreamVanishes(t *testing.T) {
	vanish := make(chan bool)
	r := start(t, Options{Transport: to(t, api(t, "http", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.Write(r.Context(), websocket.MessageText, []byte("welcome"))
		<-vanish
		c.CloseNow()
	}))})
	c, _, err := websocket.Dial(t.Context(), "ws://api.example", &websocket.DialOptions{HTTPClient: r.client(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(vanish)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the client was left waiting (%v)", err)
	}
}
