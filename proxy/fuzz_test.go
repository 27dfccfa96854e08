package proxy

import (
	"net"
	"strings"
	"testing"
)

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"a:443:1.2.3.4", "*:80:[::1]:8080", "[::2]:80:::1", "a:1:b:2,c", "+a:1:2", "0:1:[0", "0:1:::1%0[\x16"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		r, err := parseResolve(entry)
		if err != nil {
			return
		}
		host := r.host
		if host == "*" {
			host = "anything"
		}
		to := resolutions{r}.lookup(net.JoinHostPort(host, r.port))
		if len(to) == 0 && !strings.HasSuffix(host, ".") {
			t.Fatalf("%q is accepted and never found", entry)
		}
		for _, address := range to {
			if host, port, err := net.SplitHostPort(address); err != nil || host == "" || !isPort(port) {
				t.Fatalf("%q leads to %q", entry, address)
			}
		}
	})
}

func FuzzOriginForm(f *testing.F) {
	f.Add("api.example", "/a%2Fb?c")
	f.Add("[::1]:80", "//x://y?z")
	f.Fuzz(func(t *testing.T, authority, uri string) {
		if !strings.HasPrefix(uri, "/") || authority == "" || strings.ContainsAny(authority, "/?") {
			return
		}
		if got := originForm("http://" + authority + uri); got != uri {
			t.Fatalf("%q became %q", uri, got)
		}
		if got := originForm(uri); got != uri {
			t.Fatalf("%q became %q", uri, got)
		}
	})
}

// FuzzHostName: what is taken for a host can neither carry a port nor anything
// that would change the URL it is put into.
func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"a.example:80", "[::1]", "a@b", "a/b", "fe80::1%eth0", "::% 0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		name := hostName(header)
		if strings.ContainsAny(name, "/?#@\\ \r\n\t[]") {
			t.Fatalf("%q gives %q", header, name)
		}
		if host, port, ok := connectAuthority(header); ok && (host == "" || !isPort(port)) {
			t.Fatalf("%q gives %q, %q", header, host, port)
		}
	})
}
