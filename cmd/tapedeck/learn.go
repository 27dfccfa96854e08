package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
	"tapedeck/matchers/config"
	"tapedeck/proxy/deck"
)

func learnCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "learn",
		Usage:     "find what differs from run to run, and write rules for it",
		ArgsUsage: "-- COMMAND [ARGUMENT…]",
		Description: examples(
			"tapedeck learn -- npm test",
			"tapedeck learn --yes -- pytest tests/test_checkout.py",
			"tapedeck learn --config ci/tapedeck.yaml -- go test ./...") + `

learn runs the command twice against the real API and compares what it sends. For what is new
in each run (an id, a time, a counter, something random) it proposes rules, and adds them to
tapedeck.yaml when you say yes. Then it runs the command a third time, offline, to prove them.
Nothing is written into your cassettes. Without a terminal it only prints, unless --yes is given.`,
		Flags: []cli.Flag{
			yes("yes", "write the rules without asking"),
			text("config", "read and extend `FILE` and no other tapedeck.yaml"),
			list("resolve", "reach `HOST:PORT:ADDRESS` instead of looking the name up; ADDRESS may carry its own :PORT"),
			text("upstream-ca", "trust the certificates in `FILE` too, when talking to upstreams"),
			text("upstream-proxy", "reach upstreams through the proxy at `URL`"),
			list("passthrough", "never look into or record `HOST`; may be given several times"),
			yes("record-loopback", "record requests to loopback addresses too"),
			yes("allow-live", "record even with a live payment key (sk_live_, rk_live_)"),
			text("max-body", "refuse request bodies over `SIZE` with 413 (default: 64MiB)"),
			text("log-level", "`LEVEL`: debug, info, warn or error (default: warn)"),
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usagef("no command is given; write it after --, as in: tapedeck learn -- npm test")
			}
			l := &learner{opt: readOptions(c), argv: c.Args().Slice(), yes: c.Bool("yes"), std: std}
			return l.learn(c.Context)
		},
	}
}

// A learner is one run of learn.
type learner struct {
	opt  options
	argv []string
	yes  bool
	std  stdio
	dir  string // of the recordings, gone at the end
}

func (l *learner) learn(ctx context.Context) error {
	var err error
	if l.dir, err = os.MkdirTemp("", "tapedeck-learn-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.dir)
	var runs [2][]clean.Interaction
	var matcher *matchers.Matcher
	for i, name := range []string{"first", "second"} {
		l.say("recording the %s run", name)
		s, report, code, err := l.run(ctx, name, deck.RecordOnly)
		if err != nil {
			return err
		}
		if code != 0 {
			s.summarise(l.std.err, report, "")
			l.say("the command ended with exit code %d; learn from a run that passes", code)
			return exitCode(code)
		}
		if runs[i], err = l.read(s, name); err != nil {
			return err
		}
		matcher = s.matcher
	}
	if len(runs[0]) == 0 && len(runs[1]) == 0 {
		return fmt.Errorf("the command made no request through the proxy; nothing can be learned of it")
	}
	lessons := matcher.Learn(runs[0], runs[1])
	rules := l.tell(lessons)
	if len(rules) == 0 {
		return l.prove(ctx, "")
	}
	file, err := l.target()
	if err != nil {
		return err
	}
	if !l.agreed(file) {
		l.say("nothing was written; put the rules into %s yourself, or add --yes", file)
		return nil
	}
	if err := config.AddRules(file, rules); err != nil {
		return err
	}
	l.say("added to %s", file)
	return l.prove(ctx, file)
}

func (l *learner) say(format string, args ...any) {
	fmt.Fprintf(l.std.err, "tapedeck: "+format+"\n", args...)
}

// run runs the command once against a cassette of its own.
func (l *learner) run(ctx context.Context, name string, mode deck.Mode) (s *station, report runReport, code int, err error) {
	opt := l.opt
	opt.mode, opt.cassette, opt.cassettes = string(mode), filepath.Join(l.dir, name+".yaml"), ""
	environ := os.Environ()
	if s, err = newStation(opt, l.std, environ, true); err != nil {
		return nil, report, 0, err
	}
	// The recordings are gone at the end: what mends a miss is to learn again.
	s.rerun = func(deck.Mode, string) string { return "tapedeck learn -- " + withArguments(l.argv) }
	state, recordedAt := "record", ""
	d, err := s.openSingle()
	if err != nil {
		return nil, report, 0, err
	}
	if !d.Recording() {
		state, recordedAt = "replay", d.RecordedAt()
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, report, 0, err
	}
	// What the command prints is not what the user asked for here, and it would
	// stand there three times; standard input can be read only once.
	quiet := stdio{strings.NewReader(""), io.Discard, l.std.err}
	code, err = s.runChild(ctx, l.argv, environ, state, recordedAt, quiet)
	if closeErr := s.close(deck.Outcome{}); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, report, 0, err
	}
	report = runReport{Mode: s.mode, Refused: s.refusals()}
	for _, d := range s.rack.Decks() {
		report.Cassettes = append(report.Cassettes, d.Report())
	}
	return s, report, code, nil
}

