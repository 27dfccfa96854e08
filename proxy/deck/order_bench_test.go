package deck_test

import (
	"fmt"
	"net/http"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/proxy/deck"
)

// Arranging takes time in proportion to what is recorded, though every list of a
// collection has to do with everything that is put into it.
func BenchmarkArrange(b *testing.B) {
	opt := modelOptions(b)
	cleaner := &clean.Cleaner{Vault: redact.NewVault(opt.Rules)}
	for _, n := range []int{10_000, 100_000} {
		list, before := make([]clean.Interaction, n), make(map[int]int, n)
		for i := range list {
			s := clean.Stored{Meta: clean.Meta{ID: i}, Method: []string{"GET", "POST", "PUT", "GET"}[i%4], Proto: "HTTP/1.1", Status: 200,
				ResponseHeader: http.Header{"Content-Type": {jsonType}}, ResponseBody: fmt.Appendf(nil, `{"id":"ord_9s6XKzkN%08dx","of":%d}`, i/4, i)}
			if s.URL = "https://api.acme.dev/orders"; i%4 > 1 {
				s.URL += fmt.Sprintf("/ord_9s6XKzkN%08dx", i/4)
			}
			in, err := cleaner.Load(s)
			if err != nil {
				b.Fatal(err)
			}
			list[i] = in
			before[i] = (i*7919 + 13) % n
		}
		atOnce(list)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if len(deck.Arrange(opt.Matcher, list, before, func(in clean.Interaction) bool { return in.ID%3 > 0 })) != n {
					b.Fatal("some are missing")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/interaction")
		})
	}
}
