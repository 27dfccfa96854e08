package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// A screen is where a report goes, and how it may look there.
type screen struct {
	std   stdio
	color bool
	width int
	// pager is the command line of the program that shows the report, "" for none.
	pager string
}

// newScreen finds out what standard output is.
func newScreen(c *cli.Context, std stdio, format string) (*screen, error) {
	s := &screen{std: std, width: 80}
	terminal := false
	if f, ok := std.out.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			s.width = min(width, 200) // longer lines are hard to follow
		}
	}
	toTerminal := terminal && c.String("output") == "" && format == "text"
	switch c.String("color") {
	case "", "auto":
		s.color = toTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	case "always":
		s.color = format == "text"
	case "never":
	default:
		return nil, usagef("--color: %q is not known; use auto, always or never", c.String("color"))
	}
	if toTerminal && !c.Bool("no-pager") {
		s.pager = pagerOf(os.LookupEnv)
	}
	return s, nil
}

// pagerOf is the pager as git finds one: an empty one, or cat, is none.
func pagerOf(lookup func(string) (string, bool)) string {
	for _, name := range []string{"TAPEDECK_PAGER", "PAGER"} {
		if value, ok := lookup(name); ok {
			if value == "cat" {
				return ""
			}
			return value
		}
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// print writes a report to a file, through the pager, or to standard output.
func (s *screen) print(ctx context.Context, file string, write func(io.Writer) error) error {
	if s.pager == "" && file == "" {
		return write(s.std.out)
	}
	data, err := rendered(write)
	if err != nil {
		return err
	}
	if file != "" {
		if err := writeOutput(file, data); err != nil {
			return usagef("--output %s: %w", file, bare(err))
		}
		return nil
	}
	return s.page(ctx, data)
}

// page runs the pager as git does: by the shell, and less without a wait for what fits
// the screen (F), with colours (R), and without clearing the screen (X).
func (s *screen) page(ctx context.Context, data []byte) error {
	command := exec.CommandContext(ctx, "sh", "-c", s.pager)
	command.Stdout, command.Stderr = s.std.out, s.std.err
	command.Env = os.Environ()
	if _, ok := os.LookupEnv("LESS"); !ok {
		command.Env = append(command.Env, "LESS=FRX")
	}
	in, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil { // there is no shell
		_, err = s.std.out.Write(data)
		return err
	}
	_, err = in.Write(data)
	if errors.Is(err, syscall.EPIPE) {
		err = nil // the reader has seen enough
	}
	in.Close()
	waitErr := command.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(waitErr, &exit) && exit.ExitCode() == 127 {
		_, err = s.std.out.Write(data) // there is no such pager
		return err
	}
	return err
}
