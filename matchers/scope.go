package matchers

import "tapedeck/cassettes/redact"

// On is the compiled form of Rule.On, for callers that select requests by it.
type On struct{ pattern *scopePattern }

// ParseOn reads "METHOD host/path". The error says what is wrong with it.
func ParseOn(text string) (On, error) {
	p, err := parseScope(text)
	return On{p}, err
}

// Match reports whether the pattern selects a request.
func (o On) Match(s redact.Scope) bool { return o.pattern.match(newTarget(s)) }
