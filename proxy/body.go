package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// requestBody is the client's body as the Transport reads it. It remembers how
// reading ended, since a Transport's error does not say whose fault it was, and
// it brings trailers over once they have arrived.
type requestBody struct {
	limited  io.ReadCloser
	from, to *http.Request
	tooLarge atomic.Bool
	broken   atomic.Bool // the client sent less than it announced, or nonsense
	closed   atomic.Bool
	begun    atomic.Bool // something of it has been asked for
	ended    atomic.Bool // it has been read to its end
}

// maxUnread is how much of a body that nobody read is taken off a connection to
// keep it, in bytes: as much as net/http takes.
const maxUnread = 256 << 10

// newRequestBody wraps the body of from as to.Body. http.MaxBytesReader gets no
// ResponseWriter: it would write to its headers while the answer is written.
func newRequestBody(from, to *http.Request, limit int64) *requestBody {
	b := &requestBody{limited: http.MaxBytesReader(nil, from.Body, limit), from: from, to: to}
	to.Body = b
	return b
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.begun.Store(true)
	n, err := b.limited.Read(p)
	var limit *http.MaxBytesError
	switch {
	case err == nil:
	case err == io.EOF:
		b.ended.Store(true)
		// Announced trailers share one map. Others exist only from now on.
		if b.to.Trailer == nil {
			b.to.Trailer = b.from.Trailer
		}
	case errors.As(err, &limit):
		b.tooLarge.Store(true)
	default:
		b.broken.Store(true)
	}
	return n, err
}

// Close lets no later Read through. The client's body itself is net/http's to
// close: closing it here would wait for what the client has yet to send.
func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

// finish takes off an HTTP/1 connection what was not read of the body, after the
// answer. net/http would do so when the handler has returned; but then, with full
// duplex, the end of the body starts a read that meets the one of the next request:
// net/http panics and closes the connection, and a POST that is on its way is lost.
func (b *requestBody) finish(w http.ResponseWriter) {
	if b.from == nil || b.from.ProtoMajor != 1 || b.ended.Load() || b.broken.Load() || b.tooLarge.Load() {
		return
	}
	if b.from.Header.Get("Expect") != "" && !b.begun.Load() {
		return // the client was never told to send it; net/http closes the connection
	}
	if w.Header().Get("Content-Length") == "" {
		return // the answer's last chunk comes after the handler, and the client may wait for it
	}
	// Some want the answer before they send the rest.
	if http.NewResponseController(w).Flush() == nil {
		io.CopyN(io.Discard, b.from.Body, maxUnread) // what is left then closes the connection
	}
}

func tooLarge(limit int64) string {
	size := fmt.Sprintf("%d bytes", limit)
	if limit%(1<<20) == 0 {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return "the request's body is larger than " + size + "; raise the limit with --max-body, or pass the host with --passthrough"
}
