package clean

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"tapedeck/cassettes/leaves"
)

// A Replacement says which values of an interaction give way to which others. The
// zero value replaces nothing.
type Replacement struct {
	// Values are replaced wherever they stand, in the request and in the answer.
	Values *Values
	// Request and Response hold new values by place, for what is another thing where it
	// stands elsewhere: path[2] (the second segment), query.x, header.x, body.x,
	// trailer.x, body.events[1].data.x of a stream of events, and body alone for a text
	// that has no leaves. They come before Values.
	Request, Response map[leaves.Place]string
}

// Replace returns the interaction with other values in it. Every other byte stays: how
// JSON is laid out, that a number is a number, how a URL is escaped. Lengths and digests
// follow. A body that stands in a file of its own has Values replaced, but those that
// are no words. The error says what could not be written or read.
func (in Interaction) Replace(r Replacement) (Interaction, error) {
	resp, err := in.Response()
	if err != nil {
		return Interaction{}, err
	}
	req, err := in.request.Replace(r)
	if err != nil {
		return Interaction{}, err
	}
	resp.header = r.headers(r.Response, "header", resp.header)
	resp.trailer = r.headers(r.Response, "trailer", resp.trailer)
	if len(resp.informational) > 0 {
		infos := make([]Informational, len(resp.informational))
		for i, info := range resp.informational {
			infos[i] = Informational{info.Status, r.headers(nil, "header", info.Header)}
		}
		resp.informational = infos
	}
	if resp.large != nil {
		if resp.large, err = resp.large.replace(r.Values); err != nil {
			return Interaction{}, err
		}
	} else if body := r.body(r.Response, resp.header.Get("Content-Type"), resp.body); !bytes.Equal(body, resp.body) {
		resp.body = body
		FollowBody(body, resp.status == http.StatusPartialContent, resp.header, resp.trailer)
	}
	setLength(req.method, &resp)
	return Interaction{Meta: in.Meta, request: req, answer: &answer{response: resp}}, nil
}

// Replace is Interaction.Replace for a request.
func (r Request) Replace(by Replacement) (Request, error) {
	var err error
	r.url = by.url(r.url)
	if r.parsed, err = url.Parse(r.url); err != nil {
		return Request{}, fmt.Errorf("request.url cannot be parsed after values were replaced")
	}
	r.header = by.headers(by.Request, "header", r.header)
	r.trailer = by.headers(by.Request, "trailer", r.trailer)
	if body := by.body(by.Request, r.ContentType(), r.body); !bytes.Equal(body, r.body) {
		r.body = body
		FollowBody(body, false, r.header, r.trailer)
	}
	return r, nil
}

// Find calls f with each of the values that Replace would replace in the request, once
// for each place.
func (r Request) Find(v *Values, f func(value string)) {
	v.find([]byte(r.url), f)
	v.findHeaders(f, r.header, r.trailer)
	v.findBody(r.ContentType(), r.body, f)
}

// Find is Request.Find for an answer. The error is that of reading a body file.
func (r Response) Find(v *Values, f func(value string)) error {
	v.findHeaders(f, r.header, r.trailer)
	for _, info := range r.informational {
		v.findHeaders(f, info.Header)
	}
	if r.large != nil {
		return r.large.eachPiece(func(piece []byte) { v.find(piece, f) })
	}
	v.findBody(r.header.Get("Content-Type"), r.body, f)
	return nil
}

func (v *Values) find(text []byte, f func(value string)) {
	v.each(text, func(_, _ int, value, _ string) { f(value) })
}

func (v *Values) findHeaders(f func(value string), headers ...http.Header) {
	for _, h := range headers {
		for _, values := range h {
			for _, one := range values {
				if _, ok := v.whole(one); ok {
					f(one)
				} else {
					v.find([]byte(one), f)
				}
			}
		}
	}
}

func (v *Values) findBody(contentType string, body []byte, f func(value string)) {
	if v.none() {
		return
	}
	if v.odd {
		for _, leaf := range BodyLeaves(contentType, body) {
			if _, ok := v.whole(leaf.Value); ok && !isWord(leaf.Value) {
				f(leaf.Value)
			}
		}
	}
	v.find(body, f)
}

// WithRequest returns the interaction with another request. Both are clean; the caller
// says that they mean the same.
func (in Interaction) WithRequest(r Request) Interaction {
	in.request = r
	return in
}

// headers replaces in header values. Places are those of facts: header.etag, and
// header.link[1] where there are several values.
func (r Replacement) headers(at map[leaves.Place]string, root leaves.Place, h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		replaced := make([]string, len(values))
		for i, v := range values {
			if to, ok := at[HeaderPlace(root, name, i, len(values))]; ok {
				replaced[i] = to
			} else {
				replaced[i] = r.Values.Text(v)
			}
		}
		out[name] = replaced
	}
	return out
}

// HeaderPlace is the place of value i of the n values that a header has.
func HeaderPlace(root leaves.Place, name string, i, n int) leaves.Place {
	place := root.Member(strings.ToLower(name))
	if n > 1 {
		place = place.Index(i)
	}
	return place
}

