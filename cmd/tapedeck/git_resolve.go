package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
)

func gitResolveCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "resolve",
		Usage:     "settle what a merge has left in two versions",
		ArgsUsage: "[ID…] FILE",
		Description: examples(
			"tapedeck git resolve --theirs cassettes/default.yaml",
			"tapedeck git resolve --ours 12 13 cassettes/default.yaml",
			"tapedeck git resolve cassettes/default.yaml             lists what is to be settled") + `

Without ids, everything is settled in the same way. --both keeps both versions, the other one
with an id of its own behind ours: two requests that are the same were recorded for two purposes.
Editing the file by hand does as well: remove one version and "conflict:" from the other.
In a rebase, ours is the branch that is rebased onto, as everywhere in git.`,
		Flags: []cli.Flag{
			yes("ours", "keep our version; what we have removed goes"),
			yes("theirs", "keep their version; what they have removed goes"),
			yes("both", "keep both versions"),
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("name a cassette, as in: tapedeck git resolve --ours cassettes/default.yaml")
			}
			n := c.NArg() - 1
			file := c.Args().Get(n)
			ids, err := idArguments(c.Args().Slice()[:n])
			if err != nil {
				return err
			}
			r := resolution{ours: c.Bool("ours") || c.Bool("both"), theirs: c.Bool("theirs") || c.Bool("both"), ids: ids}
			if c.Bool("both") && (c.Bool("ours") || c.Bool("theirs")) || c.Bool("ours") && c.Bool("theirs") {
				return usagef("give one of --ours, --theirs and --both")
			}
			return r.settle(std, file)
		},
	}
}

// A resolution says which versions stay.
type resolution struct {
	ours, theirs bool
	ids          []int // none for all
}

func (r resolution) settle(std stdio, file string) error {
	cleaner, _, err := readersFor(filepath.Dir(file))
	if err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("%s does not exist; check the path", file)
	}
	if err != nil {
		return usagef("%s cannot be read: %w", file, bare(err))
	}
	d, err := cassettes.ReadUnsettled(file, data, nil, cleaner)
	if err != nil {
		return usageError{err}
	}
	for _, id := range r.ids {
		if !slices.Contains(d.Conflicts(), id) {
			return usagef("%s: interaction %d is not in conflict; %s", file, id, conflictList(d))
		}
	}
	if len(d.Conflicts()) == 0 {
		fmt.Fprintf(std.err, "tapedeck: %s: nothing is in conflict\n", file)
		return nil
	}
	if !r.ours && !r.theirs {
		return usagef("%s: %s; say which version to keep: --ours, --theirs or --both", file, conflictList(d))
	}
	settled := len(d.Conflicts())
	d = r.apply(d)
	left := len(d.Conflicts())
	if err := d.WriteFile(file); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "tapedeck: %s: settled %d; ", file, settled-left)
	if left > 0 {
		fmt.Fprintf(std.err, "%d to go\n", left)
	} else {
		fmt.Fprintf(std.err, "now: git add %s\n", shellWord(file))
	}
	return nil
}

// conflictList says in one line what is in conflict.
func conflictList(d *cassettes.Document) string {
	ids := d.Conflicts()
	if len(ids) == 0 {
		return "nothing is in conflict"
	}
	text := ""
	for i, id := range ids {
		if i > 0 {
			text += ", "
		}
		text += strconv.Itoa(id)
	}
	return "in conflict: " + text
}

// apply keeps the versions that were chosen.
func (r resolution) apply(d *cassettes.Document) *cassettes.Document {
	next := 0
	for _, in := range d.List {
		next = max(next, in.ID+1)
	}
	sides := make(map[int]int) // how many versions there are
	for _, in := range d.List {
		if in.Conflict != "" {
			sides[in.ID]++
		}
	}
	var list []clean.Interaction
	var kept []cassettes.Kept
	for _, in := range d.List {
		k := d.Kept(in)
		if in.Conflict != "" && (len(r.ids) == 0 || slices.Contains(r.ids, in.ID)) {
			if in.Conflict == cassettes.Ours && !r.ours || in.Conflict == cassettes.Theirs && !r.theirs {
				continue
			}
			if in.Conflict == cassettes.Theirs && r.ours && sides[in.ID] == 2 {
				in.ID = next
				next++
			}
			in.Conflict = ""
		}
		list, kept = append(list, in), append(kept, k)
	}
	out := d.With(list)
	for i, in := range list {
		out.Keep(in, kept[i])
	}
	return out
}
