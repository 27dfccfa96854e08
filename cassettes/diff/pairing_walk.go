package diff

import (
	"slices"

	"tapedeck/matchers"
)

// A pairer finds the pairs of two recordings.
type pairer struct {
	old, fresh *recording
	names      *renaming
	to         []int  // by new position, -1 while there is none
	near       []bool // the request is another
	used       []bool // by old position
	lessons    []lesson
	oldLabels  []labels
	newLabels  []labels
	readings   []lastReading
	queues     map[queueKey][]int
	bySaid     map[uint64][]int // the old interactions by what their requests say
	ids        bool             // the ids of interactions say something
	// quick says that only pairs are wanted, and not where values were replaced.
	quick bool
}

// A lastReading spares reading a request again while nothing new is known.
type lastReading struct {
	version int
	key     [2]matchers.Key // with numbers translated, and without
}

// A queueKey finds the old interactions of one key and label, in their order.
type queueKey struct {
	key   matchers.Key
	level int
	label uint64
}

func newPairer(old, fresh *recording) *pairer {
	p := &pairer{
		old: old, fresh: fresh, names: newRenaming(),
		to: make([]int, len(fresh.list)), near: make([]bool, len(fresh.list)), used: make([]bool, len(old.list)),
		lessons: make([]lesson, len(fresh.list)), readings: make([]lastReading, len(fresh.list)),
		queues: map[queueKey][]int{}, bySaid: map[uint64][]int{},
	}
	inOld, inNew := make([]bool, len(old.given)), make([]bool, len(fresh.given))
	for name, id := range old.ids {
		if other, ok := fresh.ids[name]; ok {
			inOld[id], inNew[other] = true, true
		}
	}
	p.oldLabels, p.newLabels = old.labels(inOld), fresh.labels(inNew)
	for i := range p.to {
		p.to[i], p.readings[i].version = -1, -1
	}
	for j := range old.traces {
		p.bySaid[old.traces[j].sent] = append(p.bySaid[old.traces[j].sent], j)
		for level := range levels {
			k := queueKey{old.traces[j].Key, level, p.oldLabels[j][level]}
			p.queues[k] = append(p.queues[k], j)
		}
	}
	return p
}

// seed pairs what has the same id and the same key.
func (p *pairer) seed() {
	p.ids, p.quick = true, true
	for i, in := range p.fresh.list {
		j, ok := p.old.byID[in.ID]
		if ok && !p.used[j] && p.old.traces[j].Key == p.fresh.traces[i].Key {
			p.join(i, j, false)
		}
	}
}

// walk pairs all that it can. Each round goes through the new recording in its order,
// and asks for less than the one before: that what follows uses both alike and the
// answers agree, that the requests are used alike, that the key is the same, that
// the requests differ in invented values alone, and at last that they are near.
func (p *pairer) walk() {
	for level := range levels {
		p.round(func(i int) int { return p.byKey(i, level) })
	}
	p.round(func(i int) int {
		if j := p.byKey(i, levels-1); j >= 0 {
			return j
		}
		return p.bySent(i)
	})
	p.nearest()
}

func (p *pairer) round(find func(i int) int) {
	for i := range p.to {
		if p.to[i] < 0 {
			if j := find(i); j >= 0 {
				p.join(i, j, false)
			}
		}
	}
}

// join makes a pair and learns from it.
func (p *pairer) join(i, j int, near bool) {
	p.to[i], p.near[i], p.used[j] = j, near, true
	if p.quick && p.learnQuickly(&p.old.traces[j], &p.fresh.traces[i]) {
		return
	}
	l := &p.lessons[i]
	l.names = p.names
	l.compare(p.old.list[j], p.fresh.list[i])
	l.names = nil
}

