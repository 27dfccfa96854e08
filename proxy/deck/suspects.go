package deck

import (
	"fmt"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// suspect looks for suspects among what was recorded in this run. Where the rules refuse
// them, the report says that the recording is not to be saved.
func (d *Deck) suspect(list []clean.Interaction) error {
	found, err := d.cleaner.Suspects(list)
	if err != nil {
		return err
	}
	stopped := ""
	if d.opt.Rules.RefusesUnknown() && len(found) > 0 {
		stopped = fmt.Sprintf("the cassette was not saved: %v; then run: tapedeck recover %s", &redact.UnknownError{Suspects: found}, d.opt.File)
	}
	d.report.change(func() {
		d.report.r.Suspects, d.report.stopped = found, stopped
	})
	return nil
}

// isStopped reports whether suspects stopped the last save.
func (r *report) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped != ""
}

// shownHosts are counts by host, without the secrets that rules find in hosts.
func (d *Deck) shownHosts(by map[string]int) map[string]int {
	out := make(map[string]int, len(by))
	for host, n := range by {
		out[d.sweepText(d.cleaner.Vault.Host(host))] += n
	}
	return out
}

// advisePersonal notes that the recorded requests hold placeholders for personal data
// while what the program sends keeps it: the two could never be the same.
func (d *Deck) advisePersonal(list []clean.Interaction) {
	if d.opt.Rules.ReplacesPersonal() {
		return
	}
	for _, in := range list {
		if r := in.Request(); redact.HoldsPersonal(r.RawURL()) || redact.HoldsPersonal(string(r.Body())) {
			d.report.note(fmt.Sprintf("cassette %s was recorded with personal data replaced (%s), and this run keeps it: such requests will not match; "+
				"set redact.pii: true in tapedeck.yaml, or pass --pii", d.opt.File, describe(r)))
			return
		}
	}
}

// keptText is one place that redact.keep exempts, and why.
func keptText(k redact.Keep) string {
	return fmt.Sprintf("%s (rule %s): %s", strings.TrimSpace(k.On+" "+k.At), k.Rule, k.Reason)
}
