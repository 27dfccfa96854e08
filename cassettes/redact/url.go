package redact

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

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
	rest := u
	var b strings.Builder
	b.Grow(len(u))
	host := ""
	if i := strings.Index(beforeQuery(u), "//"); i == 0 || i > 0 && u[i-1] == ':' {
		b.WriteString(p.text(place, inPath, u[:i+2]))
		authority := u[i+2:]
		end := authorityEnd(authority)
		authority, rest = authority[:end], authority[end:]
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
	rest = p.wholeFirst(place, inPath|inQuery, rest) // which may hold a "#" or "?"
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	b.WriteString(p.path(place, p.segments(host, path, own)))
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

// beforeQuery is what stands in u before its query or fragment.
func beforeQuery(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		return u[:i]
	}
	return u
}

// authorityEnd is where the authority ends that s starts with. A password may hold
// what should be escaped there ("u:p/w@host"): it is told by a port that is no number.
func authorityEnd(s string) int {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		return len(s)
	}
	if strings.Contains(s[:end], "@") || !openPassword(s[:end]) {
		return end
	}
	at := strings.IndexByte(s[end:], '@')
	if at < 0 {
		return end
	}
	at += end
	if more := strings.IndexAny(s[at:], "/?#"); more >= 0 {
		return at + more
	}
	return len(s)
}

