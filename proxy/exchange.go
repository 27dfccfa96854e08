package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
)

// exchange carries one request to the Transport and its answer back, whichever
// door it came through. session is what the tunnel named.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request, t target, session string) {
	if own := sessionName(r.Header); own != "" {
		session = own
	} else if session == "" {
		session, _ = r.Context().Value(listenerSessionKey{}).(string)
	}
	via, host := s.o.Transport, hostPort(t.url)
	passed := s.passes(host)
	switch {
	case passed:
		via = s.direct
		if s.o.OnPassthrough != nil {
			s.o.OnPassthrough(host)
		}
	case !saneSession(session):
		s.refused(http.StatusBadRequest, t.url.Host)
		WriteError(w, r, http.StatusBadRequest, badSession)
		return
	case session == "" && s.o.RequireSession:
		s.log.Warn("a request named no session and was refused", "method", r.Method, "host", t.url.Host)
		s.refused(http.StatusProxyAuthRequired, t.url.Host)
		w.Header().Set("Proxy-Authenticate", sessionChallenge)
		WriteError(w, r, http.StatusProxyAuthRequired, noSession)
		return
	case r.ContentLength > s.o.MaxBody:
		s.refused(http.StatusRequestEntityTooLarge, t.url.Host)
		s.refuseBody(w, r, t)
		return
	}
	ctx := r.Context()
	if session != "" && s.o.Session != nil && !passed {
		ctx = s.o.Session(ctx, session)
	}
	if t.dial != "" {
		ctx = context.WithValue(ctx, dialKey{}, t.dial)
	}
	answer := &answer{w: w, r: r, host: t.url.Host, log: s.log}
	defer answer.recover()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: answer.informational})

	out := (&http.Request{
		Method: r.Method, URL: t.url, Host: t.host, RequestURI: t.uri,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: forwardedHeader(r.Header), Trailer: r.Trailer,
		RemoteAddr: r.RemoteAddr,
	}).WithContext(ctx)
	limit := s.o.MaxBody
	if passed {
		limit = 1<<63 - 1
	}
	// To a transport a length of 0 with a body means an unknown one, so an empty
	// body must be none.
	body := &requestBody{}
	if out.Body = http.NoBody; r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody {
		out.ContentLength = r.ContentLength
		body = newRequestBody(r, out, limit)
		defer body.Close()
		if r.ProtoMajor == 1 {
			// An answer may begin before the request has ended. Without this
			// net/http swallows the rest of the request first. HTTP/2 never does.
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
	}

	resp, err := via.RoundTrip(out)
	answer.endInformational()
	if resp != nil && resp.Body == nil {
		resp.Body = http.NoBody
	}
	switch {
	case body.tooLarge.Load():
		if resp != nil {
			resp.Body.Close()
		}
		s.refuseBody(w, r, t)
	case err != nil && r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the client has gone; there is nobody to answer
	case err != nil && body.broken.Load():
		answer.error(http.StatusBadRequest, "the request's body ended before its announced length or is not valid; send it whole")
	case err != nil:
		status, reason := UpstreamFailure(err, t.url.Host)
		s.log.Warn(reason, "method", r.Method, "host", t.url.Host, "status", status)
		answer.error(status, reason)
	case resp == nil:
		s.log.Error("the transport gave neither an answer nor an error", "method", r.Method, "host", t.url.Host)
		answer.error(http.StatusInternalServerError, "tapedeck failed inside while answering this request; its log has the place, please report it")
	case resp.StatusCode == http.StatusSwitchingProtocols:
		s.upgrade(answer, resp)
		return // the connection is no longer HTTP
	default:
		answer.send(resp)
	}
	body.finish(w)
}

const sessionChallenge = `Basic realm="tapedeck session: its name as user, any password"`

func (s *Server) refused(status int, host string) {
	if s.o.OnRefused != nil {
		s.o.OnRefused(status, host)
	}
}

func (s *Server) refuseBody(w http.ResponseWriter, r *http.Request, t target) {
	s.log.Warn("a request's body is over the limit and was refused", "method", r.Method, "host", t.url.Host)
	if r.ProtoMajor == 1 {
		// What the client still sends is not read, so the connection is spent.
		w.Header().Set("Connection", "close")
	}
	WriteError(w, r, http.StatusRequestEntityTooLarge, tooLarge(s.o.MaxBody))
}

// answer writes one response to the client.
type answer struct {
	w    http.ResponseWriter
	r    *http.Request
	host string
	log  *slog.Logger

	mu      sync.Mutex // guards w against 1xx answers, which come from another goroutine
	over    bool       // no 1xx may follow
	started bool       // the final status has been written
}

// informational forwards a 1xx answer, such as 103 Early Hints. 100 is not
// forwarded: the client got its own when its body was read.
func (a *answer) informational(code int, header textproto.MIMEHeader) error {
	if code == http.StatusContinue || !a.r.ProtoAtLeast(1, 1) {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return nil
	}
	to := a.w.Header()
	copyHeader(to, http.Header(header))
	dropHopByHop(to)
	a.w.WriteHeader(code)
	clear(to)
	return nil
}

