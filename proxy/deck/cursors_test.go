package deck_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// implementations is every Cursors there is. Each passes the contract below.
var implementations = map[string]func() deck.Cursors{
	"memory": deck.NewCursors,
}

func TestCursorsContract(t *testing.T) {
	for name, open := range implementations {
		t.Run(name, func(t *testing.T) {
			t.Run("claims", func(t *testing.T) { cursorsClaim(t, open()) })
			t.Run("gates", func(t *testing.T) { cursorsGate(t, open()) })
			t.Run("sequences", func(t *testing.T) { cursorsReach(t, open()) })
			t.Run("parallel", func(t *testing.T) { cursorsParallel(t, open()) })
			t.Run("model", func(t *testing.T) { cursorsModel(t, open()) })
		})
	}
}

func claim(c deck.Cursors, positions ...int) string {
	p, ok := c.Claim(positions)
	return fmt.Sprint(p, ok)
}

func cursorsClaim(t *testing.T, c deck.Cursors) {
	for i, want := range []string{"7 true", "3 true", "0 false"} {
		if got := claim(c, 7, 3); got != want {
			t.Errorf("claim %d: %s, want %s", i, got, want)
		}
	}
	if got := claim(c); got != "0 false" {
		t.Errorf("of none: %s", got)
	}
	if !c.Claimed(7) || c.Claimed(4) || c.Claimed(1_000_000) {
		t.Error("claimed")
	}
	c.Release(7)
	c.Release(7)
	c.Release(4) // was never played
	if lost := c.Doubtful(); c.Claimed(7) || !slices.Equal(lost, []int{7}) {
		t.Errorf("after release: lost %v", lost)
	}
	if got := claim(c, 7, 3); got != "7 true" || len(c.Doubtful()) != 0 {
		t.Errorf("after release: %s", got)
	}
	c.Doubt(3)
	c.Doubt(3)
	c.Doubt(4) // is not played
	if doubtful := c.Doubtful(); !slices.Equal(doubtful, []int{3}) {
		t.Errorf("doubtful %v", doubtful)
	}
	c.Release(3)
	if got := claim(c, 3); got != "3 true" || len(c.Doubtful()) != 0 {
		t.Errorf("a doubtful one played again: %s, doubtful %v", got, c.Doubtful())
	}
	c.Again([]int{7, 4})
	if c.Claimed(7) {
		t.Error("after again")
	}
	if got := claim(c, 7); got != "7 true" {
		t.Errorf("after again: %s", got)
	}
	c.Rewind()
	if c.Claimed(7) || c.Claimed(3) || len(c.Doubtful()) != 0 {
		t.Error("after rewind")
	}
}

func cursorsGate(t *testing.T, c deck.Cursors) {
	want := func(what string, gate matchers.Gate, some, all bool) {
		t.Helper()
		if s, a := c.Answered(gate); s != some || a != all {
			t.Errorf("%s: %v: some %v, all %v", what, gate, s, a)
		}
	}
	gate := matchers.Gate{{2, 5}, {5, 900}}
	want("at first", nil, false, true)
	want("at first", gate, false, false)
	c.Claim([]int{5})
	want("one", gate, true, false)
	want("one", matchers.Gate{{5}}, true, true)
	c.Claim([]int{900})
	c.Claim([]int{2})
	want("every one", gate, true, true)
	c.Release(900)
	want("one given back", gate, true, false)
	c.Claim([]int{900})
	c.Again([]int{2, 5, 900})
	want("let play again", gate, true, true)
	c.Claim([]int{5})
	c.Release(5)
	want("the second play given back", gate, true, true)
	if len(c.Doubtful()) != 0 {
		t.Errorf("lost %v, and it was answered before", c.Doubtful())
	}
	c.Rewind()
	want("after rewind", gate, false, false)
}

func cursorsReach(t *testing.T, c deck.Cursors) {
	for i, step := range []struct{ sequence, group, want int }{
		{3, -1, -1}, {3, 0, 0}, {3, -1, 0}, {3, 2, 2}, {3, 1, 2}, {4, -1, -1}, {0, 1, 1}, {3, -1, 2},
	} {
		if got := c.Reach(step.sequence, step.group); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
	c.Rewind()
	if got := c.Reach(3, -1); got != -1 {
		t.Errorf("after rewind: %d", got)
	}
}

// No two ever claim the same position, and none is left over.
func cursorsParallel(t *testing.T, c deck.Cursors) {
	positions := make([]int, 640)
	for i := range positions {
		positions[i] = 3 * i
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []int
	for range 64 {
		wg.Go(func() {
			for range 10 {
				p, ok := c.Claim(positions)
				if !ok {
					t.Error("none was left")
				}
				c.Answered(matchers.Gate{positions})
				c.Reach(p%7, p)
				mu.Lock()
				got = append(got, p)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if slices.Sort(got); !slices.Equal(got, positions) {
		t.Errorf("claimed %v", got)
	}
}

// Random calls, compared with sets.
func cursorsModel(t *testing.T, c deck.Cursors) {
	played, answers, again, lost := map[int]bool{}, map[int]bool{}, map[int]bool{}, map[int]bool{}
	rnd := rand.New(rand.NewPCG(4, 2))
	for range 20_000 {
		p := rnd.IntN(30)
		switch rnd.IntN(10) {
		case 0, 1, 2, 3:
			if _, ok := c.Claim([]int{p}); ok == played[p] {
				t.Fatalf("claim of %d: %v", p, ok)
			}
			played[p], answers[p] = true, true
			delete(lost, p)
		case 4, 5:
			if played[p] {
				delete(played, p)
				if !again[p] {
					delete(answers, p)
					lost[p] = true
				}
			}
			c.Release(p)
		case 6:
			if played[p] {
				delete(played, p)
				again[p] = true
			}
			c.Again([]int{p})
		case 7:
			if rnd.IntN(50) == 0 {
				clear(played)
				clear(answers)
				clear(again)
				clear(lost)
				c.Rewind()
			}
		}
		gate := matchers.Gate{{p, p + 3}, {p + 1}}
		some, all := false, true
		for _, q := range gate.Positions() {
			some, all = some || answers[q], all && answers[q]
		}
		if s, a := c.Answered(gate); s != some || a != all || c.Claimed(p) != played[p] || len(c.Doubtful()) != len(lost) {
			t.Fatalf("%d: some %v %v, all %v %v, claimed %v, lost %v %v", p, s, some, a, all, c.Claimed(p), c.Doubtful(), lost)
		}
	}
}
