package cassettes

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"tapedeck/cassettes/clean"
)

// A Document is what one cassette file says, wherever its bytes come from: a path, a
// commit, a pipe. Reading one takes no lock and looks at no journal.
//
//	data, err := exec.Command("git", "show", "main:cassettes/login.yaml").Output()
//	doc, err := cassettes.Read("main:cassettes/login.yaml", data, nil, cleaner)
//	for _, in := range doc.List { … }
//	data, err = doc.Encode()
type Document struct {
	// Name is how errors and reports call it: a path, or REV:PATH.
	Name string
	State
	// List is in the order of the file, which is the order of play. No two of them have the
	// same id, but for the two versions of an interaction in conflict.
	List []clean.Interaction
	// Notes are the things worth telling the user that reading found, one line each.
	Notes []string
	// Extra are the keys of the file under tapedeck: that this version does not know, as
	// "key: value" in YAML. Encode keeps them.
	Extra []string

	kept    map[version]Kept
	cleaner *clean.Cleaner
}

// Kept is what a file says of an interaction that no clean.Interaction holds. Two are
// equal when they say the same.
type Kept struct {
	keys        string // under tapedeck: that this version does not know
	requestFile string // the body file of a request that was read without its bodies
}

// Bodies opens a body file by its name, "sha256-" and 64 hex digits. A missing one is
// fs.ErrNotExist. What it opens is checked against the name.
type Bodies func(name string) (io.ReadCloser, error)

// BodiesBeside opens the body files of the cassette file at path.
func BodiesBeside(path string) Bodies {
	folder := bodiesOf(strings.TrimSuffix(path, extension))
	return func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(folder, name)) }
}

// Read reads a cassette file that consists of data. name is how the user knows it. If
// bodies is nil, large bodies are known by their names only. Everything in the
// document is clean.
//
// A file that cannot be read is a *FormatError, one that a merge has left with
// interactions in two versions a *ConflictError.
func Read(name string, data []byte, bodies Bodies, c *clean.Cleaner) (*Document, error) {
	d, err := ReadUnsettled(name, data, bodies, c)
	if err != nil {
		return nil, err
	}
	if ids := d.Conflicts(); ids != nil {
		return nil, &ConflictError{Object: name, IDs: ids}
	}
	return d, nil
}

// ReadUnsettled is Read for a file that may hold interactions in two versions.
func ReadUnsettled(name string, data []byte, bodies Bodies, c *clean.Cleaner) (*Document, error) {
	said, err := decode(name, data)
	if err != nil {
		return nil, err
	}
	d := &Document{Name: name, State: said.State, Extra: said.extra, kept: make(map[version]Kept), cleaner: c}
	for _, note := range said.notes {
		d.Notes = append(d.Notes, "cassette "+name+": "+note)
	}
	if err := d.fetch(said.list, bodies); err != nil {
		return nil, err
	}
	for _, e := range said.list {
		for _, text := range parts(e.Stored) {
			c.Vault.Reserve(text)
		}
		if bodies == nil {
			continue
		}
		if err := reserveLarge(c, e.ResponseLarge); err != nil {
			return nil, fmt.Errorf("cassette %s: interaction %d: its body file cannot be read: %w", name, e.ID, err)
		}
	}
	if d.List, err = load(c, name, said.list); err != nil {
		return nil, err
	}
	d.Unfinished = cleanWords(c, d.Unfinished)
	if d.cleanUnknown() {
		d.Notes = append(d.Notes, "cassette "+name+": "+leftOutUnknown)
	}
	return d, nil
}

// cleanUnknown leaves out unknown keys that hold a secret, and reports whether any did.
func (d *Document) cleanUnknown() (any bool) {
	d.Extra, any = cleanUnknown(d.cleaner, d.Extra)
	for _, in := range d.List {
		k := d.Kept(in)
		if k.keys == "" {
			continue
		}
		keys, left := cleanUnknown(d.cleaner, strings.Split(k.keys, "\n"))
		k.keys = strings.Join(keys, "\n")
		d.Keep(in, k)
		any = any || left
	}
	return any
}

// fetch reads the bodies that stand in files of their own, and notes what no
// interaction can hold.
func (d *Document) fetch(list []entry, bodies Bodies) error {
	folder := bodiesOf(strings.TrimSuffix(d.Name, extension))
	shelf := (*documentShelf)(nil)
	if bodies != nil {
		shelf = &documentShelf{bodies}
	}
	for i := range list {
		e := &list[i]
		switch {
		case e.requestFile == "" && e.responseFile == "":
		case shelf == nil:
			if e.responseFile != "" {
				e.ResponseLarge = clean.NewLarge(e.responseFile, max(e.announced, 0), nil)
				settle(&e.Stored)
			}
		default:
			if err := e.fetch(shelf, shelf, folder); err != nil {
				return &FormatError{Object: d.Name, Line: e.line, Interaction: strconv.Itoa(e.ID), Fault: err.Error(),
					Cure: "restore the body file from version control, or record again"}
			}
		}
		if k := (Kept{keys: strings.Join(e.extra, "\n"), requestFile: e.requestFile}); k != (Kept{}) {
			d.kept[versionOf(e.Meta)] = k
		}
	}
	return nil
}

