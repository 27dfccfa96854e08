package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/redact"
)

// credentials are the secrets that the user brings along.
type credentials struct {
	rules *redact.Rules
	// lookup is os.LookupEnv.
	lookup func(string) (string, bool)
	// named says which variable holds the secret of a placeholder: "USER:PASSWORD" for a pair.
	named map[string]string
	used  map[string]bool // values
	// takes are the variables that each host is sent.
	takes map[string][]string
}

// value is what the environment holds for a placeholder in a request to a host.
func (c *credentials) value(ph redact.Placeholder, host string) (string, bool) {
	name := c.named[ph.ID]
	if name == "" {
		name = ph.Env
	}
	if name == "" {
		return "", false
	}
	var values []string
	for one := range strings.SplitSeq(name, ":") {
		value, ok := c.lookup(one)
		if value = strings.TrimSpace(value); !ok || value == "" {
			return "", false
		}
		c.used[value] = true
		values = append(values, value)
		if !slices.Contains(c.takes[host], one) {
			c.takes[host] = append(c.takes[host], one)
		}
	}
	return strings.Join(values, ":"), true
}

// pair is the user and password of Basic credentials. before is what of the pair
// stayed readable, "alice:". Where nothing did, a value that is no pair itself is the
// user and the password is empty, as Stripe and most others take a key; of a variable
// that is not called one nobody can tell which of the two it is.
func (c *credentials) pair(p part, ph redact.Placeholder, value, before string) (string, *Lack) {
	switch {
	case strings.Contains(before, ":"), strings.Contains(value, ":"):
		return value, nil
	case c.named[ph.ID] == "" && !strings.Contains(strings.ToUpper(ph.Env), "KEY"):
		return "", &Lack{Place: p.place, Reason: fmt.Sprintf("of the user and the password only one is known, as %s", ph.Env),
			Cure: fmt.Sprintf("name the variables of both with --secret %s=USER:PASSWORD", ph.ID)}
	}
	return value + ":", nil
}

// prefix is how much of the end of before is the beginning of the value's kind.
func (c *credentials) prefix(value, before string) int {
	clean := redact.NewVault(c.rules).Text(value)
	found := redact.Placeholders(clean)
	if len(found) != 1 || found[0].Start == 0 {
		return 0
	}
	return len(regexp.MustCompile("(?:" + likePrefix(clean[:found[0].Start]) + ")$").FindString(before))
}

// lack says what would give a placeholder its value.
func (c *credentials) lack(p part, ph redact.Placeholder) *Lack {
	name := c.named[ph.ID]
	switch {
	case name != "":
		return &Lack{Place: p.place, Reason: fmt.Sprintf("the variable that --secret %s names is not set", ph.ID), Cure: "set it"}
	case ph.Env != "":
		return &Lack{Place: p.place, Reason: fmt.Sprintf("the variable %s is not set", ph.Env), Cure: fmt.Sprintf("set it, or name another one with --secret %s=VARIABLE", ph.ID)}
	}
	return &Lack{Place: p.place, Reason: fmt.Sprintf("nothing says what placeholder %s stands for", ph.ID), Cure: fmt.Sprintf("name the variable that holds the value with --secret %s=VARIABLE", ph.ID)}
}

// values are the values that were taken from the environment.
func (c *credentials) values() []string {
	out := make([]string, 0, len(c.used))
	for value := range c.used {
		out = append(out, value)
	}
	return out
}
