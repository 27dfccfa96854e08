package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A repository is the git repository of the working folder, read with the git program.
type repository struct {
	ctx context.Context
	// root is its work tree; "" when it has none.
	root string

	batch *blobReader
}

// openRepository finds the repository of the working folder. Its errors are wrong use.
func openRepository(ctx context.Context) (*repository, error) {
	r := &repository{ctx: ctx}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, usagef("--git runs the git program, and there is none in PATH; install it, or compare files: tapedeck diff OLD NEW")
	}
	inside, err := r.run("rev-parse", "--is-inside-work-tree")
	if err != nil {
		return nil, usagef("--git: %w; run it in a repository, or compare files: tapedeck diff OLD NEW", err)
	}
	if strings.TrimSpace(string(inside)) == "true" {
		root, err := r.run("rev-parse", "--show-toplevel")
		if err != nil {
			return nil, usagef("--git: %w", err)
		}
		r.root = filepath.FromSlash(strings.TrimSuffix(string(root), "\n"))
	}
	return r, nil
}

func (r *repository) close() {
	if r.batch != nil {
		r.batch.close()
	}
}

// A revisionError is what git said, in one line.
type revisionError struct{ text string }

func (e *revisionError) Error() string { return e.text }

func (r *repository) command(args ...string) *exec.Cmd {
	command := exec.CommandContext(r.ctx, "git", args...)
	// Reading must not write: no refreshed index, no lock beside a commit under way.
	command.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	return command
}

