package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"tapedeck/cassettes/redact"
	"tapedeck/proxy/deck"
)

// maxListed is how many lines of one kind the summary prints before it counts the rest.
const maxListed = 10

// maxSuspects is how many suspects it prints: each takes two lines.
const maxSuspects = 3

// A runReport is what --report writes.
type runReport struct {
	Mode     deck.Mode `json:"mode"`
	ExitCode int       `json:"exit_code"`
	// Started is when the run began, in UTC, and Seconds how long it took.
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	// Faults are the reasons for which the run fails, or would if its command had
	// not failed by itself.
	Faults    []fault        `json:"faults,omitempty"`
	Cassettes []deck.Report  `json:"cassettes"`
	Direct    map[string]int `json:"passthrough,omitempty"`
	// Refused counts the requests that came to no cassette, by the reason.
	Refused map[string]int `json:"refused,omitempty"`
}

// finish closes the station, says what happened, and gives the exit code.
func (s *station) finish(o deck.Outcome, code int, hint string, std stdio) error {
	if s.refusedBodies() > 0 && o.Failed == "" {
		o.Failed = "a request body was over the limit"
	}
	closeErr := s.close(o)
	report := runReport{Mode: s.mode, ExitCode: code, Started: s.began.UTC(), Seconds: time.Since(s.began).Seconds(), Direct: s.directHosts(), Refused: s.refusals()}
	for _, d := range s.rack.Decks() {
		report.Cassettes = append(report.Cassettes, d.Report())
	}
	report.Faults = report.faults(strictness{failExpired: s.opt.failExpired, partly: code != 0})
	if code == 0 {
		report.ExitCode = verdict(report.Faults)
	}
	if closeErr != nil {
		fmt.Fprintf(std.err, "tapedeck: %v\n", closeErr)
		if report.ExitCode == 0 {
			report.ExitCode = exitFailure
		}
	}
	s.summarise(std.err, report, hint)
	if why := report.because(); why != "" {
		fmt.Fprintf(std.err, "tapedeck: %s\n", why)
	}
	github(std.err, report, os.Getenv)
	if err := s.writeReports(report); err != nil {
		fmt.Fprintf(std.err, "tapedeck: %v\n", err)
		if report.ExitCode == 0 {
			report.ExitCode = exitFailure
		}
	}
	if report.ExitCode != 0 {
		return exitCode(report.ExitCode)
	}
	return nil
}

// refusedBodies counts the requests that were refused for their size before they
// came to a deck.
func (s *station) refusedBodies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tooLarge
}

// refusals counts what came to no cassette, here or in the rack.
func (s *station) refusals() map[string]int {
	out := s.rack.Refusals()
	s.mu.Lock()
	defer s.mu.Unlock()
	if out == nil {
		return maps.Clone(s.refused)
	}
	maps.Copy(out, s.refused)
	return out
}

func (s *station) directHosts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.direct)
}

// counts is one cassette's figures in one line; what is zero is left out.
func counts(r deck.Report) string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(r.Played, "played")
	add(r.Recorded, "recorded")
	add(len(r.Misses), "missed")
	add(total(r.Forwarded), "forwarded")
	add(total(r.Ignored), "to ignored hosts")
	add(len(r.Refused), "not recorded")
	add(len(r.Dropped), "dropped")
	add(len(r.Failed), "failed upstream")
	if len(parts) == 0 {
		return "no requests"
	}
	return strings.Join(parts, ", ")
}

func total(by map[string]int) int {
	n := 0
	for _, count := range by {
		n += count
	}
	return n
}

// summarise prints what a person needs to know after a run, and no more.
func (s *station) summarise(w io.Writer, report runReport, hint string) {
	requests := 0
	for _, r := range report.Cassettes {
		requests += r.Requests()
	}
	if len(report.Cassettes) > maxSpelled {
		s.summariseMany(w, report.Cassettes)
	} else {
		for _, r := range report.Cassettes {
			s.summariseCassette(w, r)
		}
	}
	if len(report.Direct) > 0 {
		fmt.Fprintf(w, "tapedeck: passed through, not looked into: %s\n", hostCounts(report.Direct))
	}
	for i, reason := range slices.Sorted(maps.Keys(report.Refused)) {
		if i == maxListed {
			fmt.Fprintf(w, "tapedeck: … and %d more reasons for which requests were refused; --report FILE lists them\n", len(report.Refused)-i)
			break
		}
		fmt.Fprintf(w, "tapedeck: refused%s: %s\n", times(report.Refused[reason]), reason)
	}
	if requests == 0 && len(report.Direct)+len(report.Refused) == 0 && hint != "" {
		fmt.Fprintf(w, "tapedeck: the command made no request through the proxy; %s\n", hint)
	}
}

