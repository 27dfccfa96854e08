package diff

import (
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

func TestPairsOfTheSameProgram(t *testing.T) {
	flow := func(r *recorder) {
		a, b := r.customer(), r.customer()
		r.read(a)
		ch := r.charge(b, 1000)
		r.refund(ch)
		r.read(b)
		r.listed(b, a)
		r.delete(a)
	}
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	flow(old)
	flow(fresh)
	takesBack(t, old.list, fresh.list, nil)
}

// takesBack checks that a new recording is the old one once its values are taken back; but
// for new interactions, whose positions are told.
func takesBack(t *testing.T, old, fresh []clean.Interaction, isNew []int) *Pairing {
	t.Helper()
	p, err := Pairs(old, fresh, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Clashes) > 0 {
		t.Errorf("clashes: %+v", p.Clashes)
	}
	seen := map[int]bool{}
	for i, in := range fresh {
		j := p.Old[i]
		if (j < 0) != slices.Contains(isNew, i) {
			t.Errorf("new interaction %d is old %d (near %d)", i, j, p.Near[i])
		}
		if j < 0 {
			continue
		}
		if seen[j] {
			t.Errorf("old interaction %d is two new ones", j)
		}
		seen[j] = true
		if got, want := p.Take(i, Request, "url", in.Request().RawURL()), old[j].Request().RawURL(); got != want {
			t.Errorf("new interaction %d is old %d, and its URL %s and not %s", i, j, got, want)
		}
		a, _ := old[j].Stored()
		b, _ := in.Stored()
		if got := takenBack(p, i, b); string(got) != string(a.ResponseBody) {
			t.Errorf("new interaction %d (old %d) answers\n%s\nwant\n%s", i, j, got, a.ResponseBody)
		}
	}
	return p
}

// takenBack is the JSON body of an answer with the old values.
func takenBack(p *Pairing, i int, s clean.Stored) []byte {
	root := twigOf("application/json", s.ResponseBody, nil)
	out := string(s.ResponseBody)
	var walk func(v *twig, at *spot)
	walk = func(v *twig, at *spot) {
		for n := range v.kids {
			kid := &v.kids[n]
			here := &spot{up: at, name: kid.name, n: n}
			if v.kind == '{' {
				here.n = -1
			}
			walk(kid, here)
		}
		if v.text != "" {
			if to := p.Take(i, Response, at.place(), v.text); to != v.text {
				out = strings.Replace(out, v.text, to, 1)
			}
		}
	}
	walk(&root, &spot{root: "body"})
	return []byte(out)
}

func TestPairsWhenSomethingIsNew(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	a, b := old.customer(), old.customer()
	old.read(a)
	old.delete(b)
	old.listed(a)

	a, b = fresh.customer(), fresh.customer()
	c := fresh.customer() // 2, new
	fresh.read(a)
	fresh.read(c)         // 4, new
	fresh.charge(c, 4000) // 5, new
	fresh.delete(b)
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, -1, 2, -1, -1, 3}; !slices.Equal(p.Old, want) {
		t.Errorf("pairs %v, want %v", p.Old, want)
	}
	if len(p.Clashes) > 0 {
		t.Errorf("clashes: %+v", p.Clashes)
	}
}

// A list that has one more in front teaches nothing wrong.
func TestPairsListWithMore(t *testing.T) {
	old, fresh := newRecorder(t, 1), newRecorder(t, 2)
	a, b := old.customer(), old.customer()
	old.charge(a, 10)
	old.charge(b, 20)
	old.listed(b, a)
	x, y := fresh.customer(), fresh.customer()
	z := fresh.customer()
	fresh.charge(x, 10)
	fresh.charge(y, 20)
	fresh.listed(z, y, x)
	p, err := Pairs(old.list, fresh.list, matcher(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, -1, 2, 3, 4}; !slices.Equal(p.Old, want) || len(p.Clashes) > 0 {
		t.Errorf("pairs %v, want %v; clashes %v", p.Old, want, p.Clashes)
	}
	if got := p.Take(5, Response, "body.data[1].id", y); got != b {
		t.Errorf("%s is %s, and not %s", y, got, b)
	}
	if got := p.Take(5, Response, "body.data[0].id", z); got != z {
		t.Errorf("the new customer %s became %s", z, got)
	}
}
