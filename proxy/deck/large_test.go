package deck_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/proxy/deck"
)

// The secrets of a large answer. The last one stands under a neutral name long before
// another name tells that it is one.
const (
	atStart  = "Zk8QxT3vWn5LbR7yPd2MgH9s"
	atBorder = "Fh4JcV6mXq1TzK9wRb3NyD7p"
	atWrites = "Ls5GtB8nYe2QvM4xJd6CwA1k"
	late     = "Qm7rX2vK9pLw4sTz8Nc1Yb6H"
)

// largeJSON is a JSON object of about size bytes.
func largeJSON(size int) string {
	var b strings.Builder
	b.Grow(size + 1024)
	fmt.Fprintf(&b, `{"client_secret":%q,"note":%q,"items":[`, atStart, late)
	item := `{"id":"li_1Nab00000001","amount_total":100,"description":"A thing of some length","url":"https://a.test/x?q=1"},`
	for b.Len() < clean.LargeBody-200 {
		b.WriteString(item)
	}
	pad := clean.LargeBody - b.Len() - len(`{"p":"","api_key":"`) - len(atBorder)/2
	fmt.Fprintf(&b, `{"p":%q,"api_key":%q},`, strings.Repeat("p", pad), atBorder)
	for n := 0; b.Len() < size; n++ {
		b.WriteString(item)
		if n%20000 == 0 {
			fmt.Fprintf(&b, `{"api_key":%q,"text":"again %s, %s and %s"},`, atWrites, atWrites, atStart, base64.StdEncoding.EncodeToString([]byte("key="+atBorder)))
		}
	}
	fmt.Fprintf(&b, `null],"again":{"client_secret":%q}}`, late)
	return b.String()
}

// serving answers with a body in writes that end in the middle of secrets.
func serving(t *testing.T, contentType, body string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, body[:30])
		w.(http.Flusher).Flush()
		for at := 30; at < len(body); {
			n := min(64<<10, len(body)-at)
			if i := strings.Index(body[at:at+n], atWrites); i >= 0 {
				n = i + len(atWrites)/2
			}
			if _, err := io.WriteString(w, body[at:at+n]); err != nil {
				return
			}
			at += n
		}
		w.Header().Set("X-Sum", "42")
	}))
	t.Cleanup(server.Close)
	return server
}

// found lists the files under a folder that hold a text.
func (b *bench) found(texts ...string) (files []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // it has just been renamed or removed
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				rel, _ := filepath.Rel(b.dir, path)
				files = append(files, filepath.ToSlash(rel))
				break
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return files
}

// names lists the files under the bench's folder whose path holds part.
func (b *bench) names(part string) (files []string) {
	filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(path, part) {
			files = append(files, path)
		}
		return nil
	})
	return files
}

