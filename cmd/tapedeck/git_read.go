package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/matchers/config"
)

// readersFor makes what reading a cassette of a folder needs, by the configuration that
// holds there. The folder need not exist: a merge may be about to make it.
func readersFor(dir string) (*clean.Cleaner, *matchers.Matcher, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	cfg, err := config.Load(dir, "")
	if err != nil {
		return nil, nil, usageError{err}
	}
	s := &station{cfg: cfg}
	if err := s.compileRules(os.Environ()); err != nil {
		return nil, nil, err
	}
	return s.cleaner(), s.matcher, nil
}

// readerOfAny reads cassettes of which it is not known where they stand, as git's
// temporary copies are: headers are shown as the file has them.
func readerOfAny() (*clean.Cleaner, error) {
	cfg, err := configHere("")
	if err != nil {
		return nil, err
	}
	s := &station{cfg: cfg}
	if err := s.compileRules(os.Environ()); err != nil {
		return nil, err
	}
	c := s.cleaner()
	c.KeepRequestHeader = func(redact.Scope, string) bool { return true }
	c.DropResponseHeader = nil
	return c, nil
}

// saysCassette reports a file that begins as a cassette does, whole or not.
func saysCassette(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return cassetteVersion.Match(data) && cassetteList.Match(data)
}

// gitBodies opens the body files of the cassette at name, below the root of the work tree
// that the program runs in: those beside it, or those of any branch. While git merges, the
// other branch's are not in the work tree yet.
func gitBodies(ctx context.Context, name string) cassettes.Bodies {
	beside := cassettes.BodiesBeside(filepath.FromSlash(name))
	return func(body string) (io.ReadCloser, error) {
		r, err := beside(body)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
		repo, err := openRepository(ctx)
		if err != nil {
			return nil, err
		}
		defer repo.close()
		at := path.Join(strings.TrimSuffix(name, ".yaml")+".bodies", body)
		args := []string{"log", "--all", "-1", "--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=A"}
		for _, head := range []string{"HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "ORIG_HEAD"} {
			if id := repo.resolve(head); id != "" {
				args = append(args, id)
			}
		}
		out, err := repo.run(append(args, "--", at)...)
		if err != nil {
			return nil, err
		}
		fields := strings.Fields(string(out))
		if len(fields) < 4 {
			return nil, fs.ErrNotExist
		}
		return repo.stream(fields[3])
	}
}
