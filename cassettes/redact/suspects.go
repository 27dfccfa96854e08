package redact

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// UnknownRule is the id by which a keep takes a place off the list of suspects.
const UnknownRule = "unknown"

// A Suspect is a value in clean text that looks random and stands under a name that
// no rule knows. It may be a secret; whoever reads the list has to say. The value
// itself is not in it.
type Suspect struct {
	// Place is where the value stands: body.foo, header.x-acme-ticket, path.
	Place string `json:"place"`
	Host  string `json:"host"`
	// Request is method, host and path, with {id} for segments that differ.
	Request string `json:"request"`
	// Length is in bytes, Kind says what the value is made of.
	Length int    `json:"length"`
	Kind   string `json:"kind"`
	// Rule is the entry of redact.add that would have caught it, Keep the one of
	// redact.keep that takes it off the list, both as YAML.
	Rule string `json:"rule"`
	Keep string `json:"keep"`
}

// String is the suspect in one line.
func (s Suspect) String() string {
	return fmt.Sprintf("%s: %s (%d bytes, %s)", s.Request, s.Place, s.Length, s.Kind)
}

// An UnknownError says that a recording was not saved since it holds suspects.
type UnknownError struct{ Suspects []Suspect }

func (e *UnknownError) Error() string {
	const named = 3
	var places []string
	for i, s := range e.Suspects {
		if i == named {
			places = append(places, fmt.Sprintf("and %d more", len(e.Suspects)-i))
			break
		}
		places = append(places, s.String())
	}
	return "redact.unknown is refuse, and values look random under names that no rule knows: " + strings.Join(places, ", ") +
		"; add a rule (redact.add) or, if they are harmless, a keep of the rule " + UnknownRule + " to tapedeck.yaml for each"
}

// maxSuspects bounds the list: with more, the API has a new name for its secrets and
// the first few tell.
const maxSuspects = 50

// maxSuspectIDs bounds how many ids are remembered.
const maxSuspectIDs = 1 << 16

// A Watch looks for suspects in what is about to be saved: text in which all that is
// known to be secret has been replaced. It is not safe for concurrent use.
type Watch struct {
	rules *Rules
	found []watched
	seen  map[string]bool
	// ids are the values that stand somewhere as the id of an object.
	ids map[string]bool
}

type watched struct {
	Suspect
	value string
}

// Watch starts a look for suspects.
func (r *Rules) Watch() *Watch {
	return &Watch{rules: r, seen: make(map[string]bool), ids: make(map[string]bool)}
}

// List returns the suspects, in the order in which they were met. A value that also
// stands as the id of an object is none.
func (w *Watch) List() []Suspect {
	var out []Suspect
	for _, s := range w.found {
		if !w.ids[s.value] {
			out = append(out, s.Suspect)
		}
	}
	return out
}

// URL looks at the path and the query of a request's URL.
func (w *Watch) URL(s Scope, u string) {
	at := w.at(s)
	rest, _, _ := strings.Cut(u, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if i := strings.Index(rest, "://"); i >= 0 {
		rest = rest[i+3:]
	}
	_, path, _ := strings.Cut(rest, "/")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if plain := unescapePath(segment); i == 0 || !isNoun(segments[i-1]) {
			at.segment(segments, i, plain)
		}
	}
	if query != "" {
		list, _ := leaves.Query(query)
		at.leaves(list, inQuery)
	}
}

// Header looks at the values of headers, and at the queries of URLs in them.
func (w *Watch) Header(s Scope, d Direction, h http.Header) {
	at := w.at(s)
	in := inRequestHeader
	if d == InResponse {
		in = inResponseHeader
	}
	for name, values := range h {
		place := leaves.Place("header").Member(strings.ToLower(name))
		for _, value := range values {
			if i := strings.IndexByte(value, '?'); i >= 0 && (name == "Location" || name == "Content-Location") {
				list, _ := leaves.Query(value[i+1:])
				at.leaves(list, inQuery)
			}
			at.value(name, place, in, value)
		}
	}
}

// Body looks at the leaves of a body.
func (w *Watch) Body(s Scope, d Direction, contentType string, body []byte) {
	_, list, err := leaves.Body(contentType, body)
	if err != nil {
		return // text without names
	}
	w.at(s).leaves(list, inBody)
}

// A watchAt is a Watch over what belongs to one request.
type watchAt struct {
	*Watch
	scope  Scope
	target scope.Target
	keeps  []keep
}

func (w *Watch) at(s Scope) watchAt {
	at := watchAt{Watch: w, scope: s, target: s.Target()}
	for _, k := range w.rules.keeps {
		if k.Rule == UnknownRule && k.on.Match(at.target) {
			at.keeps = append(at.keeps, k)
		}
	}
	return at
}

