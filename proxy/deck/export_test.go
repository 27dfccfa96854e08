package deck

import (
	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// Abandon leaves the deck as a killed process would: the journal stays, the
// lock is released, nothing is saved.
func (d *Deck) Abandon() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	return d.tape.Close()
}

// Arrange arranges a recording as a previous file was.
func Arrange(m *matchers.Matcher, list []clean.Interaction, before map[int]int, same func(clean.Interaction) bool) []clean.Interaction {
	return ordering{matcher: m, list: list, before: before, same: same}.arrange()
}

// SameAnswer is sameAnswer, for tests.
var SameAnswer = sameAnswer
