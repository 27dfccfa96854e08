package deck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// StatusMiss is the status of a miss: 424 Failed Dependency. No payment API uses
// it, and no SDK retries it.
const StatusMiss = http.StatusFailedDependency

// maxDifferences is how many differing facts a miss prints.
const maxDifferences = 8

// A Miss is a request that nothing recorded answers, as the report keeps it.
type Miss struct {
	Request string `json:"request"` // "POST https://api.stripe.com/v1/customers"
	Reason  string `json:"reason"`  // one line
	// Nearest is the recording most like the request, "" if there is none.
	Nearest string `json:"nearest,omitempty"`
	// Facts names the facts that differ.
	Facts []string `json:"facts,omitempty"`
	// Text is the whole explanation, several lines.
	Text string `json:"text"`
}

// missed answers a request that nothing recorded answers, and says why.
func (d *Deck) missed(req *http.Request, r matchers.Reading, p pick) *http.Response {
	closeBody(req)
	m := d.explain(req, r, p)
	d.report.miss(SessionName(req.Context()), m)
	header := http.Header{
		"Tapedeck-Miss":        {"1"},
		"Tapedeck-Miss-Reason": {headerText(m.Reason)},
	}
	noRetry(header)
	if isGRPC(req) {
		header.Set("Content-Type", req.Header.Get("Content-Type"))
		header.Set("Grpc-Status", "9") // FAILED_PRECONDITION
		header.Set("Grpc-Message", percentEncode(m.Text))
		return answer(req, http.StatusOK, header, nil)
	}
	return answer(req, StatusMiss, header, errorBody(req, header, "tapedeck_miss", m.Text))
}

// explain says what was asked, what comes nearest, what differs, and what to do.
func (d *Deck) explain(req *http.Request, r matchers.Reading, p pick) Miss {
	asked := d.where(req)
	m := Miss{Request: asked, Reason: p.reason}
	var b strings.Builder
	fmt.Fprintf(&b, "tapedeck: no recording answers %s\n", asked)
	near := matchers.Nearest{Position: -1}
	if p.reason == "" {
		near = d.index.Nearest(r)
	}
	switch {
	case p.reason != "":
		fmt.Fprintf(&b, "why: %s\n", p.reason)
	case near.Position < 0:
		m.Reason = "nothing is recorded in cassette " + d.opt.File
		if d.index.Len() > 0 {
			m.Reason = "nothing like it is recorded in cassette " + d.opt.File
		}
		fmt.Fprintf(&b, "why: %s\n", m.Reason)
	default:
		d.compare(&b, &m, near)
	}
	if near.Hint != "" {
		fmt.Fprintf(&b, "hint: %s\n", near.Hint)
	}
	if near.Rule != "" {
		fmt.Fprintf(&b, "if the difference is noise, put this into tapedeck.yaml:\n%s\n", indent(near.Rule))
	}
	switch {
	case p.cure == cureAgain:
		fmt.Fprintf(&b, "to record all of it again: %s", d.opt.RecordCommand(RecordOnly))
	case p.cure == cureAdd:
		fmt.Fprintf(&b, "to record it: %s", d.opt.RecordCommand(NewEpisodes))
	}
	m.Text = strings.TrimRight(b.String(), "\n")
	return m
}

// compare writes the facts in which the nearest recording differs.
func (d *Deck) compare(b *strings.Builder, m *Miss, near matchers.Nearest) {
	in, _ := d.index.At(near.Position)
	m.Nearest = fmt.Sprintf("interaction %d in %s", in.ID, d.opt.File)
	fmt.Fprintf(b, "nearest: %s, %s\n", m.Nearest, describe(in.Request()))
	names := make([]string, 0, len(near.Differences))
	for i, diff := range near.Differences {
		names = append(names, string(diff.Name))
		if i == maxDifferences {
			fmt.Fprintf(b, "  … and %d more\n", len(near.Differences)-i)
		}
		if i >= maxDifferences {
			continue
		}
		recorded, got := "(absent)", "(absent)"
		if diff.HasRecorded {
			recorded = shorten(diff.Recorded)
		}
		if diff.HasGot {
			got = shorten(diff.Got)
		}
		fmt.Fprintf(b, "  %s\n    recorded %s\n    got      %s\n", diff.Name, recorded, got)
	}
	m.Facts = names
	listed := names
	if len(listed) > 3 {
		listed = append(append([]string(nil), listed[:3]...), "…")
	}
	m.Reason = fmt.Sprintf("differs from %s in %s", m.Nearest, strings.Join(listed, ", "))
}

