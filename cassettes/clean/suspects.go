package clean

import "tapedeck/cassettes/redact"

// Suspects looks, in what was recorded and is not in a file yet, for values that may be
// secrets and that no rule knows. The error is that of Response.
func (c *Cleaner) Suspects(list []Interaction) ([]redact.Suspect, error) {
	w := c.Vault.Rules().Watch()
	for _, in := range list {
		if in.Begin == 0 {
			continue // from a file
		}
		s, err := in.Stored()
		if err != nil {
			return nil, err
		}
		scope := in.request.Scope()
		w.URL(scope, s.URL)
		w.Header(scope, redact.InRequest, s.RequestHeader)
		w.Body(scope, redact.InRequest, in.request.ContentType(), s.RequestBody)
		w.Header(scope, redact.InResponse, s.ResponseHeader)
		w.Header(scope, redact.InResponse, s.ResponseTrailer)
		w.Body(scope, redact.InResponse, s.ResponseHeader.Get("Content-Type"), s.ResponseBody)
	}
	return w.List(), nil
}

// RefuseUnknown is a *redact.UnknownError when the rules want no suspects to be saved
// and there are some among what was recorded.
func (c *Cleaner) RefuseUnknown(list []Interaction) error {
	if !c.Vault.Rules().RefusesUnknown() {
		return nil
	}
	found, err := c.Suspects(list)
	if err != nil || len(found) == 0 {
		return err
	}
	return &redact.UnknownError{Suspects: found}
}
