package redact

import (
	"net/url"
	"strings"

	"tapedeck/cassettes/leaves"
)

// URL returns the redacted form of a URL as the client wrote it: user-info,
// path segments, query and fragment; all other bytes stay as they are. A
// secret in the host is a Refusal.
func (v *Vault) URL(s Scope, d Direction, u string) (string, error) {
	p := v.pass(s, d)
	return v.settle(u, func(u string) (string, error) { return p.url("url", u, true) })
}

// url redacts a URL, absolute or relative. A URL that is the request's own (own)
// must keep its host, since a rewritten host is another API.
func (p *pass) url(place leaves.Place, u string, own bool) (string, error) {
	rest, fragment, hasFragment := strings.Cut(u, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	var b strings.Builder
	b.Grow(len(u))
	host := ""
	if i := strings.Index(rest, "//"); i == 0 || i > 0 && rest[i-1] == ':' {
		b.WriteString(p.text(place, inPath, rest[:i+2]))
		authority, path := rest[i+2:], ""
		if j := strings.IndexByte(authority, '/'); j >= 0 {
			authority, path = authority[:j], authority[j:]
		}
		rest = path
		host = authority
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			host = authority[at+1:]
			b.WriteString(p.userinfo(authority[:at]))
			b.WriteByte('@')
		}
		host = p.host(host)
		if own {
			if found := p.hits("url.host", anywhere, host); len(found) > 0 {
				id := "environment"
				if h := found[0]; h.rule != nil {
					id = h.rule.ID
				} else {
					id = h.known.rule
				}
				return "", &Refusal{Rule: id, Place: "url.host", Reason: "the host holds a secret, and only a host rule rewrites a host: add {id: tenant, host: '([a-z0-9]+)\\.acme\\.dev'} to redact.add, or name the API without it, as with --map"}
			}
			b.WriteString(host)
		} else {
			b.WriteString(p.text(place, inPath, host))
		}
	}
	b.WriteString(p.path(place, p.segments(host, rest, own)))
	if hasQuery {
		b.WriteByte('?')
		b.WriteString(p.query(place, query))
	}
	if hasFragment {
		b.WriteByte('#')
		fragment = p.text(place, inQuery, fragment) // a "&" in it may part nothing
		if strings.Contains(fragment, "=") {
			fragment = p.query(place, fragment)
		}
		b.WriteString(fragment)
	}
	return b.String(), nil
}

// userinfo redacts "user:password". A user name is secret only when its shape
// says so, or when it stands alone and is random, as a token in a git URL is.
func (p *pass) userinfo(info string) string {
	rawUser, rawPassword, ok := strings.Cut(info, ":")
	rule := p.v.rules.named("password", inUserinfo, p.target)
	user := unescapePath(rawUser)
	place := leaves.Place("userinfo")
	kept := rule == nil || p.kept(rule.ID, place)
	var cleanUser string
	if (!ok || rawPassword == "") && !kept && strong(user) {
		cleanUser = p.secret(rule, place, user)
	} else {
		cleanUser = p.text(place, inUserinfo, user)
	}
	if cleanUser != user {
		rawUser = escapeUserinfo(cleanUser)
	}
	if !ok {
		return rawUser
	}
	if password := unescapePath(rawPassword); password != "" {
		clean := password
		if kept {
			clean = p.text(place, inUserinfo, password)
		} else {
			clean = p.secret(rule, place, password)
		}
		if clean != password {
			rawPassword = escapeUserinfo(clean)
		}
	}
	return rawUser + ":" + rawPassword
}

func unescapePath(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}

func escapeUserinfo(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// path redacts a path: first as it is written, so that rules which name more
// than one segment see them, then each segment that holds escapes, decoded.
func (p *pass) path(place leaves.Place, path string) string {
	if path == "" {
		return ""
	}
	if place == "url" {
		place = "path"
	}
	path = p.text(place, inPath, path)
	if !strings.Contains(path, "%") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		decoded := unescapePath(segment)
		if decoded == segment {
			continue
		}
		if clean := p.text(place, inPath, decoded); clean != decoded {
			segments[i] = url.PathEscape(clean)
		}
	}
	return strings.Join(segments, "/")
}

// query redacts a query, or a fragment written like one.
func (p *pass) query(place leaves.Place, query string) string {
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	_ = o.Query(query) // fields with bad escapes are leaves too, as they are written
	return p.outlined(query, o, inQuery)
}

// urls redacts the URLs that stand in a text: user-info and secret parameters.
func (p *pass) urls(place leaves.Place, s string) string {
	var b strings.Builder
	last := 0
	for from := 0; ; {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			break
		}
		i += from
		start := i
		for start > last && (isAlnum(s[start-1]) || s[start-1] == '+' || s[start-1] == '-' || s[start-1] == '.') {
			start--
		}
		end := i + 3
		for end < len(s) && s[end] > ' ' && s[end] < 0x7f && !strings.ContainsRune("\"'<>`\\^|{}", rune(s[end])) {
			end++
		}
		from = end
		if start == i || end == i+3 {
			continue
		}
		if u := s[start:end]; strings.ContainsAny(u, "@?#") || len(p.v.rules.hosts)+len(p.v.rules.paths) > 0 {
			clean, _ := p.inside(place).url(place, u, false)
			if p.fixed {
				clean = fitted(clean, u)
			}
			b.WriteString(s[last:start])
			b.WriteString(clean)
			last = end
		}
	}
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}
