package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Exit codes of a command that could not be started, as shells have them.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// patience is how long a command that was told to end may take, and how long output of processes
// that it left behind is waited for when the output is not a file.
const patience = 5 * time.Second

// Stdio is what the command reads and writes. Files are handed over as they are, so that the
// command sees the terminal; then processes it leaves behind cannot keep Run from returning.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// Inherit is tapedeck's own Stdio.
func Inherit() Stdio { return Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr} }

// Run starts argv with the environment env, waits for its end and returns its exit code: 128 plus
// the signal's number when a signal ended it, 127 when there is no such command and 126 when it
// cannot be executed. The error is not nil only if the command did not start; the code is then the
// one to exit with.
//
// The command stays in tapedeck's process group, so a terminal's Ctrl-C, Ctrl-\ and Ctrl-Z reach it
// by themselves. Signals sent to tapedeck alone are handed on; a repeated one asks more firmly
// (see escalation). When ctx ends, the command is asked to end and, five seconds later, killed.
//
// Run returns only after the command has ended, and leaves the signals caught, so that the caller can
// save: the first interrupt or SIGTERM after the command's end is swallowed, the next one has its
// usual effect.
func Run(ctx context.Context, argv, env []string, stdio Stdio) (code int, err error) {
	if len(argv) == 0 {
		return exitNotFound, errors.New("no command given; write it after --")
	}
	path, code, err := find(argv[0])
	if err != nil {
		return code, err
	}
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdio.In, stdio.Out, stdio.Err
	cmd.Cancel = func() error { return ask(cmd.Process) }
	cmd.WaitDelay = patience

	// Caught before the start: a signal between start and here must not end tapedeck.
	signals := make(chan os.Signal, 16)
	notify(signals)
	if err := cmd.Start(); err != nil {
		signal.Stop(signals)
		return startFailure(argv[0], err)
	}
	done := make(chan struct{})
	handedOn := make(chan struct{})
	go func() {
		defer close(handedOn)
		handOn(signals, done, cmd.Process)
	}()
	err = cmd.Wait()
	close(done)
	<-handedOn
	go leave(signals)
	if cmd.ProcessState == nil {
		return 1, fmt.Errorf("command %s: %w", argv[0], err)
	}
	// What else Wait reports (a copy that failed, output still held open) is not the command's doing.
	return exitCode(cmd.ProcessState), nil
}

// leave restores a signal's usual effect once it was received after the command's end.
func leave(signals <-chan os.Signal) {
	for received := range signals {
		if received == os.Interrupt || received == syscall.SIGTERM {
			signal.Reset(received)
		}
	}
}

// find resolves a command as a shell does. The error says which of the two failures it is.
func find(name string) (path string, code int, err error) {
	path, err = exec.LookPath(name)
	switch {
	case err == nil, errors.Is(err, exec.ErrDot): // the user's PATH has the current folder
		return path, 0, nil
	case errors.Is(err, fs.ErrPermission):
		return "", exitNotExecutable, notExecutable(name)
	case errors.Is(err, exec.ErrNotFound) && !strings.ContainsRune(name, filepath.Separator):
		// LookPath passes over files that may not be executed; a shell says so.
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			file := filepath.Join(dir, name)
			if info, statErr := os.Stat(file); statErr == nil && info.Mode().IsRegular() {
				return "", exitNotExecutable, notExecutable(file)
			}
		}
		return "", exitNotFound, fmt.Errorf("command %s: not found on PATH", name)
	default:
		if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
			return "", exitNotExecutable, fmt.Errorf("command %s: is a folder", name)
		}
		return "", exitNotFound, fmt.Errorf("command %s: no such file", name)
	}
}

func notExecutable(name string) error {
	return fmt.Errorf("command %s: permission to execute it is missing; chmod +x it, or start it through its interpreter", name)
}

// startFailure explains why a command that was found did not start.
func startFailure(name string, err error) (int, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The file was there: what is missing is the interpreter in its first line.
		return exitNotFound, fmt.Errorf("command %s: the interpreter that its first line names is missing", name)
	case errors.Is(err, fs.ErrPermission):
		return exitNotExecutable, notExecutable(name)
	case isFormatError(err):
		return exitNotExecutable, fmt.Errorf("command %s: not a program for this system; if it is a script, begin it with #!/bin/sh", name)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 1, fmt.Errorf("command %s: not started: %w", name, err)
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return exitNotExecutable, fmt.Errorf("command %s: %w", name, err)
}
