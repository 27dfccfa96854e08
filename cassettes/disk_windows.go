package cassettes

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
)

// replace writes base in root by way of a temporary file beside it. renameio
// leaves Windows out because its rename is atomic on NTFS only in practice, not
// by contract.
func replace(root *os.Root, base string, data []byte, perm fs.FileMode) error {
	temporary := "." + base + "." + rand.Text()
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = root.Rename(temporary, base)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

// syncDir does nothing: Windows has no way to sync a folder.
func syncDir(*os.File) error { return nil }
