package main

import (
	"os"
	"slices"
	"strings"
)

// A revisionRange is what --git compares.
type revisionRange struct {
	old, new string   // objects; new is "" for the work tree
	title    string   // as a report says it
	paths    []string // pathspecs, as given
}

// parseRange reads [REV[..REV]] [--] [PATH…] as git diff does: REV alone is compared
// with the work tree, A..B and "A B" with each other, A...B where they parted with B.
// Its errors are wrong use.
func (r *repository) parseRange(args []string) (revisionRange, error) {
	var revisions []string
	out := revisionRange{}
	if at := slices.Index(args, "--"); at >= 0 {
		revisions, out.paths = args[:at], args[at+1:]
	} else {
		for len(args) > 0 && len(revisions) < 2 {
			isRange := strings.Contains(args[0], "..") && !r.exists(args[0])
			isRevision := isRange || r.resolve(args[0]) != ""
			if isRevision && !isRange && r.exists(args[0]) {
				return out, usagef("--git: %s is a revision and a file; write %s -- for the revision or -- %s for the file", args[0], args[0], args[0])
			}
			if !isRevision {
				break
			}
			revisions, args = append(revisions, args[0]), args[1:]
			if isRange {
				break
			}
		}
		out.paths = args
	}
	if err := r.sides(revisions, &out); err != nil {
		return out, err
	}
	if out.new == "" && r.root == "" {
		return out, usagef("--git: this repository has no work tree; compare two revisions: REV..REV")
	}
	for _, path := range out.paths {
		if !r.known(path, &out) {
			if r.resolve(path) != "" {
				return out, usagef("--git: %s is a revision and stands where paths do; write two revisions as REV..REV", path)
			}
			return out, usagef("--git: %s is neither a revision nor a path here; check it", path)
		}
	}
	return out, nil
}

// exists reports whether an argument can be a path of the work tree.
func (r *repository) exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// known reports whether a path is on either side. A pathspec with signs of its own is
// left to git.
func (r *repository) known(path string, g *revisionRange) bool {
	if strings.HasPrefix(path, ":") || strings.ContainsAny(path, "*?[") || r.exists(path) {
		return true
	}
	for _, tree := range []string{g.old, g.new} {
		if tree == "" {
			continue
		}
		if out, err := r.run("ls-tree", "--name-only", tree, "--", path); err == nil && len(out) > 0 {
			return true
		}
	}
	return false
}

// sides finds the objects of what is compared.
func (r *repository) sides(revisions []string, out *revisionRange) (err error) {
	find := func(revision string) string {
		if revision == "" {
			revision = "HEAD"
		}
		id := r.resolve(revision)
		if id == "" && err == nil {
			err = usagef("--git: there is no revision %s here; check the name, and whether it was fetched", revision)
		}
		return id
	}
	name := func(revision string) string {
		if revision == "" {
			return "HEAD"
		}
		return revision
	}
	switch {
	case len(revisions) == 0:
		if out.old = r.resolve("HEAD"); out.old == "" { // nothing is committed yet
			if out.old, err = r.emptyTree(); err != nil {
				return usagef("--git: %w", err)
			}
		}
		out.title = "HEAD and the work tree"
	case len(revisions) == 2:
		out.old, out.new = find(revisions[0]), find(revisions[1])
		out.title = revisions[0] + " and " + revisions[1]
	case len(revisions) > 2:
		return usagef("--git compares two revisions at most: tapedeck diff --git REV..REV [PATH…]")
	default:
		from, to, ranged := strings.Cut(revisions[0], "..")
		if !ranged {
			out.old, out.title = find(from), from+" and the work tree"
			return err
		}
		to, parted := strings.CutPrefix(to, ".")
		out.old, out.new = find(from), find(to)
		out.title = name(from) + " and " + name(to)
		if !parted || err != nil {
			return err
		}
		base, mergeErr := r.run("merge-base", out.old, out.new)
		if mergeErr != nil {
			return usagef("--git: %s and %s have no commit in common; compare them as %s..%s, or fetch more of the history", name(from), name(to), name(from), name(to))
		}
		out.old, out.title = strings.TrimSpace(string(base)), "where "+name(to)+" left "+name(from)+", and "+name(to)
	}
	return err
}
