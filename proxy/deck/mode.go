package deck

import (
	"fmt"
	"strings"
)

// Mode says what happens to a request that is, or is not, in the cassette. The
// names are go-vcr's.
type Mode string

// The modes.
const (
	// RecordOnce records when the cassette is absent or unfinished, and replays otherwise.
	RecordOnce Mode = "record-once"
	// ReplayOnly plays what is recorded; all else is a miss. Nothing is ever forwarded.
	ReplayOnly Mode = "replay-only"
	// NewEpisodes plays what is recorded, and forwards and records the rest.
	NewEpisodes Mode = "new-episodes"
	// RecordOnly forwards and records everything, and replaces the cassette.
	RecordOnly Mode = "record-only"
	// Passthrough forwards everything and neither plays nor records.
	Passthrough Mode = "passthrough"
)

// Modes lists every mode, the two that most people use first.
func Modes() []Mode { return []Mode{RecordOnce, ReplayOnly, NewEpisodes, RecordOnly, Passthrough} }

// ParseMode reads a mode's name.
func ParseMode(name string) (Mode, error) {
	names := make([]string, 0, 5)
	for _, m := range Modes() {
		if string(m) == name {
			return m, nil
		}
		names = append(names, string(m))
	}
	return "", fmt.Errorf("mode %q is not known; use one of %s", name, strings.Join(names, ", "))
}

// Forwards reports whether the mode may ever need an upstream.
func (m Mode) Forwards() bool { return m != ReplayOnly }

// action is what is done with one request.
type action uint8

const (
	play    action = iota
	record         // forward, and record the answer
	forward        // forward, and keep nothing
	miss
)

// decide is the whole of the mode table. m is the mode in force: RecordOnce has
// been resolved into RecordOnly or ReplayOnly when the cassette was opened.
func decide(m Mode, found bool) action {
	switch m {
	case RecordOnly:
		return record
	case Passthrough:
		return forward
	case NewEpisodes:
		if !found {
			return record
		}
	default:
		if !found {
			return miss
		}
	}
	return play
}
