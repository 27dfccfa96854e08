package verify

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// A part is one value of a recorded request that may have to be another when the
// request is sent.
type part struct {
	place leaves.Place
	// name is what the value stands under: a member, a field, a header, a cookie.
	name string
	kind leaves.Kind
	// thing is what a number under this name would count, see thingOf; "" for none.
	thing string
	// basic says that the text is a pair of user and password, or what stands for one.
	basic bool
	text  string // decoded
}

// An outgoing is a request as it is to be sent. It holds live secrets, and is never
// stored or shown.
type outgoing struct {
	method, url     string
	header, trailer http.Header
	body            []byte
}

// rewrite makes the request that is to be sent of a recorded one: every value is what
// fill makes of it, and all bytes around the values stay. The error is fill's.
func rewrite(s clean.Stored, fill func(part) (string, error)) (outgoing, error) {
	w := &writer{fill: fill, out: outgoing{method: s.Method}}
	w.header(s.RequestHeader)
	w.url(s.URL)
	w.trailer(s.RequestTrailer)
	w.body(s.RequestHeader.Get("Content-Type"), s.RequestBody)
	return w.out, w.err
}

// writer builds an outgoing; after an error it only goes on.
type writer struct {
	fill func(part) (string, error)
	out  outgoing
	err  error
}

func (w *writer) value(p part) string {
	if w.err != nil || p.text == "" {
		return p.text
	}
	text, err := w.fill(p)
	if err != nil {
		w.err = err
	}
	return text
}

// url takes the URL apart by hand: url.URL does not keep every byte.
func (w *writer) url(raw string) {
	scheme, rest, _ := strings.Cut(raw, "://")
	rest, _, _ = strings.Cut(rest, "#") // fragments are not sent
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	path, query, hasQuery := strings.Cut(path, "?")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		w.userInfo(authority[:i])
		authority = authority[i+1:]
	}
	host := w.value(part{place: "host", name: "host", text: authority})
	out := scheme + "://" + host + w.path(path)
	if hasQuery {
		out += "?" + w.query(query)
	}
	w.out.url = out
}

// userInfo sends user and password of a URL as every client does.
func (w *writer) userInfo(info string) {
	user, password, _ := strings.Cut(info, ":")
	pair := make([]string, 2)
	for i, one := range []string{user, password} {
		if decoded, err := url.PathUnescape(one); err == nil {
			one = decoded
		}
		pair[i] = w.value(part{place: "auth", name: "password", text: one})
	}
	if w.out.header.Get("Authorization") == "" {
		w.out.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair[0]+":"+pair[1])))
	}
}

func (w *writer) path(path string) string {
	segments := strings.Split(path, "/")
	before := ""
	for i, segment := range segments {
		if segment == "" {
			continue
		}
		text := segment
		if decoded, err := url.PathUnescape(segment); err == nil {
			text = decoded
		}
		place := leaves.Place("path").Index(i - 1)
		if filled := w.value(part{place: place, name: before, thing: thingOf(before), text: text}); filled != text {
			if strings.Trim(filled, ".") == "" && w.err == nil {
				// What reads the path would take it for another one.
				w.err = &Lack{Place: place, Reason: "what was filled in is no name of a thing", Cure: "look at what the API gives for it"}
			}
			segments[i] = url.PathEscape(filled)
		}
		before = text
	}
	return strings.Join(segments, "/")
}

func (w *writer) query(raw string) string {
	list, _ := leaves.Query(raw)
	return string(w.leaves([]byte(raw), list))
}

// leaves writes the leaves of a text.
func (w *writer) leaves(text []byte, list []leaves.Leaf) []byte {
	var out []byte
	last := 0
	for _, leaf := range list {
		switch leaf.Kind {
		case leaves.String, leaves.Number, leaves.Raw:
		default:
			continue
		}
		filled := w.value(part{place: leaf.Place, name: leaf.Name, kind: leaf.Kind, thing: thingAt(leaf.Place, leaf.Name), text: leaf.Value})
		if filled == leaf.Value {
			continue
		}
		out = append(append(out, text[last:leaf.Start]...), leaf.Quote(filled)...)
		last = leaf.End
	}
	if last == 0 {
		return text
	}
	return append(out, text[last:]...)
}

// fixedHeaders are made anew by what sends, or follow from the body.
var fixedHeaders = map[string]bool{"Content-Length": true, "Host": true, "Connection": true, "Transfer-Encoding": true, "Content-Encoding": true,
	"Expect": true, "Te": true, "Trailer": true, "Upgrade": true, "Proxy-Authorization": true, "If-None-Match": true, "If-Modified-Since": true}

