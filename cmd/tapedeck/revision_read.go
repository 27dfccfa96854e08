package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"tapedeck/cassettes"
	"tapedeck/cassettes/diff"
	"tapedeck/matchers/config"
	"tapedeck/matchers/profiles"
)

// A revisionSide is one of the two states of the files that are compared.
type revisionSide struct {
	repo *repository
	tree string // "" for the work tree
	name string // "main:", put before the names of files in errors; "" for the work tree
}

// data is the content of a file; id is that of its content in the tree.
func (s revisionSide) data(name, id string) ([]byte, error) {
	if s.tree != "" {
		return s.repo.blob(id)
	}
	data, err := os.ReadFile(s.repo.path(name))
	if err != nil {
		return nil, usagef("%s cannot be read: %w", name, bare(err))
	}
	return data, nil
}

// bodies opens the body files of the cassette called name as they were on this side.
func (s revisionSide) bodies(name string) cassettes.Bodies {
	if s.tree == "" {
		return cassettes.BodiesBeside(s.repo.path(name))
	}
	folder := strings.TrimSuffix(name, ".yaml") + ".bodies"
	return func(body string) (io.ReadCloser, error) {
		id, err := s.repo.idIn(s.tree, folder+"/"+body)
		if err != nil {
			return nil, err
		}
		return s.open(id)
	}
}

// open reads the content of a body file, unless it is a pointer to where that is.
func (s revisionSide) open(id string) (io.ReadCloser, error) {
	content, err := s.repo.stream(id)
	if err != nil {
		return nil, err
	}
	head := make([]byte, len(pointerToLFS))
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.Join(err, content.Close())
	}
	if bytes.Equal(head[:n], pointerToLFS) {
		return nil, errors.Join(errors.New("it is a pointer of Git LFS in this revision; check the revision out, so that LFS fetches it, and compare folders"), content.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), content), content}, nil
}

// revisions reads what --git compares: the cassettes that differ, and the rules.
func (d *differ) revisions(r *repository, g revisionRange) ([]diff.Pair, []diff.RuleChange, error) {
	old := revisionSide{r, g.old, shortID(g.old) + ":"}
	new := revisionSide{r, g.new, ""}
	if g.new != "" {
		new.name = shortID(g.new) + ":"
	}
	changed, err := r.changes(g.old, g.new, g.paths...)
	if err != nil {
		return nil, nil, usagef("--git: %w", err)
	}
	var pairs []diff.Pair
	for _, c := range changed {
		if !isYAML(c.old) && !isYAML(c.new) {
			continue
		}
		pair, isPair, err := d.pair(c, old, new)
		if err != nil {
			return nil, nil, err
		}
		if isPair {
			pairs = append(pairs, pair)
		}
	}
	rules, err := d.rules(old, new)
	return pairs, rules, err
}

func shortID(id string) string { return id[:min(len(id), 10)] }

// pair reads both sides of a file that differs, if it is a cassette on one of them: then
// it is one on the other too, or damaged.
func (d *differ) pair(c treeChange, old, new revisionSide) (pair diff.Pair, isPair bool, err error) {
	type half struct {
		side     revisionSide
		name, id string
		into     **diff.Cassette
		data     []byte
	}
	halves := []*half{{side: old, name: c.old, id: c.oldID, into: &pair.Old}, {side: new, name: c.new, id: c.newID, into: &pair.New}}
	for _, h := range halves {
		if h.name == "" {
			continue
		}
		if h.data, err = h.side.data(h.name, h.id); err != nil {
			return pair, false, wrongInput(err)
		}
		isPair = isPair || isCassette(h.data)
	}
	if !isPair {
		return pair, false, nil
	}
	for _, h := range halves {
		if h.name == "" {
			continue
		}
		if *h.into, err = d.read(h.side.name+h.name, h.data, h.side.bodies(h.name)); err != nil {
			return pair, false, err
		}
		(*h.into).Name = d.station.shown(h.name)
		h.data = nil
	}
	return pair, true, nil
}

// wrongInput makes an error one of the command line: what it names cannot be compared.
func wrongInput(err error) error {
	if errors.As(err, new(usageError)) {
		return err
	}
	return usageError{err}
}

// rules compares the files of the configuration: every tapedeck.yaml of the repository,
// and the files that those in force are made of.
func (d *differ) rules(old, new revisionSide) ([]diff.RuleChange, error) {
	paths := []string{":(top,glob)**/" + config.Name}
	for _, name := range d.station.cfg.Files {
		if inRepo, ok := old.repo.nameOf(name); ok && path.Base(inRepo) != config.Name {
			paths = append(paths, ":(top,literal)"+inRepo)
		}
	}
	changed, err := old.repo.changes(old.tree, new.tree, paths...)
	if err != nil {
		return nil, usagef("--git: %w", err)
	}
	var out []diff.RuleChange
	for _, c := range changed {
		var sides [2][]byte
		for i, at := range []struct {
			side     revisionSide
			name, id string
		}{{old, c.old, c.oldID}, {new, c.new, c.newID}} {
			if at.name == "" {
				continue
			}
			if sides[i], err = at.side.data(at.name, at.id); err != nil {
				return nil, wrongInput(err)
			}
		}
		name := c.new
		if name == "" {
			name = c.old
		}
		name = escaped(d.station.shown(name), "")
		// What was broken before is no reason not to compare what is there now.
		if _, err := profiles.Parse(old.name+name, sides[0]); err != nil {
			d.note("warning: the rules of " + name + " are compared with none: " + firstLine(err.Error()))
			sides[0] = nil
		}
		list, err := diff.CompareRules(name, sides[0], sides[1])
		if err != nil {
			return nil, usageError{err}
		}
		for _, rule := range list {
			rule.What, rule.Old, rule.New = d.station.shown(rule.What), d.station.shown(rule.Old), d.station.shown(rule.New)
			out = append(out, rule)
		}
	}
	return out, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// nameOf is a file's name below the root of the work tree.
func (r *repository) nameOf(file string) (string, bool) {
	abs, err := filepath.Abs(file)
	if err != nil || r.root == "" {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	name, err := filepath.Rel(r.root, abs)
	if err != nil || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return "", false
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	return filepath.ToSlash(name), true
}
