package flows

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"

	"tapedeck/examples/canary"
)

// A ledger knows every secret that was in use, so that a search can look for all
// of them.
type ledger struct {
	mu      sync.Mutex
	secrets []canary.Secret
}

// mint makes up a secret that starts with prefix. Only what comes after it is
// secret, and only that is noted.
func (l *ledger) mint(name, prefix string) string {
	value := rand.Text()
	l.note(name, value)
	return prefix + value
}

func (l *ledger) note(name, value string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, canary.Secret{Name: name, Value: value})
}

func (l *ledger) list() []canary.Secret {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.secrets)
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
