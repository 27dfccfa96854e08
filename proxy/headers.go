package proxy

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// hopByHop are the headers that concern one connection (RFC 9110, section
// 7.6.1), in canonical form. Keep-Alive and Proxy-Connection are not in the RFC's
// list but were never anything else; HTTP2-Settings belongs to an upgrade to h2c.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// dropHopByHop removes, in place, what concerns one connection only, the headers
// that Connection names included.
func dropHopByHop(header http.Header) {
	for _, line := range header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				header.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
}

// forwardedHeader is the copy of a client's headers that goes upstream: nothing
// of the connection, of the proxy or of the session, and nothing added.
func forwardedHeader(from http.Header) http.Header {
	header := from.Clone()
	if header == nil {
		header = make(http.Header)
	}
	upgrade := upgradeProtocol(header)
	trailers := httpguts.HeaderValuesContainsToken(header["Te"], "trailers")
	dropHopByHop(header)
	for name := range header {
		if strings.HasPrefix(name, "Proxy-") {
			delete(header, name)
		}
	}
	delete(header, SessionHeader)
	// The server side answers 100 as soon as the body is read. Asking the
	// upstream as well costs a second with those that never answer it.
	if httpguts.HeaderValuesContainsToken(header["Expect"], "100-continue") {
		delete(header, "Expect")
	}
	if trailers { // gRPC insists on it
		header["Te"] = []string{"trailers"}
	}
	if upgrade != "" {
		header["Connection"] = []string{"Upgrade"}
		header["Upgrade"] = []string{upgrade}
	}
	return header
}

// upgradeProtocol is the protocol that a message upgrades to, or "". An upgrade
// to h2c or TLS is not passed on: it would hide the requests that follow.
func upgradeProtocol(header http.Header) string {
	if !httpguts.HeaderValuesContainsToken(header["Connection"], "upgrade") {
		return ""
	}
	protocol := header.Get("Upgrade")
	if lower := strings.ToLower(protocol); strings.Contains(lower, "h2c") || strings.HasPrefix(lower, "tls/") {
		return ""
	}
	return protocol
}
