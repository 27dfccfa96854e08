package cassettes

import (
	"fmt"
	"testing"
	"time"
)

// typical is a cassette of n interactions as Stripe's API makes them.
func typical(n int) contents {
	c := contents{list: make([]entry, n)}
	for i := range c.list {
		s := sample()
		s.ID, s.Informational, s.ResponseTrailer = i, nil, nil
		s.ResponseBody = fmt.Appendf(nil, `{"id":"cs_test_%08d","object":"checkout.session","amount_total":%d,"currency":"eur","customer":"cus_%d","livemode":false,"metadata":{"run":"a"},"payment_method_types":["card","sepa_debit"],"status":"open","url":"https://checkout.stripe.com/c/pay/%d"}`, i, i*10, i, i)
		c.list[i] = entry{Stored: s}
	}
	return c
}

var benchSizes = []int{100, 1_000, 10_000, 100_000}

// The figures per interaction stay the same however many there are.
func BenchmarkEncode(b *testing.B) {
	for _, n := range benchSizes {
		c := typical(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				file, _ := encode(c, largestBody)
				b.SetBytes(int64(len(file)))
			}
			perInteraction(b, n)
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range benchSizes {
		file, _ := encode(typical(n), largestBody)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if c, err := decode("x.yaml", file); err != nil || len(c.list) != n {
					b.Fatal(err)
				}
			}
			perInteraction(b, n)
		})
	}
}

// BenchmarkAppend is what journaling adds to a recorded request.
func BenchmarkAppend(b *testing.B) {
	store, err := NewFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	h, err := open(store, "x", ToExtend, largestBody)
	if err != nil {
		b.Fatal(err)
	}
	defer h.close()
	list := typical(100).list
	for i := 0; b.Loop(); i++ {
		s := list[i%len(list)].Stored
		if err := h.append(&s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSave is encoding, writing and syncing.
func BenchmarkSave(b *testing.B) {
	store, err := NewFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	h, err := open(store, "x", ToExtend, largestBody)
	if err != nil {
		b.Fatal(err)
	}
	defer h.close()
	list := storedOf(typical(1_000).list)
	for b.Loop() {
		if err := h.save(list, State{}); err != nil {
			b.Fatal(err)
		}
	}
}

func perInteraction(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed())/float64(time.Microsecond)/float64(b.N)/float64(n), "µs/interaction")
}
