package diff

import (
	"fmt"
	"testing"
)

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
