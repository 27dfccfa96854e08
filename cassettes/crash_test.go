package cassettes

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// numbered is an interaction that can be told from others by n.
func numbered(n int) clean.Stored {
	return clean.Stored{Meta: clean.Meta{ID: -1, Begin: uint64(2*n + 1), End: uint64(2*n + 2)}, Method: "POST",
		URL: fmt.Sprintf("https://a.test/%d", n), Proto: "HTTP/1.1",
		RequestHeader: http.Header{"Content-Type": {"text/plain"}}, RequestBody: fmt.Appendf(nil, "request %d", n),
		Status: 200, StatusText: "OK", ResponseProto: "HTTP/1.1",
		ResponseHeader: http.Header{"Content-Type": {"application/json"}}, ResponseBody: fmt.Appendf(nil, `{"n":%d}`, n)}
}

// swept is an interaction as a recorder saves it: what the vault learned since it
// was appended is replaced, so that it is not the journal's any more.
func swept(s clean.Stored) clean.Stored {
	s.ResponseBody = append([]byte("swept "), s.ResponseBody...)
	return s
}

// amended is an interaction in which a secret was learned later.
func amended(s clean.Stored) clean.Stored {
	s.RequestBody = []byte("redacted for " + s.URL)
	s.ResponseBody = []byte(`{"redacted":true}`)
	return s
}

// traces are what numbered(n) is known by and amended(numbered(n)) is not, as it
// stands in a body file and in a journal.
func traces(n int) []string {
	return []string{fmt.Sprintf(`{"n":%d}`, n), fmt.Sprintf(`{\"n\":%d}`, n), fmt.Sprintf("request %d", n)}
}

// numbers reads back which interactions a holding has, and fails when one is not whole.
func numbers(t *testing.T, list []entry) []int {
	t.Helper()
	var out []int
	ids := map[int]bool{}
	for _, e := range list {
		var n int
		if _, err := fmt.Sscanf(e.URL, "https://a.test/%d", &n); err != nil {
			t.Fatalf("an interaction with the URL %q", e.URL)
		}
		want := numbered(n)
		if changed := amended(want); string(e.RequestBody) == string(changed.RequestBody) && string(e.ResponseBody) == string(changed.ResponseBody) {
			want = changed
		}
		if string(e.RequestBody) != string(want.RequestBody) || string(e.ResponseBody) != string(want.ResponseBody) && string(e.ResponseBody) != string(swept(want).ResponseBody) {
			t.Errorf("interaction %d has the bodies %q and %q", n, e.RequestBody, e.ResponseBody)
		}
		if ids[e.ID] {
			t.Errorf("the id %d stands twice", e.ID)
		}
		ids[e.ID] = true
		out = append(out, n)
	}
	return out
}

// A story is a session that stops at some step. It returns what was
// acknowledged: which interactions were appended, and which saved.
type story struct {
	name  string
	begin []int // what is in the file before
	run   func(store Store, largest int) told
}

type told struct {
	appended []int // every Append that returned without an error
	saved    []int // what the last Save that returned without an error wrote
	tried    []int // the list of a Save that returned an error; nil if there was none
	large    map[int]*clean.Large
	ids      map[int]int
	amended  []int // every Amend that returned without an error
	clean    []int // those of them that a Rewrite has followed, without an error
}

// amend is what a sweep does with the interactions in which it finds a learned value.
func (w *told) amend(h *holding, list ...int) bool {
	for _, n := range list {
		s := numbered(n)
		s.ID = w.ids[n]
		if s = amended(s); h.amend(s) != nil {
			return false
		}
		w.amended = append(w.amended, n)
	}
	return true
}

func (w *told) rewrite(h *holding) bool {
	if h.anew() != nil {
		return false
	}
	w.clean = slices.Clone(w.amended)
	return true
}

