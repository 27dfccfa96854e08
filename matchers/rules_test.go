package matchers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	uuid1 = "0b4e1b9e-3b0f-4a0e-9d5b-0f7c6d0d7c11"
	uuid2 = "F2D9C2A4-77AA-4D0B-8B7E-5A1B2C3D4E5F"
)

// TestRules: which pairs are the same under a rule.
func TestRules(t *testing.T) {
	const on = "POST api.acme.dev/v1"
	for _, c := range []struct {
		what string
		rule Rule
		a, b request
		same bool
	}{
		{"ignore a member", Rule{On: on, Ignore: []string{"body.run"}}, json(`{"run":1,"x":2}`), json(`{"run":{"a":[2]},"x":2}`), true},
		{"ignore an absent member", Rule{On: on, Ignore: []string{"body.run"}}, json(`{"run":1,"x":2}`), json(`{"x":2}`), true},
		{"ignore leaves the rest", Rule{On: on, Ignore: []string{"body.run"}}, json(`{"run":1,"x":2}`), json(`{"run":1,"x":3}`), false},
		{"ignore in elements", Rule{On: on, Ignore: []string{"body.items[*].t"}}, json(`{"items":[{"t":1},{"t":2,"x":1}]}`), json(`{"items":[{"t":3},{"t":4,"x":1}]}`), true},
		{"ignore any member", Rule{On: on, Ignore: []string{"body.*.t"}}, json(`{"a":{"t":1,"x":1}}`), json(`{"a":{"t":2,"x":1}}`), true},
		{"ignore a quoted name", Rule{On: on, Ignore: []string{`body["a.b"]`}}, json(`{"a.b":1}`), json(`{"a.b":2}`), true},
		{"ignore a query field", Rule{On: "GET api.acme.dev/v1", Ignore: []string{"query._"}}, get(endpoint + "?_=1&a=1"), get(endpoint + "?_=2&a=1"), true},
		{"ignore a header", Rule{On: "GET api.acme.dev/v1", Ignore: []string{"header.Stripe-Version"}}, get(endpoint, "Stripe-Version: 1"), get(endpoint), true},
		{"ignore auth", Rule{On: "GET api.acme.dev/v1", Ignore: []string{"auth"}}, get(endpoint, "Authorization: Bearer x"), get(endpoint), true},
		{"ignore the body", Rule{On: on, Ignore: []string{"body"}}, json(`{"a":1}`), form("x"), true},
		{"ignore a text body", Rule{On: on, Ignore: []string{"body"}}, typed("text/plain", "a"), typed("text/plain", "b"), true},
		{"ignore a cookie", Rule{On: "GET api.acme.dev/v1", Ignore: []string{"header.cookie.theme"}}, get(endpoint, "Cookie: theme=dark"), get(endpoint), true},
		{"ignore a part", Rule{On: on, Ignore: []string{"body.trace"}},
			multi("b", part("trace", "1"), part("a", "x")), multi("b", part("trace", "2", "\nContent-Type: text/css"), part("a", "x")), true},
		{"another method", Rule{On: "PUT api.acme.dev/v1", Ignore: []string{"body"}}, json(`[1]`), json(`[2]`), false},
		{"another host", Rule{On: "POST acme.dev/v1", Ignore: []string{"body"}}, json(`[1]`), json(`[2]`), false},
		{"another path", Rule{On: "POST api.acme.dev/v1/x", Ignore: []string{"body"}}, json(`[1]`), json(`[2]`), false},

		{"as uuid", Rule{On: on, As: map[string]string{"body.id": "uuid"}}, json(`{"id":"` + uuid1 + `"}`), json(`{"id":"` + uuid2 + `"}`), true},
		{"as uuid of another shape", Rule{On: on, As: map[string]string{"body.id": "uuid"}}, json(`{"id":"` + uuid1 + `"}`), json(`{"id":"x"}`), false},
		{"as uuid and absence", Rule{On: on, As: map[string]string{"body.id": "uuid"}}, json(`{"id":"` + uuid1 + `"}`), json(`{}`), false},
		{"wrong shapes stay apart", Rule{On: on, As: map[string]string{"body.id": "uuid"}}, json(`{"id":"x"}`), json(`{"id":"y"}`), false},
		{"the shape is no value", Rule{On: on, As: map[string]string{"body.id": "uuid"}}, json(`{"id":"` + uuid1 + `"}`), json(`{"id":""}`), false},
		{"as time", Rule{On: on, As: map[string]string{"body.t": "time"}}, json(`{"t":"2026-11-21T10:00:00Z"}`), json(`{"t":1795255200}`), true},
		{"as integer", Rule{On: on, As: map[string]string{"body.n": "integer"}}, json(`{"n":17}`), json(`{"n":1.8e1}`), true},
		{"no integer", Rule{On: on, As: map[string]string{"body.n": "integer"}}, json(`{"n":17}`), json(`{"n":1.5}`), false},
		{"true is no integer", Rule{On: on, As: map[string]string{"body.n": "integer"}}, json(`{"n":17}`), json(`{"n":true}`), false},
		{"as below", Rule{On: on, As: map[string]string{"body.ids": "uuid"}}, json(`{"ids":["` + uuid1 + `"]}`), json(`{"ids":["` + uuid2 + `"]}`), true},
		{"as on a header", Rule{On: "GET api.acme.dev/v1", As: map[string]string{"header.X-Request": "uuid"}}, get(endpoint, "X-Request: "+uuid1), get(endpoint, "X-Request: "+uuid2), true},
		{"as makes a header count", Rule{On: "GET api.acme.dev/v1", As: map[string]string{"header.X-Request": "uuid"}}, get(endpoint, "X-Request: "+uuid1), get(endpoint), false},

		{"rewrite", Rule{On: on, Rewrite: []Rewrite{{"body.input", `\d{4}-\d\d-\d\d`, "DATE"}}},
			json(`{"input":"It is 2026-11-21."}`), json(`{"input":"It is 2027-01-02."}`), true},
		{"rewrite leaves the rest", Rule{On: on, Rewrite: []Rewrite{{"body.input", `\d{4}-\d\d-\d\d`, "DATE"}}},
			json(`{"input":"It is 2026-11-21."}`), json(`{"input":"It was 2027-01-02."}`), false},
		{"rewrite with groups", Rule{On: on, Rewrite: []Rewrite{{"body.u", `//(\w+)\d`, "//$1"}}}, json(`{"u":"//a1"}`), json(`{"u":"//a2"}`), true},
		{"rewrite a path", Rule{On: "GET api.acme.dev/**", Rewrite: []Rewrite{{"path", `^/run-\d+/`, "/run/"}}}, get("https://api.acme.dev/run-1/x"), get("https://api.acme.dev/run-2/x"), true},
		{"rewrite a host", Rule{On: "GET *.acme.dev/**", Rewrite: []Rewrite{{"host", `^\d+`, "N"}}}, get("https://1.acme.dev/"), get("https://2.acme.dev/"), true},
		{"rewrite a text body", Rule{On: on, Rewrite: []Rewrite{{"body", `nonce=\w+`, ""}}}, typed("text/plain", "a nonce=1"), typed("text/plain", "a nonce=2"), true},

		{"unordered", Rule{On: on, Unordered: []string{"body.fields"}}, json(`{"fields":["a","b"]}`), json(`{"fields":["b","a"]}`), true},
		{"unordered counts", Rule{On: on, Unordered: []string{"body.fields"}}, json(`{"fields":["a","b","b"]}`), json(`{"fields":["a","a","b"]}`), false},
		{"unordered objects", Rule{On: on, Unordered: []string{"body.f"}}, json(`{"f":[{"a":1,"b":[1,2]},{"a":2}]}`), json(`{"f":[{"a":2},{"b":[1,2],"a":1}]}`), true},
		{"unordered only here", Rule{On: on, Unordered: []string{"body.f"}}, json(`{"f":[{"b":[1,2]}]}`), json(`{"f":[{"b":[2,1]}]}`), false},
		{"unordered in unordered", Rule{On: on, Unordered: []string{"body.f", "body.f[*].b"}}, json(`{"f":[{"b":[1,2]},{"b":[4,3]}]}`), json(`{"f":[{"b":[3,4]},{"b":[2,1]}]}`), true},
		{"unordered and ignored", Rule{On: on, Unordered: []string{"body.f"}, Ignore: []string{"body.f[*].t"}}, json(`{"f":[{"a":1,"t":9},{"a":2,"t":1}]}`), json(`{"f":[{"a":2,"t":5},{"a":1,"t":4}]}`), true},
		{"unordered form", Rule{On: on, Unordered: []string{"body.expand"}}, form("expand[]=a&expand[]=b"), form("expand[]=b&expand[]=a"), true},
		{"unordered repetitions", Rule{On: "GET api.acme.dev/v1", Unordered: []string{"query.a"}}, get(endpoint + "?a=1&a=2"), get(endpoint + "?a=2&a=1"), true},
		{"unordered root", Rule{On: on, Unordered: []string{"body"}}, json(`[1,2]`), json(`[2,1]`), true},
		{"types in unordered", Rule{On: on, Unordered: []string{"body.f"}}, json(`{"f":["1",2]}`), json(`{"f":["2",1]}`), false},

		{"headers", Rule{On: "GET api.acme.dev/v1", Headers: []string{"x-tenant"}}, get(endpoint, "X-Tenant: a"), get(endpoint, "X-Tenant: b"), false},
		{"headers in order", Rule{On: "GET api.acme.dev/v1", Headers: []string{"x-tenant"}}, get(endpoint, "X-Tenant: a", "X-Tenant: b"), get(endpoint, "X-Tenant: b", "X-Tenant: a"), false},
		{"cookies as facts", Rule{On: "GET api.acme.dev/v1", Headers: []string{"Cookie"}, Ignore: []string{"header.cookie.b"}}, get(endpoint, "Cookie: a=1; b=2"), get(endpoint, "Cookie: b=3; a=1"), true},
	} {
		d := newDeck(t, c.rule)
		a, b := d.read(c.a), d.read(c.b)
		if (a.Key == b.Key) != c.same {
			t.Errorf("%s: same is %v, want %v\n%s%s", c.what, !c.same, c.same, a, b)
		}
	}
}

