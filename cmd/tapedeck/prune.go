package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/proxy/deck"
)

func pruneCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "prune",
		Usage:     "remove recordings that a test run did not use, and what nothing plays",
		ArgsUsage: "[CASSETTE…]",
		Description: examples(
			"tapedeck prune --dry-run --report run.json cassettes/default.yaml",
			"tapedeck prune --report shard-1.json --report shard-2.json --cassettes cassettes",
			"tapedeck prune --cassettes cassettes                  # only what no cassette names") + `

The reports are what --report wrote when all tests ran and passed in the mode replay-only; those of
shards are joined. Prints what goes. Pinned interactions stay. A cassette that no session
used, or of which nothing was used, is named, and goes with --whole. Body files that no cassette
names and drafts of killed recorders go too; journals are named and stay.`,
		Flags: []cli.Flag{
			list("report", "remove what no run of the reports in `FILE` used; may be given several times"),
			text("cassettes", "look at all cassettes in `DIR`"),
			yes("whole", "remove cassettes of which nothing was used, file and all"),
			dryRunFlag(),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error {
			p := pruner{std: std, config: c.String("config"), dry: c.Bool("dry-run"), whole: c.Bool("whole")}
			if err := p.find(c.Args().Slice(), c.String("cassettes")); err != nil {
				return err
			}
			unused, err := p.read(c.StringSlice("report"))
			if err != nil {
				return err
			}
			if err := p.readBodies(); err != nil {
				return err
			}
			for _, file := range p.files {
				if err := p.prune(file, unused); err != nil {
					return err
				}
			}
			return p.tidy()
		},
	}
}

// A pruner is one run of prune.
type pruner struct {
	std        stdio
	config     string
	dry, whole bool
	// files are the cassettes, and beside those that were only left something of.
	files, beside []string
	// own are the body files that each of files names; bodies counts by how many each is named.
	own    map[string][]string
	bodies map[string]int
}

// find lists the cassettes that the command line means.
func (p *pruner) find(named []string, dir string) error {
	if len(named) == 0 && dir == "" {
		return usagef("name cassettes, or a folder of them, as in: tapedeck prune --report run.json --cassettes cassettes")
	}
	for _, file := range named {
		if info, err := os.Stat(file); err != nil {
			return usagef("cassette %s: %w; check the path", file, bare(err))
		} else if info.IsDir() || filepath.Ext(file) != ".yaml" {
			return usagef("%s: a cassette's name ends in .yaml; for a folder, write --cassettes %s", file, file)
		}
		p.files = append(p.files, filepath.Clean(file))
	}
	if dir != "" {
		files, err := cassetteFiles(dir)
		if err != nil {
			return usagef("--cassettes %s: %w", dir, bare(err))
		}
		p.files = append(p.files, files...)
		if p.beside, err = cassettesLeft(dir); err != nil {
			return usagef("--cassettes %s: %w", dir, bare(err))
		}
	}
	slices.Sort(p.files)
	p.files = slices.Compact(p.files)
	p.beside = slices.DeleteFunc(p.beside, func(file string) bool { return slices.Contains(p.files, file) })
	return nil
}

// leftBy reads the cassette's name off an object in a folder for private ones.
var leftBy = regexp.MustCompile(`^(.+)\.(?:journal|replacement|previous|pending|damaged-[0-9a-f]+)$`)

// cassettesLeft lists the files of cassettes that have left body files or journals in
// dir, whether they are there or not.
func cassettesLeft(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		folder, name := filepath.Split(path)
		if entry.IsDir() && (name == ".git" || name == "node_modules") {
			return filepath.SkipDir
		}
		if base, ok := strings.CutSuffix(name, ".bodies"); ok && entry.IsDir() && path != dir {
			files = append(files, filepath.Join(folder, base+".yaml"))
			return filepath.SkipDir
		}
		if m := leftBy.FindStringSubmatch(name); m != nil && filepath.Base(folder) == ".tapedeck" {
			files = append(files, filepath.Join(filepath.Dir(filepath.Clean(folder)), m[1]+".yaml"))
		}
		return nil
	})
	slices.Sort(files)
	return slices.Compact(files), err
}

// read joins the reports, and returns by cassette what no run has used. A cassette that
// no session has used is not in it. It is nil without reports.
func (p *pruner) read(reports []string) (map[string][]string, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	var runs []runReport
	for _, file := range reports {
		run, err := readReport(file)
		if err != nil {
			return nil, err
		}
		if run.ExitCode != 0 && run.ExitCode != exitStale {
			return nil, usagef("%s: its run ended with code %d, and what it did not come to says nothing; give the report of a run that passed", file, run.ExitCode)
		}
		runs = append(runs, run)
	}
	unused := make(map[string][]string)
	for _, c := range joinReports(runs, false).Cassettes {
		if c.Mode != deck.ReplayOnly {
			return nil, usagef("%s was played in the mode %s, which does not tell what is used; give reports of runs with --mode replay-only", c.Cassette, c.Mode)
		}
		path, err := filepath.Abs(c.Cassette)
		if err != nil {
			return nil, err
		}
		unused[path] = append([]string{}, c.Unused...)
	}
	for _, file := range p.files {
		if path, err := filepath.Abs(file); err == nil && unused[path] != nil {
			return unused, nil
		}
	}
	return nil, usagef("the reports name none of these cassettes; run it in the folder that the tests ran in, since cassettes are known by their paths")
}

