package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
)

func fmtCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "fmt",
		Usage:     "write cassettes as tapedeck would, after they were edited by hand",
		ArgsUsage: "[PATH…]",
		Description: examples(
			"tapedeck fmt cassettes/default.yaml",
			"tapedeck fmt --check cassettes",
			"tapedeck fmt --upgrade fixtures/vcr") + `

Lengths, the order of keys, the style of bodies, the form beside a body and the comment lines
are written anew; where form and body differ, the body counts. Folders are searched for cassettes;
without a path it is the folder of tapedeck.yaml. Files that go-vcr wrote stay as they are without
--upgrade. When one file cannot be read, none is written, and the exit code is 2.`,
		Flags: []cli.Flag{
			yes("check", "write nothing; print the files that would change, and end with 1 if there are any"),
			yes("upgrade", "take over what go-vcr v3 and v4 wrote, and write placeholders of earlier versions as today's"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error {
			f := &formatter{std: std, config: c.String("config"), upgrade: c.Bool("upgrade")}
			files, err := f.find(c.Args().Slice())
			if err != nil {
				return err
			}
			var changed []string
			for _, file := range files {
				differs, err := f.differs(file)
				if err != nil {
					return err
				}
				if differs {
					changed = append(changed, file)
				}
			}
			for _, line := range f.notes {
				fmt.Fprintf(std.err, "tapedeck: %s\n", line)
			}
			for _, file := range changed {
				if c.Bool("check") {
					fmt.Fprintln(std.out, filepath.ToSlash(file))
				} else if err := f.write(file); err != nil {
					return err
				}
			}
			if c.Bool("check") && len(changed) > 0 {
				return exitCode(exitFailure)
			}
			return nil
		},
	}
}

// A formatter is one run of fmt.
type formatter struct {
	std     stdio
	config  string
	upgrade bool
	notes   []string // said once all files are read: what cannot be read is said alone
}

func (f *formatter) note(format string, arguments ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, arguments...))
}

// find lists the files that paths mean.
func (f *formatter) find(paths []string) ([]string, error) {
	if len(paths) == 0 {
		cfg, err := configHere(f.config)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(cfg.Cassettes); err != nil {
			return nil, usagef("%s: %w; name cassettes or folders, as in: tapedeck fmt testdata", cfg.Cassettes, bare(err))
		}
		paths = []string{cfg.Cassettes}
	}
	return cassettesOf(paths)
}

// cassettesOf lists the files that paths mean, each once: cassettes, and folders of them.
func cassettesOf(paths []string) ([]string, error) {
	var files []string
	seen := make(map[string]bool)
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, usagef("%s: %w; check the path", path, bare(err))
		}
		found := []string{path}
		if info.IsDir() {
			if found, err = cassetteFiles(path); err != nil {
				return nil, usagef("%s: %w", path, bare(err))
			}
		} else if filepath.Ext(path) != ".yaml" {
			return nil, usagef("%s: a cassette's name ends in .yaml", path)
		}
		for _, file := range found {
			if file = filepath.Clean(file); !seen[file] {
				seen[file] = true
				files = append(files, file)
			}
		}
	}
	return files, nil
}

// differs reports whether a file is to be written, and says what there is to know of it.
func (f *formatter) differs(file string) (differs bool, err error) {
	tape, list, err := f.open(file, cassettes.ToReplay)
	if err != nil {
		return false, unread(err)
	}
	defer func() { err = errors.Join(err, tape.Close()) }()
	if tape.Foreign() && !f.upgrade {
		f.note("%s: go-vcr wrote it, and it stays as it is; --upgrade takes it over", file)
		return false, nil
	}
	for _, note := range tape.Notes() {
		note = strings.TrimPrefix(note, "cassette "+filepath.Base(file)+": ")
		if strings.HasSuffix(note, "the body counts") {
			note += ", and the form is written anew"
		}
		f.note("%s: %s", file, note)
	}
	differs, err = tape.Differs(list, tape.State())
	if out := tape.LeftOut(); out != "" && differs {
		f.note("%s: left out, since a cassette has no place for it: %s", file, out)
	}
	return differs, unread(err)
}

// write saves a file in its new form.
func (f *formatter) write(file string) (err error) {
	tape, list, err := f.open(file, cassettes.ToExtend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tape.Close()) }()
	if err := tape.Save(list, tape.State()); err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "tapedeck: %s: written anew\n", file)
	return nil
}

func (f *formatter) open(file string, p cassettes.Purpose) (*cassettes.Cassette, []clean.Interaction, error) {
	tape, err := openToEdit(file, f.config, p)
	if err != nil {
		return nil, nil, err
	}
	list := tape.Interactions()
	if f.upgrade {
		if list, err = tape.Upgraded(); err != nil {
			return nil, nil, errors.Join(err, tape.Close())
		}
	}
	return tape, list, nil
}

// unread makes whatever is wrong with a file a usage error, but not that a recording of
// it is under way or was cut off.
func unread(err error) error {
	if unsaved := (*cassettes.UnsavedError)(nil); err == nil || errors.As(err, &unsaved) || errors.As(err, new(usageError)) {
		return err
	}
	return usageError{err}
}

// cassetteFiles lists the cassettes in a folder and those below.
func cassetteFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != dir && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || filepath.Ext(file) != ".yaml" || strings.HasPrefix(entry.Name(), "."):
			return nil
		}
		cassette, err := mayBeCassette(file)
		if cassette {
			files = append(files, file)
		}
		return err
	})
	return files, err
}

// mayBeCassette reports whether a YAML file begins as cassettes do.
func mayBeCassette(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 64<<10))
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	return versionKey.Match(head) && interactionsKey.Match(head), err
}

var (
	versionKey      = regexp.MustCompile(`(?m)^version:`)
	interactionsKey = regexp.MustCompile(`(?m)^interactions:`)
)
