//go:build unix

package child

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// caught are the signals that do not end tapedeck while a command runs.
var caught = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
}

// notify catches the signals, but for those that whoever started us has chosen to ignore (nohup):
// catching would undo that, and the command would not inherit it.
func notify(signals chan<- os.Signal) {
	for _, s := range caught {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
}

// handOn passes the signals on until done.
func handOn(signals <-chan os.Signal, done <-chan struct{}, process *os.Process) {
	var steps escalation
	for {
		select {
		case <-done:
			return
		case received := <-signals:
			s, ok := received.(syscall.Signal)
			if !ok {
				continue
			}
			if s = steps.next(s, inForeground(), time.Now()); s != 0 {
				// The process may have ended just now: nothing is left to tell.
				_ = process.Signal(s)
			}
		}
	}
}

// again is how soon an interrupt must follow the last one to count as a repetition.
const again = 2 * time.Second

// escalation decides what a command is sent for the signals that tapedeck receives.
//
// Signals from a terminal have reached the command already, so they are not sent twice. An
// interrupt sent to tapedeck alone is handed on; the second within two seconds becomes SIGTERM, any
// after that SIGKILL. SIGTERM is handed on; the second kills. At a terminal the command has seen
// each Ctrl-C, and a REPL or a debugger lives through two of them: the third within two seconds
// becomes SIGTERM, any after that SIGKILL.
type escalation struct {
	interrupts int
	terms      int
	last       time.Time
}

// next returns the signal to send, or 0 for none.
func (e *escalation) next(s syscall.Signal, foreground bool, now time.Time) syscall.Signal {
	switch s {
	case syscall.SIGINT:
		if now.Sub(e.last) > again {
			e.interrupts = 0
		}
		e.last = now
		e.interrupts++
		n := e.interrupts
		if foreground {
			n-- // the first two are the terminal's own business
		}
		switch {
		case foreground && n <= 1:
			return 0
		case n <= 1:
			return s
		case n == 2:
			return syscall.SIGTERM
		default:
			return syscall.SIGKILL
		}
	case syscall.SIGTERM:
		if e.terms++; e.terms > 1 {
			return syscall.SIGKILL
		}
		return s
	case syscall.SIGQUIT, syscall.SIGWINCH:
		if foreground {
			return 0
		}
	}
	return s
}

// inForeground reports whether tapedeck's process group, which is the command's as well, is the one
// that the terminal sends its signals to.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false // no terminal: a service, a container, CI
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// ask tells a process to end.
func ask(process *os.Process) error { return process.Signal(syscall.SIGTERM) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func isFormatError(err error) bool { return errors.Is(err, syscall.ENOEXEC) }
