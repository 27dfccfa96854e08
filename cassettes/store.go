package cassettes

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// A Store keeps objects: a folder now, an object store later. Objects are named
// by slash paths; those in a folder called ".tapedeck" are private to the user
// who records and never shared. Methods may be called at the same time.
//
// Every error names the object. An absent object is fs.ErrNotExist.
type Store interface {
	// Open opens an object for reading. What it returns may be an io.ReaderAt too,
	// which spares reading a long journal whole to write it anew.
	Open(object string) (io.ReadCloser, error)
	// Replace writes an object whole. Whoever opens it, then or after a crash or a
	// power failure, gets the bytes before or those after, and once Replace has
	// returned those after.
	Replace(object string, data []byte) error
	// Create begins an object of a folder whose name is known when it is whole.
	Create(folder string) (Draft, error)
	// Append opens an object to be extended, and creates it if it is absent.
	Append(object string) (Log, error)
	// Move renames an object, replacing what has the other name.
	Move(from, to string) error
	// Remove removes an object; an absent one is no error.
	Remove(object string) error
	// List returns the objects directly in a folder, sorted; an absent folder is empty.
	List(folder string) ([]string, error)
	// Lock takes the only lock called object, or returns a *LockedError at once.
	// The lock ends with unlock or with the process.
	Lock(object string) (unlock func() error, err error)
}

// A Log is an object that is only extended.
type Log interface {
	// Write appends p. When it returns, a killed process no longer loses p; after
	// an error some of p may stand there.
	io.Writer
	// Truncate cuts the object to size bytes.
	Truncate(size int64) error
	// Sync returns when what was written survives a power failure.
	Sync() error
	io.Closer
}

// A Draft is an object that has no name yet. What a killed process leaves of one stands
// in the folder under a name that begins with "partial-".
type Draft interface {
	io.Writer
	// Sync puts on the disk what has been written, so that Commit takes less time.
	Sync() error
	// Commit gives the object its name, which replaces what has it. Whoever opens it
	// then, also after a crash or a power failure, gets the whole object. After an
	// error the name may have the one or the other.
	Commit(object string) error
	// Discard removes what has been written. After Commit it does nothing.
	Discard() error
}

// draftPrefix is how the names of drafts begin.
const draftPrefix = "partial-"

// A LockedError says who holds a lock.
type LockedError struct {
	Object string
	Holder string // "tapedeck record (pid 812, since 2026-11-21T10:15:00Z)", or "" if it is not known
}

func (e *LockedError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("cassette %s is being recorded by %s; wait until it ends, stop it, or record to another cassette", e.Object, holder)
}

const (
	private   = ".tapedeck" // the folder of what is never shared
	extension = ".yaml"
)

// checkName reports whether a cassette may have this name on every system.
func checkName(name string) error {
	bad := func(why string) error {
		return fmt.Errorf("cassette name %q %s; use letters, digits, \"-\", \"_\" and \"/\" between folders", name, why)
	}
	if !fs.ValidPath(name) || name == "." {
		return bad("is not a path below the cassette folder")
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case strings.HasPrefix(element, "."):
			return bad("has a part that begins with a dot")
		case strings.ContainsAny(element, `<>:"|?*\`) || strings.ContainsFunc(element, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return bad("has a character that not every system takes in a file name")
		case strings.HasSuffix(element, ".") || strings.HasSuffix(element, " "):
			return bad("has a part that ends with a dot or a space")
		case reserved[strings.ToUpper(strings.SplitN(element, ".", 2)[0])]:
			return bad("is one that Windows reserves")
		}
	}
	return nil
}

// reserved are Windows' device names, with any extension.
var reserved = map[string]bool{
	"CON": true, "PRN": true, "AUX": true, "NUL": true,
	"COM1": true, "COM2": true, "COM3": true, "COM4": true, "COM5": true, "COM6": true, "COM7": true, "COM8": true, "COM9": true,
	"LPT1": true, "LPT2": true, "LPT3": true, "LPT4": true, "LPT5": true, "LPT6": true, "LPT7": true, "LPT8": true, "LPT9": true,
}

// The objects of one cassette. The private ones stand in a folder beside it:
//
//	checkout/EUR.yaml                   the cassette
//	checkout/EUR.bodies/sha256-…        bodies too large for it
//	checkout/.tapedeck/EUR.journal      what was recorded and not saved yet
//	checkout/.tapedeck/EUR.replacement  the same, of a recording that replaces the cassette
//	checkout/.tapedeck/EUR.previous     a replacement that another one displaced
//	checkout/.tapedeck/EUR.damaged-…    a copy of a journal that could not be read to its end
//	checkout/.tapedeck/EUR.pending/…    large bodies that a journal names
//	checkout/.tapedeck/EUR.lock
func fileOf(name string) string   { return name + extension }
func bodiesOf(name string) string { return name + ".bodies" }
func privateOf(name, suffix string) string {
	return path.Join(path.Dir(name), private, path.Base(name)+suffix)
}

const (
	journalSuffix     = ".journal"
	replacementSuffix = ".replacement"
	previousSuffix    = ".previous"
	damagedSuffix     = ".damaged-"
	pendingSuffix     = ".pending"
	lockSuffix        = ".lock"
)
