package diff

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// A recorder makes recordings of an API that invents ids and times.
type recorder struct {
	t    testing.TB
	rand *rand.Rand
	now  int64
	list []clean.Interaction
}

func newRecorder(t testing.TB, seed uint64) *recorder {
	return &recorder{t: t, rand: rand.New(rand.NewPCG(seed, 1)), now: 1_760_000_000 + int64(seed)*5000}
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// id invents an id as Stripe's are.
func (r *recorder) id(prefix string) string {
	b := []byte(prefix + "1N")
	for range 14 {
		b = append(b, base62[r.rand.IntN(len(base62))])
	}
	return string(b)
}

func (r *recorder) clock() int64 {
	r.now += int64(r.rand.IntN(3))
	return r.now
}

var rulesOnce = sync.OnceValues(func() (*redact.Rules, error) { return redact.Compile(redact.Config{}) })

func loaded(t testing.TB, list ...clean.Stored) []clean.Interaction {
	t.Helper()
	rules, err := rulesOnce()
	if err != nil {
		t.Fatal(err)
	}
	c := &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
	out := make([]clean.Interaction, len(list))
	for i, s := range list {
		if out[i], err = c.Load(s); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// call records one request; an answer of "" is 204.
func (r *recorder) call(method, target, form, answer string) {
	r.t.Helper()
	s := clean.Stored{
		Meta:   clean.Meta{ID: len(r.list) + 1, Recorded: "2026-11-21"},
		Method: method, URL: "https://api.stripe.com" + target, Proto: "HTTP/1.1", ResponseProto: "HTTP/1.1",
		RequestHeader: http.Header{}, Status: 200, StatusText: "OK",
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "Request-Id": {r.id("req_")}}, ResponseBody: []byte(answer),
	}
	if form != "" {
		s.RequestHeader.Set("Content-Type", "application/x-www-form-urlencoded")
		s.RequestBody = []byte(form)
	}
	if answer == "" {
		s.Status, s.StatusText = 204, "No Content"
		s.ResponseHeader.Del("Content-Type")
	}
	r.list = append(r.list, loaded(r.t, s)...)
}

func (r *recorder) customer() string {
	id := r.id("cus_")
	r.call("POST", "/v1/customers", "email=ada%40example.com", fmt.Sprintf(`{"id":%q,"object":"customer","created":%d,"email":"ada@example.com"}`, id, r.clock()))
	return id
}

func (r *recorder) read(id string) {
	r.call("GET", "/v1/customers/"+id, "", fmt.Sprintf(`{"id":%q,"object":"customer","created":%d,"email":"ada@example.com"}`, id, r.now))
}

func (r *recorder) charge(customer string, amount int) string {
	id := r.id("ch_")
	r.call("POST", "/v1/charges", fmt.Sprintf("amount=%d&customer=%s", amount, customer),
		fmt.Sprintf(`{"id":%q,"amount":%d,"customer":%q,"created":%d,"refunds":{"data":[],"url":"/v1/charges/%s/refunds"}}`, id, amount, customer, r.clock(), id))
	return id
}

func (r *recorder) refund(charge string) {
	r.call("POST", "/v1/refunds", "charge="+charge, fmt.Sprintf(`{"id":%q,"charge":%q,"status":"succeeded"}`, r.id("re_"), charge))
}

func (r *recorder) delete(id string) { r.call("DELETE", "/v1/customers/"+id, "", "") }

func (r *recorder) listed(ids ...string) {
	var items []string
	for _, id := range ids {
		items = append(items, fmt.Sprintf(`{"id":%q,"object":"customer"}`, id))
	}
	r.call("GET", "/v1/customers", "", `{"data":[`+strings.Join(items, ",")+`]}`)
}

func matcher(t testing.TB) *matchers.Matcher {
	t.Helper()
	m, err := matchers.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPairsOfTheSameProgram(t *testing.T) {
	flow := func(r *recorder) {
		a, b := r.customer(), r.customer()
		r.read(a)
		ch := r.charge(b, 1000)
		r.refund(ch)
		r.read(b)
		r.listed(b, a)
		r.delete(a)
	}
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	flow(old)
	flow(fresh)
	takesBack(t, old.list, fresh.list, nil)
}

// takesBack checks that a new recording is the old one once its values are taken back; but
// for new interactions, whose positions are told.
func takesBack(t *testing.T, old, fresh []clean.Interaction, isNew []int) *Pairing {
	t.Helper()
	p, err := Pairs(old, fresh, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Clashes) > 0 {
		t.Errorf("clashes: %+v", p.Clashes)
	}
	seen := map[int]bool{}
	for i, in := range fresh {
		j := p.Old[i]
		if (j < 0) != slices.Contains(isNew, i) {
			t.Errorf("new interaction %d is old %d (near %d)", i, j, p.Near[i])
		}
		if j < 0 {
			continue
		}
		if seen[j] {
			t.Errorf("old interaction %d is two new ones", j)
		}
		seen[j] = true
		if got, want := p.Take(i, Request, "url", in.Request().RawURL()), old[j].Request().RawURL(); got != want {
			t.Errorf("new interaction %d is old %d, and its URL %s and not %s", i, j, got, want)
		}
		a, _ := old[j].Stored()
		b, _ := in.Stored()
		if got := takenBack(p, i, b); string(got) != string(a.ResponseBody) {
			t.Errorf("new interaction %d (old %d) answers\n%s\nwant\n%s", i, j, got, a.ResponseBody)
		}
	}
	return p
}

// takenBack is the JSON body of an answer with the old values.
func takenBack(p *Pairing, i int, s clean.Stored) []byte {
	root := twigOf("application/json", s.ResponseBody)
	out := string(s.ResponseBody)
	var walk func(v *twig, at *spot)
	walk = func(v *twig, at *spot) {
		for n := range v.kids {
			kid := &v.kids[n]
			here := &spot{up: at, name: kid.name, n: n}
			if v.kind == '{' {
				here.n = -1
			}
			walk(kid, here)
		}
		if v.text != "" {
			if to := p.Take(i, Response, at.place(), v.text); to != v.text {
				out = strings.Replace(out, v.text, to, 1)
			}
		}
	}
	walk(&root, &spot{root: "body"})
	return []byte(out)
}

func TestPairsWhenSomethingIsNew(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	a, b := old.customer(), old.customer()
	old.read(a)
	old.delete(b)
	old.listed(a)

	a, b = fresh.customer(), fresh.customer()
	c := fresh.customer() // 2, new
	fresh.read(a)
	fresh.read(c)         // 4, new
	fresh.charge(c, 4000) // 5, new
	fresh.delete(b)
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, -1, 2, -1, -1, 3}; !slices.Equal(p.Old, want) {
		t.Errorf("pairs %v, want %v", p.Old, want)
	}
	if len(p.Clashes) > 0 {
		t.Errorf("clashes: %+v", p.Clashes)
	}
}

// A list that has one more in front teaches nothing wrong.
func TestPairsListWithMore(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	a, b := old.customer(), old.customer()
	old.charge(a, 10)
	old.charge(b, 20)
	old.listed(b, a)
	x, y := fresh.customer(), fresh.customer()
	z := fresh.customer()
	fresh.charge(x, 10)
	fresh.charge(y, 20)
	fresh.listed(z, y, x)
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, -1, 2, 3, 4}; !slices.Equal(p.Old, want) || len(p.Clashes) > 0 {
		t.Errorf("pairs %v, want %v; clashes %v", p.Old, want, p.Clashes)
	}
	if got := p.Take(5, Response, "body.data[1].id", y); got != b {
		t.Errorf("%s is %s, and not %s", y, got, b)
	}
	if got := p.Take(5, Response, "body.data[0].id", z); got != z {
		t.Errorf("the new customer %s became %s", z, got)
	}
}

// Many clients at the same time send the same first request and then go on in different
// ways; each recording has them in another order.
func TestPairsOfParallelClients(t *testing.T) {
	const clients = 64
	record := func(seed uint64) *recorder {
		r := newRecorder(t, seed)
		ids := make([]string, clients)
		steps := make([][]func(), clients)
		for n := range clients {
			steps[n] = []func(){func() { ids[n] = r.customer() }, func() { r.read(ids[n]) }, func() { r.charge(ids[n], 1000+n) }}
			if n%3 == 0 {
				steps[n] = append(steps[n], func() { r.delete(ids[n]) })
			}
		}
		for left := clients; left > 0; {
			n := r.rand.IntN(clients)
			if len(steps[n]) == 0 {
				continue
			}
			steps[n][0]()
			if steps[n] = steps[n][1:]; len(steps[n]) == 0 {
				left--
			}
		}
		return r
	}
	for seed := range uint64(8) {
		takesBack(t, record(2*seed+1).list, record(2*seed+2).list, nil)
	}
}

// Answers with equal keys come in another order.
func TestPairsByWhatIsAnswered(t *testing.T) {
	ask := func(r *recorder, states ...string) *recorder {
		for _, s := range states {
			r.call("GET", "/v1/jobs/next", "", fmt.Sprintf(`{"state":%q,"worker":{"name":"w-%s","kind":"a"}}`, s, s))
		}
		return r
	}
	for _, test := range []struct {
		name       string
		old, fresh []string
		want       []int
	}{
		{"other order", []string{"a", "b", "c"}, []string{"c", "a", "b"}, []int{2, 0, 1}},
		{"one more poll", []string{"pending", "done"}, []string{"pending", "pending", "done"}, []int{0, -1, 1}},
		{"one poll less", []string{"pending", "pending", "done"}, []string{"pending", "done"}, []int{0, 2}},
		{"all other", []string{"a", "b"}, []string{"x", "y"}, []int{0, 1}},
		{"one other", []string{"a", "b", "c"}, []string{"a", "x", "c"}, []int{0, 1, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Pairs(ask(newRecorder(t, 1), test.old...).list, ask(newRecorder(t, 2), test.fresh...).list, matcher(t))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Old, test.want) {
				t.Errorf("pairs %v, want %v", p.Old, test.want)
			}
		})
	}
}

