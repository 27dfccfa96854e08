package deck

import (
	"fmt"
	"slices"
	"sync"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// A Report is what one deck did, as data. Every text in it is clean.
type Report struct {
	Cassette string `json:"cassette"`
	Mode     Mode   `json:"mode"`
	Played   int    `json:"played"`
	Recorded int    `json:"recorded"`
	// Forwarded counts requests passed on without recording, by host.
	Forwarded map[string]int `json:"forwarded,omitempty"`
	// Ignored counts requests to hosts that the configuration ignores.
	Ignored map[string]int `json:"ignored,omitempty"`
	Misses  []Miss         `json:"misses,omitempty"`
	// Unproven lists plays that rested on a guess, with the guess.
	Unproven []string `json:"unproven,omitempty"`
	// Unused lists recordings that were never played.
	Unused []string `json:"unused,omitempty"`
	// IgnoredFacts counts the facts that rules took out of keys.
	IgnoredFacts int `json:"ignored_facts,omitempty"`
	// Weak lists where secrets were replaced while recording that are too short or
	// wordy to be searched for elsewhere, with the rule that named them.
	Weak []string `json:"weak,omitempty"`
	// Suspects lists values in what was recorded that look random and stand under
	// names that no rule knows.
	Suspects []redact.Suspect `json:"suspects,omitempty"`
	// Kept lists the places that redact.keep exempts and where it did so.
	Kept []string `json:"kept,omitempty"`
	// Refused lists what was served and could not be kept: the recording is incomplete.
	Refused []string `json:"refused,omitempty"`
	// Dropped lists answers that were cut short.
	Dropped []string `json:"dropped,omitempty"`
	// Failed lists requests that the upstream did not answer.
	Failed []string `json:"failed,omitempty"`
	// Missing counts the failed requests that were not recorded later in the run.
	Missing int `json:"missing,omitempty"`
	// Statuses lists recorded answers that look like trouble (401, 403, 429, 5xx).
	Statuses []string `json:"statuses,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Expired says that a recording is older than max_age.
	Expired bool `json:"expired,omitempty"`
	// Strict says that unused recordings fail the run.
	Strict bool     `json:"strict,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// Requests counts all that came to the deck.
func (r Report) Requests() int {
	n := r.Played + r.Recorded + len(r.Misses) + len(r.Refused) + len(r.Dropped) + len(r.Failed)
	for _, by := range []map[string]int{r.Forwarded, r.Ignored} {
		for _, count := range by {
			n += count
		}
	}
	return n
}

// report collects a Report.
type report struct {
	mu     sync.Mutex
	r      Report
	played map[int]bool
	// good and bad count the answers of each host: a host that gave only bad ones
	// leaves the recording unfinished.
	good, bad map[string]int
	warned    map[string]bool
	// failing holds the requests that failed and have not been recorded since.
	failing map[string]bool
	// stopped says why the last save was not made, or "".
	stopped string
	// sessions are the shares of those who called.
	sessions map[string]*SessionReport
}

func (r *report) init() {
	r.r.Forwarded, r.r.Ignored = make(map[string]int), make(map[string]int)
	r.good, r.bad = make(map[string]int), make(map[string]int)
	r.played, r.warned = make(map[int]bool), make(map[string]bool)
	r.failing = make(map[string]bool)
	r.sessions = make(map[string]*SessionReport)
}

func (r *report) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *report) play(session string, position int, what, unproven string, ignored int) {
	r.change(func() {
		r.r.Played++
		r.r.IgnoredFacts += ignored
		r.played[position] = true
		if unproven != "" {
			r.r.Unproven = append(r.r.Unproven, what+": "+unproven)
		}
		r.share(session).play(what, unproven)
	})
}

func (r *report) record(session, host, what string, status, ignored int) {
	r.change(func() {
		r.r.Recorded++
		r.share(session).Recorded++
		delete(r.failing, what)
		r.r.IgnoredFacts += ignored
		if troubled(status) {
			r.bad[host]++
			r.r.Statuses = append(r.r.Statuses, fmt.Sprintf("%s → %d", what, status))
		} else {
			r.good[host]++
		}
	})
}

// forget takes one status line back: its recording has been left out.
func (r *report) forget(line string) {
	r.change(func() {
		if i := slices.Index(r.r.Statuses, line); i >= 0 {
			r.r.Statuses = slices.Delete(r.r.Statuses, i, i+1)
			r.r.Recorded--
		}
	})
}

// troubled reports a status that says more of the moment than of the API.
func troubled(status int) bool {
	return status == 401 || status == 403 || status == 429 || status >= 500
}

func (r *report) forward(host string) { r.change(func() { r.r.Forwarded[host]++ }) }
func (r *report) ignore(host string)  { r.change(func() { r.r.Ignored[host]++ }) }
func (r *report) miss(session string, m Miss) {
	r.change(func() {
		r.r.Misses = append(r.r.Misses, m)
		share := r.share(session)
		share.Misses = append(share.Misses, m)
	})
}
func (r *report) refuse(text string) { r.change(func() { r.r.Refused = append(r.r.Refused, text) }) }
func (r *report) drop(text string)   { r.change(func() { r.r.Dropped = append(r.r.Dropped, text) }) }
func (r *report) fail(what, reason string) {
	r.change(func() {
		r.r.Failed = append(r.r.Failed, what+": "+reason)
		r.failing[what] = true
	})
}

func (r *report) note(text string) { r.change(func() { r.r.Notes = append(r.r.Notes, text) }) }
func (r *report) expired(text string) {
	r.change(func() {
		r.r.Expired = true
		r.r.Notes = append(r.r.Notes, text)
	})
}
func (r *report) warn(what string, list []string) {
	r.change(func() {
		for _, w := range list {
			w = what + ": " + w
			if !r.warned[w] {
				r.warned[w] = true
				r.r.Warnings = append(r.r.Warnings, w)
			}
		}
	})
}

// onlyBad names the hosts that gave nothing but troubled answers.
func (r *report) onlyBad() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var hosts []string
	for host := range r.bad {
		if r.good[host] == 0 {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Report says what has happened so far.
func (d *Deck) Report() Report {
	d.report.mu.Lock()
	defer d.report.mu.Unlock()
	out := d.report.r
	out.Cassette, out.Mode, out.Strict = d.opt.File, d.mode, d.opt.Strict
	out.Missing = len(d.report.failing)
	if d.report.stopped != "" {
		out.Refused = append(slices.Clone(out.Refused), d.report.stopped)
	}
	out.Forwarded, out.Ignored = d.shownHosts(out.Forwarded), d.shownHosts(out.Ignored)
	for _, list := range []*[]string{&out.Unproven, &out.Refused, &out.Dropped, &out.Failed, &out.Statuses, &out.Warnings, &out.Notes} {
		*list = d.sweepTexts(*list)
	}
	out.Misses = d.sweepMisses(out.Misses)
	if d.Recording() {
		for _, w := range d.cleaner.Vault.Weak() {
			out.Weak = append(out.Weak, d.sweepText(fmt.Sprintf("%s (rule %s)", w.Place, w.Rule)))
		}
		for _, k := range d.cleaner.Vault.Kept() {
			out.Kept = append(out.Kept, d.sweepText(keptText(k)))
		}
	}
	for i := range d.index.Len() {
		if !d.report.played[i] {
			in, _ := d.index.At(i)
			out.Unused = append(out.Unused, NameOf(in))
		}
	}
	return out
}

// NameOf is how a Report calls a recording of its cassette.
func NameOf(in clean.Interaction) string {
	return fmt.Sprintf("interaction %d, %s", in.ID, describe(in.Request()))
}

// sweepText replaces in a line what has been learned since it was written.
func (d *Deck) sweepText(text string) string { return d.cleaner.Vault.Text(text) }

func (d *Deck) sweepTexts(list []string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = d.sweepText(text)
	}
	return out
}
