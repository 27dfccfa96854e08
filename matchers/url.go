package matchers

import (
	"net/url"
	"strings"

	"tapedeck/cassettes/scope"
)

// rawPath is the path of an absolute URL byte for byte. Package url cannot
// give it: for some paths it keeps only the decoded form, in which %2F is a /.
func rawPath(raw string) string {
	_, rest, _ := strings.Cut(raw, "://")
	start := strings.IndexAny(rest, "/?#")
	if start < 0 || rest[start] != '/' {
		return ""
	}
	rest = rest[start:]
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// decodeSegment undoes the escapes of a path segment; one that cannot be
// undone stays.
func decodeSegment(segment string) string {
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}

func encodeSegment(plain string) string { return scope.NormalSegment(url.PathEscape(plain)) }
