package matchers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"tapedeck/cassettes/clean"
)

func indexOf(d *deck, requests ...request) *Index {
	var list []clean.Interaction
	for _, r := range requests {
		list = append(list, d.interaction(r, "{}"))
	}
	return NewIndex(d.matcher, list)
}

func TestNearest(t *testing.T) {
	const api = "https://api.acme.dev"
	for _, c := range []struct {
		what     string
		recorded []request
		live     request
		at       int
		want     []string
	}{
		{"nothing recorded", nil, get(api + "/a"), -1, nil},
		{"same endpoint, fewest differences",
			[]request{json(`{"a":1,"b":2,"c":3}`), json(`{"a":9,"b":2,"c":3}`), json(`{"a":8,"b":2,"c":4}`)}, json(`{"a":7,"b":2,"c":3}`), 0,
			[]string{"body.a: recorded 1, got 7"}},
		{"recorded order decides a tie", []request{json(`[1]`), json(`[2]`)}, json(`[3]`), 0, []string{"body[0]: recorded 1, got 3"}},
		{"the types show", []request{json(`{"a":"1","b":null,"c":{}}`)}, json(`{"a":1,"b":"","c":[]}`), 0,
			[]string{`body.a: recorded "1", got 1`, `body.b: recorded null, got ""`, `body.c: recorded {}, got []`}},
		{"missing and extra", []request{form("a=1&b=2")}, form("b=2&c=3"), 0, []string{`body.a: recorded "1", not sent`, `body.c: not recorded, got "3"`}},
		{"the kind", []request{form("a=1")}, json(`{"a":"1"}`), 0, []string{"body: recorded form, got json"}},
		{"repetitions in order", []request{get(api + "/?a=1&a=2")}, get(api + "/?a=2&a=1"), 0, []string{`query.a: recorded "1", got "2"`, `query.a: recorded "2", got "1"`}},
		{"the class of credentials", []request{get(api + "/")}, get(api+"/", "Authorization: Bearer Qx7vT2mK9pLw4RzB8nYd"), 0, []string{"auth: recorded none, got bearer"}},
		{"method before path", []request{request("POST " + api + "/a/b"), get(api + "/a/c"), get(api + "/x")}, get(api + "/a/b"), 1, []string{"path: recorded /a/c, got /a/b"}},
		{"the same path before others", []request{get(api + "/a/b"), get(api + "/x/y")}, request("PUT " + api + "/x/y"), 1, []string{"method: recorded GET, got PUT"}},
		{"host before everything", []request{get("https://other.dev/a"), request("POST " + api + "/z")}, get(api + "/a"), 1,
			[]string{"method: recorded POST, got GET", "path: recorded /z, got /a"}},
		{"another host if there is none", []request{get("https://other.dev/z"), get("https://other.dev/a")}, get(api + "/a"), 1,
			[]string{"host: recorded other.dev, got api.acme.dev"}},
		{"similar paths, then facts",
			[]request{get(api + "/orders/1?x=1"), get(api + "/orders/2?x=2"), get(api + "/orders/3/items?x=2")}, get(api + "/orders/9?x=2"), 1,
			[]string{"path: recorded /orders/2, got /orders/9"}},
		{"nothing differs", []request{get(api + "/a")}, get(api + "/a"), 0, nil},
	} {
		d := newDeck(t)
		near := indexOf(d, c.recorded...).Nearest(d.read(c.live))
		var got []string
		for _, diff := range near.Differences {
			got = append(got, diff.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || near.Position != c.at {
			t.Errorf("%s: position %d\n%s", c.what, near.Position, diff)
		}
	}
}

func TestSuggestedRule(t *testing.T) {
	const api = "https://api.acme.dev"
	for _, c := range []struct {
		what           string
		recorded, live request
		want           string // "" when no rule may be offered
	}{
		{"a word", json(`{"run":"build-17","x":1}`), json(`{"run":"build-18","x":1}`), `
rules:
  - on: POST api.acme.dev/v1
    ignore:
      - body.run
`},
		{"shapes", json(`{"items":[{"id":"` + uuid1 + `","t":"2026-11-21","n":1},{"id":"` + uuid1 + `"}]}`),
			json(`{"items":[{"id":"` + uuid2 + `","t":"2026-11-22","n":2},{"id":"` + uuid2 + `"}]}`), `
rules:
  - on: POST api.acme.dev/v1
    as:
      body.items[*].id: uuid
      body.items[*].n: integer
      body.items[*].t: time
`},
		{"one element of another shape", json(`{"i":[{"d":"` + uuid1 + `"},{"d":"a"}]}`), json(`{"i":[{"d":"` + uuid2 + `"},{"d":"b"}]}`), `
rules:
  - on: POST api.acme.dev/v1
    ignore:
      - body.i[*].d
`},
		{"an extra field and a quoted name", get(api + "/v1"), get(api + "/v1?a%3A+b[7]=x"), `
rules:
  - on: GET api.acme.dev/v1
    ignore:
      - 'query["a: b"][*]'
`},
		{"ids in the path", get(api + "/v1/customers/cus_9s6XKzkNRiz8i3/cards/12345?ts=1"), get(api + "/v1/customers/cus_9s6XKzkNRiz8i3/cards/12345?ts=2"), `
rules:
  - on: GET api.acme.dev/v1/customers/{id}/cards/{id}
    as:
      query.ts: integer
`},
		{"a UUID in the path", get(api + "/orders/" + uuid1 + "/items"), get(api + "/orders/" + uuid2 + "/items"), ""},
		{"a page", get(api + "/l?page=1"), get(api + "/l?page=3"), ""},
		{"a header", get(api+"/", "Stripe-Version: 1"), get(api+"/", "Stripe-Version: x"), `
rules:
  - on: GET api.acme.dev/
    ignore:
      - header.stripe-version
`},
		{"an object and a value", json(`{"a":{}}`), json(`{"a":1}`), `
rules:
  - on: POST api.acme.dev/v1
    ignore:
      - body.a
`},
		{"method", get(api + "/"), request("PUT " + api + "/"), ""},
		{"host", get(api + "/"), get("https://other.dev/"), ""},
		{"credentials", get(api + "/"), get(api+"/", "Authorization: Bearer x"), ""},
		{"path", get(api + "/a"), get(api + "/b"), ""},
		{"a number in the path", get(api + "/orders/12345"), get(api + "/orders/12346"), ""},
		{"accept", get(api + "/"), get(api+"/", "Accept: text/csv"), ""},
		{"kind", json(`{"a":"1"}`), form("a=1"), ""},
		{"the whole body", json(`[1]`), json(`2`), ""},
		{"digest", typed("text/plain", "a"), typed("text/plain", "b"), ""},
		{"a file", multi("b", part("a", "x", `; filename="f"`)), multi("b", part("a", "y", `; filename="f"`)), ""},
		{"an amount", form("amount=100"), form("amount=200"), ""},
		{"a test card", form("card[number]=4242424242424242"), form("card[number]=4000000000000002"), ""},
		{"a secret on one side", json(`{"a":{"token":"Qx7vT2mK9pLw4RzB8nYd"}}`), json(`{"a":{"token":null}}`), ""},
		{"one of several", json(`{"run":"1","amount":2}`), json(`{"run":"2","amount":3}`), ""},
		{"eight", json(`[1,2,3,4,5,6,7,8,9]`), json(`[11,12,13,14,15,16,17,18,9]`), `
rules:
  - on: POST api.acme.dev/v1
    as:
      body[*]: integer
`},
		{"too many", json(`[1,2,3,4,5,6,7,8,9]`), json(`[11,12,13,14,15,16,17,18,19]`), ""},
		{"nothing", get(api + "/"), get(api + "/"), ""},
	} {
		d := newDeck(t)
		near := indexOf(d, c.recorded).Nearest(d.read(c.live))
		got := near.Rule
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), got); diff != "" {
			t.Errorf("%s\n%s", c.what, diff)
		}
		if got == "" {
			continue
		}
		// Pasted, it makes the two requests the same.
		var config struct {
			Rules []Rule `yaml:"rules"`
		}
		if err := yaml.Unmarshal([]byte(got), &config); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		d = newDeck(t, config.Rules...)
		if a, b := d.read(c.recorded), d.read(c.live); a.Key != b.Key {
			t.Errorf("%s: the rule does not help:\n%s", c.what, cmp.Diff(a.String(), b.String()))
		}
	}
}

