package deck

// Abandon leaves the deck as a killed process would: the journal stays, the
// lock is released, nothing is saved.
func (d *Deck) Abandon() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	return d.tape.Close()
}
