package matchers

import "sync"

// Bindings maps live secrets to recorded placeholders, one to one, for one
// session. Implementations are safe for concurrent use.
type Bindings interface {
	Recorded(live string) (recorded string, ok bool)
	Live(recorded string) (live string, ok bool)
	// Bind pairs the two. A pair that contradicts an earlier one is dropped:
	// the first binding holds until Reset.
	Bind(live, recorded string)
	Reset()
}

// NewBindings returns bindings kept in memory.
func NewBindings() Bindings {
	b := &memory{}
	b.Reset()
	return b
}

type memory struct {
	mu       sync.RWMutex
	recorded map[string]string // by live
	live     map[string]string // by recorded
}

func (b *memory) Recorded(live string) (string, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	recorded, ok := b.recorded[live]
	return recorded, ok
}

func (b *memory) Live(recorded string) (string, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	live, ok := b.live[recorded]
	return live, ok
}

func (b *memory) Bind(live, recorded string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, hasLive := b.recorded[live]
	_, hasRecorded := b.live[recorded]
	if !hasLive && !hasRecorded {
		b.recorded[live], b.live[recorded] = recorded, live
	}
}

func (b *memory) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recorded, b.live = map[string]string{}, map[string]string{}
}