func (a *answer) endInformational() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
}

// recover turns a panic of the Transport into an answer, so that one broken
// exchange harms no other. The panic's value may hold traffic and is not logged.
func (a *answer) recover() {
	p := recover()
	if p == nil {
		return
	}
	a.endInformational()
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	what := "panic"
	if err, ok := p.(runtime.Error); ok {
		what = err.Error() // the runtime's own texts name types and indexes
	}
	a.log.Error("a panic while answering a request: "+what, "method", a.r.Method, "host", a.host, "stack", string(debug.Stack()))
	if a.started {
		panic(http.ErrAbortHandler)
	}
	a.error(http.StatusInternalServerError, "tapedeck failed inside while answering this request; its log has the place, please report it")
}

func (a *answer) error(status int, message string) {
	a.started = true
	clear(a.w.Header()) // part of another answer may stand there
	WriteError(a.w, a.r, status, message)
}

// send writes a whole answer: status, headers, the body as it comes, trailers.
// A body that ends early breaks the connection, so that the client sees it.
func (a *answer) send(resp *http.Response) {
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 999 {
		a.log.Warn("the upstream's status is not an HTTP status", "method", a.r.Method, "host", a.host, "status", resp.StatusCode)
		a.error(http.StatusBadGateway, "upstream "+a.host+": its answer has a status that HTTP does not know; check scheme and port")
		return
	}
	length := a.header(resp)
	a.started = true
	a.w.WriteHeader(resp.StatusCode)
	a.log.Debug("answered", "method", a.r.Method, "host", a.host, "status", resp.StatusCode)
	a.body(resp, length)
	a.trailer(resp)
}

// header copies the headers and returns the body's length, -1 if it is unknown.
func (a *answer) header(resp *http.Response) int64 {
	from := resp.Header.Clone()
	dropHopByHop(from)
	to := a.w.Header()
	copyHeader(to, from)
	if _, typed := to["Content-Type"]; !typed {
		to["Content-Type"] = nil // net/http would guess one
	}
	if !allowsBody(a.r.Method, resp.StatusCode) {
		return 0 // what Content-Length says there is about another answer
	}
	length := resp.ContentLength
	if length == 0 && resp.Body != http.NoBody && from.Get("Content-Length") == "" {
		length = -1 // a round tripper that did not say
	}
	names := make([]string, 0, len(resp.Trailer))
	for name := range resp.Trailer {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		to.Add("Trailer", name)
	}
	if len(names) > 0 && a.r.ProtoMajor == 1 {
		length = -1 // HTTP/1 has trailers only after chunks
	}
	if length < 0 {
		to.Del("Content-Length")
	} else {
		to.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	return length
}

// allowsBody reports whether an answer may carry a body (RFC 9110, section 6.4.1).
func allowsBody(method string, status int) bool {
	return method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// body copies the body. Each Read is flushed, so that an event reaches the client
// when the upstream has sent it; only the last bytes of a body of known length
// are left to the flush at the end.
func (a *answer) body(resp *http.Response, length int64) {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	carries := allowsBody(a.r.Method, resp.StatusCode)
	controller := http.NewResponseController(a.w)
	if carries && (length < 0 || length > int64(len(buffer)) || isEventStream(resp.Header)) {
		_ = controller.Flush() // the headers; the first bytes may be long in coming
	}
	var sent int64
	for {
		n, err := resp.Body.Read(buffer[:])
		if n > 0 && carries {
			if _, err := a.w.Write(buffer[:n]); err != nil {
				panic(http.ErrAbortHandler) // the client has gone, or the upstream sent more than it announced
			}
			if sent += int64(n); sent != length {
				_ = controller.Flush()
			}
		}
		switch {
		case err == nil:
			continue
		case err != io.EOF, carries && length >= 0 && sent != length:
			if a.r.Context().Err() == nil {
				a.log.Warn("the upstream's answer ended early; the client's connection was cut so that it notices", "method", a.r.Method, "host", a.host, "status", resp.StatusCode)
			}
			panic(http.ErrAbortHandler)
		}
		return
	}
}

func isEventStream(header http.Header) bool {
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return media == "text/event-stream"
}

// trailer sends the trailers, also those that were not announced (HTTP/2 servers
// seldom do).
func (a *answer) trailer(resp *http.Response) {
	to := a.w.Header()
	announced := to.Values("Trailer")
	for name, values := range resp.Trailer {
		if len(values) == 0 {
			continue
		}
		if !slices.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		to[name] = append([]string(nil), values...)
	}
}

// copyHeader copies all values in their order; equal names stay apart.
func copyHeader(to, from http.Header) {
	for name, values := range from {
		to[name] = append(to[name], values...)
	}
}
