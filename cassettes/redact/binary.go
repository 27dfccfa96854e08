package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"tapedeck/cassettes/leaves"
)

// A wire is how a body is laid out where more than its own text counts: lengths that
// stand before parts, and parts that are joined.
type wire uint8

const (
	wireNone     wire = iota
	wireMessage       // one protobuf message
	wireFrames        // gRPC frames (gRPC over HTTP/2, "Length-Prefixed-Message") of protobuf messages
	wireFramesOf      // of something else, such as JSON
	wireText          // frames of protobuf messages in base64 (gRPC-Web)
	wireEvents        // events or lines, whose texts clients join
)

// wireOf tells the layout by the media type.
func wireOf(contentType string) wire {
	name, _, _ := strings.Cut(contentType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	kind, content, _ := strings.Cut(name, "+")
	switch kind {
	case "application/grpc-web-text":
		return wireText
	case "application/grpc", "application/grpc-web", "application/connect":
		if content == "" || content == "proto" {
			return wireFrames
		}
		return wireFramesOf
	case "application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf", "application/x-google-protobuf", "application/proto":
		return wireMessage
	case "text/event-stream":
		return wireEvents
	}
	if name != "application/json" && strings.Contains(name, "json") && leaves.FormatOf(name, []byte("{}")) == leaves.NDJSON {
		return wireEvents
	}
	if content == "proto" || content == "protobuf" {
		return wireMessage
	}
	return wireNone
}

// framed redacts a body in its layout, and one that has none as what it is.
func (p *pass) framed(contentType, s string) (string, error) {
	kind := wireOf(contentType)
	switch kind {
	case wireMessage:
		if out, ok := p.message(s, "", 0); ok {
			return out, nil
		}
	case wireFrames:
		return p.frames(s, p.messageOrBytes)
	case wireFramesOf:
		return p.frames(s, func(s string) string { return p.body("", s) })
	case wireText:
		raw, ok := webText(s)
		if !ok {
			break
		}
		out, err := p.frames(raw, p.messageOrBytes)
		if err != nil || out == raw {
			return s, err
		}
		return base64.StdEncoding.EncodeToString([]byte(out)), nil
	}
	s = p.body(contentType, s)
	if kind == wireEvents {
		s = p.events(contentType, s)
	}
	return s, nil
}

func (p *pass) messageOrBytes(s string) string {
	if out, ok := p.message(s, "", 0); ok {
		return out
	}
	return p.plain("body", s)
}

// webText decodes the body of gRPC-Web's text form, which may be several pieces of
// padded base64.
func webText(s string) (raw string, ok bool) {
	var b strings.Builder
	for s != "" {
		end := strings.IndexByte(s, '=')
		if end < 0 {
			end = len(s)
		}
		for end < len(s) && s[end] == '=' {
			end++
		}
		piece, err := base64.StdEncoding.DecodeString(s[:end])
		if err != nil {
			return "", false
		}
		b.Write(piece)
		s = s[end:]
	}
	return b.String(), true
}

const (
	frameHeader = 5 // bytes: flags, and the length of what follows

	frameCompressed = 1 << 0
	frameConnectEnd = 1 << 1 // the last frame of a Connect stream: JSON
	frameTrailers   = 1 << 7 // gRPC-Web: header lines
)

// frames redacts what each frame holds and writes its length anew. Compressed
// messages are stored as they unfold, with their flag cleared; a client that offered
// a codec reads those too.
func (p *pass) frames(s string, content func(string) string) (string, error) {
	var b strings.Builder
	for s != "" {
		if len(s) < frameHeader || uint64(len(s)-frameHeader) < uint64(binary.BigEndian.Uint32([]byte(s[1:frameHeader]))) {
			b.WriteString(p.plain("body", s)) // cut short, or no frame at all
			break
		}
		flags, n := s[0], int(binary.BigEndian.Uint32([]byte(s[1:frameHeader])))
		one := s[frameHeader : frameHeader+n]
		s = s[frameHeader+n:]
		if flags&frameCompressed != 0 {
			plain, err := unfoldMessage(one)
			if err != nil {
				return "", &Refusal{Rule: "grpc-encoding", Place: "body", Reason: err.Error()}
			}
			one, flags = plain, flags&^frameCompressed
		}
		switch {
		case flags&frameTrailers != 0:
			one = p.plain("body", one)
		case flags&frameConnectEnd != 0:
			one = p.body("application/json", one)
		default:
			one = content(one)
		}
		var header [frameHeader]byte
		header[0] = flags
		binary.BigEndian.PutUint32(header[1:], uint32(len(one)))
		b.Write(header[:])
		b.WriteString(one)
	}
	return b.String(), nil
}

// maxMessage is what a compressed message may unfold to, in bytes.
const maxMessage = 256 << 20

// unfoldMessage removes the compression of a message. Which codec it is stands in a
// header (grpc-encoding); the first bytes tell as well.
func unfoldMessage(s string) (string, error) {
	var r io.Reader
	var err error
	switch {
	case s == "":
		return "", nil
	case strings.HasPrefix(s, "\x1f\x8b"):
		r, err = gzip.NewReader(strings.NewReader(s))
	case strings.HasPrefix(s, "\x28\xb5\x2f\xfd"):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(strings.NewReader(s), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxMessage)); err == nil {
			defer z.Close()
			r = z
		}
	case s[0] == 0x78: // zlib, which HTTP calls deflate
		r, err = zlib.NewReader(strings.NewReader(s))
	default:
		return "", fmt.Errorf("a message is compressed, and not by gzip, deflate or zstd, so it cannot be searched for secrets")
	}
	if err == nil {
		var plain []byte
		if plain, err = io.ReadAll(io.LimitReader(r, maxMessage+1)); err == nil && len(plain) <= maxMessage {
			return string(plain), nil
		}
	}
	return "", fmt.Errorf("a compressed message cannot be unfolded, or not within %d bytes, so it cannot be searched for secrets", maxMessage)
}

