package deck

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// recordStreaming forwards a request while its body is still arriving: nothing
// has to be looked up.
func (d *Deck) recordStreaming(req *http.Request, s *session) (*http.Response, error) {
	if req.ContentLength > d.opt.MaxBody {
		return d.takeFailed(req, errTooLarge)
	}
	if reason := d.liveKey(req, nil); reason != "" {
		return d.problem(req, http.StatusForbidden, reason), nil
	}
	if !d.opt.AllowLive && mayHoldKey(req) {
		return d.recordWhole(req, s)
	}
	take := &taking{deck: d, req: req, session: s}
	body := req.Body
	if body == nil || body == http.NoBody {
		take.begin.Store(d.clock.Add(1))
		return d.send(req, take, body)
	}
	tap := &bodyTap{body: body, limit: d.opt.MaxBody, want: req.ContentLength, whole: func() { take.begin.Store(d.clock.Add(1)) }}
	take.tap = tap
	return d.send(req, take, tap)
}

// recordWhole takes the body before it forwards it, to look for a live key in it.
func (d *Deck) recordWhole(req *http.Request, s *session) (*http.Response, error) {
	body, err := d.take(req)
	if err != nil {
		return d.takeFailed(req, err)
	}
	cr, err := d.cleaner.Request(req, body)
	if err != nil {
		return d.unreadable(req, s, body, err)
	}
	return d.recordTaken(req, s, body, cr)
}

// recordTaken forwards a request whose body has been taken already.
func (d *Deck) recordTaken(req *http.Request, s *session, body []byte, cr clean.Request) (*http.Response, error) {
	if reason := d.liveKey(req, body); reason != "" {
		return d.problem(req, http.StatusForbidden, reason), nil
	}
	take := &taking{deck: d, req: req, session: s, clean: &cr, body: body}
	take.begin.Store(d.clock.Add(1))
	return d.send(req, take, replay(body))
}

// replay is a body that has been read, to be read again.
func replay(body []byte) io.ReadCloser {
	if len(body) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(body))
}

// A taking is one request being recorded.
type taking struct {
	deck    *Deck
	req     *http.Request
	session *session
	tap     *bodyTap       // nil when the body was taken before
	clean   *clean.Request // nil until it is built
	body    []byte         // the body, when it was taken before
	begin   atomic.Uint64

	mu    sync.Mutex
	infos []clean.Informational
}

// send forwards the request and puts a tap on the answer.
func (d *Deck) send(req *http.Request, take *taking, body io.ReadCloser) (*http.Response, error) {
	out := req.Clone(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: take.informational}))
	out.Body = body
	out.Trailer = req.Trailer // filled while the body is read: a clone would stay empty
	if body == http.NoBody {
		out.ContentLength = 0
	}
	if take.tap == nil {
		// Lets the transport send it again on a fresh connection when the upstream
		// has just closed the idle one.
		out.GetBody = func() (io.ReadCloser, error) { return replay(take.body), nil }
	}
	resp, err := d.opt.Upstream.RoundTrip(out)
	if err != nil {
		if take.tap != nil && take.tap.tooLarge() {
			return d.takeFailed(req, errTooLarge)
		}
		return d.upstreamFailed(req, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, nil
	}
	t := &answerTap{take: take, resp: resp, body: resp.Body, length: resp.ContentLength}
	if resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 || req.Method == http.MethodHead {
		// Nothing follows the headers, so they are what is held back until the
		// journal has the entry.
		t.drain()
		t.finish("")
		return resp, nil
	}
	d.active.Add(1)
	resp.Body = t
	return resp, nil
}

