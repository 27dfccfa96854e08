package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/diff/render"
)

// finish compares, prints and judges. Drift that was found counts more than what could
// not be asked.
func (v verifyView) finish(std stdio, list []*verification) error {
	if err := v.writeReport(std, list); err != nil {
		return err
	}
	d, err := compareVerified(list)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	o := render.Options{Title: answeredOf(list), Volatile: v.volatile, Color: v.output == "" && isTerminal(std.out)}
	rest := ""
	if v.format.Name == "markdown" {
		rest = notVerified(list)
		o.Limit = render.DefaultLimit - len(rest)
	}
	switch {
	case answeredIn(list) > 0 || v.format.Name == "json" || v.format.Name == "html":
		if err := v.format.Write(&b, d, o); err != nil {
			return err
		}
	case v.format.Name == "markdown":
		b.WriteString("### Nothing was verified\n") // and not that nothing differs
	}
	b.WriteString(rest)
	if err := mustHoldNoSecret(std, list, b.String()); err != nil {
		return err
	}
	if v.output != "" {
		err = writeOutput(v.output, b.Bytes())
	} else {
		_, err = std.out.Write(b.Bytes())
	}
	if err != nil {
		return err
	}
	if reaches(d.Counts, v.failOn) {
		return exitCode(exitFailure)
	}
	if answeredIn(list) == 0 || slices.ContainsFunc(list, func(v *verification) bool { return !v.outcome.Complete() }) {
		return exitCode(exitIncomplete)
	}
	return nil
}

// answeredIn counts the requests that were answered again.
func answeredIn(list []*verification) int {
	n := 0
	for _, one := range list {
		n += len(one.outcome.Live)
	}
	return n
}

// answeredOf says how much a report rests on.
func answeredOf(list []*verification) string {
	all := 0
	for _, one := range list {
		all += len(one.outcome.Steps)
	}
	return fmt.Sprintf("Asked the APIs again, which answered %d of %s", answeredIn(list), counted(all, "recorded request"))
}

// mostUnsaid bounds what a comment says of requests that were not verified, in bytes.
const mostUnsaid = 8 << 10

// notVerified is what a comment says of requests that were not verified: whoever reads
// it does not see standard error.
func notVerified(list []*verification) string {
	var b strings.Builder
	for _, one := range list {
		for _, line := range append(slices.Clone(one.outcome.Faults), unsent(one.outcome.Steps, one.outcome.Faults)...) {
			// In a block of code nothing of a line is markup; no line holds a fence.
			if line = one.file + ": " + strings.ReplaceAll(line, "`", "'") + "\n"; b.Len()+len(line) <= mostUnsaid {
				b.WriteString(line)
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n#### Not verified\n\n```text\n" + b.String() + "```\n"
}

// compareVerified compares what was recorded with what was answered now. Only what was
// answered stands on either side.
func compareVerified(list []*verification) (diff.Diff, error) {
	var pairs []diff.Pair
	for _, one := range list {
		if len(one.outcome.Live) == 0 {
			continue
		}
		pairs = append(pairs, diff.Pair{
			Old: &diff.Cassette{Name: one.file, List: one.outcome.Recorded},
			New: &diff.Cassette{Name: one.file, List: one.outcome.Live, Replaced: one.outcome.Replaced},
		})
	}
	return diff.Compare(pairs, diff.Options{Matcher: list[0].matcher})
}

// reaches reports whether anything of a grade, or of a graver one, has been counted.
func reaches(c diff.Counts, grade diff.Grade) bool {
	counts := map[diff.Grade]int{diff.Breaking: c.Breaking, diff.Additive: c.Additive, diff.Changed: c.Value, diff.Volatile: c.Volatile}
	return slices.ContainsFunc(diff.Grades[:slices.Index(diff.Grades, grade)+1], func(g diff.Grade) bool { return counts[g] > 0 })
}
