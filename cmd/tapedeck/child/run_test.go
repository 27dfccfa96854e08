//go:build unix

package child

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

func TestRunExitCode(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	onPath := file("tapedeck-test-plain", "", 0o600)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	cases := []struct {
		name  string
		argv  []string
		code  int
		fault string // a part of the error, "" for none
	}{
		{"success", sh("exit 0"), 0, ""},
		{"its own code", sh("exit 7"), 7, ""},
		{"killed by a signal", sh("kill -KILL $$"), 128 + 9, ""},
		{"terminated", sh("kill -TERM $$"), 128 + 15, ""},
		{"no command", nil, 127, "no command given"},
		{"not on PATH", []string{"tapedeck-test-absent"}, 127, "tapedeck-test-absent: not found on PATH"},
		{"no such file", []string{filepath.Join(dir, "absent")}, 127, "no such file"},
		{"not executable", []string{onPath}, 126, "chmod +x"},
		{"not executable on PATH", []string{"tapedeck-test-plain"}, 126, "chmod +x"},
		{"a folder", []string{dir}, 126, "is a folder"},
		{"interpreter missing", []string{file("lost", "#!/nowhere/interpreter\n", 0o700)}, 127, "interpreter"},
		{"not a program", []string{file("text", "just text\n", 0o700)}, 126, "#!/bin/sh"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, err := Run(t.Context(), c.argv, os.Environ(), Stdio{})
			if code != c.code {
				t.Errorf("code %d, want %d", code, c.code)
			}
			if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want one with %q", err, c.fault)
			}
		})
	}
}

func TestRunStdio(t *testing.T) {
	var out, errs bytes.Buffer
	code, err := Run(t.Context(), sh(`cat; echo "$A" >&2; echo "$HOME"`), []string{"A=from env"},
		Stdio{In: strings.NewReader("from stdin\n"), Out: &out, Err: &errs})
	if code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if out.String() != "from stdin\n\n" || errs.String() != "from env\n" {
		t.Errorf("out %q, err %q", out.String(), errs.String())
	}
}

// A process that the command leaves behind holds its output open; Run does not wait for it.
func TestRunLeavesBackgroundProcesses(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if code, err := Run(t.Context(), sh("sleep 600 & echo $!"), os.Environ(), Stdio{Out: out, Err: out}); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the process left behind: %v, want it alive", err)
	}
}

func TestRunContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	go func() {
		out.Read(make([]byte, 1)) // the command has begun
		cancel()
	}()
	code, err := Run(ctx, sh("trap 'exit 3' TERM; echo begun; while :; do sleep 0.05; done"), os.Environ(), Stdio{Out: write})
	write.Close()
	if code != 3 || err != nil {
		t.Errorf("code %d, %v, want that of the command's own handler", code, err)
	}
}

// session starts this test binary as tapedeck, in a session of its own without a terminal, and waits
// until its command has begun.
func session(t *testing.T, script string) (tapedeck *exec.Cmd, next, rest func() string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "RUN_COMMAND="+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	lines := bufio.NewReader(out)
	next = func() string {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("a line of output: %q, %v", line, err)
		}
		return line
	}
	if line := next(); line != "begun\n" {
		t.Fatalf("the command did not begin: %q", line)
	}
	return cmd, next, func() string {
		var text bytes.Buffer
		text.ReadFrom(lines)
		cmd.Wait()
		return text.String()
	}
}

// Signals to tapedeck alone reach the command; tapedeck lives on to save.
func TestRunHandsSignalsOn(t *testing.T) {
	signals := []syscall.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
	}
	for _, s := range signals {
		t.Run(s.String(), func(t *testing.T) {
			if signal.Ignored(s) {
				t.Skip("whoever started this test ignores the signal, and sh cannot trap what was ignored when it began")
			}
			script := fmt.Sprintf("trap 'echo got; exit 5' %d; echo begun; while :; do sleep 0.05; done", int(s))
			tapedeck, _, rest := session(t, script)
			if err := tapedeck.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if got, want := rest(), "got\nsaved 5 <nil>\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if code := tapedeck.ProcessState.ExitCode(); code != 5 {
				t.Errorf("exit code %d, want 5", code)
			}
		})
	}
}

