package proxy

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// routes are the ways to an upstream and back: each protocol on either side.
func routes(t *testing.T, h http.HandlerFunc, f func(t *testing.T, client *http.Client, url string)) {
	for _, kind := range []string{"http", "https", "h2"} {
		upstream := api(t, kind, h)
		r := start(t, Options{Transport: to(t, upstream)})
		for _, way := range ways {
			if (way.scheme == "http") != (kind == "http") {
				continue
			}
			t.Run(kind+" by "+way.name, func(t *testing.T) {
				f(t, r.client(t, way.h2), way.scheme+"://api.example")
			})
		}
	}
}

// TestChunksArriveAtOnce lets the upstream send the next chunk only when the
// client has got the one before: any buffering is a deadlock.
func TestChunksArriveAtOnce(t *testing.T) {
	for _, length := range []string{"", "60000"} {
		next := make(chan bool)
		routes(t, func(w http.ResponseWriter, r *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			w.(http.Flusher).Flush() // the headers alone
			for range 5 {
				select {
				case <-next:
				case <-r.Context().Done():
					return
				}
				io.WriteString(w, "data: x\n\n")
				w.(http.Flusher).Flush()
			}
			if length != "" {
				w.Write(make([]byte, 60000-5*9))
			}
		}, func(t *testing.T, client *http.Client, url string) {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			for range 5 {
				select {
				case next <- true:
				case <-time.After(10 * time.Second):
					t.Fatal("the upstream is not waiting")
				}
				for range 2 {
					if _, err := lines.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
			}
			rest, err := io.ReadAll(lines)
			if err != nil || length != "" && len(rest) != 60000-45 {
				t.Errorf("%d more bytes, %v", len(rest), err)
			}
		})
	}
}

// TestBothWays has a conversation inside one request: the answer begins before
// the request has ended.
func TestBothWays(t *testing.T) {
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		lines := bufio.NewReader(r.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(w, "echo "+line)
			w.(http.Flusher).Flush()
		}
	}, func(t *testing.T, client *http.Client, url string) {
		from, to := io.Pipe()
		req, _ := http.NewRequest("POST", url, from)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		for i := range 5 {
			fmt.Fprintf(to, "line %d\n", i)
			if got, err := lines.ReadString('\n'); err != nil || got != fmt.Sprintf("echo line %d\n", i) {
				t.Fatalf("%q, %v", got, err)
			}
		}
		to.Close()
		if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v", rest, err)
		}
	})
}

func TestTrailers(t *testing.T) {
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Announced, X-Unsent")
		fmt.Fprintf(w, "%s with %s", b, r.Trailer.Get("X-Up"))
		w.Header().Set("X-Announced", "one")
		w.Header().Set(http.TrailerPrefix+"X-Surprise", "two")
	}, func(t *testing.T, client *http.Client, url string) {
		req, _ := http.NewRequest("POST", url, io.MultiReader(strings.NewReader("body"))) // unknown length
		req.Trailer = http.Header{"X-Up": nil}
		req.Body = struct {
			io.Reader
			io.Closer
		}{&atEnd{req.Body, func() { req.Trailer.Set("X-Up", "trailer") }}, req.Body}
		resp, err := client.Do(req)
		if got := body(t, resp, err); got != "body with trailer" {
			t.Errorf("body %q", got)
		}
		if resp.Trailer.Get("X-Announced") != "one" || resp.Trailer.Get("X-Surprise") != "two" || resp.Trailer.Get("X-Unsent") != "" {
			t.Errorf("trailers %v", resp.Trailer)
		}
	})
}

type atEnd struct {
	io.Reader
	f func()
}

func (r *atEnd) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		r.f()
	}
	return n, err
}

func TestHeadAndEmpty(t *testing.T) {
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/head":
			w.Header().Set("Content-Length", "12345")
			w.Header().Set("Content-Type", "x/y")
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("Etag", `"e"`)
			w.WriteHeader(304)
		case "/empty":
			w.WriteHeader(200)
		}
	}, func(t *testing.T, client *http.Client, url string) {
		resp, err := client.Head(url + "/head")
		if body(t, resp, err); resp.ContentLength != 12345 || resp.Header.Get("Content-Type") != "x/y" {
			t.Errorf("HEAD: length %d, %v", resp.ContentLength, resp.Header)
		}
		for path, status := range map[string]int{"/204": 204, "/304": 304, "/empty": 200} {
			resp, err := client.Get(url + path)
			if text := body(t, resp, err); text != "" || resp.StatusCode != status {
				t.Errorf("%s: %d %q", path, resp.StatusCode, text)
			}
		}
	})
}

