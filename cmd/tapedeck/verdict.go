package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tapedeck/proxy/deck"
)

// A faultKind is a kind of reason for which a run fails although its command
// ended with 0.
type faultKind string

const (
	faultMiss       faultKind = "miss"
	faultIncomplete faultKind = "incomplete"
	faultUnused     faultKind = "unused"
	faultExpired    faultKind = "expired"
)

// faultKinds are all kinds, the one whose exit code wins first. A missed request
// means that the command did not test what it says, whatever else there was. What
// could not be recorded comes next: such a cassette is not to be committed, while
// one with recordings that are unused or old still plays.
var faultKinds = []struct {
	kind  faultKind
	code  int
	title string
	// why is what the last line of a run says of it.
	why string
}{
	{faultMiss, exitMiss, "tapedeck: not recorded", "a request was not in a cassette"},
	{faultIncomplete, exitIncomplete, "tapedeck: recording incomplete", "something could not be recorded"},
	{faultUnused, exitStale, "tapedeck: never used", "a recording was never used (--strict)"},
	{faultExpired, exitStale, "tapedeck: too old", "a recording is older than max_age (--fail-expired)"},
}

func (k faultKind) title() string {
	for _, known := range faultKinds {
		if known.kind == k {
			return known.title
		}
	}
	return "tapedeck"
}

// A fault is one reason for which a run fails. Every text in it is clean.
type fault struct {
	Kind faultKind `json:"kind"`
	// Cassette is the file that it is about, "" when a request came to none.
	Cassette string `json:"cassette,omitempty"`
	// Subject is the request or the recording, in a few words.
	Subject string `json:"subject"`
	// Reason is one line.
	Reason string `json:"reason"`
	// Times is how often the same happened.
	Times int `json:"times"`
	// text is the whole explanation, of one or more lines.
	text string
}

// verdict is the exit code that faults ask for, 0 when there are none.
func verdict(faults []fault) int {
	for _, known := range faultKinds {
		for _, f := range faults {
			if f.Kind == known.kind {
				return known.code
			}
		}
	}
	return 0
}

// because says what made the exit code of a run, "" when its command or nothing did.
func (r runReport) because() string {
	if r.ExitCode == 0 || r.ExitCode != verdict(r.Faults) {
		return ""
	}
	var why []string
	for _, known := range faultKinds {
		if slices.ContainsFunc(r.Faults, func(f fault) bool { return f.Kind == known.kind }) {
			why = append(why, known.why)
		}
	}
	return fmt.Sprintf("exit code %d: %s", r.ExitCode, strings.Join(why, "; "))
}

// A strictness says what else fails a run than misses and incomplete recordings.
type strictness struct {
	// failExpired makes a recording that is older than max_age a fault.
	failExpired bool
	// partly says that the command did not run to its end: what it did not use
	// says nothing then.
	partly bool
}

// faults are the reasons for which a run fails, by cassette, equal ones once.
func (r runReport) faults(how strictness) []fault {
	var list []fault
	for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
		kind := faultMiss
		if isTooLarge(reason) && r.Mode != deck.ReplayOnly {
			kind = faultIncomplete
		}
		list = append(list, fault{Kind: kind, Subject: "a request that came to no cassette", Reason: reason, Times: r.Refused[reason], text: reason})
	}
	for _, c := range r.Cassettes {
		list = append(list, cassetteFaults(c, how)...)
	}
	return list
}

// isTooLarge reports whether a request was refused for its size before it came to
// a deck.
func isTooLarge(reason string) bool {
	return strings.HasPrefix(reason, strconv.Itoa(http.StatusRequestEntityTooLarge)+" ")
}

func cassetteFaults(c deck.Report, how strictness) []fault {
	var list []fault
	add := func(kind faultKind, subject, reason, text string) {
		for i := range list {
			if f := &list[i]; f.Kind == kind && f.Subject == subject && f.text == text {
				f.Times++
				return
			}
		}
		list = append(list, fault{kind, c.Cassette, subject, reason, 1, text})
	}
	for _, m := range c.Misses {
		add(faultMiss, m.Request, m.Reason, m.Text)
	}
	for _, text := range c.Refused {
		subject, reason, ok := strings.Cut(text, ": ")
		if !ok {
			reason = text
		}
		add(faultIncomplete, subject, reason, text)
	}
	if c.Missing > 0 && c.Mode != deck.Passthrough {
		reason := fmt.Sprintf("%d got no answer from upstream", c.Missing)
		add(faultIncomplete, "requests without an answer", reason, strings.Join(append([]string{reason + ":"}, c.Failed...), "\n"))
	}
	if c.Strict && !how.partly {
		for _, text := range c.Unused {
			add(faultUnused, text, "it was never used, which --strict forbids; record again, or leave --strict out", text+" was never used")
		}
	}
	if c.Expired && how.failExpired {
		add(faultExpired, "recordings past max_age", "recordings are older than max_age, which --fail-expired forbids; record again", expiredText(c))
	}
	return list
}

// expiredText is the note that says which recordings are too old and how to record again.
func expiredText(c deck.Report) string {
	for _, note := range c.Notes {
		if strings.Contains(note, "max_age") {
			return note
		}
	}
	return "recordings are older than max_age"
}
