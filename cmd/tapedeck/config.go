package main

import (
	"errors"
	"io/fs"
	"os"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers/config"
)

// configHere reads the configuration for the folder that the program runs in.
// Its faults are usage errors.
func configHere(explicit string) (*config.Config, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(wd, explicit)
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

// redactionOf is what the redactor is to do: what the configuration says, and the flags.
func redactionOf(cfg *config.Config, opt options) (redact.Config, error) {
	out, err := cfg.Redaction(opt.pii, opt.allowLive)
	if err != nil {
		return out, usagef("--pii=false: %w", err)
	}
	return out, nil
}

// bare is an error of the file system without the path, which the message has already.
func bare(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}
