package cassettes

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

// A journalWriter extends a journal. It is safe for concurrent use.
type journalWriter struct {
	// open opens the journal to be extended: once it was written anew.
	open func() (Log, error)

	mu     sync.Mutex
	log    Log // nil when it was written anew and could not be opened yet
	index  journalIndex
	broken error // why nothing can be appended any more
	dirty  bool
	timer  *time.Timer
	// syncing is held while the disk syncs, and taken before mu.
	syncing sync.Mutex
}

// syncWithin is how long a record may wait for its fsync; a power failure can
// lose what was recorded since, a killed process loses nothing.
const syncWithin = 500 * time.Millisecond

// begin writes the header.
func (w *journalWriter) begin(kind journalKind) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	header := journalHeader(kind)
	if err := w.write(header); err != nil {
		return err
	}
	w.index.end = int64(len(header))
	return nil
}

// append writes one record with one write; id is that of its interaction, if it
// holds one. After an error nothing of it stays.
func (w *journalWriter) append(typ byte, id int, content []byte) error {
	b := appendRecord(make([]byte, 0, recordHeadSize+1+len(content)), typ, content)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.write(b); err != nil {
		return err
	}
	w.index.add(typ, id, w.index.end+int64(len(b)))
	return nil
}

// has reports whether an interaction stands in the journal.
func (w *journalWriter) has(id int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.index.has(id)
}

// withdraw says which interactions are left out when the journal is written anew.
func (w *journalWriter) withdraw(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.index.withdraw(id)
}

func (w *journalWriter) write(b []byte) error {
	if w.broken != nil {
		return w.broken
	}
	if w.log == nil {
		log, err := w.open()
		if err != nil {
			return fmt.Errorf("the journal cannot be opened: %w", err)
		}
		w.log = log
	}
	n, err := w.log.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		if cutErr := w.log.Truncate(w.index.end); cutErr != nil {
			w.broken = fmt.Errorf("the journal ends in half an entry that cannot be removed: %w", errors.Join(err, cutErr))
		}
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, io.ErrShortWrite) {
			return fmt.Errorf("the disk is full; free some space and record again: %w", err)
		}
		return fmt.Errorf("the journal cannot be written: %w", err)
	}
	w.dirty = true
	if w.timer == nil {
		w.timer = time.AfterFunc(syncWithin, w.syncLater)
	}
	return nil
}

// syncLater is the fsync that groups what was appended in the meantime. Its
// error is told by the next call.
func (w *journalWriter) syncLater() {
	w.mu.Lock()
	w.timer = nil
	w.mu.Unlock()
	_ = w.sync()
}

// sync returns when all that was appended survives a power failure. Appending
// goes on meanwhile.
func (w *journalWriter) sync() error {
	w.syncing.Lock()
	defer w.syncing.Unlock()
	w.mu.Lock()
	if w.broken != nil || !w.dirty {
		defer w.mu.Unlock()
		return w.broken
	}
	w.dirty = false
	w.mu.Unlock()
	err := w.log.Sync()
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// The system may have thrown the unwritten pages away: a later sync that
	// succeeds would prove nothing (https://lwn.net/Articles/752063/).
	w.broken = fmt.Errorf("the journal cannot be written to the disk: %w", err)
	return w.broken
}

// close syncs and closes the journal; it stays on the disk.
func (w *journalWriter) close() error {
	err := w.sync()
	w.syncing.Lock()
	defer w.syncing.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	w.dirty = false
	w.broken = errClosed
	if w.log == nil {
		return err
	}
	return errors.Join(err, w.log.Close())
}

var errClosed = errors.New("the cassette is closed")
