package cassettes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
)

// Ours and Theirs are the two sides of a merge, as git calls them: clean.Meta.Conflict
// of the two versions of an interaction that both branches have changed. The versions
// have the same id and stand one behind the other, ours first; where one side has
// removed the interaction, the other's version stands alone.
const (
	Ours   = "ours"
	Theirs = "theirs"
)

// A version tells the interactions of one file apart.
type version struct {
	id       int
	conflict string
}

func versionOf(m clean.Meta) version { return version{m.ID, m.Conflict} }

// isTaken reports whether v cannot stand beside what is there: only the two versions of
// an interaction have the same id.
func (v version) isTaken(there map[version]bool) bool {
	if v.conflict == "" {
		return there[v] || there[version{v.id, Ours}] || there[version{v.id, Theirs}]
	}
	return there[v] || there[version{v.id, ""}]
}

// A ConflictError says that a merge has left interactions in two versions.
type ConflictError struct {
	Object string
	IDs    []int // in the order of the file, each once
}

func (e *ConflictError) Error() string {
	list := make([]string, 0, len(e.IDs))
	for _, id := range e.IDs {
		if len(list) == mostNamed {
			list = append(list, fmt.Sprintf("%d more", len(e.IDs)-mostNamed))
			break
		}
		list = append(list, strconv.Itoa(id))
	}
	what := "interactions " + strings.Join(list, ", ")
	if len(e.IDs) == 1 {
		what = "interaction " + list[0]
	}
	return fmt.Sprintf("cassette %s: %s changed on both sides of a merge, and both versions stand in the file; settle that with \"tapedeck git resolve\"", e.Object, what)
}

// mostNamed is how many ids an error names.
const mostNamed = 20

// refuseConflicts is a *ConflictError when an interaction stands there in two versions.
func refuseConflicts(object string, list []entry) error {
	var ids []int
	for _, e := range list {
		if e.Conflict != "" && !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	if ids == nil {
		return nil
	}
	return &ConflictError{Object: object, IDs: ids}
}

// appendConflict writes the line that tells a reader whose version follows.
func appendConflict(b []byte, side string) []byte {
	switch side {
	case Ours:
		return append(b, "# CONFLICT: our version; settle it with \"tapedeck git resolve\"\n"...)
	case Theirs:
		return append(b, "# CONFLICT: their version; settle it with \"tapedeck git resolve\"\n"...)
	}
	return b
}