func TestLargeBodies(t *testing.T) {
	data := make([]byte, 3<<20)
	rand.Read(data)
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength >= 0 && r.ContentLength != int64(len(b)) {
			http.Error(w, fmt.Sprint(len(b), r.ContentLength, err), 400)
			return
		}
		if r.Header.Get("X-Fixed") != "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		}
		w.Write(b)
	}, func(t *testing.T, client *http.Client, url string) {
		for _, fixed := range []string{"", "1"} {
			var from io.Reader = bytes.NewReader(data)
			if fixed == "" {
				from = io.MultiReader(from)
			}
			req, _ := http.NewRequest("PUT", url, from)
			req.Header.Set("X-Fixed", fixed)
			resp, err := client.Do(req)
			if got := body(t, resp, err); got != string(data) {
				t.Errorf("fixed %q: %d bytes came back", fixed, len(got))
			}
		}
	})
}

// TestInformational proves 103 on the way to the client before the final answer.
func TestInformational(t *testing.T) {
	got103 := make(chan bool)
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Set("Link", "</b.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Link")
		<-got103
		io.WriteString(w, "final")
	}, func(t *testing.T, client *http.Client, url string) {
		var links []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			links = append(links, fmt.Sprint(code, h.Get("Link")))
			if len(links) == 2 {
				got103 <- true
			}
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		resp, err := client.Do(req)
		if text := body(t, resp, err); text != "final" || len(resp.Header["Link"]) > 0 {
			t.Errorf("%q, headers %v", text, resp.Header)
		}
		if len(links) != 2 || links[0] != "103</a.css>; rel=preload" || links[1] != "103</b.css>; rel=preload" {
			t.Errorf("hints %q", links)
		}
	})
}

// TestContinue counts the 100s of one upload, and proves that an upstream which
// never answers 100 is not waited for.
func TestContinue(t *testing.T) {
	expected := make(chan string, 1)
	upstream := api(t, "http", func(w http.ResponseWriter, r *http.Request) {
		expected <- r.Header.Get("Expect")
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	r := start(t, Options{Transport: to(t, upstream)})
	for _, secure := range []bool{false, true} {
		c := r.tunnel(t, "api.example:80", false)
		if !secure {
			c = r.dial(t)
		}
		io.WriteString(c, "PUT http://api.example/ HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		b := bufio.NewReader(c)
		for range 2 { // status line, blank line
			line, err := b.ReadString('\n')
			if err != nil || line != "HTTP/1.1 100 Continue\r\n" && line != "\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
		}
		io.WriteString(c, "hello")
		resp, err := http.ReadResponse(b, nil)
		if text := body(t, resp, err); text != "5" || resp.StatusCode != 200 {
			t.Errorf("%d %q", resp.StatusCode, text)
		}
		if e := <-expected; e != "" {
			t.Errorf("the upstream was asked for %q as well", e)
		}
	}
}

// TestTruncationShows breaks answers in the middle: the client must see an error.
func TestTruncationShows(t *testing.T) {
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fixed" {
			w.Header().Set("Content-Length", "1000")
		}
		io.WriteString(w, "half of it")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, func(t *testing.T, client *http.Client, url string) {
		for _, path := range []string{"/fixed", "/chunked"} {
			resp, err := client.Get(url + path)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil || string(b) != "half of it" {
				t.Errorf("%s: got %q without an error", path, b)
			}
		}
	})
	// Round trippers that lie about the length.
	for _, announced := range []int64{3, 100} {
		r := start(t, Options{Transport: deckFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: announced, Body: io.NopCloser(strings.NewReader("half of it"))}, nil
		})})
		for _, way := range ways {
			resp, err := r.client(t, way.h2).Get(way.scheme + "://api.example/")
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				t.Errorf("%s: announced %d, sent 10, and no error", way.name, announced)
			}
		}
	}
}

