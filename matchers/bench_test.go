package matchers

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes/clean"
)

func BenchmarkRead(b *testing.B) {
	rules := []Rule{
		{On: "* api.stripe.com/**", Headers: []string{"X-Tenant"}, Ignore: []string{"body.metadata.run_id"}},
		{On: "POST api.acme.dev/**", Ignore: []string{"body.items[*].created"}, As: map[string]string{"body.reference": "uuid"}},
		{On: "GET api.acme.dev/v1/{id}", Ignore: []string{"query.t"}},
	}
	d := newDeck(b, rules...)
	for _, c := range []struct {
		name string
		r    request
	}{
		{"json-2KB", json(`{"items":[` + strings.Repeat(`{"id":"item_1","amount":1200,"tags":["a","b"],"meta":{"k":null}},`, 30) + `{}]}`)},
		{"form-2KB", form(strings.Repeat("line_items[][price]=price_1&line_items[][quantity]=2&", 38) + "mode=payment")},
		{"get", get(endpoint+"?limit=10&starting_after=obj_1", "Authorization: Bearer Qx7vT2mK9pLw4RzB8nYd")},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := d.clean(c.r)
			b.SetBytes(int64(len(r.Body())))
			b.ReportAllocs()
			for b.Loop() {
				d.matcher.Read(r, nil)
			}
		})
	}
}

// manyRecorded is an index of n different requests and the key of one.
func manyRecorded(b *testing.B, n int) (*Index, Reading) {
	b.Helper()
	d := newDeck(b)
	list := make([]clean.Interaction, n)
	for i := range list {
		list[i] = d.interaction(get(fmt.Sprintf("https://api.acme.dev/orders/%d?page=%d", i/100, i%100)), "{}")
	}
	return NewIndex(d.matcher, list), d.read(get("https://api.acme.dev/orders/0?page=7"))
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ix, live := manyRecorded(b, n)
			bindings := NewBindings()
			for b.Loop() {
				if n := len(ix.Choose(live, ix.Lookup(live.Key), bindings).Fit); n > 1 {
					b.Fatal(n)
				}
			}
		})
	}
}

func BenchmarkNearest(b *testing.B) {
	ix, live := manyRecorded(b, 100_000)
	for i := range live.Facts {
		if live.Facts[i].Name == "path" {
			live.Facts[i].Value = "/orders/x"
		}
	}
	for b.Loop() {
		ix.Nearest(live)
	}
}

// TestConcurrentUse is for the race detector: an index grows while it is asked.
func TestConcurrentUse(t *testing.T) {
	d, list := saved(t, nil, nil, []call{
		{with("a", endpoint), "1"}, {with("b", endpoint), "2"}, {with("a", endpoint), "3"},
	})
	ix, bindings := NewIndex(d.matcher, list), NewBindings()
	live, more := d.read(with("A", endpoint)), d.interaction(with("A", endpoint), "4")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				ix.Add(more)
				found := ix.Lookup(live.Key)
				for _, p := range ix.Choose(live, found, bindings).Pairs {
					bindings.Bind(p[0], p[1])
				}
				if err := ix.Played(found[0]); err != nil {
					t.Error(err)
				}
				ix.Nearest(live)
				ix.At(ix.Len() - 1)
			}
		})
	}
	wg.Wait()
	if recorded, ok := bindings.Recorded(live.Secrets[0].ID); !ok || ix.Len() != len(list)+400 {
		t.Errorf("bound to %q, length %d", recorded, ix.Len())
	}
}
