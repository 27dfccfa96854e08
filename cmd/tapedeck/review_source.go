package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/diff"
)

// A reviewSource is what a review compares, as often as it is asked.
type reviewSource struct {
	what    comparison
	folders []string // in which files may change
}

// newReviewSource reads the command line. Its errors are wrong use.
func newReviewSource(c *cli.Context, std stdio) (*reviewSource, error) {
	revision := c.String("git")
	if revision == "true" || revision == "1" { // TAPEDECK_GIT as diff has it
		revision = "HEAD"
	}
	if err := flagsFirst(c.Args().Slice(), "review [flags] [PATH…]"); err != nil {
		return nil, err
	}
	repo, err := openRepository(c.Context)
	if err != nil {
		return nil, err
	}
	defer repo.close()
	paths := c.Args().Slice()
	told := map[string]bool{}
	s := &reviewSource{
		what: comparison{git: true, args: append([]string{revision, "--"}, paths...), config: c.String("config"), note: func(text string) {
			if !told[text] { // every comparison finds the same
				told[text] = true
				fmt.Fprintf(std.err, "tapedeck: %s\n", text)
			}
		}},
	}
	if repo.resolve("HEAD") == "" && revision == "HEAD" { // nothing is committed yet
		s.what.args = s.what.args[1:]
	}
	if config := c.String("config"); config != "" {
		s.folders = append(s.folders, filepath.Dir(config))
	}
	s.folders = append(s.folders, watched(repo.root, paths)...)
	return s, nil
}

// watched are the folders in which files may change that a review of the paths shows:
// also where rules stand, and where git notes commits.
func watched(root string, paths []string) []string {
	if root == "" {
		return nil
	}
	folders := []string{}
	if logs := filepath.Join(root, ".git", "logs"); isFolder(logs) {
		folders = append(folders, logs)
	}
	if len(paths) == 0 {
		return append(folders, root)
	}
	for _, path := range paths {
		if !isFolder(path) {
			path = filepath.Dir(path)
		}
		folders = append(folders, path)
	}
	if wd, err := os.Getwd(); err == nil {
		for isFolder(wd) { // a tapedeck.yaml may stand in each folder up to the root
			if _, err := os.Stat(filepath.Join(wd, "tapedeck.yaml")); err == nil {
				folders = append(folders, wd)
			}
			if up := filepath.Dir(wd); wd == root || up == wd {
				break
			} else {
				wd = up
			}
		}
	}
	return folders
}

func (s *reviewSource) compare(ctx context.Context) (diff.Diff, string, error) {
	return s.what.compare(ctx)
}
