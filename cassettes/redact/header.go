package redact

import (
	"net/http"
	"regexp"
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
	count := 0
	for _, name := range names {
		count += len(h[name])
	}
	all := make([]string, 0, count)
	for _, name := range names {
		n := len(all)
		if all = append(all, h[name]...); h[name] != nil {
			out[name] = all[n:len(all):len(all)]
		} else {
			out[name] = nil
		}
	}
	memo, begun := p.memo(), v.Learned()
	key := headerKey{dir: d, oauth: p.oauth}
	// The first round looks at every value that is not known. So does one after something
	// was learned; otherwise only what the round before has changed can change again.
	settled := make([]bool, count, 2*count)
	known := settled[count : 2*count]
	for n, name := 0, 0; memo != nil && name < len(names); name++ {
		key.name = names[name]
		for i, value := range out[key.name] {
			key.value = value
			if clean, ok := memo.outcome(key, begun); ok {
				out[key.name][i], settled[n], known[n] = clean, true, true
			}
			n++
		}
	}
	before := begun
	for range maxRounds {
		changed, n := false, 0
		for _, name := range names {
			for i, value := range out[name] {
				if !settled[n] || v.thorough {
					clean := p.header(name, value)
					settled[n] = clean == value
					changed = changed || clean != value
					out[name][i] = clean
				}
				n++
			}
		}
		now := v.Learned()
		learned := now != before
		if !changed && !learned {
			break
		}
		if before = now; learned {
			clear(settled)
		}
	}
	for n, name := 0, 0; memo != nil && before == begun && name < len(names); name++ {
		key.name = names[name]
		for i, value := range h[key.name] {
			if key.value = value; !known[n] {
				memo.remember(key, out[key.name][i], begun)
			}
			n++
		}
	}
	return out, nil
}

// header redacts one header value.
func (p *pass) header(name, value string) string {
	if value == "" {
		return ""
	}
	in := inRequestHeader
	if p.dir == InResponse {
		in = inResponseHeader
	}
	r := p.v.rules.named(name, in, p.target)
	if r == nil && p.unstructured(value) && !p.mayHold(value) {
		return value
	}
	place := leaves.Place("header").Member(strings.ToLower(name))
	if r == nil || p.kept(r.ID, place) {
		return p.value(place, in, value)
	}
	switch r.reading {
	case readPersonal:
		return p.personal(r, place, value)
	case readCredentials:
		return p.credentials(r, place, value)
	case readCookies:
		return p.cookies(r, place, in, value)
	case readSetCookie:
		return p.setCookie(r, place, in, value)
	case readURL:
		// Only the host of a request's own URL is beyond replacing.
		out, _ := p.inside(place).url(place, value, false)
		return p.text(place, in, out)
	case readLinks:
		return p.links(place, in, value)
	}
	return p.secret(r, place, value)
}

// cookieAttributes are those of RFC 6265 and its drafts, and of cookies before it.
var cookieAttributes = map[string]bool{"expires": true, "max-age": true, "domain": true, "path": true, "secure": true, "httponly": true,
	"samesite": true, "partitioned": true, "priority": true, "version": true, "comment": true}

// anotherCookie is where the next cookie starts when somebody has joined two
// Set-Cookie headers.
var anotherCookie = regexp.MustCompile(`,\s*[!#$%&'*+.^_` + "`" + `|~0-9A-Za-z-]+=`)

// setCookie redacts the value of a Set-Cookie header. What follows the first pair is
// attributes in any order and case; other pairs there are cookies.
func (p *pass) setCookie(r *rule, place leaves.Place, in places, value string) string {
	cookie, attributes, more := strings.Cut(value, ";")
	var b strings.Builder
	b.WriteString(p.cookies(r, place, in, cookie))
	for more {
		b.WriteByte(';')
		var one string
		one, attributes, more = strings.Cut(attributes, ";")
		name, _, assigned := strings.Cut(one, "=")
		switch joined := anotherCookie.FindStringIndex(one); {
		case assigned && !cookieAttributes[strings.ToLower(strings.TrimSpace(name))]:
			b.WriteString(p.cookies(r, place, in, one))
		case joined != nil:
			b.WriteString(p.value(place, in, one[:joined[0]]) + ",")
			b.WriteString(p.cookies(r, place, in, one[joined[0]+1:]))
		default:
			b.WriteString(p.value(place, in, one))
		}
	}
	return b.String()
}

// cookies redacts the values of "a=1; b=2" and keeps the names.
func (p *pass) cookies(r *rule, place leaves.Place, in places, value string) string {
	pairs := strings.Split(value, ";")
	for i, pair := range pairs {
		name, val, ok := strings.Cut(pair, "=")
		if !ok {
			name, val = "", pair // browsers send the value of a nameless cookie alone
		}
		at := leaves.Place("header.cookie").Member(strings.TrimSpace(name))
		space := val[:len(val)-len(strings.TrimLeft(val, " \t"))]
		inner := strings.TrimSpace(val)
		if ok {
			name = p.text(place, in, name) + "="
		}
		if p.kept(r.ID, at) {
			pairs[i] = name + p.value(at, in, val)
			continue
		}
		quote := ""
		if len(inner) >= 2 && inner[0] == '"' && inner[len(inner)-1] == '"' {
			quote, inner = `"`, inner[1:len(inner)-1]
		}
		after := val[len(space)+len(strings.TrimSpace(val)):]
		pairs[i] = name + space + quote + p.secret(r, at, inner) + quote + after
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
