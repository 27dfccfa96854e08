package redact

import (
	"slices"
	"strings"
)

// known is a secret that the child's environment holds. A weak one, such as the
// dummy words of a CI machine, is no secret wherever it stands: it is only known
// by its variable where a rule names its place.
type known struct {
	name, value string
	weak        bool
}

// secretWords are the words by which a variable's name says that its value is secret.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS"}

// EnvironmentWords are the words by which a variable's name says that its value is secret.
func EnvironmentWords() []string { return slices.Clone(secretWords) }

// openWords are words by which it says that it is not.
var openWords = map[string]bool{"PUBLISHABLE": true, "PUBLIC": true, "PATH": true, "FILE": true, "DIR": true, "SOCK": true, "URL": true}

// knownFromEnv picks the variables whose names look secret. A weak value that
// several of them hold names none of them.
func (r *Rules) knownFromEnv(env []string) []known {
	var out []known
	seen := make(map[string]int) // where in out, by value
	for _, pair := range slices.Sorted(slices.Values(env)) {
		name, value, ok := strings.Cut(pair, "=")
		value = strings.TrimSpace(value)
		if !ok || value == "" || !secretVariable(name) || strings.HasPrefix(value, "/") || isPublished(value) || isReference(value) {
			continue
		}
		at, again := seen[value]
		switch {
		case !again:
			seen[value] = len(out)
			out = append(out, known{name, value, !strong(value) && !r.caught(value)})
		case out[at].weak:
			out[at].name = ""
		}
	}
	return slices.DeleteFunc(out, func(k known) bool { return k.name == "" })
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
