package diff

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// shop is a recording of n interactions of 6 KB as a payment API answers them. Ids and
// times come from seed; every changed-th answer has a member more.
func shop(n int, seed uint64, changed int) []clean.Stored {
	r := &recorder{rand: rand.New(rand.NewPCG(seed, 1)), now: 1_760_000_000 + int64(seed)*5000}
	list := make([]clean.Stored, n)
	customer := ""
	for i := range list {
		s := clean.Stored{
			Meta:  clean.Meta{ID: i + 1, Recorded: "2026-11-21"},
			Proto: "HTTP/2.0", ResponseProto: "HTTP/2.0", Status: 200, StatusText: "OK",
			RequestHeader:  http.Header{"Authorization": {"Bearer sk_test_REDACTED-0000000001"}, "Stripe-Version": {"2026-08-01"}},
			ResponseHeader: http.Header{"Content-Type": {"application/json"}, "Request-Id": {r.id("req_")}},
		}
		if i%4 == 0 {
			customer = r.id("cus_")
			s.Method, s.URL = "POST", "https://api.stripe.com/v1/customers"
			s.RequestBody = fmt.Appendf(nil, "email=user%d%%40example.com&metadata[order]=%d", i, i)
			s.RequestHeader.Set("Content-Type", "application/x-www-form-urlencoded")
		} else {
			s.Method, s.URL = "GET", fmt.Sprintf("https://api.stripe.com/v1/customers/%s/charges?page=%d", customer, i%4)
		}
		var items []string
		for k := range 7 {
			items = append(items, fmt.Sprintf(`{"id":%q,"object":"charge","amount":%d,"amount_captured":%d,"balance_transaction":%q,"captured":true,"created":%d,`+
				`"currency":"eur","customer":%q,"description":"Order %d of the shop, %d pieces","livemode":false,"metadata":{"order_id":"%d","run":"nightly"},`+
				`"outcome":{"network_status":"approved_by_network","risk_level":"normal","type":"authorized"},"paid":true,"status":"succeeded"}`,
				r.id("ch_"), i*10+k, i*10+k, r.id("txn_"), r.clock(), customer, i, k, i))
		}
		extra := ""
		if changed > 0 && i%changed == 0 {
			extra = `"fee":1,`
		}
		s.ResponseBody = fmt.Appendf(nil, `{"object":"list",%s"id":%q,"has_more":false,"url":"/v1/customers/%s/charges","data":[%s]}`, extra, customer, customer, strings.Join(items, ","))
		s.ResponseHeader.Set("Content-Length", fmt.Sprint(len(s.ResponseBody)))
		list[i] = s
	}
	return list
}

// saved writes a cassette and returns its size.
func saved(b *testing.B, folder string, list []clean.Stored) {
	b.Helper()
	store, err := cassettes.NewFolder(folder)
	if err != nil {
		b.Fatal(err)
	}
	c, err := cassettes.Open(store, "x", benchCleaner(b), cassettes.ToReplace)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Save(loaded(b, list...), cassettes.State{}); err != nil {
		b.Fatal(err)
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchCleaner(b *testing.B) *clean.Cleaner {
	b.Helper()
	rules, err := rulesOnce()
	if err != nil {
		b.Fatal(err)
	}
	return &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
}

func opened(b *testing.B, folder string) *Cassette {
	store, err := cassettes.NewFolder(folder)
	if err != nil {
		b.Fatal(err)
	}
	c, err := cassettes.Open(store, "x", benchCleaner(b), cassettes.ToReplay)
	if err != nil {
		b.Fatal(err)
	}
	return &Cassette{Name: "x.yaml", List: c.Interactions()}
}

// BenchmarkDiff is reading two cassettes from disk and comparing them. In "few" one
// interaction of a hundred differs, in "all" everything that an API invents anew does,
// as when it was recorded again with carry off.
func BenchmarkDiff(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		for _, kind := range []string{"few", "all"} {
			seed := uint64(1)
			if kind == "all" {
				seed = 2
			}
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				before, after := b.TempDir(), b.TempDir()
				saved(b, before, shop(n, 1, 0))
				saved(b, after, shop(n, seed, 100))
				m := matcher(b)
				runtime.GC()
				var reading, comparing time.Duration
				for b.Loop() {
					start := time.Now()
					sides := make([]*Cassette, 2)
					_ = inParallel(2, func(i int) error { sides[i] = opened(b, []string{before, after}[i]); return nil })
					reading += time.Since(start)
					start = time.Now()
					d, err := Compare([]Pair{{sides[0], sides[1]}}, Options{Matcher: m})
					if err != nil {
						b.Fatal(err)
					}
					comparing += time.Since(start)
					if d.Counts.Additive != (n+99)/100 || d.Counts.Breaking+d.Counts.Value != 0 {
						b.Fatalf("counts %+v", d.Counts)
					}
				}
				b.ReportMetric(reading.Seconds()/float64(b.N), "s-reading")
				b.ReportMetric(comparing.Seconds()/float64(b.N), "s-comparing")
			})
		}
	}
}
