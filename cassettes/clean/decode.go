package clean

import (
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
			return nil, fmt.Errorf("it unfolds to more than %d bytes", most)
		}
		body = decoded
	}
	return body, nil
}

func (c *Cleaner) decode(h http.Header, body []byte) ([]byte, error) {
	decoded, err := Decode(h.Values("Content-Encoding"), body, c.MaxDecoded)
	if err != nil {
		return nil, fmt.Errorf("%w, so it cannot be searched for secrets", err)
	}
	return decoded, nil
}