// TestUnstatedLength is a round tripper that leaves ContentLength 0.
func TestUnstatedLength(t *testing.T) {
	r := start(t, Options{Transport: deckFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("all of it"))}, nil
	})})
	for _, way := range ways {
		resp, err := r.client(t, way.h2).Get(way.scheme + "://api.example/")
		if got := body(t, resp, err); got != "all of it" {
			t.Errorf("%s: %q", way.name, got)
		}
	}
}

// TestClientLeaves proves that the upstream's request ends when the client goes,
// before the answer and in the middle of it.
func TestClientLeaves(t *testing.T) {
	gone := make(chan string, 8)
	arrived := make(chan bool, 8)
	routes(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/middle" {
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
		}
		arrived <- true
		<-r.Context().Done()
		gone <- r.URL.Path
	}, func(t *testing.T, client *http.Client, url string) {
		for _, path := range []string{"/before", "/middle"} {
			req, _ := http.NewRequest("GET", url+path, nil)
			ctx, leave := contextWithCancel(t)
			resp, err := make(chan *http.Response, 1), make(chan error, 1)
			go func() {
				got, e := client.Do(req.WithContext(ctx))
				resp <- got
				err <- e
			}()
			<-arrived
			if path == "/middle" {
				got := <-resp
				if e := <-err; e != nil {
					t.Fatal(e)
				}
				io.ReadFull(got.Body, make([]byte, 5))
				leave()
				got.Body.Close()
			} else {
				leave()
				<-resp
				<-err
			}
			select {
			case p := <-gone:
				if p != path {
					t.Errorf("%s ended instead of %s", p, path)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: the upstream was never told", path)
			}
		}
	})
}

func TestBodyLimit(t *testing.T) {
	var reached atomic.Int64
	upstream := api(t, "h2", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		reached.Add(1)
		fmt.Fprint(w, n)
	})
	up := to(t, upstream)
	plain := api(t, "http", upstream.Config.Handler.ServeHTTP)
	for _, test := range []struct {
		name string
		deck http.RoundTripper
	}{
		{"streams", up},
		{"reads first", deckFunc(func(r *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(r.Body)
			var limit *http.MaxBytesError
			if err != nil {
				if !errors.As(err, &limit) {
					t.Errorf("error %v", err)
				}
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(b))
			return up.RoundTrip(r)
		})},
		{"answers anyway", deckFunc(func(r *http.Request) (*http.Response, error) {
			io.ReadAll(r.Body)
			return say("fine")(r)
		})},
	} {
		r := start(t, Options{MaxBody: 1 << 20, Transport: deckFunc(func(req *http.Request) (*http.Response, error) {
			if req.URL.Scheme == "http" && test.name == "streams" {
				return to(t, plain).RoundTrip(req)
			}
			if req.URL.Scheme == "http" {
				req = req.WithContext(req.Context())
				u := *req.URL
				u.Scheme = "https"
				req.URL = &u
			}
			return test.deck.RoundTrip(req)
		})})
		for _, way := range ways {
			for _, known := range []bool{true, false} {
				for _, size := range []int{1 << 20, 1<<20 + 1, 3 << 20} {
					t.Run(fmt.Sprint(test.name, "/", way.name, "/", known, "/", size), func(t *testing.T) {
						var from io.Reader = bytes.NewReader(make([]byte, size))
						if !known {
							from = io.MultiReader(from)
						}
						resp, err := r.client(t, way.h2).Post(way.scheme+"://api.example/", "x/y", from)
						if err != nil {
							t.Fatal(err)
						}
						text := body(t, resp, nil)
						if size <= 1<<20 {
							if resp.StatusCode != 200 {
								t.Errorf("%d %q", resp.StatusCode, text)
							}
							return
						}
						if m := message(t, resp, text); resp.StatusCode != 413 || !strings.Contains(m, "larger than 1 MiB") || !strings.Contains(m, "--max-body") {
							t.Errorf("%d %q", resp.StatusCode, text)
						}
					})
				}
			}
		}
	}
}

func TestBrokenRequestBody(t *testing.T) {
	r := start(t, Options{Transport: deckFunc(func(r *http.Request) (*http.Response, error) {
		if _, err := io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		return say("fine")(r)
	})})
	c := r.tunnel(t, "api.example:443", true)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if text := body(t, resp, err); resp.StatusCode != 400 || !strings.Contains(message(t, resp, text), "body") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}