// maxMessages bounds how deep messages are looked for in messages.
const maxMessages = 24

// message redacts a protobuf message without knowing its type: every field of a length
// is tried as a message, then taken as text or bytes, and the lengths around a
// replacement are written anew (https://protobuf.dev/programming-guides/encoding/).
// Names are not known there, so only values count. after is what follows the message;
// ok is false when s is none.
func (p *pass) message(s, after string, depth int) (out string, ok bool) {
	return mapMessage(s, after, depth, p.field)
}

// mapMessage rewrites the fields of a message that have a length.
func mapMessage(s, after string, depth int, field func(value, after string, depth int) string) (out string, ok bool) {
	if !isMessage(s) {
		return s, false // before anything is learned from what looks like its fields
	}
	var b []byte
	last := 0 // where the part that is not copied yet starts
	raw := []byte(s)
	for at := 0; at < len(s); {
		num, kind, n := protowire.ConsumeTag(raw[at:])
		if n < 0 {
			return s, false
		}
		size := protowire.ConsumeFieldValue(num, kind, raw[at+n:])
		if size < 0 {
			return s, false
		}
		value, end := at+n, at+n+size
		at = end
		next := s[end:]
		if next == "" {
			next = after
		}
		switch kind {
		case protowire.BytesType:
			content, _ := protowire.ConsumeBytes(raw[value:end])
			old := s[end-len(content) : end]
			if clean := field(old, next, depth); clean != old {
				b = append(b, s[last:value]...)
				b = protowire.AppendString(b, clean)
				last = end
			}
		case protowire.StartGroupType:
			content, _ := protowire.ConsumeGroup(num, raw[value:end])
			old := s[value : value+len(content)]
			if clean, ok := mapMessage(old, s[value+len(content):], depth+1, field); ok && clean != old && depth < maxMessages {
				b = append(b, s[last:value]...)
				b = append(b, clean...)
				last = value + len(content)
			}
		}
	}
	if last == 0 {
		return s, true
	}
	return string(append(b, s[last:]...)), true
}

// isMessage reports whether s is laid out as a message, and none of its fields ends
// inside of a placeholder: a text may look like a message by chance.
func isMessage(s string) bool {
	var list []Placeholder
	if strings.Contains(s, word) {
		list = wordPlaceholders(s)
	}
	raw := []byte(s)
	for at := 0; at < len(s); {
		num, kind, n := protowire.ConsumeTag(raw[at:])
		if n < 0 {
			return false
		}
		size := protowire.ConsumeFieldValue(num, kind, raw[at+n:])
		if size < 0 {
			return false
		}
		at += n + size
		for len(list) > 0 && list[0].End <= at {
			list = list[1:]
		}
		if len(list) > 0 && list[0].Start < at {
			return false
		}
	}
	return true
}