// read reads what a run recorded, in its order.
func (l *learner) read(s *station, name string) ([]clean.Interaction, error) {
	there, _, err := cassettes.Exists(s.store, name)
	if err != nil || !there {
		return nil, err
	}
	tape, err := cassettes.Open(s.store, name, s.cleaner(), cassettes.ToReplay)
	if err != nil {
		return nil, err
	}
	defer tape.Close()
	return tape.Interactions(), nil
}

// tell prints what was seen, and the rules on standard output.
func (l *learner) tell(lessons matchers.Lessons) []matchers.Rule {
	l.say("compared %d requests, %d of them equal", lessons.Pairs, lessons.Same)
	for _, lesson := range lessons.List {
		why := lesson.Why
		if lesson.Rule == nil {
			why = "no rule: " + lesson.Instead
		}
		fmt.Fprintf(l.std.err, "  %s\n    %s\n", lesson, why)
	}
	lines(l.std.err, "only in one run", lessons.Alone)
	rules := lessons.Rules()
	if len(rules) > 0 {
		fmt.Fprintf(l.std.out, "rules:\n%s", matchers.RulesYAML(rules, "  "))
	}
	return rules
}

// target is the configuration file that rules are added to: the nearest.
func (l *learner) target() (string, error) {
	if l.opt.config != "" {
		return l.opt.config, nil
	}
	found, err := config.Find(".")
	if err != nil || len(found) == 0 {
		return config.Name, err
	}
	file := found[len(found)-1]
	if here, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(here, file); err == nil {
			file = near
		}
	}
	return file, nil
}

// agreed asks whether to write.
func (l *learner) agreed(file string) bool {
	if l.yes {
		return true
	}
	if in, ok := l.std.in.(*os.File); !ok || !isatty.IsTerminal(in.Fd()) {
		return false // a script; --yes is for those
	}
	fmt.Fprintf(l.std.err, "add these rules to %s? [y/N] ", file)
	answer, err := bufio.NewReader(l.std.in).ReadString('\n')
	return err == nil && strings.EqualFold(strings.TrimSpace(answer), "y")
}

// prove plays the first recording to the command, with the rules that hold now. file
// is where rules were added, or "".
func (l *learner) prove(ctx context.Context, file string) error {
	l.say("playing the first run to the command, offline")
	s, report, code, err := l.run(ctx, "first", deck.ReplayOnly)
	if err != nil {
		return err
	}
	missed := verdict(report.faults(strictness{failExpired: s.opt.failExpired}))
	switch {
	case missed == 0 && code == 0:
		for _, r := range report.Cassettes {
			l.say("proven: %s, with no network", counts(r))
		}
		return nil
	case missed == 0:
		l.say("not proven: every request was answered, and yet the command ended with exit code %d", code)
	default:
		s.summarise(l.std.err, report, "")
		l.say("not proven: the replayed run missed what is listed above")
		code = missed
	}
	if file != "" {
		l.say("the rules stay in %s; mend or remove them there", file)
	}
	return exitCode(code)
}
