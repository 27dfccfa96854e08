//go:build linux

package cassettes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapedeck/cassettes/clean"
)

// The test binary runs itself to be killed.
func TestMain(m *testing.M) {
	switch os.Getenv("CASSETTES_TEST_PROCESS") {
	case "record":
		recordUntilKilled(os.Getenv("CASSETTES_TEST_DIR"))
	case "fill":
		fillTheDisk(os.Getenv("CASSETTES_TEST_DIR"))
	case "stream":
		streamUntilKilled(os.Getenv("CASSETTES_TEST_DIR"))
	default:
		os.Exit(m.Run())
	}
}

// recordUntilKilled appends without end and saves every now and then. It prints
// "N" for every interaction that is acknowledged.
func recordUntilKilled(dir string) {
	store, err := NewFolder(dir)
	exitOn(err)
	h, err := open(store, "x", ToExtend, 20)
	exitOn(err)
	var list []clean.Stored
	for _, e := range h.list {
		list = append(list, e.Stored)
	}
	fmt.Println("locked")
	for n := len(list); ; n++ {
		s := numbered(n)
		if n%3 == 0 {
			s.ResponseBody = fmt.Appendf(nil, `{"n":%d}`, n)
		}
		exitOn(h.append(&s))
		if n%5 == 0 {
			s = amended(s)
			exitOn(h.amend(s))
			exitOn(h.anew())
		}
		list = append(list, s)
		fmt.Println(n)
		if n%7 == 0 {
			exitOn(h.save(list, State{}))
		}
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(3)
	}
}

func process(t *testing.T, what, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CASSETTES_TEST_PROCESS="+what, "CASSETTES_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func TestKill9LosesNothing(t *testing.T) {
	dir := t.TempDir()
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	have := 0
	for range 15 {
		cmd, lines := process(t, "record", dir)
		acknowledged := -1
		var amended []int // and the journal was written anew
		stop := time.AfterFunc(time.Duration(5+rand.IntN(60))*time.Millisecond, func() { cmd.Process.Kill() })
		for lines.Scan() {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				acknowledged = n
				if n%5 == 0 {
					amended = append(amended, n)
				}
			} else if lines.Text() != "locked" && strings.HasPrefix(lines.Text(), "error") {
				t.Fatal(lines.Text())
			}
		}
		stop.Stop()
		cmd.Wait()
		h, err := open(store, "x", ToReplay, 20)
		if err != nil {
			if have == 0 && acknowledged < 0 {
				continue // killed before the first
			}
			t.Fatal(err)
		}
		got := numbers(t, h.list)
		if len(got) < have || acknowledged >= len(got) {
			t.Fatalf("%d interactions after %d and %d were acknowledged; notes %q", len(got), have, acknowledged+1, h.notes)
		}
		for i, n := range got {
			if i != n {
				t.Fatalf("interaction %d stands at %d", n, i)
			}
		}
		have = len(got)
		for _, object := range []string{fileOf("x"), privateOf("x", journalSuffix)} {
			file, err := readObject(store, object, 1<<30)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			for _, n := range amended {
				for _, trace := range traces(n)[:2] {
					if bytes.Contains(file, []byte(trace)) {
						t.Errorf("%s holds %s, which was amended", object, trace)
					}
				}
			}
		}
	}
	if have == 0 {
		t.Error("nothing was ever recorded")
	}
	t.Logf("%d interactions through 15 kills", have)
}

// streamUntilKilled appends two interactions and writes the body of a third without end.
func streamUntilKilled(dir string) {
	store, err := NewFolder(dir)
	exitOn(err)
	h, err := open(store, "x", ToExtend, largestBody)
	exitOn(err)
	for n := range 2 {
		s := numbered(n)
		exitOn(h.append(&s))
	}
	d, err := h.shelf().Create()
	exitOn(err)
	for piece := bytes.Repeat([]byte("a line of a large body\n"), 1<<10); ; {
		for range 256 {
			_, err := d.Write(piece)
			exitOn(err)
		}
		fmt.Println("written")
	}
}

