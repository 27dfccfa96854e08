package child

import "net/url"

// InheritedProxy is the proxy through which the environment reaches HTTPS hosts, and
// the hosts it reaches without one (NO_PROXY); both are "" when it names none.
func InheritedProxy(environ []string) (proxy, noProxy string) {
	target, err := UpstreamProxy(environ)(&url.URL{Scheme: "https", Host: "upstream.invalid"})
	if err != nil || target == nil {
		return "", ""
	}
	noProxy = lookup(environ, "no_proxy")
	if noProxy == "" {
		noProxy = lookup(environ, "NO_PROXY")
	}
	return target.String(), noProxy
}
