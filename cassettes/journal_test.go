package cassettes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapedeck/cassettes/clean"
)

// journalOf is a journal of the given interactions, and where each entry ends.
func journalOf(t testing.TB, list ...clean.Stored) (file []byte, ends []int) {
	t.Helper()
	file = journalHeader(extending)
	for _, s := range list {
		content, err := encodeEntry(s, "", "")
		if err != nil {
			t.Fatal(err)
		}
		file = appendRecord(file, recordInteraction, content)
		ends = append(ends, len(file))
	}
	return file, ends
}

func TestJournalKeepsEverything(t *testing.T) {
	full := sample()
	full.Begin, full.End, full.Cut, full.Pinned, full.Chunked = 7, 9, "client", true, true
	odd := numbered(1)
	odd.ID = 12
	odd.RequestBody, odd.ResponseBody = []byte("\x00\xff\xfe"), []byte("</script>\u2028 & \ufffd")
	odd.RequestHeader["X-Odd"] = []string{"\xe9", "", "b"}
	odd.URL = "https://a.test/\xff"
	file, _ := journalOf(t, full, odd)
	j, err := readJournal(iotest.OneByteReader(bytes.NewReader(file)))
	if err != nil || j.torn || j.damaged {
		t.Fatalf("%+v, %v", j, err)
	}
	if diff := cmp.Diff([]clean.Stored{full, odd}, storedOf(j.entries), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if !bytes.Contains(file, []byte("REDACTED-0001")) {
		t.Error("text does not stand as text in the journal, so nobody can search it")
	}
}

func TestJournalCutAnywhere(t *testing.T) {
	file, ends := journalOf(t, numbered(0), numbered(1), numbered(2))
	for n := range len(file) {
		j, err := readJournal(bytes.NewReader(file[:n]))
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, end := range ends {
			if end <= n {
				want++
			}
		}
		whole := n == journalHeadSize || slices.Contains(ends, n) || n == 0
		if len(j.entries) != want || j.damaged || j.torn == whole {
			t.Fatalf("cut at %d: %d entries (want %d), torn %v, damaged %v", n, len(j.entries), want, j.torn, j.damaged)
		}
	}
}

func TestJournalDamagedAnywhere(t *testing.T) {
	file, ends := journalOf(t, numbered(0), numbered(1), numbered(2))
	for n := range file {
		for _, bit := range []byte{1, 0x80} {
			broken := slices.Clone(file)
			broken[n] ^= bit
			j, err := readJournal(bytes.NewReader(broken))
			if n == len(journalMagic) && err != nil {
				continue // the version
			}
			if err != nil {
				t.Fatal(err)
			}
			before := 0
			for _, end := range ends {
				if end <= n {
					before++
				}
			}
			lastRecord := n >= ends[1]+recordHeadSize // may be a crash's doing
			if len(j.entries) != before || !j.damaged && !(lastRecord && j.torn) {
				t.Fatalf("bit %#x of byte %d: %d entries (want %d), torn %v, damaged %v", bit, n, len(j.entries), before, j.torn, j.damaged)
			}
		}
	}
}

func TestJournalOfALaterVersion(t *testing.T) {
	disk := newMemDisk()
	s := &folder{disk}
	file := journalHeader(extending)
	file[len(journalMagic)] = journalVersion + 1
	file = append(file[:journalHeadSize-4], checksum(file[:journalHeadSize-4])...)
	if err := s.Replace(privateOf("x", journalSuffix), file); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Purpose{ToReplay, ToExtend, ToReplace} {
		if _, err := open(s, "x", p, largestBody); err == nil || !strings.Contains(err.Error(), "update tapedeck") {
			t.Errorf("%d: %v", p, err)
		}
	}
	if got := disk.dirs[".tapedeck"].files["x.journal"].data; !bytes.Equal(got, file) {
		t.Error("the journal was changed")
	}
}

func TestDamagedJournalIsKept(t *testing.T) {
	disk := newMemDisk()
	s := &folder{disk}
	file, ends := journalOf(t, numbered(0), numbered(1), numbered(2))
	file[ends[0]+recordHeadSize+5] ^= 1
	if err := s.Replace(privateOf("x", journalSuffix), file); err != nil {
		t.Fatal(err)
	}
	h, err := open(s, "x", ToReplay, largestBody)
	if err != nil || len(h.list) != 1 || !strings.Contains(strings.Join(h.notes, "\n"), "could not be read") {
		t.Fatalf("replay: %v", err)
	}
	h, err = open(s, "x", ToExtend, largestBody)
	if err != nil || len(h.list) != 1 {
		t.Fatalf("extend: %v", err)
	}
	var aside string
	for name, f := range disk.dirs[".tapedeck"].files {
		if strings.HasPrefix(name, "x"+damagedSuffix) && bytes.Equal(f.data, file) {
			aside = name
		}
	}
	if aside == "" || !strings.Contains(strings.Join(h.notes, "\n"), aside) {
		t.Fatalf("no copy of the damaged journal, or no note of it: %q\n%s", h.notes, disk.everything())
	}
	more := numbered(3)
	if err := errors.Join(h.append(&more), h.close()); err != nil {
		t.Fatal(err)
	}
	if h, err = open(s, "x", ToExtend, largestBody); err != nil || len(h.list) != 2 {
		t.Fatalf("extend again: %d interactions, %v", len(h.list), err)
	}
	if err := errors.Join(h.save(nil, State{}), h.close()); err != nil {
		t.Fatal(err)
	}
	if disk.dirs[".tapedeck"].files[aside] == nil {
		t.Error("saving removed the copy of the damaged journal")
	}
}

func TestFullDisk(t *testing.T) {
	disk := newMemDisk()
	s := &folder{disk}
	h, err := open(s, "x", ToExtend, largestBody)
	if err != nil {
		t.Fatal(err)
	}
	first := numbered(1)
	if err := h.append(&first); err != nil {
		t.Fatal(err)
	}
	disk.space = 100 // the next entry fits in part
	second := numbered(2)
	err = h.append(&second)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full; free some space") {
		t.Fatalf("with a full disk: %v", err)
	}
	disk.space = 0
	if err := h.save([]clean.Stored{first}, State{}); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the old one and the journal stay") {
		t.Fatalf("save with a full disk: %v", err)
	}
	if r, err := open(s, "x", ToReplay, largestBody); err != nil || !slices.Equal(numbers(t, r.list), []int{1}) {
		t.Fatalf("the journal cannot be read: %v", err)
	}
	disk.space = -1
	third := numbered(3)
	if err := h.append(&third); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	if r, err := open(s, "x", ToReplay, largestBody); err != nil || !slices.Equal(numbers(t, r.list), []int{1, 3}) {
		t.Fatalf("after the disk had space again: %v", err)
	}
}

