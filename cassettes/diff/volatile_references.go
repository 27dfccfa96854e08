package diff

import (
	"strings"
	"sync"

	"tapedeck/cassettes/clean"
)

const anotherThing = "another one of the things that are there"

// references decides about generated ids that name known things: where an answer names
// another one of the things that both recordings know, such as the other of two cards,
// it says something else, however random the ids look. So it does where what was one
// thing is two by now.
func (c *comparison) references() {
	olds, news := map[string]bool{}, map[string]bool{}
	var list []reference
	for i := range c.ids {
		for n, found := range c.ids[i] {
			ch := &c.changes[i][n]
			if len(found) == 0 || ch.Grade != Volatile || ch.Kind != Other || ch.Part == Meta || namingOf(ch.Place) > idName {
				continue
			}
			for _, s := range found {
				olds[s.old], news[s.new] = true, true
				list = append(list, reference{ch, s})
			}
		}
	}
	if len(list) == 0 {
		return
	}
	stays, was := present(c.fresh, olds, c.replaced), present(c.old, news, nil)
	for _, r := range list {
		known, isKnown := c.names.old[r.swap.new]
		now, isNamed := c.names.new[r.swap.old]
		if stays[r.swap.old] || was[r.swap.new] || isKnown && !known.weak && known.name != r.swap.old ||
			isNamed && !c.names.old[now].weak && now != r.swap.new {
			r.change.Grade, r.change.Why = Changed, anotherThing
		}
	}
}

// resent takes for generated what an answer gave, and what had to be sent as another value
// in later requests, although by chance it looks like a word.
func (c *comparison) resent() {
	if len(c.replaced) == 0 {
		return
	}
	for i := range c.changes {
		for n := range c.changes[i] {
			ch := &c.changes[i][n]
			if ch.Grade != Changed || ch.Kind != Other || ch.Part != Response || ch.Old == nil || ch.New == nil {
				continue
			}
			if old, fresh := ch.Old.Text, ch.New.Text; c.replaced[old] && samePrefix(old, fresh) {
				ch.Grade, ch.Why = Volatile, pieceWords[aName]
				if c.ids[i] == nil {
					c.ids[i] = make([][]swap, len(c.changes[i]))
				}
				c.ids[i][n] = []swap{{old, fresh, aName}}
			}
		}
	}
}

// samePrefix reports two words that begin alike, as pi_RkQVLQgj does and pi_RkQWMnXa.
func samePrefix(a, b string) bool {
	i, j := strings.LastIndexAny(a, "_-")+1, strings.LastIndexAny(b, "_-")+1
	const shortest = 8
	return i > 0 && i == j && a[:i] == b[:j] && min(len(a), len(b))-i >= shortest && !strings.ContainsAny(b, " \t\r\n")
}

// A reference is a generated id in a change.
type reference struct {
	change *Change
	swap   swap
}

// present says which of some names stand anywhere in a recording, without what of its
// requests was replaced.
func present(list []clean.Interaction, names, replaced map[string]bool) map[string]bool {
	var mu sync.Mutex
	out := map[string]bool{}
	likely := newHint(len(names))
	for name := range names {
		likely.add(name)
	}
	_ = inParallel(len(list), func(i int) error {
		var found []string
		eachNameOf(list[i], replaced, func(name string) {
			if likely.has(name) && names[name] {
				found = append(found, name)
			}
		})
		mu.Lock()
		defer mu.Unlock()
		for _, name := range found {
			out[name] = true
		}
		return nil
	})
	return out
}

// eachNameOf calls f for whatever may be a generated name in an interaction.
func eachNameOf(in clean.Interaction, replaced map[string]bool, f func(name string)) {
	r := in.Request()
	eachName(asSent(r.RawURL(), replaced), f)
	eachName(asSent(string(r.Body()), replaced), f)
	resp, err := in.Response()
	if err != nil {
		return // settle has said so
	}
	eachName(string(resp.Body()), f)
	for _, values := range resp.Header() {
		for _, v := range values {
			eachName(v, f)
		}
	}
}

// asSent is a text of a request without the words that were replaced.
func asSent(text string, replaced map[string]bool) string {
	if len(replaced) == 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && tokenByte(text[end]) {
			end++
		}
		if !replaced[text[i:end]] {
			b.WriteString(text[i:end])
		}
		if i = end; i < len(text) {
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}

// A hint says quickly of most texts that they are not in a set: a Bloom filter of two bits
// for each text, and sixteen times as much room.
type hint []uint64

func newHint(n int) hint {
	words := 1
	for words*64 < 16*n {
		words *= 2
	}
	return make(hint, words)
}

func (h hint) bits(s string) (at1, at2, bit1, bit2 uint64) {
	sum, mask := hashOf(s), uint64(len(h)-1)
	return sum >> 6 & mask, sum >> 38 & mask, 1 << (sum & 63), 1 << (sum >> 32 & 63)
}

func (h hint) add(s string) {
	at1, at2, bit1, bit2 := h.bits(s)
	h[at1] |= bit1
	h[at2] |= bit2
}

func (h hint) has(s string) bool {
	at1, at2, bit1, bit2 := h.bits(s)
	return h[at1]&bit1 != 0 && h[at2]&bit2 != 0
}
