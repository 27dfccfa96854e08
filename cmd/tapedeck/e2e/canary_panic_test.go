//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmittmann/tint"

	"tapedeck/cassettes"
	"tapedeck/cassettes/redact"
	"tapedeck/examples/canary"
	"tapedeck/matchers"
	"tapedeck/proxy"
	"tapedeck/proxy/ca"
	"tapedeck/proxy/deck"
)

// Nothing makes the real program panic, so this one is put together as wire.go
// does it, around an upstream that panics. It is a process of its own, because
// net/http and the runtime write to its stderr.
func init() {
	if os.Getenv("CANARY_PANIC") == "" {
		return
	}
	if err := panickingProgram(os.Getenv("CANARY_PANIC"), os.Getenv("CANARY_SEED")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// panics are ways in which code below a deck can fail, with a secret in what it says.
var panics = []struct {
	what string
	do   func(secret string) (*http.Response, error)
}{
	{"a text", func(s string) (*http.Response, error) { panic(s) }},
	{"an error", func(s string) (*http.Response, error) { panic(errors.New("bad token " + s)) }},
	{"a value", func(s string) (*http.Response, error) { panic(struct{ Token string }{s}) }},
	{"the runtime's own", func(s string) (*http.Response, error) {
		var list []string
		return nil, errors.New(list[len(s)])
	}},
	{"a wrong type", func(s string) (*http.Response, error) {
		var any any = s
		return any.(*http.Response), nil
	}},
	{"a nil pointer", func(s string) (*http.Response, error) {
		var u *url.URL
		return nil, errors.New(u.Host + s)
	}},
	{"in the body", func(s string) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: 100,
			Body: io.NopCloser(io.MultiReader(strings.NewReader("begins "+s[:4]), reader(func([]byte) (int, error) { panic(s) })))}, nil
	}},
	{"at once in the body", func(s string) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: -1,
			Body: io.NopCloser(reader(func([]byte) (int, error) { panic(fmt.Errorf("wrapped: %w", errors.New(s))) }))}, nil
	}},
	{"an error that is returned", func(s string) (*http.Response, error) {
		return nil, fmt.Errorf("malformed HTTP response %q", s)
	}},
	{"an error of the URL", func(s string) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: "https://u:" + s + "@x/?token=" + s, Err: errors.New("connection to " + s + " failed")}
	}},
	{"an error in the body", func(s string) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: -1,
			Body: io.NopCloser(reader(func([]byte) (int, error) { return 0, errors.New("invalid byte in " + s) }))}, nil
	}},
	{"no answer and no error", func(string) (*http.Response, error) { return nil, nil }},
	{"a status that is none", func(s string) (*http.Response, error) {
		return &http.Response{StatusCode: 7, Status: "7 " + s, Header: http.Header{"X-Token": {s}}, Body: http.NoBody}, nil
	}},
	{"headers that are none", func(s string) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X Bad\nName": {"1"}, "X-Auth-Token": {s + "\r\n\x00" + s}}, Body: http.NoBody}, nil
	}},
}

type reader func([]byte) (int, error)

func (f reader) Read(p []byte) (int, error) { return f(p) }

// panicSecret is what a panic of that number says.
func panicSecret(seed string, i int) string {
	return (&planting{seed: seed}).plant(fmt.Sprintf("panic %d", i), "")
}

type failing struct{ seed string }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
	}
	for i, one := range panics {
		if r.URL.Path == fmt.Sprintf("/%d", i) {
			return one.do(panicSecret(f.seed, i))
		}
	}
	return nil, errors.New("no such path")
}

// panickingProgram runs a proxy in folder dir and sends it one request for each
// panic: with a deck in each mode, and without one.
func panickingProgram(dir, seed string) error {
	logger := slog.New(tint.NewTextHandler(os.Stderr, &tint.Options{Level: slog.LevelDebug, NoColor: true}))
	authority, err := ca.NewInMemory()
	if err != nil {
		return err
	}
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		return err
	}
	matcher, err := matchers.New(nil)
	if err != nil {
		return err
	}
	for _, mode := range []deck.Mode{"", deck.RecordOnly, deck.NewEpisodes, deck.Passthrough} {
		store, err := cassettes.NewFolder(filepath.Join(dir, "of-"+string(mode)))
		if err != nil {
			return err
		}
		var transport http.RoundTripper = failing{seed}
		var d *deck.Deck
		if mode != "" {
			d, err = deck.Open(deck.Options{Store: store, Name: "panics", Mode: mode, Upstream: transport, Matcher: matcher, Rules: rules,
				KeepRequestHeader: func(string) bool { return true }, Failure: proxy.UpstreamFailure})
			if err != nil {
				return err
			}
			transport = d
		}
		server, err := proxy.New(proxy.Options{Transport: transport, Authority: authority, Logger: logger})
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go server.Serve(l)
		c := newCaller(&url.URL{Scheme: "http", Host: l.Addr().String()}, authority.CertPEM())
		for i := range panics {
			for _, e := range (&planting{seed: seed}).exchanges() {
				switch e.name {
				case "query odd", "bearer", "json request":
					request, err := e.request(context.Background())
					if err != nil {
						return err
					}
					request.URL.Path = fmt.Sprintf("/%d", i)
					c.do(request) // what the client is told is its own affair
				}
			}
		}
		c.close()
		if err := server.Shutdown(context.Background()); err != nil {
			return err
		}
		if d != nil {
			fmt.Printf("%+v\n", d.Report())
			if err := d.Close(deck.Outcome{}); err != nil {
				fmt.Println(err)
			}
		}
	}
	return nil
}

func TestCanaryPanic(t *testing.T) {
	t.Parallel()
	r := newCanaryRun(t)
	for i, one := range panics {
		r.p.add(planted{Secret: canary.Secret{Name: "panic with " + one.what, Value: panicSecret(r.p.seed, i)}})
	}
	r.look()
	r.write(t, "work/here.txt", "something to search")
	got := r.wait(t, r.start(t, []string{"CANARY_PANIC=" + r.path("work")}, self))
	got.mustEnd(t, 0)
	if n := strings.Count(got.stderr, "a panic while answering"); n < 8*3*3 {
		t.Errorf("%d panics were logged, want at least %d: %s", n, 8*3*3, got)
	}
	got.mustSay(t, "index out of range", "interface conversion", "nil pointer", "not valid HTTP")
}
