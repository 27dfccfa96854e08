//go:build !windows

package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// replaceAtomically writes a temporary file in the same folder, syncs it, renames it and
// syncs the folder, which renameio leaves to its caller.
func replaceAtomically(file string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(file)
	err := renameio.WriteFile(file, data, perm, renameio.WithTempDir(dir), renameio.IgnoreUmask())
	if err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil // some network file systems cannot
}
