package deck

import (
	"errors"

	"tapedeck/cassettes/clean"
)

// A largeAnswer is the body of an answer on its way into its body file. The first error
// of the way ends it; the client is served all the same.
type largeAnswer struct {
	recording *clean.Recording
	torn      bool // what was written does not end with a whole event
	failed    bool
}

// maxEvent is the longest event of a stream that is held back until it is whole, in bytes.
const maxEvent = 1 << 20

// hold takes the next bytes of the body.
func (t *answerTap) hold(p []byte) {
	if t.failed != nil || len(p) == 0 {
		return
	}
	t.buf = append(t.buf, p...)
	if t.large == nil && len(t.buf) <= clean.LargeBody {
		return
	}
	if t.large == nil && !t.startLarge() {
		return
	}
	n := len(t.buf)
	if isEvents(t.resp.Header) {
		// A stream that the client leaves is kept up to its last whole event.
		whole := wholeEvents(t.resp.Header, t.buf)
		switch {
		case whole > 0:
			n, t.large.torn = whole, false
		case n <= maxEvent:
			return
		default:
			t.large.torn = true
		}
	}
	t.large.write(t.buf[:n])
	t.take.deck.sweepSoon()
	t.buf = t.buf[:copy(t.buf, t.buf[n:])]
	if cap(t.buf) > 2*maxEvent {
		t.buf = append([]byte(nil), t.buf...) // what was held until now
	}
}

// startLarge begins to record the body into its file.
func (t *answerTap) startLarge() bool {
	cr, err := t.take.request()
	var recording *clean.Recording
	if err == nil {
		recording, err = t.take.deck.cleaner.Record(cr, t.resp, t.take.deck.tape.Bodies())
	}
	if err != nil {
		t.failed, t.buf = err, nil
		return false
	}
	t.large = &largeAnswer{recording: recording}
	return true
}

func (l *largeAnswer) write(p []byte) {
	if l.failed {
		return
	}
	_, err := l.recording.Write(p)
	l.failed = err != nil // which Close returns
}

func (l *largeAnswer) abort() { l.recording.Abort() }

// cutEvents makes a stream of events that the client left end with its last whole
// one. It reports whether there is one.
func (t *answerTap) cutEvents() bool {
	if t.failed != nil || !isEvents(t.resp.Header) {
		return false
	}
	if t.large != nil {
		t.buf = nil
		return !t.large.torn
	}
	whole := wholeEvents(t.resp.Header, t.buf)
	t.buf = t.buf[:whole]
	return whole > 0
}

// interaction builds the clean pair of a request and an answer that has ended.
func (t *answerTap) interaction() (clean.Interaction, error) {
	d, take := t.take.deck, t.take
	if t.failed != nil {
		return clean.Interaction{}, t.failed
	}
	cr, err := take.request()
	if err != nil {
		return clean.Interaction{}, err
	}
	take.mu.Lock()
	infos := take.infos
	take.mu.Unlock()
	answer := clean.Answer{Response: t.resp, Body: t.buf, Trailer: t.resp.Trailer, Informational: infos}
	if t.large == nil {
		in, err := d.cleaner.Interaction(cr, answer)
		if !errors.Is(err, clean.ErrLarge) {
			return in, err
		}
		// It is compressed, and large only when it is not.
		if !t.startLarge() {
			return clean.Interaction{}, t.failed
		}
	}
	t.large.write(t.buf)
	t.buf, answer.Body = nil, nil
	if answer.Large, err = t.large.recording.Close(); err != nil {
		return clean.Interaction{}, err
	}
	return d.cleaner.Interaction(cr, answer)
}
