package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tapedeck/cassettes/clean"
)

// begun is a recording of numbered(0) to numbered(n-1).
func begun(t testing.TB, store Store, p Purpose, largest, n int) *holding {
	t.Helper()
	h, err := open(store, "x", p, largest)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s := numbered(i)
		if err := h.append(&s); err != nil || s.ID != i {
			t.Fatalf("id %d, %v", s.ID, err)
		}
	}
	return h
}

// amend puts amended(numbered(n)) into the journal of a recording whose ids are the numbers.
func amend(t testing.TB, h *holding, n int) {
	t.Helper()
	s := numbered(n)
	s.ID = n
	if err := h.amend(amended(s)); err != nil {
		t.Fatal(err)
	}
}

func (d *memDisk) mustHold(t *testing.T, n int, want bool) {
	t.Helper()
	for _, trace := range traces(n) {
		if at := d.holder(trace); at != "" != want && (want == false || trace == traces(n)[2]) {
			t.Errorf("%q stands in %q; want it anywhere: %v\n%s", trace, at, want, d.everything())
		}
	}
}

func TestJournalAnewHoldsNothingOld(t *testing.T) {
	for _, p := range []Purpose{ToExtend, ToReplace} {
		for _, largest := range []int{largestBody, 4} {
			t.Run(fmt.Sprintf("%d/%d", p, largest), func(t *testing.T) {
				disk := newMemDisk()
				store := &folder{disk}
				if p == ToReplace {
					h, err := open(store, "x", ToExtend, largest)
					if err != nil || h.save([]clean.Stored{numbered(8)}, State{}) != nil || h.close() != nil {
						t.Fatal("cannot write the cassette to begin with")
					}
				}
				h := begun(t, store, p, largest, 0)
				for i := range 5 {
					s := numbered(i)
					if err := h.append(&s); err != nil {
						t.Fatal(err)
					}
					if i == 1 || i == 3 {
						if err := h.amend(amended(s)); err != nil {
							t.Fatal(err)
						}
						if largest > 4 {
							disk.mustHold(t, i, true)
						}
					}
				}
				object := h.journalObject()
				before := len(disk.contents(object))
				if err := h.anew(); err != nil {
					t.Fatal(err)
				}
				file := disk.contents(object)
				if len(file) >= before || !bytes.Equal(file[:journalHeadSize], journalHeader(h.kind)) {
					t.Errorf("%d bytes, then %d; the header is %q", before, len(file), file[:journalHeadSize])
				}
				for i := range 5 {
					disk.mustHold(t, i, i != 1 && i != 3)
				}
				last := numbered(5)
				if err := h.append(&last); err != nil {
					t.Fatal(err)
				}
				var list []entry
				if h, err := open(&folder{disk.after(killed)}, "x", ToReplay, largest); err != nil {
					t.Error(err)
				} else if p == ToReplace {
					list = h.replacement
				} else {
					list = h.list
				}
				if got := numbers(t, list); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
					t.Errorf("read back: %v", got)
				}
				if err := h.close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// contents is what a file holds.
func (d *memDisk) contents(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, f, err := d.find(name)
	if err != nil {
		return nil
	}
	return slices.Clone(f.data)
}

// What an amended entry says of a mark stays true: it stands before it, as the first did.
func TestJournalAnewKeepsMarks(t *testing.T) {
	disk := newMemDisk()
	h := begun(t, &folder{disk}, ToExtend, largestBody, 2)
	if err := h.mark("sum"); err != nil {
		t.Fatal(err)
	}
	last := numbered(2)
	if err := h.append(&last); err != nil {
		t.Fatal(err)
	}
	amend(t, h, 0)
	if err := h.anew(); err != nil {
		t.Fatal(err)
	}
	j, err := readJournal(bytes.NewReader(disk.contents(h.journalObject())))
	if err != nil || len(j.entries) != 3 || !j.dropSaved("sum") || len(j.entries) != 1 || j.entries[0].ID != 2 {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestJournalAnewLeavesOutWhatIsWithdrawn(t *testing.T) {
	for _, largest := range []int{largestBody, 4} {
		disk := newMemDisk()
		h := begun(t, &folder{disk}, ToExtend, largest, 3)
		h.withdraw(1)
		h.withdraw(7) // which is none
		disk.mustHold(t, 1, true)
		if err := h.anew(); err != nil {
			t.Fatal(err)
		}
		disk.mustHold(t, 1, false)
		amend(t, h, 1) // does nothing
		if r, err := open(&folder{disk.after(killed)}, "x", ToReplay, largest); err != nil || !slices.Equal(numbers(t, r.list), []int{0, 2}) {
			t.Errorf("read back: %v", err)
		}
	}
}

// What is not in the journal any more has been saved.
func TestAmendingWhatIsSavedWritesNothing(t *testing.T) {
	disk := newMemDisk()
	h := begun(t, &folder{disk}, ToExtend, 4, 2)
	one := numbered(0)
	one.ID = 0
	if err := h.save([]clean.Stored{one}, State{}); err != nil {
		t.Fatal(err)
	}
	amend(t, h, 0)
	h.withdraw(0)
	if err := errors.Join(h.anew(), h.close()); err != nil {
		t.Fatal(err)
	}
	if left, _ := h.store.List(private); !slices.Equal(left, []string{".gitignore"}) {
		t.Errorf("left: %q", left)
	}
}

// A run goes on with the journal of a killed one, in which entries may have other ids.
func TestAmendingWhatAKilledRunLeft(t *testing.T) {
	for _, largest := range []int{largestBody, 4} {
		disk := newMemDisk()
		begun(t, &folder{disk}, ToExtend, largest, 3)
		disk = disk.after(killed)
		store := &folder{disk}
		// Meanwhile somebody has made a cassette in which the ids are taken.
		taken := numbered(50)
		taken.ID = 1
		file, _ := encode(contents{list: []entry{{Stored: taken}}}, largestBody)
		if err := store.Replace("x.yaml", file); err != nil {
			t.Fatal(err)
		}
		h, err := open(store, "x", ToExtend, largest)
		if err != nil || !slices.Equal(numbers(t, h.list), []int{50, 0, 1, 2}) || h.list[2].ID == 1 {
			t.Fatalf("%v, %v", numbers(t, h.list), err)
		}
		for _, e := range h.list[1:] {
			if err := h.amend(amended(e.Stored)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(h.anew(), h.close()); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			disk.mustHold(t, i, false)
		}
		h, err = open(store, "x", ToReplay, largest)
		if err != nil || len(h.list) != 4 {
			t.Fatalf("%d, %v", len(h.list), err)
		}
		for _, e := range h.list[1:] {
			if string(e.ResponseBody) != `{"redacted":true}` {
				t.Errorf("interaction %d is %q", e.ID, e.ResponseBody)
			}
		}
	}
}

// A full disk leaves the journal with its amendments; when there is space it is written anew.
func TestJournalAnewWithAFullDisk(t *testing.T) {
	for space := 0; ; space += 37 {
		disk := newMemDisk()
		h := begun(t, &folder{disk}, ToExtend, largestBody, 4)
		amend(t, h, 1)
		disk.space = space
		err := h.anew()
		disk.space = -1
		if err == nil {
			if space == 0 {
				t.Fatal("the disk was not full")
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full; free some space") {
			t.Fatalf("with %d bytes: %v", space, err)
		}
		disk.mustHold(t, 1, true)
		last := numbered(4)
		if err := h.append(&last); err != nil {
			t.Fatalf("with %d bytes: %v", space, err)
		}
		if err := h.anew(); err != nil {
			t.Fatalf("with space again: %v", err)
		}
		disk.mustHold(t, 1, false)
		if left := disk.everything(); strings.Contains(left, draftPrefix) {
			t.Fatalf("left behind:\n%s", left)
		}
		r, err := open(&folder{disk.after(powerLost)}, "x", ToReplay, largestBody)
		if err != nil || !slices.Equal(numbers(t, r.list), []int{0, 1, 2, 3, 4}) {
			t.Fatalf("%v", err)
		}
	}
}

// An unsteadyDisk fails at what it is told to.
type unsteadyDisk struct {
	*memDisk
	rename, sync bool
	append       string // the file that cannot be opened
}

func (d *unsteadyDisk) Rename(from, to string) error {
	if d.rename {
		return syscall.EIO
	}
	return d.memDisk.Rename(from, to)
}

func (d *unsteadyDisk) SyncDir(dir string) error {
	if d.sync && dir == private {
		return syscall.EIO
	}
	return d.memDisk.SyncDir(dir)
}

func (d *unsteadyDisk) Append(name string, perm fs.FileMode) (Log, bool, error) {
	if d.append != "" && path.Base(name) == d.append {
		return nil, false, syscall.EMFILE
	}
	return d.memDisk.Append(name, perm)
}

func TestJournalAnewThatFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		fail  func(*unsteadyDisk)
		goes  bool // recording goes on
		fails bool // anew says so
	}{
		{"rename", func(d *unsteadyDisk) { d.rename = true }, true, true},
		{"sync of the folder", func(d *unsteadyDisk) { d.sync = true }, false, true},
		{"open", func(d *unsteadyDisk) { d.append = path.Base(privateOf("x", journalSuffix)) }, true, false},
		{"read", func(d *unsteadyDisk) {
			_, f, _ := d.find(privateOf("x", journalSuffix))
			f.data[journalHeadSize+recordHeadSize+4] ^= 1
		}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := &unsteadyDisk{memDisk: newMemDisk()}
			h := begun(t, &folder{disk}, ToExtend, largestBody, 3)
			amend(t, h, 1)
			draft, err := h.store.Create(privateOf("x", pendingSuffix)) // makes the folder
			if err != nil || draft.Discard() != nil {
				t.Fatal(err)
			}
			c.fail(disk)
			if err := h.anew(); err != nil != c.fails {
				t.Fatalf("anew: %v", err)
			}
			last := numbered(3)
			if c.name == "open" {
				if err := h.append(&last); !errors.Is(err, syscall.EMFILE) {
					t.Errorf("append to a journal that cannot be opened: %v", err)
				}
			}
			*disk = unsteadyDisk{memDisk: disk.memDisk}
			err = h.append(&last)
			if err == nil != c.goes {
				t.Fatalf("append after that: %v", err)
			}
			want := []int{0, 1, 2}
			if c.goes {
				want = append(want, 3)
			}
			if c.name == "read" {
				want = nil // the disk has lost the first entry
			} else if c.goes {
				if err := h.anew(); err != nil {
					t.Errorf("once more: %v", err)
				}
				disk.mustHold(t, 1, false)
			}
			r, err := open(&folder{disk.after(killed)}, "x", ToReplay, largestBody)
			if err != nil || !slices.Equal(numbers(t, r.list), want) {
				t.Errorf("read back %v, %v", numbers(t, r.list), err)
			}
			h.close()
		})
	}
}

// Entries are appended, and a save comes, while the journal is written anew.
func TestJournalAnewWhileRecording(t *testing.T) {
	for name, store := range map[string]Store{"memory": &folder{newMemDisk()}, "disk": must(NewFolder(t.TempDir()))} {
		t.Run(name, func(t *testing.T) {
			h := begun(t, store, ToExtend, 40, 10)
			var mu sync.Mutex
			var all []clean.Stored
			var wg sync.WaitGroup
			for w := range 4 {
				wg.Go(func() {
					for i := range 50 {
						s := numbered(1000*(w+1) + i)
						if err := h.append(&s); err != nil {
							t.Error(err)
						}
						mu.Lock()
						all = append(all, s)
						mu.Unlock()
						if i%3 == 0 {
							if err := h.amend(amended(s)); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			done := make(chan struct{})
			var rewriting sync.WaitGroup
			for range 2 {
				rewriting.Go(func() {
					for {
						if err := h.anew(); err != nil {
							t.Error(err)
						}
						select {
						case <-done:
							return
						default:
						}
					}
				})
			}
			wg.Wait()
			r, err := open(store, "x", ToReplay, 40)
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, r.list); len(got) != 210 || slices.ContainsFunc(r.notes, func(n string) bool { return !strings.Contains(n, "was not saved") }) {
				t.Errorf("%d interactions; notes %q", len(got), r.notes)
			}
			if err := h.save(all, State{}); err != nil {
				t.Error(err)
			}
			close(done)
			rewriting.Wait()
			if err := h.close(); err != nil {
				t.Error(err)
			}
			if left, _ := store.List(private); slices.Contains(left, "x.journal") {
				t.Errorf("left after the save: %q", left)
			}
			if left, _ := store.List(privateOf("x", pendingSuffix)); len(left) > 0 {
				t.Errorf("bodies left after the save: %q", left)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What live lists is what a reader reads, in its order.
func TestJournalIndexIsWhatIsRead(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		file := journalHeader(extending)
		next := 0
		for range rnd.IntN(30) {
			s := numbered(rnd.IntN(1000))
			switch rnd.IntN(3) {
			case 0:
				s.ID = next
				next++
				content, _ := encodeEntry(s, "", "")
				file = appendRecord(file, recordInteraction, content)
			case 1:
				s.ID = rnd.IntN(next + 2) // may be none
				content, _ := encodeEntry(s, "", "")
				file = appendRecord(file, recordAmended, content)
			default:
				file = appendRecord(file, recordSaved, fmt.Append(nil, next))
			}
		}
		j, err := readJournal(bytes.NewReader(file))
		if err != nil || j.torn || j.damaged || j.index.end != int64(len(file)) {
			t.Fatalf("%+v, %v", j, err)
		}
		again := journalHeader(extending)
		for _, r := range j.index.live() {
			again = appendRecord(again, r.typ, file[r.start+recordHeadSize+1:r.end])
		}
		k, err := readJournal(bytes.NewReader(again))
		if err != nil || k.index.stale() || fmt.Sprint(storedOf(k.entries)) != fmt.Sprint(storedOf(j.entries)) || fmt.Sprint(k.saved) != fmt.Sprint(j.saved) {
			t.Fatalf("read %v and %v, then %v and %v (%v)", j.entries, j.saved, k.entries, k.saved, err)
		}
	}
}

// BenchmarkAnew is what a sweep of a recording of 20,000 interactions adds by writing
// the journal anew, a hundredth of which was amended.
func BenchmarkAnew(b *testing.B) {
	store, err := NewFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	h, err := open(store, "x", ToExtend, largestBody)
	if err != nil {
		b.Fatal(err)
	}
	defer h.close()
	list := typical(20_000).list
	for i := range list {
		if err := h.append(&list[i].Stored); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for i := 0; i < len(list); i += 100 {
			if err := h.amend(list[i].Stored); err != nil {
				b.Fatal(err)
			}
		}
		if err := h.anew(); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(h.log.index.end)
	}
}
