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

// A Rule says that a value is secret: by the name it stands under (Name), by its
// shape (Value), as a segment of a path (Path) or as a part of a host (Host).
// Exactly one of the four is set.
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
	// Path is "METHOD host/path" in which each segment written {secret} is the
	// secret: "POST hooks.acme.dev/h/{secret}/**".
	Path string
	// Host is a regular expression (RE2) for a whole host without its port; its
	// first group, if any, is the secret part, which becomes a DNS label.
	Host string
	// In limits a rule to "request-header", "response-header", "query",
	// "body", "path", "userinfo"; empty means everywhere a name or value can stand.
	In []string
	// On limits the rule to "METHOD host/path" patterns ("POST api.acme.dev/**"); empty means all.
	On string
	// At limits a name rule to places ("body.name"); empty means all.
	At string
	// PII says which kind of personal data the rule finds, one of PIIKinds; such a
	// rule is in force only with Config.PII. Empty means a secret.
	PII string
	// Source says where the rule comes from: "built in", or file and line.
	Source string
}

// Kind is how the rule finds its values: "name", "value", "path", "host", or
// "pii" for personal data, however found.
func (r *Rule) Kind() string {
	switch {
	case r.PII != "":
		return "pii"
	case r.Value != "":
		return "value"
	case r.Path != "":
		return "path"
	case r.Host != "":
		return "host"
	}
	return "name"
}

// Keep exempts one place from one rule, with a reason that audit lists. Source
// says where it is written.
type Keep struct{ Rule, On, At, Reason, Source string }

// Config is what tapedeck.yaml and profiles add to the built-in rules.
type Config struct {
	Add    []Rule
	Remove []string // rule ids
	Keep   []Keep
	// Env holds NAME=value pairs of the child's environment. Values whose
	// names look secret and that look random are known from the start.
	Env []string
	// PII replaces personal data too.
	PII bool
	// RefuseUnknown stops a save when random-looking values stand under names
	// that no rule knows.
	RefuseUnknown bool
}
