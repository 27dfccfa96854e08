package redact

import (
	"fmt"
	"net"
	"regexp"
	"strings"
)

// Scope is the request that a value belongs to; rules are limited by it.
type Scope struct{ Method, Host, Path string }

// An onPattern is a compiled "METHOD host/path". METHOD may be "*"; {name}
// stands for one path segment, * for any run inside a segment or a host label,
// and a trailing /** for any rest of the path. A host without a port stands for
// every port.
type onPattern struct {
	method string
	host   *regexp.Regexp
	port   bool
	path   *regexp.Regexp
}

func parseOn(text string) (*onPattern, error) {
	method, rest, ok := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	if !ok || rest == "" || strings.ContainsAny(rest, " \t") {
		return nil, fmt.Errorf("on: %q is not METHOD host/path; write it as \"POST api.acme.dev/**\", or \"* …\" for every method", text)
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok {
		path = "**"
	}
	if host == "" {
		return nil, fmt.Errorf("on: %q names no host; write \"*\" for every one", text)
	}
	p := &onPattern{method: strings.ToUpper(method), port: strings.Contains(host, ":")}
	p.host = regexp.MustCompile(`^(?i)` + hostPattern(host) + `$`)
	p.path = regexp.MustCompile(`^` + pathPattern(path) + `$`)
	return p, nil
}

func hostPattern(host string) string {
	if host == "*" || host == "**" {
		return ".*"
	}
	var b strings.Builder
	for i, part := range strings.Split(host, "*") {
		if i > 0 {
			b.WriteString(`[^.:]*`)
		}
		b.WriteString(regexp.QuoteMeta(part))
	}
	return b.String()
}

func pathPattern(path string) string {
	var b strings.Builder
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment == "**" {
			if i == len(segments)-1 {
				b.WriteString(`(?:/.*)?`)
			} else {
				b.WriteString(`(?:/[^/]*)*`)
			}
			continue
		}
		b.WriteByte('/')
		if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
			b.WriteString(`[^/]+`)
			continue
		}
		for i, part := range strings.Split(segment, "*") {
			if i > 0 {
				b.WriteString(`[^/]*`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
	}
	return b.String()
}

func (p *onPattern) match(s Scope) bool {
	if p == nil {
		return true
	}
	if p.method != "*" && p.method != strings.ToUpper(s.Method) {
		return false
	}
	host := s.Host
	if !p.port {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	path := s.Path
	if path == "" {
		path = "/"
	}
	return p.host.MatchString(host) && p.path.MatchString(path)
}