// ReadFile reads the cassette file at path, with the body files beside it.
func ReadFile(path string, c *clean.Cleaner) (*Document, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cassette %s cannot be read: %w", path, bareError(err))
	}
	return Read(path, data, BodiesBeside(path), c)
}

// Load redacts the answers, which are else redacted the first time they are asked for, on
// all processors. The error names the interaction.
func (d *Document) Load() error {
	var group errgroup.Group
	group.SetLimit(loaders)
	for _, in := range d.List {
		group.Go(func() error {
			if _, err := in.Response(); err != nil {
				return fmt.Errorf("cassette %s: interaction %d: %w", d.Name, in.ID, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Conflicts lists the ids of the interactions that stand there in two versions, or in
// one that the other side has removed, in the order of the file.
func (d *Document) Conflicts() []int {
	var ids []int
	for _, in := range d.List {
		if in.Conflict != "" && !slices.Contains(ids, in.ID) {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// Kept is what the file says of an interaction of the document beside what it holds.
func (d *Document) Kept(in clean.Interaction) Kept { return d.kept[versionOf(in.Meta)] }

// Keep makes Encode write k with in, which has its id and side in d.List.
func (d *Document) Keep(in clean.Interaction, k Kept) {
	if k == (Kept{}) {
		delete(d.kept, versionOf(in.Meta))
		return
	}
	d.kept[versionOf(in.Meta)] = k
}

// With returns a document that differs from d in its list: what is known of the
// interactions of d by their ids stays.
func (d *Document) With(list []clean.Interaction) *Document {
	out := *d
	out.List, out.kept = list, make(map[version]Kept, len(d.kept))
	for _, in := range list {
		out.Keep(in, d.Kept(in))
	}
	return &out
}

// Encode returns the bytes of the cassette file, the same that saving the same content
// gives. Bodies that stand in files of their own are named in it.
//
// The error is a *redact.Refusal when a secret stands in the document, or says that two
// interactions have the same id.
func (d *Document) Encode() ([]byte, error) {
	file, _, err := d.encode()
	return file, err
}

func (d *Document) encode() (file []byte, bodies []bodyFile, err error) {
	out := contents{State: d.State, extra: d.Extra, list: make([]entry, len(d.List))}
	there := make(map[version]bool, len(d.List))
	for _, in := range d.List {
		v := versionOf(in.Meta)
		if in.ID < 0 || v.isTaken(there) {
			return nil, nil, fmt.Errorf("cassette %s: two interactions have the id %d, or one has none; it is not written", d.Name, in.ID)
		}
		there[v] = true
	}
	var group errgroup.Group
	group.SetLimit(loaders)
	for i, in := range d.List {
		group.Go(func() error {
			s, err := in.Stored()
			if err == nil {
				err = d.check(s)
			}
			if err != nil {
				return fmt.Errorf("cassette %s: it is not written: interaction %d: %w", d.Name, in.ID, err)
			}
			k := d.Kept(in)
			out.list[i] = entry{Stored: s, requestFile: k.requestFile}
			if k.keys != "" {
				out.list[i].extra = strings.Split(k.keys, "\n")
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	// Again, now that all answers are known.
	out.extra, _ = cleanUnknown(d.cleaner, out.extra)
	for i := range out.list {
		out.list[i].extra, _ = cleanUnknown(d.cleaner, out.list[i].extra)
	}
	file, bodies = encode(out, largestBody)
	return file, bodies, nil
}

// check is the gate before anything is written, as Cassette.check is.
func (d *Document) check(s clean.Stored) error {
	if err := (&Cassette{cleaner: d.cleaner}).check(s); err != nil {
		return err
	}
	return d.cleaner.CheckLarge(s.ResponseLarge)
}

// WriteFile replaces the file at path, atomically. Large bodies that are not beside it
// yet are written there first; none is removed.
func (d *Document) WriteFile(file string) error {
	data, bodies, err := d.encode()
	if err != nil {
		return err
	}
	store, err := NewFolder(filepath.Dir(file))
	if err != nil {
		return err
	}
	base := filepath.Base(file)
	folder := bodiesOf(strings.TrimSuffix(base, extension))
	for _, b := range bodies {
		if b.large != nil {
			continue // it was read from there
		}
		if err := writeBody(store, folder, b); err != nil {
			return fmt.Errorf("cassette %s: a large body cannot be written: %w", file, err)
		}
		if err := store.Replace(path.Join(folder, ".gitattributes"), []byte("* -text\n")); err != nil {
			return fmt.Errorf("cassette %s cannot be written: %w", file, err)
		}
	}
	if err := store.Replace(base, data); err != nil {
		return fmt.Errorf("cassette %s cannot be written: %w", file, err)
	}
	return nil
}
