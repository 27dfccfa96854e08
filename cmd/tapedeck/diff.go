package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/diff/render"
	"tapedeck/matchers"
)

func diffCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "say what changed between two recordings",
		ArgsUsage: "OLD NEW | --git [REV[..REV]] [PATH…]",
		Description: examples(
			"tapedeck diff --git                        what is recorded now, against the last commit",
			"tapedeck diff --git --format markdown main... > comment.md",
			"tapedeck diff --fail-on breaking old/cassettes new/cassettes") + `

OLD and NEW are two cassettes or two folders of them. With --git they are revisions, named
as for git diff: none is HEAD against the work tree, REV is REV against the work tree,
A..B is A against B, A...B is where B left A against B. Cassettes are found among the
YAML files that differ; new ones that git does not know yet are looked at too. Changes of
tapedeck.yaml between the two are told, looser rules first.

Interactions are paired by what they ask, and compared by what they mean. Each change is
breaking (a member is gone, a type or the class of a status is another), additive, another
value, or volatile: a generated id, a time, a token. Volatile ones are counted; --volatile
shows them.

Ends with 0; with 1 when --exit-code is given and anything differs, volatile values
too, or when --fail-on is met; with 2 when something cannot be read. On a terminal the
report goes through TAPEDECK_PAGER, PAGER or less.`,
		Flags: []cli.Flag{
			yes("git", "compare revisions of this git repository"),
			text("format", "`FORMAT`: "+render.Names()+" (default: text)"),
			text("output", "write to `FILE` instead of standard output"),
			yes("exit-code", "end with 1 when anything differs, as git diff does"),
			text("fail-on", "end with 1 when a change is of `GRADE`, or graver: breaking, additive or value"),
			yes("volatile", "show volatile changes too"),
			yes("quiet", "print nothing; implies --exit-code"),
			text("color", "`WHEN` to colour text: auto, always or never (default: auto, on a terminal and without NO_COLOR)"),
			yes("no-pager", "print to the terminal, not through a pager"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error { return runDiff(c.Context, c, std) },
	}
}

func runDiff(ctx context.Context, c *cli.Context, std stdio) error {
	format, ok := render.ByName(orText(c.String("format")))
	if !ok {
		return usagef("--format: %q is not known; use %s", c.String("format"), render.Names())
	}
	failOn := diff.Grade(c.String("fail-on"))
	if failOn != "" && (!slices.Contains(diff.Grades, failOn) || failOn == diff.Volatile) {
		return usagef("--fail-on: %q is no grade; use breaking, additive or value", string(failOn))
	}
	usage := "diff [flags] OLD NEW"
	if c.Bool("git") {
		usage = "diff --git [flags] [REV[..REV]] [PATH…]"
	}
	if err := flagsFirst(c.Args().Slice(), usage); err != nil {
		return err
	}
	screen, err := newScreen(c, std, format.Name)
	if err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// Cassettes of tens of megabytes are compared within a gigabyte, for a little more time.
		debug.SetMemoryLimit(800 << 20)
	}
	what := comparison{git: c.Bool("git"), args: c.Args().Slice(), config: c.String("config"), note: func(text string) { fmt.Fprintf(std.err, "tapedeck: %s\n", text) }}
	d, title, err := what.compare(ctx)
	if err != nil {
		return err
	}
	if !c.Bool("quiet") {
		o := render.Options{Title: title, Volatile: c.Bool("volatile"), Color: screen.color, Width: screen.width}
		if err := screen.print(ctx, c.String("output"), func(w io.Writer) error { return format.Write(w, d, o) }); err != nil {
			return err
		}
	}
	if n := gravest(d.Counts, failOn); n > 0 {
		fmt.Fprintf(std.err, "tapedeck: --fail-on %s is met (changes: %d)\n", failOn, n)
		return exitCode(exitFailure)
	}
	if (c.Bool("exit-code") || c.Bool("quiet")) && len(d.Files)+len(d.Rules) > 0 {
		return exitCode(exitFailure)
	}
	return nil
}

// flagsFirst finds a flag that stands behind what is compared, where it is none.
func flagsFirst(args []string, usage string) error {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if len(arg) > 1 && arg[0] == '-' {
			return usagef("%s stands behind what is compared; flags come first: tapedeck %s", arg, usage)
		}
	}
	return nil
}

func orText(format string) string {
	if format == "" {
		return render.Formats[0].Name
	}
	return format
}

// gravest counts the changes that are of a grade or graver; none for no grade.
func gravest(n diff.Counts, grade diff.Grade) int {
	switch grade {
	case diff.Breaking:
		return n.Breaking
	case diff.Additive:
		return n.Breaking + n.Additive
	case diff.Changed:
		return n.Breaking + n.Additive + n.Value
	}
	return 0
}

// A comparison is what diff and review are asked to compare.
type comparison struct {
	git    bool
	args   []string
	config string
	note   func(text string)
}

// compare reads both sides and compares them. title says what they are. Its errors are
// wrong input.
func (q comparison) compare(ctx context.Context) (d diff.Diff, title string, err error) {
	reader, err := newDiffer(q.config, q.note)
	if err != nil {
		return d, "", err
	}
	o := diff.Options{Matcher: reader.station.matcher}
	var pairs []diff.Pair
	if q.git {
		repo, err := openRepository(ctx)
		if err != nil {
			return d, "", err
		}
		defer repo.close()
		g, err := repo.parseRange(q.args)
		if err != nil {
			return d, "", err
		}
		if pairs, o.Rules, err = reader.revisions(repo, g); err != nil {
			return d, "", err
		}
		o.Known = func(host string) bool { return reader.calls(repo, g.old, host) }
		title = g.title
	} else {
		if len(q.args) != 2 {
			return d, "", usagef("name two cassettes or two folders, as in: tapedeck diff OLD NEW; or compare with git: tapedeck diff --git")
		}
		if pairs, err = reader.paths(q.args[0], q.args[1]); err != nil {
			return d, "", err
		}
		title = q.args[0] + " and " + q.args[1]
	}
	d, err = diff.Compare(joinRenamed(pairs, reader.station.matcher), o)
	if err != nil {
		return d, "", wrongInput(err)
	}
	return d, reader.station.shown(title), nil
}

// joinRenamed pairs a cassette that is gone with a new one that holds much the same.
func joinRenamed(pairs []diff.Pair, m *matchers.Matcher) []diff.Pair {
	var gone, fresh []diff.Cassette
	var goneAt, freshAt []int
	for i, p := range pairs {
		switch {
		case p.New == nil && p.Old != nil:
			gone, goneAt = append(gone, *p.Old), append(goneAt, i)
		case p.Old == nil && p.New != nil:
			fresh, freshAt = append(fresh, *p.New), append(freshAt, i)
		}
	}
	out := slices.Clone(pairs)
	for j, i := range diff.Renames(gone, fresh, m) {
		if i >= 0 {
			out[freshAt[i]].Old = pairs[goneAt[j]].Old
			out[goneAt[j]] = diff.Pair{}
		}
	}
	return slices.DeleteFunc(out, func(p diff.Pair) bool { return p.Old == nil && p.New == nil })
}

// rendered is a report in memory, so that a fault leaves no half of one behind.
func rendered(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b)
	return b.Bytes(), err
}
