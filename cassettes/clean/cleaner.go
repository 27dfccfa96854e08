package clean

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/redact"
)

// Boundary is the name under which every multipart boundary is stored, so that
// a client that invents a new one for each request does not touch the file.
const Boundary = "tapedeck-boundary"

// A Cleaner turns raw traffic into clean values for one cassette.
type Cleaner struct {
	Vault *redact.Vault
	// KeepRequestHeader reports whether a request header is stored. Nil stores
	// Content-Type alone. The name is canonical.
	KeepRequestHeader func(s redact.Scope, name string) bool
	// DropResponseHeader reports whether a response header is noise that stays
	// out of the cassette. Nil drops nothing.
	DropResponseHeader func(name string) bool
	// MaxDecoded bounds what a compressed body may unfold to, in bytes; 0 means 256 MiB.
	MaxDecoded int64
}

// An Answer is a raw response that has been read to its end.
type Answer struct {
	Response      *http.Response
	Body          []byte // as received, Content-Encoding and all
	Large         *Large // what a Recording made of the body, instead of Body
	Trailer       http.Header
	Informational []Informational
}

// Request builds the clean copy of a live request; req is not changed and its
// Body is not read. body is the whole body as sent. The error is a
// *redact.Refusal or says which part cannot be read; it never holds traffic.
func (c *Cleaner) Request(req *http.Request, body []byte) (Request, error) {
	raw := rawURL(req)
	parsed, err := url.Parse(raw)
	if err != nil {
		return Request{}, fmt.Errorf("the request's URL cannot be parsed")
	}
	decoded, err := c.decode(req.Header, body)
	if err != nil {
		return Request{}, &redact.Refusal{Rule: "content-encoding", Place: "request body", Reason: err.Error()}
	}
	r, err := c.request(Request{
		method: req.Method, url: raw, parsed: parsed, proto: req.Proto,
		header: req.Header, trailer: req.Trailer, body: decoded,
	})
	if err == nil && !bytes.Equal(body, decoded) {
		FollowBody(r.body, false, r.header, r.trailer)
	}
	return r, err
}

// request is the one place where a request is redacted, live or loaded.
func (c *Cleaner) request(r Request) (Request, error) {
	s := r.Scope()
	header := make(http.Header)
	for name, values := range r.header {
		name = http.CanonicalHeaderKey(name)
		if name == "Content-Type" || c.KeepRequestHeader != nil && c.KeepRequestHeader(s, name) {
			header[name] = values // which the vault copies
		}
	}
	var err error
	if r.header, err = c.Vault.Header(s, redact.InRequest, header); err != nil {
		return Request{}, err
	}
	if len(r.trailer) > 0 {
		if r.trailer, err = c.Vault.Header(s, redact.InRequest, r.trailer); err != nil {
			return Request{}, err
		}
	} else {
		r.trailer = nil
	}
	received := r.body
	if r.body, err = c.Vault.Body(s, redact.InRequest, r.ContentType(), r.body); err != nil {
		return Request{}, err
	}
	r.body = renameBoundary(r.header, r.body)
	if !bytes.Equal(received, r.body) {
		FollowBody(r.body, false, r.header, r.trailer)
	}
	if r.url, err = c.Vault.URL(s, redact.InRequest, r.url); err != nil {
		return Request{}, err
	}
	if r.parsed, err = url.Parse(r.url); err != nil {
		return Request{}, &redact.Refusal{Rule: "url", Place: "request URL", Reason: "it cannot be parsed once its secrets are replaced"}
	}
	return r, nil
}

// Interaction pairs a clean request with its answer. The error is ErrLarge when the
// answer unfolds to more than LargeBody: a Recording is to have its body then.
func (c *Cleaner) Interaction(req Request, a Answer) (Interaction, error) {
	body, err := c.decodeAnswer(a.Response.Header, a.Body)
	if errors.Is(err, ErrLarge) {
		return Interaction{}, err
	}
	if err != nil {
		return Interaction{}, &redact.Refusal{Rule: "content-encoding", Place: "response body", Reason: err.Error()}
	}
	header := maps.Clone(a.Response.Header)
	if header == nil {
		header = make(http.Header)
	}
	if len(a.Body) > 0 || a.Large != nil {
		header.Del("Content-Encoding")
	}
	_, text, _ := strings.Cut(a.Response.Status, " ")
	resp, err := c.response(req, Response{
		status: a.Response.StatusCode, statusText: text, proto: a.Response.Proto,
		header: header, trailer: a.Trailer, body: body, large: a.Large,
		chunked:       a.Response.ContentLength < 0 && hasBody(req.method, a.Response.StatusCode),
		informational: a.Informational,
	}, true)
	if err != nil {
		return Interaction{}, err
	}
	if !bytes.Equal(a.Body, body) && a.Large == nil {
		FollowBody(resp.body, resp.status == http.StatusPartialContent, resp.header, resp.trailer)
	}
	return Interaction{Meta: Meta{ID: -1}, request: req, answer: &answer{response: resp}}, nil
}

