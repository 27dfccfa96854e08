package cassettes

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"sync"

	"tapedeck/cassettes/clean"
)

// A holding is what a store holds of one cassette: its file, its body files, its
// journals and its lock. It deals with bytes that are clean already; Cassette
// is what makes sure of that. docs/crash-safety.md tells what each opening
// finds after a crash.
type holding struct {
	store   Store
	name    string
	largest int // bodies above it stand apart, in bytes
	unlock  func() error

	// What opening found.
	list        []entry // the file's, then the journal's
	fromJournal int     // how many of them come from the journal
	goesOn      bool    // to extend that journal, which no save has made needless yet
	replacement []entry // of a recording that was to replace the cassette and was cut off
	cutOff      *journal
	state       State
	extra       []string
	notes       []string
	twice       *FormatError    // as in contents
	others      map[string]bool // as in contents
	remarks     int             // as in contents

	// rewriting is held while the journal is written anew, and by what takes it away.
	// It is taken before saving.
	rewriting sync.Mutex

	// saving is held to save, and shared to append: what is appended while a
	// file is written must not go with the journal that the file makes needless.
	saving sync.RWMutex

	mu   sync.Mutex // guards what follows
	kind journalKind
	sum  string // SHA-256 of the file; "" when there is none
	next int    // the next free id
	log  *journalWriter
	// renamed are the interactions that have another id than in the journal: theirs → the journal's.
	renamed map[int]int
	// bodies are the body files of the request and of the answer, by the ids in the journal.
	bodies map[int][2]string
	// unnamed are the large bodies that were written and stand in no entry yet;
	// earlier ones stand in the journals that opening found.
	unnamed, earlier map[string]bool
}

// open reads what there is of a cassette. Only ToReplay changes nothing.
func open(store Store, name string, p Purpose, largest int) (h *holding, err error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	h = &holding{store: store, name: name, largest: largest, kind: extending}
	if p != ToReplay {
		h.unlock, err = store.Lock(privateOf(name, lockSuffix))
		if err != nil {
			if locked := (*LockedError)(nil); errors.As(err, &locked) {
				return nil, &LockedError{Object: fileOf(name), Holder: locked.Holder}
			}
			return nil, fmt.Errorf("cassette %s cannot be locked: %w", fileOf(name), err)
		}
		locked := h
		defer func() {
			if err != nil {
				err = errors.Join(err, locked.close())
			}
		}()
	}
	if p != ToReplay {
		if err := h.dropDrafts(); err != nil {
			return nil, fmt.Errorf("cassette %s: what a killed recorder left cannot be removed: %w", fileOf(name), err)
		}
	}
	if err := h.readFile(); err != nil {
		return nil, err
	}
	ordinary, err := h.readJournal(journalSuffix)
	if err != nil {
		return nil, err
	}
	replacement, err := h.readJournal(replacementSuffix)
	if err != nil {
		return nil, err
	}
	ordinary, replacement, err = h.settled(ordinary, replacement, p)
	if err != nil {
		return nil, err
	}
	if h.sum == "" && ordinary == nil && p == ToReplay {
		if replacement != nil {
			return nil, fmt.Errorf("cassette %s: %w; a recording of it was cut off: run \"tapedeck recover\" to keep what there is, or record again", fileOf(name), fs.ErrNotExist)
		}
		return nil, fmt.Errorf("cassette %s: %w; record it first", fileOf(name), fs.ErrNotExist)
	}
	if err := h.fold(ordinary, p); err != nil {
		return nil, err
	}
	h.keepReplacement(replacement, p)
	switch {
	case p == ToReplace:
		if replacement != nil || h.kind == replacing {
			if err := store.Move(privateOf(name, replacementSuffix), privateOf(name, previousSuffix)); err != nil {
				return nil, fmt.Errorf("cassette %s: an earlier journal cannot be moved aside: %w", fileOf(name), err)
			}
		}
		h.kind = extending
		if h.sum != "" || ordinary != nil {
			h.kind = replacing
		}
	case p == ToExtend && ordinary != nil:
		if err := h.resume(ordinary); err != nil {
			return nil, err
		}
		h.goesOn = true
	}
	for _, e := range slices.Concat(h.list, h.replacement) {
		h.next = max(h.next, e.ID+1)
	}
	return h, nil
}

