package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A resolution is one --resolve entry: connections to host:port go to addresses.
type resolution struct {
	host      string // lower case; "*" is any
	port      string
	addresses []string // host:port
}

// parseResolve reads curl's HOST:PORT:ADDRESS[,ADDRESS]…. Beyond curl, an ADDRESS
// may carry its own :PORT and may be a name, so that a mock in another container
// can stand for the API.
func parseResolve(entry string) (resolution, error) {
	fault := func(text string) (resolution, error) {
		return resolution{}, fmt.Errorf("--resolve %s: %s; write HOST:PORT:ADDRESS as curl does, such as api.stripe.com:443:127.0.0.1:12112", entry, text)
	}
	var host, rest string
	if strings.HasPrefix(entry, "[") {
		end := strings.Index(entry, "]:")
		if end < 0 {
			return fault("the bracketed HOST has no end")
		}
		host, rest = entry[1:end], entry[end+2:]
	} else {
		var found bool
		if host, rest, found = strings.Cut(strings.TrimPrefix(entry, "+"), ":"); !found {
			return fault("PORT and ADDRESS are missing")
		}
	}
	port, list, found := strings.Cut(rest, ":")
	switch {
	case !found || list == "":
		return fault("ADDRESS is missing")
	case host != "*" && hostName(host) == "":
		return fault("HOST is not a host name")
	case !isPort(port):
		return fault("PORT is not a number from 1 to 65535")
	}
	r := resolution{host: strings.ToLower(host), port: port}
	for address := range strings.SplitSeq(list, ",") {
		to, ok := dialAddress(address, port)
		if !ok {
			return fault("ADDRESS is not an address (put IPv6 in brackets to give a port)")
		}
		r.addresses = append(r.addresses, to)
	}
	return r, nil
}

// dialAddress completes an ADDRESS: 1.2.3.4, 1.2.3.4:80, ::1, [::1], [::1]:80,
// name, name:80.
func dialAddress(address, port string) (string, bool) {
	if ip, err := netip.ParseAddr(withoutBrackets(address)); err == nil {
		to := net.JoinHostPort(ip.String(), port)
		_, _, err := net.SplitHostPort(to) // netip takes any text for a zone, brackets too
		return to, err == nil
	}
	if host, own, err := net.SplitHostPort(address); err == nil {
		return address, hostName(host) != "" && isPort(own)
	}
	if strings.Contains(address, ":") || hostName(address) == "" {
		return "", false
	}
	return net.JoinHostPort(address, port), true
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

type resolutions []resolution

func parseResolves(entries []string) (resolutions, error) {
	var all resolutions
	for _, entry := range entries {
		r, err := parseResolve(entry)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// lookup returns where to connect to instead of address. An entry that names the
// host wins over one for any host; among equals the first wins.
func (all resolutions) lookup(address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	var wild []string
	for _, r := range all {
		if r.port != port {
			continue
		}
		if r.host == host {
			return r.addresses
		}
		if r.host == "*" && wild == nil {
			wild = r.addresses
		}
	}
	return wild
}
