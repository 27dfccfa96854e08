package deck

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
)

// An Outcome is how the run ended that a cassette was recorded for.
type Outcome struct {
	// Failed says why the run is not to be trusted as whole, such as "the
	// command ended with exit code 1"; "" when it is.
	Failed string
}

// Save writes what has been recorded so far and goes on. It does nothing when
// nothing was recorded.
func (d *Deck) Save() error {
	return d.save(Outcome{Failed: "the recorder was still running when this was saved"}, false)
}

// Close waits for the answers under way, saves and releases the cassette.
func (d *Deck) Close(o Outcome) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.mu.Unlock()
	if d.opt.Rerecord != nil && !d.matched.Load() {
		d.report.note("no request of this run was one that is to be recorded again; check method, host and path of the pattern")
	}
	if d.tape == nil {
		return nil
	}
	d.wait()
	return errors.Join(d.save(o, true), d.tape.Close())
}

// patience is how long Close waits for answers that are still being read. What is
// not whole by then is not in the recording.
const patience = 5 * time.Second

func (d *Deck) wait() {
	done := make(chan struct{})
	go func() {
		d.active.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		d.report.drop("an answer was still under way when the recording ended; it is not recorded")
	}
}

// save writes the cassette. Only the last save gives placeholders their final
// numbers: what is appended after an earlier one still carries those of this run.
func (d *Deck) save(o Outcome, last bool) error {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	if !d.Recording() {
		return nil
	}
	d.sweeping.stop()
	err := d.saveRecorded(o, last)
	if d.saved {
		return err
	}
	// The journal stays.
	if last {
		d.sweep()
	} else {
		d.sweeping.later(d)
	}
	return err
}

// saveRecorded writes the cassette, if anything was recorded since that was last done.
func (d *Deck) saveRecorded(o Outcome, last bool) error {
	if len(d.recorded)+d.sweeping.withdrawn == 0 || d.saved && d.savedAs == o {
		return nil
	}
	list, err := d.finalList(last)
	if err != nil {
		return fmt.Errorf("cassette %s: %w; what was recorded stays in its journal", d.opt.File, err)
	}
	if err := d.suspect(list); err != nil || d.report.isStopped() {
		return err // the journal keeps what was recorded
	}
	unfinished := d.unfinished(o)
	if err := d.tape.Save(list, cassettes.State{Unfinished: unfinished}); err != nil {
		return err
	}
	if last && unfinished != "" {
		d.report.note(fmt.Sprintf("saved as unfinished (%s): mode record-once records it again", unfinished))
	}
	d.saved, d.savedAs = true, o
	return nil
}

// unfinished says why the recording should be made again, or "".
func (d *Deck) unfinished(o Outcome) string {
	var why []string
	if o.Failed != "" {
		why = append(why, o.Failed)
	}
	if hosts := d.report.onlyBad(); len(hosts) > 0 {
		why = append(why, fmt.Sprintf("%s answered only with 401, 403, 429 or 5xx", strings.Join(hosts, ", ")))
	}
	d.report.mu.Lock()
	refused, missing := len(d.report.r.Refused), len(d.report.failing)
	d.report.mu.Unlock()
	if refused > 0 {
		why = append(why, fmt.Sprintf("%d could not be recorded", refused))
	}
	if missing > 0 {
		why = append(why, fmt.Sprintf("%d got no answer from upstream", missing))
	}
	if before := d.tape.State().Unfinished; d.purpose == cassettes.ToExtend && before != "" && !slices.Contains(why, before) {
		why = append(why, before) // what was missing then has not been recorded by adding to it
	}
	return strings.Join(why, "; ")
}

// finalList is what the file will hold: in canonical order, swept of all that
// was learned, with the ids and placeholders of the previous file.
func (d *Deck) finalList(last bool) ([]clean.Interaction, error) {
	fresh := slices.Clone(d.recorded)
	slices.SortStableFunc(fresh, func(a, b clean.Interaction) int {
		return cmp.Compare(a.Begin, b.Begin)
	})
	if d.opt.DropRetried {
		fresh = d.dropRetried(fresh, last)
	}
	previous, refused := d.sweepAll(d.tape.Interactions())
	if len(refused) > 0 && d.purpose != cassettes.ToReplace {
		// Leaving these out would lose what the file holds already.
		return nil, errors.New(refused[0] + "; remove that interaction by hand, or add a redact rule for it")
	}
	var kept []clean.Interaction
	if d.purpose != cassettes.ToReplace {
		for _, in := range previous {
			if d.opt.Rerecord == nil || !d.opt.Rerecord(in.Request()) {
				kept = append(kept, in)
			}
		}
	}
	fresh, refused = d.sweepAll(fresh)
	if last {
		for _, text := range refused {
			d.report.refuse(text)
		}
	}
	var overruled []string
	list, err := reconcile{
		matcher: d.opt.Matcher, previous: previous, kept: kept, fresh: fresh,
		partial: d.purpose != cassettes.ToReplace, renumber: last, young: d.young(),
		anew: d.opt.Carry == "off", note: d.notCarried,
		overruled: func(pinned, recorded clean.Interaction) {
			if !answersAlike(pinned, recorded) {
				overruled = append(overruled, NameOf(pinned))
			}
		},
	}.list()
	if last && len(overruled) > 0 {
		d.report.note("pinned, and kept although the API answered otherwise: " + strings.Join(overruled, "; "))
	}
	return list, err
}

// notCarried says that the file has all new values, and what to do.
func (d *Deck) notCarried(doubt string) {
	d.report.note(fmt.Sprintf("cassette %s: ids and times of the previous recording were not carried over, so all new values are written: %s; "+
		"review them once, or set carry: off in tapedeck.yaml to have it so always", d.opt.File, doubt))
}

// sweepAll replaces in each interaction what was learned after it was built. One
// in which a secret stands that cannot be replaced is left out and named.
func (d *Deck) sweepAll(list []clean.Interaction) (out []clean.Interaction, refused []string) {
	for _, in := range list {
		swept, err := d.cleaner.Sweep(in)
		if err == nil {
			err = d.cleaner.Check(swept)
		}
		if err != nil {
			refused = append(refused, leftOut(in, err))
			continue
		}
		out = append(out, swept)
	}
	return out, refused
}

// dropRetried leaves out failed answers that an equal request later got a good one for.
func (d *Deck) dropRetried(list []clean.Interaction, tell bool) []clean.Interaction {
	good := make(map[[32]byte]bool)
	out := make([]clean.Interaction, 0, len(list))
	for _, in := range slices.Backward(list) {
		key := [32]byte(d.opt.Matcher.Read(in.Request(), nil).Key)
		resp, err := in.Response()
		if err == nil && troubled(resp.Status()) && good[key] {
			if tell {
				d.report.forget(fmt.Sprintf("%s → %d", describe(in.Request()), resp.Status()))
				d.report.drop(fmt.Sprintf("%s: the %d that a retry made good is left out", describe(in.Request()), resp.Status()))
			}
			continue
		}
		if err == nil && !troubled(resp.Status()) {
			good[key] = true
		}
		out = append(out, in)
	}
	slices.Reverse(out)
	return out
}
