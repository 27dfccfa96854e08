package canary

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// An Encoding is one form in which a value may stand in a file or an output.
type Encoding struct {
	Name string
	// Encode writes a value in that form.
	Encode func(value string) string
	// Packed says that the form hides the value from a search for text: it is
	// found by undoing it.
	Packed bool

	folded  bool // case does not count
	pattern func(value string) string
}

// Encodings lists every form that Search finds. This is the one place that
// knows them: what a test plants and what it looks for come from here.
func Encodings() []Encoding {
	list := []Encoding{
		{Name: "as it is", Encode: func(v string) string { return v }},
		{Name: "hex", Encode: func(v string) string { return hex.EncodeToString([]byte(v)) }, folded: true},
		{Name: "URL query", Encode: url.QueryEscape, folded: true},
		{Name: "URL path", Encode: url.PathEscape, folded: true},
		{Name: "URL query, twice", Encode: twice(url.QueryEscape), folded: true},
		{Name: "URL path, twice", Encode: twice(url.PathEscape), folded: true},
		{Name: "URL, every byte", Encode: eachByte("%%%02X"), folded: true},
		{Name: "JSON", Encode: inJSON(false)},
		{Name: "JSON with <, > and & escaped", Encode: inJSON(true), folded: true},
		{Name: "JSON with / escaped", Encode: func(v string) string {
			return strings.ReplaceAll(inJSON(false)(v), "/", `\/`)
		}},
		{Name: "JSON, every character", Encode: eachByte(`\u%04x`), folded: true},
		{Name: "JSON in JSON", Encode: twice(inJSON(false))},
		{Name: "HTML", Encode: html.EscapeString},
		{Name: "HTML with names", Encode: strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace},
		{Name: "HTML, decimal", Encode: eachByte("&#%d;")},
		{Name: "HTML, hexadecimal", Encode: eachByte("&#x%x;"), folded: true},
	}
	for _, alphabet := range []struct {
		name     string
		encoding *base64.Encoding
	}{{"base64", base64.RawStdEncoding}, {"base64 URL", base64.RawURLEncoding}} {
		for shift := range 3 {
			list = append(list, Encoding{
				Name: fmt.Sprintf("%s, shifted by %d", alphabet.name, shift),
				Encode: func(v string) string {
					return alphabet.encoding.EncodeToString([]byte("<->"[:shift] + v + "!"))
				},
				pattern: func(v string) string { return inBase64(alphabet.encoding, v, shift) },
			})
		}
	}
	return append(list,
		Encoding{Name: "base64 in lines", Packed: true, Encode: func(v string) string {
			return inLines(base64.StdEncoding.EncodeToString([]byte("-----"+v+"-----")), 16)
		}},
		Encoding{Name: "hex in lines", Packed: true, Encode: func(v string) string {
			return inLines(hex.EncodeToString([]byte(v)), 16)
		}},
		packed("gzip", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		packed("zlib", func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }),
		packed("deflate", func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) }),
		packed("br", func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil }),
		packed("zstd", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		Encoding{Name: "base64 of gzip", Packed: true, Encode: func(v string) string {
			return base64.StdEncoding.EncodeToString([]byte(Pack("gzip", v)))
		}},
		Encoding{Name: "base64 of br", Packed: true, Encode: func(v string) string {
			return base64.StdEncoding.EncodeToString([]byte(Pack("br", v)))
		}},
	)
}

// Pack compresses text with the coding that a Content-Encoding calls name:
// gzip, deflate, br or zstd. An unknown name is a mistake of the caller.
func Pack(name, text string) string {
	if name == "deflate" {
		name = "zlib" // what the header means (RFC 9110, section 8.4.1.2)
	}
	for _, e := range Encodings() {
		if e.Name == name && e.Packed {
			return e.Encode(text)
		}
	}
	panic("canary: there is no coding " + name)
}

// packed is a compression. The text around the value keeps it from being
// stored by its bytes, which a compressor does with what is short.
func packed(name string, open func(io.Writer) (io.WriteCloser, error)) Encoding {
	return Encoding{Name: name, Packed: true, Encode: func(v string) string {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			panic(err) // only wrong options fail, and these are constant
		}
		io.WriteString(w, v) // a bytes.Buffer takes everything
		w.Close()
		return b.String()
	}}
}

func twice(f func(string) string) func(string) string {
	return func(v string) string { return f(f(v)) }
}

func eachByte(format string) func(string) string {
	return func(v string) string {
		var b strings.Builder
		for i := range len(v) {
			fmt.Fprintf(&b, format, v[i])
		}
		return b.String()
	}
}

// inJSON writes a value as it stands inside a JSON string.
func inJSON(escapeHTML bool) func(string) string {
	return func(v string) string {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(escapeHTML)
		if encoder.Encode(v) != nil { // a string can always be encoded
			return v
		}
		return strings.TrimSuffix(b.String()[1:], "\"\n")
	}
}

func inLines(text string, width int) string {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + "\n    ")
		text = text[width:]
	}
	return b.String() + text
}

// inBase64 is the part of value's base64 form that does not depend on its
// neighbours, when shift bytes of a group of three stand before it.
func inBase64(encoding *base64.Encoding, value string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), value...))
	first := (shift*8 + 5) / 6
	last := (shift + len(value)) * 8 / 6
	return encoded[first:last]
}
