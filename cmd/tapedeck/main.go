// Command tapedeck records the HTTP traffic of a program once and plays it back
// offline ever after.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// Exit codes beside the command's own.
const (
	exitFailure    = 1
	exitUsage      = 2
	exitMiss       = 90 // a request was not answered from the cassette, and the command ended with 0
	exitStale      = 91 // --strict and a recording was never used, or --fail-expired and one is too old
	exitIncomplete = 92 // something could not be recorded, and the command ended with 0
)

func main() {
	os.Exit(run(context.Background(), os.Args, stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio are the three streams of a process.
type stdio struct {
	in  io.Reader
	out io.Writer // data
	err io.Writer // talk
}

// run is the whole program but for os.Exit.
func run(ctx context.Context, args []string, std stdio) int {
	err := newApp(std).RunContext(ctx, args)
	if err == nil {
		return 0
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	fmt.Fprintf(std.err, "tapedeck: %s\n", escaped(err.Error(), "\n\t"))
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

// exitCode ends the program with a code and no further word.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a mistake in flags, variables or configuration.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func newApp(std stdio) *cli.App {
	cli.VersionPrinter = func(c *cli.Context) { fmt.Fprintf(std.out, "tapedeck %s\n", c.App.Version) }
	app := &cli.App{
		Name:    "tapedeck",
		Usage:   "record HTTP traffic once, play it back offline ever after",
		Version: version(),
		Description: examples(
			"tapedeck exec -- npm test                  record the first time, play every later time",
			"CI=1 tapedeck exec -- npm test             play only; a request that is not recorded fails",
			"tapedeck record --cassette c.yaml          the same as a proxy on 127.0.0.1:8080"),
		Reader:          std.in,
		Writer:          std.out,
		ErrWriter:       std.err,
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError: func(c *cli.Context, err error, _ bool) error {
			return usagef("%v; see: tapedeck --help", err)
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no command %q; see: tapedeck --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			execCommand(std),
			recordCommand(std),
			replayCommand(std),
			proxyCommand(std),
			envCommand(std),
			caCommand(std),
			rewindCommand(std),
			saveCommand(std),
			statusCommand(std),
			rulesCommand(std),
			recoverCommand(std),
			exportCommand(std),
			diffCommand(std),
			reviewCommand(std),
			auditCommand(std),
			redactCommand(std),
			showCommand(std),
			explainCommand(std),
			learnCommand(std),
			verifyCommand(std),
			reportCommand(std),
			forgetCommand(std),
			pruneCommand(std),
			fmtCommand(std),
			pinCommand(std),
			gitCommand(std),
		},
	}
	for _, cmd := range app.Commands {
		setUsageError(cmd, "tapedeck")
	}
	return app
}

// setUsageError makes a wrong flag one line and exit code 2, with no page of help.
func setUsageError(cmd *cli.Command, path string) {
	path += " " + cmd.Name
	cmd.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		return usagef("%v; see: %s --help", err, path)
	}
	cmd.HideHelpCommand = true
	for _, sub := range cmd.Subcommands {
		setUsageError(sub, path)
	}
}

// version is the module's version, or the commit a checkout was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel " + s.Value[:12]
		}
	}
	return "devel"
}
