package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/scope"
)

func forgetCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "forget",
		Usage:     "remove interactions from a cassette",
		ArgsUsage: "CASSETTE [ID…]",
		Description: examples(
			"tapedeck forget cassettes/default.yaml 12 13",
			"tapedeck forget --on 'POST api.stripe.com/v1/refunds' cassettes/default.yaml",
			"tapedeck forget --dry-run --on 'GET api.stripe.com/**' cassettes/default.yaml") + `

Prints what it removes. All other interactions keep their ids and their order. A pattern is written
as for --rerecord, and passes over pinned interactions; an id does not.`,
		Flags: []cli.Flag{
			list("on", "remove what matches `PATTERN`, such as 'POST api.stripe.com/**'; may be given several times"),
			dryRunFlag(),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("name a cassette and the ids to remove, as in: tapedeck forget cassettes/default.yaml 12")
			}
			file := c.Args().First()
			ids, err := idArguments(c.Args().Tail())
			if err != nil {
				return err
			}
			patterns, err := onPatterns(c.StringSlice("on"))
			if err != nil {
				return err
			}
			if len(ids)+len(patterns) == 0 {
				return usagef("say what to remove: ids, as in tapedeck forget %s 12, or --on PATTERN; tapedeck show %s lists what there is", file, file)
			}
			return editCassette(std, file, c.String("config"), c.Bool("dry-run"), func(list []clean.Interaction) ([]clean.Interaction, error) {
				return forget(std, file, list, ids, patterns)
			})
		},
	}
}

func dryRunFlag() cli.Flag { return yes("dry-run", "print what would be removed, and remove nothing") }

// idArguments reads the ids of a command line.
func idArguments(arguments []string) ([]int, error) {
	ids := make([]int, 0, len(arguments))
	for _, a := range arguments {
		id, err := strconv.Atoi(a)
		switch {
		case err == nil && id >= 0:
			ids = append(ids, id)
		case strings.HasPrefix(a, "-"):
			return nil, usagef("%s: flags stand before the cassette", a)
		default:
			return nil, usagef("%q is no id: an interaction's id is a number, such as 12; tapedeck show CASSETTE lists them", a)
		}
	}
	return ids, nil
}

// onPatterns compiles the values of --on.
func onPatterns(values []string) ([]scope.On, error) {
	patterns := make([]scope.On, 0, len(values))
	for _, v := range values {
		on, err := scope.ParseOn(v)
		if err != nil {
			return nil, usagef("--on: %w", err)
		}
		patterns = append(patterns, on)
	}
	return patterns, nil
}

// forget returns what of list stays, and prints the rest.
func forget(std stdio, file string, list []clean.Interaction, ids []int, patterns []scope.On) ([]clean.Interaction, error) {
	if err := mustHold(file, list, ids); err != nil {
		return nil, err
	}
	var stay, gone []clean.Interaction
	pinned := 0
	for _, in := range list {
		named := slices.Contains(ids, in.ID)
		matched := slices.ContainsFunc(patterns, func(on scope.On) bool { return on.Match(in.Request().Scope().Target()) })
		if matched && in.Pinned && !named {
			pinned, matched = pinned+1, false
		}
		if named || matched {
			gone = append(gone, in)
		} else {
			stay = append(stay, in)
		}
	}
	switch {
	case pinned > 0:
		fmt.Fprintf(std.err, "tapedeck: %s: pinned interactions that match stay: %d; name them by their ids to remove them\n", file, pinned)
	case len(gone) == 0:
		return nil, usagef("%s: nothing matches; check method, host and path, or see: tapedeck show %s", file, file)
	}
	if err := mustLeaveSome(file, stay); err != nil {
		return nil, err
	}
	return stay, printInteractions(std, gone)
}

// mustHold is an error when one of the ids is none of the list's.
func mustHold(file string, list []clean.Interaction, ids []int) error {
	for _, id := range ids {
		if !slices.ContainsFunc(list, func(in clean.Interaction) bool { return in.ID == id }) {
			return usagef("%s: there is no interaction %d; tapedeck show %s lists them", file, id, file)
		}
	}
	return nil
}

// mustLeaveSome is an error when nothing stays: record-once would take the empty file for a recording.
func mustLeaveSome(file string, stay []clean.Interaction) error {
	if len(stay) > 0 {
		return nil
	}
	return usagef("%s: nothing would stay in it, and an empty cassette is not recorded again; remove the file instead", file)
}

// printInteractions prints one line for each: id, request, status.
func printInteractions(std stdio, list []clean.Interaction) error {
	for _, in := range list {
		answer, err := in.Response()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(std.out, "%d\t%s %s → %d\n", in.ID, in.Request().Method(), in.Request().RawURL(), answer.Status()); err != nil {
			return err
		}
	}
	return nil
}

// editCassette saves what change makes of a cassette's interactions. With dry nothing is
// written; nor is it when change returns as many as there were and none of another kind.
func editCassette(std stdio, file, config string, dry bool, change func([]clean.Interaction) ([]clean.Interaction, error)) (err error) {
	purpose := cassettes.ToExtend
	if dry {
		purpose = cassettes.ToReplay
	}
	tape, err := openToEdit(file, config, purpose)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tape.Close()) }()
	for _, note := range tape.Notes() {
		fmt.Fprintf(std.err, "tapedeck: %s\n", note)
	}
	list, err := change(slices.Clone(tape.Interactions()))
	if err != nil || dry || slices.EqualFunc(list, tape.Interactions(), func(a, b clean.Interaction) bool { return a.Meta == b.Meta }) {
		return err
	}
	if out := tape.LeftOut(); out != "" {
		fmt.Fprintf(std.err, "tapedeck: %s: left out, since a cassette has no place for it: %s\n", file, out)
	}
	return tape.Save(list, tape.State())
}

// openToEdit opens a cassette to change it. What is wrong with the file is a usage error.
func openToEdit(file, config string, p cassettes.Purpose) (*cassettes.Cassette, error) {
	s := &station{opt: options{cassette: file, config: config}}
	cleaner, err := s.cleanerFor()
	if err != nil {
		return nil, err
	}
	tape, err := cassettes.OpenToEdit(s.store, cassetteName(file), cleaner, p)
	return tape, badFile(file, err)
}

// cassetteName is a cassette's name in the store of its folder.
func cassetteName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".yaml") }

// badFile makes an error about what a cassette file holds, or that there is none, a usage
// error that names it as the user did.
func badFile(file string, err error) error {
	if format, ok := errors.AsType[*cassettes.FormatError](err); ok {
		named := *format
		named.Object = filepath.ToSlash(file)
		return usageError{&named}
	}
	if conflict := (*cassettes.ConflictError)(nil); errors.As(err, &conflict) {
		return usageError{err}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("cassette %s does not exist; check the path", file)
	}
	return err
}
