package deck

import (
	"context"
	"sync"
	"time"

	"tapedeck/matchers"
)

type sessionKey struct{}

// WithSession returns a context whose requests belong to the session called name.
func WithSession(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, sessionKey{}, name)
}

// SessionName is the name WithSession put into the context, or "".
func SessionName(ctx context.Context) string {
	name, _ := ctx.Value(sessionKey{}).(string)
	return name
}

// A session is one caller's way through a cassette: what it has played, which
// live secrets stand for which recorded ones, which values it invented.
type session struct {
	// mu makes picking an answer one step: two parallel requests with equal
	// keys never get the same recording.
	mu       sync.Mutex
	cursors  Cursors
	bindings matchers.Bindings
	invented invented
	// answered remembers which position answered an Idempotency-Key.
	answered map[attempt]int
	// sent holds the Idempotency-Keys of recorded requests.
	sent map[attempt]bool
	// seen is when the session's last request came.
	seen time.Time
	// changed holds the hosts to which an unsafe request has been forwarded.
	changed map[string]bool
}

func newSession() *session {
	s := &session{cursors: NewCursors(), bindings: matchers.NewBindings()}
	s.rewind()
	return s
}

func (s *session) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursors.Rewind()
	s.bindings.Reset()
	s.invented.reset()
	s.answered = make(map[attempt]int)
	s.sent = make(map[attempt]bool)
	s.changed = make(map[string]bool)
}
