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
		return flate.NewReader(bytes.NewReader(raw)), nil
	},
}

// decode removes the Content-Encoding of a body. An empty body has none,
// whatever the header says (HEAD, 204, 304).
func (c *Cleaner) decode(h http.Header, body []byte) ([]byte, error) {
	limit := c.MaxDecoded
	if limit == 0 {
		limit = defaultMaxDecoded
	}
	codings := strings.Split(strings.Join(h.Values("Content-Encoding"), ","), ",")
	for i := len(codings) - 1; i >= 0; i-- {
		coding := strings.ToLower(strings.TrimSpace(codings[i]))
		if coding == "" || coding == "identity" || len(body) == 0 {
			continue
		}
		open, ok := decoders[coding]
		if !ok {
			return nil, errors.New("its Content-Encoding is not one of gzip, deflate, br, zstd, so it cannot be searched for secrets")
		}
		r, err := open(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("it is not valid %s, so it cannot be searched for secrets", coding)
		}
		decoded, err := io.ReadAll(io.LimitReader(r, limit+1))
		if z, ok := r.(*zstd.Decoder); ok {
			z.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("it is not valid %s, so it cannot be searched for secrets", coding)
		}
		if int64(len(decoded)) > limit {
			return nil, fmt.Errorf("it unfolds to more than %d bytes, so it cannot be searched for secrets", limit)
		}
		body = decoded
	}
	return body, nil
}