// A command that ignores what it is asked ends with the second SIGTERM at the latest.
func TestRunSecondTermKills(t *testing.T) {
	tapedeck, next, rest := session(t, "trap 'echo no' TERM; echo begun; while :; do sleep 0.05; done")
	if err := tapedeck.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line := next(); line != "no\n" {
		t.Fatalf("got %q, want the first SIGTERM handed on", line)
	}
	if err := tapedeck.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := rest(); got != "saved 137 <nil>\n" {
		t.Errorf("got %q, want the command killed and tapedeck alive", got)
	}
}

// What whoever started tapedeck ignores stays ignored (nohup).
func TestRunKeepsIgnoredSignals(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `trap '' HUP; exec "$0"`, self)
	cmd.Env = append(os.Environ(), "RUN_COMMAND=kill -HUP $$; kill -HUP $PPID; echo alive")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "alive\nsaved 0 <nil>\n" {
		t.Errorf("%v: %q", err, out)
	}
}

// At a terminal Ctrl-C goes to both: the command gets it once, and tapedeck lives on to save. A REPL
// goes on after two.
func TestRunTerminal(t *testing.T) {
	interpreter := python(t, "pty")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const driver = `
import os, pty, sys, time
pid, tty = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1]])
text = b""
def until(word):
    global text
    while word not in text:
        try: chunk = os.read(tty, 4096)
        except OSError: break
        if not chunk: break
        text += chunk
until(b"begun")
for i in range(int(sys.argv[2])):
    os.write(tty, b"\x03")
    until(b"caught %d" % (i + 1))
os.write(tty, b"\n")
until(b"\0")
status = os.waitpid(pid, 0)[1]
print(text.replace(b"^C", b"").replace(b"\r\n", b"|").decode(), os.waitstatus_to_exitcode(status))
`
	const repl = `import os, signal, sys, time
n = 0
def say(text):
    os.write(1, (text + "\n").encode())
def caught(*_):
    global n
    n += 1
    say("caught %d" % n)
signal.signal(signal.SIGINT, caught)
say("begun %s" % (sys.stdin.isatty() and sys.stdout.isatty()))
sys.stdin.readline()
time.sleep(0.3)
say("end %d" % n)
sys.exit(4)`
	for presses, want := range map[int]string{
		0: "begun True||end 0|saved 4 <nil>| 4\n",
		1: "begun True|caught 1||end 1|saved 4 <nil>| 4\n",
		2: "begun True|caught 1|caught 2||end 2|saved 4 <nil>| 4\n",
	} {
		cmd := exec.Command(interpreter, "-c", driver, self, fmt.Sprint(presses))
		cmd.Env = append(os.Environ(), "RUN_COMMAND=exec '"+interpreter+"' -c '"+repl+"'")
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%d times Ctrl-C: %v\n got %q\nwant %q", presses, err, out, want)
		}
	}
}

func TestEscalation(t *testing.T) {
	type press struct {
		signal     syscall.Signal
		foreground bool
		after      time.Duration
	}
	const (
		hup, in, quit, kill, term = syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGTERM
		soon, late                = time.Second, 3 * time.Second
	)
	cases := []struct {
		name    string
		presses []press
		want    []syscall.Signal
	}{
		{"interrupts without a terminal", []press{{in, false, 0}, {in, false, soon}, {in, false, soon}}, []syscall.Signal{in, term, kill}},
		{"interrupts far apart", []press{{in, false, 0}, {in, false, late}, {in, false, late}}, []syscall.Signal{in, in, in}},
		{"Ctrl-C at a terminal", []press{{in, true, 0}, {in, true, soon}, {in, true, soon}, {in, true, soon}}, []syscall.Signal{0, 0, term, kill}},
		{"Ctrl-C far apart", []press{{in, true, 0}, {in, true, late}, {in, true, late}}, []syscall.Signal{0, 0, 0}},
		{"terms", []press{{term, false, 0}, {term, false, late}}, []syscall.Signal{term, kill}},
		{"terms at a terminal", []press{{term, true, 0}, {term, true, late}}, []syscall.Signal{term, kill}},
		{"others", []press{{hup, true, 0}, {quit, true, 0}, {quit, false, 0}, {syscall.SIGWINCH, true, 0}, {syscall.SIGUSR1, true, 0}},
			[]syscall.Signal{hup, 0, quit, 0, syscall.SIGUSR1}},
	}
	for _, c := range cases {
		var steps escalation
		now := time.Unix(1_000_000, 0)
		var got []syscall.Signal
		for _, p := range c.presses {
			now = now.Add(p.after)
			got = append(got, steps.next(p.signal, p.foreground, now))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