// A rule is not offered when recorded requests would become the same by it, and which
// of them is meant a guess.
func TestNoRuleMergesRecordings(t *testing.T) {
	const api = "https://api.acme.dev"
	for _, c := range []struct {
		what          string
		first, second request
		live          request
		offered       bool
	}{
		{"reads", get(api + "/l?tenant=a"), get(api + "/l?tenant=b"), get(api + "/l?tenant=c"), false},
		{"reads of UUIDs", get(api + "/l?t=" + uuid1), get(api + "/l?t=" + uuid2), get(api + "/l?t=" + strings.Replace(uuid1, "0", "1", 1) + ""), false},
		{"words that are sent", json(`{"run":"a","x":1}`), json(`{"run":"b","x":1}`), json(`{"run":"c","x":1}`), false},
		{"UUIDs that are sent", json(`{"id":"` + uuid1 + `"}`), json(`{"id":"` + uuid2 + `"}`), json(`{"id":"01234567-89ab-4cde-8f01-23456789abcd"}`), true},
		{"another that differs in more", json(`{"run":"a","x":1}`), json(`{"run":"b","x":2}`), json(`{"run":"c","x":1}`), true},
	} {
		d := newDeck(t)
		near := indexOf(d, c.first, c.second).Nearest(d.read(c.live))
		if offered := near.Rule != ""; offered != c.offered {
			t.Errorf("%s: rule %q, hint %q", c.what, near.Rule, near.Hint)
		}
	}
}

