package diff

import (
	"fmt"
	"slices"
	"testing"
)

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
