package diff

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"tapedeck/cassettes/clean"
)

// A payload is a body as an interaction holds it.
type payload struct {
	bytes []byte
	large *clean.Large // instead of bytes
}

func bodyOf(part Part, s *clean.Stored) payload {
	if part == Request {
		return payload{bytes: s.RequestBody}
	}
	return payload{s.ResponseBody, s.ResponseLarge}
}

func (p payload) size() int64 {
	if p.large != nil {
		return p.large.Size()
	}
	return int64(len(p.bytes))
}

func (p payload) equal(q payload) bool {
	if p.large != nil && q.large != nil {
		return p.large.Name() == q.large.Name()
	}
	return p.large == nil && q.large == nil && bytes.Equal(p.bytes, q.bytes)
}

// bodyFile is how the names of body files begin; the SHA-256 of the body follows.
const bodyFile = "sha256-"

// value describes a body by its size and its sum alone.
func (p payload) value() *Value {
	if p.large == nil {
		v := binaryValue(string(p.bytes))
		v.Bytes = nil
		return v
	}
	return &Value{Type: "binary", Size: p.large.Size(), SHA256: strings.TrimPrefix(p.large.Name(), bodyFile)}
}

// largeOf names the body file that a value describes. Whoever wants to read it has to put
// the file on a shelf.
func largeOf(v *Value) *clean.Large {
	name := v.SHA256
	if sum, err := hex.DecodeString(name); err == nil && len(sum) == 32 {
		name = bodyFile + name
	}
	return clean.NewLarge(name, v.Size, elsewhere{})
}

// elsewhere is the shelf of a body that changes name and do not hold.
type elsewhere struct{}

var errElsewhere = errors.New("the body stands in a body file, which the changes name and do not hold")

func (elsewhere) Create() (clean.Draft, error)            { return nil, errElsewhere }
func (elsewhere) Open(name string) (io.ReadCloser, error) { return nil, errElsewhere }
