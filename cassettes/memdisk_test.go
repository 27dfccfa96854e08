package cassettes

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A memDisk is a file system that can stop at any step, like a killed process
// or a cable pulled, and tells what a later process would find. It keeps
// apart what is written and what is known to be on the platter.
type memDisk struct {
	mu     sync.Mutex
	dirs   map[string]*memDir
	locked map[string]bool
	steps  int
	stopAt int // the step that is not finished; 0 is never
	dead   bool
	space  int // bytes that may still be written; -1 is no limit
}

type memDir struct {
	files, durable map[string]*memFile
	lasting        bool // its own name is on the platter
}

type memFile struct{ data, durable []byte }

var errPowerOff = errors.New("the power is off")

func newMemDisk() *memDisk {
	return &memDisk{dirs: map[string]*memDir{".": newMemDir(true)}, locked: map[string]bool{}, space: -1}
}

func newMemDir(lasting bool) *memDir {
	return &memDir{files: map[string]*memFile{}, durable: map[string]*memFile{}, lasting: lasting}
}

// step counts one change of the disk. It is an error from the step on at which the power goes.
func (d *memDisk) step() error {
	if d.dead {
		return errPowerOff
	}
	d.steps++
	if d.steps == d.stopAt {
		d.dead = true
		return errPowerOff
	}
	return nil
}

// A crash says what survives.
type crash string

const (
	killed        crash = "killed"                       // all that was written
	powerLost     crash = "power lost"                   // only what was synced
	namesSurvived crash = "power lost, names survived"   // renames, but only synced bytes
	zerosSurvived crash = "power lost, lengths survived" // renames and lengths, unsynced bytes are zero
)

var crashes = []crash{killed, powerLost, namesSurvived, zerosSurvived}

// after is the disk as the next process finds it.
func (d *memDisk) after(c crash) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := newMemDisk()
	for name, dir := range d.dirs {
		if c == powerLost && !dir.lasting {
			continue
		}
		files := dir.files
		if c == powerLost {
			files = dir.durable
		}
		image := newMemDir(true)
		for base, f := range files {
			data := f.durable
			switch c {
			case killed:
				data = f.data
			case zerosSurvived:
				if n := len(f.data) - len(f.durable); n > 0 {
					data = append(slices.Clone(f.durable), make([]byte, n)...)
				}
			}
			copied := &memFile{data: slices.Clone(data), durable: slices.Clone(data)}
			image.files[base], image.durable[base] = copied, copied
		}
		next.dirs[name] = image
	}
	// A folder whose parent was lost is lost.
	for name := range next.dirs {
		for up := path.Dir(name); up != "."; up = path.Dir(up) {
			if next.dirs[up] == nil {
				delete(next.dirs, name)
			}
		}
	}
	return next
}

func (d *memDisk) find(name string) (*memDir, *memFile, error) {
	dir := d.dirs[path.Dir(name)]
	if dir == nil || dir.files[path.Base(name)] == nil {
		return dir, nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return dir, dir.files[path.Base(name)], nil
}

func (d *memDisk) Open(name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return nil, errPowerOff
	}
	_, f, err := d.find(name)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(slices.Clone(f.data))), nil
}

func (d *memDisk) List(dir string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.dirs[dir]
	if found == nil {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: fs.ErrNotExist}
	}
	var list []fs.DirEntry
	for name := range found.files {
		list = append(list, memEntry{name, false})
	}
	for name := range d.dirs {
		if name != "." && path.Dir(name) == dir {
			list = append(list, memEntry{path.Base(name), true})
		}
	}
	return sortedEntries(list), nil
}

func (d *memDisk) Mkdir(dir string, _ fs.FileMode) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs[dir] != nil {
		return false, nil
	}
	if err := d.step(); err != nil {
		return false, err
	}
	d.dirs[dir] = newMemDir(false)
	return true, nil
}

