package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tapedeck/cassettes/diff"
)

func TestReviewAnswersItsOwnPageOnly(t *testing.T) {
	s := newReviewServer(func(context.Context) (diff.Diff, string, error) { return diff.Diff{}, "", nil }, "127.0.0.1:4321")
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path, remote, host string
		header                           [2]string
		want                             int
	}{
		{name: "its own address", want: 200},
		{name: "localhost", host: "localhost:4321", want: 200},
		{name: "without a body", method: "HEAD", want: 200},
		{name: "typed by the user", header: [2]string{"Sec-Fetch-Site", "none"}, want: 200},
		{name: "its own origin", header: [2]string{"Origin", "http://127.0.0.1:4321"}, want: 200},
		{name: "another path", path: "/other", want: 404},
		{name: "a favicon", path: "/favicon.ico", want: 404},
		{name: "another method", method: "POST", want: 405},
		{name: "a name that was made to resolve here", host: "evil.example:4321", want: 403},
		{name: "another port", host: "127.0.0.1:80", want: 403},
		{name: "no port", host: "127.0.0.1", want: 403},
		{name: "no host", host: " ", want: 403},
		{name: "another origin", header: [2]string{"Origin", "http://evil.example"}, want: 403},
		{name: "an opaque origin", header: [2]string{"Origin", "null"}, want: 403},
		{name: "another site", header: [2]string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		{name: "another port of this machine", header: [2]string{"Sec-Fetch-Site", "same-site"}, want: 403},
		{name: "another site's events", path: "/events", header: [2]string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		{name: "another machine", remote: "192.0.2.7:99", want: 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(or(c.method, "GET"), or(c.path, "/"), nil)
			r.RemoteAddr, r.Host = or(c.remote, "127.0.0.1:5555"), or(c.host, "127.0.0.1:4321")
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
			if w.Code == 200 && (w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Cache-Control") != "no-store") {
				t.Errorf("headers %v", w.Header())
			}
			if strings.Contains(w.Body.String(), "<html") && c.want != 200 {
				t.Error("a refusal shows the page")
			}
		})
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return strings.TrimSpace(a)
}

// An open page hears of every new report, of a state that cannot be read, and of the
// recovery from it; the last report stays in sight meanwhile.
func TestReviewTellsOpenPages(t *testing.T) {
	var file atomic.Pointer[string]
	var fault atomic.Pointer[error]
	name := "first.yaml"
	file.Store(&name)
	server := httptest.NewUnstartedServer(nil)
	s := newReviewServer(func(context.Context) (diff.Diff, string, error) {
		if err := fault.Load(); err != nil {
			return diff.Diff{}, "", *err
		}
		return diff.Diff{Files: []diff.File{{New: *file.Load()}}}, "HEAD and here", nil
	}, server.Listener.Addr().String())
	server.Config.Handler = s
	server.Start()
	t.Cleanup(server.Close)
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	next := func() string {
		t.Helper()
		for lines.Scan() {
			if version, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return version
			}
		}
		t.Fatal("the events have ended")
		return ""
	}
	page := func() string {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", server.Listener.Addr().String()
		s.ServeHTTP(w, r)
		return w.Body.String()
	}
	first := next()
	if !strings.Contains(page(), `data-version="`+first+`"`) {
		t.Errorf("the page is not of version %s", first)
	}
	if err := s.refresh(t.Context()); err != nil || s.version != first {
		t.Errorf("the same report has another version %s, %v", s.version, err)
	}
	broken := errors.New("cassette first.yaml:3: it ends in the middle")
	fault.Store(&broken)
	if err := s.refresh(t.Context()); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	second := next()
	if got := page(); second == first || !strings.Contains(got, "it ends in the middle") || !strings.Contains(got, "first.yaml</a>") {
		t.Error("the page does not show the fault above the last report")
	}
	fault.Store(nil)
	name = "second.yaml"
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if third, got := next(), page(); third == second || strings.Contains(got, "it ends in the middle") || !strings.Contains(got, "second.yaml</a>") {
		t.Error("the page does not recover")
	}
}

func TestReviewWatchesFoldersThatComeLater(t *testing.T) {
	dir := t.TempDir()
	// Not there yet: the parent is watched.
	folder := filepath.Join(dir, "cassettes")
	changed := make(chan struct{}, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	ready := make(chan struct{})
	go func() {
		ended <- watch(ctx, []string{folder}, func() { close(ready) }, func() { changed <- struct{}{} })
	}()
	<-ready
	wait := func(what string) {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s was not noticed", what)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(folder, "users"), 0o755))
	wait("a new folder")
	must(os.WriteFile(filepath.Join(folder, "users", "ada.yaml"), []byte("version: 2\n"), 0o644))
	wait("a file in a folder below it")
	must(os.WriteFile(filepath.Join(folder, "users", "other.yaml"), nil, 0o644))
	must(os.Rename(filepath.Join(folder, "users", "other.yaml"), filepath.Join(folder, "users", "ada.yaml")))
	wait("a file that replaces another")
	must(os.RemoveAll(filepath.Join(folder, "users")))
	wait("a folder that is gone")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
