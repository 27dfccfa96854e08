// Package clean holds requests and interactions from which every known secret
// has been removed, and the only functions that can build them.
//
// Raw traffic exists only as *http.Request and *http.Response. Everything that
// is written, indexed, compared, reported or logged is a clean value: its
// fields are unexported, and a Cleaner is the only way to get one. Forgetting
// to redact is therefore a compile error.
//
//	c := &clean.Cleaner{Vault: redact.NewVault(rules)}
//	req, err := c.Request(httpReq, body)
//	in, err := c.Interaction(req, clean.Answer{Response: resp, Body: raw})
package clean

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"tapedeck/cassettes/redact"
)

// A Request is what the client asked, without its secrets.
type Request struct {
	method  string
	url     string
	parsed  *url.URL
	proto   string
	header  http.Header
	trailer http.Header
	body    []byte
}

// Method is the HTTP method, as sent.
func (r Request) Method() string { return r.method }

// RawURL is the absolute URL byte for byte as the client wrote it, secrets apart.
func (r Request) RawURL() string { return r.url }

// URL is RawURL, parsed. The caller must not change it.
func (r Request) URL() *url.URL { return r.parsed }

// Proto is the protocol the client spoke, such as "HTTP/1.1".
func (r Request) Proto() string { return r.proto }

// Header returns the values of one stored request header, in the order sent.
func (r Request) Header(name string) []string { return r.header[http.CanonicalHeaderKey(name)] }

// HeaderNames lists the stored headers, sorted.
func (r Request) HeaderNames() []string { return slices.Sorted(maps.Keys(r.header)) }

// ContentType is the first Content-Type value, or "".
func (r Request) ContentType() string { return r.header.Get("Content-Type") }

// Body is the body with its Content-Encoding removed. The caller must not change it.
func (r Request) Body() []byte { return r.body }

// Scope is what rules are limited by.
func (r Request) Scope() redact.Scope {
	return redact.Scope{Method: r.method, Host: r.parsed.Host, Path: r.parsed.EscapedPath()}
}

// Informational is a 1xx answer that came before the final one.
type Informational struct {
	Status int
	Header http.Header
}

// A Response is what the upstream answered, without its secrets.
type Response struct {
	status        int
	statusText    string
	proto         string
	header        http.Header
	trailer       http.Header
	body          []byte
	large         *Large // instead of body; nil for most
	chunked       bool
	informational []Informational
}

// Status is the status code.
func (r Response) Status() int { return r.status }

// StatusText is the reason phrase as received, without the code.
func (r Response) StatusText() string { return r.statusText }

// Proto is the protocol the upstream spoke.
func (r Response) Proto() string { return r.proto }

// Header returns a fresh copy of the stored headers.
func (r Response) Header() http.Header { return r.header.Clone() }

// HeaderNames lists the stored headers, sorted.
func (r Response) HeaderNames() []string { return slices.Sorted(maps.Keys(r.header)) }

// Trailer returns a fresh copy of the trailers, nil if there were none.
func (r Response) Trailer() http.Header { return r.trailer.Clone() }

// Body is the body with its Content-Encoding removed. The caller must not change it.
// It is nil when there is a Large.
func (r Response) Body() []byte { return r.body }

// Large is the body, with its Content-Encoding removed, when it is too large to be
// held; otherwise nil.
func (r Response) Large() *Large { return r.large }

// Size is the length of the body in bytes.
func (r Response) Size() int64 {
	if r.large != nil {
		return r.large.size
	}
	return int64(len(r.body))
}

// Chunked reports that the length was not announced before the body.
func (r Response) Chunked() bool { return r.chunked }

// Informational lists the 1xx answers, 100 and 101 apart.
func (r Response) Informational() []Informational { return slices.Clone(r.informational) }

// Meta is what tapedeck knows of an interaction beyond the traffic.
type Meta struct {
	// ID is the interaction's number in its cassette, for life; -1 before it has one.
	ID int
	// Recorded is the day of recording, YYYY-MM-DD, or "" for foreign cassettes.
	Recorded string
	// Cut is "client" for a stream that the client left before its end.
	Cut string
	// Pinned marks a hand-made answer that re-recording keeps.
	Pinned bool
	// Retry says that the request repeated the Idempotency-Key of an earlier
	// one with the same facts, and yet was answered anew. The key itself is not stored.
	Retry bool
	// Conflict is "ours" or "theirs" for one of the two versions of an interaction that two
	// branches have changed in different ways; "" for all others.
	Conflict string
	// Begin and End are positions in the recording: the counter's value when
	// the request was fully received and when the answer had ended. Both are
	// zero in a cassette read from a file, whose order is its replay order.
	Begin, End uint64
}

// An Interaction is one request and its response.
type Interaction struct {
	Meta
	request Request
	answer  *answer
}

// answer defers the redaction of loaded responses to their first use.
type answer struct {
	once     sync.Once
	load     func() (Response, error)
	response Response
	err      error
}

func (a *answer) get() (Response, error) {
	a.once.Do(func() {
		if a.load != nil {
			a.response, a.err = a.load()
			a.load = nil
		}
	})
	return a.response, a.err
}

// Request is the recorded request.
func (in Interaction) Request() Request { return in.request }

// Response is the recorded response. A response read from a file is redacted
// the first time it is asked for; the error is a *redact.Refusal.
func (in Interaction) Response() (Response, error) { return in.answer.get() }
