package cassettes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// An osDisk is a folder of the operating system. os.Root keeps every access
// inside: links may point to places in the folder, not out of it.
type osDisk struct{ dir string }

func newOSDisk(dir string) (*osDisk, error) {
	abs, err := filepath.Abs(dir) // the program may change its working folder
	if err != nil {
		return nil, fmt.Errorf("the cassette folder's path cannot be made absolute: %w", err)
	}
	return &osDisk{abs}, nil
}

// in opens the folder that a path stands in, and returns the path's last element.
func (d *osDisk) in(name string) (*os.Root, string, error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, "", err
	}
	dir, base := path.Split(name)
	if dir == "" {
		return root, base, nil
	}
	defer root.Close()
	sub, err := root.OpenRoot(filepath.FromSlash(path.Clean(dir)))
	if err != nil {
		return nil, "", d.explain(name, err)
	}
	return sub, base, nil
}

// explain says so when an access failed because of a link out of the folder.
func (d *osDisk) explain(name string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	at := d.dir
	for element := range strings.SplitSeq(name, "/") {
		at = filepath.Join(at, element)
		if info, statErr := os.Lstat(at); statErr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s is reached by a link that leads out of the cassette folder; put the file itself there: %w", name, err)
		}
	}
	return err
}

func (d *osDisk) Open(name string) (io.ReadCloser, error) {
	root, base, err := d.in(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(base)
	if err != nil {
		return nil, d.explain(name, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s is not a file", name))
	}
	return f, nil
}

func (d *osDisk) List(dir string) ([]fs.DirEntry, error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(dir))
	if err != nil {
		return nil, d.explain(dir, err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	return sortedEntries(entries), err
}

func (d *osDisk) Mkdir(dir string, perm fs.FileMode) (bool, error) {
	if dir == "." {
		return false, os.MkdirAll(d.dir, perm)
	}
	root, base, err := d.in(dir)
	if err != nil {
		return false, err
	}
	defer root.Close()
	err = root.Mkdir(base, perm)
	if !errors.Is(err, fs.ErrExist) {
		return err == nil, d.explain(dir, err)
	}
	info, err := root.Stat(base)
	if err != nil {
		return false, d.explain(dir, err)
	}
	if !info.IsDir() {
		return false, fmt.Errorf("%s stands where a folder is needed; move it away", dir)
	}
	if perm == 0o700 && info.Mode().Perm()&0o077 != 0 {
		return false, root.Chmod(base, perm)
	}
	return false, nil
}

func (d *osDisk) Replace(name string, data []byte, perm fs.FileMode) error {
	root, base, err := d.in(name)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := d.notLinkedOut(root, name, base); err != nil {
		return err
	}
	return d.explain(name, replace(root, base, data, perm))
}

// notLinkedOut refuses to put a file where a link out of the folder stands:
// whoever made the link expects it to be followed.
func (d *osDisk) notLinkedOut(root *os.Root, name, base string) error {
	info, err := root.Lstat(base)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	if _, err := root.Stat(base); err != nil {
		return d.explain(name, fmt.Errorf("refused: %w", errLink))
	}
	return nil
}

var errLink = errors.New("a link out of the cassette folder")

func (d *osDisk) Append(name string, perm fs.FileMode) (Log, bool, error) {
	root, base, err := d.in(name)
	if err != nil {
		return nil, false, err
	}
	defer root.Close()
	_, err = root.Lstat(base)
	made := errors.Is(err, fs.ErrNotExist)
	f, err := root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_APPEND, perm)
	if err != nil {
		return nil, false, d.explain(name, err)
	}
	return f, made, nil
}

func (d *osDisk) Rename(from, to string) error {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return d.explain(from, root.Rename(filepath.FromSlash(from), filepath.FromSlash(to)))
}

func (d *osDisk) Remove(name string) error {
	root, base, err := d.in(name)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Remove(base)
}

func (d *osDisk) SyncDir(dir string) error {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(dir))
	if err != nil {
		return d.explain(dir, err)
	}
	defer f.Close()
	return syncDir(f)
}

func sortedEntries(entries []fs.DirEntry) []fs.DirEntry {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries
}
