package redact

import (
	"strings"

	"tapedeck/cassettes/scope"
)

// checked is what is known of the bytes that Check searches; nil is nothing.
type checked struct {
	target scope.Target
	in     places
}

// partOf is the place of what a Refusal calls "request headers", "response body" …
func partOf(place string) places {
	switch {
	case strings.HasSuffix(place, "body"):
		return inBody
	case strings.HasSuffix(place, "headers"), strings.HasSuffix(place, "trailers"):
		if strings.HasPrefix(place, "request") {
			return inRequestHeader
		}
		return inResponseHeader
	case place == "request URL", place == "request line":
		return inUserinfo | inPath | inQuery
	}
	return 0
}

// covers reports whether a limited rule looks where its hit stands, at s[i].
func (at *checked) covers(one *rule, s string, i int) bool {
	if at == nil || !one.on.Match(at.target) {
		return false
	}
	in := at.in
	if in&inQuery != 0 {
		in = partOfURL(s, i)
	}
	return one.in&in != 0
}

// partOfURL says in which part of a URL, perhaps behind a method, s[i] stands.
func partOfURL(s string, i int) places {
	if query := strings.IndexByte(s, '?'); query >= 0 && i > query {
		return inQuery
	}
	if start := strings.Index(s, "://"); start >= 0 {
		if end := strings.IndexByte(s[start+3:], '/'); end < 0 || i < start+3+end {
			return inUserinfo
		}
	}
	return inPath
}
