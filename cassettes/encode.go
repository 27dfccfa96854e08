package cassettes

import (
	"bytes"
	"encoding/base64"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
)

// encode writes a cassette file. The same contents give the same bytes. Bodies
// above largest bytes are left out, their entries name the files that hold
// them, and they are returned for the caller to write first.
//
// Left out on purpose, because go-vcr's loader and its replay do without
// (measured against v3.2.0 and v4.0.7) and no reader misses them: the request's
// host, lengths and protocol (when it is HTTP/1.1), remote_addr, request_uri,
// transfer_encoding, uncompressed, and what is empty.
func encode(c contents, largest int) (file []byte, bodies []bodyFile) {
	b := []byte("version: 2\n")
	var top []string
	if c.Unfinished != "" {
		top = append(top, "unfinished: "+string(appendScalar(nil, c.Unfinished, true)))
	}
	b = appendOurs(b, append(top, c.extra...), 0)
	if len(c.list) == 0 {
		return append(b, "interactions: []\n"...), nil
	}
	b = append(b, "interactions:\n"...)
	for _, e := range c.list {
		b, bodies = appendEntry(b, bodies, e, largest)
	}
	return b, bodies
}

func appendEntry(b []byte, bodies []bodyFile, e entry, largest int) ([]byte, []bodyFile) {
	settle(&e.Stored)
	request, response := shown(e.RequestBody, e.RequestHeader, true), shown(e.ResponseBody, e.ResponseHeader, false)
	var apart []string
	take := func(key string, body []byte, s *stand) {
		if len(body) <= largest {
			return
		}
		f := newBodyFile(body)
		bodies = append(bodies, f)
		apart = append(apart, key+": "+f.name)
		*s = stand{length: len(body)}
	}
	if e.requestFile != "" {
		apart = append(apart, "request: "+e.requestFile)
	}
	take("request", e.RequestBody, &request)
	if l := e.ResponseLarge; l != nil {
		bodies = append(bodies, bodyFile{name: l.Name(), large: l})
		apart = append(apart, "response: "+l.Name())
		response = stand{length: int(l.Size())}
	} else {
		take("response", e.ResponseBody, &response)
	}

	b = appendConflict(b, e.Conflict)
	b = appendComment(b, e.Stored)
	b = append(b, "- id: "...)
	b = strconv.AppendInt(b, int64(e.ID), 10)
	b = append(b, '\n')
	b = appendOurs(b, ours(e, request.how, response.how, apart), 2)

	b = append(b, "  request:\n"...)
	b = appendField(b, "method", e.Method)
	b = appendField(b, "url", e.URL)
	if e.Proto != defaultProto {
		b = appendField(b, "proto", e.Proto)
	}
	if _, ok := e.RequestHeader["Content-Length"]; ok {
		e.RequestHeader.Set("Content-Length", strconv.Itoa(request.length))
	}
	b = appendHeader(b, "headers", e.RequestHeader)
	b = appendHeader(b, "trailer", e.RequestTrailer)
	if request.text != "" {
		b = appendForm(b, e.Stored)
	}
	b = request.append(b)

	b = append(b, "  response:\n"...)
	b = appendStatus(b, e.Status, e.StatusText)
	b = append(b, "    code: "...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, '\n')
	b = appendField(b, "proto", e.ResponseProto)
	if major, minor, ok := http.ParseHTTPVersion(e.ResponseProto); ok {
		b = append(b, "    proto_major: "+strconv.Itoa(major)+"\n    proto_minor: "+strconv.Itoa(minor)+"\n"...)
	}
	b = append(b, "    content_length: "...)
	b = strconv.AppendInt(b, announce(&e.Stored, response.length), 10)
	b = append(b, '\n')
	b = appendHeader(b, "headers", e.ResponseHeader)
	b = appendHeader(b, "trailer", e.ResponseTrailer)
	b = response.append(b)
	return append(b, "    duration: 0s\n"...), bodies
}

// announce makes the answer's lengths say how long the body is as it stands in
// the file, since go-vcr plays it as it stands there, and returns content_length.
func announce(s *clean.Stored, length int) int64 {
	h := s.ResponseHeader
	if mayHaveBody(s.Method, s.Status) {
		if s.Chunked {
			return -1
		}
		if _, ok := h["Content-Length"]; ok {
			h.Set("Content-Length", strconv.Itoa(length))
		}
		return int64(length)
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		return n // what a GET would have got
	}
	if s.Method == http.MethodHead {
		return -1
	}
	return 0
}

