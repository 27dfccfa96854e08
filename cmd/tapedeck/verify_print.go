package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/diff/render"
	"tapedeck/proxy/verify"
)

func say(w io.Writer, format string, arguments ...any) {
	fmt.Fprintf(w, "tapedeck: "+format+"\n", arguments...)
}

// announce says before anything is sent what goes where, and with which variables.
func (v *verification) announce(w io.Writer, dry bool) {
	verb := "sends"
	if dry {
		verb = "would send"
	}
	sends := verify.Counted(v.plan.Steps, verify.Sends)
	say(w, "verify %s: %s %d of %s", v.file, verb, sends, counted(len(v.plan.Steps), "request"))
	var hosts []string
	methods := make(map[string][]string)
	for _, count := range v.plan.Counts() {
		if !slices.Contains(hosts, count.Host) {
			hosts = append(hosts, count.Host)
		}
		methods[count.Host] = append(methods[count.Host], fmt.Sprintf("%d %s", count.N, count.Method))
	}
	for _, host := range hosts {
		line := "  to " + plainHost(host) + ": " + strings.Join(methods[host], ", ")
		if variables := v.plan.Variables(host); len(variables) > 0 {
			line += "; with " + strings.Join(variables, ", ")
			if slices.ContainsFunc(v.plan.Steps, func(step verify.Step) bool {
				return step.Fate == verify.Sends && step.Host == host && len(step.URL) > 7 && strings.EqualFold(step.URL[:7], "http://")
			}) {
				line += ", not encrypted (http)"
			}
		}
		fmt.Fprintln(w, line)
	}
	if dry {
		for _, line := range unsent(v.plan.Steps, nil) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

// plainHost shows letters that look like others: a Cyrillic а is no a.
func plainHost(host string) string {
	quoted := strconv.QuoteToASCII(host)
	return quoted[1 : len(quoted)-1]
}

// sum says what came of it.
func (v *verification) sum(w io.Writer) {
	steps := v.outcome.Steps
	line := fmt.Sprintf("verify %s: %d sent and answered", v.file, len(v.outcome.Live))
	for _, one := range []struct {
		fate verify.Fate
		word string
	}{{verify.Leaves, "left out"}, {verify.Lacks, "not sent"}, {verify.Fails, "without an answer"}} {
		if n := verify.Counted(steps, one.fate); n > 0 {
			line += fmt.Sprintf(", %d %s", n, one.word)
		}
	}
	say(w, "%s", line)
	for _, line := range append(slices.Clone(v.outcome.Faults), unsent(steps, v.outcome.Faults)...) {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if len(v.outcome.Live) == 0 {
		fmt.Fprintln(w, "  nothing was verified")
	}
}

// mostNamed is how many interactions a line of the summary names.
const mostNamed = 8

// unsent says why requests are not sent or not answered, each reason once, but for
// those that the faults of hosts say already.
func unsent(steps []verify.Step, faults []string) []string {
	type reason struct {
		fate verify.Fate
		why  string
	}
	var order []reason
	ids := make(map[reason][]string)
	for _, step := range steps {
		r := reason{step.Fate, step.Why}
		said := slices.ContainsFunc(faults, func(fault string) bool {
			return strings.HasPrefix(fault, strings.TrimPrefix(step.Why, "not sent: "))
		})
		if step.Fate == verify.Sends || step.Fate == verify.Fails && said {
			continue
		}
		if strings.HasPrefix(r.why, "it may change something") {
			// The pattern names one request; the line is about all of them.
			r.why, _, _ = strings.Cut(r.why, ", or --allow ")
		}
		if ids[r] == nil {
			order = append(order, r)
		}
		ids[r] = append(ids[r], fmt.Sprint(step.ID))
	}
	words := map[verify.Fate]string{verify.Leaves: "left out", verify.Lacks: "not sent", verify.Fails: "no answer"}
	var out []string
	for _, r := range order {
		list := ids[r]
		named := strings.Join(list[:min(len(list), mostNamed)], ", ")
		if more := len(list) - mostNamed; more > 0 {
			named += fmt.Sprintf(" and %d more", more)
		}
		out = append(out, fmt.Sprintf("%s: %s: %s", words[r.fate], named, r.why))
	}
	return out
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// endDryRun prints the plan as data. The exit code says whether something lacks.
func endDryRun(w io.Writer, list []*verification) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CASSETTE\tID\tFATE\tREQUEST\tWHY")
	code := 0
	for _, v := range list {
		for _, step := range v.plan.Steps {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s %s\t%s\n", v.file, step.ID, step.Fate, step.Method, step.URL, step.Why)
			if step.Fate == verify.Lacks || step.Fate == verify.Fails {
				code = exitIncomplete
			}
		}
	}
	if err := table.Flush(); err != nil || code == 0 {
		return err
	}
	return exitCode(code)
}

// A verifyView is how the outcome is shown and judged.
type verifyView struct {
	format         render.Format
	output, report string
	failOn         diff.Grade
	volatile       bool
}

func verifyViewOf(c *cli.Context) (verifyView, error) {
	v := verifyView{output: c.String("output"), report: c.String("report"), failOn: diff.Grade(c.String("fail-on")), volatile: c.Bool("volatile")}
	var ok bool
	if v.format, ok = render.ByName(cmp.Or(c.String("format"), render.Formats[0].Name)); !ok {
		return v, usagef("--format: %q is not known; use %s", c.String("format"), render.Names())
	}
	if v.failOn == "" {
		v.failOn = diff.Breaking
	}
	if !slices.Contains(diff.Grades, v.failOn) {
		return v, usagef("--fail-on: %q is not known; use breaking, additive, value or volatile", v.failOn)
	}
	s := &station{opt: options{report: v.report}}
	if err := s.checkOutputs(); err != nil || v.output == "" {
		return v, err
	}
	if info, err := os.Stat(filepath.Dir(v.output)); err != nil || !info.IsDir() {
		return v, usagef("--output %s: its folder does not exist; create it first", v.output)
	}
	return v, nil
}

// spares reports an error when a file to be written is a cassette that is verified.
func (v verifyView) spares(files []string) error {
	for _, to := range []struct{ flag, file string }{{"output", v.output}, {"report", v.report}} {
		info, err := os.Stat(to.file)
		if err != nil {
			continue // it is not there yet, or there is none
		}
		for _, file := range files {
			if cassette, err := os.Stat(file); err == nil && os.SameFile(info, cassette) {
				return usagef("--%s %s: that is a cassette, which verify never writes; name another file", to.flag, to.file)
			}
		}
	}
	return nil
}

// A verifiedCassette is one cassette in the report of verify.
type verifiedCassette struct {
	Cassette string        `json:"cassette"`
	Faults   []string      `json:"faults,omitempty"`
	Requests []verify.Step `json:"requests"`
}

// writeReport writes --report.
func (v verifyView) writeReport(std stdio, list []*verification) error {
	if v.report == "" {
		return nil
	}
	var out []verifiedCassette
	for _, one := range list {
		out = append(out, verifiedCassette{one.file, one.outcome.Faults, one.outcome.Steps})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	if err := mustHoldNoSecret(std, list, string(data)); err != nil {
		return err
	}
	return writeOutput(v.report, append(data, '\n'))
}

// mustHoldNoSecret is the last look at what is printed. What fails it is not drift.
func mustHoldNoSecret(std stdio, list []*verification, text string) error {
	for _, one := range list {
		if one.outcome.Leaks(text) {
			say(std.err, "%s: what was to be printed holds a live secret, and is not; add a rule under redact for the place where the API answers it", one.file)
			return exitCode(exitIncomplete)
		}
	}
	return nil
}
