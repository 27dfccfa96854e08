package diff

import "sync"

// A slab gives out memory that is taken back all at once. What was taken from it must not
// be used after release.
type slab[T any] struct {
	blocks [][]T
	full   int // blocks before the one that is given out now
	free   []T // what is left of that
}

const (
	// blockSize is how many values a block holds, but for those of longer lists.
	blockSize = 256
	// mostBlocks bounds what a slab keeps for the next body. Few are longer.
	mostBlocks = 64
)

// take gives out n zero values.
func (s *slab[T]) take(n int) []T {
	if n > blockSize/4 {
		return make([]T, n)
	}
	if len(s.free) < n {
		if s.full == len(s.blocks) {
			s.blocks = append(s.blocks, make([]T, blockSize))
		}
		s.free = s.blocks[s.full]
		s.full++
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

func (s *slab[T]) release() {
	s.blocks = s.blocks[:min(len(s.blocks), mostBlocks)]
	for _, b := range s.blocks[:min(s.full, len(s.blocks))] {
		clear(b)
	}
	s.full, s.free = 0, nil
}

// An arena holds the trees of the two bodies that are compared, which are not needed
// afterwards: their nodes would else be most of what a comparison allocates.
type arena struct {
	nodes slab[node]
	kids  slab[kid]
}

var arenas = sync.Pool{New: func() any { return new(arena) }}

func (a *arena) release() {
	a.nodes.release()
	a.kids.release()
	arenas.Put(a)
}

// twigSlabs are for the twigs of a body that is read for its trace alone.
var twigSlabs = sync.Pool{New: func() any { return new(slab[twig]) }}
