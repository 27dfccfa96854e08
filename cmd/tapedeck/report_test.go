package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapedeck/proxy/deck"
)

func TestJoinReports(t *testing.T) {
	began := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	first := runReport{
		Mode: deck.ReplayOnly, ExitCode: exitMiss, Started: began.Add(time.Second), Seconds: 5, Refused: map[string]int{"407": 1},
		Cassettes: []deck.Report{
			{Cassette: "tapes/b.yaml", Mode: deck.ReplayOnly, Played: 1, Unused: []string{"1", "2", "3"}, Notes: []string{"note"}},
			{Cassette: "./tapes/a.yaml", Mode: deck.ReplayOnly, Played: 2, Unused: []string{"1"}, Misses: []deck.Miss{{Request: "GET /x"}}, Forwarded: map[string]int{"h": 1}},
		},
	}
	second := runReport{
		Mode: deck.ReplayOnly, Started: began, Seconds: 2.5, Refused: map[string]int{"407": 2},
		Cassettes: []deck.Report{{Cassette: "tapes/b.yaml", Mode: deck.ReplayOnly, Played: 3, Unused: []string{"0", "2", "3"}, Notes: []string{"note"}, Expired: true}},
	}
	got := joinReports([]runReport{first, second}, true)
	want := runReport{
		Mode: deck.ReplayOnly, Started: began, Seconds: 6, Direct: map[string]int{}, Refused: map[string]int{"407": 3},
		Cassettes: []deck.Report{
			{Cassette: "tapes/a.yaml", Mode: deck.ReplayOnly, Played: 2, Unused: []string{"1"}, Misses: []deck.Miss{{Request: "GET /x"}}, Forwarded: map[string]int{"h": 1}, Strict: true},
			{Cassette: "tapes/b.yaml", Mode: deck.ReplayOnly, Played: 4, Unused: []string{"2", "3"}, Notes: []string{"note"}, Expired: true, Strict: true,
				Forwarded: map[string]int{}, Ignored: map[string]int{}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A run whose command failed by itself is how the whole ends.
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{[]int{0, 0}, 0}, {[]int{90, 91, 92}, 0}, {[]int{0, 7, 3}, 7}, {[]int{90, 1}, 1},
	} {
		var runs []runReport
		for _, code := range c.codes {
			runs = append(runs, runReport{Mode: deck.ReplayOnly, ExitCode: code})
		}
		if got := joinReports(runs, false).ExitCode; got != c.want {
			t.Errorf("%v: %d, want %d", c.codes, got, c.want)
		}
	}
}
