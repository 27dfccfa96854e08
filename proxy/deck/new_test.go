package deck_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapedeck/proxy/deck"
)

// inFolder makes a folder with a tapedeck.yaml the working folder.
func inFolder(t *testing.T, configuration string) {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, ".git"), 0o755),
		os.WriteFile(filepath.Join(dir, "tapedeck.yaml"), []byte(configuration), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func newDeck(t *testing.T, opt deck.Options) *deck.Deck {
	t.Helper()
	d, err := deck.New("tapes/api.yaml", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(deck.Outcome{}) })
	return d
}

func closeDeck(t *testing.T, d *deck.Deck) {
	t.Helper()
	if err := d.Close(deck.Outcome{}); err != nil {
		t.Fatal(err)
	}
}

func post(t *testing.T, d *deck.Deck, url, body string) (int, string) {
	t.Helper()
	resp, err := (&http.Client{Transport: d}).Post(url, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

func TestNewReadsTheConfiguration(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("ACME_TOKEN", "zk8qX2mV9tR4wB7nL3pD")
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, "%d", n)
	}))
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "live") }))
	defer other.Close()
	host := strings.TrimPrefix(other.URL, "http://")
	inFolder(t, "rules:\n  - on: POST 127.0.0.1/orders\n    ignore: [body.run]\nhosts:\n  passthrough: ['"+host+"']\n")

	d := newDeck(t, deck.Options{})
	if d.Mode() != deck.RecordOnly {
		t.Errorf("mode %s, want %s", d.Mode(), deck.RecordOnly)
	}
	if status, body := post(t, d, api.URL+"/orders", "run=1&token=zk8qX2mV9tR4wB7nL3pD"); status != 200 || body != "1" {
		t.Errorf("recording: %d %s", status, body)
	}
	if _, body := post(t, d, other.URL, "a=1"); body != "live" {
		t.Errorf("a host under passthrough answered %q", body)
	}
	closeDeck(t, d)
	api.Close()

	t.Setenv("CI", "true")
	d = newDeck(t, deck.Options{})
	if d.Mode() != deck.ReplayOnly {
		t.Errorf("mode %s, want %s", d.Mode(), deck.ReplayOnly)
	}
	if status, body := post(t, d, api.URL+"/orders", "run=2&token=zk8qX2mV9tR4wB7nL3pD"); status != 200 || body != "1" {
		t.Errorf("playing: %d %s", status, body)
	}
	if _, body := post(t, d, other.URL, "a=1"); body != "live" {
		t.Errorf("in replay a host under passthrough answered %q", body)
	}
	if status, _ := post(t, d, api.URL+"/other", "a=1"); status != deck.StatusMiss {
		t.Errorf("status %d, want a miss", status)
	}
	if got := d.Report(); got.Played != 1 || len(got.Misses) != 1 {
		t.Errorf("%d played, %d missed, want 1 and 1", got.Played, len(got.Misses))
	}
	data, err := os.ReadFile("tapes/api.yaml")
	if err != nil || strings.Contains(string(data), "zk8qX2mV9tR4wB7nL3pD") || !strings.Contains(string(data), "ACME_TOKEN") {
		t.Errorf("the cassette does not name the variable (%v):\n%s", err, data)
	}
}

func TestNewFails(t *testing.T) {
	inFolder(t, "rules: []\n")
	t.Setenv("CI", "1")
	var missing *deck.MissingError
	if _, err := deck.New("absent.yaml", deck.Options{}); !errors.As(err, &missing) {
		t.Errorf("error %v, want a MissingError", err)
	}
	if _, err := deck.New("absent", deck.Options{}); err == nil || !strings.Contains(err.Error(), ".yaml") {
		t.Errorf("error %v, want one about the name's end", err)
	}
	inFolder(t, "rulez: []\n")
	if _, err := deck.New("absent.yaml", deck.Options{}); err == nil || !strings.Contains(err.Error(), "tapedeck.yaml:1") {
		t.Errorf("error %v, want one with file and line", err)
	}
}

// A program that looks at the status alone and closes the body has been answered.
func TestNewTakesAClosedBodyForReceived(t *testing.T) {
	t.Setenv("CI", "")
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.WriteHeader(200 + n)
		io.WriteString(w, strings.Repeat("x", 100_000))
	}))
	inFolder(t, "rules: []\n")
	statuses := func(d *deck.Deck) (list []int) {
		for range 2 {
			resp, err := (&http.Client{Transport: d}).Post(api.URL, "text/plain", strings.NewReader("a"))
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			list = append(list, resp.StatusCode)
		}
		return list
	}
	for _, what := range []string{"recording", "playing"} {
		d := newDeck(t, deck.Options{})
		if got := statuses(d); got[0] != 201 || got[1] != 202 {
			t.Errorf("%s: statuses %v, want 201 and 202", what, got)
		}
		if r := d.Report(); r.Recorded+r.Played != 2 || len(r.Dropped) > 0 {
			t.Errorf("%s: %d recorded, %d played, dropped %q", what, r.Recorded, r.Played, r.Dropped)
		}
		closeDeck(t, d)
	}
	if n != 2 {
		t.Errorf("the API was asked %d times, want 2", n)
	}
}
