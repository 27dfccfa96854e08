package deck_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/proxy/deck"
)

// Each client makes a thing of its own and reads it while all of them send what is
// equal too. Equal requests get a permutation of what was recorded, all others
// their own answer.
func TestParallelClients(t *testing.T) {
	const clients = 64
	b := newBench(t)
	var s script
	for c := range clients {
		s = append(s, lines(fmt.Sprintf(`
			POST /things {"n":%[1]d} > {"id":"thing_%[1]dk7Qm2xLp3Z"}
			GET /things/thing_%[1]dk7Qm2xLp3Z > thing %[1]d
			PUT /things/thing_%[1]dk7Qm2xLp3Z {"n":1} > put %[1]d
			GET /things/thing_%[1]dk7Qm2xLp3Z > thing %[1]d, put
			POST /same > same %[1]d`, c))...)
	}
	for c := range clients {
		s = append(s, lines(fmt.Sprintf("GET other.acme.dev/same > read %d", c))...)
	}
	d := b.open(deck.RecordOnly, &scripted{t, s})
	for _, step := range s {
		step.send(t, d, 0)
	}
	b.close(d)

	d = b.open(deck.ReplayOnly, nil)
	// What is read everywhere was recorded after all that was changed, anywhere.
	var mu sync.Mutex
	equal := map[string][]string{}
	send := func(step step) {
		resp, got := step.send(t, d, 1)
		if resp.StatusCode == deck.StatusMiss {
			t.Errorf("%s %s: %s", step.method, step.url, got)
		}
		if strings.HasSuffix(step.url, "/same") {
			mu.Lock()
			defer mu.Unlock()
			equal[step.url] = append(equal[step.url], got)
		} else if got != step.answer {
			t.Errorf("%s %s: got %s, want %s", step.method, step.url, got, step.answer)
		}
	}
	order := rand.Perm(clients)
	var wg sync.WaitGroup
	for _, c := range order {
		wg.Go(func() {
			own := s[5*c : 5*c+5]
			cut := rand.IntN(5)
			for i, step := range own[:4] {
				if i == cut {
					send(own[4])
				}
				send(step)
			}
			if cut == 4 {
				send(own[4])
			}
		})
	}
	wg.Wait()
	for _, c := range order {
		wg.Go(func() { send(s[5*clients+c]) })
	}
	wg.Wait()
	for url, got := range equal {
		var want []string
		for _, step := range s {
			if step.url == url {
				want = append(want, step.answer)
			}
		}
		slices.Sort(want)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q in any order", url, got, want)
		}
	}
	if r := d.Report(); len(r.Unused)+len(r.Unproven) > 0 {
		t.Errorf("unused %q, unproven %q", r.Unused, r.Unproven)
	}
}

// stuck is a transport that answers a path /stuck only when it is let go, and
// everything else at once.
type stuck struct{ reached, release chan struct{} }

func newStuck() stuck { return stuck{make(chan struct{}), make(chan struct{})} }

func (s stuck) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: req, ContentLength: -1, Body: io.NopCloser(strings.NewReader("live"))}
	switch req.URL.Path {
	case "/stuck":
		close(s.reached)
		<-s.release
	case "/stuck-body":
		resp.Body = io.NopCloser(stuckReader{s, strings.NewReader("live")})
	}
	return resp, nil
}

type stuckReader struct {
	stuck
	io.Reader
}

func (r stuckReader) Read(p []byte) (int, error) {
	select {
	case <-r.reached:
	default:
		close(r.reached)
	}
	<-r.release
	return r.Reader.Read(p)
}

// While one request waits, for its upstream, for the client to send its body or to
// read its answer, others of the same session are answered. The test would not end
// otherwise.
func TestNobodyWaitsForAnother(t *testing.T) {
	const others = `
		GET /a > 0
		POST /a > .
		GET /a > 1`
	for _, tc := range []struct {
		what  string
		mode  deck.Mode
		start func(d http.RoundTripper, s stuck) (*http.Response, error)
	}{
		{"the upstream, while adding", deck.NewEpisodes, func(d http.RoundTripper, _ stuck) (*http.Response, error) {
			return d.RoundTrip(newRequest(t, "POST", "https://b.acme.dev/stuck", nil))
		}},
		{"the upstream's body, while adding", deck.NewEpisodes, func(d http.RoundTripper, _ stuck) (*http.Response, error) {
			return d.RoundTrip(newRequest(t, "POST", "https://b.acme.dev/stuck-body", nil))
		}},
		{"the request's body, while adding", deck.NewEpisodes, func(d http.RoundTripper, s stuck) (*http.Response, error) {
			return d.RoundTrip(newRequest(t, "POST", "https://b.acme.dev/x", stuckReader{s, strings.NewReader("body")}))
		}},
		{"the request's body, while replaying", deck.ReplayOnly, func(d http.RoundTripper, s stuck) (*http.Response, error) {
			return d.RoundTrip(newRequest(t, "POST", "https://api.acme.dev/a", stuckReader{s, strings.NewReader("body")}))
		}},
		{"the reading of an answer, while replaying", deck.ReplayOnly, func(d http.RoundTripper, s stuck) (*http.Response, error) {
			resp, err := d.RoundTrip(newRequest(t, "GET", "https://api.acme.dev/b", nil))
			close(s.reached)
			<-s.release
			return resp, err
		}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := newBench(t)
			b.recordScript(others + "\nGET /b > b")
			s := newStuck()
			d := b.open(tc.mode, s)
			ended := make(chan error)
			go func() {
				resp, err := tc.start(d, s)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				ended <- err
			}()
			<-s.reached
			b.playScript(d, others)
			d.Report()
			d.Rewind("")
			if tc.mode == deck.NewEpisodes {
				if _, got := ask(t, d, "GET", "https://c.acme.dev/new", ""); got != "live" {
					t.Errorf("forwarded: %s", got)
				}
			}
			close(s.release)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A recorder whose upstreams hang records the others.
func TestNobodyWaitsForAnotherWhileRecording(t *testing.T) {
	b := newBench(t)
	s := newStuck()
	d := b.open(deck.RecordOnly, s)
	ended := make(chan error)
	go func() {
		resp, err := d.RoundTrip(newRequest(t, "GET", "https://b.acme.dev/stuck-body", nil))
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		ended <- err
	}()
	<-s.reached
	for range 3 {
		if _, got := ask(t, d, "GET", "https://api.acme.dev/x", ""); got != "live" {
			t.Errorf("recorded %s", got)
		}
	}
	if err := d.Save(); err != nil {
		t.Error(err)
	}
	close(s.release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r := d.Report(); r.Recorded != 4 {
		t.Errorf("recorded %d", r.Recorded)
	}
}
