package cassettes

import (
	"errors"
	"net/http"

	"tapedeck/cassettes/clean"
)

// decodeContent removes the Content-Encoding that a file of another recorder
// still names. go-vcr stores a body as the program got it: compressed when the
// program asked for gzip itself, plain when net/http had decoded it and a hook or
// another tool left the header. In both cases the body is plain afterwards and
// the header is gone; an unknown coding leaves both as they are.
func decodeContent(h http.Header, body []byte) []byte {
	if len(body) == 0 || h.Get("Content-Encoding") == "" {
		return body
	}
	plain, err := clean.Decode(h.Values("Content-Encoding"), body, 0)
	if errors.Is(err, clean.ErrCoding) {
		return body
	}
	h.Del("Content-Encoding")
	if err != nil {
		return body
	}
	return plain
}
