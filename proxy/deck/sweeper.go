package deck

import "time"

// sweepEvery is how long, at the most and in a recording of usual length, a value
// that was just learned may stand in the journal where it was seen before.
const sweepEvery = time.Second

// A sweeper looks, soon after a secret was learned, for earlier recordings in
// which it stands, and amends them in the journal: what a killed recorder leaves
// is then clean too. Its fields belong to Deck.keeping.
type sweeper struct {
	timer   *time.Timer
	learned int // Vault.Learned() when the recordings were last searched
	pause   time.Duration
	last    time.Time // when that was
}

// later sees to it that the recordings are searched if anything has been learned.
func (s *sweeper) later(d *Deck) {
	if s.timer != nil || d.cleaner.Vault.Learned() == s.learned {
		return
	}
	s.timer = time.AfterFunc(time.Until(s.last.Add(max(sweepEvery, s.pause))), d.sweepRecorded)
}

func (s *sweeper) stop() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// sweepRecorded amends the recordings in which a learned value stands. One that
// cannot be amended is reported when the cassette is saved.
func (d *Deck) sweepRecorded() {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	if d.sweeping.timer == nil {
		return // stopped by a save, which sweeps by itself
	}
	d.sweeping.timer = nil
	d.sweeping.learned = d.cleaner.Vault.Learned()
	start := time.Now()
	for i, in := range d.recorded {
		if d.cleaner.Check(in) == nil {
			continue
		}
		swept, err := d.cleaner.Sweep(in)
		if err != nil || d.tape.Amend(swept) != nil {
			continue
		}
		d.recorded[i] = swept
	}
	// Searching a long recording takes long: leave most of the time to recording.
	d.sweeping.last = time.Now()
	d.sweeping.pause = 10 * time.Since(start)
}
