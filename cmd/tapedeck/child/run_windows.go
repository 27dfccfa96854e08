package child

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/windows"
)

// notify keeps Ctrl-C from ending tapedeck. The console sends it to the command, too.
func notify(signals chan<- os.Signal) { signal.Notify(signals, os.Interrupt) }

// handOn swallows the signals until done: Windows delivers a console's events to every process in it.
func handOn(signals <-chan os.Signal, done <-chan struct{}, _ *os.Process) {
	for {
		select {
		case <-done:
			return
		case <-signals:
		}
	}
}

// ask ends a process: Windows knows no polite way for one that has no window.
func ask(process *os.Process) error { return process.Kill() }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

func isFormatError(err error) bool { return errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) }
