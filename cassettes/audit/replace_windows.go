package audit

import (
	"io/fs"
	"os"
	"path/filepath"
)

// replaceAtomically writes a temporary file in the same folder, syncs it and renames it.
// Folders cannot be synced here.
func replaceAtomically(file string, data []byte, perm fs.FileMode) error {
	pending, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file))
	if err != nil {
		return err
	}
	defer os.Remove(pending.Name()) // gone after the rename
	_, err = pending.Write(data)
	if err == nil {
		err = pending.Sync()
	}
	if err2 := pending.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Chmod(pending.Name(), perm)
	}
	if err == nil {
		err = os.Rename(pending.Name(), file)
	}
	return err
}