// learnQuickly learns from two interactions that name as many things at the same places, name
// by name. ok is false where that would contradict what is known: then they have to be read again.
func (p *pairer) learnQuickly(old, fresh *trace) (ok bool) {
	if old.sent != fresh.sent || len(old.uses) != len(fresh.uses) {
		return false
	}
	for n, u := range fresh.uses {
		was := old.uses[n]
		if was.at != u.at || was.name != u.name && !p.names.fits(was.name, u.name) {
			return false
		}
	}
	for n, u := range fresh.uses {
		if was := old.uses[n].name; was != u.name && !p.names.learn(was, u.name, u.listed) {
			return false
		}
	}
	return true
}

// byKey is the first old interaction with the key of new i that is like it on one of
// the levels up to most.
func (p *pairer) byKey(i, most int) int {
	keys := p.keys(i)
	for level := 0; level <= most; level++ {
		for n, key := range keys {
			if n > 0 && key == keys[0] {
				continue
			}
			k := queueKey{key, level, p.newLabels[i][level]}
			if level == levels-1 {
				if j := p.mostAlike(k, i); j >= 0 {
					return j
				}
			} else if j := p.first(k); j >= 0 {
				return j
			}
		}
	}
	return -1
}

// first is the first old interaction in a queue that has no pair yet.
func (p *pairer) first(k queueKey) int {
	queue := p.queues[k]
	for len(queue) > 0 && p.used[queue[0]] {
		queue = queue[1:]
	}
	if queue == nil {
		return -1
	}
	p.queues[k] = queue
	if len(queue) == 0 {
		return -1
	}
	return queue[0]
}

// maxAlike bounds how many answers are looked at to find the one that is most like.
const maxAlike = 16

// mostAlike is the one in a queue, among the first, whose answer shares most with that
// of new i.
func (p *pairer) mostAlike(k queueKey, i int) int {
	if p.first(k) < 0 {
		return -1
	}
	best, most := -1, -1
	seen := 0
	for _, j := range p.queues[k] {
		if p.used[j] {
			continue
		}
		if n := common(p.old.traces[j].samples, p.fresh.traces[i].samples); n > most {
			best, most = j, n
		}
		if seen++; seen == maxAlike {
			break
		}
	}
	return best
}

// keys are the keys under which the old recording may hold new interaction i.
func (p *pairer) keys(i int) [2]matchers.Key {
	t, last := &p.fresh.traces[i], &p.readings[i]
	if len(p.names.old)+len(p.names.times) == 0 {
		return [2]matchers.Key{t.Key, t.Key}
	}
	if last.version != p.names.version {
		request := p.fresh.list[i].Request()
		last.version = p.names.version
		last.key[0] = p.fresh.matcher.Read(request, p.names.translate(false)).Key
		last.key[1] = last.key[0]
		if slices.ContainsFunc(t.uses[:t.inSent], func(u use) bool { return u.name[:1] == numberName }) {
			last.key[1] = p.fresh.matcher.Read(request, p.names.translate(true)).Key
		}
	}
	return last.key
}

// bySent is the first old interaction whose request says the same as that of new i but for
// what both sides invent, where none of it is known to be something else.
func (p *pairer) bySent(i int) int {
	t := &p.fresh.traces[i]
	if t.inSent == 0 {
		return -1
	}
	seen := 0
	for _, j := range p.bySaid[t.sent] {
		if p.used[j] {
			continue
		}
		if p.consistent(i, j) {
			return j
		}
		if seen++; seen == maxAlike {
			break
		}
	}
	return -1
}

// consistent reports that the requests of a pair name no things that are known to be
// different ones.
func (p *pairer) consistent(i, j int) bool {
	a, b := &p.old.traces[j], &p.fresh.traces[i]
	was := make(map[uint64]string, a.inSent)
	for _, u := range a.uses[:a.inSent] {
		was[u.at] = u.name
	}
	for _, u := range b.uses[:b.inSent] {
		name, ok := was[u.at]
		if !ok || name == u.name {
			continue
		}
		if !p.names.fits(name, u.name) {
			return false
		}
		if _, known := p.names.old[u.name]; known {
			continue
		}
		// What an answer made that has no counterpart is new, and so is what is done with it.
		if by := p.fresh.given[u.id]; by >= 0 && by < i && p.to[by] < 0 {
			return false
		}
	}
	return true
}