func TestRuleErrors(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{}, `rule 1: on: "" is not "METHOD host/path"`},
		{Rule{On: "api.acme.dev/**"}, `is not "METHOD host/path"`},
		{Rule{On: "GET https://h/"}, "has a scheme"},
		{Rule{On: "GET h/a?b"}, "has a query"},
		{Rule{On: "G,T h/a"}, `has the method "G,T"`},
		{Rule{On: "GET /a"}, "names no host"},
		{Rule{On: "GET h/{id}.json"}, "has a brace inside"},
		{Rule{On: "GET h/", Ignore: []string{"bdy.x"}}, `ignore: bdy.x: there is no fact "bdy"`},
		{Rule{On: "GET h/", Ignore: []string{"body[]"}}, "ignore: pattern \"body[]\", character 6"},
		{Rule{On: "GET h/", As: map[string]string{"body.x": "uid"}}, `as: body.x: "uid" is no shape`},
		{Rule{On: "GET h/", As: map[string]string{"path": "uuid"}}, `as: path: there is no fact "path"`},
		{Rule{On: "GET h/", Rewrite: []Rewrite{{"body.x", "(", ""}}}, "rewrite: find: error parsing regexp"},
		{Rule{On: "GET h/", Rewrite: []Rewrite{{"body.x", "", ""}}}, "find is empty"},
		{Rule{On: "GET h/", Rewrite: []Rewrite{{"method", "x", ""}}}, `rewrite: fact: method: there is no fact`},
		{Rule{On: "GET h/", Unordered: []string{"header.x"}}, "unordered: header.x"},
		{Rule{On: "GET h/", Headers: []string{"a b"}}, `headers: "a b" is not a header's name`},
		{Rule{On: "GET h/", Affects: []string{"h/x"}}, `affects: "h/x" is not`},
		{Rule{On: "GET h/", Repeat: "forever"}, `repeat: "forever" is unknown`},
		{Rule{On: "GET h/", Echo: "no"}, `echo: "no" is unknown`},
	} {
		if _, err := New([]Rule{c.rule}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.rule, err, c.want)
		}
	}
	if _, err := New([]Rule{{On: "GET h/"}, {Source: "tapedeck.yaml:12"}}); err == nil || !strings.HasPrefix(err.Error(), "tapedeck.yaml:12: on: ") {
		t.Errorf("the source is not named: %v", err)
	}
}

