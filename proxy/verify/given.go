package verify

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// A given is one value that an answer gives. Later requests may send it.
type given struct {
	place leaves.Place
	name  string
	thing string // see thingOf
	kind  leaves.Kind
	text  string
	// counted says that the place is only the number of a word in a text: it is the
	// same place in another answer only if that has as many words.
	counted bool
}

// maxGiven bounds a value that is followed, in bytes; longer ones are texts.
const maxGiven = 4096

// givens lists what an answer gives, in the order in which it stands. path is that of
// the request.
func givens(path string, header http.Header, body []byte) []given {
	g := &gathering{collection: collectionOf(path)}
	g.headers(header)
	format, list, err := leaves.Body(header.Get("Content-Type"), body)
	switch {
	case err != nil || format == leaves.Bytes:
	case format == leaves.Text:
		g.words(string(body))
	default:
		for _, leaf := range list {
			if leaf.Kind == leaves.String || leaf.Kind == leaves.Number {
				g.leaf(leaf.Place, leaf.Name, leaf.Kind, leaf.Value)
			}
		}
	}
	return g.list
}

type gathering struct {
	list       []given
	collection string // what ids without a telling name are ids of
}

func (g *gathering) add(one given) {
	if one.text != "" && len(one.text) <= maxGiven {
		g.list = append(g.list, one)
	}
}

func (g *gathering) leaf(place leaves.Place, name string, kind leaves.Kind, text string) {
	thing := thingAt(place, name)
	if isPlainID(name) && thing == "" {
		thing = g.collection
	}
	g.add(given{place: place, name: name, thing: thing, kind: kind, text: text})
	if kind == leaves.String && (strings.HasPrefix(text, "/") || strings.Contains(text, "://")) {
		g.link(place, text)
	}
}

// link lists the values inside a URL: the id of what was made, the cursor of the next page.
func (g *gathering) link(place leaves.Place, text string) {
	if len(text) > maxGiven {
		return
	}
	rest := text
	if _, after, absolute := strings.Cut(text, "://"); absolute {
		_, rest, _ = strings.Cut(after, "/")
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	before := ""
	for i, segment := range strings.Split(strings.Trim(path, "/"), "/") {
		if decoded, err := url.PathUnescape(segment); err == nil {
			segment = decoded
		}
		g.add(given{place: place.Member("path").Index(i), name: before + "_id", thing: thingOf(before), text: segment})
		before = segment
	}
	for _, raw := range []string{query, fragment} {
		list, _ := leaves.Query(raw)
		for _, leaf := range list {
			g.add(given{place: place.Member(string(leaf.Place)), name: leaf.Name, thing: thingOf(leaf.Name), text: leaf.Value})
		}
	}
}

func (g *gathering) headers(header http.Header) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		place := leaves.Place("header").Member(strings.ToLower(name))
		for i, value := range header[name] {
			at := place
			if i > 0 {
				at = place.Index(i)
			}
			switch name {
			case "Set-Cookie":
				pair, _, _ := strings.Cut(value, ";")
				cookie, text, _ := strings.Cut(pair, "=")
				g.add(given{place: place.Member(strings.TrimSpace(cookie)), name: "cookie", text: strings.Trim(strings.TrimSpace(text), `"`)})
			case "Location", "Content-Location":
				g.add(given{place: at, name: name, text: value})
				g.link(at, value)
			case "Link":
				for j, one := range strings.Split(value, "<") {
					if target, _, ok := strings.Cut(one, ">"); ok {
						g.link(at.Index(j), target)
					}
				}
			default:
				g.add(given{place: at, name: name, text: value})
			}
		}
	}
}

// maxWords bounds the text whose words are followed, in bytes.
const maxWords = 1 << 20

// words lists the words of a text that has no structure known here: a page, XML.
func (g *gathering) words(text string) {
	if len(text) > maxWords {
		return
	}
	n := 0
	for start, end := range wordsOf(text) {
		g.add(given{place: leaves.Place("body").Index(n), text: text[start:end], counted: true})
		n++
	}
	// How many there are decides whether another text's words are the same ones.
	g.add(given{place: "body.words", text: strconv.Itoa(n), counted: true})
}

// wordsOf yields the runs of letters, digits, "_" and "-" of a text: what ids are made of.
func wordsOf(text string) func(yield func(start, end int) bool) {
	return func(yield func(start, end int) bool) {
		start := -1
		for i := 0; i <= len(text); i++ {
			if i < len(text) && isWordByte(text[i]) {
				if start < 0 {
					start = i
				}
				continue
			}
			if start >= 0 && !yield(start, i) {
				return
			}
			start = -1
		}
	}
}

func isWordByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// collectionOf is what a path is about: "customer" of /v1/customers and /v1/customers/7.
func collectionOf(path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for _, segment := range slices.Backward(segments) {
		if segment != "" && !isGenerated(segment) && !isInteger(segment) {
			return thingOf(segment)
		}
	}
	return ""
}

// A key is how a value is known again where a request sends it.
type key string

// keyOf is the key of a value that is followed: a generated one, or whatever stands
// under the name of an id or a cursor. ok is false for all others: what is an amount in
// an answer must not become the amount of a request.
func keyOf(name, thing string, kind leaves.Kind, text string) (k key, ok bool) {
	switch {
	case text == "" || len(text) > maxGiven || len(redact.Placeholders(text)) > 0:
		return "", false
	case isGenerated(text), isCursor(name) && len(text) >= 6 && kind != leaves.Number && !isTime(text):
		return key("value " + text), true
	case isIDName(name) && thing != "" && len(text) <= 64 && !strings.ContainsAny(text, " \t\r\n"):
		return key("number " + thing + " " + text), true
	}
	return "", false
}

// secretKey is the key of a placeholder's identity.
func secretKey(id string) key { return key("secret " + id) }

// idEndings are what the names of ids end in.
var idEndings = []string{"_id", "_ids", "-id", "-ids", "Id", "Ids", "ID", "IDs", "_uuid", "Uuid", "UUID"}

func isIDName(name string) bool {
	return isPlainID(name) || slices.ContainsFunc(idEndings, func(end string) bool { return strings.HasSuffix(name, end) })
}

func isCursor(name string) bool {
	lower := strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "_", ""), "-", "")
	for _, word := range []string{"cursor", "pagetoken", "nexttoken", "continuation", "nextpage", "startingafter", "endingbefore", "offsettoken"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// isGenerated reports whether a value looks as if a machine had made it up: a UUID, or
// letters and digits mixed behind a prefix such as "cus_".
func isGenerated(s string) bool {
	if len(s) < 8 || len(s) > 200 {
		return false
	}
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	if isUUID(s) {
		return true
	}
	if isInteger(s) || isTime(s) {
		return isInteger(s) && len(s) >= 15 // a snowflake
	}
	random := s[strings.LastIndexAny(s, "_-")+1:]
	return len(random) >= 8 && strings.ContainsAny(random, "0123456789") && strings.ContainsFunc(random, func(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' })
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return true
}

func isInteger(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func holdsPlaceholder(s string) bool { return len(redact.Placeholders(s)) > 0 }
