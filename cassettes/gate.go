package cassettes

import (
	"maps"
	"net/http"
	"slices"

	"tapedeck/cassettes/clean"
)

// check is the gate before every write: it searches the bytes as they will be
// read back, part by part, for whatever the vault knows to be secret. A large body
// has been searched while it was written, and is again before it is saved.
func (c *Cassette) check(s clean.Stored) error {
	scope := s.Scope()
	for place, text := range parts(s) {
		if err := c.cleaner.Vault.CheckIn(scope, place, text); err != nil {
			return err
		}
	}
	return nil
}

// parts yields every part of an interaction that came from the traffic, with
// its place. Headers come as "Name: value" lines.
func parts(s clean.Stored) func(yield func(place string, text []byte) bool) {
	return func(yield func(string, []byte) bool) {
		header := func(place string, h http.Header) bool {
			if len(h) == 0 {
				return true
			}
			var lines []byte
			for _, name := range slices.Sorted(maps.Keys(h)) {
				for _, v := range h[name] {
					lines = append(append(append(append(lines, name...), ": "...), v...), '\n')
				}
			}
			return yield(place, lines)
		}
		body := func(place string, b []byte) bool { return len(b) == 0 || yield(place, b) }
		if !yield("request line", []byte(s.Method+" "+s.URL)) ||
			!header("request headers", s.RequestHeader) ||
			!header("request trailers", s.RequestTrailer) ||
			!body("request body", s.RequestBody) ||
			!yield("status line", []byte(s.StatusText)) ||
			!header("response headers", s.ResponseHeader) ||
			!header("response trailers", s.ResponseTrailer) ||
			!body("response body", s.ResponseBody) {
			return
		}
		for _, info := range s.Informational {
			if !header("informational headers", info.Header) {
				return
			}
		}
	}
}