// TestRulesAdd: later rules add to earlier ones.
func TestRulesAdd(t *testing.T) {
	d := newDeck(t,
		Rule{On: "POST api.acme.dev/**", Ignore: []string{"body.a"}, Safe: true, Repeat: "last", Echo: "off", As: map[string]string{"body.t": "uuid"}},
		Rule{On: "POST api.acme.dev/v1", Ignore: []string{"body.b"}, Repeat: "cycle", Echo: "on", As: map[string]string{"body.t": "integer"}},
	)
	r := d.read(json(`{"a":1,"b":"two","c":3,"t":7}`))
	if r.Ignored != 2 || !r.Safe || r.Repeat != "cycle" || !r.Echo {
		t.Errorf("%+v", r)
	}
	want := []Invented{{"body.a", "1"}, {"body.b", "two"}, {"body.t", "7"}}
	if diff := cmp.Diff(want, r.Invented); diff != "" {
		t.Error(diff)
	}
	r = d.read(request("POST https://api.acme.dev/v2\nContent-Type: application/json\n\n" + `{"a":1,"t":7}`))
	if r.Ignored != 1 || r.Echo || r.Repeat != "last" || strings.Contains(r.String(), "any") {
		t.Errorf("%+v", r)
	}
}

// TestInvented: secrets, booleans and whole texts are never echoed.
func TestInvented(t *testing.T) {
	d := newDeck(t, Rule{On: "* api.acme.dev/**", Ignore: []string{"body", "query"}, Headers: []string{"X-Run"}, As: map[string]string{"header.x-run": "uuid"}})
	r := d.read(request("POST https://api.acme.dev/v1?run=r1&token=Qx7vT2mK9pLw4RzB8nYd\nX-Run: " + uuid1 + "\nContent-Type: application/json\n\n" +
		`{"id":"x-1","n":1.50,"ok":true,"none":null,"password":"Hs5cJ1gF6uXe3WqA0kPo"}`))
	want := []Invented{{"body.id", "x-1"}, {"body.n", "1.50"}, {"header.x-run", uuid1}, {"query.run", "r1"}}
	if diff := cmp.Diff(want, r.Invented); diff != "" {
		t.Error(diff)
	}
	if len(r.Secrets) != 0 {
		t.Errorf("ignored facts bind secrets: %v", r.Secrets)
	}
	if got := d.read(typed("text/plain", "hello")).Invented; got != nil {
		t.Errorf("a whole text is invented: %v", got)
	}
}