// ours lists what stands under an interaction's tapedeck: key.
func ours(e entry, request, response recipe, apart []string) []string {
	var list []string
	if e.Recorded != "" {
		day := e.Recorded
		if !plainDay.MatchString(day) {
			day = string(appendScalar(nil, day, true))
		}
		list = append(list, "recorded: "+day)
	}
	var styles []string
	if request != "" {
		styles = append(styles, "request: "+string(request))
	}
	if response != "" {
		styles = append(styles, "response: "+string(response))
	}
	if len(styles) > 0 {
		list = append(list, "style: {"+strings.Join(styles, ", ")+"}")
	}
	if len(apart) > 0 {
		list = append(list, "body_files: {"+strings.Join(apart, ", ")+"}")
	}
	if e.Cut != "" {
		list = append(list, "cut: "+string(appendScalar(nil, e.Cut, true)))
	}
	if e.Retry {
		list = append(list, "retry: true")
	}
	if e.Pinned {
		list = append(list, "pinned: true")
	}
	if e.Conflict != "" {
		list = append(list, "conflict: "+e.Conflict)
	}
	if len(e.Informational) > 0 {
		var infos []string
		for _, info := range e.Informational {
			infos = append(infos, "{code: "+strconv.Itoa(info.Status)+", headers: "+flowHeader(info.Header)+"}")
		}
		list = append(list, "informational: ["+strings.Join(infos, ", ")+"]")
	}
	return append(list, e.extra...)
}

func flowHeader(h http.Header) string {
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		var values []string
		for _, v := range h[name] {
			values = append(values, string(appendScalar(nil, v, true)))
		}
		fields = append(fields, string(appendScalar(nil, name, true))+": ["+strings.Join(values, ", ")+"]")
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func appendOurs(b []byte, list []string, indent int) []byte {
	if len(list) == 0 {
		return b
	}
	b = appendSpaces(b, indent)
	return append(b, "tapedeck: {"+strings.Join(list, ", ")+"}\n"...)
}

// appendComment writes the line that says what the interaction is.
func appendComment(b []byte, s clean.Stored) []byte {
	const longest = 120 // runes of URL; the whole of it stands below
	target := []rune(strings.ToValidUTF8(s.URL, "\uFFFD"))
	if len(target) > longest {
		target = target[:longest]
		// A part of a placeholder would look like a secret that was not replaced.
		if i := strings.LastIndexAny(string(target), "/?&"); i >= 0 {
			target = []rune(string(target)[:i+1])
		}
		target = append(target, '…')
	}
	line := "# " + strings.ToValidUTF8(s.Method, "\uFFFD") + " " + string(target) + " → " + strconv.Itoa(s.Status)
	for _, r := range line {
		if !printable(r) {
			r = '\uFFFD'
		}
		b = utf8.AppendRune(b, r)
	}
	return append(b, '\n')
}

func appendField(b []byte, key, value string) []byte {
	b = append(b, "    "+key+": "...)
	b = appendScalar(b, value, false)
	return append(b, '\n')
}

// plainReason is a reason phrase that needs no quotes after a status code.
var plainReason = regexp.MustCompile(`^[A-Za-z]+(?:[ '-][A-Za-z]+)*$`)

func appendStatus(b []byte, code int, text string) []byte {
	status := strconv.Itoa(code)
	if plainReason.MatchString(text) {
		return append(b, "    status: "+status+" "+text+"\n"...)
	}
	if text != "" {
		status += " " + text
	}
	return appendField(b, "status", status)
}

func appendHeader(b []byte, key string, h http.Header) []byte {
	if len(h) == 0 {
		return b
	}
	b = append(b, "    "+key+":\n"...)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		b = appendKey(b, name, 6)
		b = appendList(b, h[name], 6)
	}
	return b
}

// appendForm shows a form body name by name, in the order of the body. It is
// for readers and for go-vcr's matchers; the body is what counts.
func appendForm(b []byte, s clean.Stored) []byte {
	names, values, ok := form(s.RequestHeader, s.RequestBody)
	if !ok || len(names) == 0 {
		return b
	}
	b = append(b, "    form:\n"...)
	for _, name := range names {
		b = appendKey(b, name, 6)
		b = appendList(b, values[name], 6)
	}
	return b
}

// form reads a body as application/x-www-form-urlencoded. names are in the
// order of their first appearance.
func form(h http.Header, body []byte) (names []string, values url.Values, ok bool) {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, nil, false
	}
	values, err = url.ParseQuery(string(body))
	if err != nil {
		return nil, nil, false
	}
	seen := make(map[string]bool, len(values))
	for pair := range strings.SplitSeq(string(body), "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err = url.QueryUnescape(name); err == nil && pair != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, values, true
}

// A stand is how a body stands in the file.
type stand struct {
	text   string
	how    recipe
	length int // of the text
}

func shown(body []byte, h http.Header, request bool) stand {
	if text, how, ok := show(body); ok {
		return stand{text, how, len(text)}
	}
	if request && bytes.Contains(body, []byte("\r\n")) {
		if text, ok := showLines(body); ok {
			return stand{text, crlf, len(text)}
		}
	}
	return stand{text: string(body), length: len(body)}
}

func (s stand) append(b []byte) []byte {
	switch {
	case s.text == "":
		return b
	case !isText(s.text):
		b = append(b, "    body: !!binary "...)
		b = base64.StdEncoding.AppendEncode(b, []byte(s.text))
		return append(b, '\n')
	case fitsLiteral(s.text):
		b = append(b, "    body: "...)
		return appendLiteral(b, s.text, 6)
	}
	return appendField(b, "body", s.text)
}
