package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestControlAnswersOnlyProgramsOfThisMachine(t *testing.T) {
	const here = "127.0.0.1:50000"
	for _, c := range []struct {
		name, path, host, from string
		header                 [2]string
		refused                bool
	}{
		{name: "by address", path: "/status", host: "127.0.0.1:8080", from: here},
		{name: "by IPv6 address", path: "/status", host: "[::1]:8080", from: "[::1]:50000"},
		{name: "by name", path: "/status", host: "localhost:8080", from: here},
		{name: "through the proxy", path: "/status", host: "tapedeck.invalid", from: here},
		{name: "mapped IPv4", path: "/rewind", host: "127.0.0.1:8080", from: "[::ffff:127.0.0.1]:50000"},
		{name: "another machine", path: "/status", host: "192.168.1.7:8080", from: "192.168.1.9:50000", refused: true},
		{name: "the certificate, from another machine", path: "/ca.pem", host: "host.docker.internal:8080", from: "172.17.0.2:50000"},
		{name: "health, from another machine", path: "/health", host: "host.docker.internal:8080", from: "172.17.0.2:50000"},
		{name: "a page's own name", path: "/status", host: "evil.example:8080", from: here, refused: true},
		{name: "a name like ours", path: "/status", host: "localhost.evil.example", from: here, refused: true},
		{name: "no host", path: "/status", from: here, refused: true},
		{name: "a page", path: "/sessions/a", host: "127.0.0.1:8080", from: here, header: [2]string{"Origin", "https://evil.example"}, refused: true},
		{name: "a sandboxed page", path: "/ca.pem", host: "127.0.0.1:8080", from: here, header: [2]string{"Origin", "null"}, refused: true},
		{name: "an image of a page", path: "/health", host: "127.0.0.1:8080", from: here, header: [2]string{"Sec-Fetch-Site", "cross-site"}, refused: true},
		{name: "typed into a browser", path: "/ca.pem", host: "127.0.0.1:8080", from: here, header: [2]string{"Sec-Fetch-Site", "none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", c.path, nil)
			r.Host, r.RemoteAddr = c.host, c.from
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			w := httptest.NewRecorder()
			guarded(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			})).ServeHTTP(w, r)
			want := http.StatusNoContent
			if c.refused {
				want = http.StatusForbidden
			}
			if w.Code != want {
				t.Errorf("status %d, want %d: %s", w.Code, want, w.Body)
			}
		})
	}
}
