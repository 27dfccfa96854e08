package matchers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"tapedeck/cassettes/clean"
)

// A run is what a program sends, and what it is answered.
type run []struct {
	request request
	answer  string
}

func (r run) record(d *deck) (out []clean.Interaction) {
	for _, one := range r {
		out = append(out, d.interaction(one.request, one.answer))
	}
	return out
}

func TestLearn(t *testing.T) {
	const api = "https://api.acme.dev"
	for _, c := range []struct {
		what          string
		first, second run
		rules         string
		instead       []string // what is said where no rule is offered
		alone         int
	}{
		{
			what:   "nothing differs",
			first:  run{{json(`{"a":1}`), `{"id":"x"}`}},
			second: run{{json(`{"a":1}`), `{"id":"y"}`}},
		},
		{
			what:   "shapes",
			first:  run{{json(`{"id":"` + uuid1 + `","at":"2026-11-21T10:00:00Z","n":7,"unix":1795514400,"nonce":"kq8s"}`), `{}`}},
			second: run{{json(`{"id":"` + uuid2 + `","at":"2026-11-21T10:00:09Z","n":8,"unix":1795514409,"nonce":"zz1p"}`), `{}`}},
			rules: `rules:
  - on: POST api.acme.dev/v1
    ignore:
      - body.nonce
    as:
      body.at: time
      body.id: uuid
      body.n: integer
      body.unix: time
`,
		},
		{
			what:   "a date in a text, in every element",
			first:  run{{json(`{"m":[{"c":"Report of 2026-11-21 for Ada"},{"c":"and 2026-11-21"}]}`), `{}`}},
			second: run{{json(`{"m":[{"c":"Report of 2026-11-22 for Ada"},{"c":"and 2026-11-22"}]}`), `{}`}},
			rules: `rules:
  - on: POST api.acme.dev/v1
    rewrite:
      - fact: body.m[*].c
        find: '\d{4}-\d\d-\d\d'
        with: DATE
`,
		},
		{
			what: "ids that answers brought are not noise",
			first: run{
				{json(`{"name":"Ada"}`), `{"id":"cus_9s6XKzkNRiz8i3","next":{"token":"t"}}`},
				{get(api + "/v1/customers/cus_9s6XKzkNRiz8i3"), `{}`},
				{json(`{"customer":"cus_9s6XKzkNRiz8i3","amount":3}`), `{}`},
			},
			second: run{
				{json(`{"name":"Ada"}`), `{"id":"cus_Q1w2E3r4T5y6u7","next":{"token":"u"}}`},
				{get(api + "/v1/customers/cus_Q1w2E3r4T5y6u7"), `{}`},
				{json(`{"customer":"cus_Q1w2E3r4T5y6u7","amount":3}`), `{}`},
			},
		},
		{
			what: "an id that comes only later is the client's",
			first: run{
				{json(`{"id":"order-aaaa1111bbbb"}`), `{"id":"order-aaaa1111bbbb"}`},
			},
			second: run{
				{json(`{"id":"order-cccc2222dddd"}`), `{"id":"order-cccc2222dddd"}`},
			},
			rules: `rules:
  - on: POST api.acme.dev/v1
    ignore:
      - body.id
`,
		},
		{
			what:    "a UUID in the path",
			first:   run{{get(api + "/orders/" + uuid1 + "/items"), `{}`}},
			second:  run{{get(api + "/orders/" + uuid2 + "/items"), `{}`}},
			instead: []string{"which thing is meant"},
		},
		{
			what: "short ids that answers brought",
			first: run{
				{json(`{"name":"Ada"}`), `{"id":2}`},
				{request("POST " + api + "/v1/2/sources\nContent-Type: application/json\n\n{\"nonce\":\"kq8s\",\"thing\":2}"), `{}`},
			},
			second: run{
				{json(`{"name":"Ada"}`), `{"id":4}`},
				{request("POST " + api + "/v1/4/sources\nContent-Type: application/json\n\n{\"nonce\":\"zz1p\",\"thing\":4}"), `{}`},
			},
			rules: `rules:
  - on: POST api.acme.dev/v1/{id}/sources
    ignore:
      - body.nonce
`,
		},
		{
			what:    "what decides is left alone",
			first:   run{{form("amount=100&currency=eur"), `{}`}, {typed("text/plain", "a"), `{}`}},
			second:  run{{form("amount=120&currency=eur"), `{}`}, {typed("text/plain", "b"), `{}`}},
			instead: []string{"it decides what the API does", "compared by its bytes"},
		},
		{
			what:   "another order, and a request that only one run sent",
			first:  run{{json(`{"k":"a","t":"2026-11-21"}`), `{}`}, {json(`{"k":"b","t":"2026-11-21"}`), `{}`}},
			second: run{{json(`{"k":"b","t":"2026-11-22"}`), `{}`}, {json(`{"k":"a","t":"2026-11-22"}`), `{}`}, {get(api + "/extra"), `{}`}},
			rules: `rules:
  - on: POST api.acme.dev/v1
    as:
      body.t: time
`,
			alone: 1,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			d := newDeck(t)
			lessons := d.matcher.Learn(c.first.record(d), c.second.record(d))
			got := RulesYAML(lessons.Rules(), "  ")
			if got != "" {
				got = "rules:\n" + got
			}
			if diff := cmp.Diff(c.rules, got); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			var instead []string
			for _, l := range lessons.List {
				if l.Rule == nil {
					instead = append(instead, l.Instead)
				}
			}
			if len(instead) != len(c.instead) {
				t.Errorf("left alone: %q, want %q", instead, c.instead)
			} else {
				for i, want := range c.instead {
					if !strings.Contains(strings.Join(instead, "\n"), want) {
						t.Errorf("left alone %d: %q, want %q", i, instead, want)
					}
				}
			}
			if len(lessons.Alone) != c.alone {
				t.Errorf("alone: %q, want %d", lessons.Alone, c.alone)
			}
			if c.rules == "" {
				return
			}
			// With the rules there is nothing left to learn.
			var config struct {
				Rules []Rule `yaml:"rules"`
			}
			if err := yaml.Unmarshal([]byte(got), &config); err != nil {
				t.Fatal(err)
			}
			d = newDeck(t, config.Rules...)
			if left := d.matcher.Learn(c.first.record(d), c.second.record(d)); len(left.List) > 0 {
				t.Errorf("with the rules there still differ: %v", left.List)
			}
		})
	}
}

// TestLearnPairsManyRequests compares two runs of the same loop: what
// pairs them must not look at every pair.
func TestLearnPairsManyRequests(t *testing.T) {
	const n = 3000
	d := newDeck(t)
	runOf := func(day int) (out []clean.Interaction) {
		for i := range n {
			out = append(out, d.interaction(json(fmt.Sprintf(`{"i":"item %d","at":"2026-11-%02d"}`, i, day)), `{}`))
		}
		return out
	}
	lessons := d.matcher.Learn(runOf(21), runOf(22))
	if lessons.Pairs != n || len(lessons.Alone) > 0 || len(lessons.List) != 1 || lessons.List[0].Seen != n {
		t.Errorf("%d pairs, %d alone, lessons %v", lessons.Pairs, len(lessons.Alone), lessons.List)
	}
}
