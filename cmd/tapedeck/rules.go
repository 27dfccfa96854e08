package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/redact"
)

func rulesCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "list the redaction rules in force, with the reason of each",
		Description: examples(
			"tapedeck rules",
			"tapedeck rules --json",
			"tapedeck rules --config ci/tapedeck.yaml"),
		Flags: []cli.Flag{
			text("config", "read `FILE` and no other tapedeck.yaml"),
			yes("json", "print JSON"),
		},
		Action: func(c *cli.Context) error {
			cfg, err := configHere(c.String("config"))
			if err != nil {
				return err
			}
			rules, err := redact.Compile(cfg.Redact)
			if err != nil {
				return usageError{err}
			}
			if c.Bool("json") {
				return writeJSON(std.out, rules.List())
			}
			table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "ID\tFINDS\tREASON")
			for _, r := range rules.List() {
				finds := "name " + r.Name
				if r.Value != "" {
					finds = "value " + r.Value
				}
				if len(finds) > 48 {
					finds = finds[:47] + "…"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\n", r.ID, finds, r.Reason)
			}
			return table.Flush()
		},
	}
}
