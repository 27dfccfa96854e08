package matchers

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
)

// answerDigest identifies what an answer says; ok is false if it cannot be read.
type answerDigest struct {
	sum [32]byte
	ok  bool
}

// sameAnswers reports whether the answers at all positions say the same.
func (ix *Index) sameAnswers(positions []int) bool {
	var first answerDigest
	for i, at := range positions {
		d := ix.answer(at)
		if i == 0 {
			first = d
		}
		if !d.ok || d != first {
			return false
		}
	}
	return true
}

func (ix *Index) answer(at int) answerDigest {
	ix.mu.RLock()
	in := ix.entries[at].interaction
	d, known := ix.answers[at]
	ix.mu.RUnlock()
	if known {
		return d
	}
	// Reading an answer may redact it, so no lock is held.
	if resp, err := in.Response(); err == nil {
		d = digestAnswer(resp)
	}
	ix.mu.Lock()
	ix.answers[at] = d
	ix.mu.Unlock()
	return d
}

func digestAnswer(resp clean.Response) answerDigest {
	b := appendText(nil, strconv.Itoa(resp.Status()))
	header := resp.Header()
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !namesTheAnswer(name) {
			for _, v := range header[name] {
				b = appendText(appendText(b, name), v)
			}
		}
	}
	if l := resp.Large(); l != nil {
		b = appendText(b, l.Name()) // which says what the body is
	} else {
		b = appendText(b, string(resp.Body()))
	}
	return answerDigest{sha256.Sum256(b), true}
}

// answerNames are parts of the names of headers that differ between any two
// answers: they name the answer or tell how it came, not what it says.
var answerNames = []string{"request-id", "requestid", "trace", "correlation", "cf-ray", "date", "etag", "timing", "runtime", "ratelimit", "age"}

func namesTheAnswer(header string) bool {
	lower := strings.ToLower(header)
	return slices.ContainsFunc(answerNames, func(part string) bool {
		return lower == part || len(part) > 4 && strings.Contains(lower, part)
	})
}
