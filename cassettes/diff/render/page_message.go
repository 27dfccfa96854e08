package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
)

// A pageMessage is a request or response before it is laid out in lines.
type pageMessage struct {
	method, url   string // of a request
	status        int    // of a response
	statusText    string
	proto         string
	header        map[string][]string
	trailer       map[string][]string
	informational []clean.Informational
	body          []byte
	aside         string // instead of body: what is known of one that is not at hand
}

// messagesOf takes an interaction apart. A side that cannot be read has no messages:
// its error would be said where the cassette is opened.
func messagesOf(in *clean.Interaction) (request, response *pageMessage) {
	if in == nil {
		return nil, nil
	}
	s, err := in.Stored()
	if err != nil {
		return nil, nil
	}
	request = &pageMessage{method: s.Method, url: s.URL, header: s.RequestHeader, trailer: s.RequestTrailer, body: s.RequestBody}
	response = &pageMessage{
		status: s.Status, statusText: s.StatusText, proto: s.ResponseProto,
		header: s.ResponseHeader, trailer: s.ResponseTrailer, informational: s.Informational, body: s.ResponseBody,
	}
	if l := s.ResponseLarge; l != nil {
		response.aside = asideText(l.Size(), l.Name())
	}
	return request, response
}

// messageOf is the same of a recorded message in a Diff.
func messageOf(m diff.Message) *pageMessage {
	out := &pageMessage{
		method: m.Method, url: m.URL, status: m.Status, statusText: m.StatusText, proto: m.Proto,
		header: m.Header, trailer: m.Trailer,
	}
	switch v := m.Body; {
	case v == nil:
	case v.Type == "binary" && v.Bytes == nil:
		out.aside = asideText(v.Size, v.SHA256)
	case v.Type == "binary":
		out.body = v.Bytes
	default:
		out.body = []byte(v.Text)
	}
	return out
}

func asideText(size int64, name string) string {
	return "a body of " + bytesText(size) + " in a file of its own, sha256 " + beginning(strings.TrimPrefix(name, "sha256-"), 16) + "…"
}

func binaryText(b []byte) string {
	sum := sha256.Sum256(b)
	return "binary, " + bytesText(int64(len(b))) + ", sha256 " + hex.EncodeToString(sum[:8]) + "…"
}

// maxLaid is how large a body in bytes may be to be laid out.
const maxLaid = 2 << 20

// lay writes a message in lines. A new side teaches members the order of its
// objects' members, an old one follows it.
func (m *pageMessage) lay(members memberOrder, isNew bool) []pageLine {
	var list []pageLine
	add := func(place leaves.Place, indent int, head, value string) *pageLine {
		list = append(list, pageLine{place: place, indent: indent, head: head, value: inLine(shortened(value))})
		return &list[len(list)-1]
	}
	if m.method != "" || m.url != "" {
		base, query, asked := strings.Cut(m.url, "?")
		add("url", 0, inLine(m.method)+" ", base).wide = "method"
		if asked {
			fields, _ := leaves.Query(query)
			for _, f := range fields {
				add(f.Place, 1, inLine(strings.TrimPrefix(string(f.Place), "query."))+" = ", f.Value)
			}
		}
	} else {
		for _, info := range m.informational {
			add("", 0, "", strconv.Itoa(info.Status))
		}
		add("status", 0, inLine(m.proto)+" ", strings.TrimSpace(strconv.Itoa(m.status)+" "+m.statusText)).wide = "proto"
	}
	headers := func(kind string, from map[string][]string) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			place := leaves.Place(kind).Member(strings.ToLower(name))
			for i, value := range from[name] {
				l := add(place, 0, inLine(name)+": ", value)
				if len(from[name]) > 1 {
					l.place, l.wide = place.Index(i), place
				}
			}
		}
	}
	headers("header", m.header)
	if len(m.body) > 0 || m.aside != "" {
		list = append(list, pageLine{})
		list = m.layBody(list, members, isNew)
	}
	headers("trailer", m.trailer)
	return list
}