func (w watchAt) leaves(list []leaves.Leaf, in places) {
	for i := range list {
		if leaf := &list[i]; leaf.Kind == leaves.String {
			w.value(leaf.Name, leaf.Place, in, leaf.Value)
		}
	}
}

// The lengths that a secret of unknown shape can have, in bytes: what is longer is
// content, an image as a rule.
const minSuspect, maxSuspect = minStrong, 512

// value looks at one value under a name.
func (w watchAt) value(name string, place leaves.Place, in places, value string) {
	if len(value) < minSuspect || len(value) > maxSuspect || !isTokenText(value) {
		return
	}
	folded := fold(name)
	if isIDName(folded) {
		if len(w.ids) < maxSuspectIDs {
			w.ids[value] = true
		}
		return
	}
	key := w.scope.Host + " " + strconv.Itoa(int(in)) + " " + folded
	if w.seen[key] || len(w.found) >= maxSuspects || harmlessNames[folded] || notSecret[folded] != "" || isNoun(name) || !looksRandom(value) {
		return
	}
	if w.rules.named(name, in, w.target) != nil {
		return // looked at, and found to be none: a published key, an id of an object
	}
	w.note(key, place, value, fmt.Sprintf("{id: %s, name: %s}", ruleIDOf(name), yamlName(name)))
}

// segment looks at one segment of a path.
func (w watchAt) segment(segments []string, i int, value string) {
	if len(value) < minSuspect || len(value) > maxSuspect || !isTokenText(value) || len(w.found) >= maxSuspects || !looksRandom(value) {
		return
	}
	pattern := make([]string, len(segments))
	last := "path"
	for j, segment := range segments {
		switch plain := unescapePath(segment); {
		case j == i:
			pattern[j] = secretSegment
		case segment != "" && isVariable(segment):
			pattern[j] = "{id}"
		default:
			pattern[j] = segment
			if j < i {
				last = plain
			}
		}
	}
	path := strings.Join(pattern, "/")
	key := w.scope.Host + "/" + path
	if w.seen[key] {
		return
	}
	w.note(key, "path", value, fmt.Sprintf("{id: %s, path: %q}", ruleIDOf(last+"-segment"), w.scope.Method+" "+w.scope.Host+"/"+path))
}

func (w watchAt) note(key string, place leaves.Place, value, rule string) {
	if slices.ContainsFunc(w.keeps, func(k keep) bool { return k.At == "" || k.at.Match(place) }) {
		return
	}
	w.seen[key] = true
	on := w.scope.Method + " " + w.scope.Host + onPath(w.scope.Path) // a suspect may stand in the path
	w.found = append(w.found, watched{value: value, Suspect: Suspect{
		Place: string(place), Host: w.scope.Host, Request: on,
		Length: len(value), Kind: randomKind(value), Rule: rule,
		Keep: fmt.Sprintf("{rule: %s, on: %s, at: %s, reason: …}", UnknownRule, yamlText(on), yamlText(string(anyElement.ReplaceAllString(string(place), "[*]")))),
	}})
}

var anyElement = regexp.MustCompile(`\[\d+\]`)

// isVariable reports a segment of a path that is an id, or may be a secret.
func isVariable(segment string) bool {
	plain := unescapePath(segment)
	return strings.ContainsAny(segment, "{}*") || len(plain) > 4 && strings.ContainsAny(plain, "0123456789") || looksRandom(plain)
}

// onPath is a path as a rule's on writes it: what is an id in it may be any.
func onPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment != "" && isVariable(segment) {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// isTokenText reports whether a value is written in what tokens are written in.
func isTokenText(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) && strings.IndexByte("+/=.~:-", s[i]) < 0 {
			return false
		}
	}
	return s[0] != '/'
}

// looksRandom reports whether a value looks made by a generator of secrets, and like
// nothing that is known to be harmless.
func looksRandom(value string) bool {
	switch {
	case !strong(value), len(formPlaceholders(value)) > 0, isPublished(value),
		uuid.MatchString(value), isPlainID(value), snakeName.MatchString(value), documentNumber.MatchString(value), hostName.MatchString(value),
		strings.Contains(value, "://"), strings.HasPrefix(value, "arn:"), strings.HasPrefix(value, "urn:"), strings.HasPrefix(value, "data:"),
		strings.Count(value, "/") > 2 && !strings.HasSuffix(value, "="), // a path or a name of a resource
		strings.Count(value, ":") > 1:                                   // a time, a name in parts
		return false
	}
	return true
}

