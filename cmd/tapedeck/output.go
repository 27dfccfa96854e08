package main

import (
	"os"

	"github.com/google/renameio/v2/maybe"
)

// writeOutput writes a file that the user has named. A regular one is replaced
// whole; a pipe, a terminal or another device is written to, as /dev/stdout is, and
// never replaced.
func writeOutput(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		return err
	}
	return maybe.WriteFile(path, data, 0o644)
}

// removeOutput removes what an earlier run left under a name that the user has
// given, unless it is a device.
func removeOutput(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return os.Remove(path)
}
