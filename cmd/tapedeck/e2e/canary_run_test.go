//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tapedeck/examples/canary"
)

// self is this test program, which is also the client and the panicking proxy.
var self = func() string {
	path, err := os.Executable()
	if err != nil {
		panic(err) // Linux always knows
	}
	return path
}()

// everyVariant says that all variants of a test are run that differ in data alone,
// not every tenth of them.
var everyVariant = true

// leaveOut reports whether variant number i is not run.
func leaveOut(i int) bool { return !everyVariant && i%10 != 0 }

// A canaryRun is a place to run tapedeck in, the secrets that its traffic holds,
// and the API that it talks to. Everything that tapedeck may write to lies below dir.
type canaryRun struct {
	dir       string
	p         *planting
	exchanges []*exchange
	origin    *origin
	searcher  *canary.Searcher

	// mayHold are files that may hold any secret, or folders of such, by their path:
	// those of the test's own making. It does not change while tapedeck runs.
	mayHold map[string]bool
	// uncovered are the names of secrets that no rule in force finds.
	uncovered map[string]bool
	// mayStand are the names of secrets that may stand in a journal: those that
	// nothing has shown to be secret.
	mayStand map[string]bool

	mu      sync.Mutex
	files   int  // that a search read, at most
	journal bool // one has been seen
	early   map[string]bool
	leaks   map[string]bool
}

