package cassettes

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes/clean"
)

func TestFolderOnDisk(t *testing.T) {
	testStore(t, func() Store {
		s, err := NewFolder(filepath.Join(t.TempDir(), "not", "there", "yet"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestFolderInMemory(t *testing.T) { testStore(t, func() Store { return &folder{newMemDisk()} }) }

// testStore is the contract of Store: every implementation passes it.
func testStore(t *testing.T, empty func() Store) {
	read := func(t *testing.T, s Store, object string) string {
		t.Helper()
		r, err := s.Open(object)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("absent", func(t *testing.T) {
		s := empty()
		if _, err := s.Open("a/b.yaml"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open: %v", err)
		}
		if list, err := s.List("a"); len(list) > 0 || err != nil {
			t.Errorf("List: %v, %v", list, err)
		}
		must(t, s.Remove("a/b.yaml"))
	})
	t.Run("replace", func(t *testing.T) {
		s := empty()
		for _, content := range []string{"one", "", "\x00\xff two"} {
			must(t, s.Replace("a/b/c.yaml", []byte(content)))
			if got := read(t, s, "a/b/c.yaml"); got != content {
				t.Errorf("read %q, want %q", got, content)
			}
		}
		must(t, s.Replace("a/b/d.yaml", nil))
		if list, _ := s.List("a/b"); !slices.Equal(list, []string{"c.yaml", "d.yaml"}) {
			t.Errorf("List: %q", list)
		}
		must(t, s.Remove("a/b/c.yaml"))
		if list, _ := s.List("a/b"); !slices.Equal(list, []string{"d.yaml"}) {
			t.Errorf("List after Remove: %q", list)
		}
	})
	t.Run("readers see old or new", func(t *testing.T) {
		s := empty()
		old, other := strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<15)
		must(t, s.Replace("x.yaml", []byte(old)))
		var done sync.WaitGroup
		done.Go(func() {
			for i := range 50 {
				content := old
				if i%2 == 0 {
					content = other
				}
				if err := s.Replace("x.yaml", []byte(content)); err != nil {
					t.Error(err)
				}
			}
		})
		for range 50 {
			if got := read(t, s, "x.yaml"); got != old && got != other {
				t.Fatalf("read %d bytes of neither", len(got))
			}
		}
		done.Wait()
	})
	t.Run("append", func(t *testing.T) {
		s := empty()
		for _, more := range []string{"ab", "cd"} {
			log, err := s.Append("a/.tapedeck/x.journal")
			must(t, err)
			_, err = log.Write([]byte(more))
			must(t, err)
			must(t, log.Sync())
			must(t, log.Close())
		}
		if got := read(t, s, "a/.tapedeck/x.journal"); got != "abcd" {
			t.Errorf("read %q", got)
		}
		log, err := s.Append("a/.tapedeck/x.journal")
		must(t, err)
		must(t, log.Truncate(3))
		_, err = log.Write([]byte("!"))
		must(t, err)
		must(t, log.Close())
		if got := read(t, s, "a/.tapedeck/x.journal"); got != "abc!" {
			t.Errorf("after cutting: %q", got)
		}
		must(t, s.Move("a/.tapedeck/x.journal", "a/.tapedeck/x.previous"))
		if got := read(t, s, "a/.tapedeck/x.previous"); got != "abc!" {
			t.Errorf("moved: %q", got)
		}
		if _, err := s.Open("a/.tapedeck/x.journal"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the old name: %v", err)
		}
	})
	t.Run("create", func(t *testing.T) {
		s := empty()
		for _, folder := range []string{"a/x.bodies", "a/.tapedeck/x.pending"} {
			first, err := s.Create(folder)
			must(t, err)
			second, err := s.Create(folder)
			must(t, err)
			for _, part := range []string{"ab", "", "cd"} {
				_, err = io.WriteString(first, part)
				must(t, err)
				_, err = io.WriteString(second, part)
				must(t, err)
			}
			list, _ := s.List(folder)
			if len(list) != 2 || !isDraft(list[0]) || !isDraft(list[1]) {
				t.Errorf("while they are written: %q", list)
			}
			must(t, first.Commit(folder+"/one"))
			must(t, first.Discard())
			must(t, second.Discard())
			if list, _ := s.List(folder); !slices.Equal(list, []string{"one"}) {
				t.Errorf("List: %q", list)
			}
			if got := read(t, s, folder+"/one"); got != "abcd" {
				t.Errorf("read %q", got)
			}
			other, err := s.Create(folder)
			must(t, err)
			_, err = io.WriteString(other, "new")
			must(t, err)
			must(t, other.Commit(folder+"/one"))
			if got := read(t, s, folder+"/one"); got != "new" {
				t.Errorf("replaced: %q", got)
			}
		}
		d, err := s.Create("a/x.bodies")
		must(t, err)
		if err := d.Commit("../out"); err == nil {
			t.Error("committed outside of the store")
		}
		if list, _ := s.List("a/x.bodies"); !slices.Equal(list, []string{"one"}) {
			t.Errorf("after a bad name: %q", list)
		}
	})
	t.Run("lock", func(t *testing.T) {
		s := empty()
		unlock, err := s.Lock("a/.tapedeck/x.lock")
		must(t, err)
		other, err := s.Lock("a/.tapedeck/y.lock")
		must(t, err)
		must(t, other())
		var locked *LockedError
		if _, err := s.Lock("a/.tapedeck/x.lock"); !errors.As(err, &locked) || !strings.Contains(locked.Holder, "pid ") {
			t.Errorf("a second lock: %v", err)
		}
		must(t, unlock())
		unlock, err = s.Lock("a/.tapedeck/x.lock")
		must(t, err)
		must(t, unlock())
	})
	t.Run("nothing leaves the store", func(t *testing.T) {
		s := empty()
		for _, object := range []string{"", ".", "..", "../x", "/x", "a/../../x", "a//b", "a/./b", `a\..\..\b`, "c:/x", "a/"} {
			_, openErr := s.Open(object)
			_, appendErr := s.Append(object)
			_, lockErr := s.Lock(object)
			_, listErr := s.List(object)
			for what, err := range map[string]error{"Open": openErr, "Append": appendErr, "Lock": lockErr, "List": listErr,
				"Replace": s.Replace(object, nil), "Remove": s.Remove(object), "Move": s.Move(object, "x"), "Move to": s.Move("x", object)} {
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s(%q): %v", what, object, err)
				}
			}
		}
	})
	t.Run("names that differ in case", func(t *testing.T) {
		s := empty()
		must(t, s.Replace("dir/EUR.yaml", nil))
		for _, object := range []string{"dir/eur.yaml", "Dir/EUR.yaml"} {
			if err := s.Replace(object, nil); err == nil || !strings.Contains(err.Error(), "differs only in case") {
				t.Errorf("Replace(%s): %v", object, err)
			}
			if _, err := s.Open(object); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "use that name") {
				t.Errorf("Open(%s): %v", object, err)
			}
		}
	})
}

func TestFolderModes(t *testing.T) {
	dir := t.TempDir()
	s, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := open(s, "checkout/EUR", ToExtend, 4)
	if err != nil {
		t.Fatal(err)
	}
	one := numbered(1)
	if err := h.append(&one); err != nil {
		t.Fatal(err)
	}
	mode := func(name string) fs.FileMode {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			return 0
		}
		return info.Mode()
	}
	private := func(when string) {
		for name, want := range map[string]fs.FileMode{
			"checkout/.tapedeck": fs.ModeDir | 0o700, "checkout/.tapedeck/.gitignore": 0o600, "checkout/.tapedeck/EUR.journal": 0o600,
			"checkout/.tapedeck/EUR.pending": fs.ModeDir | 0o700, "checkout/.tapedeck/EUR.pending/" + newBodyFile(one.ResponseBody).name: 0o600,
		} {
			if got := mode(name); got != want {
				t.Errorf("%s: %s is %v, want %v", when, name, got, want)
			}
		}
	}
	private("while recording")
	if ignore, _ := os.ReadFile(filepath.Join(dir, "checkout/.tapedeck/.gitignore")); string(ignore) != "*\n" {
		t.Errorf(".gitignore is %q", ignore)
	}
	if err := os.Chmod(filepath.Join(dir, "checkout/.tapedeck"), 0o755); err != nil {
		t.Fatal(err)
	}
	two := numbered(2)
	if err := h.append(&two); err != nil {
		t.Fatal(err)
	}
	private("after someone opened the folder")
	if err := h.save([]clean.Stored{one, two}, State{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"checkout/EUR.yaml": 0o644, "checkout/EUR.bodies/" + newBodyFile(one.ResponseBody).name: 0o644} {
		if got := mode(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
}

func TestFolderRefusesLinksOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x.yaml"), []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"x.yaml": filepath.Join(outside, "x.yaml"), "away": outside, "new.yaml": filepath.Join(outside, "new.yaml")} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	const want = "a link that leads out of the cassette folder"
	for _, name := range []string{"x", "away/x", "new"} {
		for _, p := range []Purpose{ToReplay, ToExtend, ToReplace} {
			h, err := open(s, name, p, largestBody)
			if err == nil {
				h.close()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("open %s for %d: %v", name, p, err)
			}
		}
		if err := s.Replace(name+".yaml", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Replace(%s): %v", name, err)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) != 1 {
		t.Errorf("something was written outside: %v", left)
	}
	if got, _ := os.ReadFile(filepath.Join(outside, "x.yaml")); string(got) != whole {
		t.Error("the file outside was changed")
	}
}

func TestCassetteNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"x": true, "checkout/EUR": true, "a.b/c-d_e f": true, "Zoë": true,
		"": false, ".": false, "/x": false, "../x": false, "a/../b": false, "a//b": false, ".x": false, "a/.tapedeck/b": false,
		"a:b": false, `a\b`: false, "a\nb": false, "a?": false, "a.": false, "a ": false, "con": false, "dir/NUL.x": false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if _, _, err := Exists(&folder{newMemDisk()}, name); (err == nil) != ok {
			t.Errorf("Exists(%q): %v", name, err)
		}
	}
}

func TestReplayOnReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(whole), 0o444); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(dir)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	s, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := open(s, "x", ToReplay, largestBody)
	if err != nil || len(h.list) != 1 {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	// Root may write anywhere, so look as well whether anything was written.
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Errorf("replaying left %v", after)
	}
}
