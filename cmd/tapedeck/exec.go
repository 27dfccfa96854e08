package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"tapedeck/cmd/tapedeck/child"
	"tapedeck/proxy/ca"
	"tapedeck/proxy/deck"
)

func execCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "exec",
		Usage:     "run a command whose requests are recorded or played",
		ArgsUsage: "-- COMMAND [ARGUMENT…]",
		Description: examples(
			"tapedeck exec -- npm test",
			"tapedeck exec --cassette cassettes/checkout.yaml -- pytest tests/test_checkout.py",
			"tapedeck exec --mode replay-only -- go test ./...") + `

exec starts a proxy on a free loopback port, points the command's environment to it,
and runs the command. The certificates are trusted by the command alone; nothing is installed.
The exit code is the command's own. When the command ended with 0, it is 90 if a request was
missed, 92 if something could not be recorded, and 91 if a recording was never used (--strict)
or is too old (--fail-expired).`,
		Flags: append([]cli.Flag{modeFlag(), yes("record-loopback", "record requests to loopback addresses too")}, deckFlags()...),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("no command is given; write it after --, as in: tapedeck exec -- npm test")
			}
			return runExec(c.Context, readOptions(c), c.Args().Slice(), std)
		},
	}
}

func runExec(ctx context.Context, opt options, argv []string, std stdio) error {
	environ := os.Environ()
	s, err := newStation(opt, std, environ, true)
	if err != nil {
		return err
	}
	s.rerun = func(m deck.Mode, cassette string) string {
		// Arguments may hold secrets: the program's name is enough to recognise the line.
		return fmt.Sprintf("tapedeck exec --mode %s %s -- %s", m, s.cassetteFlag(cassette), withArguments(argv))
	}
	state, recordedAt := "record", ""
	if s.rack.Single != "" {
		// A cassette that is missing or broken is an error before the command starts.
		d, err := s.openSingle()
		if err != nil {
			return err
		}
		if !d.Recording() {
			state, recordedAt = "replay", d.RecordedAt()
		}
	} else if s.mode == deck.ReplayOnly {
		state = "replay"
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return errors.Join(err, s.rack.Close(deck.Outcome{}))
	}
	code, err := s.runChild(ctx, argv, environ, state, recordedAt, std)
	if err != nil {
		fmt.Fprintf(std.err, "tapedeck: %v\n", err)
		if err := s.close(deck.Outcome{Failed: "the command could not be run"}); err != nil {
			fmt.Fprintf(std.err, "tapedeck: %v\n", err)
		}
		return exitCode(max(code, exitFailure))
	}
	outcome := deck.Outcome{}
	if code != 0 {
		outcome.Failed = fmt.Sprintf("the command ended with exit code %d", code)
	}
	return s.finish(outcome, code, child.Hint(argv), std)
}

func withArguments(argv []string) string {
	if len(argv) > 1 {
		return argv[0] + " …"
	}
	return argv[0]
}

// runChild prepares the command's environment in a folder of its own and runs it.
func (s *station) runChild(ctx context.Context, argv, environ []string, state, recordedAt string, std stdio) (int, error) {
	dir, err := os.MkdirTemp("", "tapedeck-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	env, err := s.childEnvironment(dir, environ, state, recordedAt)
	if err != nil {
		return 0, err
	}
	for _, note := range env.Notes {
		fmt.Fprintf(std.err, "tapedeck: %s\n", note)
	}
	return child.Run(ctx, argv, env.Environ(), child.Stdio{In: std.in, Out: std.out, Err: std.err})
}

func (s *station) childEnvironment(dir string, environ []string, state, recordedAt string) (*child.Environment, error) {
	system, err := ca.Bundle()
	if err != nil {
		return nil, err
	}
	extra := []child.Variable{
		{Name: "TAPEDECK_CONTROL", Value: "http://" + s.address, Why: "the control API"},
		{Name: "TAPEDECK_TOKEN", Value: s.token, Why: "the control API's bearer token"},
		{Name: "TAPEDECK_STATE", Value: state, Why: "record or replay"},
	}
	if recordedAt != "" {
		extra = append(extra, child.Variable{Name: "TAPEDECK_RECORDED_AT", Value: recordedAt, Why: "the day of the recording"})
	}
	return child.Prepare(child.Settings{
		Proxy:          s.address,
		CA:             s.authority.CertPEM(),
		System:         system,
		Passthrough:    s.cfg.Hosts.Passthrough,
		UpstreamProxy:  s.opt.upstreamProxy != "" || child.HasUpstreamProxy(environ),
		RecordLoopback: s.opt.recordLoopback || s.cfg.RecordsLoopback(),
		Environ:        environ,
		Dir:            dir,
		Extra:          extra,
	})
}