// openPassword reports whether an authority without an "@" ends with a colon and
// what is no port.
func openPassword(authority string) bool {
	i := strings.LastIndexByte(authority, ':')
	return i >= 0 && strings.Trim(authority[i+1:], "0123456789") != "" && !strings.HasSuffix(authority, "]")
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
	if strings.Contains(path, "://") && p.depth < maxDepth {
		path = p.urls(place, path) // proxies and archives take a URL as their path
	}
	path = p.matrix(place, path)
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

// matrix redacts the parameters in a path (RFC 3986, 3.3): /cart;jsessionid=SECRET.
func (p *pass) matrix(place leaves.Place, path string) string {
	if !p.names || !strings.Contains(path, ";") {
		return path
	}
	var b strings.Builder
	last := 0
	for at := strings.IndexByte(path, ';'); at >= 0; {
		at++
		end := strings.IndexAny(path[at:], ";/")
		next := -1
		if end < 0 {
			end = len(path)
		} else if end += at; path[end] == ';' {
			next = end
		} else if next = strings.IndexByte(path[end:], ';'); next >= 0 {
			next += end
		}
		name, value, ok := strings.Cut(path[at:end], "=")
		if r := p.v.rules.named(unescapePath(name), inQuery, p.target); ok && r != nil && r.reading == readWhole && !p.kept(r.ID, p.place(place)) {
			plain := unescapePath(value)
			if clean := p.secret(r, place, plain); clean != plain {
				b.WriteString(path[last : end-len(value)])
				b.WriteString(url.PathEscape(clean))
				last = end
			}
		}
		at = next
	}
	if last == 0 {
		return path
	}
	b.WriteString(path[last:])
	return b.String()
}

// query redacts a query, or a fragment written like one.
func (p *pass) query(place leaves.Place, query string) string {
	o := outlines.Get().(*leaves.Outline)
	defer recycle(o)
	query = p.wholeFirst(place, inQuery, query)
	_ = o.Query(query) // fields with bad escapes are leaves too, as they are written
	return p.outlined(query, o, inQuery)
}

// mayHoldURL reports whether there may be something for urls in a text.
func mayHoldURL(s string) bool {
	return strings.Contains(s, "//") || strings.Contains(s, escapedSlashes)
}

// escapedSlashes start the host of a URL in JSON as PHP writes it, in a page.
const escapedSlashes = `:\/\/`

// urls redacts the URLs that stand in a text: user-info and secret parameters.
func (p *pass) urls(place leaves.Place, s string) string {
	s = p.urlsBehind(place, s, "//")
	if strings.Contains(s, escapedSlashes) {
		s = p.urlsBehind(place, s, escapedSlashes[1:])
	}
	return s
}

// urlsBehind redacts the URLs whose hosts stand behind a mark.
func (p *pass) urlsBehind(place leaves.Place, s, mark string) string {
	var b strings.Builder
	last := 0
	for from := 0; ; {
		i := strings.Index(s[from:], mark)
		if i < 0 {
			break
		}
		one, ok := urlAt(s, from+i, len(mark), p.fixed)
		from = max(from+i+len(mark), one.end)
		if !ok {
			continue
		}
		one.start = max(one.start, last) // what looks like a scheme may end the URL before
		written := s[one.start:one.end]
		u, escape := plainURL(written)
		if !strings.ContainsAny(u, "@?#;") && len(p.v.rules.hosts)+len(p.v.rules.paths) == 0 {
			continue
		}
		clean, _ := p.inside(place).url(place, u, false)
		if clean == u {
			continue
		}
		clean = escape(clean)
		if p.fixed {
			clean = fittedURL(clean, written, s[one.end:])
		}
		b.WriteString(s[last:one.start])
		b.WriteString(clean)
		last = one.end
	}
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}

// fittedURL is fittedBefore for a URL: where there is no room for all its placeholders,
// the first one stands for the whole, since Check would not know what a name calls secret.
func fittedURL(clean, old, next string) string {
	out := fittedBefore(clean, old, next)
	if list := wordPlaceholders(clean); out == old && len(list) > 0 {
		return fittedPair(clean[list[0].Start:list[0].End], old, next)
	}
	return out
}

// plainURL resolves the escapes that a page's texts add to a URL, where all of it is
// escaped alike; escape adds them again.
func plainURL(s string) (plain string, escape func(string) string) {
	var olds, news []string
	if slashes := strings.Count(s, `\/`); slashes > 0 && slashes == strings.Count(s, "/") {
		olds, news = append(olds, `\/`), append(news, "/")
	}
	for _, amp := range []string{"&amp;", "&#38;", `\u0026`} {
		if n := strings.Count(s, amp); n > 0 && n == strings.Count(s, "&")+strings.Count(s, `\u0026`) {
			olds, news = append(olds, amp), append(news, "&")
			break
		}
	}
	if olds == nil {
		return s, asWritten
	}
	plain = s
	for i, old := range olds {
		plain = strings.ReplaceAll(plain, old, news[i])
	}
	return plain, func(s string) string {
		for i, old := range olds {
			s = strings.ReplaceAll(s, news[i], old)
		}
		return s
	}
}

// urlAt reads the URL whose host stands behind the slashes at i, which are n bytes
// long; ok is false when there is none. One without a scheme must have a password.
// ascii says that it holds nothing else.
func urlAt(s string, i, n int, ascii bool) (one span, ok bool) {
	start := i
	if i > 0 && s[i-1] == ':' {
		for start = i - 1; start > 0 && isSchemeByte(s[start-1]); start-- {
		}
	}
	if start >= i-1 {
		return passwordAt(s, i, n, ascii)
	}
	one = span{start, beforeScheme(s, i+n, urlEnd(s, i+n, ascii))}
	return one, one.end > i+n
}

// passwordAt is urlAt for a URL without a scheme.
func passwordAt(s string, i, n int, ascii bool) (one span, ok bool) {
	end := i + n
	colon, at := -1, -1
	for ; end < len(s) && s[end] > ' ' && strings.IndexByte("/?#\"'<>`^|{}\\", s[end]) < 0; end++ {
		if strings.HasPrefix(s[end:], "://") {
			break
		}
		switch {
		case s[end] == ':' && colon < 0:
			colon = end
		case s[end] == '@':
			at = end
		}
	}
	if colon < 0 || at < colon || at+1 == end || i > 0 && (isNameByte(s[i-1]) || s[i-1] == '/' || s[i-1] == ':') {
		return span{i, end}, false
	}
	return span{i, beforeScheme(s, at+1, runOfURL(s, end, ascii))}, true
}

// beforeScheme is the end of a URL that the next one follows in its path: at end if none
// does.
func beforeScheme(s string, low, end int) int {
	if strings.HasPrefix(s[end:], "://") {
		for end > low && isSchemeByte(s[end-1]) {
			end--
		}
	}
	return end
}

func isSchemeByte(c byte) bool { return isAlnum(c) || c == '+' || c == '-' || c == '.' }

// maxPassword is how far the end of a password is looked for that holds what ends a
// URL, in bytes.
const maxPassword = 256

// urlEnd is where the URL ends whose authority starts at i. ascii says that it holds
// nothing else.
func urlEnd(s string, i int, ascii bool) int {
	end := runOfURL(s, i, ascii)
	head := s[i:end]
	if end == len(s) || s[end] <= ' ' || ascii || strings.ContainsAny(head, "@/?#") || !openPassword(head) {
		return end
	}
	for at := end; at < len(s) && at-i < maxPassword && s[at] > ' ' && strings.IndexByte(`"<>/\`, s[at]) < 0; at++ {
		if s[at] == '@' {
			return runOfURL(s, at, ascii)
		}
	}
	return end
}

// runOfURL is where the run of characters ends that stand in URLs, escaped for JSON or
// not, or where the next URL has its colon, if that is not in a query.
func runOfURL(s string, i int, ascii bool) int {
	for query := false; i < len(s); {
		switch c := s[i]; {
		case c == ':' && !query && strings.HasPrefix(s[i:], "://"):
			return i
		case c == '?' || c == '#':
			query = true
			i++
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if ascii || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) {
				return i
			}
			i += size
		case c == '\\':
			switch {
			case strings.HasPrefix(s[i:], `\/`):
				i += 2
			case strings.HasPrefix(s[i:], `\u0026`):
				i += 6
			default:
				return i
			}
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"'<>`^|{}", c) >= 0:
			return i
		default:
			i++
		}
	}
	return i
}
