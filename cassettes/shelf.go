package cassettes

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"syscall"

	"tapedeck/cassettes/clean"
)

// A shelf holds the large bodies of one cassette: those of the saved file, and, beside
// the journal, those that are not saved yet. It implements clean.Shelf.
type shelf struct {
	store Store
	name  string
	held  *holding
}

// folders are where a body may lie.
func (s *shelf) folders() []string {
	return []string{privateOf(s.name, pendingSuffix), bodiesOf(s.name)}
}

func (s *shelf) Open(name string) (io.ReadCloser, error) {
	for _, folder := range s.folders() {
		r, err := s.store.Open(path.Join(folder, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	return nil, fmt.Errorf("body file %s: %w", name, fs.ErrNotExist)
}

// Create begins a body beside the journal.
func (s *shelf) Create() (clean.Draft, error) {
	s.held.mu.Lock()
	open := s.held.unlock != nil
	s.held.mu.Unlock()
	if !open {
		return nil, fmt.Errorf("cassette %s: it was opened to replay, or is closed, and takes no body", fileOf(s.name))
	}
	d, err := newBodyDraft(s.store, privateOf(s.name, pendingSuffix))
	if err != nil {
		return nil, err
	}
	d.keep = s.held.keepBody
	return d, nil
}

// A bodyDraft is a body file that gets its name by its content.
type bodyDraft struct {
	folder string
	draft  Draft
	sum    hash.Hash
	keep   func(name string) // called before the file gets its name; or nil
}

func newBodyDraft(store Store, folder string) (*bodyDraft, error) {
	draft, err := store.Create(folder)
	if err != nil {
		return nil, fmt.Errorf("a large body cannot be written: %w", explainFull(err))
	}
	return &bodyDraft{folder: folder, draft: draft, sum: sha256.New()}, nil
}

func (d *bodyDraft) Write(p []byte) (int, error) {
	n, err := d.draft.Write(p)
	d.sum.Write(p[:n])
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return n, fmt.Errorf("a large body cannot be written: %w", explainFull(err))
	}
	return n, nil
}

func (d *bodyDraft) name() string { return bodyPrefix + hex.EncodeToString(d.sum.Sum(nil)) }

func (d *bodyDraft) Commit() (string, error) {
	name := d.name()
	if d.keep != nil {
		d.keep(name)
	}
	if err := d.draft.Commit(path.Join(d.folder, name)); err != nil {
		return "", fmt.Errorf("a large body cannot be kept: %w", explainFull(err))
	}
	return name, nil
}

func (d *bodyDraft) Discard() error { return d.draft.Discard() }

// explainFull says so when an error is a full disk's.
func explainFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, io.ErrShortWrite) {
		return fmt.Errorf("the disk is full; free some space and record again: %w", err)
	}
	return err
}

// copyBody puts a large body into a folder of the store unless it is there already, whole.
func (s *shelf) copyBody(l *clean.Large, folder string) error {
	if _, err := measureBody(s.store, folder, l.Name()); err == nil {
		return nil
	}
	r, err := l.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	d, err := newBodyDraft(s.store, folder)
	if err != nil {
		return err
	}
	if _, err := io.Copy(d, r); err != nil {
		return errors.Join(err, d.Discard())
	}
	if d.name() != l.Name() {
		return errors.Join(fmt.Errorf("body file %s is not what was recorded", l.Name()), d.Discard())
	}
	_, err = d.Commit()
	return err
}

// measureBody checks that a body file is what its name says, and returns its size in bytes.
func measureBody(store opener, folder, name string) (size int64, err error) {
	object := path.Join(folder, name)
	r, err := store.Open(object)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("its body file %s is missing", object)
	case err != nil:
		return 0, err
	}
	defer r.Close()
	sum := sha256.New()
	if size, err = io.Copy(sum, r); err != nil {
		return 0, fmt.Errorf("%s cannot be read: %w", object, err)
	}
	if bodyPrefix+hex.EncodeToString(sum.Sum(nil)) != name {
		return 0, fmt.Errorf("its body file %s is not what was recorded", object)
	}
	return size, nil
}

// readLarge reads the whole of a large body, for a file that is to stand alone.
func readLarge(l *clean.Large) ([]byte, error) {
	r, err := l.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, l.Size())
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("body file %s cannot be read: %w", l.Name(), err)
	}
	return b, nil
}

// Bodies is where the large bodies of this cassette are kept while it is recorded. What
// is written there and named by no interaction goes when the cassette is saved, or
// opened to be recorded again.
func (c *Cassette) Bodies() clean.Shelf { return c.held.shelf() }

func (h *holding) shelf() *shelf { return &shelf{store: h.store, name: h.name, held: h} }

// keepBody notes a large body that no interaction of the journal names yet: a save must
// not remove it.
func (h *holding) keepBody(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unnamed == nil {
		h.unnamed = make(map[string]bool)
	}
	if !h.earlier[name] && !h.isNamed(name) {
		h.unnamed[name] = true
	}
}

// inUse notes body files that an entry of a journal names which opening has found
// and which is not this holding's own.
func (h *holding) inUse(names ...string) {
	if h.earlier == nil {
		h.earlier = make(map[string]bool)
	}
	for _, name := range names {
		h.earlier[name] = true
	}
}

// dropUnnamed removes the large bodies that no interaction has come to name.
func (h *holding) dropUnnamed() error {
	h.mu.Lock()
	list := h.unnamed
	h.unnamed = nil
	for _, names := range h.bodies {
		delete(list, names[0])
		delete(list, names[1])
	}
	h.mu.Unlock()
	var errs []error
	for name := range list {
		errs = append(errs, h.store.Remove(path.Join(privateOf(h.name, pendingSuffix), name)))
	}
	return errors.Join(errs...)
}

// dropDrafts removes what a killed recorder left of bodies that it was writing.
func (h *holding) dropDrafts() error {
	var errs []error
	for _, folder := range h.shelf().folders() {
		names, err := h.store.List(folder)
		errs = append(errs, err)
		for _, name := range names {
			if isDraft(name) {
				errs = append(errs, h.store.Remove(path.Join(folder, name)))
			}
		}
	}
	return errors.Join(errs...)
}
