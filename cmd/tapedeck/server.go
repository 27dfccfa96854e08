package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"tapedeck/proxy/deck"
)

func recordCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "record",
		Usage: "record through a proxy until it is stopped",
		Description: examples(
			"tapedeck record --cassette cassettes/checkout.yaml",
			"tapedeck record --cassettes cassettes --listen 127.0.0.1:0 --ready-file addr.txt",
			"HTTPS_PROXY=http://127.0.0.1:8080 CURL_CA_BUNDLE=$(tapedeck ca bundle) curl https://api.example.com/") + `

SIGINT and SIGTERM finish what is in flight (10 seconds at most), save the cassette and end
with 0; with 92 if something could not be recorded. The old cassette stays in place until then.`,
		Flags:  serverFlags(),
		Action: serve(std, deck.RecordOnly),
	}
}

func replayCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "replay",
		Usage: "play a cassette through a proxy until it is stopped",
		Description: examples(
			"tapedeck replay --cassette cassettes/checkout.yaml",
			"tapedeck replay --cassettes cassettes --strict",
			"tapedeck replay --cassette c.yaml --map 127.0.0.1:12111=https://api.stripe.com") + `

SIGINT and SIGTERM end it with 0; with 90 if a request was missed, with 91 if a recording was
never used (--strict) or is too old (--fail-expired).`,
		Flags:  serverFlags(),
		Action: serve(std, deck.ReplayOnly),
	}
}

func proxyCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "proxy",
		Usage: "record or play, as --mode says, until it is stopped",
		Description: examples(
			"tapedeck proxy --mode record-once --cassette cassettes/checkout.yaml",
			"tapedeck proxy --mode new-episodes --cassettes cassettes",
			"tapedeck proxy --mode passthrough"),
		Flags:  append([]cli.Flag{modeFlag()}, serverFlags()...),
		Action: serve(std, ""),
	}
}

// serve runs a proxy until a signal stops it. A mode given here is not asked for.
func serve(std stdio, mode deck.Mode) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Present() {
			return usagef("%s takes no arguments; to run a command, use: tapedeck exec -- COMMAND", c.Command.Name)
		}
		opt := readOptions(c)
		if mode != "" {
			opt.mode = string(mode)
		}
		return runServer(c.Context, opt, std)
	}
}

func runServer(ctx context.Context, opt options, std stdio) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := newStation(opt, std, os.Environ(), false)
	if err != nil {
		return err
	}
	s.rerun = func(m deck.Mode, cassette string) string {
		return fmt.Sprintf("tapedeck proxy --mode %s %s", m, s.cassetteFlag(cassette))
	}
	if s.rack.Single != "" {
		// A cassette that is missing or broken is an error before anyone connects.
		if _, err := s.openSingle(); err != nil {
			return err
		}
	}
	if opt.readyFile != "" {
		// One that an earlier run left would send scripts to a dead address.
		if err := removeOutput(opt.readyFile); err != nil {
			return fmt.Errorf("--ready-file %s: %w; remove it, or name another", opt.readyFile, bare(err))
		}
		defer removeOutput(opt.readyFile)
	}
	if err := s.listen(opt.listen); err != nil {
		return err
	}
	forget, err := s.announce(std)
	if err != nil {
		return err
	}
	defer forget()
	outcome := deck.Outcome{}
	select {
	case <-ctx.Done():
		stop() // a second signal ends the process at once; the journal keeps what was recorded
	case err := <-s.failed:
		outcome.Failed = "the proxy stopped by itself"
		fmt.Fprintf(std.err, "tapedeck: %v\n", err)
	}
	return s.finish(outcome, 0, "", std)
}

// announce tells people and scripts that the listener is open.
func (s *station) announce(std stdio) (forget func(), err error) {
	fmt.Fprintln(std.err, s.banner())
	forget, err = leaveTraces(s.address, s.token)
	if err != nil {
		// Only rewind, save and status need it.
		s.logger.Warn("tapedeck rewind, save and status will not find this proxy", "error", err)
		forget = func() {}
	}
	if s.opt.readyFile != "" {
		if err := writeOutput(s.opt.readyFile, []byte(s.address+"\n")); err != nil {
			forget()
			return nil, fmt.Errorf("--ready-file: %w", err)
		}
	}
	return forget, nil
}
