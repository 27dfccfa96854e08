package matchers

import (
	"hash/maphash"
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// What names one object of an API is an id: a value that looks generated, one
// under a name such as id, customer_id or fileIds, a placeholder (the secret it
// stands for is one), and a value or path segment of any look that an answer
// gave under such a name. Numbers that stand under other names are amounts and
// times, and no ids.
//
// Ids are held as hashes: a cassette has many, and only equality counts. Two ids
// of one hash would only make a gate wait for more.

// ids are the ids in a part of an interaction.
type ids struct {
	sure []uint64
	// maybe are ids if an answer gave them under an id's name.
	maybe []uint64
}

const (
	// maxIDLength bounds an id in bytes; longer values are texts.
	maxIDLength = 200
	// maxReadForIDs bounds the body that is searched for ids, in bytes, and
	// maxTextForIDs one that has no structure.
	maxReadForIDs = 16 << 20
	maxTextForIDs = 1 << 20
)

// idReader collects ids. The hash of a value is valid for one idReader only.
type idReader struct {
	seed maphash.Seed
	// given are the values that answers gave under the name of an id.
	given map[uint64]bool
}

func newIDReader() *idReader {
	return &idReader{maphash.MakeSeed(), map[uint64]bool{}}
}

func (rd *idReader) hash(value string) uint64 { return maphash.String(rd.seed, value) }

// isID reports whether a path segment is an id, once all answers have been read.
func (rd *idReader) isID(segment string) bool {
	return looksLikeID(segment) || rd.given[rd.hash(segment)]
}

// all are the ids for certain, once all answers have been read.
func (rd *idReader) all(list ids) []uint64 {
	out := list.sure
	for _, h := range list.maybe {
		if rd.given[h] {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// request adds the ids that a request names. The host at the start of the path is none,
// though localhost:8080 and the like look generated: all requests to it name it.
func (rd *idReader) request(out *ids, path string, r clean.Request) {
	_, below, _ := strings.Cut(path, "/")
	rd.path(out, below)
	query, _ := leaves.Query(r.URL().RawQuery)
	rd.list(out, query, false)
	rd.body(out, r.ContentType(), r.Body(), false)
}

// answer adds the ids that an answer names. It returns the id of the one thing
// that the answer is about, as that to a request that makes one is, or "". An
// answer that cannot be read has none: it is never played.
func (rd *idReader) answer(out *ids, in clean.Interaction) (status int, of string) {
	resp, err := in.Response()
	if err != nil {
		return 0, ""
	}
	header := resp.Header()
	for _, name := range []string{"Location", "Content-Location"} {
		rd.value(out, "", leaves.String, header.Get(name), true)
	}
	of = rd.body(out, header.Get("Content-Type"), resp.Body(), true)
	if resp.Status() == http.StatusCreated && of == "" {
		of = rd.created(out, header.Get("Location"))
	}
	return resp.Status(), of
}

// created adds the id of what was made, the last segment of where it is.
func (rd *idReader) created(out *ids, location string) string {
	location, _, _ = strings.Cut(location, "?")
	id := decodeSegment(location[strings.LastIndexByte(location, '/')+1:])
	if id == "" || len(id) > maxIDLength {
		return ""
	}
	h := rd.hash(id)
	out.sure = append(out.sure, h)
	rd.given[h] = true
	return id
}

func (rd *idReader) body(out *ids, contentType string, body []byte, given bool) (of string) {
	if len(body) == 0 || len(body) > maxReadForIDs {
		return ""
	}
	format, list, err := leaves.Body(contentType, body)
	switch {
	case err != nil || format == leaves.Bytes:
	case format == leaves.Text && len(body) <= maxTextForIDs:
		for word := range strings.FieldsFuncSeq(string(body), notInID) {
			rd.value(out, "", leaves.String, word, false)
		}
	default:
		of = rd.list(out, list, given)
	}
	return of
}

// notInID reports what ends an id in a text.
func notInID(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
}

func (rd *idReader) list(out *ids, list []leaves.Leaf, given bool) (of string) {
	for _, l := range list {
		if l.Kind != leaves.String && l.Kind != leaves.Number {
			continue
		}
		rd.value(out, l.Name, l.Kind, l.Value, given)
		switch l.Place {
		case "body.id", "body._id", "body.uuid", "body.data.id":
			of = l.Value
		}
	}
	return of
}

// value adds the id that a value is, or those that it holds.
func (rd *idReader) value(out *ids, name string, kind leaves.Kind, value string, given bool) {
	if value == "" {
		return
	}
	named := isIDName(name)
	if strings.Contains(value, "/") && len(value) <= 8*maxIDLength {
		path, _, _ := strings.Cut(value, "?")
		if _, rest, isURL := strings.Cut(path, "://"); isURL {
			_, path, _ = strings.Cut(rest, "/")
		}
		rd.path(out, path)
		if !named {
			return
		}
	}
	if len(value) > maxIDLength || strings.ContainsAny(value, " \t\r\n") {
		return
	}
	for _, ph := range redact.Placeholders(value) {
		out.sure = append(out.sure, rd.hash("\x00"+ph.ID))
	}
	h := rd.hash(value)
	switch {
	case named:
		out.sure = append(out.sure, h)
		if given {
			rd.given[h] = true
		}
	case kind == leaves.Number || isInteger(value) || isTime(value):
	case looksLikeID(value):
		out.sure = append(out.sure, h)
	default:
		out.maybe = append(out.maybe, h)
	}
}

// path adds the ids that stand as segments of a path or URL.
func (rd *idReader) path(out *ids, path string) {
	for segment := range strings.SplitSeq(path, "/") {
		segment = decodeSegment(segment)
		if segment == "" || len(segment) > maxIDLength {
			continue
		}
		for _, ph := range redact.Placeholders(segment) {
			out.sure = append(out.sure, rd.hash("\x00"+ph.ID))
		}
		if h := rd.hash(segment); looksLikeID(segment) {
			out.sure = append(out.sure, h)
		} else {
			out.maybe = append(out.maybe, h)
		}
	}
}

// idNames are names of members that hold an id, and idEndings what such names end in.
var (
	idNames   = []string{"id", "_id", "ids", "uuid", "guid"}
	idEndings = []string{"_id", "_ids", "-id", "-ids", "_uuid", "Id", "Ids", "ID", "IDs", "Uuid", "UUID"}
)

func isIDName(name string) bool {
	return slices.Contains(idNames, strings.ToLower(name)) ||
		slices.ContainsFunc(idEndings, func(end string) bool { return strings.HasSuffix(name, end) })
}

// succeeded reports a status that says that what was asked has been done.
func succeeded(status int) bool {
	return status >= 200 && status < 300 && status != http.StatusMultiStatus
}