// isPlainID reports an id that says what it is of. The beginnings of keys do so too, so
// those are none.
func isPlainID(value string) bool {
	if !isObjectID(value) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(value[:strings.LastIndexByte(value, '_')], "_"), func(word string) bool { return secretPrefixes[word] })
}

var secretPrefixes = func() map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields("key sk rk tok token ticket secret sec pat pass password auth api apikey access refresh bearer sess session jwt sig cred otp") {
		set[w] = true
	}
	return set
}()

var hostName = regexp.MustCompile(`^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$`)

// snakeName is a name of words: invoice_line_items.
var snakeName = regexp.MustCompile(`^[a-z]{2,14}(?:[_.-][a-z]{1,14})+$`)

// documentNumber is that of an order or invoice: YAM160429-3127-15114.
var documentNumber = regexp.MustCompile(`^[A-Z]{1,6}-?\d+(?:[-/.]\d+)+$`)

// isIDName reports the names of ids.
func isIDName(folded string) bool {
	return strings.HasSuffix(folded, "id") || strings.HasSuffix(folded, "ids") || strings.HasSuffix(folded, "uuid") || strings.HasSuffix(folded, "id2") || strings.HasSuffix(folded, "etag")
}

// harmlessNames are the names, folded, of values that look random and open nothing.
var harmlessNames = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range strings.Fields(`
		hash digest checksum contentmd5 md5 sha sha1 sha256 sha512 crc32 crc32c fingerprint commit revision rev version ref oid tree head integrity reprdigest contentdigest
		ifnonematch ifmatch lastmodified traceparent tracestate baggage xb3traceid cfray via xcache xservedby server
		cursor nextcursor prevcursor previouscursor startcursor endcursor next previous prev before after startingafter endingbefore marker nextmarker continuation page nextpage
		nonce state idempotencykey requestkey correlationkey lookupkey
		contenttype contentdisposition contentsecuritypolicy useragent accept locale language timezone currency model object type kind status
		url href uri link src path file filename image images icon avatar photo picture thumbnail logo base64 b64json html svg
		trackingnumber sku gtin barcode iban bic routingnumber serialnumber pgp publickey publishablekey certificate thumbprint kid x5t n e x y
		encodedcontent embedding boundary`) {
		set[name] = true
	}
	return set
}()

// isNoun reports names of objects, one or several, under which an id stands.
func isNoun(name string) bool {
	folded := fold(name)
	return nouns[folded] || nouns[strings.TrimSuffix(folded, "s")]
}

var nouns = func() map[string]bool {
	set := make(map[string]bool)
	for _, noun := range strings.Fields(`account customer customeraccount order subscription product price plan invoice charge latestcharge payment paymentintent setupintent paymentmethod
		defaultpaymentmethod paymentsource source defaultsource card coupon promotioncode discount quote refund transfer payout balancetransaction mandate checkout cart item lineitem event
		store team project organization organisation org workspace user member contact lead company device message conversation thread upload bucket resource parent application app
		taxidentifier taxrate fileid shipment fulfillment buyer address person agreement session`) {
		set[noun] = true
	}
	delete(set, "session") // as a member's name it is a secret more often than an id
	return set
}()

// randomKind says what a value is made of.
func randomKind(value string) string {
	switch {
	case strings.Trim(value, "0123456789abcdefABCDEF") == "":
		return "hexadecimal"
	case strings.ContainsAny(value, "+/="):
		return "base64"
	case strings.IndexFunc(value, func(c rune) bool { return c > 0x7f || !isAlnum(byte(c)) }) < 0:
		return "letters and digits"
	}
	return "letters, digits and marks"
}

// ruleIDOf makes a rule's id of a name.
func ruleIDOf(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			if i > 0 && 'a' <= name[i-1] && name[i-1] <= 'z' {
				b.WriteByte('-')
			}
			b.WriteByte(c | 0x20)
		case isAlnum(c):
			b.WriteByte(c)
		default:
			b.WriteByte('-')
		}
	}
	words := strings.FieldsFunc(b.String(), func(c rune) bool { return c == '-' })
	return "my-" + cmp.Or(strings.Join(words, "-"), "secret")
}

// yamlName writes a name, yamlText any text, as a value in a YAML flow mapping.
func yamlName(name string) string {
	if nameOfWords.MatchString(strings.ReplaceAll(name, "-", "_")) && !isDigit(name[0]) {
		return name
	}
	return strconv.Quote(name)
}

func yamlText(s string) string {
	if strings.ContainsAny(s, `*{}[]",#&`) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}
