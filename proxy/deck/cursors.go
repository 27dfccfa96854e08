package deck

import (
	"slices"
	"sync"

	"tapedeck/matchers"
)

// Cursors says what of one cassette has been played in one session, and so what
// state of the recorded API the session is in. A position is an interaction's
// number in the index. An interaction counts as answered from the moment it is
// claimed: a client that has seen its answer must find it so.
//
// Implementations are safe for concurrent use; every method is atomic, so that
// cursors can be shared by processes.
type Cursors interface {
	// Claimed reports whether a position has been played and may not be again.
	Claimed(position int) bool
	// Claim marks the first position of the list that is not yet played as
	// played and answered, and returns it.
	Claim(positions []int) (position int, ok bool)
	// Again lets positions be played once more. They stay answered.
	Again(positions []int)
	// Release gives a position back, because its answer did not arrive whole: it
	// may be played again, and is not answered unless it was before Again.
	Release(position int)
	// Doubt notes that a position was played out of its recorded order, until it
	// is played again.
	Doubt(position int)
	// Doubtful lists, in ascending order, the positions of Doubt, and those that
	// were given back, are not answered and have not been played since.
	Doubtful() []int
	// Answered reports whether some, and whether all, of a gate's interactions
	// have been answered. Of an empty gate, all and none have.
	Answered(gate matchers.Gate) (some, all bool)
	// Reach moves a sequence to a group unless it is further already, and
	// returns where it is then: -1 before the first. Reach(sequence, -1) only asks.
	Reach(sequence, group int) (reached int)
	// Rewind forgets everything.
	Rewind()
}

// NewCursors returns cursors kept in memory.
func NewCursors() Cursors { return &memoryCursors{} }

// What is known of a position.
const (
	played   uint8 = 1 << iota // and may not be played again
	answered                   // in this session
	repeated                   // was answered, and has been let play again
	doubtful                   // is in memoryCursors.doubtful
)

// memoryCursors takes a byte for each position up to the highest played one.
type memoryCursors struct {
	mu       sync.Mutex
	state    []uint8
	doubtful []int // in ascending order
	reached  map[int]int
}

func (c *memoryCursors) at(position int) uint8 {
	if position < len(c.state) {
		return c.state[position]
	}
	return 0
}

func (c *memoryCursors) Claimed(position int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(position)&played != 0
}

func (c *memoryCursors) Claim(positions []int) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range positions {
		if c.at(p)&played != 0 {
			continue
		}
		if p >= len(c.state) {
			c.state = append(c.state, make([]uint8, p+1-len(c.state))...)
		}
		if c.state[p]&doubtful != 0 {
			i, _ := slices.BinarySearch(c.doubtful, p)
			c.doubtful = slices.Delete(c.doubtful, i, i+1)
		}
		c.state[p] = c.state[p]&repeated | played | answered
		return p, true
	}
	return 0, false
}

func (c *memoryCursors) Again(positions []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range positions {
		if c.at(p)&played != 0 {
			c.state[p] = c.state[p]&^played | repeated
		}
	}
}

func (c *memoryCursors) Release(position int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.at(position)
	if s&played == 0 {
		return
	}
	c.state[position] &^= played
	if s&repeated == 0 {
		c.state[position] &^= answered
		c.doubt(position)
	}
}

func (c *memoryCursors) Doubt(position int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at(position)&played != 0 {
		c.doubt(position)
	}
}

func (c *memoryCursors) doubt(position int) {
	if c.state[position]&doubtful == 0 {
		c.state[position] |= doubtful
		i, _ := slices.BinarySearch(c.doubtful, position)
		c.doubtful = slices.Insert(c.doubtful, i, position)
	}
}

func (c *memoryCursors) Doubtful() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.doubtful)
}

func (c *memoryCursors) Answered(gate matchers.Gate) (some, all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all = true
	for _, list := range gate {
		if n := len(list); n > 0 && list[n-1] >= len(c.state) {
			all = false
		}
		for _, p := range list {
			if p >= len(c.state) {
				break // nothing as late as this has been played
			}
			if c.state[p]&answered != 0 {
				some = true
			} else {
				all = false
			}
			if some && !all {
				return some, all
			}
		}
	}
	return some, all
}

func (c *memoryCursors) Reach(sequence, group int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Kept one higher, so that 0 stands for a sequence that was never moved.
	if group+1 > c.reached[sequence] {
		if c.reached == nil {
			c.reached = make(map[int]int)
		}
		c.reached[sequence] = group + 1
	}
	return c.reached[sequence] - 1
}

func (c *memoryCursors) Rewind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.state)
	c.doubtful, c.reached = nil, nil
}