// settled sorts out journals that say they were saved as the very file that is
// there: they have done their work, and a crash came before they were removed.
func (h *holding) settled(ordinary, replacement *journal, p Purpose) (_, _ *journal, err error) {
	drop := func(suffix string) {
		if p != ToReplay {
			err = errors.Join(err, h.drop(suffix))
		}
	}
	if replacement != nil && h.sum != "" && replacement.dropSaved(h.sum) {
		// It took the place of the ordinary journal as well. What was recorded
		// after it was saved, if anything, now extends the cassette.
		if ordinary != nil {
			drop(journalSuffix)
		}
		if len(replacement.entries) > 0 {
			h.kind = replacing
			return replacement, nil, err
		}
		drop(replacementSuffix)
		return nil, nil, err
	}
	if ordinary != nil && h.sum != "" && ordinary.dropSaved(h.sum) && len(ordinary.entries) == 0 {
		drop(journalSuffix)
		return nil, replacement, err
	}
	return ordinary, replacement, nil
}

// readFile reads the cassette file, if there is one.
func (h *holding) readFile() error {
	file, err := readObject(h.store, fileOf(h.name), largestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, errTooLarge) {
		return tooLarge(fileOf(h.name))
	}
	if err != nil {
		return fmt.Errorf("cassette %s cannot be read: %w", fileOf(h.name), err)
	}
	c, err := decode(fileOf(h.name), file)
	if err != nil {
		return err
	}
	if err := refuseConflicts(fileOf(h.name), c.list); err != nil {
		return err
	}
	h.sum = sumOf(file)
	h.list, h.state, h.extra = c.list, c.State, c.extra
	h.twice, h.others, h.remarks = c.twice, c.others, c.remarks
	h.note(c.notes...)
	for i := range h.list {
		e := &h.list[i]
		if err := e.fetch(h.store, h.shelf(), bodiesOf(h.name)); err != nil {
			return &FormatError{Object: fileOf(h.name), Line: e.line, Interaction: strconv.Itoa(e.ID), Fault: err.Error(),
				Cure: "restore the body file from version control, or move the cassette away and record again"}
		}
	}
	return nil
}

func sumOf(file []byte) string {
	sum := sha256.Sum256(file)
	return string(sum[:])
}

