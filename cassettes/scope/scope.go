// Package scope says which requests a rule is about.
//
// The rules of matching and of redaction select requests by one grammar,
// "METHOD host/path", and must agree on every request: one that a rule redacts
// and another compares is the same one. An On is a compiled pattern, a Scope is
// what is known of a request, a Target is a Scope in normal form, made once and
// held against many patterns.
//
//	on, err := scope.ParseOn("POST api.acme.dev/orders/{id}")
//	if err != nil {
//		return err
//	}
//	target := scope.Scope{Method: "POST", Host: "API.acme.dev:8443", Path: "/orders/17"}.Target()
//	fmt.Println(on.Match(target)) // true
package scope

import "strings"

// Scope is what rules select a request by, as it stands in the request: Host
// may carry a port, Path is escaped.
type Scope struct{ Method, Host, Path string }

// A Target is a Scope made ready to be matched.
type Target struct{ method, hostname, port, path string }

// Target takes a scope apart and brings it into normal form. The path may be
// normal already.
func (s Scope) Target() Target {
	name, port := splitHostPort(s.Host)
	return Target{strings.ToUpper(s.Method), normalHostname(name), port, NormalPath(s.Path)}
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

// WithPath is the target of another path of the same host.
func (t Target) WithPath(path string) Target {
	t.path = NormalPath(path)
	return t
}
