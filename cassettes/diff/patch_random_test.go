package diff

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// A tree is a JSON value in the making: a scalar as its token, or kids.
type tree struct {
	token string
	names []string // of an object
	kids  []*tree
	list  bool
}

func randomTree(r *rand.Rand, depth int) *tree {
	kind := r.Intn(7)
	if depth == 0 {
		kind = r.Intn(4)
	}
	switch kind {
	case 0:
		return &tree{token: fmt.Sprint(r.Intn(5))}
	case 1:
		return &tree{token: fmt.Sprintf(`"%c"`, 'a'+r.Intn(6))}
	case 2:
		return &tree{token: []string{"true", "false", "null", `"caf\u00e9"`, "1.50"}[r.Intn(5)]}
	case 3:
		return &tree{token: fmt.Sprint(r.Uint64())}
	case 4:
		t := &tree{list: true}
		for range r.Intn(6) {
			t.kids = append(t.kids, randomTree(r, depth-1))
		}
		return t
	}
	t := &tree{}
	for range r.Intn(6) {
		t.add(r, depth)
	}
	return t
}

// add puts a new element somewhere, or a new member where its name belongs: the order of members
// is always the same.
func (t *tree) add(r *rand.Rand, depth int) {
	at := r.Intn(len(t.kids) + 1)
	if !t.list {
		name := []string{"id", "key", "a", "b", "c d", "é", "x"}[r.Intn(7)]
		there := false
		if at, there = slices.BinarySearch(t.names, name); there {
			return
		}
		t.names = append(t.names[:at:at], append([]string{name}, t.names[at:]...)...)
	}
	t.kids = append(t.kids[:at:at], append([]*tree{randomTree(r, depth-1)}, t.kids[at:]...)...)
}

// change makes a tree that differs in about one of n places. Members keep their order.
func (t *tree) change(r *rand.Rand, n int) *tree {
	if r.Intn(n) == 0 {
		return randomTree(r, 2)
	}
	out := &tree{token: t.token, list: t.list}
	for i, k := range t.kids {
		if r.Intn(n) == 0 {
			continue
		}
		if !t.list {
			out.names = append(out.names, t.names[i])
		}
		out.kids = append(out.kids, k.change(r, n))
	}
	if t.token == "" && r.Intn(n) == 0 {
		out.add(r, 3)
	}
	if len(out.kids) > 1 && out.list && r.Intn(n) == 0 {
		r.Shuffle(len(out.kids), func(i, j int) { out.kids[i], out.kids[j] = out.kids[j], out.kids[i] })
	}
	return out
}

// A hand writes trees as programs do.
type hand struct{ name, line, indent, colon, comma string }

var hands = []hand{
	{"compact", "", "", ":", ","}, {"spaced", "", "", ": ", ", "}, {"indented", "\n", "  ", ": ", ","},
	{"four spaces", "\n", "    ", ": ", ","}, {"tabs", "\n", "\t", ":", ","}, {"CR LF", "\r\n", " ", " : ", ","},
}

func (h hand) write(b *strings.Builder, t *tree, depth int) {
	if t.token != "" {
		b.WriteString(t.token)
		return
	}
	pair := "{}"
	if t.list {
		pair = "[]"
	}
	b.WriteByte(pair[0])
	for i, k := range t.kids {
		if i > 0 {
			b.WriteString(h.comma)
		}
		if h.line != "" {
			b.WriteString(h.line + strings.Repeat(h.indent, depth+1))
		}
		if !t.list {
			b.WriteString(`"` + t.names[i] + `"` + h.colon)
		}
		h.write(b, k, depth+1)
	}
	if len(t.kids) > 0 && h.line != "" {
		b.WriteString(h.line + strings.Repeat(h.indent, depth))
	}
	b.WriteByte(pair[1])
}

// In every layout that programs write, the new body comes of the old one and its changes, and
// no change has to carry it whole.
func TestRandomBodies(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for _, h := range hands {
		t.Run(h.name, func(t *testing.T) {
			for range 500 {
				// The outermost object tells how the others are written.
				old := &tree{names: []string{"first", "second"}, kids: []*tree{randomTree(r, 4), {names: []string{"p", "q"}, kids: []*tree{{token: "1"}, {token: "2"}}}}}
				n := 4 + r.Intn(20)
				now := &tree{names: old.names, kids: []*tree{old.kids[0].change(r, n), old.kids[1]}}
				var a, b strings.Builder
				h.write(&a, old, 0)
				h.write(&b, now, 0)
				for _, ch := range proven(t, answer(jsonType, a.String()), answer(jsonType, b.String())) {
					if ch.Kind == Rewrote && ch.Place == "body" {
						t.Fatalf("not from the changes alone:\n%s\n%s", a.String(), b.String())
					}
				}
			}
		})
	}
}
