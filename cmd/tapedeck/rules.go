package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers/config"
)

func rulesCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "list the redaction rules in force, with the reason of each",
		Description: examples(
			"tapedeck rules",
			"tapedeck rules --json",
			"tapedeck rules --pii --config ci/tapedeck.yaml") + `

A rule finds its secrets by the name they stand under, by their shape (value), as a
segment of a path, or as a part of a host. Add one to tapedeck.yaml, and list the rules again:

  redact:
    add:
      - {id: acme-key, name: x-acme-key}
      - {id: acme-pat, value: 'acp_\w{30}', on: "* api.acme.dev/**"}
      - {id: acme-hook, path: "POST hooks.acme.dev/h/{secret}/**"}
      - {id: tenant, host: '([a-z0-9]{12})\.hooks\.acme\.dev'}
    remove: [name-pin]                        # switch one off
    keep:                                     # leave one place alone, and say why
      - {rule: name-token, on: GET api.acme.dev/quota, at: body.token, reason: a count}`,
		Flags: []cli.Flag{
			text("config", "read `FILE` and no other tapedeck.yaml"),
			yes("json", "print JSON"),
			yes("pii", "list the rules for personal data too, as if redact.pii were true"),
		},
		Action: func(c *cli.Context) error {
			cfg, err := configHere(c.String("config"))
			if err != nil {
				return err
			}
			redaction, err := redactionOf(cfg, options{pii: given(c, "pii")})
			if err != nil {
				return err
			}
			rules, err := redact.Compile(redaction)
			if err != nil {
				return usageError{err}
			}
			book := bookOf(rules, redaction, cfg.RemovedRules)
			if c.Bool("json") {
				return writeJSON(std.out, book)
			}
			return book.print(std)
		},
	}
}

// A ruleBook is all that says what is redacted and what is not.
type ruleBook struct {
	Rules []listedRule `json:"rules"`
	// Removed are the rules that files switch off, and Keep the places that they exempt.
	Removed []config.Removed `json:"removed"`
	Keep    []listedKeep     `json:"keep"`
	// PII says whether personal data is redacted too.
	PII bool `json:"pii"`
	// Unknown is what is done with suspects: list, or refuse.
	Unknown string `json:"unknown"`
}

type listedRule struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind"` // name, value, path, host, environment, pii
	Finds  []string `json:"finds"`
	In     []string `json:"in,omitempty"`
	On     string   `json:"on,omitempty"`
	At     string   `json:"at,omitempty"`
	Source string   `json:"source"`
	Reason string   `json:"reason"`
}

type listedKeep struct {
	Rule   string `json:"rule"`
	On     string `json:"on,omitempty"`
	At     string `json:"at,omitempty"`
	Source string `json:"source"`
	Reason string `json:"reason"`
}

// bookOf lists the rules, one entry for each id and reason.
func bookOf(rules *redact.Rules, redaction redact.Config, removed []config.Removed) ruleBook {
	book := ruleBook{Rules: []listedRule{}, Removed: []config.Removed{}, Keep: []listedKeep{}, PII: redaction.PII, Unknown: "list"}
	if rules.RefusesUnknown() {
		book.Unknown = "refuse"
	}
	for _, r := range rules.List() {
		one := listedRule{ID: r.ID, Kind: r.Kind(), In: r.In, On: r.On, At: r.At, Source: r.Source, Reason: r.Reason}
		one.Finds = []string{r.Name + r.Value + r.Path + r.Host} // one of the four
		if n := len(book.Rules); n > 0 {
			if last := &book.Rules[n-1]; last.ID == one.ID && last.Reason == one.Reason && r.Name != "" {
				last.Finds = append(last.Finds, one.Finds...)
				continue
			}
		}
		book.Rules = append(book.Rules, one)
	}
	book.Rules = append(book.Rules, listedRule{ID: "environment", Kind: "environment", Finds: redact.EnvironmentWords(), Source: "built in",
		Reason: "values of variables whose names hold such a word, when they look random; under exec"})
	book.Removed = append(book.Removed, removed...)
	for _, k := range rules.Keeps() {
		book.Keep = append(book.Keep, listedKeep{Rule: k.Rule, On: k.On, At: k.At, Source: k.Source, Reason: k.Reason})
	}
	return book
}

// widest is how much of what a rule finds the table shows, in characters.
const widest = 40

func (b ruleBook) print(std stdio) error {
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tFINDS\tWHERE\tSOURCE\tREASON")
	for _, r := range b.Rules {
		finds := []rune(strings.Join(r.Finds, ", "))
		if len(finds) > widest {
			finds = append(finds[:widest-1], '…')
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Kind, string(finds), r.where(), r.Source, r.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(std.out)
	for _, r := range b.Removed {
		fmt.Fprintf(std.out, "removed: %s (%s)\n", r.ID, r.Source)
	}
	for _, k := range b.Keep {
		fmt.Fprintf(std.out, "kept: %s (rule %s, %s): %s\n", strings.TrimSpace(k.On+" "+k.At), k.Rule, k.Source, k.Reason)
	}
	if !b.PII {
		fmt.Fprintln(std.out, "personal data: stays; redact.pii or --pii replaces it")
	}
	unknown := "suspects (random-looking values under names that no rule knows): listed in the summary; redact.unknown: refuse stops the save"
	if b.Unknown == "refuse" {
		unknown = "suspects (random-looking values under names that no rule knows): stop the save"
	}
	_, err := fmt.Fprintln(std.out, unknown)
	return err
}

// where says in which requests and parts of them a rule looks.
func (r listedRule) where() string {
	var parts []string
	if in := r.In; len(in) > 0 {
		parts = append(parts, strings.Join(slices.Clone(in), ", "))
	}
	for _, limit := range []string{r.On, r.At} {
		if limit != "" {
			parts = append(parts, limit)
		}
	}
	if len(parts) == 0 {
		return "everywhere"
	}
	return strings.Join(parts, "; ")
}
