//go:build unix

package ca

import (
	"fmt"
	"os"
)

// private refuses a key that others could read: whoever has it can pose as any
// host to every client that trusts the authority.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w", path, reason(err))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: can be read by other users (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return nil
}
