package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A setting is a line of git's configuration.
type setting struct{ key, value string }

// gitSettings are the two drivers that .gitattributes names. program is how git starts
// tapedeck.
//
// diff.tapedeck.command is left alone: it would show git diff one way, and git log -p
// and git show another, and no patch could be read from git diff --no-textconv.
// "tapedeck diff" is the view that knows what the changes mean.
//
// Where the program is gone, the merge driver lets git merge the text as it does without
// one. The diff driver fails then, and git says which program is missing: what it
// showed instead would stay in git's cache.
func gitSettings(program string) []setting {
	run := shellWord(program)
	return []setting{
		{"diff.tapedeck.textconv", run + " git textconv"},
		{"diff.tapedeck.cachetextconv", "true"},
		// The heading of the interaction that a hunk is in.
		{"diff.tapedeck.xfuncname", `^#? ?([A-Z]+ [a-z]+://.*)$`},
		{"merge.tapedeck.name", "cassettes, merged by interaction"},
		{"merge.tapedeck.driver", "if command -v " + run + " >/dev/null 2>&1; then " + run + " git merge %O %A %B %L %P; else echo '" +
			strings.ReplaceAll(program, "'", "") + " is missing: merging as text' >&2; git merge-file --marker-size=%L %A %O %B; fi"},
	}
}

// shellWord quotes a path for sh, which runs the drivers; on Windows that is git's own.
func shellWord(path string) string {
	path = filepath.ToSlash(path)
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+@") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// ownProgram is the path by which git is to start this program: that on PATH when it is the
// same file, since a package manager keeps it when it updates the file behind it, else
// the file's own. Programs with windows start git with another PATH than a shell's, so
// a bare name would not do.
func ownProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if found, err := exec.LookPath("tapedeck"); err == nil {
		a, errA := os.Stat(found)
		b, errB := os.Stat(self)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return filepath.Abs(found)
		}
	}
	return self, nil
}
