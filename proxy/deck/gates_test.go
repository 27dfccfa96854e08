package deck_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// A script is requests and their answers, a line each:
//
//	METHOD host/path {body} > answer
//
// A host may be left out (api.acme.dev), and so may the body. An answer that
// begins with { is JSON. "alice:" before the method is who asks.
type script []step

type step struct{ who, method, url, body, answer string }

func lines(text string) (out script) {
	for line := range strings.Lines(text) {
		request, answer, ok := strings.Cut(strings.TrimSpace(line), " > ")
		if !ok {
			continue
		}
		s := step{answer: answer}
		if who, rest, ok := strings.Cut(request, ": "); ok && !strings.Contains(who, " ") {
			s.who, request = who, rest
		}
		s.method, request, _ = strings.Cut(request, " ")
		request, s.body, _ = strings.Cut(request, " ")
		if strings.HasPrefix(request, "/") {
			request = "api.acme.dev" + request
		}
		s.url = "https://" + request
		out = append(out, s)
	}
	return out
}

// scripted answers as a script says, in its order.
type scripted struct {
	t    *testing.T
	rest script
}

func (u *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	next := u.rest[0]
	u.rest = u.rest[1:]
	if req.Method != next.method || req.URL.String() != next.url {
		u.t.Errorf("the upstream was asked %s %s, and not %s %s", req.Method, req.URL, next.method, next.url)
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(strings.NewReader(next.answer)), ContentLength: int64(len(next.answer)), Request: req}
	switch {
	case strings.HasPrefix(next.answer, "{"):
		resp.Header.Set("Content-Type", jsonType)
	case next.answer == "304":
		resp.StatusCode, resp.Body, resp.ContentLength = 304, http.NoBody, 0
	}
	return resp, nil
}

// tokens are the credentials of those who ask in scripts, when recording and now.
var tokens = map[string][2]string{
	"alice": {"Bearer sk_test_AAAAaaaa11112222333344", "Bearer sk_test_XXXXxxxx99998888777766"},
	"bob":   {"Bearer sk_test_BBBBbbbb55556666777788", "Bearer sk_test_YYYYyyyy11110000999988"},
}

// send asks for one step. live says whose credentials are sent.
func (s step) send(t *testing.T, d http.RoundTripper, live int, header ...string) (*http.Response, string) {
	t.Helper()
	if s.who != "" {
		header = append(header, "Authorization", tokens[s.who][live])
	}
	if s.body != "" {
		header = append(header, "Content-Type", jsonType)
	}
	return ask(t, d, s.method, s.url, s.body, header...)
}

// recordScript records a script into the bench's cassette.
func (b *bench) recordScript(text string, change ...func(*deck.Options)) {
	b.t.Helper()
	s := lines(text)
	d := b.open(deck.RecordOnly, &scripted{b.t, s}, change...)
	for _, step := range s {
		step.send(b.t, d, 0)
	}
	b.close(d)
}

// playScript plays a script and compares every answer. An answer after ? is
// wanted to be reported as unproven, and MISS is a miss; one that ends in … may
// go on.
func (b *bench) playScript(d *deck.Deck, text string) {
	b.t.Helper()
	for i, step := range lines(text) {
		before := len(d.Report().Unproven)
		resp, got := step.send(b.t, d, 1)
		if resp.StatusCode == deck.StatusMiss {
			if step.answer != "MISS" {
				b.t.Errorf("step %d, %s %s: a miss, want %s\n%s", i, step.method, step.url, step.answer, got)
			}
			continue
		}
		unproven := d.Report().Unproven[before:]
		if len(unproven) > 0 {
			got = "?" + got
		}
		if start, open := strings.CutSuffix(step.answer, "…"); got != step.answer && (!open || !strings.HasPrefix(got, start)) {
			b.t.Errorf("step %d, %s %s: got %s, want %s %q", i, step.method, step.url, got, step.answer, unproven)
		}
	}
}

