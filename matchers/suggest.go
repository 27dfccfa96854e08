package matchers

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// maxSuggested bounds how many facts a suggested rule names: a request that
// differs in more is another request, not the same one with noise.
const maxSuggested = 8

// meaningful are names of values that decide what an API does. A rule that
// ignores one would play the wrong answer, so none is offered. Folded.
var meaningful = []string{
	"amount", "unitamount", "unitamountdecimal", "price", "total", "quantity", "currency",
	"number", "cardnumber", "cvc", "expmonth", "expyear", "iban", "accountnumber",
	"email", "username", "password", "granttype", "scope", "status", "action", "operation", "query", "operationname",
	"page", "pages", "perpage", "pagesize", "pagetoken", "limit", "offset", "skip", "cursor", "startingafter", "endingbefore",
	"sort", "sortby", "orderby", "order", "filter", "filters", "where", "search", "q", "ids", "fields", "include", "expand",
	"from", "to", "since", "until", "before", "after", "start", "end", "startdate", "enddate", "type", "kind", "state",
}

// suggest writes the rule under which the changes would not count, as YAML, or
// "" if there is none that is safe to offer.
func suggest(live Reading, changes []change) string {
	if len(changes) == 0 || len(changes) > maxSuggested {
		return ""
	}
	rule := Rule{On: live.fact("method") + " " + live.fact("host") + generalPath(live.fact("path"))}
	for _, c := range changes {
		if !isLeaf(c) { // a path among others: it says which thing is meant
			return ""
		}
		name := c.name().AnyIndex()
		if shape := commonShape(c); shape == "" {
			if !slices.Contains(rule.Ignore, name) {
				rule.Ignore = append(rule.Ignore, name)
			}
		} else {
			if rule.As == nil {
				rule.As = map[string]string{}
			}
			rule.As[name] = shape
		}
	}
	for _, name := range rule.Ignore {
		delete(rule.As, name) // one element needed it
	}
	return rule.yaml()
}

// yaml writes the parts of a rule that suggest sets, as a person would.
func (r Rule) yaml() string {
	var b strings.Builder
	b.WriteString("rules:\n  - on: " + scalar(r.On) + "\n")
	if len(r.Ignore) > 0 {
		b.WriteString("    ignore:\n")
		for _, name := range r.Ignore {
			b.WriteString("      - " + scalar(name) + "\n")
		}
	}
	if len(r.As) > 0 {
		b.WriteString("    as:\n")
		for _, name := range slices.Sorted(maps.Keys(r.As)) {
			b.WriteString("      " + scalar(name) + ": " + r.As[name] + "\n")
		}
	}
	if len(r.Rewrite) > 0 {
		b.WriteString("    rewrite:\n")
		for _, rw := range r.Rewrite {
			b.WriteString("      - fact: " + scalar(rw.Fact) + "\n        find: " + scalar(rw.Find) + "\n        with: " + scalar(rw.With) + "\n")
		}
	}
	return b.String()
}

// plainScalar is what YAML takes as text without quotes, on one line in block style.
var plainScalar = regexp.MustCompile(`^[A-Za-z](?: ?[\w.$@/{}\[\]*~-]|:[\w\[*])*$`)

// scalar quotes text for YAML where it must be. The text has no line breaks:
// places write them as escapes.
func scalar(text string) string {
	if plainScalar.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// isLeaf reports whether a rule may make the change not count: a value of a
// query, body or header, and not what decides the answer.
func isLeaf(c change) bool {
	name := string(c.name())
	root := name[:len(name)-len(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"))]
	if root != "query" && root != "body" && root != "header" || name == "header.accept" || name == root {
		return false
	}
	for _, f := range []*Fact{c.recorded, c.got} {
		if f == nil {
			continue
		}
		if f.Type == wordType || f.Type == digestType || f.Type == partType || len(f.Value) > 256 {
			return false
		}
		if strings.Contains(f.Value, redact.Blank("REDACTED-0001")) {
			return false // a secret on one side only
		}
	}
	folded := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(lastMember(c.name())))
	return !slices.Contains(meaningful, folded)
}

var plainMember = regexp.MustCompile(`\.([A-Za-z0-9_$@-]+)(\[\d+\])*$`)

// lastMember is the last member name of a place, "" if it is quoted.
func lastMember(p leaves.Place) string {
	if m := plainMember.FindStringSubmatch(string(p)); m != nil {
		return m[1]
	}
	return ""
}

// commonShape is the shape that both values have, or "".
func commonShape(c change) string {
	if c.recorded == nil || c.got == nil {
		return ""
	}
	for _, f := range []*Fact{c.recorded, c.got} {
		if f.Type != stringType && f.Type != numberType {
			return ""
		}
	}
	for _, name := range []string{"uuid", "time", "integer"} { // the narrowest first
		if is := shapes[name]; is(c.recorded.Value) && is(c.got.Value) {
			return name
		}
	}
	return ""
}

const uuidText = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

// onlyUUIDsDiffer reports whether two paths differ in UUIDs and in nothing else.
func onlyUUIDsDiffer(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		if as[i] != bs[i] && !(isUUID(as[i]) && isUUID(bs[i])) {
			return false
		}
	}
	return a != b
}

// generalPath writes a path as a pattern: what looks like an id stands for any.
func generalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if looksLikeID(s) {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// looksLikeID reports a UUID, a number of four digits or more, a name with
// a long random part such as cus_9s6XKzkNRiz8i3, or one that holds a placeholder.
func looksLikeID(s string) bool {
	if isUUID(s) || isInteger(s) && len(s) > 3 || redact.Blank(s) != s || strings.Contains(s, redact.Blank("REDACTED-0001")) {
		return true
	}
	random := s[strings.LastIndexAny(s, "_-")+1:]
	return len(random) >= 10 && strings.ContainsAny(random, "0123456789") && strings.ContainsFunc(random, func(c rune) bool {
		return 'a' <= c|0x20 && c|0x20 <= 'z'
	})
}
