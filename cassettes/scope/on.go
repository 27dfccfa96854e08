package scope

import (
	"fmt"
	"regexp"
	"strings"
)

// An On is a compiled "METHOD host/path". METHOD may be "*"; "*" is any run of
// characters inside a segment or host label, and as the whole host any host;
// {name} is one segment; /** is any rest of the path, none included. A host
// without a port stands for every port, a pattern without a path for every
// path. The zero value selects every request.
type On struct {
	method    string         // "" for any
	authority string         // host and port as written
	host      string         // a host without wildcards, or ""
	hostGlob  *regexp.Regexp // one with wildcards, or nil
	port      *regexp.Regexp // nil for any
	path      *regexp.Regexp // nil for any
}

// ParseOn reads "METHOD host/path". The error begins with the text, quoted, and
// says what is wrong with it and what to write instead.
func ParseOn(text string) (On, error) {
	fail := func(format string, args ...any) (On, error) {
		return On{}, fmt.Errorf("%q "+format, append([]any{text}, args...)...)
	}
	method, target, ok := strings.Cut(strings.TrimSpace(text), " ")
	target = strings.TrimSpace(target)
	switch {
	case !ok || target == "" || strings.ContainsAny(target, " \t"):
		return fail(`is not "METHOD host/path"; write "POST api.acme.dev/orders/{id}", or "*" as the method for every one`)
	case strings.Contains(target, "://"):
		return fail(`has a scheme; write "METHOD host/path" without one`)
	case strings.ContainsAny(target, "?#"):
		return fail("has a query; rules select by method, host and path, so leave it out")
	}
	on := On{}
	if method != "*" {
		on.method = strings.ToUpper(method)
	}
	if strings.ContainsFunc(on.method, func(c rune) bool { return (c < 'A' || c > 'Z') && c != '-' && c != '_' }) {
		return fail("has the method %q; write one method, or * for every one", method)
	}
	host, path, hasPath := strings.Cut(target, "/")
	name, port := splitHostPort(host)
	on.authority = host
	switch {
	case host == "":
		return fail("names no host; write * for every one")
	case name == "*" || name == "**":
	case strings.Contains(name, "*"):
		on.hostGlob = glob(strings.ToLower(name), `[^.]*`)
	default:
		on.host = normalHostname(name)
	}
	if strings.Trim(port, "0123456789*") != "" {
		return fail("has the port %q; write a number, or leave it out for every port", port)
	}
	if port != "" && port != "*" {
		on.port = glob(port, `\d*`)
	}
	if !hasPath || path == "**" {
		return on, nil
	}
	segments := strings.Split(path, "/")
	for _, segment := range segments {
		if strings.ContainsAny(segment, "{}") && !isName(segment) {
			return fail("has a brace inside the path segment %q; {name} stands for a whole segment, * for a part of one", segment)
		}
	}
	on.path = pathGlob(segments)
	return on, nil
}

// glob compiles text in which * stands for any run.
func glob(text, any string) *regexp.Regexp {
	parts := strings.Split(text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^(?s:" + strings.Join(parts, any) + ")$")
}

func pathGlob(segments []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteByte('^')
	for _, segment := range segments {
		switch {
		case segment == "**":
			b.WriteString(`(?:/.*)?`)
		case isName(segment):
			b.WriteString(`/[^/]+`)
		default:
			b.WriteByte('/')
			for i, part := range strings.Split(segment, "*") {
				if i > 0 {
					b.WriteString(`[^/]*`)
				}
				b.WriteString(regexp.QuoteMeta(NormalSegment(part)))
			}
		}
	}
	b.WriteByte('$')
	return regexp.MustCompile(b.String())
}

// isName reports a segment written {name}.
func isName(segment string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
}

// Match reports whether the pattern selects a request.
func (on *On) Match(t Target) bool {
	return (on.method == "" || on.method == t.method) &&
		(on.host == "" || on.host == t.hostname) &&
		(on.hostGlob == nil || on.hostGlob.MatchString(t.hostname)) &&
		(on.port == nil || on.port.MatchString(t.port)) &&
		(on.path == nil || on.path.MatchString(t.path))
}

// Host is the host of the pattern as it was written, with its port and
// wildcards; "" for the zero value.
func (on *On) Host() string { return on.authority }
