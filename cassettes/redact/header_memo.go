package redact

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// A headerMemo remembers what became of header values: a client sends the same ones
// with every request. What a value becomes depends on the rules, on what is learned,
// and on what the key holds; an entry counts only while nothing more is learned. It is
// safe for concurrent use.
type headerMemo [1 << 9]headerSlot

type headerSlot struct {
	outcome atomic.Pointer[headerOutcome]
	// seen tells of the last value that came by: one that comes but once is not worth
	// to be remembered.
	seen atomic.Uint64
}

type headerKey struct {
	dir         Direction
	oauth       bool
	name, value string
}

// A headerOutcome is what Header makes of a value when so many values are learned.
type headerOutcome struct {
	headerKey
	clean   string
	learned int
}

// maxRemembered is the longest header value that is remembered, in bytes.
const maxRemembered = 512

// memo returns the headers that a pass may go by, or nil. Where rules look at the
// method, host or path, there is more to an outcome than a key holds.
func (p *pass) memo() *headerMemo {
	if p.v.thorough || p.v.rules.scoped {
		return nil
	}
	return &p.v.headers
}

func (m *headerMemo) slot(key *headerKey) (slot *headerSlot, hash uint64) {
	hash = maphash.String(nameSeed, key.value) + 3*maphash.String(nameSeed, key.name) + uint64(key.dir)
	return &m[hash%uint64(len(m))], hash
}

// outcome returns what a value becomes, if that is known.
func (m *headerMemo) outcome(key headerKey, learned int) (clean string, ok bool) {
	if m == nil || len(key.value) > maxRemembered {
		return "", false
	}
	slot, _ := m.slot(&key)
	there := slot.outcome.Load()
	if there == nil || there.learned != learned || there.headerKey != key {
		return "", false
	}
	return there.clean, true
}

// remember takes note of an outcome that was not known, the second time.
func (m *headerMemo) remember(key headerKey, clean string, learned int) {
	if m == nil || len(key.value) > maxRemembered {
		return
	}
	slot, hash := m.slot(&key)
	if hash += uint64(learned) * 0x9E3779B97F4A7C15; slot.seen.Swap(hash) != hash {
		return
	}
	key.name, key.value = strings.Clone(key.name), strings.Clone(key.value)
	if clean == key.value {
		clean = key.value
	}
	slot.outcome.Store(&headerOutcome{key, clean, learned})
}