func TestTranslate(t *testing.T) {
	d := newDeck(t, Rule{On: "GET api.acme.dev/**", Headers: []string{"X-Order"}})
	recorded := map[string]string{"live-1": "a b/c", "17": "16"}
	translate := func(s string) (string, bool) { v, ok := recorded[s]; return v, ok }
	for _, c := range []struct{ live, recorded request }{
		{get("https://api.acme.dev/orders/live-1"), get("https://api.acme.dev/orders/a%20b%2Fc")},
		{get("https://api.acme.dev/orders?id=live-1"), get("https://api.acme.dev/orders?id=a+b%2Fc")},
		{get(endpoint, "X-Order: live-1"), get(endpoint, "X-Order: a b/c")},
		{json(`{"id":["live-1",17]}`), json(`{"id":["a b/c",16]}`)},
		{form("id=17"), form("id=16")},
	} {
		if a, b := d.matcher.Read(d.clean(c.live), translate), d.read(c.recorded); a.Key != b.Key {
			t.Errorf("%s", cmp.Diff(a.String(), b.String()))
		}
	}
	for _, r := range []request{
		get("https://api.acme.dev/orders/live-1x"), json(`{"live-1":1}`), json(`"live-1 and more"`), get("https://api.acme.dev/orders?17=1"),
	} {
		if a, b := d.matcher.Read(d.clean(r), translate), d.read(r); a.Key != b.Key {
			t.Errorf("a part of a value was translated:\n%s", a)
		}
	}
}

