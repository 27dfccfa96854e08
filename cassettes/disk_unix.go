//go:build !windows

package cassettes

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/google/renameio/v2"
)

// replace writes base in root by way of a temporary file beside it.
func replace(root *os.Root, base string, data []byte, perm fs.FileMode) error {
	f, err := renameio.NewPendingFile(base, renameio.WithRoot(root), renameio.WithStaticPermissions(perm))
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	return nil
}

// syncDir syncs a folder. Some network file systems cannot, and say EINVAL.
func syncDir(f *os.File) error {
	if err := f.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
