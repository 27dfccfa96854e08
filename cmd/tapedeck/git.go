package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v2"
)

func gitCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "git",
		Usage: "make git show and merge cassettes by what they say",
		Description: examples(
			"tapedeck git install                                   once in every clone",
			"tapedeck git resolve --ours cassettes/default.yaml     after a merge with conflicts",
			"tapedeck git install --print                           to paste it yourself"),
		Subcommands: []*cli.Command{
			gitInstallCommand(std),
			gitUninstallCommand(std),
			gitResolveCommand(std),
			gitMergeCommand(std),
			gitTextconvCommand(std),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("tapedeck git %s is not known; see: tapedeck git --help", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// runGit runs git in a folder ("" is the working folder) and returns what it prints.
func runGit(dir string, arguments ...string) (string, error) {
	command := exec.Command("git", arguments...)
	command.Dir = dir
	var out, talk bytes.Buffer
	command.Stdout, command.Stderr = &out, &talk
	err := command.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", usagef("git is not installed; install it, or paste what tapedeck git install --print shows where it is")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), &gitFailure{code: exit.ExitCode(), talk: strings.TrimSpace(talk.String()), command: arguments[0]}
	}
	return out.String(), err
}

// A gitFailure is what git says when it fails.
type gitFailure struct {
	code    int
	talk    string
	command string
}

func (e *gitFailure) Error() string {
	if e.talk == "" {
		return fmt.Sprintf("git %s ended with %d", e.command, e.code)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.talk)
}

// repositoryRoot is the top folder of the working tree that the program runs in.
func repositoryRoot() (string, error) {
	out, err := runGit("", "rev-parse", "--show-toplevel")
	if fault := (*gitFailure)(nil); errors.As(err, &fault) {
		return "", usagef("this is no working tree of a git repository (%s); change into one", fault.talk)
	}
	return strings.TrimSuffix(out, "\n"), err
}
