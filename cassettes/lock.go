package cassettes

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// longestHolder bounds what is read of a lock file, in bytes.
const longestHolder = 256

// Lock takes an advisory lock, which the system releases when the process ends,
// however it ends. The file stays: removing it would let two hold it at once.
// While it is held the file says who does.
func (d *osDisk) Lock(name string) (unlock func() error, holder string, held bool, err error) {
	root, base, err := d.in(name)
	if err != nil {
		return nil, "", false, err
	}
	f, err := root.OpenFile(base, os.O_RDWR|os.O_CREATE, 0o600)
	root.Close()
	if err != nil {
		return nil, "", false, d.explain(name, err)
	}
	lock := flock.New(filepath.Join(d.dir, filepath.FromSlash(name)))
	held, err = lock.TryLock()
	if err != nil {
		f.Close()
		return nil, "", false, fmt.Errorf("%s cannot be locked: %w; is the folder on a file system without locks?", name, err)
	}
	if !held {
		defer f.Close()
		line, _ := io.ReadAll(io.LimitReader(f, longestHolder)) // Windows refuses to read a locked file
		return nil, strings.TrimSpace(string(line)), false, nil
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(me()+"\n"), 0)
	}
	if err != nil {
		f.Close()
		lock.Unlock()
		return nil, "", false, fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return func() error {
		f.Truncate(0)
		f.Close()
		return lock.Unlock()
	}, "", true, nil
}

// me names this process for others. Of the command line only the program and
// its subcommand are told: the rest may hold credentials.
func me() string {
	command := filepath.Base(os.Args[0])
	if len(os.Args) > 1 && os.Args[1] != "" && strings.Trim(os.Args[1], "abcdefghijklmnopqrstuvwxyz") == "" {
		command += " " + os.Args[1]
	}
	return fmt.Sprintf("%s (pid %d, since %s)", command, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
}
