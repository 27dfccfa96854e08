package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"a word", "the quick brown fox jumps", "the quick red fox jumps", []string{"=the quick ", "-brown", "+red", "= fox jumps"}},
		{"words in a row are one edit", "the quick brown fox jumps", "the slow red fox jumps", []string{"=the ", "-quick brown", "+slow red", "= fox jumps"}},
		{"an addition", "the quick brown fox jumps", "the quick brown fox jumps high", []string{"=the quick brown fox jumps", "+ high"}},
		{"a deletion", "so the quick brown fox jumps", "the quick brown fox jumps", []string{"-so ", "=the quick brown fox jumps"}},
		{"letters beyond ASCII", "größte Übung macht den Meister", "größte Übung machte den Meister", []string{"=größte Übung ", "-macht", "+machte", "= den Meister"}},
		{"nothing in common", "aaaa bbbb cccc dddd eeee", "ffff gggg hhhh iiii jjjj", nil},
		{"only spaces and points in common", "aaaa, bbbb, cccc, dddd.", "eeee, ffff, gggg, hhhh.", nil},
		{"short", "a b", "a c", nil},
		{"one word", strings.Repeat("a", 50), strings.Repeat("b", 50), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range edits(c.old, c.new) {
				got = append(got, e.Op+e.Text)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The edits of a text are both of its sides.
func checkEdits(t *testing.T, old, new string) []Edit {
	t.Helper()
	list := edits(old, new)
	var a, b strings.Builder
	for i, e := range list {
		switch e.Op {
		case "=":
			a.WriteString(e.Text)
			b.WriteString(e.Text)
		case "-":
			a.WriteString(e.Text)
		case "+":
			b.WriteString(e.Text)
		default:
			t.Fatalf("op %q", e.Op)
		}
		if e.Text == "" || i > 0 && e.Op == list[i-1].Op {
			t.Fatalf("edit %d is empty or should be one with the last: %q", i, list)
		}
	}
	if list != nil && (a.String() != old || b.String() != new) {
		t.Fatalf("%q and %q give %q and %q", old, new, a.String(), b.String())
	}
	return list
}

func TestEditsOfLongTexts(t *testing.T) {
	var a, b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&a, "line %d says that all is well\n", i)
		switch {
		case i%1000 == 7:
			fmt.Fprintf(&b, "line %d says that all is not well\n", i)
		case i%1000 == 8:
		default:
			fmt.Fprintf(&b, "line %d says that all is well\n", i)
		}
	}
	if n := len(checkEdits(t, a.String(), b.String())); n < 60 || n > 120 {
		t.Errorf("%d edits", n)
	}
	one, other := strings.ReplaceAll(a.String(), "\n", " "), strings.ReplaceAll(b.String(), "\n", " ")
	checkEdits(t, one, other)
}

func FuzzEdits(f *testing.F) {
	f.Add("the quick brown fox jumps", "the quick red fox, jumps")
	f.Add(strings.Repeat("a b\n", 20), strings.Repeat("b a\n", 20))
	f.Fuzz(func(t *testing.T, old, new string) { checkEdits(t, old, new) })
}
