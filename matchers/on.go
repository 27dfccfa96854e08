package matchers

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"tapedeck/cassettes/redact"
)

// scopePattern is a compiled "METHOD host/path". Its grammar is the one of
// redaction rules: METHOD may be "*"; "*" is any run of characters inside a
// segment or host label, and as the whole host any host; {name} is one segment;
// /** is any rest of the path, none included. A host without a port stands for
// every port, one without a path for every path.
type scopePattern struct {
	method   string         // "*" for any
	host     string         // a host without wildcards, or ""
	hostGlob *regexp.Regexp // one with wildcards, or nil
	port     *regexp.Regexp // nil for any
	path     *regexp.Regexp // nil for any
}

func parseScope(text string) (*scopePattern, error) {
	method, target, ok := strings.Cut(strings.TrimSpace(text), " ")
	target = strings.TrimSpace(target)
	switch {
	case !ok || target == "" || strings.ContainsAny(target, " \t"):
		return nil, errors.New(`is not "METHOD host/path"; write "POST api.acme.dev/orders/{id}", or "*" as the method for every one`)
	case strings.Contains(target, "://"):
		return nil, errors.New(`has a scheme; write "METHOD host/path" without one`)
	case strings.ContainsAny(target, "?#"):
		return nil, errors.New("has a query; rules select by method, host and path")
	}
	p := &scopePattern{method: strings.ToUpper(method)}
	for _, c := range p.method {
		if p.method != "*" && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return nil, fmt.Errorf("has the method %q; write one method, or * for every one", method)
		}
	}
	host, path, hasPath := strings.Cut(target, "/")
	name, port := splitHostPort(host)
	switch {
	case host == "":
		return nil, errors.New("names no host; write * for every one")
	case name == "*" || name == "**":
	case strings.Contains(name, "*"):
		p.hostGlob = glob(strings.ToLower(name), `[^.]*`)
	default:
		p.host = normalHostname(name)
	}
	if port != "" && port != "*" {
		p.port = glob(port, `\d*`)
	}
	if hasPath && path != "**" {
		compiled, err := pathGlob("/" + path)
		if err != nil {
			return nil, err
		}
		p.path = compiled
	}
	return p, nil
}

// glob compiles text in which * stands for any run.
func glob(text, any string) *regexp.Regexp {
	parts := strings.Split(text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^(?s:" + strings.Join(parts, any) + ")$")
}

func pathGlob(path string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteByte('^')
	segments := strings.Split(path, "/")[1:]
	for _, segment := range segments {
		switch {
		case segment == "**":
			b.WriteString(`(?:/.*)?`)
			continue
		case strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}"):
			b.WriteString(`/[^/]+`)
			continue
		case strings.ContainsAny(segment, "{}"):
			return nil, fmt.Errorf("has a brace inside the path segment %q; {name} stands for a whole segment, * for a part of one", segment)
		}
		b.WriteByte('/')
		for i, part := range strings.Split(segment, "*") {
			if i > 0 {
				b.WriteString(`[^/]*`)
			}
			b.WriteString(regexp.QuoteMeta(normalSegment(part)))
		}
	}
	b.WriteByte('$')
	return regexp.Compile(b.String())
}

// target is what patterns are held against.
type target struct{ method, hostname, port, path string }

// newTarget takes a scope apart. Its path may already be normal.
func newTarget(s redact.Scope) target {
	name, port := splitHostPort(s.Host)
	return target{strings.ToUpper(s.Method), normalHostname(name), port, normalPath(s.Path)}
}

func (p *scopePattern) match(t target) bool {
	return (p.method == "*" || p.method == t.method) &&
		(p.host == "" || p.host == t.hostname) &&
		(p.hostGlob == nil || p.hostGlob.MatchString(t.hostname)) &&
		(p.port == nil || p.port.MatchString(t.port)) &&
		(p.path == nil || p.path.MatchString(t.path))
}

// splitHostPort splits "host:port". The port may hold a wildcard; an IPv6
// address loses its brackets.
func splitHostPort(host string) (name, port string) {
	name = host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && (strings.HasSuffix(host[:i], "]") || strings.Count(host, ":") == 1) {
		name, port = host[:i], host[i+1:]
	}
	return strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"), port
}
