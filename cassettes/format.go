package cassettes

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
)

// formatVersion is go-vcr's, the only one that its loader takes.
const formatVersion = 2

// largestFile is the most that a cassette file may hold, in bytes. Bodies above
// largestBody stand in files of their own, so that a file of this size is a
// mistake, not a recording.
const largestFile = 512 << 20

// largestBody is the most that a body may have to stand in the cassette file.
const largestBody = clean.LargeBody

// contents is all that a cassette file says.
type contents struct {
	State
	list  []entry
	extra []string // keys under tapedeck: that a later version wrote, as YAML
	notes []string
	// twice is what is wrong when two interactions have the same id, or nil.
	twice *FormatError
	// others are the keys outside of tapedeck: that go-vcr writes and this package does
	// not, and those that neither knows. They are not kept when the file is saved.
	others map[string]bool
	// remarks counts the comments that somebody has written, which are not kept either.
	remarks int
}

// An entry is one interaction as the file has it.
type entry struct {
	clean.Stored
	// extra are the keys under the interaction's tapedeck: that this version
	// does not know, as "key: value" in YAML. They are kept when it is saved.
	extra []string
	line  int // where it begins in the file; 0 when it comes from elsewhere
	// These name the body files that hold what is not in the cassette file.
	requestFile, responseFile string
	// announced is the content_length of the answer, in bytes; -1 when there was none.
	announced int64
	// ours says that this program has written the interaction, as far as can be told.
	// versioned, stated and timed say that the answer's proto stands in it, its
	// content_length and its duration, which programs write in this order.
	ours, versioned, stated, timed bool
}

// A FormatError says what is wrong with a cassette file.
type FormatError struct {
	Object string // the file, relative to its store
	Line   int    // 0 when the whole file is meant
	// Interaction names the interaction by its id, or by its position if it has none; "" outside of one.
	Interaction string
	Fault, Cure string
}

func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("cassette " + e.Object)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Interaction != "" {
		b.WriteString(": interaction " + e.Interaction)
	}
	fmt.Fprintf(&b, ": %s; %s", e.Fault, e.Cure)
	return b.String()
}

// mayHaveBody reports whether an answer may carry a body (RFC 9110, section 6.4.1).
func mayHaveBody(method string, status int) bool {
	return method != http.MethodHead && status != http.StatusNoContent &&
		status != http.StatusNotModified && status/100 != 1
}

// settle makes the lengths say what the body's length is, and folds away what
// the format does not tell apart: a stale length gives an unexpected EOF behind
// any server.
func settle(s *clean.Stored) {
	s.RequestHeader, s.RequestTrailer = canonical(s.RequestHeader), canonical(s.RequestTrailer)
	s.ResponseHeader, s.ResponseTrailer = canonical(s.ResponseHeader), canonical(s.ResponseTrailer)
	if s.Method == "" {
		s.Method = http.MethodGet // as net/http has it
	}
	if s.Proto == "" {
		s.Proto = defaultProto
	}
	if s.ResponseProto == "" {
		s.ResponseProto = defaultProto
	}
	if len(s.RequestHeader["Content-Length"]) > 0 {
		s.RequestHeader.Set("Content-Length", strconv.Itoa(len(s.RequestBody)))
	}
	if !mayHaveBody(s.Method, s.Status) {
		s.Chunked = false
		return
	}
	switch {
	case s.Chunked:
		s.ResponseHeader.Del("Content-Length")
	case len(s.ResponseHeader["Content-Length"]) > 0 || responseSize(s) > 0:
		s.ResponseHeader.Set("Content-Length", strconv.FormatInt(responseSize(s), 10))
	}
}

// responseSize is the length of the answer's body in bytes.
func responseSize(s *clean.Stored) int64 {
	if s.ResponseLarge != nil {
		return s.ResponseLarge.Size()
	}
	return int64(len(s.ResponseBody))
}

const defaultProto = "HTTP/1.1"

// canonical returns h with canonical names; it is never nil. Values that come
// together under one name keep the order of the names as they stood.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		c := http.CanonicalHeaderKey(name)
		out[c] = append(out[c], h[name]...)
	}
	return out
}
