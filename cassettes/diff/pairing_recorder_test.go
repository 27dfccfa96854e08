package diff

import (
	"fmt"
	"math/rand/v2"
	"net/http"
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
