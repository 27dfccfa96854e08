package redact

import (
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// Header returns a redacted copy of h.
func (v *Vault) Header(s Scope, d Direction, h http.Header) (http.Header, error) {
	if h == nil {
		return nil, nil
	}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names) // numbers are given in a fixed order
	p := v.pass(s, d)
	out := make(http.Header, len(h))
	for _, name := range names {
		out[name] = slices.Clone(h[name])
	}
	for range maxRounds {
		before, changed := v.Learned(), false
		for _, name := range names {
			for i, value := range out[name] {
				clean := p.header(name, value)
				changed = changed || clean != value
				out[name][i] = clean
			}
		}
		if !changed && v.Learned() == before {
			break
		}
	}
	return out, nil
}

// header redacts one header value.
func (p *pass) header(name, value string) string {
	if value == "" {
		return ""
	}
	place := leaves.Place("header").Member(strings.ToLower(name))
	in := inRequestHeader
	if p.dir == InResponse {
		in = inResponseHeader
	}
	r := p.v.rules.named(name, in, p.target)
	if r == nil || p.kept(r.ID, place) {
		return p.value(place, in, value)
	}
	switch r.reading {
	case readCredentials:
		return p.credentials(r, place, value)
	case readCookies:
		return p.cookies(r, place, in, value)
	case readSetCookie:
		cookie, attributes, found := strings.Cut(value, ";")
		out := p.cookies(r, place, in, cookie)
		if found {
			out += ";" + p.value(place, in, attributes)
		}
		return out
	case readURL:
		// Only the host of a request's own URL is beyond replacing.
		out, _ := p.inside(place).url(place, value, false)
		return p.text(place, in, out)
	case readLinks:
		return p.links(place, in, value)
	}
	return p.secret(r, place, value)
}

// cookies redacts the values of "a=1; b=2" and keeps the names.
func (p *pass) cookies(r *rule, place leaves.Place, in places, value string) string {
	pairs := strings.Split(value, ";")
	for i, pair := range pairs {
		name, val, ok := strings.Cut(pair, "=")
		if !ok {
			pairs[i] = p.text(place, in, pair)
			continue
		}
		at := leaves.Place("header.cookie").Member(strings.TrimSpace(name))
		space := val[:len(val)-len(strings.TrimLeft(val, " \t"))]
		inner := strings.TrimSpace(val)
		if p.kept(r.ID, at) {
			pairs[i] = name + "=" + p.value(at, in, val)
			continue
		}
		quote := ""
		if len(inner) >= 2 && inner[0] == '"' && inner[len(inner)-1] == '"' {
			quote, inner = `"`, inner[1:len(inner)-1]
		}
		pairs[i] = p.text(place, in, name) + "=" + space + quote + p.secret(r, at, inner) + quote
	}
	return strings.Join(pairs, ";")
}

// links redacts the URLs of <URL>; rel="next", <URL>; rel="last" (RFC 8288).
func (p *pass) links(place leaves.Place, in places, value string) string {
	var b strings.Builder
	rest := value
	for {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(rest[open:], '>')
		if end < 0 {
			break
		}
		end += open
		out, _ := p.inside(place).url(place, rest[open+1:end], false)
		b.WriteString(rest[:open+1])
		b.WriteString(out)
		b.WriteByte('>')
		rest = rest[end+1:]
	}
	b.WriteString(rest)
	return p.text(place, in, b.String())
}