func withRules(t testing.TB, rules ...matchers.Rule) func(*deck.Options) {
	t.Helper()
	m, err := matchers.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *deck.Options) { o.Matcher = m }
}

func TestGates(t *testing.T) {
	for _, tc := range []struct {
		what, recorded string
		played         []string // each from the beginning
		rules          []matchers.Rule
	}{
		{what: "one change, more polls", // docs/replay.md, first example
			recorded: `
				GET /a > A
				POST /a > .
				GET /a > B`,
			played: []string{`
				GET /a > A
				GET /a > A
				GET /a > A
				POST /a > .
				GET /a > B`}},
		{what: "polls", // the second
			recorded: `
				POST /a > 1
				GET /a > pending
				GET /a > pending
				GET /a > done
				POST /a > 2
				GET /a > x`,
			played: []string{`
				POST /a > 1
				GET /a > pending
				POST /a > 2
				GET /a > x`, `
				POST /a > 1
				GET /a > pending
				GET /a > pending
				GET /a > done
				GET /a > done
				POST /a > 2
				GET /a > x`}},
		{what: "two tests in another order", // the third
			recorded: `
				POST /a > .
				GET /a > A1
				PUT /a > .
				GET /a > A2
				POST /b > .
				DELETE /b > .`,
			played: []string{`
				POST /b > .
				DELETE /b > .
				POST /a > .
				GET /a > A1
				PUT /a > .
				GET /a > A2`}},
		{what: "a related change behind one that is not",
			recorded: `
				POST /things {"n":1} > {"id":"t1"}
				GET /things/t1 > old
				POST /things {"n":2} > {"id":"t2"}
				GET /things/t1 > old
				DELETE /things/t1 > .
				GET /things/t1 > gone`,
			played: []string{`
				POST /things {"n":1} > {"id":"t1"}
				GET /things/t1 > old
				DELETE /things/t1 > .
				GET /things/t1 > ?gone
				POST /things {"n":2} > {"id":"t2"}
				GET /things/t1 > gone`}},
		{what: "two things in one collection",
			recorded: `
				POST /customers {"name":"A"} > {"id":"1"}
				GET /customers/1 > A
				GET /customers > A
				POST /customers {"name":"B"} > {"id":"2"}
				GET /customers/2 > B
				GET /customers > A, B
				PUT /customers/1 {"name":"C"} > .
				GET /customers/1 > C
				GET /customers/2 > B
				GET /customers > C, B
				DELETE /customers/1 > .
				GET /customers/1 > gone
				GET /customers > B`,
			played: []string{
				// B alone is proven, the list of both is not.
				`
				POST /customers {"name":"B"} > {"id":"2"}
				GET /customers/2 > B
				GET /customers > ?A
				POST /customers {"name":"A"} > {"id":"1"}
				GET /customers > A, B
				GET /customers/1 > A
				GET /customers/1 > A
				PUT /customers/1 {"name":"C"} > .
				GET /customers/1 > C
				GET /customers > C, B
				DELETE /customers/1 > .
				GET /customers/1 > gone
				GET /customers > B
				GET /customers > B`,
				// Read before it was made: the API would have said 404.
				`
				GET /customers/1 > ?A`,
				// Changed in another order than recorded.
				`
				POST /customers {"name":"A"} > {"id":"1"}
				DELETE /customers/1 > .
				GET /customers/1 > ?A`,
			}},
		{what: "a change after the last answer",
			recorded: `
				POST /things > {"id":"t1"}
				GET /things/t1 > there
				DELETE /things/t1 > .`,
			played: []string{`
				POST /things > {"id":"t1"}
				GET /things/t1 > there
				GET /things/t1 > there
				DELETE /things/t1 > .
				GET /things/t1 > ?there`}},
		{what: "what is below a collection and no item of it waits for what is added",
			recorded: `
				GET /things/count > 0
				POST /things > {"id":"t1"}
				GET /things/count > 1`,
			played: []string{`
				GET /things/count > 0
				POST /things > {"id":"t1"}
				GET /things/count > 1
				GET /things/count > 1`}},
		{what: "another host, when nothing on this one came between",
			recorded: `
				GET /balance > 0
				POST bank.acme.dev/pay > .
				GET /balance > 5`,
			played: []string{`
				GET /balance > 0
				GET /balance > 0
				POST bank.acme.dev/pay > .
				GET /balance > 5`}},
		{what: "another host, when something related came between",
			recorded: `
				GET /balance > 0
				POST bank.acme.dev/pay > .
				POST /balance > .
				GET /balance > 5`,
			played: []string{`
				GET /balance > 0
				POST /balance > .
				GET /balance > 5`, `
				GET /balance > 0
				POST bank.acme.dev/pay > .
				GET /balance > 0`}},
		{what: "an id shared between hosts",
			recorded: `
				POST files.acme.dev/files > {"id":"f1"}
				POST /disputes {"evidence":"f1"} > {"id":"d1"}
				GET /disputes/d1 > {"id":"d1","evidence":"f1","pages":1}
				PUT files.acme.dev/files/f1 > .
				POST /noise > .
				GET /disputes/d1 > {"id":"d1","evidence":"f1","pages":2}`,
			played: []string{`
				POST files.acme.dev/files > {"id":"f1"}
				POST /disputes {"evidence":"f1"} > {"id":"d1"}
				GET /disputes/d1 > {"id":"d1","evidence":"f1","pages":1}
				POST /noise > .
				GET /disputes/d1 > {"id":"d1","evidence":"f1","pages":1}
				PUT files.acme.dev/files/f1 > .
				GET /disputes/d1 > {"id":"d1","evidence":"f1","pages":2}`}},
		{what: "a file made on another host that a new thing does not show yet",
			recorded: `
				POST files.acme.dev/files > {"id":"file_9aK2mQ7xLp3Z"}
				POST /disputes {"evidence":"file_9aK2mQ7xLp3Z"} > {"id":"d1"}
				GET /disputes/d1 > {"file":"https://files.acme.dev/files/file_9aK2mQ7xLp3Z?x=1"}`,
			played: []string{`
				POST /disputes {"evidence":"file_9aK2mQ7xLp3Z"} > {"id":"d1"}
				GET /disputes/d1 > ?{"file"…`}},
		{what: "a secret in two paths is an id",
			recorded: `
				POST /tokens {"password":"Qx7vT2mK9pLw4RzB8nYd"} > .
				GET /who?client_secret=Qx7vT2mK9pLw4RzB8nYd > old
				POST /rotate {"client_secret":"Qx7vT2mK9pLw4RzB8nYd"} > .
				POST /noise > .
				GET /who?client_secret=Qx7vT2mK9pLw4RzB8nYd > new`,
			played: []string{`
				POST /tokens {"password":"Zx7vT2mK9pLw4RzB8nYd"} > .
				GET /who?client_secret=Zx7vT2mK9pLw4RzB8nYd > old
				POST /noise > .
				GET /who?client_secret=Zx7vT2mK9pLw4RzB8nYd > old
				POST /rotate {"client_secret":"Zx7vT2mK9pLw4RzB8nYd"} > .
				GET /who?client_secret=Zx7vT2mK9pLw4RzB8nYd > new`}},
		{what: "a gate answered in part",
			recorded: `
				GET /a > 0
				PUT /a/x > .
				PUT /a/y > .
				GET /a > 2`,
			played: []string{`
				GET /a > 0
				PUT /a/y > .
				GET /a > ?0
				PUT /a/x > .
				GET /a > 2`}},
		{what: "two changes of one thing the other way round",
			recorded: `
				POST /things/t1 {"name":"x"} > {"id":"t1","name":"x"}
				POST /things/t1 {"name":"y"} > {"id":"t1","name":"y"}
				GET /things/t1 > y
				GET /others > others
				PUT /things/t1 > .
				GET /things/t1 > z`,
			played: []string{`
				POST /things/t1 {"name":"y"} > {"id":"t1","name":"y"}
				POST /things/t1 {"name":"x"} > {"id":"t1","name":"x"}
				GET /things/t1 > ?y
				GET /others > others
				PUT /things/t1 > .
				GET /things/t1 > ?z`}},
		{what: "a search by POST",
			recorded: `
				POST /things {"name":"x"} > {"id":"t1"}
				POST /search {"q":"x"} > one
				POST /things {"name":"y"} > {"id":"t2"}
				POST /search {"q":"x"} > two`,
			rules: []matchers.Rule{{On: "POST api.acme.dev/search", Safe: true}},
			played: []string{`
				POST /things {"name":"x"} > {"id":"t1"}
				POST /search {"q":"x"} > one
				POST /search {"q":"x"} > one
				POST /search {"q":"x"} > one
				POST /things {"name":"y"} > {"id":"t2"}
				POST /search {"q":"x"} > two`}},
		{what: "a rule says what a change affects",
			recorded: `
				GET /report > 0
				POST /orders > .
				POST /report/views > .
				GET /report > 1`,
			rules: []matchers.Rule{{On: "POST api.acme.dev/orders", Affects: []string{"GET api.acme.dev/report"}}},
			played: []string{`
				GET /report > 0
				POST /report/views > .
				GET /report > ?0
				POST /orders > .
				GET /report > 1`}},
		{what: "without the rule",
			recorded: `
				GET /report > 0
				POST /orders > .
				POST /report/views > .
				GET /report > 1`,
			played: []string{`
				GET /report > 0
				POST /report/views > .
				GET /report > 1`}},
		{what: "each caller has a sequence",
			recorded: `
				alice: POST /login {"who":"alice"} > .
				bob: POST /login {"who":"bob"} > .
				alice: GET /me > alice 0
				bob: GET /me > bob 0
				alice: PUT /me {"n":1} > .
				alice: GET /me > alice 1
				bob: GET /me > bob 0, still
				bob: PUT /me {"n":1} > .
				bob: GET /me > bob 1`,
			played: []string{`
				bob: POST /login {"who":"bob"} > .
				alice: POST /login {"who":"alice"} > .
				alice: GET /me > alice 0
				bob: GET /me > bob 0
				bob: GET /me > bob 0
				alice: GET /me > alice 0
				alice: PUT /me {"n":1} > .
				bob: GET /me > bob 0, still
				bob: GET /me > bob 0, still
				alice: GET /me > alice 1
				alice: GET /me > alice 1`}},
		{what: "repeat: cycle goes round within a state",
			recorded: `
				GET /a > 1
				GET /a > 2
				POST /a > .
				GET /a > 3`,
			rules: []matchers.Rule{{On: "GET api.acme.dev/a", Repeat: "cycle"}},
			played: []string{`
				GET /a > 1
				GET /a > 2
				GET /a > 1
				POST /a > .
				GET /a > 3
				GET /a > 3`}},
		{what: "repeat: cycle of what changes leaves it answered",
			recorded: `
				POST /a > 1
				GET /a > A
				POST /a > 2
				GET /a > B`,
			rules: []matchers.Rule{{On: "POST api.acme.dev/a", Repeat: "cycle"}},
			played: []string{`
				POST /a > 1
				GET /a > A
				POST /a > 2
				GET /a > B
				POST /a > 1
				GET /a > B`}},
		{what: "repeat: last of what changes",
			recorded: `
				POST /a > 1
				GET /a > A`,
			rules: []matchers.Rule{{On: "POST api.acme.dev/a", Repeat: "last"}},
			played: []string{`
				POST /a > 1
				POST /a > 1
				GET /a > A`}},
		{what: "a miss changes nothing",
			recorded: `
				GET /a > A
				POST /a {"x":1} > .
				GET /a > B`,
			played: []string{`
				GET /a > A
				POST /a {"x":2} > MISS
				GET /a > A
				POST /a {"x":1} > .
				POST /a {"x":1} > MISS
				GET /a > B`}},
		{what: "a path that is written otherwise, and one that only begins like another",
			recorded: `
				GET /a%2Fb > 0
				POST /a > .
				POST API.acme.dev:443/%61%2fb/ > .
				GET /a%2Fb > 1
				GET /ab > 2`,
			played: []string{`
				GET /a%2Fb > 0
				POST /a > .
				GET /a%2Fb > 0
				POST API.acme.dev:443/%61%2fb/ > .
				GET /a%2Fb > 1
				GET /ab > 2`}},
		{what: "only safe requests",
			recorded: `
				GET /a > 1
				GET /a > 2`,
			played: []string{`
				GET /a > 1
				GET /a > 2
				GET /a > 2`}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := newBench(t)
			b.store = newMemoryStore()
			rules := withRules(t, tc.rules...)
			b.recordScript(tc.recorded, rules)
			strict := b.open(deck.ReplayOnly, nil, rules, func(o *deck.Options) { o.Strict = true })
			b.playScript(strict, tc.recorded)
			if r := strict.Report(); len(r.Unused)+len(r.Misses)+len(r.Unproven) > 0 {
				t.Errorf("in recorded order: unused %q, missed %v, unproven %q", r.Unused, r.Misses, r.Unproven)
			}
			for i, played := range tc.played {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					b := &bench{t, b.dir, b.store}
					b.playScript(b.open(deck.ReplayOnly, nil, rules), played)
				})
			}
		})
	}
}