// A failedLog fails as told.
type failedLog struct {
	Log
	sync, truncate error
}

func (l *failedLog) Write(p []byte) (int, error) { return len(p) / 2, nil } // against io.Writer's contract
func (l *failedLog) Truncate(int64) error        { return l.truncate }
func (l *failedLog) Sync() error                 { return l.sync }
func (l *failedLog) Close() error                { return nil }

func TestJournalWriterFailures(t *testing.T) {
	w := &journalWriter{log: &failedLog{}}
	if err := w.append(recordInteraction, 1, []byte("{}")); err == nil || !strings.Contains(err.Error(), "the disk is full") || w.broken != nil {
		t.Errorf("a short write: %v", err)
	}
	w = &journalWriter{log: &failedLog{truncate: syscall.EIO}}
	_ = w.append(recordInteraction, 1, []byte("{}"))
	if err := w.append(recordInteraction, 1, []byte("{}")); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "half an entry") {
		t.Errorf("after a short write that cannot be undone: %v", err)
	}
	w = &journalWriter{log: &failedLog{sync: syscall.EIO}, dirty: true}
	if err := w.sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v", err)
	}
	if err := w.append(recordInteraction, 1, nil); !errors.Is(err, syscall.EIO) {
		t.Errorf("append after a failed sync: %v", err)
	}
}

func FuzzJournal(f *testing.F) {
	file, ends := journalOf(f, numbered(0), sample())
	f.Add(file)
	f.Add(file[:ends[0]+3])
	f.Add(append(slices.Clone(file), make([]byte, 40)...))
	f.Add(appendRecord(journalHeader(replacing), recordSaved, []byte("sum")))
	f.Fuzz(func(t *testing.T, file []byte) {
		j, err := readJournal(bytes.NewReader(file))
		if err != nil {
			if !errors.Is(err, errLaterJournal) {
				t.Fatal(err)
			}
			return
		}
		if j.end > int64(len(file)) || j.torn && j.damaged {
			t.Fatalf("end %d of %d, torn %v, damaged %v", j.end, len(file), j.torn, j.damaged)
		}
		// What stands before the end is a whole journal.
		again, err := readJournal(bytes.NewReader(file[:j.end]))
		if err != nil || again.torn || again.damaged || len(again.entries) != len(j.entries) || again.end != j.end {
			t.Fatalf("read up to its end: %+v, %v", again, err)
		}
		for _, e := range j.entries {
			content, err := encodeEntry(e.Stored, e.requestFile, e.responseFile)
			if err != nil {
				t.Fatal(err)
			}
			back, err := decodeEntry(content)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e.Stored, back.Stored, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func checksum(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
}
