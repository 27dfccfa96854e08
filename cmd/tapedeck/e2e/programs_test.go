//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tapedeck/examples/upstreams"
)

// programs are all executables that the tests start, with absolute paths.
var programs struct {
	tapedeck   string
	stripeGo   string
	bash       string
	curl       string
	node       string
	python     string // one that has requests, httpx and h2
	strace     string
	upstreams  upstreams.Programs
	stripeFlow string // the folder of the Stripe clients
	flows      string // the folder of all examples
}

var buildFlags []string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		bin, err := os.MkdirTemp("", "tapedeck-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(bin)
		if err := prepare(bin); err != nil {
			fmt.Fprintf(os.Stderr, "%v\nmake e2e installs what is missing and runs these tests.\n", err)
			return 1
		}
		return m.Run()
	}())
}

// prepare builds what is ours and finds the rest.
func prepare(bin string) error {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		return err
	}
	programs.flows = filepath.Join(root, "examples")
	programs.stripeFlow = filepath.Join(programs.flows, "stripe")

	if programs.upstreams, err = upstreams.Build(context.Background(), root, bin); err != nil {
		return err
	}
	programs.tapedeck = filepath.Join(bin, "tapedeck")
	if err := build(root, programs.tapedeck, "./cmd/tapedeck", buildFlags...); err != nil {
		return err
	}
	programs.stripeGo = filepath.Join(bin, "stripe-go")
	if err := build(filepath.Join(programs.stripeFlow, "go"), programs.stripeGo, "."); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(programs.stripeFlow, "node_modules", "stripe")); err != nil {
		return fmt.Errorf("the npm package stripe is missing: %w", err)
	}

	for name, path := range map[string]*string{
		"bash": &programs.bash, "curl": &programs.curl, "node": &programs.node, "strace": &programs.strace,
	} {
		if *path, err = exec.LookPath(name); err != nil {
			return err
		}
	}
	// A python3 of the user's own may come first in PATH and lack the packages
	// that Debian's has.
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(python, "-c", "import requests, httpx, h2, sys; print(sys.executable)").Output()
		if err == nil {
			programs.python = string(out[:len(out)-1])
			return nil
		}
	}
	return fmt.Errorf("no python3 has the packages requests, httpx and h2")
}

// build compiles a command of the module in dir.
func build(dir, executable, command string, flags ...string) error {
	arguments := append([]string{"build", "-o", executable}, flags...)
	build := exec.Command("go", append(arguments, command)...)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return nil
}
