package matchers

import (
	"fmt"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// Choice is the outcome of holding a request's secrets against its candidates.
type Choice struct {
	// Fit lists the candidates whose secrets may be the live ones, in order.
	// When Unproven is set, all of them belong to the binding that was guessed.
	Fit []int
	// Unproven says why the binding is a guess (several placeholders would fit
	// and their answers differ); "" when it is not.
	Unproven string
	// Refused explains, when Fit is empty, which secret stood in the way.
	Refused string
	// Pairs are the new bindings (live, recorded) that playing Fit[0] makes.
	// Where several placeholders would fit and all their answers are equal, a
	// guess would change nothing now and might be wrong later: no pair is made of it.
	Pairs [][2]string
}

// Choose applies the binding rules of docs/matching.md to the candidates that
// are still playable. It changes nothing; the caller binds Pairs when it plays,
// and holds a lock of the session around both.
func (ix *Index) Choose(live Reading, candidates []int, b Bindings) Choice {
	if len(candidates) == 0 {
		return Choice{}
	}
	tried := map[int]*trial{}
	playable := ix.trials(live, candidates, b, tried)
	if slices.ContainsFunc(playable, func(t *trial) bool { return t.fits() && (t.partial || len(t.guessed) > 0) }) {
		ix.trials(live, ix.Callers(live.Key), b, tried)
		preferWhole(tried)
	}
	choice, doubt := ix.settle(live, candidates, b, playable, tried)
	if doubt != nil && ix.preferBrought(tried) {
		choice, doubt = ix.settle(live, candidates, b, playable, tried)
	}
	if doubt != nil && tellsWhoCalls(doubt.place) {
		// Alice's token never gets Bob's answer, not even by a guess.
		return Choice{Refused: string(doubt.place) + ": several recorded users could be the one who calls, and their answers differ; " +
			"record again with each user's secret in an environment variable of its own (its name then tells them apart), " +
			"or, where the client makes a new one for every request, ignore " + string(doubt.place)}
	}
	return choice
}

// settle makes a choice of trials. doubt is what the choice has to guess, if
// anything.
func (ix *Index) settle(live Reading, candidates []int, b Bindings, playable []*trial, tried map[int]*trial) (choice Choice, doubt *pair) {
	for i, t := range playable {
		if t.fits() {
			choice.Fit = append(choice.Fit, candidates[i])
		}
	}
	if len(choice.Fit) == 0 {
		choice.Refused = playable[0].refused
		return choice, nil
	}
	first := playable[slices.IndexFunc(playable, (*trial).fits)]
	choice.Pairs = bindings(first.certain, first.guessed)
	if len(first.guessed) == 0 {
		return choice, nil
	}

	// Whether the binding is a guess is judged by everything that was recorded
	// under the key: that others have used up a candidate proves nothing.
	sure := first.guessed
	for _, t := range ix.trials(live, ix.Callers(live.Key), b, tried) {
		if t.fits() {
			sure = slices.DeleteFunc(slices.Clone(sure), func(p pair) bool { return !slices.Contains(t.guessed, p) })
		}
	}
	switch {
	case len(sure) == len(first.guessed):
	case ix.sameAnswers(ix.fitting(live.Key, tried)):
		choice.Pairs = bindings(first.certain, sure)
	default:
		guess := first.guessed[slices.IndexFunc(first.guessed, func(p pair) bool { return !slices.Contains(sure, p) })]
		doubt = &guess
		choice.Unproven = fmt.Sprintf("%s: several recorded secrets could be the one sent, and their answers differ; the first recorded, %s, was taken", guess.place, guess.recorded)
		choice.Fit = choice.Fit[:0]
		for i, t := range playable {
			if t.fits() && slices.Equal(t.guessed, first.guessed) {
				choice.Fit = append(choice.Fit, candidates[i])
			}
		}
	}
	return choice, doubt
}

// preferWhole refuses the recordings that have a credential more or less than was
// sent, if another has just those: who has logged out keeps other cookies, and is
// not who was logged in.
func preferWhole(tried map[int]*trial) {
	whole := false
	for _, t := range tried {
		whole = whole || t.fits() && !t.partial
	}
	for _, t := range tried {
		if whole && t.fits() && t.partial {
			t.refused = "other credentials were sent than were recorded here"
		}
	}
}

// preferBrought refuses the recordings whose secret an answer handed out, if the
// live one may stand for a secret that the client brought along itself. It reports
// whether it did.
func (ix *Index) preferBrought(tried map[int]*trial) bool {
	handedOut := func(p pair) bool { return ix.issued()[p.recorded] }
	brought := false
	var others []*trial
	for _, t := range tried {
		switch {
		case !t.fits():
		case slices.ContainsFunc(t.guessed, handedOut):
			others = append(others, t)
		default:
			brought = true
		}
	}
	if !brought || len(others) == 0 {
		return false
	}
	for _, t := range others {
		p := t.guessed[slices.IndexFunc(t.guessed, handedOut)]
		t.refused = refuse(p, "recorded %s came from an answer, and the secret sent did not", p.recorded).refused
	}
	return true
}

// tellsWhoCalls reports whether the secret at a place is a caller's credential.
func tellsWhoCalls(place leaves.Place) bool {
	name, isHeader := strings.CutPrefix(string(place), "header.")
	return place == authPlace || isHeader && (strings.HasPrefix(name, "cookie.") || isKeyCredential(canonicalHeader(name)))
}

// fitting lists the positions with a key whose secrets were tried and fit.
func (ix *Index) fitting(k Key, tried map[int]*trial) (out []int) {
	recorded := ix.Lookup(k)
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for _, at := range recorded {
		if t := tried[ix.entries[at].tuple]; t != nil && t.fits() {
			out = append(out, at)
		}
	}
	return out
}

// trial is the outcome of holding live secrets against those of one recording.
type trial struct {
	refused string // why they cannot be the same
	partial bool   // a header's secret is there on one side only
	certain []pair // new bindings that are proven
	guessed []pair // new bindings that hold if no other recording would fit
}

func (t *trial) fits() bool { return t.refused == "" }

// pair is one live secret and the recorded one it stands for.
type pair struct {
	place          leaves.Place
	live, recorded string
}

func bindings(lists ...[]pair) (out [][2]string) {
	for _, list := range lists {
		for _, p := range list {
			out = append(out, [2]string{p.live, p.recorded})
		}
	}
	return out
}

// trials tries every position; positions with equal secrets share one trial,
// which byTuple holds.
func (ix *Index) trials(live Reading, positions []int, b Bindings, byTuple map[int]*trial) []*trial {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	out := make([]*trial, len(positions))
	for i, at := range positions {
		tuple := ix.entries[at].tuple
		t := byTuple[tuple]
		if t == nil {
			t = ix.try(live.Secrets, ix.tuples.list[tuple], b)
			byTuple[tuple] = t
		}
		out[i] = t
	}
	return out
}

// try holds the live secrets against those of one recording. The binding rules
// (a) to (d) are those of docs/matching.md, "Credentials and other secrets".
func (ix *Index) try(live, recorded []Secret, b Bindings) *trial {
	t := &trial{}
	meetings, partial, refused := meet(live, recorded)
	t.refused, t.partial = refused, partial
	standsFor := map[string]string{} // in this request, recorded by live
	takenBy := map[string]string{}   // and live by recorded
	var literal []pair
	for _, m := range meetings {
		l, r := m.live, m.recorded
		p := pair{m.place, l.ID, r.ID}
		known, isKnown := b.Recorded(l.ID)
		owner, isOwned := b.Live(r.ID)
		sameEnv := l.Env != "" && l.Env == r.Env
		if other, ok := standsFor[l.ID]; ok && l.ID != r.ID {
			if other != r.ID && !sameEnv {
				return refuse(p, "one secret was sent where different ones were recorded")
			}
			continue
		}
		switch other, taken := takenBy[r.ID]; {
		case l.ID == r.ID: // (a) it came from a replayed answer
			if !isKnown && !isOwned {
				literal = append(literal, p)
			}
			continue
		case taken && other != l.ID:
			return refuse(p, "different secrets were sent where one was recorded")
		case isKnown && known == r.ID: // (b)
		case isOwned && owner != l.ID:
			return refuse(p, "recorded %s is another secret of this session", r.ID)
		case sameEnv: // (c); a variable whose value changed between recordings has several numbers
			if !isKnown {
				t.certain = append(t.certain, p)
			}
		case isKnown:
			return refuse(p, "the secret sent stands for recorded %s, and here %s was recorded", known, r.ID)
		case ix.inFile[l.ID]:
			return refuse(p, "the secret sent is recorded %s, and here %s was recorded", l.ID, r.ID)
		case l.Env != "" && ix.envs[l.Env]:
			return refuse(p, "the value of %s was sent, and here another secret was recorded", l.Env)
		case l.User != "" && l.User != r.User && ix.users[l.User]:
			return refuse(p, "another user's credentials were sent than were recorded here")
		default: // (d), unless another recording fits too
			t.guessed = append(t.guessed, p)
		}
		standsFor[l.ID], takenBy[r.ID] = r.ID, l.ID
	}
	for _, p := range literal {
		if _, taken := takenBy[p.recorded]; !taken && !slices.Contains(t.certain, p) {
			t.certain = append(t.certain, p)
		}
	}
	return t
}

func refuse(p pair, format string, args ...any) *trial {
	return &trial{refused: string(p.place) + ": " + fmt.Sprintf(format, args...)}
}

// meeting is a live and a recorded secret at one place.
type meeting struct {
	place          leaves.Place
	live, recorded Secret
}

// meet pairs the secrets that stand at the same place, in order. Where facts
// are equal the places are too; only credentials may be there on one side:
// auth must be on both, a header may be missing, which makes it partial.
func meet(live, recorded []Secret) (out []meeting, partial bool, refused string) {
	for len(live) > 0 || len(recorded) > 0 {
		place := firstPlace(live, recorded)
		l, r := countAt(live, place), countAt(recorded, place)
		if optional := strings.HasPrefix(string(place), "header."); l != r && !optional {
			if l > r {
				return nil, false, string(place) + ": a secret was sent where none was recorded"
			}
			return nil, false, string(place) + ": a secret was recorded where none was sent"
		}
		partial = partial || l != r
		for i := range min(l, r) {
			out = append(out, meeting{place, live[i], recorded[i]})
		}
		live, recorded = live[l:], recorded[r:]
	}
	return out, partial, ""
}

// firstPlace is the lower of the places that two sorted lists begin with.
func firstPlace(a, b []Secret) leaves.Place {
	switch {
	case len(a) == 0:
		return b[0].Place
	case len(b) == 0 || a[0].Place.Compare(b[0].Place) < 0:
		return a[0].Place
	}
	return b[0].Place
}

// countAt is the number of secrets at place that list begins with.
func countAt(list []Secret, place leaves.Place) int {
	n := 0
	for n < len(list) && list[n].Place == place {
		n++
	}
	return n
}
