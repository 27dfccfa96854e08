package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tapedeck/cassettes/foreign"
)

// A Change is what redacting one file means.
type Change struct {
	File string `json:"file"`
	// Format is the file's.
	Format string `json:"format"`
	// Replaced counts places by rule.
	Replaced map[string]int `json:"replaced"`
	// Refused says why the file is left as it is: what stands in it that cannot be
	// replaced.
	Refused []Finding `json:"refused,omitempty"`
	// Data is the new file; nil when nothing changes.
	Data []byte `json:"-"`
}

// Redact gives the contents of a file with every secret replaced that the own rules
// find: the same secret by the same placeholder at all places. Everything else stays
// byte for byte. What is clean already comes back unchanged.
func (a *Auditor) Redact(file string, data []byte) (*Change, error) {
	doc, err := foreign.Read(file, data)
	if err != nil {
		return nil, err
	}
	run := newRun(a, file, data, doc, a.rules)
	run.redact()
	found, _ := run.findings()
	run.finish(found)
	c := &Change{File: file, Format: doc.Format, Replaced: make(map[string]int)}
	for _, f := range found[:len(found)-len(run.problems)] {
		c.Replaced[f.Rule]++
	}
	c.Refused = append(c.Refused, found[len(found)-len(run.problems):]...)
	if len(c.Refused) > 0 || !doc.Changed() {
		return c, nil
	}
	out, err := doc.Write()
	if err != nil {
		return nil, err
	}
	for _, t := range run.vault.Traces(string(out)) {
		c.Refused = append(c.Refused, Finding{File: file, Line: 1 + bytes.Count(out[:t.Start], []byte("\n")), Place: "file", Rule: t.Rule,
			Source: fromTapedeck, Why: "a secret that was found elsewhere stands where the format has no value"})
	}
	if len(c.Refused) == 0 {
		c.Data = out
	}
	return c, nil
}

// Changes are those of several files.
type Changes struct {
	List    []*Change // of every cassette, also where nothing changes
	Skipped int
	Errors  []error
}

// RedactFiles redacts files, several at a time. With write the files are replaced, each
// atomically; without, only what would change is said.
func (a *Auditor) RedactFiles(ctx context.Context, files []File, write bool, progress func(size int64)) (*Changes, error) {
	list := make([]*Change, len(files))
	faults := make([]error, len(files))
	err := eachFile(ctx, files, progress, func(i int, f File) {
		data, err := load(f)
		if err == nil {
			list[i], err = a.Redact(f.Path, data)
		}
		if err == nil && write && list[i].Data != nil {
			err = replaceFile(f.Path, data, list[i].Data)
		}
		faults[i] = err
	})
	if err != nil {
		return nil, err
	}
	out := &Changes{}
	for i, err := range faults {
		switch {
		case err == nil:
			out.List = append(out.List, list[i])
		case errors.Is(err, errOther), other(files[i], err):
			out.Skipped++
		default:
			out.Errors = append(out.Errors, err)
		}
	}
	return out, nil
}

// replaceFile writes a file whole: whoever opens it gets the bytes before or those
// after. Its permissions stay. before is what the new bytes were made from.
func replaceFile(file string, before, after []byte) error {
	target, err := filepath.EvalSymlinks(file) // a link stays one
	if err != nil {
		return unreadable(file, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return unreadable(file, err)
	}
	now, err := os.ReadFile(target)
	if err != nil {
		return unreadable(file, err)
	}
	if !bytes.Equal(now, before) {
		return &foreign.Error{File: file, Fault: "the file was changed while it was read", Cure: "run the command again"}
	}
	if err := replaceAtomically(target, after, info.Mode().Perm()); err != nil {
		return unwritable(file, err)
	}
	return nil
}

func unwritable(file string, err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return &foreign.Error{File: file, Fault: fmt.Sprintf("it cannot be written: %v", err), Cure: "check the folder's permissions and the disk's space"}
}
