package upstreams

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// startTimeout is how long a server may take until it listens. stripe-mock
// needs two seconds to read its API description; a busy machine more.
const startTimeout = time.Minute

// stopTimeout is how long a server may take to end by itself.
const stopTimeout = 10 * time.Second

// process is a running server and what it printed so far.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone

	mu      sync.Mutex
	printed []byte
	more    chan struct{} // closed and replaced at every print
}

func start(ctx context.Context, program string, arguments ...string) (*process, error) {
	p := &process{name: filepath.Base(program), done: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, program, arguments...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", p.name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how a server that is stopped ends does not matter
		close(p.done)
	}()
	return p, nil
}

// Write collects what the process prints.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed = append(p.printed, b...)
	close(p.more)
	p.more = make(chan struct{})
	return len(b), nil
}

func (p *process) output() ([]byte, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed, p.more
}

// waitFor returns the first group of pattern once the process has printed it.
func (p *process) waitFor(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		printed, more := p.output()
		if found := pattern.FindSubmatch(printed); found != nil {
			return string(found[1]), nil
		}
		select {
		case <-more:
		case <-p.done:
			return "", p.failure("ended before it listened")
		case <-ctx.Done():
			return "", p.failure("does not listen: " + context.Cause(ctx).Error())
		}
	}
}

func (p *process) failure(what string) error {
	printed, _ := p.output()
	return fmt.Errorf("%s %s; it printed:\n%s", p.name, what, printed)
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return nil
}
