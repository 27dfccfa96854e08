package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func gitInstallCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "install",
		Usage:     "set git's diff and merge drivers for cassettes",
		ArgsUsage: "[FOLDER…]",
		Description: examples(
			"tapedeck git install",
			"tapedeck git install services/shop/cassettes services/mail/cassettes",
			"tapedeck git install --print") + `

Sets the drivers in the clone's own configuration (.git/config), which no one else gets: run it
once in every clone, or with --global once for yourself. Adds to .gitattributes, which is to be
committed, that the cassettes are to be shown and merged by them; without a folder, those that
tapedeck.yaml names. A clone without the drivers shows and merges cassettes as text.

Then git diff, git log -p, git show and git blame show requests and answers instead of YAML (add
--no-textconv to see the file), and git merge, rebase, cherry-pick and stash pop merge cassettes
by interaction. Nothing that others have set for these files is replaced.`,
		Flags: []cli.Flag{
			yes("global", "set the drivers in your own configuration, for all repositories"),
			yes("print", "print what would be done, to paste it; change nothing"),
			text("program", "let git start tapedeck as `PATH`; the default is where it is now"),
		},
		Action: func(c *cli.Context) error {
			program := c.String("program")
			if program == "" {
				var err error
				if program, err = ownProgram(); err != nil {
					return err
				}
			}
			settings := gitSettings(program)
			if c.Bool("print") {
				return printInstall(std, settings, c.Args().Slice(), c.Bool("global"))
			}
			return install(std, settings, c.Args().Slice(), c.Bool("global"))
		},
	}
}

func install(std stdio, settings []setting, folders []string, global bool) error {
	root, err := repositoryRoot()
	if err != nil && (!global || len(folders) > 0 || errorIsNoGit(err)) {
		return err
	}
	inRepository := err == nil
	scope, where := "--local", "this clone's configuration"
	if global {
		scope, where = "--global", "your configuration"
	}
	for _, s := range settings {
		if _, err := runGit(root, "config", scope, s.key, s.value); err != nil {
			return err
		}
	}
	fmt.Fprintf(std.err, "tapedeck: set the diff and merge drivers in %s\n", where)
	if !inRepository {
		fmt.Fprintln(std.err, "tapedeck: run tapedeck git install in a repository to add its cassettes to .gitattributes")
		return nil
	}
	lines, kept, err := repositoryLines(root, folders)
	if err != nil {
		return err
	}
	for _, line := range kept {
		fmt.Fprintf(std.err, "tapedeck: %s\n", line)
	}
	added, err := addLines(filepath.Join(root, ".gitattributes"), lines)
	if err != nil {
		return err
	}
	for _, line := range added {
		fmt.Fprintf(std.err, "tapedeck: .gitattributes: %s\n", line)
	}
	if len(added) > 0 {
		fmt.Fprintln(std.err, "tapedeck: commit .gitattributes")
	}
	return nil
}

// errorIsNoGit reports that there is no git at all.
func errorIsNoGit(err error) bool { return strings.Contains(err.Error(), "git is not installed") }

// repositoryLines are the lines for .gitattributes.
func repositoryLines(root string, folders []string) (lines, kept []string, err error) {
	if len(folders) == 0 {
		if folders, err = cassetteFolders(root); err != nil {
			return nil, nil, err
		}
	} else if folders, err = belowRoot(root, folders); err != nil {
		return nil, nil, err
	}
	for _, folder := range folders {
		add, stays, err := attributeLines(folder, gitAttributes(root))
		if err != nil {
			return nil, nil, err
		}
		lines, kept = append(lines, add...), append(kept, stays...)
	}
	return lines, kept, nil
}

// belowRoot makes paths relative to the root of the repository.
func belowRoot(root string, folders []string) ([]string, error) {
	var out []string
	for _, folder := range folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return nil, err
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real // as git gives the root
		}
		rel, err := filepath.Rel(root, abs)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return nil, usagef("%s is not in this repository", folder)
		}
		if rel == "." {
			rel = ""
		}
		if rel = filepath.ToSlash(rel); !slices.Contains(out, rel) {
			out = append(out, rel)
		}
	}
	return out, nil
}

// printInstall prints commands and lines to paste.
func printInstall(std stdio, settings []setting, folders []string, global bool) error {
	scope := ""
	if global {
		scope = " --global"
	}
	fmt.Fprintf(std.out, "# Once in every clone:\n")
	for _, s := range settings {
		fmt.Fprintf(std.out, "git config%s %s '%s'\n", scope, s.key, strings.ReplaceAll(s.value, "'", `'\''`))
	}
	var lines []string
	root, err := repositoryRoot()
	if err == nil {
		if lines, _, err = repositoryLines(root, folders); err != nil {
			return err
		}
	} else {
		// Outside of a repository they are printed for the folder that holds without a file.
		if len(folders) == 0 {
			folders = []string{"cassettes"}
		}
		for _, folder := range folders {
			add, _, _ := attributeLines(filepath.ToSlash(filepath.Clean(folder)), func(string) (map[string]string, error) { return nil, nil })
			lines = append(lines, add...)
		}
	}
	fmt.Fprintf(std.out, "\n# .gitattributes, to be committed:\n%s\n", strings.Join(lines, "\n"))
	return nil
}

func gitUninstallCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "uninstall",
		Usage: "take back what install has done",
		Description: examples(
			"tapedeck git uninstall",
			"tapedeck git uninstall --global",
			"cd services/shop && tapedeck git uninstall"),
		Flags: []cli.Flag{yes("global", "take it out of your own configuration; .gitattributes stays")},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("tapedeck git uninstall takes no arguments")
			}
			return uninstall(std, c.Bool("global"))
		},
	}
}

func uninstall(std stdio, global bool) error {
	root, scope := "", "--global"
	if !global {
		var err error
		if root, err = repositoryRoot(); err != nil {
			return err
		}
		scope = "--local"
	}
	for _, section := range []string{"diff.tapedeck", "merge.tapedeck"} {
		_, err := runGit(root, "config", scope, "--remove-section", section)
		if fault := (*gitFailure)(nil); err != nil && !(errors.As(err, &fault) && strings.Contains(strings.ToLower(fault.talk), "no such section")) {
			return err
		}
	}
	fmt.Fprintln(std.err, "tapedeck: removed the diff and merge drivers")
	if global {
		return nil
	}
	// What git has cached of the diff driver's output.
	if _, err := runGit(root, "update-ref", "-d", "refs/notes/textconv/tapedeck"); err != nil {
		return err
	}
	removed, err := removeLines(filepath.Join(root, ".gitattributes"))
	for _, line := range removed {
		fmt.Fprintf(std.err, "tapedeck: .gitattributes: removed %s\n", line)
	}
	return err
}