func fifo(o *deck.Options) { o.Sequence = deck.Fifo }

func strict(o *deck.Options) { o.Strict = true }

func TestFifo(t *testing.T) {
	b := newBench(t)
	b.recordScript(`
		GET /a > 1
		POST /a > .
		GET /a > 2
		PUT /a > .
		GET /a > 3`)
	b.playScript(b.open(deck.ReplayOnly, nil, fifo, strict), `
		GET /a > 1
		GET /a > 2
		GET /a > 3
		GET /a > 3
		POST /a > .
		POST /a > MISS`)
}

func TestParseSequence(t *testing.T) {
	for name, want := range map[string]deck.Sequence{"": deck.Gates, "gates": deck.Gates, "fifo": deck.Fifo} {
		if got, err := deck.ParseSequence(name); got != want || err != nil {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
	if _, err := deck.ParseSequence("lifo"); err == nil || !strings.Contains(err.Error(), "use gates or fifo") {
		t.Errorf("lifo: %v", err)
	}
}

// Under --strict an unproven play is a miss, and its reason can be acted upon.
func TestStrictGates(t *testing.T) {
	b := newBench(t)
	recorded := `
		POST /a > .
		GET /a > 0
		PUT /a {"n":1} > .
		PUT /a {"n":2} > .
		PUT /a {"n":3} > .
		PUT /a {"n":4} > .
		GET /a > 4
		DELETE /a > .`
	b.recordScript(recorded)
	for _, tc := range []struct{ sent, reason string }{
		{"", "it was recorded after interaction 0 (POST https://api.acme.dev/a), which this session has not sent"},
		{"POST {}, PUT 2", "of what was recorded before interaction 6 (GET https://api.acme.dev/a), this session has sent a part; " +
			"what is missing is interaction 2 (PUT https://api.acme.dev/a), interaction 4 (PUT https://api.acme.dev/a) and 1 more"},
		{"POST {}, DELETE {}", "this session has sent interaction 7 (DELETE https://api.acme.dev/a), which was recorded later, " +
			"and not interaction 2 (PUT https://api.acme.dev/a), interaction 3 (PUT https://api.acme.dev/a) and 2 more"},
		{"POST {}, PUT 1, PUT 2, PUT 3, PUT 4, DELETE {}", "nothing was recorded after interaction 7 (DELETE https://api.acme.dev/a), which this session has sent"},
	} {
		for _, isStrict := range []bool{false, true} {
			d := b.open(deck.ReplayOnly, nil, func(o *deck.Options) { o.Strict = isStrict })
			for _, request := range strings.Split(tc.sent, ", ") {
				if method, n, ok := strings.Cut(request, " "); ok {
					body := ""
					if n != "{}" {
						body = `{"n":` + n + `}`
					}
					if resp, _ := ask(t, d, method, "https://api.acme.dev/a", body, "Content-Type", jsonType); resp.StatusCode != 200 {
						t.Fatalf("%s: %d", request, resp.StatusCode)
					}
				}
			}
			resp, got := ask(t, d, "GET", "https://api.acme.dev/a", "")
			r := d.Report()
			switch {
			case !isStrict && (resp.StatusCode != 200 || len(r.Unproven) != 1 || !strings.HasSuffix(r.Unproven[0], ": "+tc.reason) && !strings.Contains(r.Unproven[0], tc.reason)):
				t.Errorf("after %q: %d, %q", tc.sent, resp.StatusCode, r.Unproven)
			case isStrict && (resp.StatusCode != deck.StatusMiss || len(r.Misses) != 1 || !strings.Contains(r.Misses[0].Reason, tc.reason) || !strings.Contains(got, "--strict")):
				t.Errorf("strict, after %q: %d, %s", tc.sent, resp.StatusCode, got)
			}
		}
	}
}

// breakOff sends a request and leaves before its answer has arrived.
func breakOff(t *testing.T, d http.RoundTripper, method, url string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestAnswerGivenBackIsNotAnswered(t *testing.T) {
	b := newBench(t)
	b.recordScript(`
		GET /a > 0
		POST /a > made
		GET /a > 1
		GET /b > b`)
	d := b.open(deck.ReplayOnly, nil)
	b.playScript(d, "GET /a > 0")
	breakOff(t, d, "POST", "https://api.acme.dev/a")
	// Whether it was made cannot be known; of /b nothing has been changed since.
	b.playScript(d, `
		GET /a > ?0
		POST /a > made
		GET /a > 1
		GET /b > b`)
	if r := d.Report(); !strings.Contains(r.Unproven[0], "interaction 1 (POST https://api.acme.dev/a) did not arrive whole") {
		t.Errorf("unproven: %q", r.Unproven)
	}
	d.Rewind("")
	b.playScript(d, `
		GET /a > 0
		POST /a > made`)
	breakOff(t, d, "GET", "https://api.acme.dev/a")
	b.playScript(d, `
		GET /a > 1
		GET /a > 1`)
}

func TestRewindClosesGates(t *testing.T) {
	b := newBench(t)
	recorded := `
		GET /a > 0
		POST /a > .
		GET /a > 1`
	b.recordScript(recorded)
	d := b.open(deck.ReplayOnly, nil, strict)
	for range 3 {
		b.playScript(d, recorded)
		d.Rewind("")
	}
}

// A retry of a request that changes something changes it once.
func TestRetryAndGates(t *testing.T) {
	b := newBench(t)
	s := lines(`
		GET /a > 0
		POST /a > first
		GET /a > 1
		POST /a > second
		GET /a > 2`)
	d := b.open(deck.RecordOnly, &scripted{t, s})
	for i, step := range s {
		step.send(t, d, 0, "Idempotency-Key", fmt.Sprint("recorded", i))
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, strict)
	for i, step := range []struct{ method, key, want string }{
		{"GET", "g", "0"}, {"POST", "one", "first"}, {"POST", "one", "first"}, {"GET", "g", "1"},
		{"POST", "two", "second"}, {"POST", "one", "first"}, {"POST", "two", "second"}, {"GET", "g", "2"},
	} {
		if _, got := ask(t, d, step.method, "https://api.acme.dev/a", "", "Idempotency-Key", step.key); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

// A retried search is one search.
func TestRetryOfASafePost(t *testing.T) {
	b := newBench(t)
	rules := withRules(t, matchers.Rule{On: "POST api.acme.dev/search", Safe: true})
	s := lines("POST /search > 1\nPOST /search > 2\n")
	d := b.open(deck.RecordOnly, &scripted{t, s}, rules)
	for i, step := range s {
		step.send(t, d, 0, "Idempotency-Key", fmt.Sprint(i))
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, rules)
	for i, step := range [][2]string{{"x", "1"}, {"x", "1"}, {"y", "2"}, {"x", "1"}, {"z", "2"}} {
		if _, got := ask(t, d, "POST", "https://api.acme.dev/search", "", "Idempotency-Key", step[0]); got != step[1] {
			t.Errorf("search %d: %s, want %s", i, got, step[1])
		}
	}
}

func TestNewEpisodesAndGates(t *testing.T) {
	b := newBench(t)
	b.recordScript(`
		GET /a > 0
		POST /a > .
		GET /a > 1
		GET b.acme.dev/x > x`)
	live := lines(`
		GET /a > live 1
		POST /other > live 2
		GET /a > live 3
		GET b.acme.dev/x > live 4`)
	d := b.open(deck.NewEpisodes, &scripted{t, live})
	b.playScript(d, `
		GET /a > 0
		GET /a > 0
		POST /a > .
		GET /a > 1
		GET /a > live 1
		POST /other > live 2
		GET /a > live 3
		GET b.acme.dev/x > x
		GET b.acme.dev/x > live 4`)
	b.close(d)
	b.playScript(b.open(deck.ReplayOnly, nil, strict), `
		GET /a > 0
		POST /a > .
		GET /a > 1
		GET /a > live 1
		POST /other > live 2
		GET /a > live 3`)
}

// What is recorded again is forwarded; the rest plays by what of the rest was sent.
func TestRerecordAndGates(t *testing.T) {
	b := newBench(t)
	b.recordScript(`
		GET /a > 0
		POST /a > old
		PUT /a > .
		GET /a > 1`)
	d := b.open(deck.RecordOnce, &scripted{t, lines("POST /a > new")}, func(o *deck.Options) {
		o.Rerecord = func(r clean.Request) bool { return r.Method() == "POST" }
	})
	b.playScript(d, `
		GET /a > 0
		POST /a > new
		GET /a > 0
		PUT /a > .
		GET /a > 1`)
	b.close(d)
	b.playScript(b.open(deck.ReplayOnly, nil, strict), `
		GET /a > 0
		POST /a > new
		PUT /a > .
		GET /a > 1`)
}

// A client without the copy that a 304 speaks of gets the last answer with a body.
func TestNotModifiedInALaterState(t *testing.T) {
	b := newBench(t)
	s := lines(`
		GET /a > whole
		GET /a > 304
		POST /a > .
		GET /a > 304`)
	d := b.open(deck.RecordOnly, &scripted{t, s})
	for _, step := range s {
		step.send(t, d, 0, "If-None-Match", `"v1"`)
	}
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	b.playScript(d, `
		GET /a > whole
		GET /a > whole
		POST /a > .
		GET /a > whole`)
	d = b.open(deck.ReplayOnly, nil)
	for i, want := range []int{200, 304, 304} {
		if resp, _ := ask(t, d, "GET", "https://api.acme.dev/a", "", "If-None-Match", `"v1"`); resp.StatusCode != want {
			t.Errorf("GET %d: %d, want %d", i, resp.StatusCode, want)
		}
	}
}