// field redacts the value of a field.
func (p *pass) field(s, after string, depth int) string {
	if len(s) < minSearched {
		return s
	}
	if depth < maxMessages {
		if out, ok := p.message(s, after, depth+1); ok && out != s {
			return out
		}
	}
	var out string
	if isBinary(s) {
		out = p.plain("body", s)
	} else {
		out = p.value("body", inBody, s)
	}
	if out != s {
		out = parted(out, after)
	}
	return out
}

// parted keeps the number of a placeholder at the end of clean apart from a digit that
// follows: the tags of fields 6 and 7 are digits.
func parted(clean, after string) string {
	if after == "" || !isDigit(after[0]) || clean == "" || !isDigit(clean[len(clean)-1]) {
		return clean
	}
	return clean + " "
}

// isBinary reports whether s is no text: it holds characters that texts, in whatever
// character set of one byte or UTF-8, do not.
func isBinary(s string) bool {
	if strings.IndexByte(s, 0) >= 0 {
		return true
	}
	for i := range min(len(s), 4<<10) {
		if c := s[i]; c < ' ' && !isSpace(c) && c != '\v' && c != '\f' && c != '\b' && c != 0x1b {
			return true
		}
	}
	return false
}

// binary redacts bytes of a format that is not known, or known to hold offsets: what
// is replaced keeps its length, and sums over it are made anew in PNG and ZIP files.
func (p *pass) binary(place leaves.Place, s string) string {
	fixed := *p
	fixed.fixed = true
	out := fixed.plain(place, s)
	if out == s {
		return s
	}
	return withSums(out)
}

// fitted makes what stands in place of old as long as old is, with spaces behind it.
// Where there is no room for any placeholder, old stays, for Check to refuse.
func fitted(clean, old string) string {
	for {
		if missing := len(old) - len(clean); missing >= 0 {
			return clean + strings.Repeat(" ", missing)
		}
		list := wordPlaceholders(clean)
		if len(list) == 0 {
			return old
		}
		ph := list[len(list)-1]
		short := word + ph.ID
		switch {
		case ph.End-ph.Start > len(short):
			clean = clean[:ph.Start] + short + clean[ph.End:]
		case len(clean) > len(short) && len(list) == 1:
			clean = short
		default:
			return old
		}
	}
}

// fittedBefore is fitted for what stands before next: a placeholder's number must not
// run on into a digit there.
func fittedBefore(clean, old, next string) string {
	out := fitted(clean, old)
	if out == old || next == "" || !isDigit(next[0]) {
		return out
	}
	if list := wordPlaceholders(out); len(list) == 0 || list[len(list)-1].End < len(out) {
		return out
	}
	less := old[:len(old)-1]
	if out = fitted(clean, less); out == less {
		return old
	}
	return out + " "
}

// fittedPair is fitted for what a name calls secret, however short it is: Check would
// not know it. What it leaves has no number, and is taken for masked later.
func fittedPair(clean, old, next string) string {
	if clean = fittedBefore(clean, old, next); clean == old {
		return strings.Repeat("X", len(old))
	}
	return clean
}

// withSums makes the check sums of a PNG or ZIP file anew.
func withSums(s string) string {
	switch {
	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		return pngSums(s)
	case strings.HasPrefix(s, "PK\x03\x04"):
		return zipSums(s)
	}
	return s
}

// pngSums: every chunk is a length, a type, data, and a CRC of type and data
// (https://www.w3.org/TR/png-3/#5Chunk-layout).
func pngSums(s string) string {
	b := []byte(s)
	for at := 8; len(b)-at >= 12; {
		n := uint64(binary.BigEndian.Uint32(b[at:]))
		if n > uint64(len(b)-at-12) {
			break
		}
		end := at + 8 + int(n)
		binary.BigEndian.PutUint32(b[end:], crc32.ChecksumIEEE(b[at+4:end]))
		at = end + 4
	}
	return string(b)
}

