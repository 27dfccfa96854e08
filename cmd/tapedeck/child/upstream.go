package child

import (
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// UpstreamProxy returns the proxy that an environment chooses for a request, before Prepare has
// replaced it: the proxy that tapedeck itself goes through. It reads HTTPS_PROXY, HTTP_PROXY,
// ALL_PROXY and NO_PROXY in either case, as curl does. The function has the form of
// http.Transport.Proxy's argument and returns nil for a direct connection; requests to loopback are
// always direct.
func UpstreamProxy(environ []string) func(target *url.URL) (*url.URL, error) {
	either := func(name string) string {
		// Lower case first, since HTTP_PROXY is under an attacker's control in CGI programs.
		if value := lookup(environ, strings.ToLower(name)); value != "" {
			return value
		}
		return lookup(environ, name)
	}
	config := httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY"),
		HTTPSProxy: either("HTTPS_PROXY"),
		NoProxy:    either("NO_PROXY"),
	}
	if all := either("ALL_PROXY"); all != "" {
		if config.HTTPProxy == "" {
			config.HTTPProxy = all
		}
		if config.HTTPSProxy == "" {
			config.HTTPSProxy = all
		}
	}
	return config.ProxyFunc()
}

// HasUpstreamProxy reports whether an environment names a proxy at all.
func HasUpstreamProxy(environ []string) bool {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		if lookup(environ, name) != "" || lookup(environ, strings.ToLower(name)) != "" {
			return true
		}
	}
	return false
}
