//go:build e2e

package e2e

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An origin is the API of a canary run: it gives each exchange its answer, over
// TLS with HTTP/2 and over plain HTTP.
type origin struct {
	secure, plain *httptest.Server
	ca            string // a file
}

func startOrigin(t *testing.T, exchanges []*exchange) *origin {
	t.Helper()
	byPath := map[string]*exchange{}
	for _, e := range exchanges {
		if other := byPath[e.path()]; other != nil {
			t.Fatalf("%s and %s have one path", e.name, other.name)
		}
		byPath[e.path()] = e
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if e := byPath[r.URL.Path]; e != nil {
			e.answer(w, r)
			return
		}
		http.NotFound(w, r)
	})
	o := &origin{secure: httptest.NewUnstartedServer(handler), plain: httptest.NewServer(handler)}
	o.secure.EnableHTTP2 = true
	o.secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	o.secure.StartTLS()
	t.Cleanup(o.secure.Close)
	t.Cleanup(o.plain.Close)
	o.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.secure.Certificate().Raw})
	if err := os.WriteFile(o.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// flags are what tapedeck needs to reach the origin under its names.
func (o *origin) flags() []string {
	return []string{"--upstream-ca", o.ca,
		"--resolve", secureHost + ":443:" + o.secure.Listener.Addr().String(),
		"--resolve", plainHost + ":80:" + o.plain.Listener.Addr().String()}
}

// answer writes the exchange's answer, piece by piece.
func (e *exchange) answer(w http.ResponseWriter, r *http.Request) {
	if e.upgrade != nil || e.raw != "" {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, "no hijacking", http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		if e.raw != "" {
			io.WriteString(conn, e.raw)
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+
			accept(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		for _, text := range e.upgrade {
			conn.Write(frame(text))
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		io.Copy(io.Discard, buffered) // until the client has sent its frames and closed
		return
	}
	header := w.Header()
	if e.early != nil {
		for name, values := range e.early {
			header[name] = values
		}
		w.WriteHeader(http.StatusEarlyHints)
		clear(header)
	}
	for name, values := range e.replyHeader {
		header[name] = values
	}
	for name := range e.replyTrailer {
		header.Add("Trailer", name)
	}
	w.WriteHeader(e.status)
	for _, piece := range e.reply {
		io.WriteString(w, piece)
		if len(e.reply) > 1 {
			http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond) // so that the pieces arrive as such
		}
	}
	for name, values := range e.replyTrailer {
		header[name] = values
	}
}

// accept is the answer to a WebSocket key (RFC 6455, section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// frame is a final text frame, not masked (RFC 6455, section 5.2).
func frame(text string) []byte {
	return append([]byte{0x81, byte(len(text))}, text...)
}

// A faulty origin is one that breaks HTTP or TLS, each in its own way.
type faulty struct {
	host    string
	address string
	what    string
}

// startFaulty starts servers that fail: text is what they send in the middle of it.
func startFaulty(t *testing.T, text string) []faulty {
	t.Helper()
	// A port that was free a moment ago may be another test's by now. Nobody has 1.
	list := []faulty{{"dead.example.com", "127.0.0.1:1", "nobody listens"}}

	// httptest's certificate is for example.com and what is below it.
	wrong := httptest.NewUnstartedServer(http.NotFoundHandler())
	wrong.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	wrong.StartTLS()
	t.Cleanup(wrong.Close)
	list = append(list, faulty{"wrong.example.net", wrong.Listener.Addr().String(), "the certificate is another host's"})

	for _, one := range []struct{ host, what, answer string }{
		{"talks.example.com", "the answer is not HTTP", text + " is not HTTP\r\n\r\n"},
		{"header.example.com", "a header line is none", "HTTP/1.1 200 OK\r\nX-Good: 1\r\n" + text + "\r\nX-Bad: 2\r\n\r\n"},
		{"status.example.com", "the status is none", "HTTP/1.1 " + text + " OK\r\n\r\n"},
		{"length.example.com", "the length is none", "HTTP/1.1 200 OK\r\nContent-Length: " + text + "\r\n\r\n"},
		{"short.example.com", "the answer breaks off", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"access_token\":\"" + text},
		{"chunk.example.com", "a chunk is none", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n10\r\ndata: 123456789\n\r\n" + text + "\r\n"},
		{"trailer.example.com", "a trailer is none", "HTTP/1.1 200 OK\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + text + "\r\n\r\n"},
		{"coding.example.com", "the body is not what its coding says", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 200\r\n\r\n" + (text + " is not gzip" + string(make([]byte, 200)))[:200]},
		{"unknown.example.com", "the coding is not known", "HTTP/1.1 200 OK\r\nContent-Encoding: compress\r\nContent-Length: 200\r\n\r\n" + (text + " is compressed" + string(make([]byte, 200)))[:200]},
		{"redirect.example.com", "the Location is none", "HTTP/1.1 302 Found\r\nLocation: ://%zz/" + text + "\r\nContent-Length: 0\r\n\r\n"},
		{"nothing.example.com", "it hangs up", ""},
	} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			io.WriteString(conn, one.answer)
			conn.Close()
		}))
		server.StartTLS()
		t.Cleanup(server.Close)
		list = append(list, faulty{one.host, server.Listener.Addr().String(), one.what})
	}
	return list
}