func (m *pageMessage) contentType() string {
	for name, values := range m.header {
		if strings.EqualFold(name, "Content-Type") && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func (m *pageMessage) layBody(list []pageLine, members memberOrder, isNew bool) []pageLine {
	const place = leaves.Place("body")
	one := func(text string) []pageLine {
		return append(list, pageLine{place: place, value: text})
	}
	contentType := m.contentType()
	switch {
	case m.aside != "":
		return one(m.aside)
	case len(m.body) > maxLaid:
		return one(bytesText(int64(len(m.body))) + " of text, too long to be laid out here")
	case isEventStream(contentType) && utf8.Valid(m.body):
		return layEvents(list, m.body, members, isNew)
	}
	format, found, err := leaves.Body(contentType, m.body)
	switch {
	case err == nil && format == leaves.JSON:
		if t, err := parseTree(m.body); err == nil {
			members.settle(&t, "body", isNew)
			return layTree(list, t, place, 0, "", "")
		}
	case err == nil && format == leaves.NDJSON:
		return layRows(list, m.body, members, isNew)
	case err == nil && (format == leaves.Form || format == leaves.Multipart):
		for _, leaf := range found {
			value := leaf.Value
			if leaf.Kind == leaves.Blob {
				value = binaryText([]byte(value))
			}
			list = append(list, pageLine{
				place: leaf.Place, head: inLine(strings.TrimPrefix(string(leaf.Place), "body.")) + " = ", value: inLine(shortened(value)),
			})
		}
		return list
	}
	if !utf8.Valid(m.body) {
		return one(binaryText(m.body))
	}
	return layProse(list, string(m.body))
}

// layProse lays out text that has no structure; its lines know where they stand in
// it, so that its words can be marked.
func layProse(list []pageLine, text string) []pageLine {
	at := 0
	for one := range strings.Lines(text) {
		list = append(list, pageLine{place: "body", prose: true, from: at, value: strings.TrimSuffix(one, "\n")})
		at += len(one)
	}
	return list
}

// layRows lays out one JSON text per line.
func layRows(list []pageLine, body []byte, members memberOrder, isNew bool) []pageLine {
	n := 0
	for row := range bytes.Lines(body) {
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		if t, err := parseTree(row); err == nil {
			members.settle(&t, "body[]", isNew)
			list = layTree(list, t, leaves.Place("body").Index(n), 0, "", "")
		}
		n++
	}
	return list
}

func (o memberOrder) settle(t *jsonTree, at string, isNew bool) {
	if isNew {
		o.learn(*t, at)
	} else {
		o.arrange(t, at)
	}
}

func isEventStream(contentType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(name), "text/event-stream")
}

// layEvents lays out server-sent events; data that is JSON is laid out as such.
func layEvents(list []pageLine, body []byte, members memberOrder, isNew bool) []pageLine {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(body))
	n := 0
	for event := range strings.SplitSeq(text, "\n\n") {
		if strings.TrimSpace(event) == "" {
			continue
		}
		place := leaves.Place("body").Member("events").Index(n)
		if n > 0 {
			list = append(list, pageLine{})
		}
		list = append(list, pageLine{place: place, value: "event " + strconv.Itoa(n) + ":", opens: true})
		var data []string
		for field := range strings.SplitSeq(strings.Trim(event, "\n"), "\n") {
			name, value, _ := strings.Cut(field, ":")
			value = strings.TrimPrefix(value, " ")
			if name == "data" {
				data = append(data, value)
				continue
			}
			list = append(list, pageLine{place: place.Member(name), indent: 1, head: inLine(name) + ": ", value: inLine(shortened(value))})
		}
		if data != nil {
			list = layData(list, strings.Join(data, "\n"), place.Member("data"), members, isNew)
		}
		n++
	}
	return list
}

func layData(list []pageLine, data string, place leaves.Place, members memberOrder, isNew bool) []pageLine {
	if t, err := parseTree([]byte(data)); err == nil && (t.kind == '{' || t.kind == '[') {
		members.settle(&t, "body.events[].data", isNew)
		return layTree(list, t, place, 1, "data: ", "")
	}
	return append(list, pageLine{place: place, indent: 1, head: "data: ", value: inLine(shortened(data))})
}

// shownPath is the path of a URL for a heading, without scheme and host.
func shownPath(raw string) (host, rest string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "", inLine(shortened(raw))
	}
	_, rest, _ = strings.Cut(raw, "://")
	_, rest, _ = strings.Cut(rest, "/")
	return inLine(u.Host), inLine(shortened("/" + rest))
}
