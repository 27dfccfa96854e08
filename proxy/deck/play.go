package deck

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"sync"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// play builds a fresh response from the picked recording.
func (d *Deck) play(req *http.Request, s *session, r matchers.Reading, p pick) (*http.Response, error) {
	in, recorded := d.index.At(p.position)
	answer, err := in.Response()
	if err == nil {
		err = d.index.Played(p.position)
	}
	var large io.ReadCloser
	if err == nil && answer.Large() != nil {
		large, err = answer.Large().Open()
	}
	if err != nil {
		d.giveBack(s, p)
		return d.missed(req, r, pick{cure: cureAgain, reason: "the recorded answer cannot be redacted safely: " + err.Error()}), nil
	}
	if r.Echo {
		p.heard.learn(r.Invented, recorded.Invented)
		p.heard.learnKey(req.Header.Get("Idempotency-Key"), answer.Header().Get("Idempotency-Key"))
	}
	for _, info := range answer.Informational() {
		if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(info.Status, textproto.MIMEHeader(info.Header.Clone())); err != nil {
				d.giveBack(s, p)
				closeLarge(large)
				return nil, err
			}
		}
	}
	resp := d.response(req, p.heard, in.Recorded, answer, large)
	if resp.Body == http.NoBody {
		closeLarge(large)
	}
	d.report.play(SessionName(req.Context()), p.position, describe(in.Request()), p.unproven, r.Ignored)
	if p.claimed && resp.Body != http.NoBody {
		resp.Body = &delivery{ReadCloser: resp.Body, left: resp.ContentLength, lost: func() { d.giveBack(s, p) }}
	}
	return resp, nil
}

func closeLarge(large io.Closer) {
	if large != nil {
		large.Close()
	}
}

// response turns a recorded answer into a live one. large is its body when that is
// played from its file: as it stands there, without values of this client's and with
// the expiries of the day of recording.
func (d *Deck) response(req *http.Request, h *heard, recorded string, a clean.Response, large io.ReadCloser) *http.Response {
	header := a.Header()
	body := h.echo(header.Get("Content-Type"), a.Body())
	for name, values := range header {
		for i, v := range values {
			header[name][i] = h.echoText(v)
		}
	}
	age := newAging(recorded, d.opt.Now())
	age.header(header)
	body = age.body(header.Get("Content-Type"), body)
	size := int64(len(body))
	if large != nil {
		size = a.Size()
	}
	if key := req.Header.Get("Idempotency-Key"); key != "" && header.Get("Idempotency-Key") != "" {
		header.Set("Idempotency-Key", key)
	}
	resp := &http.Response{
		Status:        strings.TrimSpace(strconv.Itoa(a.Status()) + " " + reasonPhrase(a)),
		StatusCode:    a.Status(),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Trailer:       a.Trailer(),
		ContentLength: size,
		Body:          http.NoBody,
		Request:       req,
	}
	if large == nil && !bytes.Equal(body, a.Body()) {
		clean.FollowBody(body, a.Status() == http.StatusPartialContent, header, resp.Trailer)
	}
	if unchanged(req, a) {
		resp.Status, resp.StatusCode, resp.ContentLength = "304 Not Modified", http.StatusNotModified, 0
		for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding"} {
			header.Del(name)
		}
		resp.Trailer = nil
		return resp
	}
	if a.Status() == http.StatusNoContent {
		return resp
	}
	if req.Method == http.MethodHead || a.Status() == http.StatusNotModified {
		resp.ContentLength = -1
		if n, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil {
			resp.ContentLength = n
		}
		return resp
	}
	if a.Chunked() || len(resp.Trailer) > 0 {
		header.Del("Content-Length")
		resp.ContentLength = -1
		resp.TransferEncoding = []string{"chunked"}
	} else if header.Get("Content-Length") != "" {
		header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	if large != nil {
		resp.Body = large
	} else if len(body) > 0 || resp.ContentLength < 0 {
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp
}

func reasonPhrase(a clean.Response) string {
	if text := a.StatusText(); text != "" {
		return text
	}
	return http.StatusText(a.Status())
}

// unchanged evaluates an If-None-Match or If-Modified-Since against a recorded
// 200 (RFC 9110, section 13.2.2): a laptop's client has a warm cache where CI's
// has none.
func unchanged(req *http.Request, a clean.Response) bool {
	if a.Status() != http.StatusOK || req.Method != http.MethodGet && req.Method != http.MethodHead {
		return false
	}
	header := a.Header()
	if tags := req.Header.Values("If-None-Match"); len(tags) > 0 {
		return anyTag(tags, header.Get("Etag"))
	}
	since, err := http.ParseTime(req.Header.Get("If-Modified-Since"))
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(header.Get("Last-Modified"))
	return err == nil && !modified.After(since)
}

// anyTag reports whether a list of entity tags names etag, by weak comparison
// (RFC 9110, section 8.8.3.2).
func anyTag(tags []string, etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	for _, tag := range strings.Split(strings.Join(tags, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || etag != "" && strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// A delivery notices that the client did not receive its answer whole.
type delivery struct {
	io.ReadCloser
	left  int64 // bytes to come, -1 when only the end tells
	ended bool
	once  sync.Once
	lost  func()
}

func (d *delivery) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if d.left >= 0 {
		d.left -= int64(n)
	}
	d.ended = d.ended || err == io.EOF || d.left == 0
	return n, err
}

func (d *delivery) Close() error {
	d.once.Do(func() {
		if !d.ended {
			d.lost()
		}
	})
	return d.ReadCloser.Close()
}
