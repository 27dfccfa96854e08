package deck

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// sweepEvery is how long, at the most and in a recording of usual length, a value
// that was just learned may stand in the journal where it was seen before.
const sweepEvery = time.Second

// A sweeper looks, soon after a secret was learned, for earlier recordings in
// which it stands, amends them in the journal, and has that written anew: what a
// killed recorder leaves is then clean too, to its last byte. Its fields belong to
// Deck.keeping, but for noticed.
type sweeper struct {
	timer   *time.Timer
	noticed atomic.Int64 // Vault.Learned() when later was last called
	learned int          // Vault.Learned() when the recordings were last searched; -1 if not all were
	owed    bool         // the journal is to be written anew even if nothing is learned
	pause   time.Duration
	last    time.Time // when that was
	running bool
	round   int // counts the saves, which sweep by themselves
	// withdrawn counts the recordings that are in the journal no more.
	withdrawn int
}

// later sees to it that the recordings are searched if anything has been learned.
func (s *sweeper) later(d *Deck) {
	learned := d.cleaner.Vault.Learned()
	s.noticed.Store(int64(learned))
	if s.timer != nil || s.running || learned == s.learned && !s.owed {
		return
	}
	s.timer = time.AfterFunc(time.Until(s.last.Add(max(sweepEvery, s.pause))), d.sweepRecorded)
}

// sweepSoon is later for what was learned from traffic that may never be recorded: it
// was played, refused or broken off, or has not ended yet.
func (d *Deck) sweepSoon() {
	if !d.Recording() || int64(d.cleaner.Vault.Learned()) == d.sweeping.noticed.Load() {
		return
	}
	d.keeping.Lock()
	defer d.keeping.Unlock()
	d.sweeping.later(d)
}

func (s *sweeper) stop() {
	s.round++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// sweepRecorded is the sweep that later has promised.
func (d *Deck) sweepRecorded() {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	if d.sweeping.timer == nil {
		return // stopped by a save, which sweeps by itself
	}
	d.sweeping.timer = nil
	d.sweep()
	d.sweeping.later(d)
}

// sweep amends the recordings in which a learned value stands and has the journal
// written anew. d.keeping is held, and let go in between: recording goes on
// meanwhile, since a large body and a long journal take their time.
//
// What a full disk hinders is tried again at the next sweep.
func (d *Deck) sweep() {
	s := &d.sweeping
	s.running = true
	round, start, learned := s.round, time.Now(), d.cleaner.Vault.Learned()
	search := learned != s.learned
	if search {
		s.learned = learned
		if !d.sweepOwn(round) {
			s.learned = -1
		}
	}
	d.keeping.Unlock()
	var left error
	if search {
		left = d.tape.SweepUnsaved()
	}
	err := d.tape.Rewrite()
	d.keeping.Lock()
	if left != nil {
		s.learned = -1
	}
	s.owed = err != nil
	// Searching a long recording takes long: leave most of the time to recording.
	s.running = false
	s.last = time.Now()
	s.pause = 10 * time.Since(start)
}

// sweepOwn sweeps what this run has recorded, and reports whether it is done with all of it.
func (d *Deck) sweepOwn(round int) (done bool) {
	done = true
	for i := 0; i < len(d.recorded); i++ {
		in := d.recorded[i]
		d.keeping.Unlock()
		swept, needed, err := d.swept(in)
		d.keeping.Lock()
		if d.sweeping.round != round {
			return false
		}
		if !needed {
			continue
		}
		if err == nil {
			err = d.tape.Amend(swept)
		}
		refusal := (*redact.Refusal)(nil)
		switch {
		case err == nil:
			d.recorded[i] = swept
		case errors.As(err, &refusal):
			// The value cannot be replaced there, so no file would hold the
			// interaction in the end: the journal must not hold it either.
			d.tape.Withdraw(in)
			d.recorded = slices.Delete(d.recorded, i, i+1)
			i--
			d.sweeping.withdrawn++
			d.report.refuse(leftOut(in, err))
		default:
			done = false
		}
	}
	return done
}

// swept is an interaction without what was learned since it was built; needed says
// whether anything had to be replaced.
func (d *Deck) swept(in clean.Interaction) (out clean.Interaction, needed bool, err error) {
	if d.cleaner.Check(in) == nil {
		return in, false, nil
	}
	out, err = d.cleaner.Sweep(in)
	if err == nil {
		err = d.cleaner.Check(out)
	}
	return out, true, err
}

// leftOut says that an interaction cannot be kept.
func leftOut(in clean.Interaction, err error) string {
	return fmt.Sprintf("%s: left out of the saved cassette: %s", describe(in.Request()), err)
}
