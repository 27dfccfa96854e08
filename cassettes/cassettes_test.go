package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// interaction is a clean one, as the deck makes them.
func interaction(t testing.TB, c *clean.Cleaner, n int, answer string) clean.Interaction {
	t.Helper()
	req, err := http.NewRequest("POST", fmt.Sprintf("https://a.test/%d", n), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Request(req, fmt.Appendf(nil, "request %d", n))
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Interaction(r, clean.Answer{Body: []byte(answer), Response: &http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1",
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(answer))}})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func mustOpen(t testing.TB, store Store, name string, p Purpose) (*Cassette, *clean.Cleaner) {
	t.Helper()
	cleaner := newCleaner(t)
	c, err := Open(store, name, cleaner, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, cleaner
}

func ids(list []clean.Interaction) (out []int) {
	for _, in := range list {
		out = append(out, in.ID)
	}
	return out
}

func TestRecordSaveReplay(t *testing.T) {
	disk := newMemDisk()
	store := &folder{disk}
	if _, err := Open(store, "a/x", newCleaner(t), ToReplay); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing cassette: %v", err)
	}
	c, cleaner := mustOpen(t, store, "a/x", ToExtend)
	var list []clean.Interaction
	for n := range 3 {
		in, err := c.Append(interaction(t, cleaner, n, `{"n":1}`))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, in)
	}
	if got := ids(list); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("ids %v", got)
	}
	if file, journal, err := Exists(store, "a/x"); file || !journal || err != nil {
		t.Errorf("while recording: file %v, journal %v, %v", file, journal, err)
	}
	// Another process that replays sees what is there so far; one that records is refused.
	r, _ := mustOpen(t, store, "a/x", ToReplay)
	if len(r.Interactions()) != 3 || r.State().Unfinished == "" || len(r.Notes()) != 1 {
		t.Errorf("replay while recording: %d interactions, %+v, notes %q", len(r.Interactions()), r.State(), r.Notes())
	}
	if _, err := r.Append(list[0]); err == nil {
		t.Error("a cassette opened to replay can be appended to")
	}
	if err := r.Save(nil, State{}); err == nil {
		t.Error("a cassette opened to replay can be saved")
	}
	var locked *LockedError
	if _, err := Open(store, "a/x", newCleaner(t), ToExtend); !errors.As(err, &locked) || !strings.Contains(err.Error(), "cassette a/x.yaml is being recorded by a test (pid 1, since now); wait") {
		t.Errorf("a second recorder: %v", err)
	}
	if err := c.Save(list[1:], State{Unfinished: "the command failed"}); err != nil {
		t.Fatal(err)
	}
	if file, journal, err := Exists(store, "a/x"); !file || journal || err != nil {
		t.Errorf("when saved: file %v, journal %v, %v", file, journal, err)
	}
	first := slices.Clone(disk.dirs["a"].files["x.yaml"].data)
	if err := c.Save(list[1:], State{Unfinished: "the command failed"}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, disk.dirs["a"].files["x.yaml"].data) {
		t.Error("saving again gives other bytes")
	}
	// An id is given once, whatever was saved since.
	in, err := c.Append(interaction(t, cleaner, 9, `{}`))
	if err != nil || in.ID != 3 {
		t.Errorf("the next id is %d, %v", in.ID, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(list[0]); err == nil {
		t.Error("a closed cassette can be appended to")
	}

	c, cleaner = mustOpen(t, store, "a/x", ToExtend)
	if got := ids(c.Interactions()); !slices.Equal(got, []int{1, 2, 3}) || c.State().Unfinished != "the command failed" {
		t.Errorf("opened again: ids %v, %+v", got, c.State())
	}
	fresh := interaction(t, cleaner, 10, `{}`)
	if err := c.Save(append(c.Interactions(), fresh, fresh), State{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Save([]clean.Interaction{c.Interactions()[0], c.Interactions()[0]}, State{}); err == nil || !strings.Contains(err.Error(), "id 1") {
		t.Errorf("an id that stands twice: %v", err)
	}
	c.Close()
	r, _ = mustOpen(t, store, "a/x", ToReplay)
	if got := ids(r.Interactions()); !slices.Equal(got, []int{1, 2, 3, 4, 5}) || len(r.Notes()) > 0 || r.State() != (State{}) {
		t.Errorf("ids %v, notes %q, %+v", got, r.Notes(), r.State())
	}
}

func TestReplaceLeavesTheOldOneUntilSaved(t *testing.T) {
	store := &folder{newMemDisk()}
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	if err := c.Save([]clean.Interaction{interaction(t, cleaner, 1, `{}`), interaction(t, cleaner, 2, `{}`)}, State{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	c, cleaner = mustOpen(t, store, "x", ToReplace)
	if len(c.Interactions()) != 2 {
		t.Errorf("what will be replaced: %d interactions", len(c.Interactions()))
	}
	in, err := c.Append(interaction(t, cleaner, 3, `{}`))
	if err != nil || in.ID != 2 {
		t.Fatalf("id %d, %v", in.ID, err)
	}
	c.Close() // and not saved

	r, _ := mustOpen(t, store, "x", ToReplay)
	if len(r.Interactions()) != 2 || len(r.Notes()) != 1 || !strings.Contains(r.Notes()[0], "tapedeck recover") {
		t.Errorf("%d interactions, notes %q", len(r.Interactions()), r.Notes())
	}
	// Recording again puts it aside, and saving that takes the place of both.
	c, cleaner = mustOpen(t, store, "x", ToReplace)
	if !strings.Contains(strings.Join(c.Notes(), "\n"), "x.previous") {
		t.Errorf("notes %q", c.Notes())
	}
	if in, err = c.Append(interaction(t, cleaner, 4, `{}`)); err != nil || in.ID != 3 {
		t.Fatalf("id %d, %v", in.ID, err)
	}
	if err := c.Save([]clean.Interaction{in}, State{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if left, _ := store.List(private); !slices.Equal(left, []string{".gitignore"}) {
		t.Errorf("left behind: %q", left)
	}
}

func TestRecover(t *testing.T) {
	store := &folder{newMemDisk()}
	if n, err := Recover(store, "x", newCleaner(t)); n != 0 || err != nil {
		t.Fatalf("nothing to recover: %d, %v", n, err)
	}
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	pinned := interaction(t, cleaner, 1, `{}`)
	pinned.Pinned = true
	if err := c.Save([]clean.Interaction{pinned, interaction(t, cleaner, 2, `{}`)}, State{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(interaction(t, cleaner, 3, `{}`)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if n, err := Recover(store, "x", newCleaner(t)); n != 1 || err != nil {
		t.Fatalf("a journal: %d, %v", n, err)
	}
	r, _ := mustOpen(t, store, "x", ToReplay)
	if len(r.Interactions()) != 3 || r.State().Unfinished == "" || len(r.Notes()) > 0 {
		t.Errorf("%d interactions, %+v, notes %q", len(r.Interactions()), r.State(), r.Notes())
	}
	c, cleaner = mustOpen(t, store, "x", ToReplace)
	for n := range 2 {
		if _, err := c.Append(interaction(t, cleaner, 4+n, `{}`)); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	if n, err := Recover(store, "x", newCleaner(t)); n != 2 || err != nil {
		t.Fatalf("a replacement: %d, %v", n, err)
	}
	r, _ = mustOpen(t, store, "x", ToReplay)
	var urls []string
	for _, in := range r.Interactions() {
		urls = append(urls, path.Base(in.Request().RawURL()))
	}
	if !slices.Equal(urls, []string{"1", "4", "5"}) || len(r.Notes()) > 0 {
		t.Errorf("%q, notes %q", urls, r.Notes())
	}
	if n, err := Recover(store, "x", newCleaner(t)); n != 0 || err != nil {
		t.Fatalf("again: %d, %v", n, err)
	}
}

func TestSaveLeavesAFileThatSomeoneChanged(t *testing.T) {
	store := &folder{newMemDisk()}
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	in, err := c.Append(interaction(t, cleaner, 1, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Replace("x.yaml", []byte(whole)); err != nil {
		t.Fatal(err)
	}
	var changed *ChangedError
	if err := c.Save([]clean.Interaction{in}, State{}); !errors.As(err, &changed) || !strings.Contains(err.Error(), "tapedeck recover") {
		t.Fatalf("save: %v", err)
	}
	c.Close()
	if file, _ := readObject(store, "x.yaml", largestFile); string(file) != whole {
		t.Error("the file was overwritten")
	}
	if n, err := Recover(store, "x", newCleaner(t)); n != 1 || err != nil {
		t.Fatalf("recover: %d, %v", n, err)
	}
	r, _ := mustOpen(t, store, "x", ToReplay)
	if got := ids(r.Interactions()); !slices.Equal(got, []int{4, 0}) {
		t.Errorf("ids %v", got)
	}
}

func TestBodyFiles(t *testing.T) {
	disk := newMemDisk()
	store := &folder{disk}
	large := strings.Repeat("0123456789abcdef", largestBody/16) + "!"
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	a, err := c.Append(interaction(t, cleaner, 1, large))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Append(interaction(t, cleaner, 2, large+"?"))
	if err != nil {
		t.Fatal(err)
	}
	if journal := disk.dirs[private].files["x.journal"]; len(journal.data) > 10_000 {
		t.Errorf("the journal holds %d bytes", len(journal.data))
	}
	if r, _ := mustOpen(t, store, "x", ToReplay); len(r.Interactions()) != 2 {
		t.Error("the journal cannot be read with its large bodies")
	}
	if err := c.Save([]clean.Interaction{a, b}, State{}); err != nil {
		t.Fatal(err)
	}
	if files, _ := store.List("x.bodies"); len(files) != 3 {
		t.Errorf("body files %q", files)
	}
	if err := c.Save([]clean.Interaction{a}, State{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	name := newBodyFile([]byte(large)).name
	if files, _ := store.List("x.bodies"); !slices.Equal(files, []string{".gitattributes", name}) {
		t.Errorf("body files after one is not needed any more: %q", files)
	}
	if files, _ := store.List(privateOf("x", pendingSuffix)); len(files) > 0 {
		t.Errorf("pending body files stay: %q", files)
	}
	r, _ := mustOpen(t, store, "x", ToReplay)
	resp, err := r.Interactions()[0].Response()
	if err != nil || resp.Large() == nil || resp.Size() != int64(len(large)) {
		t.Fatalf("%d bytes, %v", resp.Size(), err)
	}
	if whole, err := readLarge(resp.Large()); err != nil || string(whole) != large {
		t.Fatalf("%d bytes, %v", len(whole), err)
	}
	alone, err := Inline(r.Interactions(), r.State())
	if err != nil {
		t.Fatal(err)
	}
	if inline, err := decode("x.yaml", alone); err != nil || string(inline.list[0].ResponseBody) != large || inline.list[0].responseFile != "" {
		t.Errorf("inline: %v", err)
	}

	object := "x.bodies/" + name
	for want, spoil := range map[string]func() error{
		"is not what was recorded": func() error { return store.Replace(object, []byte(large[1:])) },
		"is missing":               func() error { return store.Remove(object) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(store, "x", newCleaner(t), ToReplay)
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), "cassette x.yaml:4: interaction 0: its body file "+object+" "+want) {
			t.Errorf("%s: %v", want, err)
		}
		if err := store.Replace(object, []byte(large)); err != nil {
			t.Fatal(err)
		}
	}
}

// The gate stands before the journal and before the file, and looks at the
// bytes themselves rather than at what JSON or base64 makes of them.
func TestGate(t *testing.T) {
	store := &folder{newMemDisk()}
	const late = "Qm7rX2vK9pLw4sTz8Nc1Yb6H"
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	early, err := c.Append(interaction(t, cleaner, 1, `{"note":"`+late+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	// Under this name it is a secret, and is learned.
	learned, err := c.Append(interaction(t, cleaner, 2, `{"client_secret":"`+late+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	var refusal *redact.Refusal
	err = c.Save([]clean.Interaction{early, learned}, State{})
	if !errors.As(err, &refusal) || strings.Contains(err.Error(), late) {
		t.Fatalf("saved with a learned secret in it: %v", err)
	}
	if _, err := c.Append(early); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "not recorded") || strings.Contains(err.Error(), late) {
		t.Fatalf("appended with a learned secret in it: %v", err)
	}
	if early, err = cleaner.Sweep(early); err != nil {
		t.Fatal(err)
	}
	if err := c.Save([]clean.Interaction{early, learned}, State{}); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open("x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if file, _ := io.ReadAll(r); bytes.Contains(file, []byte(late)) {
		t.Error("the secret is in the file")
	}
}

func TestParallelAppends(t *testing.T) {
	store, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	var done sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]bool{}
	for n := range 8 {
		done.Go(func() {
			for m := range 20 {
				in, err := c.Append(interaction(t, cleaner, n*100+m, `{"a":1}`))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[in.ID] {
					t.Errorf("id %d was given twice", in.ID)
				}
				seen[in.ID] = true
				mu.Unlock()
			}
		})
	}
	done.Wait()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	r, _ := mustOpen(t, store, "x", ToReplay)
	if len(r.Interactions()) != 160 || len(seen) != 160 {
		t.Errorf("%d in the journal, %d ids", len(r.Interactions()), len(seen))
	}
}

func TestLoadErrorsTellTheLine(t *testing.T) {
	store := &folder{newMemDisk()}
	const file = "version: 2\ninteractions:\n- id: 8\n  request: {url: /relative}\n  response: {code: 200}\n"
	if err := store.Replace("x.yaml", []byte(file)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(store, "x", newCleaner(t), ToReplay)
	if err == nil || !strings.Contains(err.Error(), "cassette x.yaml:3: interaction 8: request.url is not an absolute URL") {
		t.Error(err)
	}
}

// A cassette that cannot be read is told of, and nothing is written.
func TestUnreadableCassetteStays(t *testing.T) {
	dir := t.TempDir()
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	large, err := os.Create(filepath.Join(dir, "large.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(large.Truncate(largestFile+1), large.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "future.yaml"), []byte("version: 3\ninteractions: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"large": "larger than 512 MiB; record into", "future": "written by a later program; update"} {
		for _, p := range []Purpose{ToReplay, ToExtend, ToReplace} {
			var format *FormatError
			if _, err := Open(store, name, newCleaner(t), p); !errors.As(err, &format) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s for %d: %v", name, p, err)
			}
			// The lock is free again.
			if unlock, err := store.Lock(privateOf(name, lockSuffix)); err != nil {
				t.Error(err)
			} else if err := unlock(); err != nil {
				t.Error(err)
			}
		}
		if _, err := Recover(store, name, newCleaner(t)); err == nil {
			t.Errorf("%s was recovered", name)
		}
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "future.yaml")); string(got) != "version: 3\ninteractions: []\n" {
		t.Errorf("the file is now %q", got)
	}
}

func TestRecoverBoth(t *testing.T) {
	store := &folder{newMemDisk()}
	c, cleaner := mustOpen(t, store, "x", ToExtend)
	if err := c.Save([]clean.Interaction{interaction(t, cleaner, 1, `{}`)}, State{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	for n, p := range []Purpose{ToReplace, ToExtend} {
		c, cleaner = mustOpen(t, store, "x", p)
		if _, err := c.Append(interaction(t, cleaner, 2+n, `{}`)); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	for _, want := range [][]string{{"1", "3"}, {"2"}} {
		if n, err := Recover(store, "x", newCleaner(t)); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		r, _ := mustOpen(t, store, "x", ToReplay)
		var urls []string
		for _, in := range r.Interactions() {
			urls = append(urls, path.Base(in.Request().RawURL()))
		}
		if !slices.Equal(urls, want) {
			t.Errorf("%q, want %q", urls, want)
		}
	}
}
