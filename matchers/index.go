package matchers

import (
	"slices"
	"sync"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// An Index finds recorded interactions by key in one map access. It is safe
// for concurrent use.
type Index struct {
	matcher  *Matcher
	fromFile int // the interactions before this position stand in the file

	mu      sync.RWMutex
	entries []entry
	byKey   map[Key]*sameKey
	routes  routes
	tuples  tuples
	// inFile holds the placeholders known to stand in the file: a live secret
	// of that identity is the recorded one, having come from an answer.
	inFile map[string]bool
	// envs holds the environment variables that recorded placeholders are named
	// after, users the names of users that stand beside them.
	envs, users map[string]bool
	// issued holds the placeholders that an answer has handed out before a request
	// sent them. It is made when it is first needed.
	issued  func() map[string]bool
	answers map[int]answerDigest // of the positions that were asked for
	handed  map[int]bool         // the positions whose answers Played has seen

	sequences  []Sequence
	sequenceOf []int // by position, -1 for unsafe interactions
	// superseding lists, by position of an unsafe interaction, those recorded
	// later at the same path.
	superseding [][]int
}

type entry struct {
	interaction clean.Interaction
	reading     Reading
	tuple       int
}

// sameKey is what was recorded under one key.
type sameKey struct {
	positions []int
	tuples    []int        // distinct, in recorded order
	firsts    []int        // the first position of each tuple
	seen      map[int]bool // the tuples, once there are many
}

// NewIndex reads every interaction's request, and every answer if the list holds
// both safe and unsafe interactions: from ids in them it sees what changes what.
func NewIndex(m *Matcher, list []clean.Interaction) *Index {
	ix := &Index{
		matcher: m,
		byKey:   map[Key]*sameKey{},
		routes:  newRoutes(),
		tuples:  tuples{ids: map[string]int{}},
		inFile:  map[string]bool{},
		envs:    map[string]bool{},
		users:   map[string]bool{},
		answers: map[int]answerDigest{},
		handed:  map[int]bool{},
	}
	for _, in := range list {
		r := ix.add(in)
		for _, s := range r.Secrets {
			ix.inFile[s.ID] = true
			if s.Env != "" {
				ix.envs[s.Env] = true
			}
			if s.User != "" {
				ix.users[s.User] = true
			}
		}
	}
	ix.fromFile = len(list)
	ix.issued = sync.OnceValue(func() map[string]bool { return issued(list) })
	ix.sequence()
	return ix
}

// Add appends one more; it becomes candidate number Len()-1.
func (ix *Index) Add(in clean.Interaction) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	// Its placeholders are those of this run: they are not marked as standing
	// in the file.
	ix.add(in)
}

func (ix *Index) add(in clean.Interaction) Reading {
	r := ix.matcher.Read(in.Request(), nil)
	at := len(ix.entries)
	tuple := ix.tuples.id(r.Secrets)
	ix.entries = append(ix.entries, entry{in, r, tuple})
	same := ix.byKey[r.Key]
	if same == nil {
		same = &sameKey{}
		ix.byKey[r.Key] = same
	}
	same.add(at, tuple)
	ix.routes.add(r, at)
	return r
}

// manyTuples is how many tuples are searched one by one.
const manyTuples = 16

func (s *sameKey) add(at, tuple int) {
	s.positions = append(s.positions, at)
	if s.seen[tuple] || s.seen == nil && slices.Contains(s.tuples, tuple) {
		return
	}
	s.tuples, s.firsts = append(s.tuples, tuple), append(s.firsts, at)
	if s.seen == nil && len(s.tuples) > manyTuples {
		s.seen = make(map[int]bool)
		for _, t := range s.tuples {
			s.seen[t] = true
		}
	}
	if s.seen != nil {
		s.seen[tuple] = true
	}
}

// Callers returns, for each list of secrets that was recorded with this key, the
// first position at which it was: as candidates they stand for all with this key.
// The caller must not change them.
func (ix *Index) Callers(k Key) []int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if same := ix.byKey[k]; same != nil {
		return same.firsts[:len(same.firsts):len(same.firsts)]
	}
	return nil
}

// SameSecrets reports whether the requests at two positions hold the same secrets.
func (ix *Index) SameSecrets(a, b int) bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.entries[a].tuple == ix.entries[b].tuple
}

// Lookup returns the positions of the interactions with this key, in cassette order.
// The caller must not change them.
func (ix *Index) Lookup(k Key) []int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if same := ix.byKey[k]; same != nil {
		return same.positions[:len(same.positions):len(same.positions)]
	}
	return nil
}

// At returns the interaction and the reading at a position.
func (ix *Index) At(i int) (clean.Interaction, Reading) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.entries[i].interaction, ix.entries[i].reading
}

// Len is the number of interactions.
func (ix *Index) Len() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return len(ix.entries)
}

// Played tells the index that the answer at a position is handed to a client.
// The placeholders in it are from then on known to be recorded ones: a
// client that sends one back means that very secret, and no other recorded
// secret is taken for it. Call it before the answer is written. The error is
// that of clean.Interaction.Response.
func (ix *Index) Played(i int) error {
	ix.mu.RLock()
	in, seen := ix.entries[i].interaction, ix.handed[i]
	ix.mu.RUnlock()
	if seen || i >= ix.fromFile {
		return nil // what was recorded in this run holds live secrets
	}
	resp, err := in.Response()
	if err != nil {
		return err
	}
	found := redact.Placeholders(string(resp.Body()))
	if l := resp.Large(); l != nil {
		ids, err := l.IDs()
		if err != nil {
			return err
		}
		for _, id := range ids {
			found = append(found, redact.Placeholder{ID: id})
		}
	}
	for _, h := range []map[string][]string{resp.Header(), resp.Trailer()} {
		for _, values := range h {
			for _, v := range values {
				found = append(found, redact.Placeholders(v)...)
			}
		}
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.handed[i] = true
	for _, ph := range found {
		ix.inFile[ph.ID] = true
	}
	return nil
}

// tuples gives equal lists of secrets one number, so that candidates of one
// user are compared once.
type tuples struct {
	ids  map[string]int
	list [][]Secret
}

func (t *tuples) id(secrets []Secret) int {
	var b []byte
	for _, s := range secrets {
		b = appendText(appendText(appendText(b, string(s.Place)), s.ID), s.Env)
	}
	id, ok := t.ids[string(b)]
	if !ok {
		id = len(t.list)
		t.ids[string(b)] = id
		t.list = append(t.list, secrets)
	}
	return id
}

// fact returns the value of the first fact of a name.
func (r Reading) fact(name leaves.Place) string {
	for _, f := range r.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
