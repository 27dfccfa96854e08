// Package merge joins two branches' versions of a cassette: by interaction, against the
// version that both began with.
//
// Interactions are paired by id and key. What one side has changed, added or removed is
// taken; ids and placeholder numbers that both sides have given to different things
// are renumbered on theirs; generated ids, times and tokens that differ because both
// recorded again are not taken for a change. What both have changed differently
// stands in the outcome in both versions, for a person to settle.
//
//	r, err := merge.Merge(base, ours, theirs, matcher)
//	file, err := r.Document.Encode()
//	for _, c := range r.Conflicts {
//		fmt.Println(c.ID, c.Route, c.Why)
//	}
package merge

import (
	"fmt"
	"strings"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// A Result is a merged cassette.
type Result struct {
	// Document can always be written and read again. It has the name of ours.
	Document *cassettes.Document
	// Conflicts are what could not be merged, in the order of the file.
	Conflicts []Conflict
}

// A Conflict is an interaction that stands in the outcome in two versions, or in one
// that the other side has removed.
type Conflict struct {
	ID int
	// Route is what such requests have in common: "POST api.stripe.com/v1/customers/{id}".
	Route string
	Why   string
}

// The reasons of conflicts.
const (
	bothChanged   = "changed on both sides"
	bothAdded     = "added on both sides, with different answers"
	oursRemoved   = "removed by us, changed by them"
	theirsRemoved = "changed by us, removed by them"
)

// Merge merges ours and theirs, which have come out of base. base may be nil: then both
// sides have added the cassette. It may hold conflicts of its own, as the base has that
// git makes of two; ours and theirs must not: the error is a *cassettes.ConflictError.
// Other errors say which interaction cannot be read. The documents are not changed.
func Merge(base, ours, theirs *cassettes.Document, m *matchers.Matcher) (Result, error) {
	for _, d := range []*cassettes.Document{ours, theirs} {
		if ids := d.Conflicts(); ids != nil {
			return Result{}, &cassettes.ConflictError{Object: d.Name, IDs: ids}
		}
	}
	g := &merger{matcher: m, doc: ours}
	if base != nil {
		g.common = *base
	}
	var err error
	for _, side := range []struct {
		to  *[]version
		doc *cassettes.Document
	}{{&g.base, base}, {&g.ours, ours}, {&g.theirs, theirs}} {
		if *side.to, err = read(side.doc, m); err != nil {
			return Result{}, err
		}
	}
	for _, step := range []func() error{g.pair, g.renumber, g.learn, g.settle} {
		if err := step(); err != nil {
			return Result{}, err
		}
	}
	return g.result(theirs), nil
}

// A merger holds what is known while three cassettes are merged.
type merger struct {
	matcher *matchers.Matcher
	doc     *cassettes.Document
	common  cassettes.Document // the base, empty when there is none

	base, ours, theirs []version
	units              []*unit
	words              vocabulary
	sent               map[string]bool // the numbers in requests, nil before anyone asks
}

// A version is an interaction as one of the three files has it.
type version struct {
	in    clean.Interaction
	kept  cassettes.Kept
	key   matchers.Key
	route string
	safe  bool
	// unsettled marks one of the base that is itself in conflict: nothing is like it.
	unsettled bool
}

// read lists what a document holds; an interaction in two versions comes once.
func read(d *cassettes.Document, m *matchers.Matcher) ([]version, error) {
	if d == nil {
		return nil, nil
	}
	if err := d.Load(); err != nil {
		return nil, err
	}
	list := make([]version, 0, len(d.List))
	seen := make(map[int]bool)
	for _, in := range d.List {
		if in.Conflict != "" {
			if seen[in.ID] {
				continue
			}
			seen[in.ID] = true
		}
		reading := m.Read(in.Request(), nil)
		list = append(list, version{in: in, kept: d.Kept(in), key: reading.Key, route: reading.Route(nil), safe: reading.Safe, unsettled: in.Conflict != ""})
	}
	return list, nil
}

// same reports whether two versions say the same, the day of recording apart.
func (v version) same(w version) bool {
	return !v.unsettled && !w.unsettled && v.kept == w.kept && v.in.Cut == w.in.Cut && v.in.Pinned == w.in.Pinned &&
		v.in.Retry == w.in.Retry && v.in.Same(w.in)
}

// A unit is one interaction in up to three versions; each is a position in its file, or
// -1 where that does not have it.
type unit struct {
	base, ours, theirs int
	outcome
}

// An outcome is what becomes of a unit. list is empty for one that is removed.
type outcome struct {
	list []version // two for a conflict, ours first
	why  string    // of a conflict
	id   int
}

// result writes the outcome as a document.
func (g *merger) result(theirs *cassettes.Document) Result {
	units := g.order()
	g.number(units)
	var list []clean.Interaction
	var r Result
	kept := make(map[int]cassettes.Kept)
	for _, u := range units {
		for _, v := range u.list {
			v.in.ID = u.id
			if v.kept != (cassettes.Kept{}) {
				kept[len(list)] = v.kept
			}
			list = append(list, v.in)
		}
		if u.why != "" {
			r.Conflicts = append(r.Conflicts, Conflict{ID: u.id, Route: u.list[0].route, Why: u.why})
		}
	}
	r.Document = g.doc.With(list)
	for i, in := range list {
		r.Document.Keep(in, kept[i])
	}
	r.Document.Unfinished = three(g.common.Unfinished, g.doc.Unfinished, theirs.Unfinished)
	r.Document.Extra = mergeKeys(g.common.Extra, g.doc.Extra, theirs.Extra)
	r.Document.Notes = nil
	return r
}

// three is the one of the two that is not what it was; when both are other, ours, unless
// it is empty.
func three(base, ours, theirs string) string {
	if ours == base || ours == "" && theirs != base {
		return theirs
	}
	return ours
}

// mergeKeys merges lines of "key: value".
func mergeKeys(base, ours, theirs []string) []string {
	values := func(lines []string) (keys []string, of map[string]string) {
		of = make(map[string]string, len(lines))
		for _, line := range lines {
			key, _, _ := strings.Cut(line, ": ")
			keys, of[key] = append(keys, key), line
		}
		return keys, of
	}
	_, was := values(base)
	order, a := values(ours)
	added, b := values(theirs)
	var out []string
	for _, key := range order {
		line := a[key]
		if line == was[key] {
			line = b[key]
		}
		if line != "" {
			out = append(out, line)
		}
	}
	for _, key := range added {
		if a[key] == "" && b[key] != was[key] {
			out = append(out, b[key])
		}
	}
	return out
}

func interactionError(in clean.Interaction, err error) error {
	return fmt.Errorf("interaction %d: %w", in.ID, err)
}
