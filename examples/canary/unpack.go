package canary

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"io"
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	maxDepth    = 3       // of what is packed in what is packed
	maxUnpacked = 8 << 20 // bytes that one packed part may unfold to
)

// uncompress calls inside for every compressed part that begins anywhere in data,
// and reports whether any call found something. whole says that data may be one
// part of the kinds that begin with nothing special.
func uncompress(data []byte, whole bool, inside func(how string, inner []byte, whole bool) bool) (found bool) {
	report := func(how string, r io.Reader) {
		// What can be read is: a part that is cut short tells as much.
		if inner, _ := io.ReadAll(io.LimitReader(r, maxUnpacked)); len(inner) > 0 && inside(how, inner, true) {
			found = true
		}
	}
	for _, kind := range []struct {
		how, magic string
		open       func(io.Reader) (io.Reader, error)
	}{
		{"gzip", "\x1f\x8b\x08", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"zstd", "\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
		}},
		{"zlib", "\x78\x01", openZlib}, {"zlib", "\x78\x5e", openZlib}, {"zlib", "\x78\x9c", openZlib}, {"zlib", "\x78\xda", openZlib},
	} {
		for start := 0; ; start++ {
			i := bytes.Index(data[start:], []byte(kind.magic))
			if i < 0 {
				break
			}
			start += i
			if r, err := kind.open(bytes.NewReader(data[start:])); err == nil {
				report(kind.how, r)
				if z, ok := r.(*zstd.Decoder); ok {
					z.Close()
				}
			}
		}
	}
	if whole && len(data) > 0 && !looksLikeText(data) {
		br := brotliReaders.Get().(*brotli.Reader)
		if br.Reset(bytes.NewReader(data)) == nil {
			report("br", br)
		}
		brotliReaders.Put(br)
		inflate := flateReaders.Get().(io.ReadCloser)
		if inflate.(flate.Resetter).Reset(bytes.NewReader(data), nil) == nil {
			report("deflate", inflate)
		}
		flateReaders.Put(inflate)
	}
	return found
}

// fromBase64 calls inside for what a run of base64 says, in lines or not.
func fromBase64(run []byte, inside func(how string, inner []byte, whole bool) bool) (found bool) {
	text := make([]byte, 0, len(run))
	for _, c := range run {
		switch c {
		case ' ', '\n', '\r', '\t':
			continue
		case '-':
			c = '+'
		case '_':
			c = '/'
		}
		text = append(text, c)
	}
	// What stands before it may be of the same alphabet.
	for skip := range 4 {
		aligned := text[min(skip, len(text)):]
		if len(aligned)%4 == 1 {
			aligned = aligned[:len(aligned)-1]
		}
		inner := make([]byte, base64.RawStdEncoding.DecodedLen(len(aligned)))
		if n, err := base64.RawStdEncoding.Decode(inner, aligned); err == nil && inside("base64", inner[:n], skip == 0) {
			found = true
		}
	}
	return found
}

func openZlib(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

// Making these anew for each run of letters would be most of the work.
var (
	brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	flateReaders  = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

// base64Run finds text that may be base64, on one line or on several, indented
// ones too. A line feed may stand there escaped.
var base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}(?:\s*\n\s*[A-Za-z0-9+/_-]{4,})*`)

func looksLikeText(data []byte) bool {
	sample := data[:min(len(data), 512)]
	for i := 0; i < len(sample); {
		r, size := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && size == 1 && i+utf8.UTFMax < len(sample) || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		i += size
	}
	return true
}

// squeeze leaves out white space, also where it is written as \n or \r, so that
// text in lines becomes one.
func squeeze(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		case c == '\\' && i+1 < len(data) && (data[i+1] == 'n' || data[i+1] == 'r' || data[i+1] == '\n'):
			i++
		default:
			out = append(out, c)
		}
	}
	return out
}
