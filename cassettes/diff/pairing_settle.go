package diff

import (
	"maps"
	"slices"

	"tapedeck/cassettes/leaves"
)

// pairing is the outcome, with times and marks settled.
func (p *pairer) pairing() *Pairing {
	out := &Pairing{
		Old: make([]int, len(p.to)), Near: make([]int, len(p.to)),
		Names: map[string]string{}, Places: make([][]Replaced, len(p.to)), names: p.names,
	}
	for i, j := range p.to {
		out.Old[i], out.Near[i] = j, -1
		if p.near[i] {
			out.Old[i], out.Near[i] = -1, j
		}
		out.Places[i] = p.lessons[i].places
		for _, r := range p.lessons[i].clashed {
			out.Clashes = append(out.Clashes, p.clash(i, r.Part, r.Place))
		}
	}
	p.settleSent(out)
	p.settleNumbers(out)
	p.settleTaken(out)
	for fresh, k := range p.names.old {
		if fresh[:1] != numberName {
			out.Names[fresh] = k.name
		}
	}
	return out
}

func (p *pairer) clash(i int, part Part, place leaves.Place) Clash {
	return Clash{New: i, Route: p.fresh.traces[i].route, Part: part, Place: place}
}

// settleSent makes one name of a time or mark that a request sends again, as long as it
// stands for one old value; otherwise it stays as it is everywhere.
func (p *pairer) settleSent(out *Pairing) {
	sent := map[string]bool{}
	for i := range p.fresh.traces {
		for _, f := range p.fresh.traces[i].Facts {
			sent[f.Value] = true
		}
	}
	stays := map[string]bool{}
	for i := range out.Places {
		for _, r := range out.Places[i] {
			if (r.What == aTimeHere || r.What == aMarkHere) && sent[r.New] && !p.names.learn(r.Old, r.New, false) {
				stays[r.New] = true
			}
		}
	}
	for value := range stays {
		p.names.forget(value)
	}
	for i := range out.Places {
		out.Places[i] = slices.DeleteFunc(out.Places[i], func(r Replaced) bool { return stays[r.New] })
	}
}

// settleNumbers writes the ids that are plain numbers into what the old recording does
// not have.
func (p *pairer) settleNumbers(out *Pairing) {
	for i, j := range p.to {
		t := &p.fresh.traces[i]
		if j >= 0 && !p.near[i] {
			continue
		}
		for _, u := range t.uses {
			if u.name[:1] == numberName {
				if _, ok := p.names.old[u.name]; ok {
					l := lesson{names: p.names}
					out.Places[i] = append(out.Places[i], l.numbers(p.fresh.list[i])...)
					break
				}
			}
		}
	}
}

// settleTaken finds old names that would come to stand for two things: the one that has
// a new name now, and another that has the old one in the new recording.
func (p *pairer) settleTaken(out *Pairing) {
	for _, fresh := range slices.Sorted(maps.Keys(p.names.old)) {
		k := p.names.old[fresh]
		if _, moved := p.names.old[k.name]; moved || fresh[:1] == numberName {
			continue
		}
		if _, known := p.fresh.ids[k.name]; !known {
			continue
		}
		for i := range p.fresh.traces {
			t := &p.fresh.traces[i]
			at := slices.IndexFunc(t.uses, func(u use) bool { return u.name == k.name })
			if at >= 0 && at < t.inSent {
				out.Clashes = append(out.Clashes, p.clash(i, Request, "url"))
			} else if at >= 0 {
				out.Clashes = append(out.Clashes, p.clash(i, Response, "body"))
			}
			if at >= 0 {
				break
			}
		}
	}
}
