package matchers

import (
	"crypto/sha256"
	"encoding/binary"
)

// keyOf hashes facts. Every text is written with its length, so that equal
// encodings are equal lists.
func keyOf(facts []Fact) Key {
	size := 0
	for _, f := range facts {
		size += len(f.Name) + len(f.Type) + len(f.Value) + 9
	}
	return sha256.Sum256(appendFacts(make([]byte, 0, size), facts))
}

func appendFacts(b []byte, facts []Fact) []byte {
	for _, f := range facts {
		b = appendText(b, string(f.Name))
		b = appendText(b, f.Type)
		b = appendText(b, f.Value)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
