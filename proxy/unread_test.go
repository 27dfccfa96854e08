package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestConnectionSurvivesAnUnreadBody: an answer that does not wait for the request's
// body leaves the connection good for the next request. A client does not send a
// POST again when it finds the connection closed.
func TestConnectionSurvivesAnUnreadBody(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer deckFunc
		status int
	}{
		{"answered", early(5), 200},
		{"failed", func(*http.Request) (*http.Response, error) { return nil, errors.New("no upstream") }, 502},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, Options{Transport: test.answer})
			for _, secure := range []bool{false, true} {
				c := r.tunnel(t, "api.example:443", secure)
				b := bufio.NewReader(c)
				for i := range 20 {
					const body = "the body of this request"
					fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
					resp, err := http.ReadResponse(b, nil)
					if err != nil {
						t.Fatalf("TLS %v, request %d: %v", secure, i+1, err)
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != test.status || resp.Close {
						t.Fatalf("TLS %v, request %d: %s, close %v", secure, i+1, resp.Status, resp.Close)
					}
				}
			}
		})
	}
}

// early answers without reading the request's body; length is what it announces.
func early(length int64) deckFunc {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: 200, Header: http.Header{}, Request: r,
			ContentLength: length, Body: io.NopCloser(strings.NewReader("early")),
		}, nil
	}
}

// TestUnreadBodyThatDoesNotCome: a client that sends the body after the answer gets
// the whole answer first, and keeps its connection if the answer's length was told.
func TestUnreadBodyThatDoesNotCome(t *testing.T) {
	for _, test := range []struct {
		name, header string
		length       int64
		keeps        bool
	}{
		{"", "", 5, true},
		{"chunked", "", -1, false},
		{"asked for leave", "Expect: 100-continue\r\n", 5, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, Options{Transport: early(test.length)})
			c := r.tunnel(t, "api.example:443", false)
			b := bufio.NewReader(c)
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 4\r\n%s\r\n", test.header)
			resp, err := http.ReadResponse(b, nil)
			if got := body(t, resp, err); got != "early" {
				t.Fatalf("%q", got)
			}
			if !test.keeps {
				return
			}
			io.WriteString(c, "late"+"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n")
			resp, err = http.ReadResponse(b, nil)
			if got := body(t, resp, err); got != "early" {
				t.Errorf("the next: %q", got)
			}
		})
	}
}
