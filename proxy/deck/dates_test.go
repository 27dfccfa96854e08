package deck_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tapedeck/proxy/deck"
)

// Recording again what came out the same changes no byte, on whatever day, until the
// recording is too old.
func TestDateStaysWithWhatStays(t *testing.T) {
	b := newBench(t)
	answers := map[string]string{"/a": "one", "/b": "two"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, answers[r.URL.Path])
	}))
	defer server.Close()
	record := func(day int) string {
		d := b.open(deck.RecordOnly, to{server}, func(o *deck.Options) {
			o.Now = func() time.Time { return time.Date(2026, 1, day, 9, 0, 0, 0, time.UTC) }
			o.MaxAge = 10 * 24 * time.Hour
		})
		for _, path := range []string{"/a", "/b"} {
			ask(t, d, "POST", "https://api.acme.dev"+path, "a=1", "Content-Type", formType, "Authorization", keyA)
		}
		b.close(d)
		return b.file()
	}
	first := record(1)
	if strings.Count(first, "2026-01-01") != 2 {
		t.Fatalf("not recorded on the first day:\n%s", first)
	}
	if again := record(2); again != first {
		t.Errorf("recording the same again on another day changed the file:\n%s", again)
	}
	answers["/b"] = "three"
	if changed := record(3); strings.Count(changed, "2026-01-01") != 1 || strings.Count(changed, "2026-01-03") != 1 {
		t.Errorf("what changed has not alone got the new day:\n%s", changed)
	}
	if renewed := record(12); strings.Count(renewed, "2026-01-12") != 1 || strings.Count(renewed, "2026-01-03") != 1 {
		t.Errorf("what was too old has not alone got the new day:\n%s", renewed)
	}
}