func TestLargeAnswer(t *testing.T) {
	size := 64 << 20
	if raceDetector {
		size = 10 << 20
	}
	body := largeJSON(size)
	early := []string{atStart, atBorder, atWrites, base64.StdEncoding.EncodeToString([]byte("key=" + atBorder))[6:30]}
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{serving(t, "application/json", body)})
	req, _ := http.NewRequest("GET", "https://api.acme.dev/export", nil)
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sum, n, next, highest := sha256.New(), 0, 0, uint64(0)
	buf := make([]byte, 32<<10)
	for {
		k, err := resp.Body.Read(buf)
		sum.Write(buf[:k])
		if n += k; n > next || err != nil {
			next = n + 12<<20
			if files := b.found(early...); len(files) > 0 {
				t.Fatalf("after %d bytes a secret stands in %q", n, files)
			}
			for _, file := range b.found(late) {
				if !strings.HasPrefix(file, ".tapedeck/") {
					t.Errorf("after %d bytes what is not known yet stands in %s", n, file)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	resp.Body.Close()
	if want := sha256.Sum256([]byte(body)); n != len(body) || !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Errorf("the client got %d bytes, want %d", n, len(body))
	}
	if grown := int64(highest) - int64(before.HeapAlloc); grown > 48<<20 { // all of the body would be more
		t.Errorf("%d MiB more were in use", grown>>20)
	}
	if journal := b.names("test.journal"); len(journal) == 0 {
		t.Error("the client has the last byte, and no journal is there")
	}
	for _, file := range b.names(".pending") {
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	// The sweeper writes the body anew, soon, and removes the old one.
	for len(b.found(late)) > 0 {
		time.Sleep(50 * time.Millisecond)
	}
	b.close(d)
	if r := d.Report(); len(r.Refused)+len(r.Dropped) > 0 {
		t.Fatalf("refused: %q %q", r.Refused, r.Dropped)
	}
	if files := b.found(append(early, late)...); len(files) > 0 {
		t.Errorf("after the save a secret stands in %q", files)
	}
	if left := append(b.names(".pending"), b.names("partial-")...); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	want := strings.NewReplacer(atStart, "REDACTED-0001", late, "REDACTED-0002", atBorder, "REDACTED-0003", atWrites, "REDACTED-0004",
		base64.StdEncoding.EncodeToString([]byte("key="+atBorder)), "REDACTED-0005").Replace(body)
	replaying := b.open(deck.ReplayOnly, nil)
	for range 2 {
		resp, err := replaying.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != want {
			i := 0
			for i < len(got) && i < len(want) && got[i] == want[i] {
				i++
			}
			t.Fatalf("played %d bytes, want %d; they differ at %d: %q, want %q (%v)", len(got), len(want), i, got[max(0, i-50):min(len(got), i+50)], want[max(0, i-50):min(len(want), i+50)], err)
		}
		if resp.Trailer.Get("X-Sum") != "42" || resp.ContentLength != -1 {
			t.Errorf("trailer %v, length %d", resp.Trailer, resp.ContentLength)
		}
	}
	b.close(replaying)
}

// A recording that adds to a cassette keeps its large bodies, and gives them no new name.
func TestLargeAnswerStays(t *testing.T) {
	text := strings.Repeat("lorem ipsum dolor sit amet\n", 1+clean.LargeBody/27)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		io.WriteString(w, text)
	}))
	defer server.Close()
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{server})
	if _, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); got != text {
		t.Fatal("the client did not get it")
	}
	b.close(d)
	before := b.names(".bodies")
	d = b.open(deck.NewEpisodes, to{server})
	ask(t, d, "GET", "https://api.acme.dev/b?api_key="+atStart, "")
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	ask(t, d, "GET", "https://api.acme.dev/c", "")
	b.close(d)
	if after := b.names(".bodies"); len(after) != 2 || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("body files %q, then %q", before, after)
	}
	d = b.open(deck.ReplayOnly, nil)
	resp, got := ask(t, d, "GET", "https://api.acme.dev/c", "")
	if got != text || resp.ContentLength != int64(len(text)) || resp.Header.Get("Content-Length") != fmt.Sprint(len(text)) {
		t.Errorf("%d bytes, length %d", len(got), resp.ContentLength)
	}
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/a", "", "If-None-Match", `"other"`); resp.StatusCode != 200 || len(got) != len(text) {
		t.Errorf("%d, %d bytes", resp.StatusCode, len(got))
	}
	b.close(d)
}

// What somebody has put into a body file by hand is not played with its secrets.
func TestLargeAnswerIsCleanedWhenLoaded(t *testing.T) {
	text := strings.Repeat("lorem ipsum dolor sit amet\n", 1+clean.LargeBody/27)
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{serving(t, "text/plain", text)})
	ask(t, d, "GET", "https://api.acme.dev/a", "")
	b.close(d)
	old := b.names(string(filepath.Separator) + "sha256-")[0]
	dirty := text + "ghp_" + strings.Repeat("aB3dE5fG7h", 4) + "\n"
	sum := sha256.Sum256([]byte(dirty))
	name := "sha256-" + hex.EncodeToString(sum[:])
	file := strings.Replace(b.file(), filepath.Base(old), name, 1)
	if err := errors.Join(os.Remove(old), os.WriteFile(filepath.Join(filepath.Dir(old), name), []byte(dirty), 0o644),
		os.WriteFile(filepath.Join(b.dir, "test.yaml"), []byte(file), 0o644)); err != nil {
		t.Fatal(err)
	}
	d = b.open(deck.ReplayOnly, nil)
	if resp, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); resp.StatusCode != deck.StatusMiss || strings.Contains(got, "ghp_aB3") {
		t.Errorf("played: %d", resp.StatusCode)
	}
	b.close(d)
	d = b.open(deck.NewEpisodes, to{serving(t, "text/plain", "x"+strings.Repeat("y", 40))})
	if _, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); !strings.HasSuffix(got, "ghp_REDACTED-0000000001\n") {
		t.Errorf("while recording it plays …%q", got[max(0, len(got)-60):])
	}
	ask(t, d, "GET", "https://api.acme.dev/b", "")
	b.close(d)
	if files := b.found("ghp_aB3"); len(files) > 0 {
		t.Errorf("saved with its secret in %q", files)
	}
}

