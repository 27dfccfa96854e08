package deck

import (
	"fmt"
	"net/http"

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
	// reason explains found == false in one line; "" when nothing with that key was recorded.
	reason string
}

// pick chooses among the recordings with the request's key: by its secrets, then
// by what the session has played.
func (d *Deck) pick(req *http.Request, s *session, r matchers.Reading) pick {
	candidates := d.index.Lookup(r.Key)
	if len(candidates) == 0 {
		return pick{}
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
	try := attempt{req.Header.Get("Idempotency-Key"), r.Key}
	if try.idempotencyKey != "" {
		if before, ok := s.answered[try]; ok && !d.recordedRetry(choice) {
			return pick{found: true, position: before}
		}
	}
	if p, ok := d.claim(s, choice); ok {
		if p.found && try.idempotencyKey != "" {
			s.answered[try] = p.position
		}
		return p
	}
	return d.usedUp(s, r, candidates, choice)
}

// recordedRetry reports that the next answer was itself recorded for a repeated
// Idempotency-Key: then the retry was answered anew, and is again.
func (d *Deck) recordedRetry(c matchers.Choice) bool {
	if len(c.Fit) == 0 {
		return false
	}
	in, _ := d.index.At(c.Fit[0])
	return in.Retry
}

// claim plays the first fitting position, if there is one and it may be played.
func (d *Deck) claim(s *session, c matchers.Choice) (pick, bool) {
	if len(c.Fit) == 0 {
		return pick{}, false
	}
	if c.Unproven != "" && d.opt.Strict {
		return pick{reason: "the play would be unproven, and --strict forbids that: " + c.Unproven}, true
	}
	position, ok := s.cursors.Claim(c.Fit)
	if !ok {
		return pick{}, false
	}
	for _, pair := range c.Pairs {
		s.bindings.Bind(pair[0], pair[1])
	}
	return pick{found: true, position: position, claimed: true, unproven: c.Unproven}, true
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
		return pick{reason: "the play would be unproven, and --strict forbids that: " + all.Unproven}
	}
	repeat := r.Repeat
	if repeat == "" {
		repeat = d.opt.Repeat
	}
	if repeat == "" && r.Safe && d.mode != NewEpisodes {
		repeat = "last"
	}
	switch repeat {
	case "last":
		return pick{found: true, position: all.Fit[len(all.Fit)-1], unproven: all.Unproven}
	case "cycle":
		for _, position := range all.Fit {
			s.cursors.Release(position)
		}
		if position, ok := s.cursors.Claim(all.Fit); ok {
			return pick{found: true, position: position, claimed: true, unproven: all.Unproven}
		}
	}
	return pick{reason: fmt.Sprintf("recorded %d, this is the %s; a second run against the same proxy starts over with: tapedeck rewind",
		len(all.Fit), ordinal(len(all.Fit)+1))}
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
