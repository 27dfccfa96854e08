// Package cassettes keeps what was recorded safe on disk: the file format
// (go-vcr's version 2), the journal, and the store they live in.
//
// While recording, each interaction is in an append-only journal before the
// client sees the end of its answer; saving writes the whole file under another name
// and renames it. So a kill loses nothing, and whoever opens the cassette finds the old
// recording or the new one, never half of one.
//
//	store, err := cassettes.NewFolder("testdata/cassettes")
//	c, err := cassettes.Open(store, "checkout/EUR", cleaner, cassettes.ToExtend)
//	defer c.Close()
//	in, err = c.Append(in)
//	err = c.Save(append(c.Interactions(), in), cassettes.State{})
package cassettes

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// Purpose is what a cassette is opened for.
type Purpose uint8

const (
	// ToReplay reads the file and a journal left by a crash, and changes nothing.
	ToReplay Purpose = iota
	// ToExtend locks, folds in a journal left by a crash, and adds to what is there.
	ToExtend
	// ToReplace locks and starts with nothing; the old file stays until Save.
	ToReplace
)

// State is what the file says of the whole recording.
type State struct {
	// Unfinished says why the recording is not to be trusted as whole; "" when it is.
	Unfinished string
}

// A Cassette is one open cassette. It is safe for concurrent use.
type Cassette struct {
	held    *holding
	cleaner *clean.Cleaner
	list    []clean.Interaction

	sweeping sync.Mutex
	unsaved  []entry // what SweepUnsaved has made of them, under sweeping
}

// Exists reports whether the store holds a file or a journal called name. A
// journal of a recording that was to replace the cassette does not count.
func Exists(store Store, name string) (file, journal bool, err error) {
	if err := checkName(name); err != nil {
		return false, false, err
	}
	there := func(object string) bool {
		r, openErr := store.Open(object)
		if openErr == nil {
			r.Close()
		} else if !errors.Is(openErr, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("cassette %s cannot be read: %w", object, openErr))
		}
		return openErr == nil
	}
	file, journal = there(fileOf(name)), there(privateOf(name, journalSuffix))
	return file, journal, err
}

// Open reads a cassette. A missing one is fs.ErrNotExist for ToReplay and empty
// otherwise. A file that is malformed is a *FormatError, one that another
// process records a *LockedError.
func Open(store Store, name string, c *clean.Cleaner, p Purpose) (*Cassette, error) {
	h, err := open(store, name, p, largestBody)
	if err != nil {
		return nil, err
	}
	for _, list := range [][]entry{h.list, h.replacement} {
		for _, e := range list {
			for _, text := range parts(e.Stored) {
				c.Vault.Reserve(text)
			}
			if err := reserveLarge(c, e.ResponseLarge); err != nil {
				return nil, errors.Join(fmt.Errorf("cassette %s: interaction %d: its body file cannot be read: %w", fileOf(name), e.ID, err), h.close())
			}
		}
	}
	list, err := load(c, fileOf(name), h.list)
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.cleanUnknown(c)
	return &Cassette{held: h, cleaner: c, list: list}, nil
}

// reserveLarge is Vault.Reserve for a large body.
func reserveLarge(c *clean.Cleaner, l *clean.Large) error {
	if l == nil {
		return nil
	}
	r, err := l.Open()
	if err != nil {
		return err
	}
	return errors.Join(c.Vault.ReserveStream(r), r.Close())
}

func load(c *clean.Cleaner, object string, entries []entry) ([]clean.Interaction, error) {
	list := make([]clean.Interaction, 0, len(entries))
	for _, e := range entries {
		in, err := c.Load(e.Stored)
		if err != nil {
			at := object
			if e.line > 0 {
				at += ":" + strconv.Itoa(e.line)
			}
			return nil, fmt.Errorf("cassette %s: interaction %d: %w", at, e.ID, err)
		}
		list = append(list, in)
	}
	return list, nil
}

// Interactions are those that stood in the file (and journal) when it was
// opened: for ToReplace, those that will be replaced.
func (c *Cassette) Interactions() []clean.Interaction { return c.list }

// State is what the file said when it was opened.
func (c *Cassette) State() State {
	state := c.held.state
	state.Unfinished = cleanWords(c.cleaner, state.Unfinished)
	return state
}

// Notes are the things worth telling the user that opening found, one line each.
func (c *Cassette) Notes() []string { return c.held.notes }

// Append gives in the next free id, writes it to the journal and returns it. When
// Append returns, a killed process no longer loses the interaction; a power
// failure may lose the last half second. The error is a *redact.Refusal when a
// secret stands in it, and then nothing is written.
func (c *Cassette) Append(in clean.Interaction) (clean.Interaction, error) {
	s, err := in.Stored()
	if err != nil {
		return clean.Interaction{}, err
	}
	if err := c.check(s); err != nil {
		return clean.Interaction{}, fmt.Errorf("cassette %s: an interaction was not recorded: %w", fileOf(c.held.name), err)
	}
	if err := c.held.append(&s); err != nil {
		return clean.Interaction{}, err
	}
	in.ID = s.ID
	return in, nil
}

