package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/diff/render"
)

// A reviewServer serves the newest report as a page, and tells the pages that are
// open when there is a newer one.
type reviewServer struct {
	compare func(context.Context) (d diff.Diff, title string, err error)
	// names are the Hosts under which it answers: those of the listener's own address.
	names []string

	mu      sync.Mutex
	last    diff.Diff // of the last comparison that worked
	title   string
	version string // names last
	page    []byte
	open    map[chan struct{}]bool // pages that are to look again
}

func newReviewServer(compare func(context.Context) (diff.Diff, string, error), address string) *reviewServer {
	return &reviewServer{compare: compare, names: ownAddresses(address), open: make(map[chan struct{}]bool)}
}

// ownAddresses are the names that a browser on this machine has for a loopback address.
func ownAddresses(address string) []string {
	port := address[strings.LastIndexByte(address, ':'):]
	return []string{address, "localhost" + port}
}

// refresh compares again. What was shown stays when the new state cannot be read; the
// page then says why. The error is that of the comparison.
func (s *reviewServer) refresh(ctx context.Context) error {
	d, title, fault := s.compare(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	said := ""
	if fault != nil {
		d, title, said = s.last, s.title, fault.Error()
	}
	// The version is a digest of the page itself, made without a version.
	page, err := writeReview(d, title, said, "0")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(page)
	version := hex.EncodeToString(sum[:8])
	if version == s.version {
		return fault
	}
	if s.page, err = writeReview(d, title, said, version); err != nil {
		return err
	}
	s.last, s.title, s.version = d, title, version
	for page := range s.open {
		select {
		case page <- struct{}{}:
		default: // it is about to look anyway
		}
	}
	return fault
}

func writeReview(d diff.Diff, title, fault, version string) ([]byte, error) {
	var page bytes.Buffer
	err := render.Page{Title: title, Live: version, Fault: fault}.Write(&page, d)
	return page.Bytes(), err
}

func (s *reviewServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := s.refuses(r); fault != "" {
		http.Error(w, fault, http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "frame-ancestors 'none'") // the page's own policy says the rest
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the review only answers GET and HEAD", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		s.mu.Lock()
		page := s.page
		s.mu.Unlock()
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page) // an error is the browser's, who has left
	case r.URL.Path == "/events" && r.Method == http.MethodGet:
		s.tell(w, r)
	default:
		http.NotFound(w, r)
	}
}

// refuses says why a request is not answered: it comes from another machine, from
// another site's page, or under a name that such a page made resolve to here (DNS
// rebinding).
func (s *reviewServer) refuses(r *http.Request) string {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case !fromHere(r.RemoteAddr):
		return "the review answers this machine only; open it from here"
	case !slices.Contains(s.names, strings.ToLower(r.Host)):
		return "the review has no such host name; open the URL that tapedeck review printed"
	case origin != "" && origin != "http://"+r.Host, site != "" && site != "same-origin" && site != "none":
		return "the review does not answer other sites; open the URL that tapedeck review printed in the browser"
	}
	return ""
}

// heartbeat keeps a connection that nothing happens on from being closed on the way.
const heartbeat = 15 * time.Second

// tell writes server-sent events to a page until it goes: which version is the newest,
// now and when that changes.
func (s *reviewServer) tell(w http.ResponseWriter, r *http.Request) {
	again := make(chan struct{}, 1)
	s.mu.Lock()
	s.open[again] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, again)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	connection := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		s.mu.Lock()
		version := s.version
		s.mu.Unlock()
		if _, err := fmt.Fprintf(w, "event: version\ndata: %s\n\n", version); err != nil {
			return
		}
		if connection.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-again:
		case <-beat.C:
		}
	}
}
