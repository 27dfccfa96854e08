package diff

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

func TestHeads(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(old, new *clean.Stored)
		want   []string
	}{
		{"nothing", func(_, _ *clean.Stored) {}, []string{}},
		{"method and protocol", func(_, n *clean.Stored) { n.Method, n.Proto, n.ResponseProto = "POST", "HTTP/2.0", "HTTP/1.1" },
			[]string{"request method changed: text GET → text POST", "request proto changed: text HTTP/1.1 → text HTTP/2.0", "response proto changed: text HTTP/2.0 → text HTTP/1.1"}},
		{"status", func(_, n *clean.Stored) { n.Status, n.StatusText = 404, "" },
			[]string{"response status changed: number 200 → number 404", "response status_text removed: - text OK"}},
		{"path", func(_, n *clean.Stored) { n.URL = "https://api.stripe.com/v1/y" }, []string{"request path[1] changed: text x → text y"}},
		{"a longer path", func(_, n *clean.Stored) { n.URL = "https://api.stripe.com/v2/beta/x" },
			[]string{"request path[0] removed: - text v1", "request path[0] added: + text v2 at 0", "request path[1] added: + text beta at 1"}},
		{"scheme and host", func(_, n *clean.Stored) { n.URL = "http://localhost:80/v1/x" },
			[]string{"request scheme changed: text https → text http", "request host changed: text api.stripe.com → text localhost:80"}},
		{"query", func(o, n *clean.Stored) {
			o.URL += "?limit=10&expand[]=a&b=1"
			n.URL += "?limit=20&expand[]=a&expand[]=c%20d&b=1&q=%C3%A9"
		},
			[]string{"request query.limit changed: text 10 → text 20", "request query.expand[1] added: + text c d at 1", "request query.q added: + text é at 3"}},
		{"order of a query", func(o, n *clean.Stored) { o.URL += "?a=1&b=2"; n.URL += "?b=2&a=1" },
			[]string{"request url rewritten: + text https://api.stripe.com/v1/x?b=2&a=1"}},
		{"escapes of a query", func(o, n *clean.Stored) { o.URL += "?a=%7E"; n.URL += "?a=~" },
			[]string{"request url rewritten: + text https://api.stripe.com/v1/x?a=~"}},
		{"a fragment goes", func(o, _ *clean.Stored) { o.URL += "#f" }, []string{"request url rewritten: + text https://api.stripe.com/v1/x"}},
		{"a question mark", func(_, n *clean.Stored) { n.URL += "?" }, []string{"request url rewritten: + text https://api.stripe.com/v1/x?"}},
		{"a query appears", func(_, n *clean.Stored) { n.URL += "?a=1" }, []string{"request query.a added: + text 1 at 0"}},
		{"request headers", func(o, n *clean.Stored) {
			o.RequestHeader = http.Header{"Accept": {"a"}, "Stripe-Version": {"1"}}
			n.RequestHeader = http.Header{"Accept": {"a", "b"}, "Stripe-Account": {"x"}}
		},
			[]string{"request header.accept[1] added: + text b at 1", "request header.stripe-account added: + text x at 1", "request header.stripe-version removed: - text 1"}},
		{"cookies", func(o, n *clean.Stored) {
			o.ResponseHeader["Set-Cookie"] = []string{"a=1", "b=2"}
			n.ResponseHeader["Set-Cookie"] = []string{"a=1", "b=3"}
		}, []string{"response header.set-cookie[1] changed: text b=2 → text b=3"}},
		{"a cookie less", func(o, n *clean.Stored) {
			o.ResponseHeader["Set-Cookie"] = []string{"a=1", "b=2"}
			n.ResponseHeader["Set-Cookie"] = []string{"b=2"}
		}, []string{"response header.set-cookie[0] removed: - text a=1"}},
		{"a value that is not UTF-8", func(_, n *clean.Stored) { n.ResponseHeader["X-A"] = []string{"\xff"} }, []string{"response header.x-a added: + binary of 1 at 0"}},
		{"no value at all", func(_, n *clean.Stored) { n.ResponseHeader["X-A"] = []string{} }, []string{"response header.x-a added: + array [] at 0"}},
		{"a name in another case", func(o, n *clean.Stored) {
			o.ResponseHeader["X-A"] = []string{"1"}
			n.ResponseHeader["x-a"] = []string{"1"}
		}, []string{`response header rewritten: + object {"x-a":["1"]}`}},
		{"trailers", func(o, n *clean.Stored) {
			o.ResponseTrailer = http.Header{"Grpc-Status": {"0"}}
			n.ResponseTrailer, n.RequestTrailer = http.Header{"Grpc-Status": {"5"}}, http.Header{"X-Sum": {"1"}}
		},
			[]string{"request trailer.x-sum added: + text 1 at 0", "response trailer.grpc-status changed: text 0 → text 5"}},
		{"informational", func(o, n *clean.Stored) {
			o.Informational = []clean.Informational{{Status: 103, Header: http.Header{"Link": {"a"}}}}
			n.Informational = []clean.Informational{{Status: 102}, {Status: 103, Header: http.Header{"Link": {"b", "c"}}}}
		}, []string{`response informational[0] added: + object {"status":102,"header":{}} at 0`,
			"response informational[0].header.link[0] removed: - text a", "response informational[1].header.link[0] added: + text b at 0",
			"response informational[1].header.link[1] added: + text c at 1"}},
		{"what tapedeck knows", func(o, n *clean.Stored) {
			o.Recorded, n.Recorded, n.Pinned, n.Retry, n.Cut, n.Chunked = "2026-01-02", "2026-03-04", true, true, "client", true
		}, []string{"response chunked changed: bool false → bool true", "meta recorded changed: text 2026-01-02 → text 2026-03-04",
			"meta pinned changed: bool false → bool true", "meta retry changed: bool false → bool true", "meta cut added: + text client at 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := answer("", ""), answer("", "")
			c.change(&a, &b)
			if got := lines(proven(t, a, b)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			proven(t, b, a)
		})
	}
}

