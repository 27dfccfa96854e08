package matchers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
)

// The types of facts. A leaf of a query or body has the type of its kind.
const (
	wordType   = "word"   // method, scheme, host, path, auth, and the kind of the body
	stringType = "string" // also headers, forms and queries
	numberType = "number" // Value is the decimal in its normal form
	boolType   = "bool"
	nullType   = "null"
	objectType = "object" // {}
	arrayType  = "array"  // []
	rawType    = "raw"    // a query field whose escapes cannot be read
	digestType = "digest" // Value is "sha256:" and the hex digest
	partType   = "part"   // a multipart part: position, media type, file name
)

var leafTypes = [...]string{
	leaves.String: stringType, leaves.Number: numberType, leaves.Bool: boolType, leaves.Null: nullType,
	leaves.EmptyObject: objectType, leaves.EmptyArray: arrayType, leaves.Raw: rawType, leaves.Blob: digestType,
}

// String writes the fact as reports print it: body.limit: 10.
func (f Fact) String() string { return string(f.Name) + ": " + f.show() }

// show writes the value so that its type can be seen: "1" is not 1.
func (f Fact) show() string {
	switch f.Type {
	case stringType, rawType:
		return strconv.Quote(f.Value)
	case nullType:
		return "null"
	case objectType:
		return "{}"
	case arrayType:
		return "[]"
	case "uuid", "time", "integer":
		return "any " + f.Type
	}
	return f.Value
}

