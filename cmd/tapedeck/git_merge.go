package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/merge"
)

func gitMergeCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "merge two versions of a cassette; git calls this",
		ArgsUsage: "BASE OURS THEIRS [MARKER-SIZE [PATH]]",
		Description: examples(
			"tapedeck git merge base.yaml ours.yaml theirs.yaml",
			"git config merge.tapedeck.driver 'tapedeck git merge %O %A %B %L %P'",
			"tapedeck git install") + `

Writes the outcome to OURS. Exit code 0: merged; 1: an interaction has changed on both sides, and
stands there in both versions until tapedeck git resolve settles it, or the merge was not possible
and OURS is as it was.`,
		Action: func(c *cli.Context) error {
			if c.NArg() < 3 || c.NArg() > 5 {
				return usagef("git calls it as tapedeck git merge %%O %%A %%B %%L %%P; see: tapedeck git merge --help")
			}
			m := mergeRun{base: c.Args().Get(0), ours: c.Args().Get(1), theirs: c.Args().Get(2), size: 7, name: c.Args().Get(4)}
			if text := c.Args().Get(3); text != "" {
				size, err := strconv.Atoi(text)
				if err != nil || size < 1 {
					return usagef("MARKER-SIZE is a number, such as 7")
				}
				m.size = size
			}
			if m.name == "" {
				m.name = filepath.ToSlash(m.ours)
			}
			return m.run(c.Context, std)
		},
	}
}

// A mergeRun merges one file. git runs it at the top of the work tree.
type mergeRun struct {
	base, ours, theirs string // files; the outcome replaces ours
	size               int    // of conflict markers
	name               string // of the file, below the work tree
}

// nested reports that git is merging two merge bases into one: the outcome is nothing
// that anyone will see.
func (m mergeRun) nested() bool { return m.size > 7 }

func (m mergeRun) run(ctx context.Context, std stdio) error {
	var data [3][]byte
	for i, file := range []string{m.base, m.ours, m.theirs} {
		var err error
		if data[i], err = os.ReadFile(file); err != nil {
			return usagef("%s cannot be read: %w", file, bare(err))
		}
	}
	if !saysCassette(data[1]) || !saysCassette(data[2]) || len(bytes.TrimSpace(data[0])) > 0 && !saysCassette(data[0]) {
		return m.asText(std)
	}
	cleaner, matcher, err := readersFor(filepath.FromSlash(path.Dir(m.name)))
	if err != nil {
		return m.notMerged(err)
	}
	// Ours is read first, so that its numbers for secrets are taken before any is given.
	ours, err := m.read(ctx, "ours", data[1], cleaner)
	if err != nil {
		return m.notMerged(err)
	}
	theirs, err := m.read(ctx, "theirs", data[2], cleaner)
	if err != nil {
		return m.notMerged(err)
	}
	var base *cassettes.Document
	if len(bytes.TrimSpace(data[0])) > 0 {
		if base, err = m.read(ctx, "base", data[0], cleaner); err != nil {
			return m.notMerged(err)
		}
	}
	merged, err := merge.Merge(base, ours, theirs, matcher)
	if err != nil {
		return m.notMerged(err)
	}
	out, err := merged.Document.Encode()
	if err == nil {
		// Nothing is written that could not be read again.
		_, err = cassettes.ReadUnsettled(m.name, out, nil, cleaner)
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return m.notMerged(err)
	}
	if err := os.WriteFile(m.ours, out, 0o644); err != nil {
		// What has been written of it is no cassette, and theirs is in git.
		return m.notMerged(errors.Join(fmt.Errorf("%s cannot be written: %w", m.ours, bare(err)), os.WriteFile(m.ours, data[1], 0o644)))
	}
	if len(merged.Conflicts) == 0 {
		return nil
	}
	if !m.nested() {
		for _, c := range merged.Conflicts {
			fmt.Fprintf(std.err, "tapedeck: %s: interaction %d, %s: %s\n", m.name, c.ID, c.Route, c.Why)
		}
		fmt.Fprintf(std.err, "tapedeck: settle that with: tapedeck git resolve --ours|--theirs|--both [ID…] %s\n", shellWord(m.name))
	}
	return exitCode(exitFailure)
}

// read reads one side. Where a body file is not to be found, all are known by their names:
// a merge need not look into them.
func (m mergeRun) read(ctx context.Context, side string, data []byte, c *clean.Cleaner) (*cassettes.Document, error) {
	name := m.name + " (" + side + ")"
	read := cassettes.Read
	if side == "base" {
		read = cassettes.ReadUnsettled // it may be made of two that could not be merged
	}
	missing := false
	bodies := gitBodies(ctx, m.name)
	d, err := read(name, data, func(body string) (io.ReadCloser, error) {
		f, err := bodies(body)
		missing = missing || err != nil
		return f, err
	}, c)
	if err != nil && missing {
		d, err = read(name, data, nil, c)
	}
	if d != nil {
		d.Name = m.name
	}
	return d, err
}

// notMerged leaves ours as it is. git lists the file as in conflict then, and has all
// three versions of it.
func (m mergeRun) notMerged(err error) error {
	if m.nested() {
		return err
	}
	return fmt.Errorf("%s is not merged, and is what it was on our side: %w; when that is mended, git checkout --merge %s merges it again", m.name, err, shellWord(m.name))
}

// asText merges a file that is no cassette as git merges text.
func (m mergeRun) asText(std stdio) error {
	command := exec.Command("git", "merge-file", "--marker-size="+strconv.Itoa(m.size), "-L", "ours", "-L", "base", "-L", "theirs", m.ours, m.base, m.theirs)
	command.Stdout, command.Stderr = std.out, std.err
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if n := exit.ExitCode(); n > 0 && n < 128 {
			return exitCode(exitFailure) // the number of conflicts
		}
	}
	if err != nil {
		return m.notMerged(errors.New("it is no cassette, and git merge-file cannot merge it as text"))
	}
	return nil
}
