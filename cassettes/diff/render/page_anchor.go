package render

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// pageAnchors gives every part of a page an id that is the same in every page which
// shows it: it is made of what the part is, not of where it stands. Names and
// places of cassettes are not used as they are, since anything may stand in them.
type pageAnchors map[string]int

// of returns the id for the thing that the words name: one letter for its kind and
// a digest of the words. The second thing with the same words is numbered.
func (a pageAnchors) of(kind string, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	id := kind + "-" + hex.EncodeToString(sum[:6])
	a[id]++
	if n := a[id]; n > 1 {
		return id + "-" + strconv.Itoa(n)
	}
	return id
}
