package proxy

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

var benchBody = bytes.Repeat([]byte(`{"id":"cus_1"}`), 100)

// recorded answers as a replaying deck does, without deciding anything.
var recorded = deckFunc(func(r *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, r.Body)
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(benchBody)), Body: io.NopCloser(bytes.NewReader(benchBody)),
	}, nil
})

func get(b *testing.B, client *http.Client, url string) {
	resp, err := client.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func BenchmarkKeptTunnel(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			r := start(b, Options{Transport: recorded, Logger: slog.New(slog.DiscardHandler)})
			client := r.client(b, way.h2)
			get(b, client, way.scheme+"://api.example/")
			b.ReportAllocs()
			for b.Loop() {
				get(b, client, way.scheme+"://api.example/")
			}
		})
	}
}

// BenchmarkBareServer is the same answer from Go's own TLS server.
func BenchmarkBareServer(b *testing.B) {
	for _, h2 := range []bool{false, true} {
		name := "HTTP/1.1"
		if h2 {
			name = "HTTP/2"
		}
		b.Run(name, func(b *testing.B) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Write(benchBody)
			}))
			s.EnableHTTP2 = h2
			s.StartTLS()
			defer s.Close()
			client := s.Client()
			get(b, client, s.URL)
			b.ReportAllocs()
			for b.Loop() {
				get(b, client, s.URL)
			}
		})
	}
}

func BenchmarkNewTunnel(b *testing.B) {
	r := start(b, Options{Transport: recorded, Logger: slog.New(slog.DiscardHandler)})
	for b.Loop() {
		client := r.client(b, false)
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots()}
		get(b, client, "https://api.example/")
		client.CloseIdleConnections()
	}
}
