package verify

import (
	"errors"
	"fmt"

	"tapedeck/cassettes/leaves"
)

// A Lack says why a request is not sent. It names places and what to do, never a value.
type Lack struct {
	Place  leaves.Place
	Reason string
	Cure   string // "" where there is nothing to do
	// Meant says that the request is left out because of how verify was called, and not
	// because something is missing.
	Meant bool
}

func (l *Lack) Error() string {
	text := l.Reason
	if l.Place != "" {
		text = fmt.Sprintf("%s: %s", l.Place, text)
	}
	if l.Cure != "" {
		text += "; " + l.Cure
	}
	return text
}

func isLack(err error, lack **Lack) bool { return errors.As(err, lack) }
