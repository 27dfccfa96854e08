package clean

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tapedeck/cassettes/redact"
)

// Stored is the plain form of an interaction: what the cassette file and the
// journal hold. Only Load turns it back into an Interaction.
type Stored struct {
	Meta
	Method          string
	URL             string
	Proto           string
	RequestHeader   http.Header
	RequestTrailer  http.Header
	RequestBody     []byte
	Status          int
	StatusText      string
	ResponseProto   string
	ResponseHeader  http.Header
	ResponseTrailer http.Header
	ResponseBody    []byte
	ResponseLarge   *Large // instead of ResponseBody, when it is too large to be held
	Chunked         bool
	Informational   []Informational
}

// Stored returns the plain form. The byte slices and headers are shared and
// must not be changed.
func (in Interaction) Stored() (Stored, error) {
	resp, err := in.Response()
	if err != nil {
		return Stored{}, err
	}
	return Stored{
		Meta:            in.Meta,
		Method:          in.request.method,
		URL:             in.request.url,
		Proto:           in.request.proto,
		RequestHeader:   in.request.header,
		RequestTrailer:  in.request.trailer,
		RequestBody:     in.request.body,
		Status:          resp.status,
		StatusText:      resp.statusText,
		ResponseProto:   resp.proto,
		ResponseHeader:  resp.header,
		ResponseTrailer: resp.trailer,
		ResponseBody:    resp.body,
		ResponseLarge:   resp.large,
		Chunked:         resp.chunked,
		Informational:   resp.informational,
	}, nil
}

// Scope is what rules are limited by; only the method is in it when the URL cannot be parsed.
func (s Stored) Scope() redact.Scope {
	u, err := url.Parse(s.URL)
	if err != nil {
		return redact.Scope{Method: s.Method}
	}
	return redact.Scope{Method: s.Method, Host: u.Host, Path: u.EscapedPath()}
}

// Load builds an interaction from what a file holds, and redacts it: the
// request at once, the response when it is first used. Text that is already
// clean comes back unchanged. The error says which part is not usable.
func (c *Cleaner) Load(s Stored) (Interaction, error) {
	parsed, err := url.Parse(s.URL)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" {
		return Interaction{}, fmt.Errorf("request.url is not an absolute URL; write it as https://host/path")
	}
	req, err := c.request(Request{
		method:  s.Method,
		url:     s.URL,
		parsed:  parsed,
		proto:   s.Proto,
		header:  s.RequestHeader,
		trailer: s.RequestTrailer,
		body:    s.RequestBody,
	})
	if err != nil {
		return Interaction{}, err
	}
	if err := c.Vault.Check("request line", []byte(s.Method+" "+s.Proto+" "+s.ResponseProto)); err != nil {
		return Interaction{}, err
	}
	return Interaction{Meta: s.Meta.sane(), request: req, answer: &answer{load: func() (Response, error) {
		return c.response(req, Response{
			status:        s.Status,
			statusText:    s.StatusText,
			proto:         s.ResponseProto,
			header:        s.ResponseHeader,
			trailer:       s.ResponseTrailer,
			body:          s.ResponseBody,
			large:         s.ResponseLarge,
			chunked:       s.Chunked,
			informational: s.Informational,
		}, false)
	}}}, nil
}

// sane leaves out what nobody but a hand can have written: it would be printed and
// saved as it is.
func (m Meta) sane() Meta {
	if _, err := time.Parse(time.DateOnly, m.Recorded); err != nil {
		m.Recorded = ""
	}
	if m.Cut != "client" {
		m.Cut = ""
	}
	if m.Conflict != "ours" && m.Conflict != "theirs" {
		m.Conflict = ""
	}
	return m
}

// Renumber returns the interaction with its placeholders' identities changed
// as ids says: what gives a new recording the numbers of the previous file.
func (in Interaction) Renumber(ids map[string]string) (Interaction, error) {
	if len(ids) == 0 {
		return in, nil
	}
	resp, err := in.Response()
	if err != nil {
		return Interaction{}, err
	}
	re := func(s string) string { return redact.Renumber(s, ids) }
	req := in.request
	req.url = re(req.url)
	if req.parsed, err = url.Parse(req.url); err != nil {
		return Interaction{}, fmt.Errorf("request.url cannot be parsed after placeholders were renumbered")
	}
	req.header = mapHeader(req.header, re)
	req.trailer = mapHeader(req.trailer, re)
	if body := []byte(redact.RenumberBody(req.ContentType(), string(req.body), ids)); !bytes.Equal(body, req.body) {
		req.body = body
		FollowBody(body, false, req.header, req.trailer)
	}
	resp.header = mapHeader(resp.header, re)
	resp.trailer = mapHeader(resp.trailer, re)
	if resp.large != nil {
		if resp.large, err = resp.large.renumber(ids); err != nil {
			return Interaction{}, err
		}
	} else {
		if body := []byte(redact.RenumberBody(resp.header.Get("Content-Type"), string(resp.body), ids)); !bytes.Equal(body, resp.body) {
			resp.body = body
			FollowBody(body, resp.status == http.StatusPartialContent, resp.header, resp.trailer)
		}
	}
	setLength(req.method, &resp)
	return Interaction{Meta: in.Meta, request: req, answer: &answer{response: resp}}, nil
}

func mapHeader(h http.Header, f func(string) string) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		mapped := make([]string, len(values))
		for i, v := range values {
			mapped[i] = f(v)
		}
		out[name] = mapped
	}
	return out
}
