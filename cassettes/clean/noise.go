package clean

import "strings"

// noise are response headers that change from one answer to the next and mean
// nothing to a program. A leading or trailing "*" stands for any text.
var noise = []struct{ name, why string }{
	{"Date", "the moment of the answer"},
	{"Age", "time in a shared cache"},
	{"Cf-Ray", "Cloudflare's request number"},
	{"Cf-Cache-Status", "state of Cloudflare's cache"},
	{"Server-Timing", "durations"},
	{"Report-To", "where browsers report network errors"},
	{"Reporting-Endpoints", "where browsers report network errors"},
	{"Nel", "network error logging"},
	{"Alt-Svc", "other addresses of the server; following one would leave the proxy"},
	{"X-Ratelimit-*", "what is left of a quota"},
	{"Ratelimit-*", "what is left of a quota"},
	{"*-Processing-Ms", "a duration"},
	{"X-Runtime", "a duration"},
	{"X-Response-Time", "a duration"},
}

// noiseNames are the names in lower case.
var noiseNames = func() (names []string) {
	for _, n := range noise {
		names = append(names, strings.ToLower(n.name))
	}
	return names
}()

// Noise reports whether a response header is left out of cassettes by default.
func Noise(name string) bool {
	name = strings.ToLower(name)
	for _, pattern := range noiseNames {
		switch {
		case strings.HasPrefix(pattern, "*"):
			if strings.HasSuffix(name, pattern[1:]) {
				return true
			}
		case strings.HasSuffix(pattern, "*"):
			if strings.HasPrefix(name, pattern[:len(pattern)-1]) {
				return true
			}
		case name == pattern:
			return true
		}
	}
	return false
}