// String writes the facts, one per line.
func (r Reading) String() string {
	var b strings.Builder
	for _, f := range r.Facts {
		b.WriteString(f.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// draft is a fact in the making.
type draft struct {
	Fact
	secrets []redact.Placeholder
	client  string // the value as the client sent it, if it may differ (Invented)
	differs bool   // client is set
	ignored bool
}

// reader collects the facts of one request.
type reader struct {
	rules     inForce
	translate func(string) (string, bool)
	drafts    []draft
	secrets   []Secret // those that stand in no fact
	warnings  []string
}

func (rd *reader) warn(format string, args ...any) {
	rd.warnings = append(rd.warnings, fmt.Sprintf(format, args...))
}

// add adds a fact that is no leaf.
func (rd *reader) add(name leaves.Place, kind, value string) {
	rd.drafts = append(rd.drafts, draft{
		Fact:    Fact{Name: name, Type: kind, Value: value},
		ignored: rd.rules.ignores(name),
	})
}

// leaf adds a whole value: translated, blanked, rewritten, shaped, in this order.
func (rd *reader) leaf(name leaves.Place, kind, value string) {
	d := draft{Fact: Fact{Name: name, Type: kind, Value: value}, ignored: rd.rules.ignores(name)}
	scalar := kind == stringType || kind == numberType
	if scalar && rd.translate != nil {
		if recorded, ok := rd.translate(value); ok {
			d.Value = recorded
		}
	}
	d.secrets = redact.Placeholders(d.Value)
	d.Value = blank(d.Value, d.secrets)
	if kind == numberType {
		d.Value = normalNumber(d.Value)
	}
	d.Value = rd.rules.rewrite(name, d.Value)
	shaped := false
	if shape := rd.rules.shape(name); shape != "" && scalar && shapes[shape](d.Value) {
		d.Type, d.Value, shaped = shape, "", true
	}
	if scalar && len(d.secrets) == 0 && (shaped || d.ignored) {
		d.client, d.differs = value, true
	}
	rd.drafts = append(rd.drafts, d)
}

// named adds a leaf of a query or body.
func (rd *reader) named(l leaves.Leaf) {
	rd.leaf(l.Place, leafTypes[l.Kind], l.Value)
	if d := &rd.drafts[len(rd.drafts)-1]; len(d.secrets) > 0 && isOnceOnly(l.Name) {
		d.secrets = nil
	}
}

// request adds the facts of everything but headers and body.
func (rd *reader) request(r clean.Request) {
	u := r.URL()
	rd.add("method", wordType, r.Method())
	rd.add("scheme", wordType, strings.ToLower(u.Scheme))
	rd.host(scope.NormalHost(u))
	rd.path(rawPath(r.RawURL()))
	rd.query(u.RawQuery)
}

// host adds the host. What a rule has redacted in it is a secret like any other.
func (rd *reader) host(name string) {
	d := draft{Fact: Fact{Name: "host", Type: wordType, Value: name}, ignored: rd.rules.ignores("host"), secrets: redact.Placeholders(name)}
	d.Value = rd.rules.rewrite("host", blank(d.Value, d.secrets))
	rd.drafts = append(rd.drafts, d)
}

func (rd *reader) path(raw string) {
	d := draft{Fact: Fact{Name: "path", Type: wordType, Value: scope.NormalPath(raw)}, ignored: rd.rules.ignores("path")}
	if rd.translate != nil {
		segments := strings.Split(d.Value, "/")
		for i, segment := range segments {
			if recorded, ok := rd.translate(decodeSegment(segment)); ok && segment != "" {
				segments[i] = encodeSegment(recorded)
			}
		}
		d.Value = strings.Join(segments, "/")
	}
	d.secrets = redact.Placeholders(d.Value)
	d.Value = rd.rules.rewrite("path", blank(d.Value, d.secrets))
	rd.drafts = append(rd.drafts, d)
}

func (rd *reader) query(raw string) {
	list, bad := leaves.Query(raw)
	if bad != nil {
		rd.warn("query: %v; that field is compared as it is written", bad)
	}
	rd.drafts = slices.Grow(rd.drafts, len(list))
	presigned := isPresigned(list)
	for _, l := range list {
		if presigned && isPresigningDate(l.Name) {
			continue
		}
		rd.named(l)
	}
}

// presigningDates are query fields that only say when a presigned URL was made
// or ends. They count as such beside a signature.
var presigningDates = []string{
	"X-Amz-Date", "X-Amz-Expires", "X-Goog-Date", "X-Goog-Expires", // AWS and Google, version 4
	"Expires",                // AWS version 2, CloudFront, Google version 2
	"se", "st", "ske", "skt", // Azure
}

func isPresigningDate(name string) bool { return slices.Contains(presigningDates, name) }

func isPresigned(list []leaves.Leaf) bool {
	return slices.ContainsFunc(list, func(l leaves.Leaf) bool {
		switch l.Name {
		case "X-Amz-Signature", "X-Goog-Signature", "Signature", "sig":
			return true
		}
		return false
	})
}

// finish sorts the facts and takes out those that rules ignore.
func (rd *reader) finish() Reading {
	rd.sortUnordered()
	out := Reading{Warnings: rd.warnings, Echo: rd.rules.echo(), Secrets: rd.secrets}
	for i := range rd.drafts {
		rd.drafts[i].blankName()
	}
	// Positions are sorted, which is much quicker than moving the drafts.
	order := make([]int, len(rd.drafts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := rd.drafts[a].Name.Compare(rd.drafts[b].Name); c != 0 {
			return c
		}
		return a - b
	})
	out.Facts = make([]Fact, 0, len(rd.drafts))
	for _, i := range order {
		d := &rd.drafts[i]
		if d.differs {
			out.Invented = append(out.Invented, Invented{d.Name, d.client})
		}
		if d.ignored {
			out.Ignored++
			continue
		}
		out.Facts = append(out.Facts, d.Fact)
		for _, ph := range d.secrets {
			out.Secrets = append(out.Secrets, Secret{Place: d.Name, ID: ph.ID, Env: ph.Env})
		}
	}
	slices.SortStableFunc(out.Secrets, func(a, b Secret) int { return a.Place.Compare(b.Place) })
	out.Key = keyOf(out.Facts)
	return out
}

// blankName takes placeholders out of a fact's name: a learned secret may
// stand in a member's name too.
func (d *draft) blankName() {
	if found := redact.Placeholders(string(d.Name)); len(found) > 0 {
		d.Name = leaves.Place(redact.Blank(string(d.Name)))
		d.secrets = append(found, d.secrets...)
	}
}