// A recorder that is killed in the middle of a large body leaves a part of it, which no
// entry names. Replaying leaves it alone, and opening to record removes it.
func TestKill9InTheMiddleOfALargeBody(t *testing.T) {
	for _, p := range []Purpose{ToExtend, ToReplace} {
		dir := t.TempDir()
		cmd, lines := process(t, "stream", dir)
		for range 3 {
			if !lines.Scan() || lines.Text() != "written" {
				t.Fatalf("it says %q", lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		cmd.Wait()
		store, err := NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		pending := privateOf("x", pendingSuffix)
		parts, err := store.List(pending)
		if err != nil || len(parts) != 1 || !isDraft(parts[0]) {
			t.Fatalf("it left %q, %v", parts, err)
		}
		if part, err := readObject(store, path.Join(pending, parts[0]), 1<<40); err != nil || len(part) <= clean.LargeBody {
			t.Fatalf("it left %d bytes of the body, %v", len(part), err)
		}
		h, err := open(store, "x", ToReplay, largestBody)
		if err != nil || !slices.Equal(numbers(t, h.list), []int{0, 1}) {
			t.Fatalf("replay: %v", err)
		}
		if left, _ := store.List(pending); !slices.Equal(left, parts) {
			t.Errorf("replaying has changed the folder to %q", left)
		}
		if h, err = open(store, "x", p, largestBody); err != nil || !slices.Equal(numbers(t, h.list), []int{0, 1}) {
			t.Fatalf("opened to record: %v", err)
		}
		if left, _ := store.List(pending); len(left) > 0 {
			t.Errorf("opening to record leaves %q", left)
		}
		s := numbered(2)
		if err := h.append(&s); err != nil {
			t.Fatal(err)
		}
		list := append(storedOf(h.list), s)
		if err := errors.Join(h.save(list, State{}), h.close()); err != nil {
			t.Fatal(err)
		}
		if h, err = open(store, "x", ToReplay, largestBody); err != nil || !slices.Equal(numbers(t, h.list), []int{0, 1, 2}) || h.fromJournal > 0 {
			t.Errorf("replay after saving: %v", err)
		}
	}
}

func TestLockNamesItsHolderAndEndsWithIt(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := process(t, "record", dir)
	if !lines.Scan() || lines.Text() != "locked" {
		t.Fatalf("the other process says %q", lines.Text())
	}
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(store, "x", ToExtend, largestBody)
	var locked *LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), fmt.Sprintf("(pid %d, since 20", cmd.Process.Pid)) || !strings.Contains(err.Error(), "stop it") {
		t.Fatalf("while another process records: %v", err)
	}
	if _, err := open(store, "x", ToReplay, largestBody); err != nil && !strings.Contains(err.Error(), "record it first") {
		t.Errorf("replaying needs no lock: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	cmd.Wait()
	h, err := open(store, "x", ToExtend, largestBody)
	if err != nil {
		t.Fatalf("after it was killed: %v", err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
}

// fillTheDisk records under a limit that cuts a write short, as a full disk does.
func fillTheDisk(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	exitOn(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
	store, err := NewFolder(dir)
	exitOn(err)
	h, err := open(store, "x", ToExtend, largestBody)
	exitOn(err)
	for n := 0; ; n++ {
		s := numbered(n)
		if err := h.append(&s); err != nil {
			fmt.Println("error:", err)
			exitOn(h.close())
			return
		}
		fmt.Println(n)
	}
}

func TestShortWriteLeavesWholeEntries(t *testing.T) {
	dir := t.TempDir()
	_, lines := process(t, "fill", dir)
	var last, failure string
	for lines.Scan() {
		if text := lines.Text(); strings.HasPrefix(text, "error:") {
			failure = text
		} else {
			last = text
		}
	}
	want, err := strconv.Atoi(last)
	if err != nil || !strings.Contains(failure, "an interaction was not recorded") {
		t.Fatalf("last %q, failure %q", last, failure)
	}
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := open(store, "x", ToReplay, largestBody)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, h.list); len(got) != want+1 || slices.ContainsFunc(h.notes, func(n string) bool { return strings.Contains(n, "cut short") }) {
		t.Errorf("%d entries, want %d; notes %q", len(got), want+1, h.notes)
	}
	journal, err := readObject(store, privateOf("x", journalSuffix), 1<<20)
	if err != nil || !bytes.HasPrefix(journal, []byte(journalMagic)) {
		t.Error(err)
	}
}
