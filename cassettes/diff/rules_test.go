package diff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompareRules(t *testing.T) {
	const rule = "rules:\n  - on: POST api.acme.dev/orders\n"
	const session = "sessions:\n  \"checkout/**\": "
	for name, c := range map[string]struct {
		old, new string
		want     []string // [!]KIND WHAT: OLD → NEW, ! for what is looser
	}{
		"nothing":                  {"", "", nil},
		"layout and comments":      {"hosts: {ignore: [a.dev, b.dev]} # both\n", "hosts:\n  # one\n  ignore:\n    - b.dev\n    - \"a.dev\"\n", nil},
		"a host more":              {"hosts: {ignore: [a.dev]}", "hosts: {ignore: [a.dev, '*.b.dev']}", []string{`!added hosts.ignore:  → ['*.b.dev']`}},
		"a host less":              {"hosts: {passthrough: [a.dev]}", "", []string{`removed hosts.passthrough: [a.dev] → `}},
		"another host":             {"hosts: {passthrough: [a.dev]}", "hosts: {passthrough: [b.dev]}", []string{`!changed hosts.passthrough: [a.dev] → [b.dev]`}},
		"not recorded any more":    {"hosts: {record: ['localhost:1']}", "", []string{`!removed hosts.record: ['localhost:1'] → `}},
		"ignore came":              {rule + "    safe: true", rule + "    safe: true\n    ignore: [body.a, 'body[\"x y\"]']", []string{`!added rules: on POST api.acme.dev/orders: ignore:  → [body.a, 'body["x y"]']`}},
		"ignore went":              {rule + "    ignore: [body.a, body.b]", rule + "    ignore: [body.b]", []string{`removed rules: on POST api.acme.dev/orders: ignore: [body.a] → `}},
		"for other requests":       {rule + "    ignore: [body.a]", "rules: [{on: '* api.acme.dev/**', ignore: [body.a]}]", []string{`removed rules: on POST api.acme.dev/orders: ignore: [body.a] → `, `!added rules: on * api.acme.dev/**: ignore:  → [body.a]`}},
		"two rules made one":       {rule + "    ignore: [body.a]\n  - on: POST api.acme.dev/orders\n    ignore: [body.b]", rule + "    ignore: [body.b, body.a]", nil},
		"a shape":                  {rule + "    safe: true\n    as: {body.a: uuid}", rule + "    safe: true\n    as: {body.a: time, body.b: integer}", []string{`!changed rules: on POST api.acme.dev/orders: as body.a: uuid → time`, `!added rules: on POST api.acme.dev/orders: as body.b:  → integer`}},
		"a shape went":             {rule + "    safe: true\n    as: {body.a: uuid}", rule + "    safe: true", []string{`removed rules: on POST api.acme.dev/orders: as body.a: uuid → `}},
		"a rewrite":                {rule + "    safe: true", rule + "    safe: true\n    rewrite: [{fact: body.a, find: '\\d+  [a,b]{2}', with: ''}]", []string{`!added rules: on POST api.acme.dev/orders: rewrite:  → [{fact: body.a, find: '\d+  [a,b]{2}', with: ''}]`}},
		"rewrites change places":   {rule + "    rewrite: [{fact: body.a, find: a, with: b}, {fact: body.a, find: b, with: c}]", rule + "    rewrite: [{fact: body.a, find: b, with: c}, {fact: body.a, find: a, with: b}]", []string{`moved rules: on POST api.acme.dev/orders: rewrite: [{fact: body.a, find: a, with: b}, {fact: body.a, find: b, with: c}] → [{fact: body.a, find: b, with: c}, {fact: body.a, find: a, with: b}]`}},
		"safe, repeat, unordered":  {rule + "    echo: off", rule + "    echo: on\n    safe: true\n    repeat: last\n    unordered: [body.list]", []string{`changed rules: on POST api.acme.dev/orders: echo: off → on`, `!added rules: on POST api.acme.dev/orders: safe:  → true`, `!added rules: on POST api.acme.dev/orders: repeat:  → last`, `!added rules: on POST api.acme.dev/orders: unordered:  → [body.list]`}},
		"a header less":            {rule + "    headers: [X-Tenant]", rule + "    affects: [GET api.acme.dev/orders]", []string{`!removed rules: on POST api.acme.dev/orders: headers: [X-Tenant] → `, `added rules: on POST api.acme.dev/orders: affects:  → [GET api.acme.dev/orders]`}},
		"rules change places":      {"rules: [{on: GET a.dev/x, repeat: last}, {on: GET a.dev/*, repeat: cycle}]", "rules: [{on: GET a.dev/*, repeat: cycle}, {on: GET a.dev/x, repeat: last}]", []string{`moved rules: their order: [GET a.dev/x, GET a.dev/*] → [GET a.dev/*, GET a.dev/x]`}},
		"strict off":               {"strict: true", "strict: false", []string{`!changed strict: true → false`}},
		"strict on":                {"", "strict: true", []string{`added strict:  → true`}},
		"strict off for some":      {"strict: true", "strict: true\n" + session + "{strict: false}", []string{`!added sessions: checkout/**: strict:  → false`}},
		"strict on for some":       {"", session + "{strict: true}", []string{`added sessions: checkout/**: strict:  → true`}},
		"older recordings":         {"max_age: 30d", "max_age: 90d", []string{`!changed max_age: 30d → 90d`}},
		"younger recordings":       {"max_age: 30d\nrepeat: last", "max_age: 3d\nrepeat: cycle", []string{`changed max_age: 30d → 3d`, `changed repeat: last → cycle`}},
		"any age":                  {"max_age: 30d", "", []string{`!removed max_age: 30d → `}},
		"personal data stays":      {"redact: {pii: true, unknown: refuse}", "redact: {pii: false}", []string{`!changed redact.pii: true → false`, `!removed redact.unknown: refuse → `}},
		"a secret more":            {"", "redact: {add: [{id: a, name: x-a, on: '* a.dev/**'}]}", []string{`added redact.add: a:  → {id: a, name: x-a, on: '* a.dev/**'}`}},
		"a secret less":            {"redact: {add: [{id: a, name: x-a}]}", "redact: {add: []}", []string{`!removed redact.add: a: {id: a, name: x-a} → `}},
		"a secret in fewer places": {"redact: {add: [{id: a, name: x-a, in: [body, query]}]}", "redact: {add: [{id: a, name: x-a, in: [body], on: '* a.dev/**', reason: why}]}", []string{`!removed redact.add: a: in: [query] → `, `!added redact.add: a: on:  → '* a.dev/**'`, `added redact.add: a: reason:  → why`}},
		"a secret in more places":  {"redact: {add: [{id: a, name: x-a, in: [body], at: body.a}]}", "redact: {add: [{id: a, name: x-a, in: [body, query]}]}", []string{`added redact.add: a: in:  → [query]`, `removed redact.add: a: at: body.a → `}},
		"a rule switched off":      {"", "redact: {remove: [name-pin], keep: [{rule: name-token, on: GET a.dev/q, at: body.token, reason: a count}]}", []string{`!added redact.remove:  → [name-pin]`, `!added redact.keep: name-token at body.token of GET a.dev/q:  → {rule: name-token, on: GET a.dev/q, at: body.token, reason: a count}`}},
		"headers kept":             {"keep: {request: [X-A]}", "keep: {response: [Date]}", []string{`!removed keep.request: [X-A] → `, `added keep.response:  → [Date]`}},
		"values carried over":      {"carry: off", "carry: on", []string{`!changed carry: off → on`}},
		"values not carried over":  {"", "carry: off\n" + session + "{carry: on}", []string{`added carry:  → off`, `!added sessions: checkout/**: carry:  → on`}},
		"the folder":               {"cassettes: a", "cassettes: b", []string{`changed cassettes: a → b`}},
		"another profile":          {"profiles: {a.dev: ./a.yaml}", "profiles: {a.dev: ./b.yaml, b.dev: ./b.yaml}", []string{`!changed profiles: a.dev: ./a.yaml → ./b.yaml`, `added profiles: b.dev:  → ./b.yaml`}},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := CompareRules("tapedeck.yaml", []byte(c.old), []byte(c.new))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, change := range changes {
				mark := ""
				if change.Looser {
					mark = "!"
				}
				if change.File != "tapedeck.yaml" {
					t.Errorf("%s is of the file %q", change.What, change.File)
				}
				got = append(got, mark+string(change.Kind)+" "+change.What+": "+change.Old+" → "+change.New)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A file that cannot be read says which side it is and nothing of its values.
func TestCompareRulesOfABrokenFile(t *testing.T) {
	_, err := CompareRules("tapedeck.yaml", []byte("ingore: [hunter2]"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "before the change: tapedeck.yaml:1: ") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	_, err = CompareRules("tapedeck.yaml", nil, []byte("rules: hunter2"))
	if err == nil || !strings.HasPrefix(err.Error(), "tapedeck.yaml:1: ") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
