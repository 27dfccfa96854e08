package redact

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// Every match of an expression holds a trace of it, or a rule of the configuration is
// passed over.
func TestMatchesHoldTheirTrace(t *testing.T) {
	var rules []*rule
	for _, text := range []string{`acp_\w{30}`, `\bacp_\w+`, `(?i)secret-[a-z]+`, `(?i)kiss`, `[a-f0-9]{12}`, `(foo|ba[rz])-?x`, `(?:a|)b+c`, `l[o]+se-\d+`,
		`.x`, `§+é`, `(?s).{3}end`, `[^a]b`, `(?i)([a-z0-9]+)\.acme\.dev`, `\d+(?:key|KEY)`, `x{2,3}y?z`, `^start`, `\pL+-\d`, `a|bc|def`} {
		rules = append(rules, &rule{find: regexp.MustCompile(`(?:` + text + `)`)})
	}
	pieces := []string{"acp_", "_", "abcdefghijklmnopqrstuvwxyz0123456789", "secret-", "SECRET-", "\u017fecret-a", "\u212aI\u017fS", "kiss", "0123456789ab", "foo", "bar", "baz", "-", "x", "b", "c",
		"loose-1", "§", "é", "\xff", "end", "a", ".acme.dev", ".ACME.dev", "7", "key", "KEY", "y", "z", "start", "世", " ", "\n", "def", "\ufffd"}
	r := rand.New(rand.NewPCG(3, 4))
	// Alone a rule has the longest trace, among others a shorter one.
	type numbered struct {
		*traceTable
		n int
	}
	tables := make([][]numbered, len(rules))
	for n, one := range rules {
		among := rules[max(0, n-15):n]
		tables[n] = []numbered{{newTraceTable([]*rule{one}), 0}, {newTraceTable(append(among[:len(among):len(among)], one)), len(among)}}
	}
	matched := make([]bool, len(rules))
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		text := b.String()
		for n, one := range rules {
			for _, at := range one.find.FindAllStringIndex(text, -1) {
				matched[n] = true
				for _, table := range tables[n] {
					held := false
					table.scan(text[at[0]:at[1]], func(k, _ int) { held = held || k == table.n })
					if !held {
						t.Fatalf("%s matches %q in %q, which holds no trace of it", one.find, text[at[0]:at[1]], text)
					}
				}
			}
		}
	}
	for n, one := range rules {
		if !matched[n] {
			t.Errorf("nothing was matched by %s", one.find)
		}
	}
}

// A trace must say no to most texts, or it saves nothing.
func TestTracesAreRare(t *testing.T) {
	for text, not := range map[string]string{
		`\bacp_\w{30}`: "map_of_acp and acp-", `(?i)secret-[a-z]{8}`: "a secret, secrets-", `([a-z0-9]+)\.acme\.dev`: "acme.dev, dev.acme",
		`[a-f0-9]{32}`: "0123456789abcdef0123456789abcde g", `(foo|ba[rz])_x`: "foo-x bar x",
	} {
		table := newTraceTable([]*rule{{find: regexp.MustCompile(`(?i)(?:` + text + `)`)}})
		table.scan(not, func(_, at int) { t.Errorf("%s: there is a trace in %q at %d", text, not, at) })
	}
	if newTraceTable(make([]*rule, 17)) != nil {
		t.Error("there is a table for more rules than it has room for")
	}
}
