// Package upstreams starts the APIs that the examples call, on this machine:
// Stripe's own stripe-mock and the small FastSpring and Digital River servers
// of the neighbouring folders, behind one nginx that ends TLS (HTTP/1.1 and
// HTTP/2) under their real names.
//
//	programs, err := upstreams.Build(ctx, root, bin)
//	apis, err := upstreams.Start(ctx, programs, dir)
//	exec.Command("tapedeck", append(apis.Flags(), …)...)
//	apis.Stop()
//
// Everything listens on loopback only, on free ports, and writes only into dir.
package upstreams

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// Programs are the executables to start; a name without a slash is looked up in PATH.
type Programs struct {
	StripeMock   string
	FastSpring   string
	DigitalRiver string
}

// Build compiles the small servers of the module at root into the folder bin.
// stripe-mock is where the Makefile puts it: the error says how to get it there.
func Build(ctx context.Context, root, bin string) (Programs, error) {
	programs := Programs{
		StripeMock:   filepath.Join(root, ".cache", "bin", "stripe-mock"),
		FastSpring:   filepath.Join(bin, "fastspring"),
		DigitalRiver: filepath.Join(bin, "digitalriver"),
	}
	if _, err := os.Stat(programs.StripeMock); err != nil {
		return Programs{}, fmt.Errorf("%w; run .ci/install demo", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", bin+string(filepath.Separator),
		"./examples/fastspring", "./examples/digitalriver")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return Programs{}, fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return programs, nil
}

// APIs are the running servers.
type APIs struct {
	// Address is where nginx listens, such as "127.0.0.1:40123".
	Address string
	// CA is a file with the certificate that signed nginx's, in PEM.
	CA string

	processes []*process
}

// The names the front answers to.
const (
	Stripe       = "api.stripe.com"
	FastSpring   = "api.fastspring.com"
	DigitalRiver = "api.digitalriver.com"
)

// listening finds the address in what the servers print once they listen.
// stripe-mock prints one line for HTTP and one for HTTPS; the first is meant.
var listening = regexp.MustCompile(`(?i)listening (?:for HTTP at address: |on )(127\.0\.0\.1:\d+)`)

// Start starts all servers and returns when they answer. The files of a run go
// into dir, which must exist. The error says which program did not start, and
// what it printed.
func Start(ctx context.Context, programs Programs, dir string) (_ *APIs, err error) {
	apis := &APIs{}
	defer func() {
		if err != nil {
			err = errors.Join(err, apis.Stop())
		}
	}()

	backends := make([]backend, 0, 3)
	for _, server := range []struct {
		host      string
		program   string
		arguments []string
	}{
		// Without an address of its own the HTTPS listener would be open to the network.
		{Stripe, programs.StripeMock, []string{"-http-addr", "127.0.0.1:", "-https-addr", "127.0.0.1:"}},
		{FastSpring, programs.FastSpring, []string{"-listen", "127.0.0.1:0"}},
		{DigitalRiver, programs.DigitalRiver, []string{"-listen", "127.0.0.1:0"}},
	} {
		p, err := start(ctx, server.program, server.arguments...)
		if err != nil {
			return nil, err
		}
		apis.processes = append(apis.processes, p)
		address, err := p.waitFor(ctx, listening)
		if err != nil {
			return nil, err
		}
		backends = append(backends, backend{Host: server.host, Address: address})
	}

	front, err := startFront(ctx, dir, backends)
	if err != nil {
		return nil, err
	}
	apis.processes = append(apis.processes, front.process)
	apis.Address, apis.CA = front.address, front.ca
	return apis, nil
}

// Flags are what tapedeck needs to reach the servers under their real names.
func (a *APIs) Flags() []string {
	flags := []string{"--upstream-ca", a.CA}
	for _, host := range []string{Stripe, FastSpring, DigitalRiver} {
		flags = append(flags, "--resolve", fmt.Sprintf("%s:443:%s", host, a.Address))
	}
	return flags
}

// Stop ends all servers and waits until they are gone. It may be called twice.
func (a *APIs) Stop() error {
	var errs []error
	for _, p := range a.processes {
		errs = append(errs, p.stop())
	}
	a.processes = nil
	return errors.Join(errs...)
}