func (d *memDisk) Replace(name string, data []byte, _ fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.dirs[path.Dir(name)]
	if dir == nil {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	if err := d.step(); err != nil {
		return err
	}
	temporary, f := "."+path.Base(name)+"123", &memFile{}
	dir.files[temporary] = f
	err := d.write(f, data)
	if err == nil {
		if err = d.step(); err == nil {
			f.durable = slices.Clone(f.data)
			err = d.step()
		}
	}
	if d.dead {
		return err
	}
	delete(dir.files, temporary)
	if err == nil {
		dir.files[path.Base(name)] = f
	}
	return err
}

// write appends half of data when the power goes, and what fits when the disk is full.
func (d *memDisk) write(f *memFile, data []byte) error {
	err := d.step()
	n := len(data)
	if err != nil {
		if d.steps == d.stopAt {
			n /= 2
		} else {
			n = 0
		}
	} else if d.space >= 0 && n > d.space {
		n, err = d.space, syscall.ENOSPC
	}
	if d.space >= 0 {
		d.space -= n
	}
	f.data = append(f.data, data[:n]...)
	return err
}

func (d *memDisk) Append(name string, _ fs.FileMode) (Log, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, f, err := d.find(name)
	if dir == nil {
		return nil, false, err
	}
	made := f == nil
	if made {
		if err := d.step(); err != nil {
			return nil, false, err
		}
		f = &memFile{}
		dir.files[path.Base(name)] = f
	}
	return &memLog{d, f}, made, nil
}

func (d *memDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, f, err := d.find(from)
	if err != nil {
		return err
	}
	if err := d.step(); err != nil {
		return err
	}
	delete(dir.files, path.Base(from))
	d.dirs[path.Dir(to)].files[path.Base(to)] = f
	return nil
}

func (d *memDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, _, err := d.find(name)
	if err != nil {
		return err
	}
	if err := d.step(); err != nil {
		return err
	}
	delete(dir.files, path.Base(name))
	return nil
}

func (d *memDisk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.dirs[dir]
	if found == nil {
		return &fs.PathError{Op: "sync", Path: dir, Err: fs.ErrNotExist}
	}
	if err := d.step(); err != nil {
		return err
	}
	found.durable = maps.Clone(found.files)
	for name, sub := range d.dirs {
		if path.Dir(name) == dir {
			sub.lasting = true
		}
	}
	return nil
}

func (d *memDisk) Lock(name string) (func() error, string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked[name] {
		return nil, "a test (pid 1, since now)", false, nil
	}
	d.locked[name] = true
	return func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locked, name)
		return nil
	}, "", true, nil
}

type memLog struct {
	disk *memDisk
	file *memFile
}

func (l *memLog) Write(p []byte) (int, error) {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	before := len(l.file.data)
	err := l.disk.write(l.file, p)
	return len(l.file.data) - before, err
}

func (l *memLog) Truncate(size int64) error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if err := l.disk.step(); err != nil {
		return err
	}
	l.file.data = l.file.data[:size]
	return nil
}

func (l *memLog) Sync() error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if err := l.disk.step(); err != nil {
		return err
	}
	l.file.durable = slices.Clone(l.file.data)
	return nil
}

func (l *memLog) Close() error { return nil }

// everything lists the disk's files, for failure messages.
func (d *memDisk) everything() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.dirs)) {
		for _, base := range slices.Sorted(maps.Keys(d.dirs[name].files)) {
			b.WriteString(path.Join(name, base) + "\n")
		}
	}
	return b.String()
}

// holder names a file that holds a text, or is "".
func (d *memDisk) holder(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, dir := range d.dirs {
		for base, f := range dir.files {
			if bytes.Contains(f.data, []byte(text)) {
				return path.Join(name, base)
			}
		}
	}
	return ""
}

type memEntry struct {
	name string
	dir  bool
}

func (e memEntry) Name() string               { return e.name }
func (e memEntry) IsDir() bool                { return e.dir }
func (e memEntry) Type() fs.FileMode          { return 0 }
func (e memEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e memEntry) Size() int64                { return 0 }
func (e memEntry) Mode() fs.FileMode          { return 0 }
func (e memEntry) ModTime() time.Time         { return time.Time{} }
func (e memEntry) Sys() any                   { return nil }
