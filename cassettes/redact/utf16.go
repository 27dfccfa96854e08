package redact

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A wide is a text in UTF-16, which is redacted in UTF-8.
type wide struct {
	order byteOrder
	mark  bool // it starts with a byte order mark
}

// A byteOrder says which byte of a unit comes first.
type byteOrder uint8

const (
	little byteOrder = iota
	big
)

// wideText reads a text in UTF-16: one with a byte order mark, or one in which the
// letters of ASCII stand as they do there. ok is false for anything else, and for what
// could not be written back byte for byte.
func wideText(s string) (text string, w wide, ok bool) {
	if len(s) < 4 || len(s)%2 != 0 {
		return "", w, false
	}
	switch {
	case strings.HasPrefix(s, "\xff\xfe"):
		w = wide{little, true}
	case strings.HasPrefix(s, "\xfe\xff"):
		w = wide{big, true}
	case s[0] != 0 && s[1] == 0 && s[2] != 0 && s[3] == 0:
		w.order = little
	case s[0] == 0 && s[1] != 0 && s[2] == 0 && s[3] != 0:
		w.order = big
	default:
		return "", w, false
	}
	raw := []byte(s)
	if w.mark {
		raw = raw[2:]
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		if units[i] = w.unit(raw[2*i:]); units[i] < ' ' && !isSpace(byte(units[i])) {
			return "", w, false // bytes of some other kind
		}
	}
	text = string(utf16.Decode(units))
	return text, w, w.write(text) == s
}

func (w wide) write(text string) string {
	out := make([]byte, 0, 2*len(text)+2)
	if w.mark {
		out = w.append(out, 0xfeff)
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			out = w.append(w.append(out, uint16(high)), uint16(low))
		} else {
			out = w.append(out, uint16(r))
		}
	}
	return string(out)
}

func (w wide) unit(b []byte) uint16 {
	if w.order == little {
		return binary.LittleEndian.Uint16(b)
	}
	return binary.BigEndian.Uint16(b)
}

func (w wide) append(out []byte, unit uint16) []byte {
	if w.order == little {
		return binary.LittleEndian.AppendUint16(out, unit)
	}
	return binary.BigEndian.AppendUint16(out, unit)
}