// zipSums: the CRC of an entry stands in the central directory, and before or behind
// the entry (APPNOTE.TXT, 4.3). Only entries that are stored as they are can have
// changed.
func zipSums(s string) string {
	const (
		endLength, centralLength, localLength = 22, 46, 30
		stored                                = 0
	)
	b := []byte(s)
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	if end < 0 || len(b)-end < endLength {
		return s
	}
	le := binary.LittleEndian
	at := int(le.Uint32(b[end+16:]))
	for range le.Uint16(b[end+10:]) {
		if at < 0 || at+centralLength > len(b) || string(b[at:at+4]) != "PK\x01\x02" {
			break
		}
		local, size, method := int(le.Uint32(b[at+42:])), int(le.Uint32(b[at+20:])), le.Uint16(b[at+10:])
		if method == stored && local >= 0 && local+localLength <= len(b) && string(b[local:local+4]) == "PK\x03\x04" {
			start := local + localLength + int(le.Uint16(b[local+26:])) + int(le.Uint16(b[local+28:]))
			if size >= 0 && start+size <= len(b) {
				old, sum := le.Uint32(b[at+16:]), crc32.ChecksumIEEE(b[start:start+size])
				le.PutUint32(b[at+16:], sum)
				if le.Uint32(b[local+14:]) == old {
					le.PutUint32(b[local+14:], sum)
				}
				if after := start + size; after+8 <= len(b) && string(b[after:after+4]) == "PK\x07\x08" && le.Uint32(b[after+4:]) == old {
					le.PutUint32(b[after+4:], sum)
				}
			}
		}
		at += centralLength + int(le.Uint16(b[at+28:])) + int(le.Uint16(b[at+30:])) + int(le.Uint16(b[at+32:]))
	}
	return string(b)
}

// RenumberBody is Renumber for a body: lengths, sums and base64 around a placeholder
// are written anew where the media type or the bytes say that there are some.
func RenumberBody(contentType, s string, ids map[string]string) string {
	if len(ids) == 0 || s == "" {
		return s
	}
	renumbered := func(s string) string { return Renumber(s, ids) }
	var field func(s, after string, depth int) string
	field = func(s, after string, depth int) string {
		if depth < maxMessages {
			if out, ok := mapMessage(s, after, depth+1, field); ok && out != s {
				return out
			}
		}
		return renumbered(s)
	}
	message := func(s string) string {
		if out, ok := mapMessage(s, "", 0, field); ok {
			return out
		}
		return renumbered(s)
	}
	switch wireOf(contentType) {
	case wireMessage:
		return message(s)
	case wireFrames:
		return mapFrames(s, message)
	case wireFramesOf:
		return mapFrames(s, renumbered)
	case wireText:
		if raw, ok := webText(s); ok {
			if out := mapFrames(raw, message); out != raw {
				return base64.StdEncoding.EncodeToString([]byte(out))
			}
			return s
		}
	}
	if out := renumbered(s); !isBinary(s) || out == s {
		return out
	}
	return withSums(renumberFixed(s, ids))
}

// mapFrames rewrites what whole frames hold.
func mapFrames(s string, content func(string) string) string {
	var b strings.Builder
	for len(s) >= frameHeader {
		n := uint64(binary.BigEndian.Uint32([]byte(s[1:frameHeader])))
		if n > uint64(len(s)-frameHeader) {
			break
		}
		one := content(s[frameHeader : frameHeader+int(n)])
		var header [frameHeader]byte
		header[0] = s[0]
		binary.BigEndian.PutUint32(header[1:], uint32(len(one)))
		b.Write(header[:])
		b.WriteString(one)
		s = s[frameHeader+int(n):]
	}
	b.WriteString(content(s))
	return b.String()
}

// renumberFixed is Renumber for text in bytes whose length must stay: the spaces that
// fitted left behind a placeholder make room, or are added.
func renumberFixed(s string, ids map[string]string) string {
	var b strings.Builder
	last := 0
	for _, ph := range Placeholders(s) {
		id, ok := ids[ph.ID]
		if !ok || id == ph.ID {
			continue
		}
		old := s[ph.Start:ph.End]
		out := Renumber(old, ids)
		end := ph.End
		for end < len(s) && s[end] == ' ' && end-ph.Start < len(out) {
			end++
		}
		for _, short := range []string{word + "-" + id, word + id} {
			if room := end - ph.Start; len(out) > room && len(short) <= room {
				out = short
			}
		}
		b.WriteString(s[last:ph.Start])
		b.WriteString(out)
		b.WriteString(strings.Repeat(" ", max(0, end-ph.Start-len(out))))
		last = end
	}
	b.WriteString(s[last:])
	return b.String()
}
