package deck

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tapedeck/matchers"
)

// A Sequence says in which order the answers recorded under one key play.
type Sequence string

const (
	// Gates plays a safe request the answer that belongs to the state that the
	// session has made by its unsafe ones. It is what "" means.
	Gates Sequence = "gates"
	// Fifo plays every key's answers first in, first out, whatever came between.
	Fifo Sequence = "fifo"
)

// ParseSequence reads a sequence's name; "" is Gates.
func ParseSequence(name string) (Sequence, error) {
	switch s := Sequence(name); s {
	case "":
		return Gates, nil
	case Gates, Fifo:
		return s, nil
	}
	return "", fmt.Errorf("sequence %q is not known; use gates or fifo", name)
}

// pickSafe chooses the answer to a safe request: by its secrets, then by which of
// the unsafe interactions recorded before each answer the session has been
// answered, then, where nothing was changed in between, one after the other.
func (d *Deck) pickSafe(req *http.Request, s *session, r matchers.Reading) pick {
	choice := d.index.Choose(r, d.index.Callers(r.Key), s.bindings)
	if len(choice.Fit) == 0 {
		return pick{reason: choice.Refused}
	}
	if choice.Unproven != "" && d.opt.Strict {
		return unprovable(choice.Unproven, cureSecrets)
	}
	seq := d.index.Sequence(choice.Fit[0])
	at, doubt := d.stateOf(s.cursors, seq)
	group, candidates := d.nearestGroup(req, seq, at, choice.Fit)
	if group < 0 {
		return notModifiedOnly()
	}
	if group > at && doubt == "" {
		doubt = "all that was recorded in this state is 304 Not Modified, for a client that had a copy"
	}
	if doubt != "" && d.opt.Strict {
		return unprovable(doubt, cureOrder)
	}
	unproven := join(choice.Unproven, doubt)

	try := newAttempt(req, r)
	if before, ok := s.answered[try]; ok && try.isRetry() {
		_, retries := d.split(candidates)
		candidates = slices.DeleteFunc(retries, s.cursors.Claimed)
		if len(candidates) == 0 {
			return pick{found: true, position: before, unproven: unproven}
		}
	}
	position, claimed := s.cursors.Claim(candidates)
	if !claimed {
		repeat := d.repeatOf(r)
		last := group == len(seq.Groups)-1
		switch {
		case repeat == "cycle":
			s.cursors.Again(candidates)
			position, claimed = s.cursors.Claim(candidates)
		case repeat == "" && d.mode == NewEpisodes && last:
			return pick{reason: tooMany(len(candidates))}
		default:
			position = candidates[len(candidates)-1]
		}
	}
	for _, pair := range d.index.Choose(r, []int{position}, s.bindings).Pairs {
		s.bindings.Bind(pair[0], pair[1])
	}
	if try.isRetry() {
		s.answered[try] = position
	}
	return pick{found: true, position: position, claimed: claimed, unproven: unproven}
}

// stateOf moves a sequence to the furthest group whose gates, and all before it,
// are answered, and says why that may not be the state that the session is in; ""
// when there is no doubt. A gate that is only guessed does not hold it back once all of a
// related one behind it has been answered: what parallel clients do stands in such gates.
func (d *Deck) stateOf(c Cursors, seq *matchers.Sequence) (group int, doubt string) {
	group = c.Reach(seq.ID, -1)
	for next, held := group+1, false; next < len(seq.Groups); next++ {
		g := seq.Groups[next]
		_, all := c.Answered(g.Gate)
		if !all && !g.Guessed {
			break
		}
		if all && (!held || !g.Guessed) {
			group, held = next, false
		} else {
			held = true
		}
	}
	group = c.Reach(seq.ID, group)
	if doubt = d.doubt(c, seq, group); doubt != "" {
		return max(group, 0), doubt
	}
	for at := max(0, group-maxGuessed); at < group; at++ {
		if g := seq.Groups[at]; g.Guessed {
			if _, all := c.Answered(g.Gate); !all {
				return group, fmt.Sprintf("it was recorded after %s, which this session has not sent", d.missing(c, g.Gate))
			}
		}
	}
	if group < 0 {
		return 0, fmt.Sprintf("it was recorded after %s, which this session has not sent", d.missing(c, seq.Groups[0].Gate))
	}
	if group+1 < len(seq.Groups) {
		gate := seq.Groups[group+1].Gate
		if some, _ := c.Answered(gate); some {
			return group, fmt.Sprintf("of what was recorded before %s, this session has sent a part; what is missing is %s",
				d.name(seq.Groups[group+1].Positions[0]), d.missing(c, gate))
		}
	}
	if later := seq.Later(group); len(later) > 0 {
		if some, _ := c.Answered(later); some {
			if group+1 == len(seq.Groups) {
				return group, fmt.Sprintf("nothing was recorded after %s, which this session has sent", d.sent(c, later))
			}
			return group, fmt.Sprintf("this session has sent %s, which was recorded later, and not %s",
				d.sent(c, later), d.missing(c, seq.Groups[group+1].Gate))
		}
	}
	return group, ""
}