// url replaces in a URL as the client wrote it.
func (r Replacement) url(raw string) string {
	if len(r.Request) == 0 {
		return r.Values.Text(raw)
	}
	start, end := pathOf(raw)
	segments := strings.Split(raw[start:end], "/")
	for i, segment := range segments {
		if to, ok := r.Request[leaves.Place("path").Index(i)]; ok {
			segments[i] = url.PathEscape(to)
		} else {
			segments[i] = r.Values.Text(segment)
		}
	}
	query, _, _ := strings.Cut(raw[end:], "#")
	fragment := strings.TrimPrefix(raw[end:], query)
	if strings.HasPrefix(query, "?") {
		list, _ := leaves.Query(query[1:])
		query = "?" + string(r.spliced(r.Request, []byte(query[1:]), list))
	}
	return r.Values.Text(raw[:start]) + strings.Join(segments, "/") + query + r.Values.Text(fragment)
}

// pathOf is where the path stands in an absolute URL.
func pathOf(raw string) (start, end int) {
	start = strings.Index(raw, "://") + len("://")
	if i := strings.IndexAny(raw[start:], "/?#"); i >= 0 {
		start += i
	} else {
		start = len(raw)
	}
	end = len(raw)
	if i := strings.IndexAny(raw[start:], "?#"); i >= 0 {
		end = start + i
	}
	return start, end
}

// PathSegments are the segments of the path of a request, as the client wrote them, the
// place of each being path[i]. The first is "", since a path begins with a slash.
func (r Request) PathSegments() []string {
	start, end := pathOf(r.url)
	return strings.Split(r.url[start:end], "/")
}

// body replaces in a body.
func (r Replacement) body(at map[leaves.Place]string, contentType string, body []byte) []byte {
	if len(body) == 0 || len(at) == 0 && r.Values.none() || isBinary(body) {
		return body
	}
	if len(at) == 0 && !r.Values.odd {
		return r.Values.words(body)
	}
	list := BodyLeaves(contentType, body)
	if to, ok := at["body"]; ok && len(list) == 0 {
		return []byte(to)
	}
	return r.spliced(at, body, list)
}

// isBinary reports a body that is no text: there, what is beside a value may count its
// bytes or sum them up.
func isBinary(body []byte) bool {
	return !utf8.Valid(body) || bytes.ContainsFunc(body, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\r' && c != '\t'
	})
}

// spliced replaces whole leaves of a text, and the words of what stands between and in
// the others.
func (r Replacement) spliced(at map[leaves.Place]string, text []byte, list []leaves.Leaf) []byte {
	var out []byte
	last := 0
	for _, leaf := range list {
		if leaf.Start < last || leaf.Kind != leaves.String && leaf.Kind != leaves.Number {
			continue
		}
		to, ok := at[leaf.Place]
		if !ok {
			if to, ok = r.Values.whole(leaf.Value); !ok {
				continue
			}
		}
		raw, ok := likewise(leaf, string(text[leaf.Start:leaf.End]), to)
		if !ok {
			continue
		}
		out = append(out, r.Values.words(text[last:leaf.Start])...)
		out = append(out, raw...)
		last = leaf.End
	}
	if last == 0 {
		return r.Values.words(text)
	}
	return append(out, r.Values.words(text[last:])...)
}

// likewise writes a value as the one is written that stands there now; ok is false when
// that is written in a way that is not known.
func likewise(leaf leaves.Leaf, raw, to string) (out []byte, ok bool) {
	if leaf.Kind == leaves.Number && string(leaf.Quote(to)) != to {
		return nil, false // it would be a string
	}
	for _, respell := range spellings {
		if respell(string(leaf.Quote(leaf.Value))) == raw {
			return []byte(respell(string(leaf.Quote(to)))), true
		}
	}
	return nil, false
}

// spellings are the ways in which one JSON string or form value is written.
var spellings = []func(string) string{
	func(s string) string { return s },
	strings.NewReplacer("/", `\/`).Replace,                                                  // PHP
	strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace,                // Go
	strings.NewReplacer("<", `\u003C`, ">", `\u003E`, "&", `\u0026`, "+", `\u002B`).Replace, // .NET
	strings.NewReplacer("=", `\u003d`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace, // Gson
	strings.NewReplacer("+", "%20").Replace,                                                 // forms by RFC 3986
	unescapedForm,
}

// unescapedForm leaves in a form what need not be escaped there.
func unescapedForm(s string) string {
	return strings.NewReplacer("%3A", ":", "%2F", "/", "%2C", ",", "%40", "@", "%3D", "=").Replace(s)
}

// replace is Replace for a large body.
func (l *Large) replace(v *Values) (*Large, error) {
	if v.none() {
		return l, nil
	}
	words := *v
	words.odd = false
	return l.rewrite(nil, func(to io.Writer, from io.Reader) (changed bool, err error) {
		err = pieces(from, func(piece []byte) error {
			out := words.words(piece)
			changed = changed || !bytes.Equal(out, piece)
			_, err := to.Write(out)
			return err
		})
		return changed, err
	})
}

// eachPiece reads a large body in pieces that cut no word.
func (l *Large) eachPiece(f func(piece []byte)) error {
	from, err := l.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	return pieces(from, func(piece []byte) error {
		f(piece)
		return nil
	})
}

// Pieces calls f with a body's text in pieces that cut no word, with the whole body
// when it is held in memory. The error is that of reading a body file.
func (r Response) Pieces(f func(piece []byte)) error {
	if r.large != nil {
		return r.large.eachPiece(f)
	}
	f(r.body)
	return nil
}
