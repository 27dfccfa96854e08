package deck

import (
	"maps"
	"slices"
)

// A SessionReport is what one session did with one cassette. Every text in it is
// clean.
type SessionReport struct {
	Session  string `json:"session"`
	Cassette string `json:"cassette"`
	Mode     Mode   `json:"mode"`
	Played   int    `json:"played"`
	Recorded int    `json:"recorded"`
	Misses   []Miss `json:"misses,omitempty"`
	// Unproven lists plays that rested on a guess, with the guess.
	Unproven []string `json:"unproven,omitempty"`
}

func (r *SessionReport) play(what, unproven string) {
	r.Played++
	if unproven != "" {
		r.Unproven = append(r.Unproven, what+": "+unproven)
	}
}

// share is the report of one session. The caller holds r.mu.
func (r *report) share(session string) *SessionReport {
	share := r.sessions[session]
	if share == nil {
		share = &SessionReport{Session: session}
		r.sessions[session] = share
	}
	return share
}

// SessionReport says what a session has done since it began or was forgotten. A
// session that has sent nothing has done nothing.
func (d *Deck) SessionReport(session string) SessionReport {
	d.report.mu.Lock()
	defer d.report.mu.Unlock()
	out := SessionReport{Session: session}
	if share := d.report.sessions[session]; share != nil {
		out = *share
	}
	out.Cassette, out.Mode = d.opt.File, d.mode
	out.Unproven = d.sweepTexts(out.Unproven)
	out.Misses = d.sweepMisses(out.Misses)
	return out
}

// sessionReports lists the sessions that have called, by name.
func (d *Deck) sessionReports() []SessionReport {
	d.report.mu.Lock()
	names := slices.Sorted(maps.Keys(d.report.sessions))
	d.report.mu.Unlock()
	list := make([]SessionReport, 0, len(names))
	for _, name := range names {
		list = append(list, d.SessionReport(name))
	}
	return list
}

// sweepMisses returns a copy of misses without what has been learned since.
func (d *Deck) sweepMisses(list []Miss) []Miss {
	list = slices.Clone(list)
	for i := range list {
		m := &list[i]
		m.Request, m.Reason, m.Nearest, m.Text = d.sweepText(m.Request), d.sweepText(m.Reason), d.sweepText(m.Nearest), d.sweepText(m.Text)
	}
	return list
}

// Forget ends a session: what it has played and reported is gone, as if it had
// never called. What it recorded stays.
func (d *Deck) Forget(session string) {
	d.mu.Lock()
	delete(d.sessions, session)
	d.mu.Unlock()
	d.report.change(func() { delete(d.report.sessions, session) })
}