// readBodies counts which body files are named, before anything is removed.
func (p *pruner) readBodies() error {
	p.own, p.bodies = make(map[string][]string), make(map[string]int)
	for _, file := range p.files {
		store, err := cassettes.NewFolder(filepath.Dir(file))
		if err != nil {
			return err
		}
		names, err := cassettes.BodyFiles(store, cassetteName(file))
		if err != nil {
			return badFile(file, err)
		}
		slices.Sort(names)
		p.own[file] = slices.Compact(names)
		for _, name := range p.own[file] {
			p.bodies[name]++
		}
	}
	return nil
}

// prune removes what is in one cassette and was not used.
func (p *pruner) prune(file string, unused map[string][]string) error {
	if unused == nil {
		return nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if names, opened := unused[path]; !opened {
		return p.wholly(file, "no session used it")
	} else if len(names) > 0 {
		return p.unused(file, names)
	}
	return nil
}

// unused removes the interactions that a report calls by these names.
func (p *pruner) unused(file string, names []string) (err error) {
	nothing := false
	err = editCassette(p.std, file, p.config, p.dry, func(list []clean.Interaction) ([]clean.Interaction, error) {
		var stay, gone []clean.Interaction
		pinned := 0
		for _, in := range list {
			switch {
			case !slices.Contains(names, deck.NameOf(in)):
				stay = append(stay, in)
			case in.Pinned:
				pinned++
				stay = append(stay, in)
			default:
				gone = append(gone, in)
			}
		}
		if other := len(names) - len(gone) - pinned; other > 0 {
			return nil, usagef("%s: recordings that the reports name and that it does not hold: %d; it was changed since, so run the tests again", file, other)
		}
		if pinned > 0 {
			fmt.Fprintf(p.std.err, "tapedeck: %s: pinned interactions that were not used stay: %d\n", file, pinned)
		}
		if len(stay) == 0 {
			nothing = true
			return list, nil
		}
		if len(gone) == 0 {
			return list, nil
		}
		p.say("%s: not used: %d of %d", file, len(gone), len(list))
		return stay, printInteractions(p.std, gone)
	})
	if err == nil && nothing {
		return p.wholly(file, "nothing in it was used")
	}
	return err
}

// wholly removes a cassette of which nothing was used, if that is asked for.
func (p *pruner) wholly(file, why string) error {
	tape, err := openToEdit(file, p.config, cassettes.ToReplay)
	if err != nil {
		return err
	}
	pinned := slices.ContainsFunc(tape.Interactions(), func(in clean.Interaction) bool { return in.Pinned })
	if err := tape.Close(); err != nil {
		return err
	}
	switch {
	case pinned:
		fmt.Fprintf(p.std.err, "tapedeck: %s: %s, and it stays, as it holds pinned interactions\n", file, why)
		return nil
	case !p.whole:
		fmt.Fprintf(p.std.err, "tapedeck: %s: %s; --whole removes it\n", file, why)
		return nil
	}
	store, err := cassettes.NewFolder(filepath.Dir(file))
	if err != nil {
		return err
	}
	if !p.dry {
		if err := cassettes.Remove(store, cassetteName(file), p.namedElsewhere(file)); err != nil {
			return err
		}
		removeEmpty(bodiesFolder(file))
		for _, body := range p.own[file] {
			p.bodies[body]--
		}
		delete(p.own, file)
	}
	p.say("%s: %s", file, why)
	fmt.Fprintln(p.std.out, filepath.ToSlash(file))
	return nil
}

// namedElsewhere reports of a body file whether another cassette names it.
func (p *pruner) namedElsewhere(file string) func(body string) bool {
	return func(body string) bool {
		others := p.bodies[body]
		if slices.Contains(p.own[file], body) {
			others--
		}
		return others > 0
	}
}

// tidy removes what no cassette needs, and names what waits for somebody.
func (p *pruner) tidy() error {
	for _, file := range slices.Concat(p.files, p.beside) {
		store, err := cassettes.NewFolder(filepath.Dir(file))
		if err != nil {
			return err
		}
		list, err := cassettes.Tidy(store, cassetteName(file), p.namedElsewhere(file), p.dry)
		if err != nil {
			return badFile(file, err)
		}
		for _, l := range list {
			object := filepath.ToSlash(filepath.Join(filepath.Dir(file), filepath.FromSlash(l.Object)))
			if l.Removed {
				p.say("%s: %s", object, l.Why)
				fmt.Fprintln(p.std.out, object)
			} else {
				fmt.Fprintf(p.std.err, "tapedeck: %s stays: %s\n", object, l.Why)
			}
		}
		if !p.dry {
			removeEmpty(bodiesFolder(file))
		}
	}
	return nil
}

// say tells what is removed, or would be.
func (p *pruner) say(format string, arguments ...any) {
	verb := "removed"
	if p.dry {
		verb = "would be removed"
	}
	fmt.Fprintf(p.std.err, "tapedeck: %s: %s\n", verb, fmt.Sprintf(format, arguments...))
}

func bodiesFolder(file string) string { return strings.TrimSuffix(file, ".yaml") + ".bodies" }

// removeEmpty removes a folder unless something stands in it, which then is not ours.
func removeEmpty(dir string) {
	if info, err := os.Lstat(dir); err == nil && info.IsDir() {
		_ = os.Remove(dir)
	}
}