// stream is append for an answer whose body goes into its file while it comes.
func (w *told) stream(h *holding, n int) bool {
	s := numbered(n)
	d, err := h.shelf().Create()
	if err != nil {
		return false
	}
	half := len(s.ResponseBody) / 2
	for _, part := range [][]byte{s.ResponseBody[:half], s.ResponseBody[half:]} {
		if _, err := d.Write(part); err != nil {
			return false
		}
	}
	name, err := d.Commit()
	if err != nil {
		return false
	}
	if w.large == nil {
		w.large = make(map[int]*clean.Large)
	}
	w.large[n] = clean.NewLarge(name, int64(len(s.ResponseBody)), h.shelf())
	s.ResponseBody, s.ResponseLarge = nil, w.large[n]
	if h.append(&s) != nil {
		return false
	}
	w.appended = append(w.appended, n)
	return h.log.sync() == nil
}

func (w *told) append(h *holding, n int) bool {
	s := numbered(n)
	if h.append(&s) != nil {
		return false
	}
	w.appended = append(w.appended, n)
	if w.ids == nil {
		w.ids = make(map[int]int)
	}
	w.ids[n] = s.ID
	if n%2 == 0 {
		return true
	}
	return h.log.sync() == nil // as it happens by itself after a while
}

func (w *told) save(h *holding, list []int) bool {
	var stored []clean.Stored
	for i, n := range list {
		s := swept(numbered(n))
		if slices.Contains(w.amended, n) {
			s = amended(s)
		}
		if l := w.large[n]; l != nil {
			s.ResponseBody, s.ResponseLarge = nil, l
		}
		s.ID = i
		stored = append(stored, s)
	}
	if h.save(stored, State{}) != nil {
		w.tried = list
		return false
	}
	w.saved = list
	return true
}

var stories = []story{
	{"first recording", nil, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 1) && w.append(h, 2) && w.save(h, []int{1, 2})
		return
	}},
	{"extend, save twice", []int{1, 2}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 3) && w.append(h, 4) && w.save(h, []int{1, 2, 3, 4}) && w.append(h, 5) && w.save(h, []int{1, 2, 3, 4, 5})
		return
	}},
	{"replace", []int{1, 2}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToReplace, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 3) && w.append(h, 4) && w.save(h, []int{3, 4})
		return
	}},
	{"replace with a journal left over", []int{1}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		ok := w.append(h, 2)
		h.close()
		if !ok {
			return
		}
		if h, err = open(store, "dir/x", ToReplace, largest); err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 3) && w.append(h, 4) && w.save(h, []int{3, 4}) && w.append(h, 5)
		return
	}},
	{"bodies that stream", []int{1}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.stream(h, 2) && w.append(h, 3) && w.stream(h, 4) && w.save(h, []int{1, 2, 3, 4}) && w.stream(h, 5) && w.save(h, []int{1, 2, 3, 4, 5})
		return
	}},
	{"learn later", []int{1}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 2) && w.append(h, 3) && w.append(h, 4) && w.amend(h, 2, 4) && w.rewrite(h) &&
			w.append(h, 5) && w.amend(h, 5, 3) && w.rewrite(h) && w.append(h, 6) && w.save(h, []int{1, 2, 3, 4, 5, 6})
		return
	}},
	{"replace and learn later", []int{1, 2}, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToReplace, largest)
		if err != nil {
			return
		}
		defer h.close()
		_ = w.append(h, 3) && w.append(h, 4) && w.amend(h, 3) && w.rewrite(h) && w.append(h, 5) && w.save(h, []int{3, 4, 5})
		return
	}},
	{"learn, be killed, and go on", nil, func(store Store, largest int) (w told) {
		h, err := open(store, "dir/x", ToExtend, largest)
		if err != nil {
			return
		}
		ok := w.append(h, 1) && w.append(h, 2) && w.append(h, 3) && w.amend(h, 1, 2) && h.log.sync() == nil
		h.close()
		if !ok {
			return
		}
		if h, err = open(store, "dir/x", ToExtend, largest); err != nil { // writes the journal anew
			return
		}
		defer h.close()
		_ = w.rewrite(h) && w.append(h, 4) && w.amend(h, 3) && w.rewrite(h) && w.append(h, 5)
		return
	}},
}

