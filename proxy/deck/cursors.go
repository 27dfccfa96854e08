package deck

import "sync"

// Cursors says what of one cassette has been played in one session. A position
// is an interaction's number in the index. Implementations are safe for
// concurrent use; Claim is atomic, so that cursors can be shared by processes.
type Cursors interface {
	// Claimed reports whether a position has been played.
	Claimed(position int) bool
	// Claim marks the first position of the list that is not yet played as
	// played, and returns it.
	Claim(positions []int) (position int, ok bool)
	// Release gives a position back, because its answer did not arrive whole.
	Release(position int)
	// Rewind forgets everything that was played.
	Rewind()
}

// NewCursors returns cursors kept in memory.
func NewCursors() Cursors { return &memoryCursors{played: make(map[int]bool)} }

type memoryCursors struct {
	mu     sync.Mutex
	played map[int]bool
}

func (c *memoryCursors) Claimed(position int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.played[position]
}

func (c *memoryCursors) Claim(positions []int) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range positions {
		if !c.played[p] {
			c.played[p] = true
			return p, true
		}
	}
	return 0, false
}

func (c *memoryCursors) Release(position int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.played, position)
}

func (c *memoryCursors) Rewind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.played)
}
