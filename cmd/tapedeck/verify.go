package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/scope"
	"tapedeck/matchers"
	"tapedeck/proxy"
	"tapedeck/proxy/deck"
	"tapedeck/proxy/verify"
)

func verifyCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "ask the real API again, and say what it answers differently by now",
		ArgsUsage: "PATH…",
		Description: examples(
			"tapedeck verify cassettes/default.yaml",
			"tapedeck verify --dry-run --unsafe cassettes",
			"tapedeck verify --allow 'POST auth.acme.dev/oauth/token' --secret 0001=ACME_SECRET cassettes/orders.yaml",
			"tapedeck verify --format html --output drift.html --fail-on additive cassettes") + `

Sends the recorded requests to the hosts that the cassettes name, with the credentials of this
environment: verify only cassettes that you trust. Placeholders that are named after a variable
take its value; ids, tokens and cursors are those of the new answers. What cannot be filled in is
not sent. Reads only, unless --unsafe or --allow says otherwise. Cassettes are never written.
Folders are searched for cassettes.

The exit code is 0 without drift of the grade --fail-on or a graver one, 1 with some, 2 for bad
input and where verify could not do its work, and 92 when there is none but something could not be
sent or was not answered.`,
		Flags: []cli.Flag{
			yes("dry-run", "list what would be sent where, and send nothing"),
			yes("unsafe", "also send what may change something: POST, PUT, PATCH, DELETE"),
			list("allow", "also send what matches `PATTERN`, such as 'POST auth.acme.dev/oauth/token'; may be given several times"),
			list("only", "send only what matches `PATTERN`, such as 'GET api.stripe.com/**'; may be given several times"),
			list("secret", "`ID=VARIABLE`: placeholder ID stands for the value of VARIABLE; USER:PASSWORD names the two of a Basic pair, CASSETTE:ID one of several cassettes"),
			yes("allow-live", "send even a live payment key (sk_live_, rk_live_), and replace personal data in what is shown"),
			&cli.DurationFlag{Name: "delay", Usage: "wait `DURATION` between two requests", Value: 100 * time.Millisecond, EnvVars: variable("delay")},
			&cli.DurationFlag{Name: "timeout", Usage: "wait at most `DURATION` for an answer", Value: 30 * time.Second, EnvVars: variable("timeout")},
			text("format", "`FORMAT` of what has changed: text, markdown, json or html (default: text)"),
			text("output", "write that to `FILE` and not to standard output"),
			text("fail-on", "end with 1 when something of `GRADE` or a graver one has changed: breaking, additive, value or volatile (default: breaking)"),
			yes("volatile", "show changes that are volatile too: generated ids, times, tokens"),
			text("report", "write what was sent and what was not as JSON to `FILE`"),
			list("resolve", "reach `HOST:PORT:ADDRESS` instead of looking the name up; ADDRESS may carry its own :PORT"),
			text("upstream-ca", "trust the certificates in `FILE` too, when talking to upstreams"),
			text("upstream-proxy", "reach upstreams through the proxy at `URL`"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
			piiFlag(),
		},
		Action: func(c *cli.Context) error { return notDrift(runVerify(c.Context, c, std)) },
	}
}

// notDrift keeps the exit code 1 for drift alone: whoever opens an issue by it must not
// take a full disk for one.
func notDrift(err error) error {
	if err == nil || errors.As(err, new(exitCode)) {
		return err
	}
	return usageError{err}
}

// A verification is one cassette that is verified.
type verification struct {
	file    string
	plan    *verify.Plan
	outcome *verify.Outcome // nil before it is run
	matcher *matchers.Matcher
}

