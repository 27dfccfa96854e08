package merge

import (
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
	"tapedeck/matchers"
)

// A vocabulary is how two recordings name the same things: both sides may have recorded
// again, and the API has invented other ids then. A merged cassette must use one
// name for one thing, or what is sent would not be what was answered.
type vocabulary struct {
	known map[int]int // positions in theirs → positions in what was paired
	p     *diff.Pairing
	// toOurs and toTheirs replace names; nil where there is nothing to replace.
	toOurs, toTheirs *clean.Values
	// theirs says that the outcome uses the names of theirs.
	theirs bool
}

// learn finds out how the sides name things, and whose names the outcome uses: those of
// the side that has recorded again, of ours when both have.
func (g *merger) learn() error {
	var ours, theirs []int
	forTheirs, forOurs := false, false
	for _, u := range g.units {
		if u.ours < 0 || u.theirs < 0 {
			continue
		}
		ours, theirs = append(ours, u.ours), append(theirs, u.theirs)
		o, t := g.ours[u.ours], g.theirs[u.theirs]
		switch {
		case o.same(t):
		case u.base >= 0 && o.same(g.base[u.base]):
			forTheirs = true
		case u.base >= 0 && t.same(g.base[u.base]):
			forOurs = true
		case t.in.Recorded > o.in.Recorded:
			forTheirs = true
		default:
			forOurs = true
		}
	}
	if !forTheirs && !forOurs {
		return nil
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	p, err := diff.Pairs(interactions(pick(g.ours, ours)), interactions(pick(g.theirs, theirs)), g.matcher)
	if err != nil {
		return err
	}
	w := vocabulary{p: p, known: make(map[int]int, len(theirs))}
	for i, at := range theirs {
		w.known[at] = i
	}
	if names := answered(p, pick(g.ours, ours), pick(g.theirs, theirs)); len(names) > 0 {
		w.toOurs = clean.NewValues(names)
		w.toTheirs = w.toOurs.Reverse()
	}
	w.theirs = forTheirs && !forOurs && (w.toOurs == nil || w.toTheirs != nil)
	g.words = w
	return nil
}

// carried is a version of theirs in the words of ours: with its names and, where the two
// are paired, with its times and marks.
func (g *merger) carried(at int) (version, error) {
	v := g.theirs[at]
	r := clean.Replacement{Values: g.words.toOurs}
	if i, ok := g.words.known[at]; ok {
		r = g.replacement(g.words.toOurs, g.words.p.Places[i], v.in)
	}
	return v.replaced(r)
}

// replacement takes the values of the other recording at their places, but for plain numbers
// that are sent: they may be the program's own, and an answer must name what is asked
// for next. Nor for short ones of something else: another plan_id is another plan.
func (g *merger) replacement(values *clean.Values, places []diff.Replaced, in clean.Interaction) clean.Replacement {
	r := clean.Replacement{Values: values, Request: map[leaves.Place]string{}, Response: map[leaves.Place]string{}}
	for _, at := range places {
		if at.What == "number" && (at.Part == diff.Request || !diff.IsOwnID(at.Place) && !matchers.LooksLikeID(at.New) || g.sends(at.New) || g.sends(at.Old)) {
			continue
		}
		to, header := r.Request, http.Header(nil)
		if at.Part == diff.Response {
			to = r.Response
			if resp, err := in.Response(); err == nil {
				header = resp.Header()
			}
		}
		name, ok := strings.CutPrefix(string(at.Place), "header.")
		if !ok {
			to[at.Place] = at.Old
			continue
		}
		all := header[http.CanonicalHeaderKey(name)]
		if at.Part == diff.Request {
			all = in.Request().Header(http.CanonicalHeaderKey(name))
		}
		for i, v := range all {
			if v == at.New {
				to[clean.HeaderPlace("header", name, i, len(all))] = at.Old
			}
		}
	}
	return r
}

func (v version) replaced(r clean.Replacement) (version, error) {
	in, err := v.in.Replace(r)
	if err != nil {
		return v, interactionError(v.in, err)
	}
	v.in = in
	return v, nil
}

// takeOurs is a version of ours in the words of the outcome.
func (g *merger) takeOurs(u *unit) (version, error) {
	v := g.ours[u.ours]
	if !g.words.theirs || g.words.toTheirs == nil || u.theirs >= 0 && v.same(g.theirs[u.theirs]) {
		return v, nil
	}
	return v.replaced(clean.Replacement{Values: g.words.toTheirs})
}

// takeTheirs is a version of theirs in the words of the outcome.
func (g *merger) takeTheirs(u *unit) (version, error) {
	if g.words.theirs || g.words.p == nil {
		return g.theirs[u.theirs], nil
	}
	return g.carried(u.theirs)
}

// onlyAgain reports, for the interactions of a side by their position, whether they
// differ from the base only in what an API invents anew for every recording.
func (g *merger) onlyAgain(side []version, of func(u *unit) int) (map[int]bool, error) {
	p, err := diff.Pairs(interactions(g.base), interactions(side), g.matcher)
	if err != nil {
		return nil, err
	}
	var values *clean.Values
	if names := answered(p, g.base, side); len(names) > 0 {
		values = clean.NewValues(names)
	}
	again := make(map[int]bool)
	for _, u := range g.units {
		at := of(u)
		if u.base < 0 || at < 0 || p.Old[at] != u.base {
			continue
		}
		v, err := side[at].replaced(g.replacement(values, p.Places[at], side[at].in))
		if err != nil {
			return nil, err
		}
		again[at] = v.same(g.base[u.base])
	}
	return again, nil
}
