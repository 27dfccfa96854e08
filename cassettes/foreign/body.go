package foreign

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tapedeck/cassettes/clean"
)

// A body knows how its bytes stand in the file.
type body struct {
	wrap wrap
	// codings are the content codings that were removed, outermost last.
	codings []string
	wire    []byte // as it was read, before the codings were removed
	wireNow []byte // as it will be written; nil when nothing has changed
}

// A wrap says how bytes are written as a scalar.
type wrap uint8

const (
	asIs wrap = iota
	asBase64
	asHex
	asBase64List // Polly.js: a JSON array of pieces, in a string
	asHexList
)

func (b *body) encoded() bool { return b.wrap != asIs || len(b.codings) > 0 }

// newBody takes the encodings of a body off. The error says why it cannot be looked
// into; text is then what there is.
func newBody(value string, w wrap, header http.Header) (b *body, plain string, opaque error) {
	b = &body{wrap: w}
	wire, err := unwrap(value, &b.wrap)
	if err != nil {
		b.wrap, b.wire = asIs, []byte(value)
		return b, value, err
	}
	b.wire = wire
	names := header.Values("Content-Encoding")
	if len(wire) == 0 || len(names) == 0 {
		return b, string(wire), nil
	}
	decoded, err := clean.Decode(names, wire, 0)
	switch {
	case err == nil && !bytes.Equal(decoded, wire):
		for _, c := range strings.Split(strings.Join(names, ","), ",") {
			if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
				b.codings = append(b.codings, c)
			}
		}
		return b, string(decoded), nil
	case err == nil, utf8.Valid(wire): // most recorders decode, and leave the header
		return b, string(wire), nil
	case errors.Is(err, clean.ErrCoding):
		return b, string(wire), err
	}
	return b, string(wire), fmt.Errorf("its Content-Encoding says what it is not, and it is no text")
}

// unwrap removes base64 and the like. It corrects w where the value shows that it is
// written in another way.
func unwrap(value string, w *wrap) ([]byte, error) {
	if *w == asBase64 && strings.HasPrefix(strings.TrimSpace(value), "[") {
		*w = asBase64List
	}
	switch *w {
	case asBase64:
		raw, err := decodeBase64(value)
		if err != nil {
			return nil, errors.New("it is marked as base64 and is not")
		}
		return raw, nil
	case asHex:
		raw, err := hex.DecodeString(value)
		if err != nil {
			return nil, errors.New("it is marked as hexadecimal and is not")
		}
		return raw, nil
	case asBase64List, asHexList:
		pieces, ok := stringList(value)
		if !ok {
			return nil, errors.New("it is marked as a list of pieces and is not")
		}
		var all []byte
		for _, piece := range pieces {
			raw, err := hex.DecodeString(piece)
			if *w == asBase64List {
				raw, err = decodeBase64(piece)
			}
			if err != nil {
				return nil, errors.New("a piece of it is not in the encoding that it is marked with")
			}
			all = append(all, raw...)
		}
		return all, nil
	}
	return []byte(value), nil
}

func decodeBase64(value string) ([]byte, error) {
	value = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, value)
	trimmed := strings.TrimRight(value, "=")
	if strings.ContainsAny(trimmed, "-_") {
		return base64.RawURLEncoding.DecodeString(trimmed)
	}
	return base64.RawStdEncoding.DecodeString(trimmed)
}

// stringList reads a JSON array of strings.
func stringList(value string) (list []string, ok bool) {
	dec := jsontext.NewDecoder(strings.NewReader(value))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '[' {
		return nil, false
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			return nil, false
		}
		list = append(list, t.String())
	}
	t, err := dec.ReadToken()
	return list, err == nil && t.Kind() == ']' && len(list) > 0
}

// wrapLike writes bytes as a scalar, in lines as long as those that were there.
func (b *body) wrapLike(before string, wire []byte) string {
	switch b.wrap {
	case asHex:
		return hex.EncodeToString(wire)
	case asBase64List:
		return `["` + base64.StdEncoding.EncodeToString(wire) + `"]`
	case asHexList:
		return `["` + hex.EncodeToString(wire) + `"]`
	case asIs:
		return string(wire)
	}
	encoding := base64.StdEncoding
	if strings.ContainsAny(before, "-_") {
		encoding = base64.URLEncoding
	}
	encoded := encoding.EncodeToString(wire)
	core := strings.TrimSpace(before)
	if len(core)%4 != 0 && !strings.ContainsAny(core, " \n=") {
		encoded = strings.TrimRight(encoded, "=")
	}
	tail := before[len(strings.TrimRight(before, " \t\r\n")):]
	width := strings.IndexAny(core, " \n")
	if width <= 0 {
		return encoded + tail
	}
	separator := core[width : width+1]
	var lines []string
	for len(encoded) > width {
		lines = append(lines, encoded[:width])
		encoded = encoded[width:]
	}
	return strings.Join(append(lines, encoded), separator) + tail
}

// encode puts the codings back on.
func (b *body) encode(plain string) ([]byte, error) {
	data := []byte(plain)
	for _, coding := range b.codings {
		var buf bytes.Buffer
		w, err := encoder(coding, &buf)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		data = buf.Bytes()
	}
	return data, nil
}

func encoder(coding string, to io.Writer) (io.WriteCloser, error) {
	switch coding {
	case "gzip", "x-gzip":
		z, err := gzip.NewWriterLevel(to, gzip.BestCompression)
		if err == nil {
			z.ModTime = time.Unix(0, 0) // "no time", so that the same text gives the same bytes
		}
		return z, err
	case "br":
		return brotli.NewWriter(to), nil
	case "zstd":
		return zstd.NewWriter(to, zstd.WithEncoderConcurrency(1))
	case "deflate":
		return zlib.NewWriterLevel(to, flate.DefaultCompression)
	}
	return nil, fmt.Errorf("the content coding cannot be written")
}
