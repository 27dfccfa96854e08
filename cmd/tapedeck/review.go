package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

func reviewCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "review",
		Usage:     "show in the browser what changed in the cassettes, and follow the files",
		ArgsUsage: "[PATH…]",
		Description: examples(
			"tapedeck review --open",
			"tapedeck review --git main cassettes/checkout.yaml",
			"tapedeck review --git v1.2..HEAD --listen 127.0.0.1:7070") + `

The page is that of tapedeck diff --git --format html, of the work tree against REV or of two
revisions, served to this machine only. It loads itself anew when a cassette or tapedeck.yaml
changes; while a file cannot be read, it says why and shows what was there before. The URL is
printed on standard output. SIGINT and SIGTERM end it with 0.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "git", Usage: "compare the work tree with the revision `REV`, or the two of REV..REV", Value: "HEAD", EnvVars: variable("git")},
			&cli.StringFlag{Name: "listen", Usage: "`ADDRESS` of this machine to listen on; port 0 takes a free one", Value: "127.0.0.1:0", EnvVars: variable("listen")},
			yes("open", "open the page in the browser"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error {
			if err := mustBeLoopback(c.String("listen")); err != nil {
				return err
			}
			source, err := newReviewSource(c, std)
			if err != nil {
				return err
			}
			return runReview(c.Context, source, c.String("listen"), c.Bool("open"), std)
		},
	}
}

// mustBeLoopback keeps cassettes from being served to other machines.
func mustBeLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err == nil && host == "localhost" {
		return nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return usagef("--listen %s is not an address of this machine alone; write it as 127.0.0.1:7070", address)
	}
	return nil
}

func runReview(ctx context.Context, source *reviewSource, address string, open bool, std stdio) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; choose another address, or port 0 for a free one", address, unaddressed(err))
	}
	defer listener.Close()
	review := newReviewServer(source.compare, listener.Addr().String())
	if err := review.refresh(ctx); err != nil {
		return err
	}
	server := &http.Server{Handler: review, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	ready := make(chan struct{})
	watching := sync.OnceFunc(func() { close(ready) })
	go func() {
		defer watching()
		if err := watch(ctx, source.folders, watching, func() { review.refresh(ctx) }); err != nil {
			fmt.Fprintf(std.err, "tapedeck: changes of files are not noticed: %v; start the review again to see them\n", err)
		}
	}()
	<-ready
	url := "http://" + listener.Addr().String() + "/"
	fmt.Fprintln(std.out, url)
	fmt.Fprintln(std.err, "tapedeck: the review stays open until Ctrl-C")
	if open {
		if err := openBrowser(url); err != nil {
			fmt.Fprintf(std.err, "tapedeck: no browser could be started (%v); open the URL yourself\n", err)
		}
	}
	select {
	case <-ctx.Done():
		stop() // a second signal ends the process at once
	case err := <-failed:
		if !errors.Is(err, http.ErrServerClosed) {
			return err
		}
	}
	// Open pages have been told by now; a browser that does not hang up is left.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		return server.Close()
	}
	return nil
}

// openBrowser asks the desktop to show a URL. It does not wait for the browser.
func openBrowser(url string) error {
	name, arguments := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, arguments = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	command := exec.Command(name, arguments...)
	if err := command.Start(); err != nil {
		return err
	}
	go command.Wait() // which leaves no dead process behind
	return nil
}
