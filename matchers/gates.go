package matchers

import (
	"slices"
	"sort"
)

// A Gate is the unsafe interactions that must have been answered before the
// answer behind it may play: lists of positions, each in ascending order. A
// position may stand in several lists. The lists are shared; callers must not
// change them.
type Gate [][]int

// Positions lists what is in the gate, each position once, in ascending order.
func (g Gate) Positions() []int {
	var out []int
	for _, list := range g {
		out = append(out, list...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// has reports whether a position is in the gate.
func (g Gate) has(position int) bool {
	return slices.ContainsFunc(g, func(list []int) bool {
		_, found := slices.BinarySearch(list, position)
		return found
	})
}

// A Group is recorded answers between which nothing was changed that they show.
type Group struct {
	// Gate is what was changed before the group's first answer. Only the first
	// group of a sequence can have an empty one.
	Gate Gate
	// Guessed says that nothing in the gate is known to be related.
	Guessed   bool
	Positions []int // in recorded order, never empty
}

// A Sequence is the safe interactions that one caller recorded under one key, in
// groups. It is immutable.
type Sequence struct {
	ID     int // its number in the index, from 0
	Groups []Group
	// related are the lists of all unsafe interactions that have to do with the key.
	related [][]int
}

// Later is what changed after a group's last recorded answer, as far as it is
// known to be related: once any of it has been answered, the group's answers are
// of the past.
func (s *Sequence) Later(group int) Gate {
	positions := s.Groups[group].Positions
	last := positions[len(positions)-1]
	var out Gate
	for _, list := range s.related {
		if from := sort.SearchInts(list, last+1); from < len(list) {
			out = append(out, list[from:])
		}
	}
	return out
}

// Depends reports whether the unsafe interaction at a position is related or
// stands in a gate of the sequence.
func (s *Sequence) Depends(position int) bool {
	return s.Related(position) || slices.ContainsFunc(s.Groups, func(g Group) bool { return g.Gate.has(position) })
}

// Related reports whether the unsafe interaction at a position has to do with
// what the sequence answers.
func (s *Sequence) Related(position int) bool { return Gate(s.related).has(position) }

// Superseding is the unsafe interactions that were recorded after one, at the same
// path: answered in another order, they leave another state. What makes one more
// thing in a collection is not among them.
func (ix *Index) Superseding(position int) Gate {
	if position >= len(ix.superseding) || len(ix.superseding[position]) == 0 {
		return nil
	}
	return Gate{ix.superseding[position]}
}

// Sequence returns the sequence to which a safe interaction belongs, nil for an
// unsafe one and for one that was added after the index was made.
func (ix *Index) Sequence(position int) *Sequence {
	if position >= len(ix.sequenceOf) || ix.sequenceOf[position] < 0 {
		return nil
	}
	return &ix.sequences[ix.sequenceOf[position]]
}

// Sequences is the number of sequences in the index.
func (ix *Index) Sequences() int { return len(ix.sequences) }

// sequenceKey tells sequences apart: the key, and who asked. A credential that is
// named after an environment variable is one however often its value was changed.
type sequenceKey struct {
	key    Key
	caller string
}

// sequence parts the safe interactions into sequences and groups. It reads every
// answer once, in time linear in what is recorded but for the sorting of bounds.
func (ix *Index) sequence() {
	ix.sequenceOf = make([]int, len(ix.entries))
	numbers := map[sequenceKey]int{}
	callers := make([]string, len(ix.tuples.list))
	for i, secrets := range ix.tuples.list {
		callers[i] = callerOf(secrets)
	}
	var positions [][]int // by sequence
	var unsafe []int
	for at := range ix.entries {
		e := &ix.entries[at]
		ix.sequenceOf[at] = -1
		if !e.reading.Safe {
			unsafe = append(unsafe, at)
			continue
		}
		key := sequenceKey{e.reading.Key, callers[e.tuple]}
		number, known := numbers[key]
		if !known {
			number = len(positions)
			numbers[key] = number
			positions = append(positions, nil)
		}
		positions[number] = append(positions[number], at)
		ix.sequenceOf[at] = number
	}
	ix.sequences = make([]Sequence, len(positions))
	var effects *effects
	if len(unsafe) > 0 && len(positions) > 0 {
		effects = ix.effects(unsafe, positions)
	}
	for number, list := range positions {
		s := &ix.sequences[number]
		s.ID = number
		if effects != nil {
			s.related = effects.on(list)
		}
		s.group(list, unsafe)
	}
}

func callerOf(secrets []Secret) string {
	var b []byte
	for _, s := range secrets {
		who := "id " + s.ID
		if s.Env != "" {
			who = "env " + s.Env
		}
		b = appendText(appendText(b, string(s.Place)), who)
	}
	return string(b)
}

// group cuts the recorded positions where a gate stands between two of them.
func (s *Sequence) group(positions, unsafe []int) {
	gates := make([]Gate, len(positions))
	for _, list := range s.related {
		cut(list, positions, func(gap int, part []int) { gates[gap] = append(gates[gap], part) })
	}
	// Where nothing related came in between and something did, it may have been any of it.
	guessed := make([]bool, len(positions))
	cut(unsafe, positions, func(gap int, part []int) {
		if len(gates[gap]) == 0 {
			gates[gap], guessed[gap] = Gate{part}, true
		}
	})
	start := 0
	for i := 1; i <= len(positions); i++ {
		if i < len(positions) && len(gates[i]) == 0 {
			continue
		}
		s.Groups = append(s.Groups, Group{gates[start], guessed[start], positions[start:i:i]})
		start = i
	}
}

// cut hands out the parts of a list that lie before the first position, between
// two, and not behind the last. Only parts that hold something are visited, so
// that neither a long list nor many positions alone cost much.
func cut(list, positions []int, each func(gap int, part []int)) {
	for len(list) > 0 {
		gap := sort.SearchInts(positions, list[0])
		if gap == len(positions) {
			return
		}
		end := sort.SearchInts(list, positions[gap])
		each(gap, list[:end:end])
		list = list[end:]
	}
}