func TestPairsNear(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	a := old.customer()
	old.read(a)
	old.refund("ch_1")
	id := fresh.id("cus_")
	fresh.call("POST", "/v1/customers", "email=ada%40example.com&name=Ada", fmt.Sprintf(`{"id":%q,"created":1}`, id))
	fresh.read(id)
	fresh.call("GET", "/v1/balance", "", "{}")
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{-1, 1, -1}; !slices.Equal(p.Old, want) {
		t.Errorf("pairs %v, want %v", p.Old, want)
	}
	if want := []int{0, -1, -1}; !slices.Equal(p.Near, want) {
		t.Errorf("near %v, want %v", p.Near, want)
	}
	if got := p.Take(1, Request, "url", "https://x/v1/customers/"+id+"/sources"); got != "https://x/v1/customers/"+a+"/sources" {
		t.Errorf("in a URL: %s", got)
	}
}

// Numbers are ids where they are called so, and nowhere else.
func TestPairsOfNumbers(t *testing.T) {
	flow := func(r *recorder, first int, more bool) {
		r.call("POST", "/orders", "", fmt.Sprintf(`{"id":%d,"quantity":7}`, first))
		r.call("GET", fmt.Sprintf("/orders/%d", first), "", fmt.Sprintf(`{"id":%d,"quantity":7,"created_at":"2026-11-21T10:00:%02dZ"}`, first, first%60))
		if more {
			r.call("DELETE", fmt.Sprintf("/orders/%d", first), "", "")
		}
	}
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	flow(old, 101, false)
	flow(fresh, 207, true)
	p := takesBack(t, old.list, fresh.list, []int{2})
	if got := p.Take(2, Request, "url", "https://api.stripe.com/orders/207"); got != "https://api.stripe.com/orders/101" {
		t.Errorf("a new request about a known thing has the URL %s", got)
	}
	if got := p.Take(1, Response, "body.quantity", "207"); got != "207" {
		t.Errorf("an amount became %s", got)
	}
}

func TestPairsClash(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	old.customer()
	old.customer()
	id := fresh.id("cus_")
	for range 2 { // the API makes one of two equal customers now
		fresh.call("POST", "/v1/customers", "email=ada%40example.com", fmt.Sprintf(`{"id":%q,"object":"customer","created":1,"email":"ada@example.com"}`, id))
	}
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Clashes) != 1 || p.Clashes[0].Place != "body.id" || p.Clashes[0].Route != "POST api.stripe.com/v1/customers" || p.Clashes[0].New != 1 {
		t.Errorf("clashes %+v", p.Clashes)
	}
}

// A time that is sent again is one value wherever it stands.
func TestPairsTimeThatIsSent(t *testing.T) {
	flow := func(r *recorder, now int) {
		r.call("GET", "/v1/events", "", fmt.Sprintf(`{"data":[],"created":%d,"cursor":"x"}`, now))
		r.call("GET", fmt.Sprintf("/v1/events?created[gt]=%d", now), "", `{"data":[]}`)
	}
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	flow(old, 1760000001)
	flow(fresh, 1760009999)
	p := takesBack(t, old.list, fresh.list, nil)
	if p.Names["1760009999"] != "1760000001" {
		t.Errorf("names %v", p.Names)
	}
}
