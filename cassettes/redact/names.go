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

// namedRules are the rules for one name.
type namedRules struct {
	name  string
	rules []*rule
}

var nameSeed = maphash.MakeSeed()

// of returns what r.candidates does.
func (c *nameCache) of(r *Rules, name string) []*rule {
	if len(name) > maxRuleName {
		return nil
	}
	slot := &c[maphash.String(nameSeed, name)%uint64(len(c))]
	if there := slot.Load(); there != nil && there.name == name {
		return there.rules
	}
	found := r.candidates(name)
	slot.Store(&namedRules{strings.Clone(name), found})
	return found
}

// mayName reports whether a rule may be in force for a value because of its name.
func (r *Rules) mayName(name string) bool {
	return len(r.conditional)+len(r.conditionalEnd) > 0 || len(r.names.of(r, name)) > 0
}
