package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Name is what a configuration file is called.
const Name = "tapedeck.yaml"

// Find lists the tapedeck.yaml files that hold for a folder, the farthest
// first: those from the repository's root down to the folder. Outside a
// repository only the folder itself is looked at, so that a file left in a
// shared parent such as /tmp does not configure other people's runs.
func Find(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for at := dir; ; at = filepath.Dir(at) {
		file := filepath.Join(at, Name)
		switch _, err := os.Stat(file); {
		case err == nil:
			found = append(found, file)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: %w; make it readable, or name another file with --config", file, bare(err))
		}
		// .git is a folder, or a file in worktrees and submodules.
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			slices.Reverse(found)
			return found, nil
		}
		if filepath.Dir(at) == at {
			break
		}
	}
	if len(found) > 0 && filepath.Dir(found[0]) == dir {
		return found[:1], nil
	}
	return nil, nil
}

// maxConfigSize is a little more than what profiles.Parse takes, so that its
// error is the one that is shown.
const maxConfigSize = 1<<20 + 1

func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigSize))
	if err != nil {
		return nil, bare(err)
	}
	return data, nil
}

// bare is an error of the file system without the path, which the message has already.
func bare(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}
