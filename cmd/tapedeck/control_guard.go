package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"tapedeck/proxy"
)

// open are the paths that anyone may read: what they tell is public, and a
// container fetches the certificate from outside.
var open = map[string]bool{"/ca.pem": true, "/health": true}

// guarded keeps web pages and other machines away from the control API. A page in
// a browser can send requests to loopback, under a name of its own that it makes
// resolve there (DNS rebinding); its requests name an Origin or such a Host.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var fault string
		switch {
		case r.Header.Get("Origin") != "" || strings.HasPrefix(r.Header.Get("Sec-Fetch-Site"), "cross"):
			fault = "the control API does not answer web pages; call it from a program, without an Origin header"
		case open[r.URL.Path]:
		case !fromHere(r.RemoteAddr):
			fault = "the control API answers this machine only; call it from here"
		case !ownName(r.Host):
			fault = "the control API has no such host name; call it by its IP address, as localhost, or through the proxy as http://" + proxy.ControlHost
		}
		if fault != "" {
			reply(w, http.StatusForbidden, problem(fault))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromHere reports whether a connection's other end is this machine.
func fromHere(remote string) bool {
	address, err := netip.ParseAddrPort(remote)
	return err == nil && address.Addr().Unmap().IsLoopback()
}

// ownName reports whether a Host is one that no page can make resolve to here: an
// IP address, localhost, or the name that only the proxy knows.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == proxy.ControlHost
}