func TestStores(t *testing.T) {
	d := newDeck(t,
		Rule{On: "GET api.acme.dev/a/{id}", Headers: []string{"x-tenant"}, As: map[string]string{"header.X-Run": "uuid"}, Rewrite: []Rewrite{{"header.x-page", "a", "b"}}},
		Rule{On: "GET api.acme.dev/**", Ignore: []string{"header.X-Noise"}},
	)
	in := d.clean(get("https://api.acme.dev/a/b")).Scope()
	out := d.clean(get("https://api.acme.dev/b")).Scope()
	for name, want := range map[string][2]bool{
		"Accept": {true, true}, "Stripe-Version": {true, true}, "Openai-Beta": {true, true}, "X-Github-Api-Version": {true, true},
		"Authorization": {true, true}, "Cookie": {true, true}, "X-Api-Key": {true, true}, "X-Acme-Api-Key": {true, true}, "Dd-Api-Key": {true, true},
		"X-Tenant": {true, false}, "X-Run": {true, false}, "X-Page": {true, false},
		"X-Noise": {false, false}, "User-Agent": {false, false}, "Idempotency-Key": {false, false}, "X-Csrf-Token": {false, false},
		"Accept-Encoding": {false, false}, "Proxy-Authorization": {false, false},
	} {
		if got := [2]bool{d.matcher.Stores(in, name), d.matcher.Stores(out, name)}; got != want {
			t.Errorf("%s: stored %v, want %v", name, got, want)
		}
	}
}

// TestStoredCredentials: no credential that is stored is stored readable.
func TestStoredCredentials(t *testing.T) {
	d := newDeck(t)
	const secret = "Qx7vT2mK9pLw4RzB8nYd"
	for _, name := range append([]string{"X-Acme-Api-Key", "X-Acme-Apikey", "X-Acme-Access-Token", "X-Acme-Auth-Token", "Authorization"}, keyCredentials...) {
		r := d.clean(get(endpoint, name+": "+secret))
		if values := r.Header(name); len(values) != 1 || strings.Contains(values[0], secret) {
			t.Errorf("%s is stored as %q", name, values)
		}
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		value string
		want  string // the shapes it has
	}{
		{uuid1, "uuid"}, {uuid2, "uuid"}, {uuid1 + "0", ""}, {uuid1[:35] + "g", ""},
		{"2026-11-21T10:00:00Z", "time"}, {"2026-11-21T10:00:00.123+01:00", "time"}, {"2026-11-21", "time"}, {"2026-13-21", ""},
		{"20261121T100000Z", "time"}, {"Sat, 21 Nov 2026 10:00:00 GMT", "time"}, {"2026-11-21 10:00:00", "time"},
		{"1795255200", "integer time"}, {"1795255200123", "integer time"}, {"1795255200.5", "time"}, {"17952552001", "integer"},
		{"0", "integer"}, {"-12", "integer"}, {"007", "integer"}, {"1.5", ""}, {"", ""}, {"-", ""}, {"x", ""},
	} {
		var got []string
		for _, name := range []string{"integer", "time", "uuid"} {
			if shapes[name](c.value) {
				got = append(got, name)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q has the shapes %q, want %q", c.value, s, c.want)
		}
	}
}
