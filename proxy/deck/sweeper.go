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
	running bool
	round   int // counts the saves, which sweep by themselves
}

// later sees to it that the recordings are searched if anything has been learned.
func (s *sweeper) later(d *Deck) {
	if s.timer != nil || s.running || d.cleaner.Vault.Learned() == s.learned {
		return
	}
	s.timer = time.AfterFunc(time.Until(s.last.Add(max(sweepEvery, s.pause))), d.sweepRecorded)
}

func (s *sweeper) stop() {
	s.round++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// sweepRecorded amends the recordings in which a learned value stands. One that
// cannot be amended is reported when the cassette is saved. Recording goes on
// meanwhile: a large body takes its time.
func (d *Deck) sweepRecorded() {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	if d.sweeping.timer == nil {
		return // stopped by a save, which sweeps by itself
	}
	d.sweeping.timer = nil
	d.sweeping.running = true
	d.sweeping.learned = d.cleaner.Vault.Learned()
	round, start := d.sweeping.round, time.Now()
	for i := 0; i < len(d.recorded) && d.sweeping.round == round; i++ {
		in := d.recorded[i]
		d.keeping.Unlock()
		var err error
		swept, needed := in, d.cleaner.Check(in) != nil
		if needed {
			swept, err = d.cleaner.Sweep(in)
		}
		d.keeping.Lock()
		if needed && err == nil && d.sweeping.round == round && d.tape.Amend(swept) == nil {
			d.recorded[i] = swept
		}
	}
	// Searching a long recording takes long: leave most of the time to recording.
	d.sweeping.running = false
	d.sweeping.last = time.Now()
	d.sweeping.pause = 10 * time.Since(start)
	d.sweeping.later(d)
}
