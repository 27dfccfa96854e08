package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tapedeck/cassettes"
	"tapedeck/cassettes/diff"
)

// A differ reads both sides of a comparison.
type differ struct {
	station *station
	note    func(text string) // tells the user what reading found
}

// newDiffer reads the configuration, whose rules say which requests are the same and
// what is secret.
func newDiffer(config string, note func(string)) (*differ, error) {
	s := &station{opt: options{config: config}}
	if err := s.readConfig(); err != nil {
		return nil, err
	}
	if err := s.compileRules(os.Environ()); err != nil {
		return nil, err
	}
	for _, w := range s.cfg.Warnings {
		note("warning: " + w)
	}
	return &differ{s, note}, nil
}

var (
	cassetteVersion = regexp.MustCompile(`(?m)^(?:version|"version"): *["']?2\b`)
	cassetteList    = regexp.MustCompile(`(?m)^(?:interactions|"interactions"):`)
	pointerToLFS    = []byte("version https://git-lfs.github.com/spec/")
	journalBegins   = []byte("tapedeck-journal")
)

// isCassette reports whether a file's content is that of a cassette, whole or damaged.
func isCassette(data []byte) bool {
	return cassetteVersion.Match(data) && cassetteList.Match(data) || bytes.HasPrefix(data, pointerToLFS)
}

// isYAML reports whether a name may be that of a cassette.
func isYAML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// escaped writes what would move a terminal's cursor, or end a line that is not to end,
// as an escape. It leaves the characters of stays.
func escaped(text, stays string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || strings.ContainsRune(stays, r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// read makes one side of what data says. Its errors are wrong input. Whoever committed the
// file has named it, as they liked.
func (d *differ) read(name string, data []byte, bodies cassettes.Bodies) (*diff.Cassette, error) {
	name = d.station.shown(name)
	plain := name
	name = escaped(name, "")
	switch {
	case bytes.HasPrefix(data, pointerToLFS):
		return nil, usagef("%s is a pointer of Git LFS, not the cassette that it stands for; fetch that with \"git lfs pull\", and for another revision check it out", name)
	case bytes.HasPrefix(data, journalBegins):
		return nil, usagef("%s is the journal of a recording that was cut off, not a cassette; make one of it with \"tapedeck recover CASSETTE\"", name)
	}
	doc, err := cassettes.Read(name, data, bodies, d.station.cleaner())
	if err != nil {
		return nil, usageError{err}
	}
	for _, note := range doc.Notes {
		d.note(note)
	}
	return &diff.Cassette{Name: plain, List: doc.List, Unfinished: doc.Unfinished}, nil
}

// readFile reads a file of the work tree; name is how reports call it.
func (d *differ) readFile(name, path string) (*diff.Cassette, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("%s cannot be read: %w; check the path", path, bare(err))
	}
	return d.read(name, data, cassettes.BodiesBeside(path))
}

// paths pairs what is named on the command line: two files, or the cassettes of two
// folders.
func (d *differ) paths(old, new string) ([]diff.Pair, error) {
	isFolder := [2]bool{}
	for i, path := range []string{old, new} {
		info, err := os.Stat(path)
		if err != nil {
			return nil, usagef("%s: %w; check the path, or compare with git: tapedeck diff --git", path, bare(err))
		}
		isFolder[i] = info.IsDir()
	}
	if isFolder[0] != isFolder[1] {
		return nil, usagef("%s and %s: one is a file and one a folder; name two files or two folders", old, new)
	}
	if isFolder[0] {
		return d.folders(old, new)
	}
	var pair diff.Pair
	var err error
	if old != os.DevNull { // which git and others name for a file that is not there
		if pair.Old, err = d.readFile(old, old); err != nil {
			return nil, err
		}
	}
	if new != os.DevNull {
		if pair.New, err = d.readFile(new, new); err != nil {
			return nil, err
		}
	}
	return []diff.Pair{pair}, nil
}

// folders pairs the cassettes of two folders by their paths in them.
func (d *differ) folders(old, new string) ([]diff.Pair, error) {
	dirs := [2]string{old, new}
	var names []string
	for _, dir := range dirs {
		files, err := yamlFiles(dir)
		if err != nil {
			return nil, usagef("%s: %w", dir, err)
		}
		names = append(names, files...)
	}
	slices.Sort(names)
	var pairs []diff.Pair
	met := [2]bool{}
	for _, name := range slices.Compact(names) {
		var data [2][]byte
		for i, dir := range dirs {
			var err error
			if data[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, usagef("%s cannot be read: %w", filepath.Join(dir, name), bare(err))
			}
		}
		// One that is a cassette on one side only is a damaged file on the other.
		if !isCassette(data[0]) && !isCassette(data[1]) {
			continue
		}
		var pair diff.Pair
		for i, side := range []**diff.Cassette{&pair.Old, &pair.New} {
			if data[i] == nil {
				continue
			}
			met[i] = true
			path := filepath.Join(dirs[i], name)
			var err error
			if *side, err = d.read(path, data[i], cassettes.BodiesBeside(path)); err != nil {
				return nil, err
			}
			(*side).Name = d.station.shown(filepath.ToSlash(name))
		}
		pairs = append(pairs, pair)
	}
	for i, dir := range dirs {
		if !met[i] {
			return nil, usagef("%s: there is no cassette in this folder; check the path", dir)
		}
	}
	return pairs, nil
}

// yamlFiles lists what may be a cassette in a folder and those below, by the path in it.
func yamlFiles(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case entry.Type().IsRegular() && isYAML(path):
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	return names, err
}