// readingOf is a best-effort reading of a request whose body is not looked at.
func (d *Deck) readingOf(req *http.Request) matchers.Reading {
	cr, err := d.cleaner.Request(req, nil)
	if err != nil {
		return matchers.Reading{}
	}
	return d.opt.Matcher.Read(cr, nil)
}

// unreadable answers a request that could not be redacted: it cannot be looked
// up, and must not be written.
func (d *Deck) unreadable(req *http.Request, s *session, body []byte, err error) (*http.Response, error) {
	if d.mode == ReplayOnly {
		return d.missed(req, matchers.Reading{}, pick{cure: cureInWords, reason: "the request cannot be searched for secrets: " + err.Error()}), nil
	}
	if reason := d.liveKey(req, body); reason != "" {
		return d.problem(req, http.StatusForbidden, reason), nil
	}
	if reason := mustNotForward(req, body); d.mode == NewEpisodes && reason != "" {
		return d.missed(req, matchers.Reading{}, pick{cure: cureAgain, reason: reason}), nil
	}
	d.report.refuse(fmt.Sprintf("%s: %s", d.where(req), err.Error()))
	out := req.Clone(req.Context())
	out.Body = replay(body)
	resp, err := d.opt.Upstream.RoundTrip(out)
	if err != nil {
		return d.upstreamFailed(req, err)
	}
	return resp, nil
}

// problem is an answer of tapedeck's own that is not a miss.
func (d *Deck) problem(req *http.Request, status int, reason string) *http.Response {
	closeBody(req)
	header := http.Header{"Tapedeck-Error": {"1"}}
	noRetry(header)
	return answer(req, status, header, errorBody(req, header, "tapedeck_error", "tapedeck: "+d.where(req)+": "+reason))
}

// noRetry tells the SDKs that know such a header not to try again.
func noRetry(h http.Header) {
	h["Stripe-Should-Retry"] = []string{"false"}
	h["X-Should-Retry"] = []string{"false"}
}

// errorBody puts the text where most SDKs look for it: error.message.
func errorBody(req *http.Request, h http.Header, kind, text string) []byte {
	if textOnly(req) {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		return []byte(text + "\n")
	}
	h.Set("Content-Type", "application/json")
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{"error": map[string]string{"type": kind, "message": text}}); err != nil {
		return []byte(`{"error":{"message":"tapedeck could not write its explanation"}}`)
	}
	return body.Bytes()
}

// textOnly reports whether the client accepts text and no JSON.
func textOnly(req *http.Request) bool {
	accept := strings.Join(req.Header.Values("Accept"), ",")
	return strings.Contains(accept, "text/") && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*")
}

func isGRPC(req *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return err == nil && (mediaType == "application/grpc" || strings.HasPrefix(mediaType, "application/grpc+"))
}

// headerText makes a reason fit for a header's value: clients read those as
// Latin-1, so all beyond ASCII would come out garbled.
func headerText(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, strings.ReplaceAll(s, "…", "..."))
}

// percentEncode is the encoding of grpc-message (gRPC over HTTP/2, "Responses").
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func answer(req *http.Request, status int, header http.Header, body []byte) *http.Response {
	resp := &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Request: req, Body: http.NoBody, ContentLength: int64(len(body)),
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if len(body) > 0 && req.Method != http.MethodHead {
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	return resp
}

// where names a live request for people: method and URL without its query,
// cleaned of secrets.
func (d *Deck) where(req *http.Request) string {
	bare := req.Clone(req.Context())
	bare.Header = nil
	bare.URL.RawQuery, bare.URL.ForceQuery, bare.RequestURI = "", false, ""
	cr, err := d.cleaner.Request(bare, nil)
	if err != nil {
		return req.Method + " a URL that cannot be shown"
	}
	return describe(cr)
}

// describe names a clean request for people: method and URL without its query.
func describe(r clean.Request) string {
	u := *r.URL()
	u.RawQuery, u.ForceQuery, u.Fragment, u.User = "", false, "", nil
	return r.Method() + " " + u.String()
}

func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func indent(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return "  " + strings.Join(lines, "\n  ")
}