// SweepUnsaved amends what stands in a journal that was left by a crash and that this
// cassette, opened ToExtend, goes on with: what is known to be secret by now is replaced
// there, and what cannot be is withdrawn. The error says that something could not be
// written or read; call it again later.
func (c *Cassette) SweepUnsaved() error {
	c.sweeping.Lock()
	defer c.sweeping.Unlock()
	if c.unsaved == nil {
		c.unsaved = c.held.resumed()
	} else if c.held.resumed() == nil {
		return nil // saved
	}
	list := c.unsaved
	var errs []error
	for i := range list {
		s, err := c.sweep(list[i].Stored)
		if err == nil {
			list[i].Stored = s
			continue
		}
		if refusal := (*redact.Refusal)(nil); errors.As(err, &refusal) {
			c.held.withdraw(list[i].ID)
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep amends one interaction of the journal if it has to be.
func (c *Cassette) sweep(s clean.Stored) (clean.Stored, error) {
	if c.check(s) == nil && c.cleaner.CheckLarge(s.ResponseLarge) == nil {
		return s, nil
	}
	in, err := c.cleaner.Load(s)
	if err == nil {
		s, err = in.Stored()
	}
	if err == nil {
		err = c.check(s)
	}
	if err != nil {
		return s, err
	}
	return s, c.held.amend(s)
}

// Amend puts in, which Append has returned and which has been redacted further since,
// into the journal in place of what stands there. The old entry's bytes
// stay in the journal until Rewrite. One that has been saved is left alone: a save
// is given what it writes. The error is a *redact.Refusal when a secret stands in it.
func (c *Cassette) Amend(in clean.Interaction) error {
	s, err := in.Stored()
	if err != nil {
		return err
	}
	if err := c.check(s); err != nil {
		return fmt.Errorf("cassette %s: interaction %d was not amended: %w", fileOf(c.held.name), in.ID, err)
	}
	return c.held.amend(s)
}

// Withdraw takes back what Append has put into the journal: a secret was learned that
// stands in it and cannot be replaced. It stands there until Rewrite.
func (c *Cassette) Withdraw(in clean.Interaction) { c.held.withdraw(in.ID) }

// Rewrite writes the journal anew, atomically, when something in it was amended or
// withdrawn: then those bytes are in no file any more. Appending goes on meanwhile.
// After an error, such as a full disk's, the journal is what it was, and goes on; call
// it again later.
func (c *Cassette) Rewrite() error { return c.held.anew() }

// Save writes list as the whole cassette, atomically, and drops the journal. Those
// without an id get the next free one in the file. When a secret stands in one
// of them (a *redact.Refusal), or the file was changed by another program since it
// was opened (a *ChangedError), nothing is written and the journal stays.
func (c *Cassette) Save(list []clean.Interaction, s State) error {
	stored, err := c.stored(list)
	if err != nil {
		return err
	}
	return c.held.save(stored, s)
}

// stored is list as the file will hold it, once it is known that no secret stands in it.
func (c *Cassette) stored(list []clean.Interaction) ([]clean.Stored, error) {
	stored := make([]clean.Stored, 0, len(list))
	for _, in := range list {
		one, err := in.Stored()
		if err == nil {
			err = c.check(one)
		}
		if err == nil {
			err = c.cleaner.CheckLarge(one.ResponseLarge)
		}
		if err != nil {
			return nil, fmt.Errorf("cassette %s: it cannot be saved; the old one and the journal stay: interaction %d: %w", fileOf(c.held.name), in.ID, err)
		}
		stored = append(stored, one)
	}
	c.held.cleanUnknown(c.cleaner) // now that all answers are known
	return stored, nil
}

// Close releases the lock. What was appended and not saved stays in the journal.
func (c *Cassette) Close() error { return c.held.close() }

// Inline returns a cassette file that stands alone: all bodies are in it, for
// programs that play it with go-vcr and know nothing of body files.
func Inline(list []clean.Interaction, s State) ([]byte, error) {
	whole := contents{State: s, list: make([]entry, 0, len(list))}
	for _, in := range list {
		stored, err := in.Stored()
		if err != nil {
			return nil, fmt.Errorf("interaction %d: %w", in.ID, err)
		}
		if l := stored.ResponseLarge; l != nil {
			if stored.ResponseBody, err = readLarge(l); err != nil {
				return nil, fmt.Errorf("interaction %d: %w", in.ID, err)
			}
			stored.ResponseLarge = nil
		}
		whole.list = append(whole.list, entry{Stored: stored})
	}
	const never = int(^uint(0) >> 1)
	file, _ := encode(whole, never)
	return file, nil
}
