package render

import (
	"slices"
	"testing"

	"tapedeck/cassettes/leaves"
)

func TestHolders(t *testing.T) {
	for _, c := range []struct {
		place leaves.Place
		want  []leaves.Place
		in    string
	}{
		{"body.items[0].id", []leaves.Place{"body.items[0]", "body.items", "body"}, "items[0]"},
		{`body["a.b[0]"].c`, []leaves.Place{`body["a.b[0]"]`, "body"}, ""},
		{`body.x["quote \" and ]"][3]`, []leaves.Place{`body.x["quote \" and ]"]`, "body.x", "body"}, `x["quote \" and ]"]`},
		{`body.x["unclosed`, []leaves.Place{"body.x", "body"}, "x"},
		{"status", nil, ""},
		{"", nil, ""},
	} {
		if got := slices.Collect(holders(c.place)); !slices.Equal(got, c.want) {
			t.Errorf("%s stands in %q, want %q", c.place, got, c.want)
		}
		if got := within(c.place); got != c.in {
			t.Errorf("%s stands in %q, want %q", c.place, got, c.in)
		}
	}
}

func TestAlignKeys(t *testing.T) {
	for _, c := range []struct {
		a, b []int32
		want [][2]int
	}{
		{nil, nil, [][2]int{}},
		{[]int32{1, 2}, nil, [][2]int{{0, -1}, {1, -1}}},
		{[]int32{1, 2, 3}, []int32{1, 3}, [][2]int{{0, 0}, {1, -1}, {2, 1}}},
	} {
		if got := alignKeys(c.a, c.b); !slices.Equal(got, c.want) {
			t.Errorf("%v and %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// Whatever the keys are, both sides come out whole and in order, and only equal keys
// are paired.
func FuzzAlignKeys(f *testing.F) {
	f.Add([]byte("abcabc"), []byte("bcxaab"))
	f.Add([]byte(""), []byte("a"))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		keys := func(text []byte) []int32 {
			out := make([]int32, len(text))
			for i, c := range text {
				out[i] = int32(c)
			}
			return out
		}
		a, b := keys(x), keys(y)
		i, j := 0, 0
		for _, p := range alignKeys(a, b) {
			if p[0] >= 0 && p[1] >= 0 && a[p[0]] != b[p[1]] {
				t.Fatalf("%v pairs different keys", p)
			}
			if p[0] >= 0 {
				if p[0] != i {
					t.Fatalf("%d of the old side comes where %d is due", p[0], i)
				}
				i++
			}
			if p[1] >= 0 {
				if p[1] != j {
					t.Fatalf("%d of the new side comes where %d is due", p[1], j)
				}
				j++
			}
		}
		if i != len(a) || j != len(b) {
			t.Fatalf("%d of %d and %d of %d came out", i, len(a), j, len(b))
		}
	})
}
