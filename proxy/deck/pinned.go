package deck

import (
	"bytes"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// answersAlike reports whether two recordings of one request got the same answer, secrets
// and headers apart.
func answersAlike(a, b clean.Interaction) bool {
	old, err := a.Response()
	if err != nil {
		return false
	}
	now, err := b.Response()
	if err != nil || old.Status() != now.Status() || (old.Large() == nil) != (now.Large() == nil) {
		return false
	}
	if old.Large() != nil {
		return old.Large().Name() == now.Large().Name()
	}
	return bytes.Equal(old.Body(), now.Body()) || redact.Blank(string(old.Body())) == redact.Blank(string(now.Body()))
}
