package redact

import "strings"

// known is a secret that the child's environment holds.
type known struct{ name, value string }

// secretWords are the words by which a variable's name says that its value is secret.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS"}

// openWords are words by which it says that it is not.
var openWords = map[string]bool{"PUBLISHABLE": true, "PUBLIC": true, "PATH": true, "FILE": true, "DIR": true, "SOCK": true, "URL": true}

// knownFromEnv picks the variables whose names look secret and whose values
// look random or are caught by a value rule.
func (r *Rules) knownFromEnv(env []string) []known {
	var out []known
	seen := make(map[string]bool)
	for _, pair := range env {
		name, value, ok := strings.Cut(pair, "=")
		value = strings.TrimSpace(value)
		if !ok || seen[value] || !secretVariable(name) || strings.HasPrefix(value, "/") || isPublished(value) || isReference(value) {
			continue
		}
		if strong(value) || r.caught(value) {
			seen[value] = true
			out = append(out, known{name, value})
		}
	}
	return out
}

func secretVariable(name string) bool {
	secret := false
	for _, segment := range strings.Split(strings.ToUpper(name), "_") {
		if openWords[segment] {
			return false
		}
		for _, w := range secretWords {
			if strings.HasSuffix(segment, w) {
				secret = true
			}
		}
	}
	return secret
}
