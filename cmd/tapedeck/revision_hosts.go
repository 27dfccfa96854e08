package main

import (
	"regexp"
	"strings"

	"tapedeck/cassettes"
	"tapedeck/cassettes/scope"
)

// calls reports whether a cassette of a tree calls a host, "https://api.acme.dev:8443".
// Cassettes that did not change are not read for a comparison, and what they call is
// not new.
func (d *differ) calls(r *repository, tree, host string) bool {
	// git finds the few that may, so that not all have to be read.
	out, err := r.run("grep", "-l", "-z", "-i", "-E", "-e", mayCall(host), tree, "--", ":(top)*.yaml", ":(top)*.yml")
	if err != nil { // also when nothing matches
		return false
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name == "" {
			continue
		}
		data, err := r.run("cat-file", "blob", name)
		if err != nil || !isCassette(data) {
			continue
		}
		doc, err := cassettes.Read(name, data, nil, d.station.cleaner())
		if err != nil {
			continue // nobody asked about this one
		}
		for _, in := range doc.List {
			if u := in.Request().URL(); strings.ToLower(u.Scheme)+"://"+scope.NormalHost(u) == host {
				return true
			}
		}
	}
	return false
}

// mayCall is the pattern of a line that may name a URL of a host. A default port may
// stand there; the host of a comparison has none.
func mayCall(host string) string {
	scheme, name, _ := strings.Cut(host, "://")
	port := map[string]string{"http": "(:80)?", "https": "(:443)?"}[scheme]
	return `url"?: *["']?` + scheme + `://([^/@ ]*@)?` + regexp.QuoteMeta(name) + port + `([/?#"' ,}]|$)`
}