// A full disk or a body that cannot be redacted costs the recording, not the client.
func TestLargeAnswerThatCannotBeKept(t *testing.T) {
	text := strings.Repeat("lorem ipsum dolor sit amet\n", 2*clean.LargeBody/27)
	for _, tc := range []struct {
		name, contentType, body, why string
		space                        int
	}{
		{"full at once", "text/plain", text, "the disk is full", 0},
		{"full later", "text/plain", text, "the disk is full", 10 << 20},
		{"full at the end", "text/plain", text, "the disk is full", len(text) - 1},
		{"lengths", "application/grpc", text + " ghp_" + strings.Repeat("aB3dE5fG7h", 4) + " " + text, "value-github-token", 1 << 40},
		{"damaged coding", "gzip", text, "gzip", 1 << 40},
	} {
		b := newBench(t)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tc.contentType == "gzip" {
				w.Header().Set("Content-Encoding", "gzip")
			}
			w.Header().Set("Content-Type", tc.contentType)
			io.WriteString(w, tc.body)
		}))
		d := b.open(deck.RecordOnly, to{server}, func(o *deck.Options) { o.Store = &narrow{o.Store, tc.space} })
		if _, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); got != tc.body {
			t.Errorf("%s: the client got %d bytes, want %d", tc.name, len(got), len(tc.body))
		}
		if refused := strings.Join(d.Report().Refused, "\n"); !strings.Contains(refused, tc.why) || strings.Contains(refused, "aB3dE") {
			t.Errorf("%s: refused: %q", tc.name, refused)
		}
		if left := append(b.names("partial-"), b.names("sha256-")...); len(left) > 0 {
			t.Errorf("%s: left behind: %q", tc.name, left)
		}
		b.close(d)
		server.Close()
	}
}

// narrow is a store in which drafts find only some space, in bytes.
type narrow struct {
	cassettes.Store
	space int
}

func (s *narrow) Create(folder string) (cassettes.Draft, error) {
	d, err := s.Store.Create(folder)
	return &narrowDraft{d, s}, err
}

type narrowDraft struct {
	cassettes.Draft
	store *narrow
}

func (d *narrowDraft) Write(p []byte) (int, error) {
	if d.store.space -= len(p); d.store.space < 0 {
		return 0, syscall.ENOSPC
	}
	return d.Draft.Write(p)
}

// Who leaves in the middle of a large body leaves nothing behind; of a stream of events, its
// whole events.
func TestLargeAnswerThatIsLeft(t *testing.T) {
	event := "event: message\ndata: {\"id\":\"evt_1\",\"text\":\"lorem ipsum dolor sit amet\"}\n\n"
	events := strings.Repeat(event, 1+2*clean.LargeBody/len(event))
	for _, contentType := range []string{"text/plain", "text/event-stream"} {
		b := newBench(t)
		hold := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, events+event[:20])
			w.(http.Flusher).Flush()
			<-hold
		}))
		d := b.open(deck.RecordOnly, to{server})
		ctx, cancel := context.WithCancel(context.Background())
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.acme.dev/a", nil)
		resp, err := d.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, len(events)+20)); err != nil {
			t.Fatal(err)
		}
		cancel()
		resp.Body.Close()
		close(hold)
		server.Close()
		b.close(d)
		if left := b.names("partial-"); len(left) > 0 {
			t.Errorf("%s: left behind: %q", contentType, left)
		}
		if contentType == "text/plain" {
			if dropped := strings.Join(d.Report().Dropped, "\n"); !strings.Contains(dropped, "the client left") || len(b.names("sha256-")) > 0 {
				t.Errorf("dropped: %q, files %q", dropped, b.names("sha256-"))
			}
			continue
		}
		d = b.open(deck.ReplayOnly, nil)
		if _, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); got != events {
			t.Errorf("played %d bytes, want %d", len(got), len(events))
		}
		b.close(d)
	}
}

// A small compressed body may be a large one.
func TestLargeAnswerCompressed(t *testing.T) {
	body := largeJSON(clean.LargeBody + 1<<20)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, body)
	z.Close()
	if packed.Len() > clean.LargeBody {
		t.Fatalf("it has %d bytes", packed.Len())
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}))
	defer server.Close()
	b := newBench(t)
	d := b.open(deck.RecordOnly, to{server})
	if _, got := ask(t, d, "GET", "https://api.acme.dev/a", ""); got != packed.String() {
		t.Error("the client did not get what was sent")
	}
	b.close(d)
	if files := b.found(atStart, atBorder, atWrites, late); len(files) > 0 {
		t.Errorf("a secret stands in %q", files)
	}
	if files := b.names(string(filepath.Separator) + "sha256-"); len(files) != 1 {
		t.Errorf("body files %q", files)
	}
	d = b.open(deck.ReplayOnly, nil)
	resp, got := ask(t, d, "GET", "https://api.acme.dev/a", "")
	if resp.Header.Get("Content-Encoding") != "" || !strings.HasPrefix(got, `{"client_secret":"REDACTED-0001","note":"REDACTED-0002"`) {
		t.Errorf("played %v %.80q", resp.Header, got)
	}
	b.close(d)
}