// readJournal reads one of the journals; nil when there is none.
func (h *holding) readJournal(suffix string) (*journal, error) {
	r, err := h.store.Open(privateOf(h.name, suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		defer r.Close()
		var j *journal
		if j, err = readJournal(r); err == nil {
			return j, nil
		}
	}
	return nil, fmt.Errorf("cassette %s: its journal %s cannot be read: %w", fileOf(h.name), privateOf(h.name, suffix), err)
}

func (h *holding) note(lines ...string) {
	for _, line := range lines {
		h.notes = append(h.notes, "cassette "+fileOf(h.name)+": "+line)
	}
}

// fold adds a journal's interactions to those of the file.
func (h *holding) fold(j *journal, p Purpose) error {
	if j == nil {
		return nil
	}
	ids := make(map[int]int, len(h.list))
	next := 0
	for i, e := range h.list {
		ids[e.ID] = i
		next = max(next, e.ID+1)
	}
	for _, e := range j.entries {
		if e.ID >= next {
			next = e.ID + 1
		}
	}
	lost := 0
	for _, e := range j.entries {
		if p != ToExtend { // it is not this holding's own then
			h.inUse(e.requestFile, e.responseFile)
		}
		if err := e.fetch(h.store, h.shelf(), privateOf(h.name, pendingSuffix)); err != nil {
			lost++
			continue
		}
		if i, taken := ids[e.ID]; taken {
			if same(h.list[i].Stored, e.Stored) {
				continue // saved, and the file was changed afterwards
			}
			if h.renamed == nil {
				h.renamed = make(map[int]int)
			}
			h.renamed[next] = e.ID
			e.ID = next
			next++
		}
		ids[e.ID] = len(h.list)
		h.list = append(h.list, e)
		h.fromJournal++
	}
	if h.fromJournal > 0 {
		h.note(fmt.Sprintf("%s from a recording that was not saved (%s)", count(h.fromJournal, "interaction"), privateOf(h.name, journalSuffix)))
		if h.sum == "" && h.state.Unfinished == "" {
			h.state.Unfinished = unsaved
		}
	}
	h.tell(j, journalSuffix)
	if lost > 0 {
		h.note(fmt.Sprintf("%s of the journal could not be read back, because its large body is missing or damaged", count(lost, "interaction")))
	}
	return nil
}

// unsaved is why a cassette of which there is only a journal is unfinished.
const unsaved = "the recording was cut off before it was saved"

func (h *holding) tell(j *journal, suffix string) {
	switch {
	case j.torn:
		h.note(fmt.Sprintf("the last entry of %s was cut short by a crash and is left out", privateOf(h.name, suffix)))
	case j.damaged:
		h.note(fmt.Sprintf("%s is damaged; what stands behind its first %s could not be read", privateOf(h.name, suffix), count(len(j.entries), "interaction")))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// same reports whether two interactions say the same.
func same(a, b clean.Stored) bool {
	return a.Method == b.Method && a.URL == b.URL && a.Status == b.Status &&
		bytes.Equal(a.RequestBody, b.RequestBody) && sameBody(a, b)
}

func sameBody(a, b clean.Stored) bool {
	if a.ResponseLarge != nil && b.ResponseLarge != nil {
		return a.ResponseLarge.Name() == b.ResponseLarge.Name()
	}
	return a.ResponseLarge == b.ResponseLarge && bytes.Equal(a.ResponseBody, b.ResponseBody)
}

// keepReplacement remembers what a replacement that was cut off had recorded.
func (h *holding) keepReplacement(j *journal, p Purpose) {
	if j == nil {
		return
	}
	h.cutOff = j
	for _, e := range j.entries {
		h.inUse(e.requestFile, e.responseFile)
		if e.fetch(h.store, h.shelf(), privateOf(h.name, pendingSuffix)) == nil {
			h.replacement = append(h.replacement, e)
		}
	}
	h.tell(j, replacementSuffix)
	if p == ToReplace {
		h.note(fmt.Sprintf("an earlier recording that was to replace it was cut off after %s; it is kept as %s until this one is saved",
			count(len(h.replacement), "interaction"), privateOf(h.name, previousSuffix)))
		return
	}
	h.note(fmt.Sprintf("a recording that was to replace it was cut off after %s (%s); run \"tapedeck recover\" to make them the cassette, or record again",
		count(len(h.replacement), "interaction"), privateOf(h.name, replacementSuffix)))
}

// resume makes a journal left by a crash the one to append to.
func (h *holding) resume(j *journal) error {
	object := h.journalObject()
	if j.damaged {
		// The bytes behind the damage may be of use to someone: they are
		// copied before the journal is cut. The copy is named by its content, so a
		// crash in between leaves one copy and not two.
		whole, err := readObject(h.store, object, math.MaxInt64-1)
		if err != nil {
			return err
		}
		aside := privateOf(h.name, damagedSuffix+newBodyFile(whole).name[len(bodyPrefix):][:12])
		if err := h.store.Replace(aside, whole); err != nil {
			return fmt.Errorf("cassette %s: its damaged journal cannot be copied aside: %w", fileOf(h.name), err)
		}
		h.note("the damaged journal is kept as " + aside)
	}
	log, err := h.store.Append(object)
	if err != nil {
		return fmt.Errorf("cassette %s: its journal cannot be opened: %w", fileOf(h.name), err)
	}
	h.log = h.writer(log)
	h.log.index = j.index
	h.bodies = make(map[int][2]string)
	for _, e := range j.entries {
		h.bodies[e.ID] = [2]string{e.requestFile, e.responseFile}
	}
	if j.torn || j.damaged {
		if err := log.Truncate(j.end); err != nil {
			return fmt.Errorf("cassette %s: its journal cannot be cut to its last whole entry: %w", fileOf(h.name), err)
		}
	}
	if j.end == 0 {
		return h.log.begin(h.kind)
	}
	// What the killed recorder had learned must not stand there any longer. A full
	// disk is no reason not to open: Rewrite tries again.
	_ = h.anew()
	return nil
}

// writer extends the journal by way of log.
func (h *holding) writer(log Log) *journalWriter {
	object := h.journalObject()
	return &journalWriter{log: log, open: func() (Log, error) { return h.store.Append(object) }}
}

// append gives s the next free id and journals it.
func (h *holding) append(s *clean.Stored) error {
	h.saving.RLock()
	defer h.saving.RUnlock()
	h.mu.Lock()
	s.ID = h.next
	h.next++
	h.mu.Unlock()
	named, err := h.write(recordInteraction, s)
	if err == nil {
		h.names(s.ID, named)
	}
	return err
}

// names notes which body files an interaction of the journal has, and returns those
// of its earlier ones that no interaction has any more.
func (h *holding) names(id int, now [2]string) (needless []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.bodies[id]
	if before == now {
		return nil
	}
	if h.bodies == nil {
		h.bodies = make(map[int][2]string)
	}
	h.bodies[id] = now
	for _, name := range now {
		delete(h.unnamed, name)
	}
	for _, name := range before {
		if name != "" && !h.earlier[name] && !h.isNamed(name) {
			needless = append(needless, name)
		}
	}
	return needless
}

// isNamed reports whether an interaction of the journal has a body file; h.mu is held.
func (h *holding) isNamed(name string) bool {
	for _, names := range h.bodies {
		if slices.Contains(names[:], name) {
			return true
		}
	}
	return false
}

// amend puts another version of an interaction into the journal. One that does not
// stand there any more has been saved.
func (h *holding) amend(s clean.Stored) error {
	h.saving.RLock()
	defer h.saving.RUnlock()
	log := h.standsIn(&s.ID)
	if log == nil {
		return nil
	}
	named, err := h.write(recordAmended, &s)
	if err != nil {
		return err
	}
	needless := h.names(s.ID, named)
	if len(needless) == 0 {
		return nil
	}
	// After a power failure the journal must not name what is gone.
	err = log.sync()
	for _, name := range needless {
		if err == nil {
			err = h.store.Remove(path.Join(privateOf(h.name, pendingSuffix), name))
		}
	}
	if err != nil {
		return fmt.Errorf("cassette %s: a large body that was written anew cannot be removed: %w", fileOf(h.name), err)
	}
	return nil
}

// resumed are the interactions of a journal that this holding goes on with, until a
// save has written them.
func (h *holding) resumed() []entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.goesOn {
		return nil
	}
	return slices.Clone(h.list[len(h.list)-h.fromJournal:])
}

// withdraw leaves an interaction out of the journal when that is next written anew.
func (h *holding) withdraw(id int) {
	h.saving.RLock()
	defer h.saving.RUnlock()
	if log := h.standsIn(&id); log != nil {
		log.withdraw(id)
	}
}

// standsIn returns the journal in which an interaction stands, or nil, and makes its
// id the one that it has there.
func (h *holding) standsIn(id *int) *journalWriter {
	h.mu.Lock()
	log := h.log
	if there, ok := h.renamed[*id]; ok {
		*id = there
	}
	h.mu.Unlock()
	if log == nil || !log.has(*id) {
		return nil
	}
	return log
}

// write journals s, and returns its body files: the request's and the answer's.
func (h *holding) write(typ byte, s *clean.Stored) (names [2]string, err error) {
	for i, body := range [][]byte{s.RequestBody, s.ResponseBody} {
		if len(body) <= h.largest {
			continue
		}
		f := newBodyFile(body)
		if err := writeBody(h.store, privateOf(h.name, pendingSuffix), f); err != nil {
			return names, fmt.Errorf("cassette %s: a large body cannot be written: %w", fileOf(h.name), err)
		}
		names[i] = f.name
	}
	if l := s.ResponseLarge; l != nil {
		if err := h.shelf().copyBody(l, privateOf(h.name, pendingSuffix)); err != nil {
			return names, fmt.Errorf("cassette %s: a large body cannot be kept: %w", fileOf(h.name), err)
		}
		names[1] = l.Name()
	}
	content, err := encodeEntry(*s, names[0], names[1])
	if err == nil && len(content) >= longestRecord {
		err = fmt.Errorf("the interaction is larger than %d MiB", longestRecord>>20)
	}
	var log *journalWriter
	if err == nil {
		log, err = h.journal()
	}
	if err == nil {
		err = log.append(typ, s.ID, content)
	}
	if err != nil {
		return names, fmt.Errorf("cassette %s: an interaction was not recorded: %w", fileOf(h.name), err)
	}
	return names, nil
}

// journal opens the journal with the first entry.
func (h *holding) journal() (*journalWriter, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unlock == nil {
		return nil, errors.New("it was opened to replay, or is closed")
	}
	if h.log != nil {
		return h.log, nil
	}
	log, err := h.store.Append(h.journalObject())
	if err != nil {
		return nil, err
	}
	w := h.writer(log)
	if err := w.begin(h.kind); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	h.log = w
	return w, nil
}

func (h *holding) journalObject() string {
	if h.kind == replacing {
		return privateOf(h.name, replacementSuffix)
	}
	return privateOf(h.name, journalSuffix)
}

// A ChangedError says that the file was changed by someone else since it was opened.
type ChangedError struct{ Object, Journal string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("cassette %s was changed by another program while it was recorded, and is left as it is; what was recorded is in %s: run \"tapedeck recover\" to add it", e.Object, e.Journal)
}

// save writes list as the whole cassette and drops the journals.
//
// Interactions that were appended and are not in list are gone afterwards.
func (h *holding) save(list []clean.Stored, s State) error {
	h.rewriting.Lock()
	defer h.rewriting.Unlock()
	h.saving.Lock()
	defer h.saving.Unlock()
	entries, err := h.number(list)
	if err != nil {
		return err
	}
	h.mu.Lock()
	locked := h.unlock != nil
	h.mu.Unlock()
	if !locked {
		return fmt.Errorf("cassette %s: it was opened to replay, or is closed, and cannot be saved", fileOf(h.name))
	}
	file, bodies := encode(contents{State: s, list: entries, extra: h.extra}, h.largest)
	if len(file) > largestFile {
		return fmt.Errorf("cassette %s: the file would be larger than %d MiB; record into several cassettes", fileOf(h.name), largestFile>>20)
	}
	current, err := readObject(h.store, fileOf(h.name), largestFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cassette %s cannot be read before it is replaced: %w", fileOf(h.name), err)
	}
	if sum := sumOf(current); err == nil && sum != h.sum || err != nil && h.sum != "" {
		return &ChangedError{Object: fileOf(h.name), Journal: h.journalObject()}
	}
	used := make(map[string]bool, len(bodies))
	for _, b := range bodies {
		if len(used) == 0 {
			// A checkout that converts line ends would change the bodies' sums.
			if err := h.store.Replace(path.Join(bodiesOf(h.name), ".gitattributes"), []byte("* -text\n")); err != nil {
				return h.notSaved(err)
			}
		}
		if b.large != nil {
			err = h.shelf().copyBody(b.large, bodiesOf(h.name))
		} else {
			err = writeBody(h.store, bodiesOf(h.name), b)
		}
		if err != nil {
			return h.notSaved(err)
		}
		used[b.name] = true
	}
	sum := sumOf(file)
	if err := h.mark(sum); err != nil {
		return h.notSaved(err)
	}
	if err := h.store.Replace(fileOf(h.name), file); err != nil {
		return h.notSaved(err)
	}
	h.mu.Lock()
	h.sum = sum
	h.mu.Unlock()
	if err := h.cleanUp(used); err != nil {
		return fmt.Errorf("cassette %s is saved, but what it no longer needs cannot be removed: %w", fileOf(h.name), err)
	}
	return nil
}

func (h *holding) notSaved(err error) error {
	return fmt.Errorf("cassette %s: it cannot be saved; the old one and the journal stay: %w", fileOf(h.name), err)
}

// number gives ids to those that have none and refuses an id that stands twice.
func (h *holding) number(list []clean.Stored) ([]entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	extra := make(map[int][]string)
	for _, e := range h.list {
		if len(e.extra) > 0 {
			extra[e.ID] = e.extra
		}
	}
	for _, s := range list {
		h.next = max(h.next, s.ID+1)
	}
	taken := make(map[int]bool, len(list))
	entries := make([]entry, 0, len(list))
	for _, s := range list {
		if s.ID < 0 {
			s.ID = h.next
			h.next++
		}
		if s.Status < 100 || s.Status > 999 {
			return nil, fmt.Errorf("cassette %s: interaction %d has the status %d, which no file can hold; it is not saved", fileOf(h.name), s.ID, s.Status)
		}
		if taken[s.ID] {
			return nil, fmt.Errorf("cassette %s: two interactions have the id %d; it is not saved", fileOf(h.name), s.ID)
		}
		taken[s.ID] = true
		entries = append(entries, entry{Stored: s, extra: extra[s.ID]})
	}
	return entries, nil
}

// mark writes into the journal as which file it is about to be saved.
func (h *holding) mark(sum string) error {
	h.mu.Lock()
	needed := h.log != nil || h.kind == replacing
	h.mu.Unlock()
	if !needed {
		return nil
	}
	log, err := h.journal()
	if err != nil {
		return err
	}
	if err := log.append(recordSaved, 0, []byte(sum)); err != nil {
		return err
	}
	return log.sync()
}

// cleanUp removes what a saved file makes needless. A replacement's own journal goes
// last: as long as it is there it says that the other is needless too.
func (h *holding) cleanUp(used map[string]bool) error {
	h.mu.Lock()
	log, kind := h.log, h.kind
	h.log, h.kind, h.goesOn = nil, extending, false
	h.mu.Unlock()
	var errs []error
	if log != nil {
		errs = append(errs, log.close())
	}
	errs = append(errs, h.drop(journalSuffix))
	if kind == replacing {
		errs = append(errs, h.drop(replacementSuffix), h.drop(previousSuffix))
	}
	if kind == replacing || len(h.replacement) == 0 {
		errs = append(errs, h.dropPending())
	}
	names, err := h.store.List(bodiesOf(h.name))
	errs = append(errs, err)
	for _, name := range names {
		if isBodyName(name) && !used[name] || isDraft(name) || len(used) == 0 && name == ".gitattributes" {
			errs = append(errs, h.store.Remove(path.Join(bodiesOf(h.name), name)))
		}
	}
	return errors.Join(errs...)
}

func (h *holding) drop(suffix string) error { return h.store.Remove(privateOf(h.name, suffix)) }

func (h *holding) dropPending() error {
	folder := privateOf(h.name, pendingSuffix)
	names, err := h.store.List(folder)
	errs := []error{err}
	h.mu.Lock()
	names = slices.DeleteFunc(names, func(name string) bool { return !isBodyName(name) || h.unnamed[name] })
	h.mu.Unlock()
	for _, name := range names {
		errs = append(errs, h.store.Remove(path.Join(folder, name)))
	}
	return errors.Join(errs...)
}

// close releases the lock. The journal stays.
func (h *holding) close() error {
	h.rewriting.Lock()
	defer h.rewriting.Unlock()
	h.saving.Lock()
	defer h.saving.Unlock()
	h.mu.Lock()
	log, unlock := h.log, h.unlock
	h.log, h.unlock = nil, nil
	h.mu.Unlock()
	var errs []error
	if log != nil {
		errs = append(errs, log.close())
	}
	if unlock != nil {
		errs = append(errs, h.dropUnnamed(), unlock())
	}
	return errors.Join(errs...)
}

// becomeReplacement makes the replacement that was cut off this holding's own
// journal, so that the next save takes its place.
func (h *holding) becomeReplacement() error {
	h.kind = replacing
	return h.resume(h.cutOff)
}
