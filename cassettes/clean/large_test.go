package clean_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// A shelf keeps large bodies in memory.
type shelf struct {
	mu     sync.Mutex
	bodies map[string][]byte
	drafts int
}

func (s *shelf) Create() (clean.Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drafts++
	return &draft{shelf: s}, nil
}

func (s *shelf) Open(name string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.bodies[name]; !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(s.bodies[name])), nil
}

type draft struct {
	bytes.Buffer
	shelf *shelf
}

func (d *draft) Commit() (string, error) {
	sum := sha256.Sum256(d.Bytes())
	name := hex.EncodeToString(sum[:])
	d.shelf.mu.Lock()
	defer d.shelf.mu.Unlock()
	if d.shelf.bodies == nil {
		d.shelf.bodies = make(map[string][]byte)
	}
	d.shelf.bodies[name] = d.Bytes()
	d.shelf.drafts--
	return name, nil
}

func (d *draft) Discard() error {
	d.shelf.mu.Lock()
	defer d.shelf.mu.Unlock()
	d.shelf.drafts--
	return nil
}

// kept reads a large body from its shelf.
func kept(t *testing.T, l *clean.Large) string {
	t.Helper()
	r, err := l.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != l.Size() {
		t.Fatalf("%d bytes, want %d: %v", len(b), l.Size(), err)
	}
	return string(b)
}

func recordLarge(t *testing.T, c *clean.Cleaner, s *shelf, header http.Header, body []byte) (clean.Interaction, error) {
	t.Helper()
	req := request(t, c, "GET", "https://api.acme.dev/export", "")
	resp := &http.Response{Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", Header: header, ContentLength: int64(len(body))}
	r, err := c.Record(req, resp, s)
	if err != nil {
		t.Fatal(err)
	}
	for part := range bytes.SplitAfterSeq(body, []byte("s")) {
		if _, err := r.Write(part); err != nil {
			break // which Close returns
		}
	}
	l, err := r.Close()
	r.Abort()
	if err != nil {
		return clean.Interaction{}, err
	}
	return c.Interaction(req, clean.Answer{Response: resp, Large: l})
}

func TestRecordingRemovesContentEncodings(t *testing.T) {
	body := `{"client_secret":"` + secret + `","text":"` + strings.Repeat("lorem ipsum ", 3000) + `"}`
	for _, coding := range []string{"", "identity", "gzip", "x-gzip", "deflate", "raw deflate", "br", "zstd", "gzip, br"} {
		c, s := newCleaner(t), &shelf{}
		packed := []byte(body)
		for _, one := range strings.Split(coding, ", ") {
			if one != "" && one != "identity" {
				packed = encode(t, one, packed)
			}
		}
		header := http.Header{"Content-Type": {"application/json"}, "Content-Length": {"1"}}
		if coding != "" {
			header.Set("Content-Encoding", strings.TrimPrefix(coding, "raw "))
		}
		in, err := recordLarge(t, c, s, header, packed)
		if err != nil {
			t.Errorf("%s: %v", coding, err)
			continue
		}
		resp, err := in.Response()
		if err != nil || resp.Large() == nil || resp.Body() != nil {
			t.Fatalf("%s: %v", coding, err)
		}
		got := kept(t, resp.Large())
		if want := strings.Replace(body, secret, "cuss_secret_REDACTED000000000001", 1); got != want {
			t.Errorf("%s: %d bytes, want %d: %.80q", coding, len(got), len(want), got)
		}
		if h := resp.Header(); h.Get("Content-Encoding") != "" || h.Get("Content-Length") != fmt.Sprint(len(got)) || resp.Size() != int64(len(got)) {
			t.Errorf("%s: headers %v", coding, h)
		}
		if s.drafts != 0 {
			t.Errorf("%s: %d drafts are open", coding, s.drafts)
		}
	}
}

func TestRecordingRefuses(t *testing.T) {
	text := []byte(strings.Repeat("lorem ipsum ", 5000))
	packed := encode(t, "gzip", text)
	bomb := encode(t, "gzip", make([]byte, 4<<20))
	for name, tc := range map[string]struct {
		coding string
		body   []byte
		why    string
	}{
		"unknown": {"compress", text, "not one of gzip"},
		"no gzip": {"gzip", text, "not valid gzip"},
		"cut":     {"gzip", packed[:len(packed)-20], "not valid gzip"},
		"damaged": {"gzip", append(bytes.Clone(packed[:len(packed)/2]), bytes.Repeat([]byte{1}, 500)...), "not valid gzip"},
		"a bomb":  {"gzip", bomb, "unfolds to more than 100 times"},
	} {
		c, s := newCleaner(t), &shelf{}
		c.MaxDecoded = 1 << 20
		_, err := recordLarge(t, c, s, http.Header{"Content-Type": {"text/plain"}, "Content-Encoding": {tc.coding}}, tc.body)
		var refusal *redact.Refusal
		if !errors.As(err, &refusal) || refusal.Rule != "content-encoding" || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: %v, want %q", name, err, tc.why)
		}
		if len(s.bodies) > 0 || s.drafts != 0 {
			t.Errorf("%s: %d bodies and %d drafts stay", name, len(s.bodies), s.drafts)
		}
	}
}

// What is learned later is replaced in a large body too; numbers change as in a small one.
func TestLargeSweepAndRenumber(t *testing.T) {
	c, s := newCleaner(t), &shelf{}
	const late = "Qm7rX2vK9pLw4sTz8Nc1Yb6H"
	header := http.Header{"Content-Type": {"application/json"}, "Content-Length": {"1"}}
	in, err := recordLarge(t, c, s, header, []byte(`{"note":"`+late+`","client_secret":"`+secret+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(in); err != nil {
		t.Errorf("Check: %v", err)
	}
	request(t, c, "POST", "https://api.acme.dev/?api_key="+late, "")
	var refusal *redact.Refusal
	if err := c.Check(in); !errors.As(err, &refusal) {
		t.Errorf("Check after it was learned: %v", err)
	}
	swept, err := c.Sweep(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := swept.Response()
	if got := kept(t, resp.Large()); got != `{"note":"REDACTED-0002","client_secret":"cuss_secret_REDACTED000000000001"}` || resp.Header().Get("Content-Length") != fmt.Sprint(len(got)) {
		t.Errorf("swept: %s, %v", got, resp.Header())
	}
	if err := errors.Join(c.Check(swept), c.Check(in)); err != nil {
		t.Errorf("Check of what was swept: %v", err)
	}
	if ids, err := resp.Large().IDs(); err != nil || fmt.Sprint(ids) != "[0002 0001]" {
		t.Errorf("IDs: %v, %v", ids, err)
	}
	renumbered, err := swept.Renumber(map[string]string{"0001": "0010", "0002": "A00010001"})
	if err != nil {
		t.Fatal(err)
	}
	resp, _ = renumbered.Response()
	if got := kept(t, resp.Large()); got != `{"note":"REDACTED-A00000000010001","client_secret":"cuss_secret_REDACTED000000000010"}` || resp.Header().Get("Content-Length") != fmt.Sprint(len(got)) {
		t.Errorf("renumbered: %s, %v", got, resp.Header())
	}
	same, err := swept.Renumber(map[string]string{"0005": "0006"})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := swept.Response()
	b, _ := same.Response()
	if a.Large() != b.Large() || s.drafts != 0 || len(s.bodies) != 3 {
		t.Errorf("%d bodies, %d drafts", len(s.bodies), s.drafts)
	}
}
