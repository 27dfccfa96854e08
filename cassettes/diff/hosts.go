package diff

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"tapedeck/cassettes/scope"
)

// newHosts lists the hosts that no old cassette called, with the cassettes that call them.
func newHosts(pairs []Pair) []NewHost {
	before := make(map[string]bool)
	for _, p := range pairs {
		if p.Old == nil {
			continue
		}
		for _, in := range p.Old.List {
			before[hostOfURL(in.Request().URL())] = true
		}
	}
	now := make(map[string][]string)
	for _, p := range pairs {
		if p.New == nil {
			continue
		}
		for _, in := range p.New.List {
			host := hostOfURL(in.Request().URL())
			if !before[host] && !slices.Contains(now[host], p.New.Name) {
				now[host] = append(now[host], p.New.Name)
			}
		}
	}
	var out []NewHost
	for _, host := range slices.Sorted(maps.Keys(now)) {
		slices.Sort(now[host])
		out = append(out, NewHost{Host: host, Cassettes: now[host]})
	}
	return out
}

// hostOfURL is scheme, host and port of a URL, the default port left out.
func hostOfURL(u *url.URL) string { return strings.ToLower(u.Scheme) + "://" + scope.NormalHost(u) }
