package redact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// An input is raw text of which the beginning can be looked at.
type input interface {
	// fill returns the first n bytes, fewer only when no more follow.
	fill(n int) []byte
	// drop takes n bytes, which fill has returned, off the beginning.
	drop(n int)
	// err is why fill returned fewer bytes; nil at the end of the text.
	err() error
}

// A source is an input from a reader. What fill returns depends on the bytes
// alone, and not on how the reader hands them out.
type source struct {
	from io.Reader
	buf  []byte
	at   int // where the input begins in buf
	end  error
}

func (s *source) fill(n int) []byte {
	if have := len(s.buf) - s.at; have < n && s.end == nil {
		if s.at > 0 {
			s.buf = s.buf[:copy(s.buf, s.buf[s.at:])]
			s.at = 0
		}
		if cap(s.buf) < n {
			grown := make([]byte, have, max(n, 2*cap(s.buf)))
			copy(grown, s.buf)
			s.buf = grown
		}
		for idle := 0; have < n && s.end == nil; {
			got, err := s.from.Read(s.buf[have:n])
			have += got
			s.end = err
			if idle++; got > 0 {
				idle = 0
			} else if idle > 100 && err == nil {
				s.end = io.ErrNoProgress
			}
		}
		s.buf = s.buf[:have]
	}
	return s.buf[s.at:min(s.at+n, len(s.buf))]
}

func (s *source) drop(n int) { s.at += n }

func (s *source) err() error {
	if s.end == io.EOF {
		return nil
	}
	return s.end
}

// An until is the part of an input that ends where stop says.
type until struct {
	input
	// stop looks for the end in b, of which the first from bytes are known not to hold
	// it. It returns the end, or -1 and how far it has looked. more says that b goes on.
	stop func(b []byte, from int, more bool) (end, seen int)
	seen int
	end  int // -1 until it is found
}

func newUntil(in input, stop func(b []byte, from int, more bool) (end, seen int)) *until {
	return &until{input: in, stop: stop, end: -1}
}

func (u *until) fill(n int) []byte {
	if u.end >= 0 && n <= u.end {
		return u.input.fill(n)
	}
	const ahead = 256 // what stop may need behind the end: a boundary line
	b := u.input.fill(n + ahead)
	if u.end < 0 && u.seen < len(b) {
		u.end, u.seen = u.stop(b, u.seen, len(b) == n+ahead)
	}
	if u.end >= 0 {
		return b[:min(n, u.end)]
	}
	return b[:min(n, len(b))]
}

func (u *until) drop(n int) {
	u.input.drop(n)
	u.seen = max(0, u.seen-n)
	if u.end >= 0 {
		u.end -= n
	}
}

// untilByte stops before the next c.
func untilByte(c byte) func(b []byte, from int, more bool) (end, seen int) {
	return func(b []byte, from int, _ bool) (end, seen int) {
		if i := bytes.IndexByte(b[from:], c); i >= 0 {
			return from + i, 0
		}
		return -1, len(b)
	}
}

// untilQuote stops before the quote that ends a JSON string whose own quotes have
// level backslashes before them: valueEnd for a text that comes in pieces.
func untilQuote(level int) func(b []byte, from int, more bool) (end, seen int) {
	return func(b []byte, from int, more bool) (end, seen int) {
		for at := from; ; at++ {
			i := bytes.IndexByte(b[at:], '"')
			if i < 0 {
				// Backslashes at the end belong to a quote that may follow.
				for seen = len(b); seen > from && b[seen-1] == '\\'; {
					seen--
				}
				return -1, seen
			}
			at += i
			n := 0
			for at-n > from && b[at-n-1] == '\\' {
				n++
			}
			switch {
			case level == 0 && n%2 == 0:
				return at, 0
			case level > 0 && n <= level:
				return at - n, 0
			}
		}
	}
}

// A digest stands for a value that is too long to be remembered.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) name() string { return "sha256 " + hex.EncodeToString(d.Sum(nil)) }
