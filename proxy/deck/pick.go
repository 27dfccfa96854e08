package deck

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// A pick is the recording that answers a request, or why there is none.
type pick struct {
	found    bool
	position int
	// claimed says that the position was marked as played by this request, and
	// must be given back if the answer does not arrive.
	claimed  bool
	unproven string
	// heard are the values that the client made up for this request.
	heard *heard
	// reason explains found == false in one line; "" when nothing with that key was recorded.
	reason string
	cure   cure
}

// A cure is what mends a miss.
type cure uint8

const (
	cureAdd     cure = iota // recording what is missing
	cureAgain               // recording everything again
	cureInWords             // what the reason says
)

// attempt identifies a request that a client may send again: equal facts, equal
// secrets, equal Idempotency-Key.
type attempt struct {
	idempotencyKey string
	key            matchers.Key
	secrets        string
}

// isRetry reports whether the request can be told to be a retry: an
// Idempotency-Key means nothing where the method is safe.
func (a attempt) isRetry() bool { return a.idempotencyKey != "" }

func newAttempt(req *http.Request, r matchers.Reading) attempt {
	var secrets strings.Builder
	for _, s := range r.Secrets {
		fmt.Fprintf(&secrets, "%s=%s\n", s.Place, s.ID)
	}
	key := req.Header.Get("Idempotency-Key")
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		key = ""
	}
	return attempt{key, r.Key, secrets.String()}
}

// pick chooses among the recordings with the request's key: by its secrets, then
// by what the session has played.
func (d *Deck) pick(req *http.Request, s *session, r matchers.Reading) pick {
	all := d.index.Lookup(r.Key)
	if len(all) == 0 {
		return pick{}
	}
	if seq := d.index.Sequence(all[0]); seq != nil && d.opt.Sequence != Fifo {
		d.conditional(r.Key) // reads answers, so not while the session is locked
		s.mu.Lock()
		defer s.mu.Unlock()
		return d.pickSafe(req, s, r)
	}
	candidates := d.answerable(req, all)
	if len(candidates) == 0 {
		return notModifiedOnly()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	unplayed := make([]int, 0, len(candidates))
	for _, c := range candidates {
		if !s.cursors.Claimed(c) {
			unplayed = append(unplayed, c)
		}
	}
	choice := d.index.Choose(r, unplayed, s.bindings)
	try := newAttempt(req, r)
	if try.isRetry() {
		firsts, retries := d.split(choice.Fit)
		if before, ok := s.answered[try]; ok {
			if len(retries) == 0 {
				return pick{found: true, position: before}
			}
			// It was answered anew when it was recorded, and so it is again.
			choice.Fit = retries
		} else {
			choice.Fit = append(firsts, retries...)
		}
	}
	if p, ok := d.claim(s, r, choice); ok {
		if p.found && try.isRetry() {
			s.answered[try] = p.position
		}
		return p
	}
	return d.usedUp(s, r, candidates, choice)
}

func notModifiedOnly() pick {
	return pick{cure: cureAgain, reason: "the recorded answer is 304 Not Modified, for a client that had another copy or one at all; record again with an empty client cache"}
}

// answerable leaves out recorded 304s that would tell the client to use a copy
// that it does not have.
func (d *Deck) answerable(req *http.Request, candidates []int) []int {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return candidates
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(position int) bool {
		in, _ := d.index.At(position)
		answer, err := in.Response()
		return err == nil && answer.Status() == http.StatusNotModified && !hasCopy(req, answer)
	})
}

// hasCopy reports whether the client's copy may be the one that a recorded 304 speaks of.
func hasCopy(req *http.Request, notModified clean.Response) bool {
	if tags := req.Header.Values("If-None-Match"); len(tags) > 0 {
		etag := notModified.Header().Get("Etag")
		return etag == "" || anyTag(tags, etag)
	}
	return req.Header.Get("If-Modified-Since") != ""
}

// split parts the positions whose request repeated an Idempotency-Key from the others.
func (d *Deck) split(positions []int) (firsts, retries []int) {
	for _, p := range positions {
		if in, _ := d.index.At(p); in.Retry {
			retries = append(retries, p)
		} else {
			firsts = append(firsts, p)
		}
	}
	return firsts, retries
}

// claim plays the first fitting position, if there is one and it may be played.
func (d *Deck) claim(s *session, r matchers.Reading, c matchers.Choice) (pick, bool) {
	if len(c.Fit) == 0 {
		return pick{}, false
	}
	if c.Unproven != "" && d.opt.Strict {
		return unprovable(c.Unproven, cureSecrets), true
	}
	position, ok := s.cursors.Claim(c.Fit)
	if !ok {
		return pick{}, false
	}
	if !r.Safe && d.repeatOf(r) != "cycle" {
		if some, _ := s.cursors.Answered(d.index.Superseding(position)); some {
			s.cursors.Doubt(position)
		}
	}
	// The order may have been changed since: the bindings are those of this position.
	for _, pair := range d.index.Choose(r, []int{position}, s.bindings).Pairs {
		s.bindings.Bind(pair[0], pair[1])
	}
	return pick{found: true, position: position, claimed: true, unproven: c.Unproven}, true
}

// What makes a play certain.
const (
	cureSecrets = "record again with each user's secret in an environment variable of its own (its name then tells them apart)"
	cureOrder   = "send the requests on which the answer depends first, or record again in the order in which they are sent now"
)

// unprovable is the miss of a play that would rest on a guess.
func unprovable(guess, certain string) pick {
	return pick{cure: cureInWords, reason: "the play would be unproven, and --strict forbids that: " + guess + "; " + certain + ", or leave --strict out"}
}

// giveBack undoes a claim whose answer did not arrive.
func (d *Deck) giveBack(s *session, p pick) {
	if !p.claimed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursors.Release(p.position)
	maps.DeleteFunc(s.answered, func(_ attempt, position int) bool { return position == p.position })
}

// usedUp decides what answers one request more than was recorded.
func (d *Deck) usedUp(s *session, r matchers.Reading, candidates []int, unplayed matchers.Choice) pick {
	all := d.index.Choose(r, candidates, s.bindings)
	if len(all.Fit) == 0 {
		reason := all.Refused
		if reason == "" {
			reason = unplayed.Refused
		}
		return pick{reason: reason}
	}
	if all.Unproven != "" && d.opt.Strict {
		return unprovable(all.Unproven, cureSecrets)
	}
	repeat := d.repeatOf(r)
	if repeat == "" && r.Safe && d.mode != NewEpisodes {
		repeat = "last"
	}
	switch repeat {
	case "last":
		return pick{found: true, position: all.Fit[len(all.Fit)-1], unproven: all.Unproven}
	case "cycle":
		s.cursors.Again(all.Fit)
		if position, ok := s.cursors.Claim(all.Fit); ok {
			return pick{found: true, position: position, claimed: true, unproven: all.Unproven}
		}
	}
	return pick{reason: tooMany(len(all.Fit))}
}

// repeatOf is what answers one request more than was recorded: a rule's word
// before the run's; "" when neither says.
func (d *Deck) repeatOf(r matchers.Reading) string {
	if r.Repeat != "" {
		return r.Repeat
	}
	return d.opt.Repeat
}

func tooMany(recorded int) string {
	return fmt.Sprintf("recorded %d, this is the %s; a second run against the same proxy starts over with: tapedeck rewind",
		recorded, ordinal(recorded+1))
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
