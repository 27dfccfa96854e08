package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tapedeck/cassettes/clean"
)

const (
	// mostTries is how often one request is sent, mostWait the longest wait between two
	// tries that an API may ask for.
	mostTries = 4
	mostWait  = time.Minute
	// mostSilent is after how many requests in a row without an answer a host counts as dead.
	mostSilent = 3
)

// An answer is one live answer, read to its end.
type answer struct {
	response *http.Response
	status   int
	header   http.Header
	body     []byte // as received
	decoded  []byte // without its Content-Encoding
}

var (
	errTooLarge = fmt.Errorf("its answer is larger than %d MiB now", clean.LargeBody>>20)
	errBusy     = errors.New("it was answered 429 each time; run verify later, or with a longer --delay")
	errNoWait   = fmt.Errorf("it was answered 429 and is to wait for more than %s; run verify later", mostWait)
	errBroken   = errors.New("its answer broke off")
)

// send sends a request. An answer that asks to come back later is asked for again, a
// few times; so is one to a read that only says that something on the way is ill.
func (r *run) send(ctx context.Context, step *Step, out outgoing) (answer, error) {
	for try := 1; ; try++ {
		if r.begun {
			if err := r.v.sleep(ctx, r.v.Delay); err != nil {
				return answer{}, err
			}
		}
		r.begun = true
		a, err := r.sendOnce(ctx, step, out)
		if err != nil {
			return answer{}, err
		}
		passing := a.status == http.StatusTooManyRequests ||
			(a.status == http.StatusBadGateway || a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout) && r.v.safe(step.recorded)
		if !passing {
			return a, nil
		}
		wait := r.v.retryAfter(a.header, try)
		switch busy := a.status == http.StatusTooManyRequests; {
		case busy && wait > mostWait:
			return answer{}, errNoWait
		case busy && try == mostTries:
			return answer{}, errBusy
		case try == mostTries, wait > mostWait:
			return a, nil // then this is its answer
		}
		if err := r.v.sleep(ctx, wait); err != nil {
			return answer{}, err
		}
	}
}

// retryAfter is how long to wait before a try (RFC 9110, section 10.2.3).
func (v *Verifier) retryAfter(h http.Header, try int) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(v.now()), 0)
	}
	return time.Second << (try - 1)
}

func (v *Verifier) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	var done <-chan time.Time
	if v.Sleep != nil {
		done = v.Sleep(d)
	} else {
		timer := time.NewTimer(d)
		defer timer.Stop()
		done = timer.C
	}
	select {
	case <-done:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) sendOnce(ctx context.Context, step *Step, out outgoing) (answer, error) {
	if r.v.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.v.Timeout)
		defer cancel()
	}
	req, err := out.request(ctx)
	if err != nil {
		return answer{}, err
	}
	// The vault learns what the request holds as it does when recording.
	if _, err := r.v.Cleaner.Request(req, out.body); err != nil {
		return answer{}, fmt.Errorf("it cannot be sent: %w", err)
	}
	resp, err := r.v.Transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{response: resp, status: resp.StatusCode, header: resp.Header}
	if a.body, err = readBody(resp, step); err != nil {
		return answer{}, err
	}
	if a.decoded, err = clean.Decode(resp.Header.Values("Content-Encoding"), a.body, clean.LargeBody); err != nil {
		return answer{}, errors.New("the Content-Encoding of its answer cannot be removed")
	}
	return a, nil
}

// request makes the live request. Its target goes out byte for byte.
func (out outgoing) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, out.method, out.url, bytes.NewReader(out.body))
	if err != nil {
		return nil, &Lack{Place: "url", Reason: "what was filled in makes no URL", Cure: "check the variables that it takes"}
	}
	_, target, _ := strings.Cut(out.url, "://")
	if i := strings.IndexAny(target, "/?"); i >= 0 && target[i] == '/' {
		req.RequestURI = target[i:]
	}
	if len(out.body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.Header = out.header.Clone()
	if len(out.trailer) > 0 {
		req.Trailer = out.trailer.Clone()
		req.ContentLength = -1
	}
	for name, value := range map[string]string{"User-Agent": "tapedeck-verify", "Accept-Encoding": "gzip"} {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// readBody reads an answer to its end, and an event stream of which the client had
// enough at some point as far as it was recorded.
func readBody(resp *http.Response, step *Step) ([]byte, error) {
	limit := int64(clean.LargeBody)
	if step.recorded.Cut != "" {
		return readEvents(resp.Body, bytes.Count(step.stored.ResponseBody, []byte("\n\n")), limit)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil && isTimeout(err):
		return nil, err
	case err != nil:
		return nil, errBroken
	case int64(len(body)) > limit:
		return nil, errTooLarge
	}
	return body, nil
}

// readEvents reads as many events of a stream, or as many as come before time runs out.
func readEvents(from io.Reader, events int, limit int64) ([]byte, error) {
	var body []byte
	buffer := make([]byte, 4096)
	for int64(len(body)) < limit && bytes.Count(body, []byte("\n\n")) < events {
		n, err := from.Read(buffer)
		body = append(body, buffer[:n]...)
		if err != nil {
			break
		}
	}
	for bytes.Count(body, []byte("\n\n")) > events {
		body = body[:bytes.LastIndex(body[:len(body)-1], []byte("\n\n"))+2]
	}
	if end := bytes.LastIndex(body, []byte("\n\n")); end >= 0 {
		return body[:end+2], nil
	}
	return nil, errBroken
}

// keep makes a clean interaction of the recorded request and the live answer. What
// belongs to the connection and not to the answer is taken from the recording: another
// version of HTTP says nothing of the API.
func (r *run) keep(step *Step, a answer) (clean.Interaction, error) {
	recorded, err := step.recorded.Response()
	if err != nil {
		return clean.Interaction{}, err
	}
	resp := *a.response
	resp.Proto = recorded.Proto()
	resp.Status = strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)
	if resp.StatusCode == recorded.Status() {
		resp.Status = strconv.Itoa(resp.StatusCode) + " " + recorded.StatusText()
	}
	if resp.ContentLength = int64(len(a.body)); recorded.Chunked() {
		resp.ContentLength = -1
	}
	resp.Header = resp.Header.Clone()
	if len(recorded.Header()["Content-Length"]) == 0 {
		resp.Header.Del("Content-Length")
	}
	return r.v.Cleaner.Interaction(step.recorded.Request(), clean.Answer{Response: &resp, Body: a.body, Trailer: resp.Trailer, Informational: recorded.Informational()})
}

// explain says why there is no answer, and settles whether the host is dead: one whose
// name or port does not answer is, at once.
func (r *run) explain(host *hostState, step *Step, err error) string {
	var lack *Lack
	if isLack(err, &lack) || slices.Contains([]error{errTooLarge, errBusy, errNoWait, errBroken}, err) {
		return err.Error()
	}
	var op *url.Error
	if errors.As(err, &op) {
		err = op.Err
	}
	reason := "the request failed before an answer came"
	if r.v.Failure != nil {
		_, reason = r.v.Failure(err, step.Host)
	}
	if host.silent++; host.silent >= mostSilent || !isPassing(err) {
		host.dead = reason
		r.order = append(r.order, step.Host)
	}
	return reason
}

// isPassing reports an error of one request, not of the host.
func isPassing(err error) bool {
	return isTimeout(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isTimeout(err error) bool {
	var timer net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timer) && timer.Timeout()
}