// response is the one place where a response is redacted, live (fresh) or loaded.
func (c *Cleaner) response(req Request, r Response, fresh bool) (Response, error) {
	s := req.Scope()
	header := make(http.Header, len(r.header))
	for name, values := range r.header {
		name = http.CanonicalHeaderKey(name)
		if hopByHop[name] || c.DropResponseHeader != nil && c.DropResponseHeader(name) {
			continue
		}
		header[name] = values // which the vault copies
	}
	var err error
	if r.header, err = c.Vault.Header(s, redact.InResponse, header); err != nil {
		return Response{}, err
	}
	if len(r.trailer) > 0 {
		if r.trailer, err = c.Vault.Header(s, redact.InResponse, r.trailer); err != nil {
			return Response{}, err
		}
	} else {
		r.trailer = nil
	}
	informational := make([]Informational, 0, len(r.informational))
	for _, info := range r.informational {
		h, err := c.Vault.Header(s, redact.InResponse, info.Header)
		if err != nil {
			return Response{}, err
		}
		informational = append(informational, Informational{Status: info.Status, Header: h})
	}
	r.informational = informational
	if c.Vault.Check("status line", []byte(r.statusText)) != nil {
		r.statusText = http.StatusText(r.status) // a phrase means nothing to a client (RFC 9112, section 4)
	}
	contentType, received := r.header.Get("Content-Type"), r.body
	if r.large != nil {
		dropDigests(r.header, r.trailer)
		// What a Recording has just written is searched again once it is in the
		// journal: the client is waiting for its last byte.
		if r.large.vault != c.Vault || !fresh {
			if r.large, err = c.large(s, contentType, r.large); err != nil {
				return Response{}, err
			}
		}
	} else if r.body, err = c.Vault.Body(s, redact.InResponse, contentType, r.body); err != nil {
		return Response{}, err
	}
	if !bytes.Equal(received, r.body) {
		FollowBody(r.body, r.status == http.StatusPartialContent, r.header, r.trailer)
	}
	setLength(req.method, &r)
	return r, nil
}

// Sweep replaces in an interaction what the vault has learned since it was built.
func (c *Cleaner) Sweep(in Interaction) (Interaction, error) {
	s, err := in.Stored()
	if err != nil {
		return Interaction{}, err
	}
	out, err := c.Load(s)
	if err != nil {
		return Interaction{}, err
	}
	_, err = out.Response()
	return out, err
}

// Check searches every part of an interaction for secrets in every encoding:
// the last gate before it is written. The error is a *redact.Refusal.
func (c *Cleaner) Check(in Interaction) error {
	s, err := in.Stored()
	if err != nil {
		return err
	}
	parts := []struct {
		place string
		text  []byte
	}{
		{"request URL", []byte(s.URL)},
		{"request headers", headerText(s.RequestHeader)},
		{"request trailers", headerText(s.RequestTrailer)},
		{"request body", s.RequestBody},
		{"status line", []byte(s.StatusText)},
		{"response headers", headerText(s.ResponseHeader)},
		{"response trailers", headerText(s.ResponseTrailer)},
		{"response body", s.ResponseBody},
	}
	for _, info := range s.Informational {
		parts = append(parts, struct {
			place string
			text  []byte
		}{"informational headers", headerText(info.Header)})
	}
	scope := in.request.Scope()
	for _, p := range parts {
		if len(p.text) == 0 {
			continue
		}
		if err := c.Vault.CheckIn(scope, p.place, p.text); err != nil {
			return err
		}
	}
	return c.CheckLarge(s.ResponseLarge)
}

func headerText(h http.Header) []byte {
	names, size := make([]string, 0, len(h)), 0
	for name, values := range h {
		names = append(names, name)
		for _, v := range values {
			size += len(name) + len(": ") + len(v) + len("\n")
		}
	}
	slices.Sort(names)
	b := make([]byte, 0, size)
	for _, name := range names {
		for _, v := range h[name] {
			b = append(append(append(append(b, name...), ": "...), v...), '\n')
		}
	}
	return b
}

// setLength makes the Content-Length header say what the stored body's length
// is: a stale one gives an unexpected EOF behind any server.
func setLength(method string, r *Response) {
	switch {
	case !hasBody(method, r.status):
		// HEAD and 304 say how long the body would be.
	case r.chunked:
		r.header.Del("Content-Length")
	case r.header.Get("Content-Length") != "" || r.Size() > 0:
		r.header.Set("Content-Length", strconv.FormatInt(r.Size(), 10))
	}
}

// hasBody reports whether an answer may carry a body (RFC 9110, section 6.4.1).
func hasBody(method string, status int) bool {
	return method != http.MethodHead && status != http.StatusNoContent &&
		status != http.StatusNotModified && status/100 != 1
}

// hopByHop are the headers that belong to one connection, not to the answer
// (RFC 9110, section 7.6.1).
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// rawURL is the absolute URL of a request as the client wrote it. The path and
// query come from RequestURI when there is one: url.URL does not keep every byte.
func rawURL(req *http.Request) string {
	u := *req.URL
	if u.Host == "" {
		u.Host = req.Host
	}
	if u.Scheme == "" {
		u.Scheme = "http"
		if req.TLS != nil {
			u.Scheme = "https"
		}
	}
	if strings.HasPrefix(req.RequestURI, "/") {
		return u.Scheme + "://" + userInfo(&u) + u.Host + req.RequestURI
	}
	return u.String()
}

func userInfo(u *url.URL) string {
	if u.User == nil {
		return ""
	}
	return u.User.String() + "@"
}

// renameBoundary stores multipart bodies under one fixed boundary. A body that
// contains the fixed name already keeps its own.
func renameBoundary(h http.Header, body []byte) []byte {
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	old := params["boundary"]
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") || old == "" || old == Boundary ||
		bytes.Contains(body, []byte(Boundary)) {
		return body
	}
	params["boundary"] = Boundary
	h.Set("Content-Type", mime.FormatMediaType(mediaType, params))
	parts := bytes.Split(body, []byte("--"+old))
	return bytes.Join(parts, []byte("--"+Boundary))
}