// run runs git in the working folder and returns what it prints.
func (r *repository) run(args ...string) ([]byte, error) {
	command := r.command(args...)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err == nil {
		return out, nil
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	return nil, &revisionError{saidBy(said.String(), err)}
}

// saidBy is the line of git's words that says what is wrong.
func saidBy(said string, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	for _, prefix := range []string{"fatal: ", "error: "} {
		line = strings.TrimPrefix(line, prefix)
	}
	if line == "" {
		line = err.Error()
	}
	return "git: " + line
}

// emptyTree is the tree that holds nothing: what a repository without a commit is
// compared with.
func (r *repository) emptyTree() (string, error) {
	command := r.command("hash-object", "-t", "tree", "--stdin")
	command.Stdin = strings.NewReader("")
	out, err := command.Output()
	return strings.TrimSpace(string(out)), err
}

// resolve returns the object that a revision names, "" when there is none of that name.
func (r *repository) resolve(revision string) string {
	if revision == "" || strings.HasPrefix(revision, "-") || strings.ContainsAny(revision, "\x00\n") {
		return ""
	}
	for _, kind := range []string{"^{commit}", "^{tree}"} {
		if out, err := r.run("rev-parse", "--verify", "--quiet", "--end-of-options", revision+kind); err == nil {
			return strings.TrimSpace(string(out))
		}
	}
	return ""
}

// A treeChange is a file that differs between two sides. Names are slash paths below
// the root of the repository.
type treeChange struct {
	old, new     string // "" where there is no such file
	oldID, newID string // of the content; newID is "" where the file is in the work tree
}

// changes lists the regular files that differ between a tree and another, or the work
// tree when that is "". New files that git does not know yet are listed too, unless
// they are ignored.
func (r *repository) changes(old, new string, paths ...string) ([]treeChange, error) {
	args := []string{"diff", "--raw", "-z", "-M", "--no-abbrev", "--no-relative", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", old}
	if new != "" {
		args = append(args, new)
	}
	out, err := r.run(append(append(args, "--"), paths...)...)
	if err != nil {
		return nil, err
	}
	list, err := parseRaw(string(out), new == "")
	if err != nil || new != "" {
		return list, err
	}
	if len(paths) == 0 {
		paths = []string{":/"}
	}
	out, err = r.run(append([]string{"ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		if info, err := os.Lstat(r.path(name)); name != "" && err == nil && info.Mode().IsRegular() {
			list = append(list, treeChange{new: name})
		}
	}
	return list, nil
}

// path is where a file of the work tree lies.
func (r *repository) path(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }

// parseRaw reads what "git diff --raw -z" prints:
// ":MODE MODE ID ID STATUS NUL PATH NUL [PATH NUL]".
// https://git-scm.com/docs/git-diff#_raw_output_format
func parseRaw(out string, inWorkTree bool) ([]treeChange, error) {
	const broken = "git: its list of changes cannot be read"
	var list []treeChange
	for out != "" {
		head, rest, ok := strings.Cut(out, "\x00")
		fields := strings.Fields(strings.TrimPrefix(head, ":"))
		name, rest, okName := strings.Cut(rest, "\x00")
		if !ok || !okName || len(fields) != 5 || head[0] != ':' {
			return nil, &revisionError{broken}
		}
		c := treeChange{old: name, new: name, oldID: fields[2], newID: fields[3]}
		if fields[4][0] == 'R' || fields[4][0] == 'C' {
			if c.new, rest, ok = strings.Cut(rest, "\x00"); !ok {
				return nil, &revisionError{broken}
			}
		}
		if fields[4][0] == 'C' {
			c.old = ""
		}
		if !isRegular(fields[0]) {
			c.old = ""
		}
		if !isRegular(fields[1]) && fields[4][0] != 'U' { // a merge under way lists what it could not merge as U
			c.new = ""
		}
		if inWorkTree {
			c.newID = ""
		}
		out = rest
		if c.old == "" && c.new == "" || fields[4][0] == 'U' && !inWorkTree {
			continue
		}
		if n := len(list); n > 0 && list[n-1].new == c.new && list[n-1].old == c.old {
			list = list[:n-1] // U comes beside M
		}
		list = append(list, c)
	}
	return list, nil
}

// isRegular reports whether a mode is that of a file: links and submodules hold no cassette.
func isRegular(mode string) bool { return strings.HasPrefix(mode, "100") }

// A blobReader is a running "git cat-file --batch".
type blobReader struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// blob returns the content that has an id.
func (r *repository) blob(id string) ([]byte, error) {
	if r.batch == nil {
		b := &blobReader{command: r.command("cat-file", "--batch")}
		var err error
		if b.in, err = b.command.StdinPipe(); err != nil {
			return nil, err
		}
		out, err := b.command.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := b.command.Start(); err != nil {
			return nil, err
		}
		b.out = bufio.NewReaderSize(out, 1<<16)
		r.batch = b
	}
	return r.batch.read(id)
}

func (b *blobReader) read(id string) ([]byte, error) {
	if _, err := io.WriteString(b.in, id+"\n"); err != nil {
		return nil, &revisionError{"git: cat-file ended early"}
	}
	head, err := b.out.ReadString('\n')
	if err != nil {
		return nil, &revisionError{"git: cat-file ended early"}
	}
	fields := strings.Fields(head)
	if len(fields) != 3 || fields[1] != "blob" {
		return nil, &revisionError{"git: the repository has not the content " + id + "; fetch it (is the clone partial or shallow?)"}
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size > largestBlob {
		return nil, &revisionError{fmt.Sprintf("git: the content %s is larger than %d MiB; no cassette is", id, largestBlob>>20)}
	}
	data := make([]byte, size+1) // and the line's end
	if _, err := io.ReadFull(b.out, data); err != nil {
		return nil, &revisionError{"git: cat-file ended early"}
	}
	return data[:size], nil
}

// largestBlob is the most that is read of a repository at once, in bytes: the most that a
// cassette file may hold.
const largestBlob = 512 << 20

func (b *blobReader) close() {
	b.in.Close()
	_, _ = io.Copy(io.Discard, b.out)
	_ = b.command.Wait()
}

// stream opens the content that has an id, for bodies of any size.
func (r *repository) stream(id string) (io.ReadCloser, error) {
	command := r.command("cat-file", "blob", id)
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &blobStream{out, command}, nil
}

// A blobStream is content that is being read.
type blobStream struct {
	io.ReadCloser
	command *exec.Cmd
}

// Close ends the program, also when not all of it was read.
func (s *blobStream) Close() error {
	err := s.ReadCloser.Close()
	_ = s.command.Wait() // its pipe is closed, so how it ends says nothing
	return err
}

// idIn is the id of a file's content in a tree, fs.ErrNotExist when it is not there.
func (r *repository) idIn(tree, name string) (string, error) {
	out, err := r.run("ls-tree", "-z", "--full-tree", tree, "--", name)
	if err != nil {
		return "", err
	}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		head, path, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(head); path == name && len(fields) == 3 && isRegular(fields[0]) {
			return fields[2], nil
		}
	}
	return "", fs.ErrNotExist
}
