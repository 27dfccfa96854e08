package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"tapedeck/examples/canary"
)

// A result is how a command under tapedeck ended.
type result struct {
	command        string
	code           int
	stdout, stderr string
}

// exec runs a scene's program under tapedeck exec. What is printed must hold
// no secret either.
func (d *demo) exec(s *scene, env []string, flags ...string) (result, error) {
	arguments := append([]string{"exec", "--cassette", s.file()}, flags...)
	arguments = append(append(arguments, "--"), s.argv...)
	command := exec.CommandContext(d.ctx, d.tapedeck, arguments...)
	command.Dir = d.dir
	command.Env = append([]string{
		"HOME=" + d.dir + "/home",
		"LANG=C.UTF-8",
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + d.dir + "/tmp",
	}, env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return result{}, err
	}
	r := result{command.String(), command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if hits := canary.Search(d.secrets, "the output", []byte(r.stdout+r.stderr)); len(hits) > 0 {
		return result{}, fmt.Errorf("%s printed secrets: %v", r.command, hits)
	}
	return r, nil
}

// ended checks the exit code.
func (r result) ended(code int) error {
	if r.code == code {
		return nil
	}
	return fmt.Errorf("%s\nended with %d, not %d\n%s%s", r.command, r.code, code, r.stdout, r.stderr)
}

// quote prints what tapedeck said, set off from what the demo says.
func (r result) quote() {
	for line := range strings.Lines(strings.TrimSpace(r.stderr)) {
		fmt.Printf("  | %s\n", strings.TrimRight(line, "\n"))
	}
}

// steps are the headings that a flow printed: a name and a status.
func (r result) steps() []string {
	var steps []string
	for line := range strings.Lines(r.stdout) {
		if heading, ok := strings.CutPrefix(line, "== "); ok {
			fields := strings.Fields(heading)
			steps = append(steps, strings.Join(fields[:min(2, len(fields))], " "))
		}
	}
	return steps
}