func TestHint(t *testing.T) {
	d := newDeck(t)
	list := []clean.Interaction{d.interaction(get(endpoint, "X-Tenant: a"), "{}")} // before the rule: not stored
	later, err := New([]Rule{{On: "GET api.acme.dev/**", Headers: []string{"X-Tenant"}}})
	if err != nil {
		t.Fatal(err)
	}
	d.matcher, d.cleaner.KeepRequestHeader = later, later.Stores
	near := NewIndex(later, list).Nearest(d.read(get(endpoint, "X-Tenant: a")))
	if !strings.Contains(near.Hint, "no header x-tenant") || !strings.Contains(near.Hint, "record again") {
		t.Errorf("%+v", near)
	}
}

// TestNearestOfMany: the explanation is the same and in bounds however much is recorded.
func TestNearestOfMany(t *testing.T) {
	d := newDeck(t)
	one := d.interaction(json(`{"a":0,"b":0}`), "{}")
	list := slices.Repeat([]clean.Interaction{one}, 3_000)
	for i := range 3_000 {
		list = append(list, d.interaction(get(fmt.Sprintf("https://api.acme.dev/orders/%d?x=%d", i, i%7)), "{}"))
	}
	ix := NewIndex(d.matcher, list)
	if near := ix.Nearest(d.read(json(`{"a":0,"b":1}`))); near.Position != 0 || len(near.Differences) != 1 {
		t.Errorf("%+v", near)
	}
	if near := ix.Nearest(d.read(get("https://api.acme.dev/orders/x?x=3"))); near.Position != 3_003 || len(near.Differences) != 1 {
		t.Errorf("%+v", near)
	}
}
