package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/audit"
)

func redactCommand(std stdio) *cli.Command {
	check := yes("check", "write nothing; end with 1 if something would change")
	check.Aliases = []string{"dry-run"}
	return &cli.Command{
		Name:      "redact",
		Usage:     "take the secrets out of cassettes that anybody wrote",
		ArgsUsage: "PATH…",
		Description: examples(
			"tapedeck redact recordings/login.har",
			"tapedeck redact --check fixtures/",
			"tapedeck redact fixtures/ && git diff fixtures/") + `

Replaces what the rules of "tapedeck rules" find, in place and at once: the same secret by the
same placeholder everywhere in a file. Comments, order and style of the file stay. A file in
which something cannot be replaced is left as it is. Reads what "tapedeck audit" reads.
Ends with 0 when the files are clean now, 1 when one was left as it is, 2 when one cannot be read.`,
		Flags: []cli.Flag{
			check,
			yes("skip-others", "pass over named files that are no cassettes, as in folders"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
			piiFlag(),
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("name cassettes or folders, as in: tapedeck redact fixtures/")
			}
			cfg, err := redactionHere(c, std)
			if err != nil {
				return err
			}
			auditor, err := audit.New(audit.Config{Redact: cfg, Own: true})
			if err != nil {
				return usageError{err}
			}
			files, others, err := audit.Find(c.Args().Slice(), c.Bool("skip-others"))
			if err != nil {
				return usageError{err}
			}
			bar := newProgress(std.err, files)
			changes, err := auditor.RedactFiles(c.Context, files, !c.Bool("check"), bar.add)
			bar.end()
			if err != nil {
				return err
			}
			changes.Skipped += others
			return printChanges(std, changes, c.Bool("check"))
		},
	}
}

// printChanges says what was replaced in which file, and gives the exit code.
func printChanges(std stdio, changes *audit.Changes, check bool) error {
	changed, refused := 0, 0
	for _, change := range changes.List {
		switch {
		case len(change.Refused) > 0:
			refused++
			fmt.Fprintf(std.err, "tapedeck: %s is left as it is, because something in it cannot be replaced; record it again, or edit it by hand\n", change.File)
			for _, f := range change.Refused {
				fmt.Fprintf(std.err, "tapedeck: %s:%d: %s: rule %s: %s\n", f.File, f.Line, f.Place, f.Rule, f.Why)
			}
		case change.Data != nil:
			changed++
			var counts []string
			for _, rule := range slices.Sorted(maps.Keys(change.Replaced)) {
				counts = append(counts, fmt.Sprintf("%s × %d", rule, change.Replaced[rule]))
			}
			verb := "replaced"
			if check {
				verb = "would replace"
			}
			fmt.Fprintf(std.out, "%s (%s): %s %s\n", change.File, change.Format, verb, strings.Join(counts, ", "))
		}
	}
	verb := "changed"
	if check {
		verb = "to change"
	}
	line := fmt.Sprintf("cassettes: %d, %s: %d", len(changes.List), verb, changed)
	if refused > 0 {
		line += fmt.Sprintf(", left as they are: %d", refused)
	}
	if changes.Skipped > 0 {
		line += fmt.Sprintf(", other files skipped: %d", changes.Skipped)
	}
	fmt.Fprintf(std.err, "tapedeck: %s\n", line)
	if changed > 0 && !check {
		fmt.Fprintln(std.err, `tapedeck: what was replaced may have been copied: rotate it, and take it out of git's history`)
	}
	if printErrors(std.err, changes.Errors) {
		return exitCode(exitUsage)
	}
	if refused > 0 || check && changed > 0 {
		return exitCode(exitFailure)
	}
	return nil
}