// maxGuessed is how many groups before one are looked at for what they were guessed to be
// recorded after.
const maxGuessed = 64

// doubt says which unsafe interaction leaves it open what the group shows, or "".
func (d *Deck) doubt(c Cursors, seq *matchers.Sequence, group int) string {
	for _, position := range c.Doubtful() {
		some, _ := c.Answered(matchers.Gate{{position}})
		switch {
		case !some && seq.Depends(position):
			return fmt.Sprintf("the answer of %s did not arrive whole, so it is not known whether what it changes was changed", d.name(position))
		case some && seq.Related(position) && group >= 0 && position < seq.Groups[group].Positions[0]:
			return fmt.Sprintf("this session sent %s before %s, which were recorded the other way round",
				d.sent(c, d.index.Superseding(position)), d.name(position))
		}
	}
	return ""
}

// nearestGroup is the group at or, if that has no answer for this client, before
// or after a group, and its candidates; -1 if there is none at all. Candidates
// have the secrets of one of the callers, and are no 304 for somebody else.
func (d *Deck) nearestGroup(req *http.Request, seq *matchers.Sequence, at int, callers []int) (int, []int) {
	key := d.keyAt(seq.Groups[at].Positions[0])
	conditional := d.conditional(key)
	candidates := func(group int) []int {
		list := seq.Groups[group].Positions
		if len(callers) > 1 || len(d.index.Callers(key)) > 1 {
			list = slices.DeleteFunc(slices.Clone(list), func(p int) bool {
				return !slices.ContainsFunc(callers, func(c int) bool { return d.index.SameSecrets(c, p) })
			})
		}
		if conditional {
			list = d.answerable(req, list)
		}
		return list
	}
	for group := at; group >= 0; group-- {
		if list := candidates(group); len(list) > 0 {
			return group, list
		}
	}
	for group := at + 1; group < len(seq.Groups); group++ {
		if list := candidates(group); len(list) > 0 {
			return group, list
		}
	}
	return -1, nil
}

func (d *Deck) keyAt(position int) matchers.Key {
	_, r := d.index.At(position)
	return r.Key
}

// conditional reports whether a 304 was recorded under a key. It reads the answers
// once.
func (d *Deck) conditional(key matchers.Key) bool {
	if known, ok := d.conditionals.Load(key); ok {
		return known.(bool)
	}
	found := slices.ContainsFunc(d.index.Lookup(key), func(position int) bool {
		in, _ := d.index.At(position)
		answer, err := in.Response()
		return err == nil && answer.Status() == http.StatusNotModified
	})
	d.conditionals.Store(key, found)
	return found
}

// maxNamed is how many interactions a reason names.
const maxNamed = 2

// missing names the interactions of a gate that have not been answered.
func (d *Deck) missing(c Cursors, gate matchers.Gate) string {
	return d.names(gate, func(p int) bool { some, _ := c.Answered(matchers.Gate{{p}}); return !some })
}

// sent names those that have been.
func (d *Deck) sent(c Cursors, gate matchers.Gate) string {
	return d.names(gate, func(p int) bool { some, _ := c.Answered(matchers.Gate{{p}}); return some })
}

func (d *Deck) names(gate matchers.Gate, which func(position int) bool) string {
	var named []string
	more := 0
	for _, p := range gate.Positions() {
		switch {
		case !which(p):
		case len(named) == maxNamed:
			more++
		default:
			named = append(named, d.name(p))
		}
	}
	text := strings.Join(named, " and ")
	if more > 0 {
		text = strings.Join(named, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return text
}

// name is an interaction's number in the file and its request line.
func (d *Deck) name(position int) string {
	in, _ := d.index.At(position)
	return fmt.Sprintf("interaction %d (%s)", in.ID, describe(in.Request()))
}

func join(reasons ...string) string {
	return strings.Join(slices.DeleteFunc(reasons, func(s string) bool { return s == "" }), "; ")
}
