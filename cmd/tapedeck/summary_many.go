package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"tapedeck/proxy/deck"
)

// maxSpelled is how many cassettes the summary prints one by one, whatever there is
// to say of them. A run with one cassette per test soon has more.
const maxSpelled = 3

// summariseMany prints many cassettes in one line, and by themselves only those of
// which there is more to say than their figures: first those with misses.
func (s *station) summariseMany(w io.Writer, list []deck.Report) {
	all := sum(list)
	fmt.Fprintf(w, "tapedeck: %d cassettes in %s: %s\n", len(list), s.folder, counts(all))
	// Rules and ignored hosts act in all cassettes alike.
	lines(w, "kept as it is", all.Kept)
	ignored(w, all)
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b deck.Report) int { return urgency(a) - urgency(b) })
	printed, more, missed := 0, 0, 0
	for _, r := range list {
		r.Kept, r.IgnoredFacts, r.Ignored = nil, 0, nil
		var section bytes.Buffer
		s.summariseCassette(&section, r)
		switch {
		case bytes.Count(section.Bytes(), []byte("\n")) <= 1:
		case printed < maxListed:
			printed++
			w.Write(section.Bytes())
		default:
			more++
			if len(r.Misses) > 0 {
				missed++
			}
		}
	}
	if more > 0 {
		fmt.Fprintf(w, "tapedeck: … and %d more cassettes of which there is something to say", more)
		if missed > 0 {
			fmt.Fprintf(w, ", %d of them with misses", missed)
		}
		fmt.Fprintln(w, "; --report FILE lists it all")
	}
}

// urgency orders cassettes: what fails a run comes first.
func urgency(r deck.Report) int {
	switch {
	case len(r.Misses) > 0:
		return 0
	case len(r.Refused)+len(r.Failed) > 0 || r.Strict && len(r.Unused) > 0 || r.Expired:
		return 1
	}
	return 2
}

// sum adds up what is told of all cassettes at once.
func sum(list []deck.Report) deck.Report {
	all := deck.Report{Forwarded: make(map[string]int), Ignored: make(map[string]int)}
	for _, r := range list {
		all.Played += r.Played
		all.Recorded += r.Recorded
		all.IgnoredFacts += r.IgnoredFacts
		all.Misses = append(all.Misses, r.Misses...)
		all.Refused = append(all.Refused, r.Refused...)
		all.Dropped = append(all.Dropped, r.Dropped...)
		all.Failed = append(all.Failed, r.Failed...)
		all.Kept = append(all.Kept, r.Kept...)
		add(all.Forwarded, r.Forwarded)
		add(all.Ignored, r.Ignored)
	}
	return all
}

func add(to, counts map[string]int) {
	for name, n := range counts {
		to[name] += n
	}
}
