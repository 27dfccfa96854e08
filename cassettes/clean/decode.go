package clean

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const defaultMaxDecoded = 256 << 20

// decoders lists the content codings (RFC 9110, section 8.4.1) that can be
// removed. "x-gzip" is the old name of gzip; "deflate" is zlib by the RFC and raw
// deflate from some servers.
var decoders = map[string]func(io.Reader) (io.Reader, error){
	"gzip":   func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"x-gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"br":     func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	"zstd": func(r io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(defaultMaxDecoded))
	},
	"deflate": func(r io.Reader) (io.Reader, error) {
		raw, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if z, err := zlib.NewReader(bytes.NewReader(raw)); err == nil {
			return z, nil
		}
		rest := bytes.NewReader(raw)
		return &wholeReader{flate.NewReader(rest), rest}, nil
	},
}

// A wholeReader wants its source used up at the end. Raw deflate has neither a
// header nor a sum, so plain text can look like some.
type wholeReader struct {
	io.Reader
	rest *bytes.Reader
}

func (r *wholeReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF && r.rest.Len() > 0 {
		err = errors.New("something follows the end")
	}
	return n, err
}

// ErrCoding says that a body has a content coding that Decode does not know.
var ErrCoding = errors.New("its Content-Encoding is not one of gzip, deflate, br, zstd")

var errUnfolds = errors.New("it unfolds to more")

// ErrLarge says that the body of an answer is larger than LargeBody once its
// Content-Encoding is removed.
var ErrLarge = errors.New("the body is too large to be held")

// Decode removes from a body the codings that the values of its
// Content-Encoding name. An empty body has none, whatever they say (HEAD, 204,
// 304). most bounds what the body may unfold to, in bytes; 0 means 256 MiB. The
// error is ErrCoding or says that the body is not what the header calls it.
func Decode(encodings []string, body []byte, most int64) ([]byte, error) {
	if most == 0 {
		most = defaultMaxDecoded
	}
	codings := strings.Split(strings.Join(encodings, ","), ",")
	for i := len(codings) - 1; i >= 0; i-- {
		coding := strings.ToLower(strings.TrimSpace(codings[i]))
		if coding == "" || coding == "identity" || len(body) == 0 {
			continue
		}
		open, ok := decoders[coding]
		if !ok {
			return nil, ErrCoding
		}
		r, err := open(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("it is not valid %s", coding)
		}
		decoded, err := io.ReadAll(io.LimitReader(r, most+1))
		if z, ok := r.(*zstd.Decoder); ok {
			z.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("it is not valid %s", coding)
		}
		if int64(len(decoded)) > most {
			return nil, fmt.Errorf("%w than %d bytes", errUnfolds, most)
		}
		body = decoded
	}
	return body, nil
}

// decodeAnswer is decode for an answer.
func (c *Cleaner) decodeAnswer(h http.Header, body []byte) ([]byte, error) {
	if h.Get("Content-Encoding") == "" || c.MaxDecoded != 0 && c.MaxDecoded <= LargeBody {
		return c.decode(h, body)
	}
	decoded, err := Decode(h.Values("Content-Encoding"), body, LargeBody)
	switch {
	case errors.Is(err, errUnfolds):
		return nil, ErrLarge
	case err != nil:
		return nil, fmt.Errorf("%w, so it cannot be searched for secrets", err)
	}
	return decoded, nil
}

// A codingError says that a body is not what its Content-Encoding calls it.
type codingError struct{ reason string }

func (e *codingError) Error() string { return e.reason }

// mostFolded is how many times its length a body may unfold to, once it is larger than
// what may be unfolded in memory. Text seldom shrinks to less than a twentieth.
const mostFolded = 100

// decodeStream is Decode for a body that streams. It may unfold to more than most
// bytes, as nothing is held, but then not to more than mostFolded times its
// length. The error, also of the reader, is ErrCoding or a *codingError, or that of from.
func decodeStream(encodings []string, from io.Reader, most int64) (body io.Reader, end func(), err error) {
	if most == 0 {
		most = defaultMaxDecoded
	}
	end = func() {}
	source := &counted{from: from}
	body = source
	codings := strings.Split(strings.Join(encodings, ","), ",")
	for i := len(codings) - 1; i >= 0; i-- {
		coding := strings.ToLower(strings.TrimSpace(codings[i]))
		if coding == "" || coding == "identity" {
			continue
		}
		open, ok := streamDecoders[coding]
		if !ok {
			return nil, end, ErrCoding
		}
		r, err := open(bufio.NewReader(body))
		if err != nil {
			return nil, end, &codingError{fmt.Sprintf("it is not valid %s", coding)}
		}
		if z, ok := r.(*zstd.Decoder); ok {
			end = z.Close
		}
		body = &unfolding{r: r, coding: coding, source: source, most: most}
	}
	return body, end, nil
}

// streamDecoders are the decoders for bodies that are not held in memory.
var streamDecoders = map[string]func(*bufio.Reader) (io.Reader, error){
	"gzip":   func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"x-gzip": func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"br":     func(r *bufio.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	"zstd": func(r *bufio.Reader) (io.Reader, error) {
		// RFC 9659: in HTTP a window is no larger than 8 MiB.
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	},
	"deflate": func(r *bufio.Reader) (io.Reader, error) {
		// A zlib header is a multiple of 31 and names method 8 (RFC 1950).
		if head, err := r.Peek(2); err == nil && head[0]&0xf == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		return &wholeStream{flate.NewReader(r), r}, nil
	},
}

// A wholeStream is a wholeReader of a source that streams.
type wholeStream struct {
	io.Reader
	rest *bufio.Reader
}

func (r *wholeStream) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		if _, more := r.rest.Peek(1); more == nil {
			err = errors.New("something follows the end")
		}
	}
	return n, err
}

// counted counts what comes from a reader and keeps its error apart.
type counted struct {
	from io.Reader
	n    int64
	err  error // but io.EOF
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// unfolding is a body of which a coding is being removed.
type unfolding struct {
	r      io.Reader
	coding string
	source *counted
	n      int64
	most   int64
}

func (u *unfolding) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	switch {
	case err != nil && err != io.EOF && u.source.err != nil:
		return n, u.source.err
	case err != nil && err != io.EOF:
		return n, &codingError{fmt.Sprintf("it is not valid %s", u.coding)}
	case u.n > u.most && u.n > mostFolded*u.source.n:
		return n, &codingError{fmt.Sprintf("it unfolds to more than %d times its length", mostFolded)}
	}
	return n, err
}

func (c *Cleaner) decode(h http.Header, body []byte) ([]byte, error) {
	decoded, err := Decode(h.Values("Content-Encoding"), body, c.MaxDecoded)
	if err != nil {
		return nil, fmt.Errorf("%w, so it cannot be searched for secrets", err)
	}
	return decoded, nil
}
