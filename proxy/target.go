package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ControlHost is the name under which clients of the proxy reach Options.Control,
// by http:// and by https:// through CONNECT. RFC 2606 keeps .invalid out of DNS.
const ControlHost = "tapedeck.invalid"

// A target says where a request goes, whichever way it came in.
type target struct {
	url *url.URL
	// uri is the request target in origin form, byte for byte as sent. url.URL
	// loses some bytes (an unescaped "|", a lone "?"), so it travels as
	// Request.RequestURI.
	uri string
	// host is the Host header as sent.
	host string
	// dial is where the client itself would have connected to, "host:port",
	// when that is not the URL's host (curl --connect-to, virtual hosts).
	dial string
}

// absoluteTarget is the target of a plain HTTP request to a proxy,
// GET http://host/path HTTP/1.1. Its URL is the whole truth: net/http has
// already put its host in place of the Host header (RFC 9112, section 3.2.2).
func absoluteTarget(r *http.Request) (target, bool) {
	u := *r.URL
	u.Scheme = strings.ToLower(u.Scheme)
	switch u.Scheme {
	case "http", "https":
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	default:
		return target{}, false
	}
	if u.Hostname() == "" {
		return target{}, false
	}
	u.Host = withoutDefaultPort(u.Scheme, u.Host)
	return target{url: &u, uri: originForm(r.RequestURI), host: r.Host}, true
}

// tunnelTarget is the target of a request inside a CONNECT tunnel. The name is
// that of the Host header (HTTP/2: :authority) when it is a sane one, since that
// is the virtual host the client means; the port is the tunnel's, since that is
// where it wanted to connect to. A port in the Host header has no say.
func tunnelTarget(r *http.Request, scheme, connectHost, connectPort string) target {
	name := hostName(r.Host)
	dial := ""
	if name == "" {
		name = connectHost
	} else if !strings.EqualFold(name, connectHost) {
		dial = net.JoinHostPort(connectHost, connectPort)
	}
	u := *r.URL
	u.Scheme = scheme
	u.Host = withoutDefaultPort(scheme, net.JoinHostPort(name, connectPort))
	host := r.Host
	if host == "" {
		host = u.Host
	}
	return target{url: &u, uri: originForm(r.RequestURI), host: host, dial: dial}
}

// mappedTarget is the target of a request to a --map listener: the path and
// query of the request below the mapped URL, whose host replaces the Host header.
func mappedTarget(r *http.Request, base *url.URL) (target, error) {
	uri := originForm(r.RequestURI)
	if prefix := strings.TrimSuffix(base.EscapedPath(), "/"); prefix != "" && strings.HasPrefix(uri, "/") {
		uri = prefix + uri
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return target{}, err
	}
	u.Scheme, u.Host = base.Scheme, withoutDefaultPort(base.Scheme, base.Host)
	return target{url: u, uri: uri, host: u.Host}, nil
}

// originForm cuts scheme and authority off a request target and leaves every
// other byte alone.
func originForm(uri string) string {
	if strings.HasPrefix(uri, "/") || uri == "*" {
		return uri
	}
	_, rest, found := strings.Cut(uri, "://")
	if !found {
		return uri
	}
	i := strings.IndexAny(rest, "/?")
	if i < 0 {
		return "/"
	}
	if rest[i] == '?' {
		return "/" + rest[i:]
	}
	return rest[i:]
}

// hostName is the name in a Host header, or "" if it has none that could be a
// host: a header that says something else must not choose where we connect to.
func hostName(hostport string) string {
	name := hostport
	if host, port, err := net.SplitHostPort(hostport); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil && port != "" {
			return ""
		}
		name = host
	}
	name = withoutBrackets(name)
	if ip, err := netip.ParseAddr(name); err == nil {
		if ip.Zone() != "" {
			return "" // a zone may hold any character
		}
		return name
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return ""
		}
	}
	return name
}

// withoutBrackets takes an IPv6 address out of its brackets.
func withoutBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// connectAuthority splits the target of CONNECT, which must name a port (RFC
// 9110, section 9.3.6). To guess 443 would leave a client that meant something
// else waiting in a tunnel in which nobody speaks.
func connectAuthority(authority string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(authority)
	if err != nil || hostName(host) == "" || !isPort(port) {
		return "", "", false
	}
	return host, port, true
}

func withoutDefaultPort(scheme, hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || port != "" && port != defaultPort(scheme) {
		return hostport
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// hostPort is the address of a URL with its port spelled out.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// ownAddress reports that host:port is where the proxy itself was reached, by
// one of the names that surely mean this machine. Forwarding such a request
// would come straight back.
func ownAddress(hostport string, local net.Addr) bool {
	tcp, ok := local.(*net.TCPAddr)
	if !ok {
		return false
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || port != strconv.Itoa(tcp.Port) {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.Equal(tcp.IP))
}
