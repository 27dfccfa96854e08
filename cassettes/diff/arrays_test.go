package diff

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// The common subsequence is one: in order on both sides, of equal elements. For short sequences
// it is as long as the longest.
func TestCommonOf(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 3000 {
		a, b := make([]uint64, r.Intn(30)), make([]uint64, r.Intn(30))
		kinds := 1 + r.Intn(12)
		for i := range a {
			a[i] = uint64(r.Intn(kinds))
		}
		for i := range b {
			b[i] = uint64(r.Intn(kinds))
		}
		if got, want := commonLength(t, a, b), longest(a, b); got != want {
			t.Fatalf("%v and %v: %d in common, want %d", a, b, got, want)
		}
	}
}

// commonLength checks what commonOf finds and says how long it is.
func commonLength(t *testing.T, a, b []uint64) int {
	t.Helper()
	var pairs [][2]int
	commonOf(a, b, func(i, j int) { pairs = append(pairs, [2]int{i, j}) })
	slices.SortFunc(pairs, func(x, y [2]int) int { return x[0] - y[0] })
	for n, p := range pairs {
		if a[p[0]] != b[p[1]] {
			t.Fatalf("%v are not equal", p)
		}
		if n > 0 && (p[0] <= pairs[n-1][0] || p[1] <= pairs[n-1][1]) {
			t.Fatalf("%v stands behind %v", p, pairs[n-1])
		}
	}
	return len(pairs)
}

func longest(a, b []uint64) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			rows[i+1][j+1] = max(rows[i][j+1], rows[i+1][j])
			if a[i] == b[j] {
				rows[i+1][j+1] = rows[i][j] + 1
			}
		}
	}
	return rows[len(a)][len(b)]
}

// Long sequences that have little in common are still split at what stands once in both.
func TestCommonOfLong(t *testing.T) {
	const n = 50_000
	r := rand.New(rand.NewSource(2))
	a, b := make([]uint64, 0, n), make([]uint64, 0, n)
	shared := 0
	for i := range n {
		switch {
		case i%10 == 0:
			a, b = append(a, uint64(i)), append(b, uint64(i))
			shared++
		default:
			a, b = append(a, r.Uint64()|1<<63), append(b, r.Uint64()|1<<63)
		}
	}
	if got := commonLength(t, a, b); got != shared {
		t.Errorf("%d in common, want %d", got, shared)
	}
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"id before name", `[{"name":"a","id":1}]`, `[{"name":"a","id":1}]`, []string{"id"}},
		{"name where ids are new", `[{"id":1,"name":"a"}]`, `[{"id":2,"name":"a"}]`, []string{"name"}},
		{"an end", `[{"valid":"a","tax_rate_id":"x"}]`, `[{"valid":"b","tax_rate_id":"x"}]`, []string{"tax_rate_id"}},
		{"no end", `[{"valid":"a","monkey":"x"}]`, `[{"valid":"a","monkey":"x"}]`, nil},
		{"not a scalar", `[{"id":{}}]`, `[{"id":{}}]`, nil},
		{"not in all", `[{"id":1},{}]`, `[{"id":1},{}]`, nil},
		{"twice on one side", `[{"id":1},{"id":2}]`, `[{"id":1},{"id":1}]`, nil},
		{"two", `[{"code":"a","type":"x"},{"code":"a","type":"y"}]`, `[{"code":"a","type":"y"}]`, []string{"code", "type"}},
		{"a type alone names nothing", `[{"type":"x"}]`, `[{"type":"x"}]`, nil},
		{"a string is not a number", `[{"id":1}]`, `[{"id":"1"}]`, nil},
		{"not objects", `[1]`, `[1]`, nil},
		{"mostly new", `[{"id":1},{"id":2},{"id":3}]`, `[{"id":1},{"id":5},{"id":6}]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := parseJSON(c.old)
			if err != nil {
				t.Fatal(err)
			}
			b, err := parseJSON(c.new)
			if err != nil {
				t.Fatal(err)
			}
			if got, _, _ := identify(a.kids, b.kids); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Long arrays cost no more than they are long, and come back exactly.
func TestLongArrays(t *testing.T) {
	const n = 1_500
	list := func(f func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = f(i)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	numbers := list(func(i int) string { return fmt.Sprint(i) })
	for name, body := range map[string]string{
		"backwards":     list(func(i int) string { return fmt.Sprint(n - i) }),
		"others":        list(func(i int) string { return fmt.Sprintf("%d.5", i) }),
		"two by two":    list(func(i int) string { return fmt.Sprint(i ^ 1) }),
		"all the same":  list(func(i int) string { return "7" }),
		"objects":       list(func(i int) string { return fmt.Sprintf(`{"a":%d,"b":%d}`, i, i%7) }),
		"objects by id": list(func(i int) string { return fmt.Sprintf(`{"id":%d,"b":%d}`, i, i%7) }),
		"nested":        list(func(i int) string { return fmt.Sprintf(`[[%d],[{"x":[%d]}]]`, i, i%5) }),
	} {
		t.Run(name, func(t *testing.T) {
			proven(t, answer(jsonType, numbers), answer(jsonType, body))
			proven(t, answer(jsonType, body), answer(jsonType, strings.Replace(body, "5", "6", 700)))
		})
	}
}