func (t *taking) informational(code int, header textproto.MIMEHeader) error {
	if code == http.StatusContinue || code == http.StatusSwitchingProtocols {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.infos = append(t.infos, clean.Informational{Status: code, Header: http.Header(header).Clone()})
	return nil
}

// An answerTap copies a response while the client reads it. The Read that
// returns the last byte does so only after the journal has the interaction: a
// killed recorder loses nothing that a client has seen whole.
//
// A body of more than clean.LargeBody bytes is not held: it is redacted while it
// streams into its body file, and is bounded by the disk alone.
type answerTap struct {
	take   *taking
	resp   *http.Response
	body   io.ReadCloser
	length int64 // announced length, -1 when unknown

	n      int64  // bytes so far
	buf    []byte // the body, or what the recording does not have yet
	large  *largeAnswer
	failed error // why it is not recorded, although it is served
	done   bool
	ending error // what the last Read returns after its bytes
	closed sync.Once
	ended  sync.Once
}

func (t *answerTap) Read(p []byte) (int, error) {
	if t.done {
		return 0, t.ending
	}
	n, err := t.body.Read(p)
	t.n += int64(n)
	t.hold(p[:n])
	if err == nil && t.length >= 0 && t.n >= t.length {
		// The announced length is reached. Trailers, if any, come with the end.
		t.drain()
		err = io.EOF
	}
	switch {
	case err == io.EOF:
		t.finish("")
		t.end(io.EOF)
	case err != nil && t.take.req.Context().Err() != nil:
		// The client left, which cancels the request. Close decides what is kept.
	case err != nil:
		t.drop("the upstream broke off in the middle of its answer")
		t.end(err)
	}
	return n, err
}

// end settles that nothing more of the answer is recorded: who closes the deck need
// not wait for a client that closes its bodies late.
func (t *answerTap) end(err error) {
	t.done, t.ending = true, err
	t.ended.Do(t.take.deck.active.Done)
}

// drain reads what is left after the last announced byte: only the trailers.
func (t *answerTap) drain() {
	if t.body != nil {
		io.CopyN(io.Discard, t.body, 1)
	}
}

// Close ends the recording. A stream that the client left is kept up to its
// last whole event; any other answer that was not read to its end is dropped.
func (t *answerTap) Close() error {
	err := t.body.Close()
	t.closed.Do(func() {
		if t.done {
			return
		}
		defer t.end(http.ErrBodyReadAfterClose)
		if t.cutEvents() {
			t.finish("client")
			return
		}
		t.drop("the client left before the end of the answer")
	})
	return err
}

// wholeEvents is the length of the whole events at the start of an event stream
// (WHATWG HTML, "Server-sent events": events end with a blank line).
func wholeEvents(h http.Header, b []byte) int {
	if !isEvents(h) {
		return 0
	}
	end := 0
	for _, blank := range []string{"\n\n", "\r\r", "\r\n\r\n"} {
		if i := bytes.LastIndex(b, []byte(blank)); i >= 0 {
			end = max(end, i+len(blank))
		}
	}
	return end
}

// isEvents reports whether an answer is a stream of events that can be read as it comes.
func isEvents(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream") && h.Get("Content-Encoding") == ""
}

func (t *answerTap) drop(why string) {
	if t.large != nil {
		t.large.abort()
	}
	t.take.deck.sweepSoon()
	t.take.deck.report.drop(fmt.Sprintf("%s: %s; it is not recorded", t.take.deck.where(t.take.req), why))
}

// finish builds the clean pair and appends it to the journal. What cannot be
// kept marks the recording as incomplete; the client is served all the same.
func (t *answerTap) finish(cut string) {
	d, take := t.take.deck, t.take
	in, err := t.interaction()
	if err != nil {
		t.refuse(err)
		return
	}
	in.Cut = cut
	in.Begin, in.End = take.begin.Load(), d.clock.Add(1)
	in.Recorded = d.opt.Now().UTC().Format("2006-01-02")
	if err := d.keep(take, in); err != nil {
		t.refuse(err)
	}
}

// request is the clean request, which is built when its body has passed.
func (take *taking) request() (clean.Request, error) {
	if take.clean != nil {
		return *take.clean, nil
	}
	var body []byte
	if take.tap != nil {
		whole := false
		if body, whole = take.tap.taken(); !whole {
			return clean.Request{}, &redact.Refusal{Rule: "early-answer", Place: "request body", Reason: "the upstream answered before it had all of it"}
		}
	}
	cr, err := take.deck.cleaner.Request(take.req, body)
	if err == nil {
		take.clean = &cr
	}
	return cr, err
}

// keep gives the interaction the placeholders its session knows and appends it.
func (d *Deck) keep(take *taking, in clean.Interaction) error {
	s := take.session
	reading := d.opt.Matcher.Read(in.Request(), nil)
	d.report.warn(describe(in.Request()), reading.Warnings)
	s.mu.Lock()
	known := make(map[string]string)
	for _, p := range places(in) {
		if recorded, ok := s.bindings.Recorded(p.id); ok && recorded != p.id {
			known[p.id] = recorded
		}
	}
	if try := newAttempt(take.req, reading); try.idempotencyKey != "" {
		in.Retry = s.sent[try]
		s.sent[try] = true
	}
	s.mu.Unlock()
	in, err := in.Renumber(known)
	if err != nil {
		return err
	}
	if in, err = d.append(in); err != nil {
		return err
	}
	resp, err := in.Response()
	if err != nil {
		return err
	}
	d.report.record(SessionName(take.req.Context()), in.Request().URL().Host, describe(in.Request()), resp.Status(), reading.Ignored)
	return nil
}

func (d *Deck) append(in clean.Interaction) (clean.Interaction, error) {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	in, err := d.tape.Append(in)
	if err != nil {
		return in, err
	}
	d.recorded = append(d.recorded, in)
	d.saved = false
	d.sweeping.later(d)
	return in, nil
}

func (t *answerTap) refuse(err error) {
	d := t.take.deck
	d.sweepSoon()
	d.report.refuse(fmt.Sprintf("%s: %s", d.where(t.take.req), err))
}

// forward passes a request on and keeps nothing.
func (d *Deck) forward(req *http.Request, host string) (*http.Response, error) {
	resp, err := d.opt.Upstream.RoundTrip(req)
	if err != nil {
		return d.upstreamFailed(req, err)
	}
	d.report.forward(host)
	return resp, nil
}

// ignored deals with a host that the configuration says to ignore.
func (d *Deck) ignored(req *http.Request, host string) (*http.Response, error) {
	d.report.ignore(host)
	if d.mode != ReplayOnly {
		resp, err := d.opt.Upstream.RoundTrip(req)
		if err != nil {
			return d.upstreamFailed(req, err)
		}
		return resp, nil
	}
	closeBody(req)
	return d.problem(req, http.StatusBadGateway,
		"this host is listed under hosts.ignore in tapedeck.yaml: it is not recorded, and a replay reaches no network"), nil
}

// upgrade passes a protocol upgrade through live; there is no recording of one.
func (d *Deck) upgrade(req *http.Request, host string) (*http.Response, error) {
	if d.mode == ReplayOnly {
		closeBody(req)
		return d.missed(req, d.readingOf(req), pick{cure: cureInWords, reason: "a protocol upgrade (WebSocket) passes through live while recording and cannot be played; let its host pass in replay too with --passthrough, if it can be reached there"}), nil
	}
	if d.Recording() {
		if reason := d.liveKey(req, nil); reason != "" {
			return d.problem(req, http.StatusForbidden, reason), nil
		}
		if reason := mustNotForward(req, nil); d.mode == NewEpisodes && reason != "" {
			return d.missed(req, d.readingOf(req), pick{cure: cureAgain, reason: reason}), nil
		}
	}
	return d.forward(req, host)
}

func isUpgrade(req *http.Request) bool { return req.Header.Get("Upgrade") != "" }

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

func (d *Deck) upstreamFailed(req *http.Request, err error) (*http.Response, error) {
	closeBody(req)
	if context.Cause(req.Context()) != nil {
		return nil, fmt.Errorf("the client went away: %w", context.Cause(req.Context()))
	}
	status, reason := http.StatusBadGateway, "the upstream did not answer"
	if d.opt.Failure != nil {
		status, reason = d.opt.Failure(err, hostOf(req))
	}
	d.report.fail(d.where(req), reason)
	return d.problem(req, status, reason), nil
}
