// Package redact finds secrets in traffic and replaces them by placeholders.
//
// A Rules value says what is secret; it is immutable. A Vault belongs to one
// cassette: it remembers which secret got which placeholder, learns strong
// values and replaces them wherever else they occur. The package knows rules
// and bytes, and nothing of cassettes or matching.
package redact

// Direction tells request rules from response rules.
type Direction uint8

const (
	InRequest Direction = iota
	InResponse
)

// A Rule says that a value is secret, by the name it stands under (Name) or by
// its shape (Value). Exactly one of the two is set.
type Rule struct {
	ID     string
	Reason string
	// Name is matched against header names, query and form names, JSON
	// member names and multipart names, with case and "_", "-", "." folded.
	// A leading "*" matches any prefix: "*token".
	Name string
	// Value is a regular expression (RE2); its first group, if any, is the
	// secret part, otherwise the whole match is.
	Value string
	// In limits a rule to "request-header", "response-header", "query",
	// "body", "path", "userinfo"; empty means everywhere a name or value can stand.
	In []string
	// On limits the rule to "METHOD host/path" patterns ("POST api.acme.dev/**"); empty means all.
	On string
}

// Keep exempts one place from one rule, with a reason that audit lists.
type Keep struct{ Rule, On, At, Reason string }

// Config is what tapedeck.yaml and profiles add to the built-in rules.
type Config struct {
	Add    []Rule
	Remove []string // rule ids
	Keep   []Keep
	// Env holds NAME=value pairs of the child's environment. Values whose
	// names look secret and that look random are known from the start.
	Env []string
}
