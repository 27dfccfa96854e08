package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tapedeck/proxy/deck"
)

// maxSummaryRows bounds the table of the job summary, which GitHub refuses as a
// whole beyond 1 MiB.
const maxSummaryRows = 50

// github marks each fault for GitHub Actions and adds to the job's summary page.
// It does nothing elsewhere.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
func github(w io.Writer, report runReport, getenv func(string) string) {
	if getenv("GITHUB_ACTIONS") == "true" {
		annotate(w, report, getenv("GITHUB_WORKSPACE"))
	}
	if file := getenv("GITHUB_STEP_SUMMARY"); file != "" {
		if err := appendTo(file, jobSummary(report)); err != nil {
			fmt.Fprintf(w, "tapedeck: GITHUB_STEP_SUMMARY: %v\n", bare(err))
		}
	}
}

// annotate prints one workflow command for each fault, up to maxListed of each
// cassette: GitHub shows ten errors of a step.
func annotate(w io.Writer, report runReport, workspace string) {
	listed := make(map[string]int)
	for _, f := range report.Faults {
		if listed[f.Cassette]++; listed[f.Cassette] > maxListed {
			continue
		}
		properties := "title=" + commandProperty.Replace(f.Kind.title())
		if file := inWorkspace(workspace, f.Cassette); file != "" {
			properties += ",file=" + commandProperty.Replace(file)
		}
		fmt.Fprintf(w, "::error %s::%s\n", properties, commandData.Replace(f.text))
	}
}

// What a workflow command cannot hold as it is (actions/toolkit, core/src/command.ts).
var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// inWorkspace is a cassette's path as GitHub calls it, from the root of the
// checkout; "" if it lies elsewhere.
func inWorkspace(workspace, file string) string {
	if workspace == "" || file == "" {
		return ""
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	path, err := filepath.Rel(workspace, absolute)
	if err != nil || !filepath.IsLocal(path) {
		return ""
	}
	return filepath.ToSlash(path)
}

// jobSummary is a short table for the page of a run.
func jobSummary(report runReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### tapedeck: %s, %s\n\n", cell(string(report.Mode)), ending(report))
	b.WriteString("| cassette | played | recorded | missed | not recorded | never used |\n|---|--:|--:|--:|--:|--:|\n")
	faulty := make(map[string]bool)
	for _, f := range report.Faults {
		faulty[f.Cassette] = true
	}
	rows := slices.Clone(report.Cassettes)
	slices.SortStableFunc(rows, func(a, b deck.Report) int {
		switch {
		case faulty[a.Cassette] == faulty[b.Cassette]:
			return 0
		case faulty[a.Cassette]:
			return -1
		}
		return 1
	})
	for i, r := range rows {
		if i == maxSummaryRows {
			fmt.Fprintf(&b, "| … and %d more | | | | | |\n", len(rows)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(r.Cassette),
			figure(r.Played), figure(r.Recorded), figure(len(r.Misses)), figure(len(r.Refused)+r.Missing), figure(len(r.Unused)))
	}
	if len(report.Faults) == 0 {
		return b.String() + "\n"
	}
	b.WriteString("\n| | what | why |\n|---|---|---|\n")
	for i, f := range report.Faults {
		if i == maxSummaryRows {
			fmt.Fprintf(&b, "| | … and %d more | |\n", len(report.Faults)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(string(f.Kind)+times(f.Times)), code(f.Subject), cell(f.Reason))
	}
	return b.String() + "\n"
}

func ending(report runReport) string {
	if report.ExitCode == 0 {
		return "passed"
	}
	return fmt.Sprintf("exit code %d", report.ExitCode)
}

func figure(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// code is a text as code in a table cell.
func code(s string) string { return "<code>" + cell(s) + "</code>" }

// cell is a text in a table cell of GitHub's Markdown. All punctuation that could
// be markup is written as a character reference, which never is
// (https://github.github.com/gfm/#entity-and-numeric-character-references).
func cell(s string) string {
	const most = 300
	var b strings.Builder
	for i, c := range oneLine(s) {
		if i >= most {
			b.WriteRune('…')
			break
		}
		if c < 0x80 && strings.ContainsRune("!\"#$%&'*+<=>?@[\\]^_`{|}~()", c) {
			fmt.Fprintf(&b, "&#%d;", c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// appendTo adds to a file that other steps have written to.
func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
