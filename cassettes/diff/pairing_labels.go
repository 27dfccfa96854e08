package diff

// Labels tell interactions apart that were sent with the same key: by what they answer,
// and by what happens to the things that they name. Equal labels on both sides say
// that two interactions play the same part, whatever the things are called and in
// whichever order the interactions were recorded.

// labels are those of one interaction, the ones that ask for most first.
type labels [levels]uint64

const (
	levels = 5
	// rounds is how many steps the labels look along the things that interactions share.
	rounds = 3
)

// labels makes the labels of a recording. constant are the names that both sides have, by number:
// they are the same things.
func (r *recording) labels(constant []bool) []labels {
	out := make([]labels, len(r.traces))
	whole, asked := make([]uint64, len(r.traces)), make([]uint64, len(r.traces))
	for i := range r.traces {
		t := &r.traces[i]
		whole[i], asked[i] = mix(t.sent, t.answered), t.sent
		out[i][2] = t.answered
	}
	far, near := r.refine(whole, constant, false)
	sent, _ := r.refine(asked, constant, true)
	for i := range out {
		out[i][0], out[i][1], out[i][3] = far[i], near[i], sent[i]
		// The last label is the same for all: any with the same key will do.
	}
	return out
}

// refine lets every label say too what the labels are of the interactions that name the
// same things: those one step away, and after all rounds those further off.
func (r *recording) refine(label []uint64, constant []bool, sentOnly bool) (far, near []uint64) {
	things := make([]uint64, len(r.given)) // by the number of the name
	for round := range rounds {
		clear(things)
		r.uses(sentOnly, func(i int, u *use) {
			things[u.id] += mix(u.at, label[i]) // the order in which a thing is used is no part of it
		})
		next := make([]uint64, len(label))
		copy(next, label)
		r.uses(sentOnly, func(i int, u *use) {
			thing := things[u.id]
			if constant[u.id] {
				thing = hashOf(u.name)
			}
			next[i] += mix(u.at, thing)
		})
		label = next
		if round == 0 {
			near = next
		}
	}
	return label, near
}

func (r *recording) uses(sentOnly bool, f func(i int, u *use)) {
	for i := range r.traces {
		t := &r.traces[i]
		for n := range t.uses {
			u := &t.uses[n]
			if sentOnly && n >= t.inSent && u.at != givenID {
				continue
			}
			f(i, u)
		}
	}
}

// givenID is where the id of what an answer is about stands: what is sent later about
// that thing belongs to the request that made it.
var givenID = mix(hashOf("body"), hashOf("id"))