func (s *station) summariseCassette(w io.Writer, r deck.Report) {
	fmt.Fprintf(w, "tapedeck: %s: %s\n", r.Cassette, counts(r))
	lines(w, "note", r.Notes)
	lines(w, "warning", r.Warnings)
	missGroups(w, r.Misses)
	lines(w, "unproven", r.Unproven)
	lines(w, "a weak secret, replaced only there", r.Weak)
	suspects(w, r.Suspects)
	lines(w, "kept as it is", r.Kept)
	lines(w, "not recorded", r.Refused)
	lines(w, "dropped", r.Dropped)
	lines(w, "failed", r.Failed)
	lines(w, "recorded although it may be trouble", r.Statuses)
	if r.Mode == deck.ReplayOnly && r.Requests() > 0 || r.Strict {
		lines(w, "never used", r.Unused)
	}
	if r.Strict && len(r.Unused) > 0 {
		fmt.Fprintln(w, "  strict: a recording that was never used fails the run; record again, or leave --strict out")
	}
	ignored(w, r)
}

// ignored prints what rules and the configuration left out of account.
func ignored(w io.Writer, r deck.Report) {
	if r.IgnoredFacts > 0 {
		fmt.Fprintf(w, "  ignored by rules: %d facts\n", r.IgnoredFacts)
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(w, "  ignored hosts: %s\n", hostCounts(r.Ignored))
	}
}

// suspects prints the first few random-looking values that no rule knows, with the rule
// to paste for each.
func suspects(w io.Writer, list []redact.Suspect) {
	for i, s := range list {
		if i == maxSuspects {
			fmt.Fprintf(w, "  … and %d more suspects; --report lists them\n", len(list)-i)
			break
		}
		fmt.Fprintf(w, "  looks like a secret, and no rule knows it: %s\n    redact.add: %s\n", s, s.Rule)
		if i == 0 {
			fmt.Fprintf(w, "    or, if it is harmless, redact.keep: %s\n", s.Keep)
		}
	}
}

func lines(w io.Writer, what string, list []string) {
	counted := make(map[string]int)
	var different []string
	for _, text := range list {
		if counted[text]++; counted[text] == 1 {
			different = append(different, text)
		}
	}
	for i, text := range different {
		if i == maxListed {
			fmt.Fprintf(w, "  … and %d more (%s)\n", len(different)-i, what)
			return
		}
		fmt.Fprintf(w, "  %s%s: %s\n", what, times(counted[text]), text)
	}
}

// times says how often, where that is more than once.
func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", n)
}

// missGroups prints each kind of miss once: those that differ in the same facts
// have one cause and one cure.
func missGroups(w io.Writer, misses []deck.Miss) {
	groups := make(map[string][]deck.Miss)
	var order []string
	for _, m := range misses {
		cause := strings.Join(m.Facts, ", ")
		if cause == "" {
			cause = m.Reason
		}
		if groups[cause] == nil {
			order = append(order, cause)
		}
		groups[cause] = append(groups[cause], m)
	}
	for i, cause := range order {
		if i == maxListed {
			fmt.Fprintf(w, "  … and %d more kinds of miss\n", len(order)-i)
			return
		}
		group := groups[cause]
		if len(group) > 1 {
			fmt.Fprintf(w, "  missed %d times, the first:\n", len(group))
		} else {
			fmt.Fprintf(w, "  missed:\n")
		}
		text := strings.TrimPrefix(group[0].Text, "tapedeck: ")
		fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(text, "\n", "\n    "))
	}
}

func hostCounts(by map[string]int) string {
	var parts []string
	for _, host := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", host, by[host]))
	}
	return strings.Join(parts, ", ")
}

func (s *station) writeReports(report runReport) error {
	if s.opt.report != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := writeOutput(s.opt.report, append(data, '\n')); err != nil {
			return fmt.Errorf("--report: %w", err)
		}
	}
	if s.opt.junit != "" {
		data, err := junit(report)
		if err != nil {
			return err
		}
		if err := writeOutput(s.opt.junit, data); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	return nil
}

// isTerminal reports whether a stream is a terminal that may be coloured.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && isatty.IsTerminal(f.Fd())
}
