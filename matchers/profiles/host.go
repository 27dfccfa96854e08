package profiles

import (
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// A HostPattern selects hosts, and one port of them if it names one. It is
// written "api.acme.dev", "*.acme.dev", "**.svc.local", "localhost:9200",
// "127.0.0.1" or "[::1]:9200": "*" stands for any run of characters but a dot,
// a leading "**." for one or more labels, and "*" alone for every host. The zero
// value selects nothing.
type HostPattern struct {
	text string
	host *regexp.Regexp
	port string // "" is every port
}

// maxHost is the longest name of a host, in bytes: 253 for DNS (RFC 1035), some
// more for the Unicode spelling of an international name.
const maxHost = 1000

// ParseHost reads a pattern. The error says what is wrong and does not quote it.
func ParseHost(text string) (HostPattern, error) {
	if strings.Contains(text, "://") {
		return HostPattern{}, errors.New("must be a host, not a URL; leave out the scheme and the path")
	}
	if strings.ContainsAny(text, "/?#@ \t\r\n") {
		return HostPattern{}, errors.New("must be a host, or host:port, with nothing after it")
	}
	host, port := splitPort(text)
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return HostPattern{}, errors.New("has a port that is not a number from 1 to 65535")
		}
	}
	if host == "" {
		return HostPattern{}, errors.New("names no host")
	}
	if len(host) > maxHost {
		return HostPattern{}, errors.New("is longer than a host's name can be")
	}
	if strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return HostPattern{}, errors.New("must be host:port; write an IPv6 address as [::1] or [::1]:9200")
	}
	return HostPattern{text: text, host: hostGlob(plainHost(host)), port: port}, nil
}

// Match reports whether the pattern selects an authority: "host:port", or
// "host" where the port is not known, which a pattern with a port never matches.
func (p HostPattern) Match(authority string) bool {
	host, port := splitPort(authority)
	return p.host != nil && (p.port == "" || p.port == port) && p.host.MatchString(plainHost(host))
}

// String returns the pattern as it was written.
func (p HostPattern) String() string { return p.text }

// splitPort also takes what net.SplitHostPort refuses: no port, and IPv6
// addresses with or without brackets. The host comes without brackets.
func splitPort(authority string) (host, port string) {
	if h, p, err := net.SplitHostPort(authority); err == nil {
		return h, p
	}
	return strings.TrimSuffix(strings.TrimPrefix(authority, "["), "]"), ""
}

// plainHost brings the spellings of one host together: case, the final dot of
// a full name, and international names (UTS 46 as punycode).
func plainHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		return ip.String()
	}
	labels := strings.Split(host, ".")
	for i, label := range labels {
		if ascii, err := idna.Punycode.ToASCII(label); err == nil {
			labels[i] = ascii
		}
	}
	return strings.Join(labels, ".")
}

func hostGlob(pattern string) *regexp.Regexp {
	if pattern == "*" || pattern == "**" {
		return regexp.MustCompile(``)
	}
	var re strings.Builder
	re.WriteString(`\A`)
	if rest, ok := strings.CutPrefix(pattern, "**."); ok {
		re.WriteString(`(?:[^.]+\.)+`)
		pattern = rest
	}
	for i, part := range strings.Split(pattern, "*") {
		if i > 0 {
			re.WriteString(`[^.]*`)
		}
		re.WriteString(regexp.QuoteMeta(part))
	}
	re.WriteString(`\z`)
	return regexp.MustCompile(re.String())
}

// A NamePattern selects names made of segments, such as those of sessions:
// "*" stands for any run of characters inside a segment, a "**" segment for
// any number of segments, none included.
type NamePattern struct{ re *regexp.Regexp }

// maxName is the longest pattern of session names, in bytes: names are those of
// files.
const maxName = 1024

// ParseName reads a pattern of session names.
func ParseName(text string) (NamePattern, error) {
	if text == "" {
		return NamePattern{}, errors.New("names no session")
	}
	if len(text) > maxName {
		return NamePattern{}, errors.New("is longer than a session's name can be")
	}
	segments := strings.Split(sessionPath(text), "/")
	re := `\A`
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "**" && last && i > 0:
			re = strings.TrimSuffix(re, "/") + `(?:/.*)?`
		case s == "**" && last:
			re += `.*`
		case s == "**":
			re += `(?:[^/]+/)*`
		case strings.Contains(s, "**"):
			return NamePattern{}, errors.New(`has "**" beside other characters; write it as a segment of its own, as in checkout/**`)
		default:
			re += strings.ReplaceAll(regexp.QuoteMeta(s), `\*`, `[^/]*`)
			if !last {
				re += "/"
			}
		}
	}
	return NamePattern{regexp.MustCompile(`(?s)` + re + `\z`)}, nil
}

// Match reports whether the pattern selects a session's name.
func (p NamePattern) Match(name string) bool {
	return p.re != nil && p.re.MatchString(sessionPath(name))
}

// sessionPath writes "::" as "/": both make folders in a session's name.
func sessionPath(name string) string { return strings.ReplaceAll(name, "::", "/") }
