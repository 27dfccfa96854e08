package cassettes

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A folder is a Store in a folder of the file system. It never touches anything
// outside of it.
type folder struct{ disk disk }

// NewFolder returns the store of the cassettes in dir, which need not exist yet.
func NewFolder(dir string) (Store, error) {
	d, err := newOSDisk(dir)
	if err != nil {
		return nil, err
	}
	return &folder{d}, nil
}

// A disk is what a folder needs of a file system: the seam where tests let it
// fail. Paths are slash paths below the folder; no link is followed out of it.
type disk interface {
	Open(path string) (io.ReadCloser, error)
	// List returns the names in a folder, sorted, and whether each is a folder.
	List(dir string) ([]fs.DirEntry, error)
	// Mkdir makes one folder and reports whether it is new.
	Mkdir(dir string, perm fs.FileMode) (made bool, err error)
	// Replace writes a temporary file in the same folder, syncs it and renames it.
	Replace(path string, data []byte, perm fs.FileMode) error
	// Append opens a file for appending and reports whether it is new.
	Append(path string, perm fs.FileMode) (log Log, made bool, err error)
	Rename(from, to string) error
	Remove(path string) error
	// SyncDir makes the names in a folder survive a power failure.
	SyncDir(dir string) error
	// Lock takes a lock on a file. held is false when someone else has it.
	Lock(path string) (unlock func() error, holder string, held bool, err error)
}

func isPrivate(object string) bool {
	return path.Base(path.Dir(object)) == private || strings.Contains(object, private+"/")
}

func (f *folder) Open(object string) (io.ReadCloser, error) {
	if err := checkObject(object); err != nil {
		return nil, err
	}
	r, err := f.disk.Open(object)
	if errors.Is(err, fs.ErrNotExist) && !isPrivate(object) {
		if other := f.checkCase(object); other != nil {
			return nil, other
		}
	}
	return r, err
}

func (f *folder) Replace(object string, data []byte) error {
	dir, err := f.prepare(object)
	if err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if isPrivate(object) {
		perm = 0o600
	}
	if err := f.removeTemporary(dir, path.Base(object)); err != nil {
		return err
	}
	if err := f.disk.Replace(object, data, perm); err != nil {
		return err
	}
	return f.disk.SyncDir(dir)
}

// removeTemporary removes what a killed process left of a file that it was
// writing: renameio calls it "." + name + digits.
func (f *folder) removeTemporary(dir, base string) error {
	entries, err := f.disk.List(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+base)
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			if err := f.disk.Remove(path.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (f *folder) Append(object string) (Log, error) {
	dir, err := f.prepare(object)
	if err != nil {
		return nil, err
	}
	log, made, err := f.disk.Append(object, 0o600)
	if err != nil {
		return nil, err
	}
	if made {
		if err := f.disk.SyncDir(dir); err != nil {
			log.Close()
			return nil, err
		}
	}
	return log, nil
}

func (f *folder) Create(dir string) (Draft, error) {
	object := path.Join(dir, draftPrefix+rand.Text())
	if _, err := f.prepare(object); err != nil {
		return nil, err
	}
	perm := fs.FileMode(0o644)
	if isPrivate(object) {
		perm = 0o600
	}
	log, _, err := f.disk.Append(object, perm)
	if err != nil {
		return nil, err
	}
	return &draft{folder: f, object: object, log: log}, nil
}

// A draft is a file that gets its name when it is whole.
type draft struct {
	folder *folder
	object string
	log    Log // nil when it is closed
	named  bool
}

func (d *draft) Write(p []byte) (int, error) { return d.log.Write(p) }

func (d *draft) Sync() error { return d.log.Sync() }

func (d *draft) Commit(object string) error {
	if err := checkObject(object); err != nil {
		return errors.Join(err, d.Discard())
	}
	err := d.log.Sync()
	err = errors.Join(err, d.log.Close())
	d.log = nil
	if err == nil {
		err = d.folder.disk.Rename(d.object, object)
	}
	if err != nil {
		return errors.Join(err, d.Discard())
	}
	d.named = true
	return d.folder.disk.SyncDir(path.Dir(object))
}

func (d *draft) Discard() error {
	if d.named {
		return nil
	}
	var err error
	if d.log != nil {
		err = d.log.Close()
		d.log = nil
	}
	return errors.Join(err, d.folder.Remove(d.object))
}

func (f *folder) Move(from, to string) error {
	if err := checkObject(from); err != nil {
		return err
	}
	if err := checkObject(to); err != nil {
		return err
	}
	if err := f.disk.Rename(from, to); err != nil {
		return err
	}
	return f.disk.SyncDir(path.Dir(to))
}

func (f *folder) Remove(object string) error {
	if err := checkObject(object); err != nil {
		return err
	}
	err := f.disk.Remove(object)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.disk.SyncDir(path.Dir(object))
}

func (f *folder) List(dir string) ([]string, error) {
	if err := checkObject(dir); err != nil {
		return nil, err
	}
	entries, err := f.disk.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (f *folder) Lock(object string) (func() error, error) {
	if _, err := f.prepare(object); err != nil {
		return nil, err
	}
	unlock, holder, held, err := f.disk.Lock(object)
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, &LockedError{Object: object, Holder: holder}
	}
	return unlock, nil
}

// prepare makes the folder that an object stands in, and refuses a name that
// differs from one in use by its case only: the two would be one file on macOS
// and Windows.
func (f *folder) prepare(object string) (dir string, err error) {
	if err := checkObject(object); err != nil {
		return "", err
	}
	if !isPrivate(object) { // a lock outlives its cassette and must not bar its name
		if err := f.checkCase(object); err != nil {
			return "", err
		}
	}
	dir = path.Dir(object)
	made := "."
	if _, err := f.mkdir(made, 0o755); err != nil {
		return "", err
	}
	for element := range strings.SplitSeq(dir, "/") {
		made = path.Join(made, element)
		if made == "." {
			continue
		}
		perm := fs.FileMode(0o755)
		if isPrivate(made + "/") {
			perm = 0o700
		}
		if _, err := f.mkdir(made, perm); err != nil {
			return "", err
		}
		if element == private {
			if err := f.ignore(made); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
}

func (f *folder) mkdir(dir string, perm fs.FileMode) (bool, error) {
	made, err := f.disk.Mkdir(dir, perm)
	if err != nil || !made || dir == "." {
		return made, err
	}
	return made, f.disk.SyncDir(path.Dir(dir))
}

// ignore keeps a private folder out of version control.
func (f *folder) ignore(dir string) error {
	file := path.Join(dir, ".gitignore")
	r, err := f.disk.Open(file)
	if err == nil {
		return r.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.disk.Replace(file, []byte("*\n"), 0o600)
}

func (f *folder) checkCase(object string) error {
	dir := "."
	for element := range strings.SplitSeq(object, "/") {
		entries, err := f.disk.List(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(entries, func(e fs.DirEntry) bool {
			return e.Name() != element && strings.EqualFold(e.Name(), element)
		}); i >= 0 {
			return fmt.Errorf("%s differs only in case from %s, which exists; use that name", object, path.Join(dir, entries[i].Name()))
		}
		dir = path.Join(dir, element)
	}
	return nil
}

func checkObject(object string) error {
	if !fs.ValidPath(object) || object == "." || strings.ContainsAny(object, `\:`) {
		return fmt.Errorf("%q is not a path below the cassette folder", object)
	}
	return nil
}