func runVerify(ctx context.Context, c *cli.Context, std stdio) error {
	view, err := verifyViewOf(c)
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return usagef("name cassettes, as in: tapedeck verify cassettes/default.yaml")
	}
	paths := c.Args().Slice()
	if i := slices.IndexFunc(paths, func(path string) bool { return strings.HasPrefix(path, "-") }); i >= 0 {
		return usagef("%s: flags stand before the cassettes", paths[i])
	}
	files, err := cassettesOf(paths)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("%s: there is no cassette in it; check the path", paths[0])
	}
	if err := view.spares(files); err != nil {
		return err
	}
	only, err := patternsOf("only", c.StringSlice("only"))
	if err != nil {
		return err
	}
	allow, err := patternsOf("allow", c.StringSlice("allow"))
	if err != nil {
		return err
	}
	secrets, err := secretsOf(c.StringSlice("secret"), files)
	if err != nil {
		return err
	}
	if c.Duration("delay") < 0 || c.Duration("timeout") <= 0 {
		return usagef("--delay and --timeout: a time to wait cannot be negative, and an answer takes some")
	}
	var list []*verification
	hosts := &verify.Hosts{}
	for _, file := range files {
		opt := readOptions(c)
		opt.cassette, opt.mode = file, string(deck.Passthrough)
		s := &station{opt: opt, oneCommand: true}
		one, err := s.verification(file, verify.Verifier{
			Lookup: os.LookupEnv, Secrets: secrets[file], Only: only, Allow: allow, Unsafe: c.Bool("unsafe"), AllowLive: opt.allowLive,
			Delay: c.Duration("delay"), Timeout: c.Duration("timeout"), Hosts: hosts, Failure: proxy.UpstreamFailure,
		}, std)
		if err != nil {
			return err
		}
		list = append(list, one)
	}
	for _, one := range list {
		one.announce(std.err, c.Bool("dry-run"))
	}
	if c.Bool("dry-run") {
		return endDryRun(std.out, list)
	}
	for _, one := range list {
		if one.outcome, err = one.plan.Run(ctx); err != nil {
			return verifyError(one.file, err)
		}
		one.sum(std.err)
	}
	return view.finish(std, list)
}

// verification opens a cassette and plans what is sent.
func (s *station) verification(file string, v verify.Verifier, std stdio) (*verification, error) {
	cleaner, err := s.cleanerFor()
	if err != nil {
		return nil, err
	}
	if err := s.makeUpstream(os.Environ()); err != nil {
		return nil, err
	}
	tape, err := cassettes.Open(s.store, strings.TrimSuffix(filepath.Base(file), ".yaml"), cleaner, cassettes.ToReplay)
	if errors.As(err, new(*cassettes.FormatError)) {
		return nil, badFile(file, err)
	}
	if err != nil {
		return nil, usageError{err}
	}
	defer tape.Close()
	for _, note := range tape.Notes() {
		say(std.err, "%s", note)
	}
	v.Transport, v.Matcher, v.Cleaner = s.upstream, s.matcher, cleaner
	one := &verification{file: file, matcher: s.matcher}
	if one.plan, err = v.Plan(slices.Clone(tape.Interactions())); err != nil {
		return nil, verifyError(file, err)
	}
	return one, nil
}

// verifyError makes a wrong use of what only shows while requests are made.
func verifyError(file string, err error) error {
	var live *verify.LiveKeyError
	if errors.As(err, &live) {
		return usagef("%s: %w", file, err)
	}
	return usageError{errors.New(file + ": " + err.Error())}
}

// patternsOf compiles the values of a flag that selects requests.
func patternsOf(flag string, values []string) ([]scope.On, error) {
	var out []scope.On
	for _, value := range values {
		on, err := scope.ParseOn(value)
		if err != nil {
			return nil, usagef("--%s: %w", flag, err)
		}
		out = append(out, on)
	}
	return out, nil
}

// secretFlag is ID=VARIABLE, with a cassette before it where there are several.
var secretFlag = regexp.MustCompile(`^(?:(.+):)?([A-Za-z]?\d{4,19})=([A-Za-z_][A-Za-z0-9_]*(?::[A-Za-z_][A-Za-z0-9_]*)?)$`)

// secretsOf reads --secret: for each cassette, which variable holds the value of which
// placeholder. Numbers mean another secret in each cassette. The error repeats nothing:
// somebody may have written the secret itself.
func secretsOf(values, files []string) (map[string]map[string]string, error) {
	out := make(map[string]map[string]string)
	for _, value := range values {
		found := secretFlag.FindStringSubmatch(value)
		if found == nil {
			return nil, usagef("--secret: it is not ID=VARIABLE; write the number of the placeholder and the name of the variable that holds the value, such as 0001=ACME_KEY")
		}
		file := found[1]
		switch {
		case file == "" && len(files) > 1:
			return nil, usagef("--secret %s=…: there are several cassettes, and the number means another secret in each; write CASSETTE:%s=VARIABLE", found[2], found[2])
		case file == "":
			file = files[0]
		case slices.Contains(files, filepath.Clean(file)):
			file = filepath.Clean(file)
		default:
			return nil, usagef("--secret: the cassette before the number is none of those that are verified; write it as it stands there")
		}
		// What is not set may be the secret itself, so it is not named.
		for name := range strings.SplitSeq(found[3], ":") {
			if os.Getenv(name) == "" {
				return nil, usagef("--secret %s=…: no variable of that name is set; write the name of the variable that holds the value, and set it", found[2])
			}
		}
		if out[file] == nil {
			out[file] = make(map[string]string)
		}
		out[file][found[2]] = found[3]
	}
	return out, nil
}
