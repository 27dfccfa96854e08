package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

func recoverCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "recover",
		Usage:     "save what a killed recorder left in its journal",
		ArgsUsage: "CASSETTE…",
		Description: examples(
			"tapedeck recover cassettes/default.yaml",
			"tapedeck recover cassettes/*.yaml",
			"tapedeck recover --config ci/tapedeck.yaml cassettes/default.yaml"),
		Flags: []cli.Flag{text("config", "read `FILE` and no other tapedeck.yaml")},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("name the cassettes to recover, as in: tapedeck recover cassettes/default.yaml")
			}
			for _, file := range c.Args().Slice() {
				s := &station{opt: options{cassette: file, config: c.String("config")}}
				cleaner, err := s.cleanerFor()
				if err != nil {
					return err
				}
				name := strings.TrimSuffix(filepath.Base(file), ".yaml")
				there, journal, err := cassettes.Exists(s.store, name)
				if err != nil {
					return err
				}
				added, err := cassettes.Recover(s.store, name, cleaner)
				if unknown, ok := errors.AsType[*redact.UnknownError](err); ok {
					fmt.Fprintf(std.err, "tapedeck: %s: not saved: %v; then recover it again\n", file, unknown)
					suspects(std.err, unknown.Suspects)
					return exitCode(exitIncomplete)
				}
				if err != nil {
					return err
				}
				if added == 0 && !there && !journal {
					return fmt.Errorf("%s: there is neither a cassette nor a journal of this name; check the path", file)
				}
				if added == 0 {
					fmt.Fprintf(std.err, "tapedeck: %s: no journal holds anything more\n", file)
				} else {
					fmt.Fprintf(std.err, "tapedeck: %s: recovered (requests: %d); it is marked unfinished\n", file, added)
				}
			}
			return nil
		},
	}
}

// cleanerFor makes what reading a cassette needs, and no proxy.
func (s *station) cleanerFor() (*clean.Cleaner, error) {
	for _, part := range []func() error{
		s.readMode, s.readConfig, s.findCassettes,
		// A cassette that another tool wrote may hold what the environment shows to be secret.
		func() error { return s.compileRules(os.Environ()) },
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return s.cleaner(), nil
}

// cleaner makes what reading a cassette needs, once the rules are compiled.
func (s *station) cleaner() *clean.Cleaner {
	return &clean.Cleaner{
		Vault:              redact.NewVault(s.rules),
		KeepRequestHeader:  func(sc redact.Scope, h string) bool { return s.matcher.Stores(sc, h) || s.cfg.KeepsRequest(h) },
		DropResponseHeader: func(h string) bool { return clean.Noise(h) && !s.cfg.KeepsResponse(h) },
	}
}
