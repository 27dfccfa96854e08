package diff

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// customer is an answer of about 6 KB, as APIs give them.
func customer(seed int) string {
	r := rand.New(rand.NewSource(int64(seed)))
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  \"id\": \"cus_%016x\",\n  \"object\": \"customer\",\n  \"created\": %d,\n  \"subscriptions\": [", r.Int63(), 1700000000+seed)
	for i := range 20 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    {\n      \"id\": \"sub_%d\",\n      \"amount\": %d,\n      \"currency\": \"eur\",\n      \"active\": true,\n      \"description\": \"Monthly plan of the lovelace family, paid in advance\",\n      \"metadata\": {\n        \"order\": \"%x\",\n        \"note\": null\n      }\n    }", i, 100*i, i*7919)
	}
	b.WriteString("\n  ],\n  \"livemode\": false\n}")
	return b.String()
}

func pairOf(contentType, old, new string) (a, b clean.Stored) {
	return answer(contentType, old), answer(contentType, new)
}

func BenchmarkCompare(b *testing.B) {
	was := customer(1)
	renamed := strings.Replace(was, `"livemode"`, `"live"`, 1)
	wide := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
	}
	numbers := func(n, seed int) string {
		r := rand.New(rand.NewSource(int64(seed)))
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(r.Int63())
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	objects := func(n, from int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"id":"item_%d","n":%d,"t":"x"}`, from+i, (from+i)%10)
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	prose := func(n, seed int) string {
		r := rand.New(rand.NewSource(int64(seed)))
		var t strings.Builder
		for t.Len() < n {
			fmt.Fprintf(&t, "word%d ", r.Intn(1000))
			if r.Intn(12) == 0 {
				t.WriteByte('\n')
			}
		}
		return t.String()
	}
	for _, bench := range []struct{ name, contentType, old, new string }{
		{"6 KB, equal", jsonType, was, was},
		{"6 KB, ids", jsonType, was, customer(2)},
		{"6 KB, member renamed", jsonType, was, renamed},
		{"6 KB, white space", jsonType, was, strings.ReplaceAll(was, "\n  ", "\n    ")},
		{"100,000 equal elements, one more", jsonType, wide(100_000, "1"), wide(100_001, "1")},
		{"100,000 other numbers", jsonType, numbers(100_000, 1), numbers(100_000, 2)},
		{"100,000 objects, shifted", jsonType, objects(100_000, 0), objects(100_000, 50_000)},
		{"8 MiB of other text", "text/plain", prose(8<<20, 1), prose(8<<20, 2)},
		{"8 MiB on one line", "text/plain", strings.ReplaceAll(prose(8<<20, 1), "\n", ""), strings.ReplaceAll(prose(8<<20, 2), "\n", "")},
	} {
		b.Run(bench.name, func(b *testing.B) {
			x, y := pairOf(bench.contentType, bench.old, bench.new)
			b.SetBytes(int64(len(bench.old) + len(bench.new)))
			b.ReportAllocs()
			for b.Loop() {
				compareStored(&x, &y)
			}
		})
	}
}
