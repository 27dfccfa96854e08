package cassettes

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// codings lists the content codings that other recorders leave on a body.
var codings = map[string]func(io.Reader) (io.Reader, error){
	"gzip":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"x-gzip":  func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"br":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	"deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
	"zstd": func(r io.Reader) (io.Reader, error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostDecoded))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	},
}

// mostDecoded bounds what a compressed body in a file may unfold to, in bytes.
const mostDecoded = 256 << 20

// decodeContent removes the Content-Encoding that a file of another recorder
// still names. go-vcr stores a body as the program got it: compressed when the
// program asked for gzip itself, plain when net/http had decoded it and a hook or
// another tool left the header. In both cases the body is plain afterwards and
// the header is gone; an unknown coding leaves both as they are.
func decodeContent(h http.Header, body []byte) []byte {
	coding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding")))
	if len(body) == 0 || coding == "" {
		return body
	}
	open, ok := codings[coding]
	if !ok && coding != "identity" {
		return body
	}
	h.Del("Content-Encoding")
	if !ok {
		return body
	}
	r, err := open(bytes.NewReader(body))
	if err != nil {
		return body
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	plain, err := io.ReadAll(io.LimitReader(r, mostDecoded+1))
	if err != nil || len(plain) > mostDecoded {
		return body
	}
	return plain
}
