package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tapedeck/proxy/deck"
)

// options are the flags that say how a proxy works, as given.
type options struct {
	cassette, cassettes         string
	mode                        string
	listen, readyFile           string
	resolve, passthrough, maps  []string
	upstreamCA, upstreamProxy   string
	config, caDir               string
	strict                      *bool // nil when not given
	allowLive                   bool
	pii                         *bool // nil when not given
	maxBody                     string
	repeat, sequence, rerecord  string
	dropRetried, recordLoopback bool
	failExpired                 bool
	report, junit, logLevel     string
	sessionPorts                []string
	rewindIdle                  time.Duration
}

// examples starts a command's description: help shows commands to copy first.
func examples(lines ...string) string { return "Examples:\n  " + strings.Join(lines, "\n  ") }

func variable(flag string) []string {
	return []string{"TAPEDECK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

func text(name, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, EnvVars: variable(name)}
}

func list(name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, EnvVars: variable(name)}
}

func yes(name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: variable(name)}
}

func caDirFlag() cli.Flag {
	return text("ca-dir", "`DIR` of the certificate authority (default: the user's configuration folder; exec: memory)")
}

// deckFlags are the flags of every command that plays or records.
func deckFlags() []cli.Flag {
	return []cli.Flag{
		text("cassette", "`FILE` to record to or play from"),
		text("cassettes", "`DIR` with one cassette per session"),
		list("resolve", "reach `HOST:PORT:ADDRESS` instead of looking the name up; ADDRESS may carry its own :PORT"),
		text("upstream-ca", "trust the certificates in `FILE` too, when talking to upstreams"),
		text("upstream-proxy", "reach upstreams through the proxy at `URL`"),
		list("passthrough", "never look into or record `HOST`; may be given several times"),
		list("session-port", "also listen on `ADDRESS=NAME` for session NAME, for clients that send no proxy user"),
		list("map", "listen on `ADDRESS=URL` as if it were the API at URL"),
		text("config", "read `FILE` and no other tapedeck.yaml"),
		caDirFlag(),
		yes("strict", "an unproven play is a miss, and a recording that was never used fails the run"),
		yes("allow-live", "record even with a live payment key (sk_live_, rk_live_), and replace personal data"),
		yes("pii", "replace personal data too: emails, names, phones, addresses, birth dates, identification numbers, IP addresses"),
		text("max-body", "refuse request bodies over `SIZE` with 413 (default: 64MiB)"),
		&cli.DurationFlag{Name: "rewind-idle", Usage: "start a session over when it has sent nothing for `DURATION`, such as 5s", EnvVars: variable("rewind-idle")},
		text("repeat", "`WHICH` answers one request more than was recorded: last or cycle (default: a miss)"),
		text("sequence", "`WHICH` recorded answer plays: gates (by what was changed before; the default) or fifo (in recorded order)"),
		text("rerecord", "record what matches `PATTERN` again, such as 'POST api.stripe.com/**', and play the rest"),
		yes("drop-retried", "leave out failed answers that a retry made good"),
		yes("fail-expired", "fail the run when a recording is older than max_age"),
		text("report", "write what happened as JSON to `FILE`"),
		text("junit", "write misses and other faults as JUnit XML to `FILE`"),
		text("log-level", "`LEVEL`: debug, info, warn or error (default: warn)"),
	}
}

func modeFlag() cli.Flag {
	return text("mode", "`MODE`: record-once, replay-only, new-episodes, record-only or passthrough (default: record-once; with CI set: replay-only)")
}

func serverFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "listen", Usage: "`ADDRESS` to listen on; port 0 takes a free one", Value: "127.0.0.1:8080", EnvVars: variable("listen")},
		text("ready-file", "write the address to `FILE` once the listener is open"),
	}, deckFlags()...)
}

func readOptions(c *cli.Context) options {
	return options{
		cassette: c.String("cassette"), cassettes: c.String("cassettes"),
		mode:   c.String("mode"),
		listen: c.String("listen"), readyFile: c.String("ready-file"),
		resolve: c.StringSlice("resolve"), passthrough: c.StringSlice("passthrough"), maps: c.StringSlice("map"),
		upstreamCA: c.String("upstream-ca"), upstreamProxy: c.String("upstream-proxy"),
		config: c.String("config"), caDir: c.String("ca-dir"),
		strict: given(c, "strict"), allowLive: c.Bool("allow-live"), pii: given(c, "pii"),
		maxBody: c.String("max-body"),
		repeat:  c.String("repeat"), sequence: c.String("sequence"), rerecord: c.String("rerecord"),
		dropRetried: c.Bool("drop-retried"), recordLoopback: c.Bool("record-loopback"),
		failExpired: c.Bool("fail-expired"), sessionPorts: c.StringSlice("session-port"), rewindIdle: c.Duration("rewind-idle"),
		report: c.String("report"), junit: c.String("junit"), logLevel: c.String("log-level"),
	}
}

// given is a flag's value, nil when neither the flag nor its variable is set.
func given(c *cli.Context, name string) *bool {
	if !c.IsSet(name) {
		return nil
	}
	value := c.Bool(name)
	return &value
}

// resolveMode is the mode asked for; without one, CI decides.
func (o options) resolveMode() (deck.Mode, error) {
	if o.mode == "" {
		return deck.DefaultMode(os.Getenv("CI")), nil
	}
	m, err := deck.ParseMode(o.mode)
	if err != nil {
		return "", usagef("--mode: %w", err)
	}
	return m, nil
}

// parseSize reads "64MiB", "10kb", "1048576".
func parseSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	number := strings.TrimRight(strings.ToLower(s), "ib")
	shift := 0
	switch {
	case strings.HasSuffix(number, "k"):
		shift = 10
	case strings.HasSuffix(number, "m"):
		shift = 20
	case strings.HasSuffix(number, "g"):
		shift = 30
	}
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimRight(number, "kmg")), 10, 64)
	if err != nil || n <= 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is not a size; write it as 64MiB or 65536", s)
	}
	return n << shift, nil
}
