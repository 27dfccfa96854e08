package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tapedeck/proxy/deck"
)

func reportCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "join the reports of several runs, and end as one run would",
		ArgsUsage: "FILE…",
		Description: examples(
			"tapedeck report shard-*.json",
			"tapedeck report --strict --cassettes cassettes shard-*.json",
			"tapedeck report --strict --junit tapedeck.xml --report all.json shard-*.json") + `

The files are what --report wrote: of the shards of one test run, each with a part of the
tests. A recording counts as never used when no run used it. The exit code is 90, 92 or 91 as
in one run; where the command of a run failed by itself, it is that run's.`,
		Flags: []cli.Flag{
			yes("strict", "a recording that no run used fails"),
			yes("fail-expired", "a recording that is older than max_age fails"),
			text("cassettes", "with --strict, a cassette in `DIR` that no run opened fails too"),
			text("report", "write the joined report as JSON to `FILE`"),
			text("junit", "write the faults as JUnit XML to `FILE`"),
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("name the reports to join, as in: tapedeck report shard-*.json")
			}
			s := &station{opt: options{report: c.String("report"), junit: c.String("junit")}, folder: cmp.Or(c.String("cassettes"), ".")}
			if err := s.checkOutputs(); err != nil {
				return err
			}
			var runs []runReport
			for _, file := range c.Args().Slice() {
				run, err := readReport(file)
				if err != nil {
					return err
				}
				runs = append(runs, run)
			}
			joined := joinReports(runs, c.Bool("strict"))
			if dir := c.String("cassettes"); dir != "" && c.Bool("strict") {
				if err := joined.addUnopened(dir); err != nil {
					return usagef("--cassettes %s: %w", dir, bare(err))
				}
			}
			joined.Faults = joined.faults(strictness{failExpired: c.Bool("fail-expired"), partly: joined.ExitCode != 0})
			if joined.ExitCode == 0 {
				joined.ExitCode = verdict(joined.Faults)
			}
			s.summarise(std.err, joined, "")
			if why := joined.because(); why != "" {
				fmt.Fprintf(std.err, "tapedeck: %s\n", why)
			}
			github(std.err, joined, os.Getenv)
			if err := s.writeReports(joined); err != nil {
				return err
			}
			if joined.ExitCode != 0 {
				return exitCode(joined.ExitCode)
			}
			return nil
		},
	}
}

func readReport(file string) (runReport, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return runReport{}, usagef("%s: %w; name a file that --report has written", file, bare(err))
	}
	var r runReport
	if err := json.Unmarshal(data, &r); err != nil || r.Mode == "" {
		return runReport{}, usagef("%s: it is not a report of a run; name a file that --report has written", file)
	}
	return r, nil
}

// ours reports whether an exit code is a verdict of tapedeck's, and so comes from
// a command that ended with 0.
func ours(code int) bool {
	return code == 0 || code == exitMiss || code == exitIncomplete || code == exitStale
}

// joinReports makes one report of several. Its exit code is that of the first run
// whose command failed by itself, else 0: the verdict is to be found anew.
func joinReports(runs []runReport, strict bool) runReport {
	joined := runReport{Direct: make(map[string]int), Refused: make(map[string]int)}
	cassettes := make(map[string]*deck.Report)
	var modes []string
	var end time.Time
	for _, run := range runs {
		if !slices.Contains(modes, string(run.Mode)) {
			modes = append(modes, string(run.Mode))
		}
		if joined.ExitCode == 0 && !ours(run.ExitCode) {
			joined.ExitCode = run.ExitCode
		}
		if joined.Started.IsZero() || run.Started.Before(joined.Started) {
			joined.Started = run.Started
		}
		if at := run.Started.Add(time.Duration(run.Seconds * float64(time.Second))); at.After(end) {
			end = at
		}
		add(joined.Direct, run.Direct)
		add(joined.Refused, run.Refused)
		for _, c := range run.Cassettes {
			c.Cassette, c.Strict = filepath.ToSlash(filepath.Clean(c.Cassette)), strict
			if before := cassettes[c.Cassette]; before != nil {
				joinCassette(before, c)
			} else {
				cassettes[c.Cassette] = &c
			}
		}
	}
	joined.Mode, joined.Seconds = deck.Mode(strings.Join(modes, ", ")), end.Sub(joined.Started).Seconds()
	for _, name := range slices.Sorted(maps.Keys(cassettes)) {
		joined.Cassettes = append(joined.Cassettes, *cassettes[name])
	}
	return joined
}

// joinCassette adds to a what another run did with the same cassette. Only what
// neither used is unused.
func joinCassette(a *deck.Report, b deck.Report) {
	a.Played += b.Played
	a.Recorded += b.Recorded
	a.IgnoredFacts += b.IgnoredFacts
	a.Missing += b.Missing
	a.Expired = a.Expired || b.Expired
	if a.Forwarded == nil {
		a.Forwarded = make(map[string]int)
	}
	if a.Ignored == nil {
		a.Ignored = make(map[string]int)
	}
	add(a.Forwarded, b.Forwarded)
	add(a.Ignored, b.Ignored)
	a.Misses = append(a.Misses, b.Misses...)
	a.Suspects = append(a.Suspects, b.Suspects...)
	for _, lists := range []struct {
		to   *[]string
		from []string
	}{
		{&a.Unproven, b.Unproven}, {&a.Weak, b.Weak}, {&a.Kept, b.Kept}, {&a.Refused, b.Refused},
		{&a.Dropped, b.Dropped}, {&a.Failed, b.Failed}, {&a.Statuses, b.Statuses},
	} {
		*lists.to = append(*lists.to, lists.from...)
	}
	for _, text := range b.Warnings {
		if !slices.Contains(a.Warnings, text) {
			a.Warnings = append(a.Warnings, text)
		}
	}
	for _, text := range b.Notes {
		if !slices.Contains(a.Notes, text) {
			a.Notes = append(a.Notes, text)
		}
	}
	unused := make(map[string]bool, len(b.Unused))
	for _, text := range b.Unused {
		unused[text] = true
	}
	a.Unused = slices.DeleteFunc(a.Unused, func(text string) bool { return !unused[text] })
}

// addUnopened adds the cassettes of a folder that no run has opened.
func (r *runReport) addUnopened(dir string) error {
	opened := make(map[string]bool)
	for _, c := range r.Cassettes {
		opened[c.Cassette] = true
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(path)
		if entry.IsDir() || filepath.Ext(name) != ".yaml" || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "tapedeck.yaml" || opened[name] {
			return nil
		}
		r.Cassettes = append(r.Cassettes, deck.Report{Cassette: name, Mode: r.Mode, Strict: true, Unused: []string{"the whole cassette"}})
		return nil
	})
}
