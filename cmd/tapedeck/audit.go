package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/audit"
	"tapedeck/cassettes/redact"
)

func auditCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "audit",
		Usage:     "find secrets in cassettes that anybody wrote",
		ArgsUsage: "PATH…",
		Description: examples(
			"tapedeck audit fixtures/",
			"env | tapedeck audit --values - cassettes/ recordings/login.har",
			"tapedeck audit --format sarif cassettes/ > audit.sarif") + `

Reads cassettes of tapedeck, go-vcr, VCR, vcrpy, Betamax, Polly.js, Hoverfly, WireMock and
nock, and HAR files; a folder is gone through. Looks with the rules of "tapedeck rules" and
with those of gitleaks. Says where something was found and by which rule, never the value.
Ends with 0 when nothing was found, 1 when something was, 2 when a file cannot be read.`,
		Flags: []cli.Flag{
			text("format", "`FORMAT`: text, json or sarif (default: text)"),
			text("rules", "`WHICH` rules: all, own (without gitleaks) or none (with --values) (default: all)"),
			text("values", "also find the values in `FILE`, or - for stdin: one to a line, or NAME=value as env prints them"),
			yes("skip-others", "pass over named files that are no cassettes, as in folders"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
			piiFlag(),
		},
		Action: func(c *cli.Context) error { return runAudit(c.Context, c, std) },
	}
}

func runAudit(ctx context.Context, c *cli.Context, std stdio) error {
	format := c.String("format")
	switch format {
	case "":
		format = "text"
	case "text", "json", "sarif":
	default:
		return usagef("--format: %q is not known; use text, json or sarif", format)
	}
	if !c.Args().Present() {
		return usagef("name cassettes or folders, as in: tapedeck audit fixtures/")
	}
	cfg := audit.Config{Own: true, Gitleaks: true}
	switch c.String("rules") {
	case "", "all":
	case "own":
		cfg.Gitleaks = false
	case "none":
		if c.String("values") == "" {
			return usagef("--rules none finds nothing by itself; name values with --values")
		}
		cfg.Own, cfg.Gitleaks = false, false
	default:
		return usagef("--rules: %q is not known; use all, own or none", c.String("rules"))
	}
	var err error
	if cfg.Redact, err = redactionHere(c, std); err != nil {
		return err
	}
	if cfg.Values, err = readValues(c.String("values"), std.in); err != nil {
		return err
	}
	if cfg.Values != nil {
		for _, line := range cfg.Values.Skipped {
			fmt.Fprintf(std.err, "tapedeck: --values: not searched for: %s\n", line)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if cfg.Ignore, err = audit.ReadIgnore(dir); err != nil {
		return usageError{err}
	}
	auditor, err := audit.New(cfg)
	if err != nil {
		return usageError{err}
	}
	files, others, err := audit.Find(c.Args().Slice(), c.Bool("skip-others"))
	if err != nil {
		return usageError{err}
	}
	bar := newProgress(std.err, files)
	summary, err := auditor.Files(ctx, files, bar.add)
	bar.end()
	if err != nil {
		return err
	}
	summary.Skipped += others
	switch format {
	case "json":
		err = summary.WriteJSON(std.out)
	case "sarif":
		err = summary.WriteSARIF(std.out, dir, version())
	default:
		err = summary.WriteText(std.out)
	}
	if err != nil {
		return err
	}
	found, kept, suspects, in := summary.Count()
	line := fmt.Sprintf("findings: %d in %d of %d cassettes", found, in, len(summary.Reports))
	for _, more := range []struct {
		what string
		n    int
	}{{"kept", kept}, {"suspects", suspects}, {"other files skipped", summary.Skipped}} {
		if more.n > 0 {
			line += fmt.Sprintf(", %s: %d", more.what, more.n)
		}
	}
	fmt.Fprintf(std.err, "tapedeck: %s\n", line)
	if found > 0 {
		fmt.Fprintln(std.err, `tapedeck: rotate what was found, then run "tapedeck redact FILE"; what is no secret goes under redact.keep in tapedeck.yaml, with a reason, and what only gitleaks found into .gitleaksignore`)
	}
	if failed := printErrors(std.err, summary.Errors); failed {
		return exitCode(exitUsage)
	}
	if found > 0 {
		return exitCode(exitFailure)
	}
	return nil
}

func piiFlag() cli.Flag {
	return yes("pii", "look for personal data too, as if redact.pii were true")
}

// redactionHere is what tapedeck.yaml and the flags say is secret.
func redactionHere(c *cli.Context, std stdio) (redact.Config, error) {
	cfg, err := configHere(c.String("config"))
	if err != nil {
		return redact.Config{}, err
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintf(std.err, "tapedeck: %s\n", w)
	}
	return redactionOf(cfg, options{pii: given(c, "pii")})
}

// readValues opens what --values names.
func readValues(name string, stdin io.Reader) (*audit.Values, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		v, err := audit.ReadValues(stdin)
		if err != nil {
			return nil, usagef("--values -: %w", err)
		}
		return v, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usagef("--values %s: %w; check the path", name, bare(err))
	}
	defer f.Close()
	v, err := audit.ReadValues(f)
	if err != nil {
		return nil, usagef("--values %s: %w", name, err)
	}
	return v, nil
}

func printErrors(w io.Writer, list []error) bool {
	for _, err := range list {
		fmt.Fprintf(w, "tapedeck: %v\n", err)
	}
	return len(list) > 0
}
