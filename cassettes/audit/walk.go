package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"tapedeck/cassettes/foreign"
)

// A File is one that is to be looked through.
type File struct {
	Path string
	Size int64
	// Named says that the user named it: then it must be a cassette. One that was met
	// in a folder may be anything.
	Named bool
}

// Find lists the files that paths mean: files as they are named, folders with all that
// is in them. Links that stand in a folder are not followed, and .git, node_modules and
// tapedeck's private folders are left out. skipped counts what a folder held beside
// regular files. With skipOthers a file that was named may be anything too: hooks name
// every file that a commit touches.
func Find(paths []string, skipOthers bool) (files []File, skipped int, err error) {
	seen := make(map[string]bool)
	add := func(f File) {
		if clean := filepath.Clean(f.Path); !seen[clean] {
			seen[clean] = true
			files = append(files, f)
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, 0, unreadable(path, err)
		}
		if !info.IsDir() {
			if !info.Mode().IsRegular() {
				return nil, 0, &foreign.Error{File: path, Fault: "this is no regular file", Cure: "name a cassette, or a folder that holds some"}
			}
			add(File{path, info.Size(), !skipOthers})
			continue
		}
		err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return unreadable(at, err)
			case e.IsDir():
				if at != path && leftOut[e.Name()] {
					return filepath.SkipDir
				}
				return nil
			case !e.Type().IsRegular():
				skipped++
				return nil
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it was removed just now
			}
			if err != nil {
				return unreadable(at, err)
			}
			add(File{at, info.Size(), false})
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return files, skipped, nil
}

var leftOut = map[string]bool{".git": true, "node_modules": true, ".tapedeck": true}

// errOther says that a file met in a folder is something else than a cassette.
var errOther = errors.New("no cassette")

// load reads a file of the list, errOther when it can be passed over.
func load(f File) ([]byte, error) {
	if f.Named {
		return readFile(f.Path)
	}
	if f.Size > foreign.Largest || f.Size == 0 {
		return nil, errOther
	}
	head, err := readHead(f.Path)
	if err != nil {
		return nil, err
	}
	if !mayBeCassette(head) {
		return nil, errOther
	}
	return readFile(f.Path)
}

// headLength is how much of a file tells whether it may be a cassette, in bytes.
const headLength = 64 << 10

func readHead(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	defer f.Close()
	head := make([]byte, headLength)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, unreadable(file, err)
	}
	return head[:n], nil
}

// cassetteKeys are the keys that cassettes have near their beginning, in YAML in the
// first column.
var cassetteKeys = regexp.MustCompile(`(?m)^(?:http_interactions|interactions):|"(?:http_interactions|interactions|entries|pairs|mappings|scope|request)"\s*:`)

func mayBeCassette(head []byte) bool {
	return bytes.IndexByte(head, 0) < 0 && cassetteKeys.Match(head)
}

// cassetteNames are the endings of names under which a broken file is an error also
// in a folder; anything else that cannot be read as a cassette there is none.
var cassetteNames = []string{".yaml", ".yml", ".json", ".har", ""}

// other reports that a file met in a folder is to be passed over although it looked
// like a cassette.
func other(f File, err error) bool {
	if f.Named {
		return false
	}
	return errors.Is(err, foreign.ErrUnknown) || !slices.Contains(cassetteNames, strings.ToLower(filepath.Ext(f.Path)))
}

// A Summary is what was found in all files.
type Summary struct {
	// Reports are in the order of the files.
	Reports []*Report
	// Skipped counts the files of folders that are no cassettes.
	Skipped int
	// Errors are about files that could not be read, one line each.
	Errors []error
}

// Count counts findings, kept ones and suspects.
func (s *Summary) Count() (found, kept, suspects, files int) {
	for _, r := range s.Reports {
		found, kept, suspects = found+len(r.Findings), kept+len(r.Kept), suspects+len(r.Suspects)
		if len(r.Findings) > 0 {
			files++
		}
	}
	return
}

// Files looks through files, several at a time. progress, if it is not nil, is told the
// size of each that is done, from any goroutine.
func (a *Auditor) Files(ctx context.Context, files []File, progress func(size int64)) (*Summary, error) {
	reports := make([]*Report, len(files))
	faults := make([]error, len(files))
	err := eachFile(ctx, files, progress, func(i int, f File) {
		data, err := load(f)
		if err == nil {
			reports[i], err = a.Data(f.Path, data)
		}
		faults[i] = err
	})
	if err != nil {
		return nil, err
	}
	s := &Summary{}
	for i, r := range reports {
		switch {
		case r != nil:
			s.Reports = append(s.Reports, r)
		case errors.Is(faults[i], errOther), other(files[i], faults[i]):
			s.Skipped++
		default:
			s.Errors = append(s.Errors, faults[i])
		}
	}
	return s, nil
}

// eachFile calls do for every file, on as many processors as there are.
func eachFile(ctx context.Context, files []File, progress func(int64), do func(i int, f File)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			defer func() {
				if fault := recover(); fault != nil { // a panic's text may hold traffic
					err = fmt.Errorf("%s: looking through it failed; please report a bug with the file's format", f.Path)
				}
			}()
			do(i, f)
			if progress != nil {
				progress(f.Size)
			}
			return nil
		})
	}
	return group.Wait()
}
