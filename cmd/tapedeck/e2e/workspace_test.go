//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"tapedeck/examples/canary"
	"tapedeck/examples/upstreams"
)

// patience ends what hangs; nothing that works comes near it.
const patience = 3 * time.Minute

// A workspace is a folder in which tapedeck runs, and all it may write to.
type workspace struct {
	dir     string
	secrets []canary.Secret
}

func newWorkspace(t *testing.T) *workspace {
	w := &workspace{dir: t.TempDir()}
	for _, folder := range []string{"home", "tmp"} {
		if err := os.Mkdir(w.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *workspace) path(name string) string { return filepath.Join(w.dir, name) }

// secret makes up a value that no file may hold, whoever used it.
func (w *workspace) secret(name, prefix string) string {
	value := prefix + rand.Text()
	w.secrets = append(w.secrets, canary.Secret{Name: name, Value: value})
	return value
}

// environ is what a CI machine would give to a command: little, and CI itself.
func (w *workspace) environ(more ...string) []string {
	return append([]string{
		"CI=true",
		"HOME=" + w.path("home"),
		"LANG=C.UTF-8",
		"PATH=" + os.Getenv("PATH"),
		"PYTHONDONTWRITEBYTECODE=1",
		"TMPDIR=" + w.path("tmp"),
	}, more...)
}

// A result is how a command ended.
type result struct {
	command        string
	code           int
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("%s\nexit code %d\n--- stdout\n%s\n--- stderr\n%s", r.command, r.code, shorten(r.stdout), shorten(r.stderr))
}

func shorten(text string) string {
	const most = 6000
	if len(text) <= most {
		return text
	}
	return text[:most/2] + "\n…\n" + text[len(text)-most/2:]
}

// tapedeck runs the program under test to its end. What it and its child print
// is searched for secrets.
func (w *workspace) tapedeck(t *testing.T, env []string, arguments ...string) result {
	t.Helper()
	return w.run(t, env, programs.tapedeck, arguments...)
}

func (w *workspace) run(t *testing.T, env []string, program string, arguments ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = w.dir
	command.Env = w.environ(env...)
	command.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", command, err)
	}
	r := result{command.String(), command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	w.mustBeSilent(t, r)
	return r
}

// mustBeSilent fails the test when an output holds a secret, or when the race
// detector of the program under test has spoken.
func (w *workspace) mustBeSilent(t *testing.T, r result) {
	t.Helper()
	for _, hit := range append(
		canary.Search(w.secrets, "stdout", []byte(r.stdout)),
		canary.Search(w.secrets, "stderr", []byte(r.stderr))...) {
		t.Errorf("%s\n%s", hit, r.command)
	}
	if strings.Contains(r.stderr, "DATA RACE") {
		t.Errorf("data race in %s:\n%s", r.command, shorten(r.stderr))
	}
}

// mustHoldNoSecret searches every file of the workspace, temporary ones and
// those of the home folder included.
func (w *workspace) mustHoldNoSecret(t *testing.T) {
	t.Helper()
	if len(w.secrets) == 0 {
		t.Fatal("no secret has been planted")
	}
	hits, files, err := canary.SearchFiles(w.secrets, w.dir)
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("there is no file to search")
	}
	for _, hit := range hits {
		t.Error(hit)
	}
}

func (r result) mustEnd(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("want exit code %d: %s", code, r)
	}
}

func (r result) mustSay(t *testing.T, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(r.stdout+r.stderr, word) {
			t.Errorf("%q is not said: %s", word, r)
		}
	}
}

// mustPrint compares what a command printed with what it printed when recording.
func (r result) mustPrint(t *testing.T, recorded result) {
	t.Helper()
	if r.stdout == recorded.stdout {
		return
	}
	got, want := strings.Split(r.stdout, "\n"), strings.Split(recorded.stdout, "\n")
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d differs from the recorded run\nrecorded: %s\nreplayed: %s\n%s", i+1, want[i], got[i], r)
		}
	}
	t.Fatalf("printed %d lines, %d when recording: %s", len(got), len(want), r)
}

// steps are the headings that a flow printed.
func (r result) steps() []string {
	var steps []string
	for line := range strings.Lines(r.stdout) {
		if heading, ok := strings.CutPrefix(line, "== "); ok {
			steps = append(steps, strings.TrimSpace(heading))
		}
	}
	return steps
}

// interactions counts what a cassette holds.
func interactions(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cassette struct {
		Interactions []any `yaml:"interactions"`
	}
	if err := yaml.Unmarshal(data, &cassette); err != nil {
		t.Fatal(err)
	}
	return len(cassette.Interactions)
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// startAPIs starts the servers to record from. They are stopped at the end of
// the test if the test does not do it earlier.
func startAPIs(t *testing.T) *upstreams.APIs {
	t.Helper()
	apis, err := upstreams.Start(t.Context(), programs.upstreams, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, apis) })
	return apis
}

func stop(t *testing.T, apis *upstreams.APIs) {
	t.Helper()
	if err := apis.Stop(); err != nil {
		t.Fatal(err)
	}
}