func newCanaryRun(t *testing.T) *canaryRun {
	t.Helper()
	r := &canaryRun{dir: t.TempDir(), p: &planting{seed: rand.Text()},
		mayHold: map[string]bool{}, uncovered: map[string]bool{}, mayStand: map[string]bool{}, early: map[string]bool{}, leaks: map[string]bool{}}
	for _, folder := range []string{"home", "tmp", "config", "cache", "state", "work"} {
		if err := os.Mkdir(r.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.p.never("password of the proxy's user")
	r.exchanges = r.p.exchanges()
	r.origin = startOrigin(t, r.exchanges)
	for _, s := range r.p.secrets {
		r.mayStand[s.Name] = s.early
	}
	r.look()
	t.Cleanup(func() { r.mustBeClean(t) })
	return r
}

// look makes the searcher anew, after further secrets have been planted.
func (r *canaryRun) look() { r.searcher = canary.NewSearcher(r.p.list()) }

func (r *canaryRun) path(name string) string { return filepath.Join(r.dir, name) }

func (r *canaryRun) cassette() string { return r.path("work/cassettes/canary.yaml") }

func (r *canaryRun) write(t *testing.T, name, text string) string {
	t.Helper()
	file := r.path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// settings makes tapedeck.yaml, in which every request header is kept, so that
// redaction is all that keeps a secret out of the cassette.
func (r *canaryRun) settings(t *testing.T, remove ...string) {
	t.Helper()
	text := "keep: {request: [\"*\"]}\n"
	if len(remove) > 0 {
		text += "redact: {remove: [" + strings.Join(remove, ", ") + "]}\n"
	}
	r.write(t, "work/tapedeck.yaml", text)
}

func (r *canaryRun) environ(more ...string) []string {
	return append([]string{
		"CI=true", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"), "GITHUB_ACTIONS=true",
		"HOME=" + r.path("home"), "TMPDIR=" + r.path("tmp"),
		"XDG_CONFIG_HOME=" + r.path("config"), "XDG_CACHE_HOME=" + r.path("cache"), "XDG_STATE_HOME=" + r.path("state"),
		environmentVariable + "=" + r.secret("environment variable"),
		"CANARY_SEED=" + r.p.seed,
	}, more...)
}

// secret is the value of a planted secret.
func (r *canaryRun) secret(name string) string { return r.p.named(name).Value }

// A canaryProcess is a running tapedeck, watched.
type canaryProcess struct {
	command *exec.Cmd
	address string // of a server
	done    chan struct{}
	watched chan struct{}

	stdout, stderr bytes.Buffer // to be read when it has ended
}

// start runs a program, tapedeck mostly, and searches its files while it runs.
func (r *canaryRun) start(t *testing.T, env []string, argv ...string) *canaryProcess {
	t.Helper()
	p := &canaryProcess{done: make(chan struct{}), watched: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p.command = exec.CommandContext(ctx, argv[0], argv[1:]...)
	p.command.Dir, p.command.Env = r.path("work"), r.environ(env...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	p.command.WaitDelay = 10 * time.Second
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.command.Wait() // how it ended stands in ProcessState
		close(p.done)
	}()
	go func() {
		defer close(p.watched)
		for pause := 50 * time.Millisecond; ; {
			select {
			case <-p.done:
				return
			case <-time.After(pause):
			}
			start := time.Now()
			r.searchFiles()
			r.searchOpen(p.command.Process.Pid)
			pause = max(pause, 3*time.Since(start)) // leave the machine to what is searched
		}
	}()
	return p
}

// wait returns how the process ended, once what it printed and wrote has been searched.
func (r *canaryRun) wait(t *testing.T, p *canaryProcess) result {
	t.Helper()
	<-p.done
	<-p.watched
	out := result{p.command.String(), p.command.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
	r.note(nil, "", r.searcher.Search("stdout of "+p.command.String(), []byte(out.stdout)))
	r.note(nil, "", r.searcher.Search("stderr of "+p.command.String(), []byte(out.stderr)))
	if strings.Contains(out.stderr, "DATA RACE") {
		t.Errorf("data race: %s", out)
	}
	r.searchFiles()
	return out
}

// run runs tapedeck to its end.
func (r *canaryRun) run(t *testing.T, env []string, arguments ...string) result {
	t.Helper()
	return r.wait(t, r.start(t, env, append([]string{programs.tapedeck}, arguments...)...))
}

// exec runs the client under tapedeck exec. kind is what CANARY_CLIENT says to it.
func (r *canaryRun) exec(t *testing.T, mode, kind string, env []string, flags ...string) result {
	t.Helper()
	arguments := append([]string{"exec", "--mode", mode, "--cassette", r.cassette(), "--log-level", "debug"}, flags...)
	return r.run(t, append(env, "CANARY_CLIENT="+kind), append(arguments, "--", self)...)
}

// serve starts tapedeck as a server, behind a wrapper if there is one, and waits
// until it listens.
func (r *canaryRun) serve(t *testing.T, env, wrapper []string, arguments ...string) *canaryProcess {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	argv := append(append([]string{}, wrapper...), programs.tapedeck)
	argv = append(append(argv, arguments...), "--listen", "127.0.0.1:0", "--ready-file", ready, "--log-level", "debug")
	p := r.start(t, env, argv...)
	for {
		if address, err := os.ReadFile(ready); err == nil && len(address) > 0 {
			p.address = strings.TrimSpace(string(address))
			return p
		}
		select {
		case <-p.done:
			t.Fatalf("%v ended before it listened: %s", p.command, shorten(p.stderr.String()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// end signals a server and waits for its end.
func (r *canaryRun) end(t *testing.T, p *canaryProcess, signal os.Signal) result {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return r.wait(t, p)
}

// caller is a client of a server.
func (r *canaryRun) caller(t *testing.T, p *canaryProcess) *caller {
	t.Helper()
	certificates, err := os.ReadFile(r.path("config/tapedeck/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(&url.URL{Scheme: "http", Host: p.address,
		User: url.UserPassword("canary", r.secret("password of the proxy's user"))}, certificates)
	t.Cleanup(c.close)
	return c
}

// searchFiles looks into every file and at its mode.
func (r *canaryRun) searchFiles() {
	may := r.mayStandNow()
	hits, files, err := r.searcher.SearchFiles(r.dir)
	if err != nil {
		r.leak(err.Error())
		return
	}
	r.mu.Lock()
	r.files = max(r.files, files)
	r.mu.Unlock()
	for _, hit := range hits {
		r.note(may, hit.Place, []canary.Hit{hit})
	}
	err = filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // it has just gone
		}
		if info, err := entry.Info(); err == nil && isPrivate(path) {
			want := fs.FileMode(0o600)
			if entry.IsDir() {
				want = 0o700
			}
			if got := info.Mode().Perm(); got != want && entry.Name() != ".gitignore" {
				r.leak(fmt.Sprintf("%s has mode %v, want %v", path, got, want))
			}
			r.mu.Lock()
			r.journal = r.journal || isJournal(path)
			r.mu.Unlock()
		}
		return nil
	})
	if err != nil {
		r.leak(err.Error())
	}
}

// isPrivate reports the folder beside a cassette that nobody else may read, and
// what is in it.
func isPrivate(path string) bool {
	return filepath.Base(path) == ".tapedeck" || filepath.Base(filepath.Dir(path)) == ".tapedeck"
}

// isJournal reports a journal, also one that is being written.
func isJournal(path string) bool {
	if folder := filepath.Dir(path); strings.HasSuffix(folder, ".pending") && strings.HasPrefix(filepath.Base(path), "partial-") {
		return filepath.Base(filepath.Dir(folder)) == ".tapedeck"
	}
	return isPrivate(path) && (strings.HasSuffix(path, ".journal") || strings.HasSuffix(path, ".replacement") || strings.HasSuffix(path, ".previous"))
}

// searchOpen looks into files that a process holds open and that have no name any more.
func (r *canaryRun) searchOpen(pid int) {
	may := r.mayStandNow()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		r.leak(err.Error())
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasSuffix(target, " (deleted)") || !strings.HasPrefix(target, "/") {
			continue
		}
		if info, err := os.Stat(link); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if data, err := os.ReadFile(link); err == nil {
			r.note(may, strings.TrimSuffix(target, " (deleted)"), r.searcher.Search(target, data))
		}
	}
}

// note sorts hits into leaks and what the promise allows: in a journal those of may.
// file is "" for an output.
func (r *canaryRun) note(may map[string]bool, file string, hits []canary.Hit) {
	for _, hit := range hits {
		switch {
		case r.mayHold[file], r.mayHold[filepath.Dir(file)], r.uncovered[hit.Secret]:
		case may[hit.Secret] && isJournal(file):
			r.mu.Lock()
			r.early[hit.Secret] = true
			r.mu.Unlock()
		default:
			hit.Place = strings.ReplaceAll(hit.Place, r.dir, "")
			hit.Offset = 0 // the same leak in a growing file is one
			r.leak(hit.String())
		}
	}
}

// mayStandNow is what may stand in what a search that begins now reads of a journal.
func (r *canaryRun) mayStandNow() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.mayStand)
}

func (r *canaryRun) leak(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaks[text] = true
}

// mustBeClean fails the test with every leak that has been seen so far.
func (r *canaryRun) mustBeClean(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == 0 {
		t.Error("no file has been searched")
	}
	for text := range r.leaks {
		t.Errorf("leak: %s", text)
	}
	clear(r.leaks)
}

// found are the names of the secrets that a search finds in a file, with the encodings.
func (r *canaryRun) found(t *testing.T, file string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, hit := range r.searcher.Search(file, []byte(read(t, file))) {
		out[hit.Secret] += hit.Encoding + "; "
	}
	return out
}
