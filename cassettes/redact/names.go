package redact

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// A nameCache remembers which rules there are for a name. An API has a few hundred
// names and sends them again and again; most have none. It is safe for concurrent
// use, and a name that nobody asks for gives way to one that somebody does.
type nameCache [1 << 10]atomic.Pointer[namedRules]

// namedRules are the rules for one name: those of the name alone, and those that look
// at what stands around the value too.
type namedRules struct {
	name        string
	rules       []*rule
	conditional []*rule
}

var noRules namedRules

var nameSeed = maphash.MakeSeed()

// of returns the rules for values under name wherever they stand, in the order in which
// they count.
func (c *nameCache) of(r *Rules, name string) *namedRules {
	if len(name) > maxRuleName {
		return &noRules
	}
	slot := &c[maphash.String(nameSeed, name)%uint64(len(c))]
	if there := slot.Load(); there != nil && there.name == name {
		return there
	}
	found := &namedRules{strings.Clone(name), r.candidates(name), r.conditionalCandidates(name)}
	slot.Store(found)
	return found
}

// mayName reports whether a rule may be in force for a value because of its name.
func (r *Rules) mayName(name string) bool {
	found := r.names.of(r, name)
	return len(found.rules)+len(found.conditional) > 0
}
