package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// Compare says what changed between the two sides of each pair. It holds both sides in
// memory, and the changes. The error says which interaction of which cassette cannot be
// read.
func Compare(pairs []Pair, o Options) (Diff, error) {
	d := Diff{Version: 1, Files: []File{}, Groups: []Group{}, Rules: o.Rules}
	for _, p := range pairs {
		f, err := compareCassettes(p, o.Matcher)
		if err != nil {
			return Diff{}, err
		}
		if !f.differs() {
			d.Same++
			continue
		}
		d.Files = append(d.Files, f)
	}
	slices.SortStableFunc(d.Files, func(a, b File) int {
		return cmp.Or(strings.Compare(cmp.Or(a.New, a.Old), cmp.Or(b.New, b.Old)), strings.Compare(a.Old, b.Old))
	})
	d.NewHosts = slices.DeleteFunc(newHosts(pairs), func(h NewHost) bool { return o.Known != nil && o.Known(h.Host) })
	d.group()
	return d, nil
}

// differs reports whether there is anything to say of a file.
func (f *File) differs() bool {
	return (f.Old == "") != (f.New == "") || len(f.Changes)+len(f.Interactions)+len(f.Order) > 0
}

func compareCassettes(p Pair, m *matchers.Matcher) (File, error) {
	var f File
	old, fresh := p.Old, p.New
	if old != nil {
		f.Old = old.Name
	} else {
		old = &Cassette{}
	}
	if fresh != nil {
		f.New = fresh.Name
	} else {
		fresh = &Cassette{}
	}
	c := &comparison{old: old.List, fresh: fresh.List, replaced: fresh.Replaced, matcher: m, names: newRenaming()}
	if err := c.compare(&f); err != nil {
		return f, fmt.Errorf("cassette %s: %w", cmp.Or(f.New, f.Old), err)
	}
	if old.Unfinished != fresh.Unfinished && p.Old != nil && p.New != nil {
		f.Changes = append(f.Changes, unfinished(old.Unfinished, fresh.Unfinished))
	}
	f.count()
	return f, nil
}

// unfinished is the change of what a file says of its recording as a whole.
func unfinished(old, fresh string) Change {
	c := Change{Part: Meta, Place: "unfinished", Kind: Other, Grade: Changed}
	if old == "" {
		c.Kind = Added
	} else {
		c.Old = textValue(old)
	}
	if fresh == "" {
		c.Kind = Removed
	} else {
		c.New = textValue(fresh)
	}
	return c
}

// A comparison is of two cassettes.
type comparison struct {
	old, fresh []clean.Interaction
	replaced   map[string]bool // as Cassette says, of the new one
	matcher    *matchers.Matcher
	to         []int // by new position, -1 for what is new
	from       []int // by old position
	same       []bool
	routes     []string       // by new position; those of what is the same are not made
	gone       map[int]string // the routes of what is gone, by old position
	changes    [][]Change
	ids        [][][]swap // the generated ids that differ, by interaction and change; until references
	names      *renaming
}

func (c *comparison) compare(f *File) error {
	c.to, c.from = minusOnes(len(c.fresh)), minusOnes(len(c.old))
	c.same, c.changes, c.ids = make([]bool, len(c.fresh)), make([][]Change, len(c.fresh)), make([][][]swap, len(c.fresh))
	if err := c.settle(); err != nil {
		return err
	}
	if err := c.pair(); err != nil {
		return err
	}
	err := inParallel(len(c.fresh), func(i int) (err error) {
		if c.to[i] < 0 || c.same[i] {
			return nil
		}
		if c.changes[i], err = compare(c.old[c.to[i]], c.fresh[i]); err != nil {
			return interactionError(c.fresh[i], err)
		}
		c.ids[i] = grade(c.changes[i])
		return nil
	})
	if err != nil {
		return err
	}
	c.throughout()
	c.resent()
	c.references()
	c.ids = nil
	c.secrets()
	c.brought()
	return c.report(f)
}

func minusOnes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = -1
	}
	return list
}

func (c *comparison) join(i, j int) { c.to[i], c.from[j] = j, i }

// settle pairs what is the same under the same id. That is most of it, mostly.
func (c *comparison) settle() error {
	byID := make(map[int]int, len(c.old))
	for j, in := range c.old {
		byID[in.ID] = j
	}
	err := inParallel(len(c.old), func(j int) error { _, err := c.old[j].Response(); return wrapped(c.old[j], err) })
	if err != nil {
		return err
	}
	err = inParallel(len(c.fresh), func(i int) error {
		in := c.fresh[i]
		if _, err := in.Response(); err != nil {
			return interactionError(in, err)
		}
		if j, ok := byID[in.ID]; ok {
			c.same[i] = isSame(in, c.old[j])
		}
		return nil
	})
	for i := range c.fresh {
		if c.same[i] {
			c.join(i, byID[c.fresh[i].ID])
		}
	}
	return err
}

// isSame reports two interactions that are the same, but for their ids.
func isSame(a, b clean.Interaction) bool {
	return a.Recorded == b.Recorded && a.Cut == b.Cut && a.Pinned == b.Pinned && a.Retry == b.Retry && a.Same(b)
}

func wrapped(in clean.Interaction, err error) error {
	if err == nil {
		return nil
	}
	return interactionError(in, err)
}

// pair pairs the rest: by id and key, by key, by what is near.
func (c *comparison) pair() error {
	left := func(list []clean.Interaction, to []int) (out []clean.Interaction, at []int) {
		for i, in := range list {
			if to[i] < 0 {
				out, at = append(out, in), append(at, i)
			}
		}
		return out, at
	}
	old, oldAt := left(c.old, c.from)
	fresh, freshAt := left(c.fresh, c.to)
	c.routes = make([]string, len(c.fresh))
	if len(old) == 0 && len(fresh) == 0 {
		return nil
	}
	a, err := readRecording(old, c.matcher)
	if err != nil {
		return err
	}
	b, err := readRecording(fresh, c.matcher)
	if err != nil {
		return err
	}
	p := newPairer(a, b)
	c.names = p.names
	p.seed()
	p.walk()
	for i, j := range p.to {
		c.routes[freshAt[i]] = b.traces[i].route
		if j >= 0 {
			c.join(freshAt[i], oldAt[j])
			c.same[freshAt[i]] = isSame(fresh[i], old[j])
		}
	}
	c.gone = make(map[int]string)
	for j, at := range oldAt {
		if c.from[at] < 0 {
			c.gone[at] = a.traces[j].route
		}
	}
	return nil
}
