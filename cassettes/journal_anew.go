package cassettes

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"path"
)

// anew writes the journal anew without what amendments have superseded and without
// what was withdrawn, whose bytes are then on the disk no more. It does nothing when
// there is no such thing. Appending goes on while it copies. After an error the
// journal is what it was, and it may be tried again.
func (h *holding) anew() error {
	h.rewriting.Lock() // neither save nor close takes the journal away meanwhile
	defer h.rewriting.Unlock()
	h.mu.Lock()
	w := h.log
	h.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	stale, list, copied, err := w.index.stale(), w.index.live(), w.index, w.broken
	copied.withdrawn = maps.Clone(copied.withdrawn)
	w.mu.Unlock()
	if !stale || err != nil {
		return err
	}
	if err := h.copyJournal(w, list, copied); err != nil {
		return fmt.Errorf("cassette %s: its journal cannot be written anew: %w", fileOf(h.name), explainFull(err))
	}
	return h.dropWithdrawn(copied.withdrawn)
}

// copyJournal puts another journal in the place of w's: the records of list, and behind
// them what is appended meanwhile. copied is the index of which list was made.
func (h *holding) copyJournal(w *journalWriter, list []recordPlace, copied journalIndex) error {
	// Opening to record removes a draft that a killed process left there.
	draft, err := h.store.Create(privateOf(h.name, pendingSuffix))
	if err != nil {
		return err
	}
	next, err := h.copyRecords(draft, list)
	if err == nil {
		err = draft.Sync()
	}
	if err != nil {
		return errors.Join(err, draft.Discard())
	}
	h.saving.Lock() // from here on nothing is appended
	defer h.saving.Unlock()
	w.syncing.Lock()
	defer w.syncing.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.broken
	if err == nil {
		err = h.copyTail(draft, copied.end, w.index.end)
	}
	if err != nil {
		return errors.Join(err, draft.Discard())
	}
	if err := draft.Commit(h.journalObject()); err != nil {
		return errors.Join(err, h.whichJournal(w))
	}
	for _, r := range w.index.records[len(copied.records):] {
		next.add(r.typ, r.id, next.end+r.end-r.start)
	}
	for id := range w.index.withdrawn {
		if !copied.withdrawn[id] {
			next.withdraw(id)
		}
	}
	w.log.Close() // nothing of it is needed, so an error tells nothing
	w.index, w.dirty, w.log = next, false, nil
	if log, err := w.open(); err == nil {
		w.log = log
	} // else the next record tries again
	return nil
}

// whichJournal finds out, after an error, whether the journal's name still is that
// of the one that is being extended, which is longer than the other. If not, nobody
// knows which of them a power failure leaves.
func (h *holding) whichJournal(w *journalWriter) error {
	r, err := h.store.Open(h.journalObject())
	if err == nil {
		var size int64
		size, err = io.Copy(io.Discard, r)
		r.Close()
		if err == nil && size >= w.index.end {
			return nil
		}
	}
	w.broken = fmt.Errorf("the journal cannot be written to the disk: %w", errors.Join(errors.New("it was written anew, and may not last"), err))
	return w.broken
}

// copyRecords writes a journal of the records in list, and returns what it holds.
func (h *holding) copyRecords(dst io.Writer, list []recordPlace) (next journalIndex, err error) {
	src, err := h.readAt()
	if err != nil {
		return next, err
	}
	defer src.Close()
	out := bufio.NewWriterSize(dst, 1<<18)
	header := make([]byte, journalHeadSize)
	if _, err := src.ReadAt(header, 0); err != nil {
		return next, err
	}
	out.Write(header) // Flush tells
	next.end = int64(len(header))
	var read, written []byte
	for _, r := range list {
		read = resized(read, int(r.end-r.start))
		if _, err := src.ReadAt(read, r.start); err != nil {
			return next, err
		}
		payload := read[recordHeadSize:]
		if binary.LittleEndian.Uint32(read[4:]) != crc32.Checksum(payload, castagnoli) {
			return next, errors.New("a record is not what was written")
		}
		written = appendRecord(written[:0], r.typ, payload[1:])
		out.Write(written)
		next.add(r.typ, r.id, next.end+int64(len(written)))
	}
	return next, out.Flush()
}

func resized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/4)
	}
	return b[:n]
}

// copyTail writes what stands in the journal between two places.
func (h *holding) copyTail(dst io.Writer, from, to int64) error {
	if from == to {
		return nil
	}
	src, err := h.readAt()
	if err != nil {
		return err
	}
	defer src.Close()
	n, err := io.Copy(dst, io.NewSectionReader(src, from, to-from))
	if err == nil && n < to-from {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// A readerAt reads an object at any place.
type readerAt interface {
	io.ReaderAt
	io.Closer
}

// readAt opens the journal to be read at any place.
func (h *holding) readAt() (readerAt, error) {
	r, err := h.store.Open(h.journalObject())
	if err != nil {
		return nil, err
	}
	if at, ok := r.(readerAt); ok {
		return at, nil
	}
	r.Close()
	whole, err := readObject(h.store, h.journalObject(), math.MaxInt64-1)
	return struct {
		io.ReaderAt
		io.Closer
	}{bytes.NewReader(whole), io.NopCloser(nil)}, err
}

// dropWithdrawn removes the large bodies of interactions that the journal names no more.
func (h *holding) dropWithdrawn(ids map[int]bool) error {
	var errs []error
	for id := range ids {
		for _, name := range h.names(id, [2]string{}) {
			errs = append(errs, h.store.Remove(path.Join(privateOf(h.name, pendingSuffix), name)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cassette %s: a large body that is not kept cannot be removed: %w", fileOf(h.name), err)
	}
	return nil
}
