package deck

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// errTooLarge says that a request body is over the limit.
var errTooLarge = errors.New("request body over the limit")

// take reads the whole request body and closes it.
func (d *Deck) take(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	if req.ContentLength > d.opt.MaxBody {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, d.opt.MaxBody+1))
	if tooLarge(err) || int64(len(body)) > d.opt.MaxBody {
		return nil, errTooLarge
	}
	return body, err
}

// takeFailed answers a request whose body could not be taken: 413 when it is
// too large; an error when the client broke off, since nobody is there to answer.
func (d *Deck) takeFailed(req *http.Request, err error) (*http.Response, error) {
	if errors.Is(err, errTooLarge) {
		d.report.refuse(fmt.Sprintf("%s: request body over %s", d.where(req), size(d.opt.MaxBody)))
		return d.problem(req, http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"the request body is larger than %s; raise the limit with --max-body", size(d.opt.MaxBody))), nil
	}
	return nil, fmt.Errorf("the client broke off while sending its request: %w", err)
}

func tooLarge(err error) bool {
	var max *http.MaxBytesError
	return errors.Is(err, errTooLarge) || errors.As(err, &max)
}

// A bodyTap copies a request body while the upstream transport reads it.
type bodyTap struct {
	body  io.ReadCloser
	limit int64
	want  int64  // Content-Length, -1 when unknown
	whole func() // called once, when the last byte has been read

	mu   sync.Mutex
	buf  []byte
	end  bool
	over bool
}

func (t *bodyTap) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(len(t.buf)+n) > t.limit || tooLarge(err) {
		t.over = true
		return 0, errTooLarge
	}
	t.buf = append(t.buf, p[:n]...)
	if (err == io.EOF || t.want >= 0 && int64(len(t.buf)) == t.want) && !t.end {
		t.end = true
		t.whole()
	}
	return n, err
}

func (t *bodyTap) Close() error { return t.body.Close() }

// taken returns the body, if all of it has passed.
func (t *bodyTap) taken() ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf, t.end
}

func (t *bodyTap) tooLarge() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.over
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