func (w *writer) header(recorded http.Header) {
	w.out.header = make(http.Header, len(recorded))
	for name, values := range recorded {
		if fixedHeaders[name] {
			continue
		}
		for _, value := range values {
			place := leaves.Place("header").Member(strings.ToLower(name))
			switch name {
			case "Authorization":
				value = w.credentials(value)
			case "Cookie":
				value = w.cookies(value)
			default:
				value = w.value(part{place: place, name: name, thing: thingOf(name), text: value})
			}
			w.out.header[name] = append(w.out.header[name], value)
		}
	}
}

func (w *writer) trailer(recorded http.Header) {
	for name, values := range recorded {
		for _, value := range values {
			if w.out.trailer == nil {
				w.out.trailer = make(http.Header)
			}
			w.out.trailer[name] = append(w.out.trailer[name], w.value(part{place: leaves.Place("trailer").Member(strings.ToLower(name)), name: name, text: value}))
		}
	}
}

// credentials writes an Authorization header. What a signing scheme made of a secret
// and of the request cannot be made again here.
func (w *writer) credentials(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok {
		return w.value(part{place: "auth", name: "authorization", text: value})
	}
	rest = strings.TrimLeft(rest, " ")
	lower := strings.ToLower(scheme)
	switch {
	case !holdsPlaceholder(rest):
		return value
	case lower == "digest", lower == "oauth", lower == "hawk", lower == "aws", strings.HasSuffix(lower, "-sha256"):
		if w.err == nil {
			w.err = &Lack{Place: "auth", Reason: "the " + scheme + " credentials are computed for each request, and only the program can do that",
				Cure: "leave such requests out with --only"}
		}
		return value
	case lower == "basic":
		pair := w.value(part{place: "auth", name: "authorization", basic: true, text: rest})
		return scheme + " " + base64.StdEncoding.EncodeToString([]byte(pair))
	}
	return scheme + " " + w.value(part{place: "auth", name: "authorization", text: rest})
}

func (w *writer) cookies(value string) string {
	pairs := strings.Split(value, ";")
	for i, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			name, text = "", pair
		}
		space := text[:len(text)-len(strings.TrimLeft(text, " "))]
		filled := space + w.value(part{place: leaves.Place("header.cookie").Member(strings.TrimSpace(name)), name: "cookie", text: strings.TrimSpace(text)})
		if ok {
			filled = name + "=" + filled
		}
		pairs[i] = filled
	}
	return strings.Join(pairs, ";")
}

// body writes the body; digests of it in headers follow.
func (w *writer) body(contentType string, body []byte) {
	if len(body) == 0 {
		return
	}
	filled := body
	switch format, list, err := leaves.Body(contentType, body); {
	case err == nil && (format == leaves.JSON || format == leaves.NDJSON || format == leaves.Form || format == leaves.Multipart):
		filled = w.leaves(body, list)
	case format == leaves.Bytes:
	default:
		filled = []byte(w.value(part{place: "body", name: "", text: string(body)}))
	}
	w.out.body = filled
	if w.err == nil && string(filled) != string(body) {
		clean.FollowBody(filled, false, w.out.header, w.out.trailer)
	}
}

// thingOf is what a name counts: "customer" of customers, customer_id and customerIds.
// Small numbers are ids only together with what they count.
func thingOf(name string) string {
	name = strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	for _, end := range []string{"_ids", "_id", "ids", "id"} {
		if rest, ok := strings.CutSuffix(name, end); ok && rest != "" {
			name = rest
			break
		}
	}
	if rest, ok := strings.CutSuffix(name, "ies"); ok {
		return rest + "y"
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "_"), "s")
}

// collections are names of arrays and objects that say nothing of what is in them.
var collections = map[string]bool{"data": true, "items": true, "results": true, "list": true, "records": true, "values": true,
	"entries": true, "content": true, "elements": true, "edges": true, "node": true, "nodes": true, "body": true, "query": true, "result": true, "response": true, "": true}

// thingAt is thingOf for a leaf: an id belongs to the object that it stands in. It is
// "" where that has no telling name.
func thingAt(place leaves.Place, name string) string {
	if !isPlainID(name) {
		return thingOf(name)
	}
	object := string(place)
	if i := strings.LastIndexByte(object, '.'); i >= 0 {
		object = object[:i]
	}
	for strings.HasSuffix(object, "]") {
		i := strings.LastIndexByte(object, '[')
		if i < 0 {
			return ""
		}
		if _, err := strconv.Atoi(object[i+1 : len(object)-1]); err != nil {
			return ""
		}
		object = object[:i]
	}
	object = object[strings.LastIndexByte(object, '.')+1:]
	if collections[strings.ToLower(object)] {
		return ""
	}
	return thingOf(object)
}

// isPlainID reports the names that say no more than that the value is an id.
func isPlainID(name string) bool {
	switch strings.ToLower(name) {
	case "id", "_id", "ids", "uuid", "guid":
		return true
	}
	return false
}
