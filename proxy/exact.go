package proxy

import (
	"maps"
	"net/http"
	"strings"
)

// exact prepares a request for http.Transport so that what is sent is what the
// client sent: the request target from RequestURI byte for byte, and no
// User-Agent unless the client sent one. req itself is not changed.
// absolute asks for the absolute form, as a plain HTTP proxy wants it.
func exact(req *http.Request, absolute bool) *http.Request {
	uri := req.RequestURI
	if !strings.HasPrefix(uri, "/") {
		uri = "" // a Go client's request has none; "*" travels in URL.Path
	}
	_, agent := req.Header["User-Agent"]
	if agent && (uri == "" || !absolute && uri == req.URL.RequestURI()) {
		return req
	}
	out := req.WithContext(req.Context()) // a shallow copy
	if !agent {
		out.Header = maps.Clone(req.Header)
		if out.Header == nil {
			out.Header = make(http.Header)
		}
		out.Header["User-Agent"] = nil // how http.Transport is told to add none
	}
	if uri == "" || !absolute && uri == req.URL.RequestURI() {
		return out
	}
	u := *req.URL
	switch {
	case absolute:
		u.Opaque = "//" + u.Host + uri
	case strings.HasPrefix(uri, "//"):
		// url.URL writes an Opaque that begins with // in absolute form, which
		// every server must accept (RFC 9112, section 3.2.2).
		host := req.Host
		if host == "" {
			host = u.Host
		}
		u.Opaque = "//" + host + uri
	default:
		u.Opaque = uri
	}
	u.RawQuery, u.ForceQuery = "", false // in Opaque already
	out.URL = &u
	return out
}
