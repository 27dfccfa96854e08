package scope

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// NormalHost is the host and port of a URL in the one form that all their
// spellings share: lower case, names in their ASCII form, IPv6 addresses in
// their shortest, default ports dropped.
func NormalHost(u *url.URL) string {
	host, port := normalHostname(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || port == defaultPorts[strings.ToLower(u.Scheme)] {
		return host
	}
	return host + ":" + port
}

var defaultPorts = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}

// normalHostname normalises a host without port and brackets. A name that is
// not valid in IDNA (an underscore, say) is only lower-cased.
func normalHostname(name string) string {
	// An address holds a colon or starts with a digit; an error costs more than the rest.
	if strings.IndexByte(name, ':') >= 0 || name != "" && '0' <= name[0] && name[0] <= '9' {
		if addr, err := netip.ParseAddr(name); err == nil {
			return addr.String()
		}
	}
	name = strings.TrimSuffix(name, ".") // the root of the DNS, which clients may write
	for i := range len(name) {
		if name[i] >= 0x80 {
			if ascii, err := idna.Lookup.ToASCII(name); err == nil {
				return ascii
			}
			break
		}
	}
	return strings.ToLower(name)
}

// NormalPath is a path in the normal form of RFC 3986, section 6.2.2, without
// the removal of dot segments: clients send those on purpose. An empty path is /.
func NormalPath(path string) string {
	if path == "" {
		return "/"
	}
	return NormalSegment(path)
}

// NormalSegment decodes escapes of unreserved characters, writes the others
// with upper-case digits, and escapes what may not stand in a path unescaped.
func NormalSegment(s string) string {
	clean := true
	for i := range len(s) {
		clean = clean && s[i] != '%' && pathByte(s[i])
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			if c = unhex(s[i+1])<<4 | unhex(s[i+2]); unreserved(c) {
				b.WriteByte(c)
			} else {
				escapeByte(&b, c)
			}
			i += 2
		case c == '%' || pathByte(c):
			b.WriteByte(c)
		default:
			escapeByte(&b, c)
		}
	}
	return b.String()
}

func escapeByte(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func unreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// pathByte reports what may stand in a path unescaped (RFC 3986, section 3.3).
func pathByte(c byte) bool { return pathBytes[c] }

var pathBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = unreserved(byte(c)) || strings.IndexByte("!$&'()*+,;=:@/[]", byte(c)) >= 0
	}
	return set
}()
