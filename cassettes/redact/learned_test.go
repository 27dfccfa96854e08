package redact

import (
	"fmt"
	"strings"
	"testing"
)

// Tokens of one API start alike: each is still found, and the longest where one
// starts another.
func TestManyThatStartAlike(t *testing.T) {
	v := vault(t, Config{})
	var tokens []string
	for i := range 3 * maxFew {
		token := fmt.Sprintf("%s%04d", random1, i*i) + strings.Repeat("xY", i%4)
		tokens = append(tokens, token)
		v.learn(token, "name-token", token)
	}
	v.learn(random1, "name-token", random1)
	v.learn(tokens[3]+"Zq", "name-token", tokens[3]+"Zq")
	learned := v.Learned()
	v.learn(tokens[5], "name-token", tokens[5])
	if v.Learned() != learned {
		t.Error("a value was learned twice")
	}
	seen := map[string]bool{}
	for _, token := range append(tokens, random1, tokens[3]+"Zq") {
		got := v.Text("a " + token + " b")
		if seen[got] || !strings.HasPrefix(got, "a REDACTED-00") || len(got) != len("a REDACTED-0001 b") {
			t.Errorf("%s became %s", token, got)
		}
		seen[got] = true
	}
	if got := v.Text(random1[:12]); got != random1[:12] {
		t.Error(got)
	}
}