// The length and the digests of a body say nothing that the body does not; one that was not
// its own is told.
func TestLengthFollowsTheBody(t *testing.T) {
	build := func(body string, header ...string) clean.Stored {
		s := answer(textType, body)
		for i := 0; i < len(header); i += 2 {
			s.ResponseHeader.Set(header[i], header[i+1])
		}
		return s
	}
	sum := func(s string) string {
		sum := md5.Sum([]byte(s))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	for _, c := range []struct {
		name     string
		old, new clean.Stored
		want     []string
	}{
		{"followed", build("hello", "Content-Length", "5", "Content-Md5", sum("hello")), build("world!", "Content-Length", "6", "Content-Md5", sum("world!")), nil},
		{"gone", build("hello", "Content-Length", "5"), build("worlds"), []string{"response header.content-length removed: - text 6"}},
		{"wrong", build("hello", "Content-Length", "5"), build("worlds", "Content-Length", "5"), []string{"response header.content-length changed: text 6 → text 5"}},
		{"never its own", build("hello", "Content-Md5", "AAAA"), build("world", "Content-Md5", sum("world")), []string{"response header.content-md5 changed: text AAAA → text " + sum("world")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, l := range lines(proven(t, c.old, c.new)) {
				if !strings.HasPrefix(l, "response body") {
					got = append(got, l)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

type noShelf struct{}

func (noShelf) Create() (clean.Draft, error)       { return nil, fmt.Errorf("no") }
func (noShelf) Open(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }

// A large body is compared by the name and the size of its file.
func TestLarge(t *testing.T) {
	large := func(digit string, size int64) clean.Stored {
		s := answer("", "")
		s.ResponseLarge = clean.NewLarge("sha256-"+strings.Repeat(digit, 64), size, noShelf{})
		return s
	}
	for _, c := range []struct {
		name     string
		old, new clean.Stored
		want     string
	}{
		{"another", large("a", 9<<20), large("b", 9<<20+1), "response body changed: binary of 9437184 → binary of 9437185"},
		{"grew", answer(jsonType, `{}`), large("b", 9<<20), "response body changed: binary of 2 → binary of 9437184"},
		{"shrank", large("b", 9<<20), answer("", `{}`), "response body changed: binary of 9437184 → text {}"},
		{"appeared", answer("", ""), large("b", 9<<20), "response body added: + binary of 9437184"},
		{"went", large("b", 9<<20), answer("", ""), "response body removed: - binary of 9437184"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := proven(t, c.old, c.new); !slices.Contains(lines(got), c.want) {
				t.Errorf("got %q", lines(got))
			} else if out, _ := patch(c.old, got); c.new.ResponseLarge != nil && out.ResponseLarge.Name() != c.new.ResponseLarge.Name() {
				t.Errorf("patched to %s", out.ResponseLarge.Name())
			}
		})
	}
	a, b := large("a", 9<<20), large("a", 9<<20)
	if got := compareStored(&a, &b); len(got) > 0 {
		t.Errorf("the same body differs: %q", lines(got))
	}
	out, err := patch(a, proven(t, a, large("b", 9<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.ResponseLarge.Open(); err == nil {
		t.Error("a body that only its name is known of can be read")
	}
}

// compare reads interactions as they are stored, redacted.
func TestCompareInteractions(t *testing.T) {
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := &clean.Cleaner{Vault: redact.NewVault(rules)}
	load := func(body string) clean.Interaction {
		in, err := c.Load(answer(jsonType, body))
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	a, b := load(`{"a":1}`), load(`{"a":2,"client_secret":"cN7QX4ZBRM5KUD2LWTPJ"}`)
	list, err := compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(list)
	if len(got) != 2 || got[0] != "response body.a changed: number 1 → number 2" || !strings.Contains(got[1], "body.client_secret added: + string REDACTED") {
		t.Errorf("got %q", got)
	}
	if list, err := compare(a, a); err != nil || len(list) > 0 {
		t.Errorf("it differs from itself: %q, %v", lines(list), err)
	}
	old, err := a.Stored()
	if err != nil {
		t.Fatal(err)
	}
	out, err := patch(old, list)
	if err != nil || string(out.ResponseBody) != string(mustStore(t, b).ResponseBody) {
		t.Errorf("patched to %s, %v", out.ResponseBody, err)
	}
}

func mustStore(t *testing.T, in clean.Interaction) clean.Stored {
	t.Helper()
	s, err := in.Stored()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