func TestEveryCrashPoint(t *testing.T) {
	for _, s := range stories {
		for _, largest := range []int{largestBody, 4} { // 4: every body is a file of its own
			t.Run(fmt.Sprintf("%s/%d", s.name, largest), func(t *testing.T) {
				t.Parallel()
				points := 0
				for stop := 1; ; stop++ {
					disk := newMemDisk()
					if s.begin != nil {
						h, err := open(&folder{disk}, "dir/x", ToExtend, largest)
						if err != nil {
							t.Fatal(err)
						}
						var w told
						if !w.save(h, s.begin) || h.close() != nil {
							t.Fatal("cannot write the cassette to begin with")
						}
					}
					disk.steps, disk.stopAt = 0, stop
					w := s.run(&folder{disk}, largest)
					for _, c := range crashes {
						checkCrash(t, s, w, disk.after(c), c, largest, stop)
					}
					points++
					if !disk.dead {
						break // the story came to its end
					}
				}
				t.Logf("%d crash points", points)
			})
		}
	}
}

// checkCrash opens what a crash left and checks what it may hold.
func checkCrash(t *testing.T, s story, w told, disk *memDisk, c crash, largest, stop int) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s at step %d: %s\nfound on disk:\n%s", c, stop, fmt.Sprintf(format, args...), disk.everything())
	}
	for _, n := range w.clean {
		for _, trace := range traces(n) {
			if at := disk.holder(trace); at != "" {
				fail("%s holds %s, which was amended, and the journal written anew", at, trace)
			}
		}
	}
	before := disk.everything()
	h, err := open(&folder{disk}, "dir/x", ToReplay, largest)
	if err != nil {
		if s.begin == nil && w.saved == nil && strings.Contains(err.Error(), "record it first") && (c != killed || len(w.appended) == 0) {
			return
		}
		fail("replay: %v", err)
		return
	}
	if after := disk.everything(); after != before {
		fail("replaying changed the disk to\n%s", after)
	}
	replayed := numbers(t, h.list)
	if c == killed { // or all that was written is there
		for _, e := range slices.Concat(h.list, h.replacement) {
			var n int
			fmt.Sscanf(e.URL, "https://a.test/%d", &n)
			if slices.Contains(w.amended, n) && strings.Contains(string(e.ResponseBody), `"n"`) {
				fail("%d is read as it was before it was amended", n)
			}
		}
	}
	replacing := strings.HasPrefix(s.name, "replace")

	// Old or new, and whole: the file, and what of the journal is not in it.
	base := s.begin
	if w.saved != nil {
		base = w.saved
	}
	journaled := w.appended
	if replacing { // the old recording until it is saved, the new one from then on
		journaled = slices.DeleteFunc(slices.Clone(journaled), func(n int) bool { return (n > 2) == (w.saved == nil) })
	}
	possible := [][]int{union(base, journaled)}
	if w.tried != nil {
		possible = append(possible, union(w.tried, nil))
	}
	full := func(p []int) bool { return slices.Equal(replayed, p) }
	if c == killed {
		// The entry being written when it was killed may be whole as well.
		if !slices.ContainsFunc(possible, full) && !slices.ContainsFunc(possible, func(p []int) bool {
			return len(replayed) == len(p)+1 && full(append(slices.Clone(p), replayed[len(replayed)-1]))
		}) {
			fail("replay has %v, want one of %v", replayed, possible)
		}
	} else if !slices.ContainsFunc(possible, func(p []int) bool { return len(replayed) <= len(p) && slices.Equal(replayed, p[:len(replayed)]) }) ||
		len(replayed) < len(base) {
		fail("replay has %v, want the beginning of one of %v, at least %v", replayed, possible, base)
	}
	if w.tried != nil && slices.Equal(replayed, w.tried) && replacing && len(h.replacement) > 0 {
		fail("the replacement is saved and still offered for recovery")
	}

	h, err = open(&folder{disk}, "dir/x", ToExtend, largest)
	if err != nil {
		fail("extend: %v", err)
		return
	}
	if extended := numbers(t, h.list); !slices.Equal(extended, replayed) {
		fail("extend has %v, replay had %v", extended, replayed)
	}
	// A killed process loses nothing that was acknowledged.
	if c == killed {
		kept := slices.Concat(replayed, numbers(t, h.replacement))
		for _, n := range w.appended {
			replaced := replacing && (w.saved != nil || w.tried != nil) && n < 3 // saving the replacement takes its place
			if !slices.Contains(kept, n) && !replaced {
				fail("%d was acknowledged and is in neither %v nor %v", n, replayed, numbers(t, h.replacement))
			}
		}
	}
	// Recording goes on, is killed at once, and nothing is lost either.
	extra := numbered(99)
	if err := errors.Join(h.append(&extra), h.close()); err != nil {
		fail("append after the crash: %v", err)
		return
	}
	disk = disk.after(killed)
	if h, err = open(&folder{disk}, "dir/x", ToExtend, largest); err != nil {
		fail("extend again: %v", err)
		return
	}
	replayed = append(replayed, 99)
	if extended := numbers(t, h.list); !slices.Equal(extended, replayed) {
		fail("extend again has %v, want %v", extended, replayed)
	}
	// What opening found can be saved, and stays.
	var stored []clean.Stored
	for _, e := range h.list {
		stored = append(stored, e.Stored)
	}
	if err := errors.Join(h.save(stored, State{}), h.close()); err != nil {
		fail("save after the crash: %v", err)
		return
	}
	h, err = open(&folder{disk}, "dir/x", ToReplay, largest)
	if err != nil {
		fail("replay after saving: %v", err)
		return
	}
	if again := numbers(t, h.list); !slices.Equal(again, replayed) || h.fromJournal > 0 {
		fail("saved %v, replayed %v, of it %d from a journal", replayed, again, h.fromJournal)
	}
	if left := disk.everything(); strings.Contains(left, "yaml123") || strings.Contains(left, draftPrefix) {
		fail("a temporary file stays")
	}
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, n := range b {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// A syncFails disk cannot sync the cassette's folder while failing is set.
type syncFails struct {
	*memDisk
	failing bool
}

func (d *syncFails) SyncDir(dir string) error {
	if d.failing && dir == "dir" {
		return errors.New("the folder cannot be synced")
	}
	return d.memDisk.SyncDir(dir)
}

// The new file may be in place although Save failed. Whatever is recorded after
// that extends it, even when the recording began as a replacement.
func TestRecordingGoesOnAfterASaveThatFailedLate(t *testing.T) {
	for _, p := range []Purpose{ToExtend, ToReplace} {
		disk := &syncFails{memDisk: newMemDisk()}
		store := &folder{disk}
		h, err := open(store, "dir/x", ToExtend, largestBody)
		if err != nil {
			t.Fatal(err)
		}
		var w told
		if !w.save(h, []int{1}) || h.close() != nil {
			t.Fatal("cannot write the cassette to begin with")
		}
		if h, err = open(store, "dir/x", p, largestBody); err != nil {
			t.Fatal(err)
		}
		if !w.append(h, 3) {
			t.Fatal("cannot append")
		}
		disk.failing = true
		if w.save(h, []int{1, 3}) {
			t.Fatal("saved without syncing the folder")
		}
		disk.failing = false
		if !w.append(h, 5) {
			t.Fatal("cannot append after a save that failed")
		}
		// It is killed here.
		after := &folder{disk.after(killed)}
		r, err := open(after, "dir/x", ToReplay, largestBody)
		if err != nil || !slices.Equal(numbers(t, r.list), []int{1, 3, 5}) {
			t.Fatalf("replay after %d: %v, %v", p, numbers(t, r.list), err)
		}
		e, err := open(after, "dir/x", ToExtend, largestBody)
		if err != nil || !slices.Equal(numbers(t, e.list), []int{1, 3, 5}) || !w.append(e, 7) {
			t.Fatalf("extend after %d: %v", p, err)
		}
		e.close()
		if e, err = open(after, "dir/x", ToExtend, largestBody); err != nil || !slices.Equal(numbers(t, e.list), []int{1, 3, 5, 7}) {
			t.Fatalf("extend again after %d: %v", p, err)
		}
		if err := errors.Join(e.save(storedOf(e.list), State{}), e.close()); err != nil {
			t.Fatal(err)
		}
		if left, _ := after.List("dir/" + private); !slices.Equal(left, []string{".gitignore"}) {
			t.Errorf("left behind: %q", left)
		}
	}
}
