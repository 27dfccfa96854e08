package diff

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
)

// recordedOf writes a whole interaction.
func recordedOf(in clean.Interaction) (*Recorded, error) {
	s, err := in.Stored()
	if err != nil {
		return nil, interactionError(in, err)
	}
	r := &Recorded{
		ID: s.ID, Recorded: s.Recorded, Pinned: s.Pinned, Retry: s.Retry, Cut: s.Cut,
		Request:  Message{Method: s.Method, URL: s.URL, Proto: s.Proto, Header: s.RequestHeader, Trailer: s.RequestTrailer},
		Response: Message{Status: s.Status, StatusText: s.StatusText, Proto: s.ResponseProto, Header: s.ResponseHeader, Trailer: s.ResponseTrailer, Chunked: s.Chunked},
	}
	if len(s.RequestBody) > 0 {
		r.Request.Body = textValue(string(s.RequestBody))
	}
	switch {
	case s.ResponseLarge != nil:
		r.Response.Body = payload{large: s.ResponseLarge}.value()
	case len(s.ResponseBody) > 0:
		r.Response.Body = textValue(string(s.ResponseBody))
	}
	for _, info := range s.Informational {
		r.Informational = append(r.Informational, Message{Status: info.Status, Header: info.Header})
	}
	r.Request.exact()
	r.Response.exact()
	for i := range r.Informational {
		r.Informational[i].exact()
	}
	return r, nil
}

var errIncomplete = errors.New("what was recorded is not in the diff")

// stored is the interaction that was written.
func (r *Recorded) stored(id int) (clean.Stored, error) {
	if r == nil {
		return clean.Stored{}, errIncomplete
	}
	request, response := r.Request, r.Response
	request.inexact()
	response.inexact()
	s := clean.Stored{
		Meta:   clean.Meta{ID: id, Recorded: r.Recorded, Pinned: r.Pinned, Retry: r.Retry, Cut: r.Cut},
		Method: request.Method, URL: request.URL, Proto: request.Proto, RequestHeader: request.Header, RequestTrailer: request.Trailer,
		Status: response.Status, StatusText: response.StatusText, ResponseProto: response.Proto,
		ResponseHeader: response.Header, ResponseTrailer: response.Trailer, Chunked: response.Chunked,
	}
	for _, info := range r.Informational {
		info.inexact()
		s.Informational = append(s.Informational, clean.Informational{Status: info.Status, Header: info.Header})
	}
	var err error
	if s.RequestBody, _, err = bodyBytes(request.Body); err != nil {
		return s, fmt.Errorf("request body: %w", err)
	}
	if s.ResponseBody, s.ResponseLarge, err = bodyBytes(response.Body); err != nil {
		return s, fmt.Errorf("response body: %w", err)
	}
	return s, nil
}

func bodyBytes(v *Value) ([]byte, *clean.Large, error) {
	switch {
	case v == nil:
		return nil, nil, nil
	case v.Type == "text":
		return []byte(v.Text), nil, nil
	case v.Type == "binary" && v.Bytes != nil:
		return v.Bytes, nil, nil
	case v.Type == "binary" && v.SHA256 != "":
		return nil, largeOf(v), nil
	}
	return nil, nil, errIncomplete
}

// texts calls f for every text of a message and the name it has in Exact. f returns what
// it is to be.
func (m *Message) texts(f func(name, value string) string) {
	m.Method = f("method", m.Method)
	m.URL = f("url", m.URL)
	m.StatusText = f("status_text", m.StatusText)
	m.Proto = f("proto", m.Proto)
	for root, h := range map[string]*map[string][]string{"header": &m.Header, "trailer": &m.Trailer} {
		fresh := make(http.Header, len(*h))
		for name, values := range *h {
			for i, v := range values {
				fresh[name] = append(fresh[name], f(fmt.Sprintf("%s.%s[%d]", root, name, i), v))
			}
			if values != nil && fresh[name] == nil {
				fresh[name] = []string{}
			}
		}
		if *h != nil {
			*h = fresh
		}
	}
}

// exact keeps the bytes of what JSON cannot say.
func (m *Message) exact() {
	m.texts(func(name, value string) string {
		if !utf8.ValidString(value) {
			if m.Exact == nil {
				m.Exact = make(map[string][]byte)
			}
			m.Exact[name] = []byte(value)
		}
		return value
	})
}

// inexact puts them back.
func (m *Message) inexact() {
	m.texts(func(name, value string) string {
		if bytes, ok := m.Exact[name]; ok {
			return string(bytes)
		}
		return value
	})
}
