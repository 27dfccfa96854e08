package child

import (
	"net"
	"slices"
	"strings"
)

// proxyNames are the variables that hold the proxy's URL, and who reads each.
var proxyNames = []struct{ name, why string }{
	{"HTTP_PROXY", "http requests of most clients"},
	{"HTTPS_PROXY", "https requests of most clients"},
	{"ALL_PROXY", "any scheme: curl, httpx, and others"},
	{"http_proxy", "curl reads only the lower-case name"},
	{"https_proxy", "wget and others read only the lower-case name"},
	{"all_proxy", "curl and others"},
	{"WS_PROXY", "WebSocket clients"},
	{"WSS_PROXY", "WebSocket clients"},
	{"grpc_proxy", "gRPC, before https_proxy"},
	{"npm_config_proxy", "npm, before its .npmrc"},
	{"npm_config_https_proxy", "npm, before its .npmrc"},
	{"GLOBAL_AGENT_HTTP_PROXY", "Node programs that use global-agent"},
	{"CGI_HTTP_PROXY", "Perl and PHP under CGI, where HTTP_PROXY is a request header"},
}

// noProxyNames are the variables that hold what does not go to the proxy.
var noProxyNames = []struct{ name, why string }{
	{"NO_PROXY", "hosts that do not go to the proxy"},
	{"no_proxy", "hosts that do not go to the proxy"},
	{"no_grpc_proxy", "the same for gRPC, which reads it first"},
	{"npm_config_noproxy", "the same for npm"},
	{"GLOBAL_AGENT_NO_PROXY", "the same for global-agent"},
}

// loopback in the words that every client's NO_PROXY understands. An IPv6 address stands without
// brackets, since httpx takes a bracketed one for a host pattern and fails.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

func (p *preparation) proxyVariables() error {
	proxy := p.proxyURL()
	for _, v := range proxyNames {
		p.set(v.name, proxy, v.why)
	}
	noProxy := strings.Join(p.noProxy(), ",")
	for _, v := range noProxyNames {
		p.set(v.name, noProxy, v.why)
	}
	// LWP asks for the environment's proxies only when told to.
	p.set("PERL_LWP_ENV_PROXY", "1", "Perl's LWP reads the proxy variables only with this")
	return nil
}

// noProxy lists the hosts that do not go to the proxy. The user's own list is not inherited: it
// names what their corporate proxy need not see, which says nothing about what is to be recorded.
func (p *preparation) noProxy() []string {
	var hosts []string
	if !p.RecordLoopback {
		hosts = append(hosts, loopback...)
	}
	for _, host := range p.direct() {
		// "*.x" is written ".x", which all clients know.
		hosts = append(hosts, strings.TrimPrefix(host, "*"))
	}
	return hosts
}

// direct returns the passthrough hosts which the command reaches by itself.
func (p *preparation) direct() []string {
	if p.UpstreamProxy {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Passthrough), func(host string) bool {
		// Only "*." patterns can be said in NO_PROXY. Others come to the proxy, which tunnels them.
		rest := strings.TrimPrefix(host, "*.")
		return rest == "" || strings.ContainsAny(rest, "*?[]{}, |")
	})
}

// withoutPort drops the port of a host pattern.
func withoutPort(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}
