package main

import (
	"fmt"
	"strings"
	"testing"

	"tapedeck/proxy/deck"
)

// fifty are reports of a run that played two requests in each of 50 cassettes.
func fifty(change func(i int, r *deck.Report)) []deck.Report {
	list := make([]deck.Report, 50)
	for i := range list {
		list[i] = deck.Report{Cassette: fmt.Sprintf("tapes/test-%02d.yaml", i), Mode: deck.ReplayOnly, Played: 2}
		change(i, &list[i])
	}
	return list
}

func miss(what string) []deck.Miss {
	return []deck.Miss{{Request: what, Reason: "why not", Text: "tapedeck: no recording answers " + what}}
}

func TestSummaryOfManyCassettes(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(i int, r *deck.Report)
		want    string
		refused int
	}{
		{name: "all is well", change: func(int, *deck.Report) {}, want: `
tapedeck: 50 cassettes in tapes: 100 played
`},
		{name: "what rules do is said once", change: func(_ int, r *deck.Report) {
			r.IgnoredFacts, r.Ignored, r.Kept = 3, map[string]int{"telemetry.example": 1}, []string{"body.note by redact.keep"}
		}, want: `
tapedeck: 50 cassettes in tapes: 100 played, 50 to ignored hosts
  kept as it is (50 times): body.note by redact.keep
  ignored by rules: 150 facts
  ignored hosts: telemetry.example (50)
`},
		{name: "misses first", change: func(i int, r *deck.Report) {
			switch i {
			case 7:
				r.Notes = []string{"cassette tapes/test-07.yaml is unfinished"}
			case 30:
				r.Misses = miss("POST https://a.example/x")
			case 40:
				r.Unused = []string{"interaction 0, GET https://a.example/y"}
			}
		}, want: `
tapedeck: 50 cassettes in tapes: 100 played, 1 missed
tapedeck: tapes/test-30.yaml: 2 played, 1 missed
  missed:
    no recording answers POST https://a.example/x
tapedeck: tapes/test-07.yaml: 2 played
  note: cassette tapes/test-07.yaml is unfinished
tapedeck: tapes/test-40.yaml: 2 played
  never used: interaction 0, GET https://a.example/y
`},
		{name: "refused in many", change: func(int, *deck.Report) {}, refused: 12, want: `
tapedeck: 50 cassettes in tapes: 100 played
tapedeck: refused (2 times): reason 00
tapedeck: refused (2 times): reason 01
tapedeck: refused (2 times): reason 02
tapedeck: refused (2 times): reason 03
tapedeck: refused (2 times): reason 04
tapedeck: refused (2 times): reason 05
tapedeck: refused (2 times): reason 06
tapedeck: refused (2 times): reason 07
tapedeck: refused (2 times): reason 08
tapedeck: refused (2 times): reason 09
tapedeck: … and 2 more reasons for which requests were refused; --report FILE lists them
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := runReport{Cassettes: fifty(c.change), Refused: map[string]int{}}
			for i := range c.refused {
				report.Refused[fmt.Sprintf("reason %02d", i)] = 2
			}
			var b strings.Builder
			(&station{folder: "tapes"}).summarise(&b, report, "")
			if got, want := b.String(), c.want[1:]; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestSummaryOfManyMisses: when every test misses, ten of them say why.
func TestSummaryOfManyMisses(t *testing.T) {
	report := runReport{Cassettes: fifty(func(i int, r *deck.Report) {
		if i%2 == 1 {
			r.Misses = miss("GET https://a.example/z")
		} else {
			r.Notes = []string{"a note"}
		}
	})}
	var b strings.Builder
	(&station{folder: "tapes"}).summarise(&b, report, "")
	for text, want := range map[string]int{
		"tapedeck: 50 cassettes in tapes: 100 played, 25 missed\n": 1,
		"no recording answers": maxListed, "a note": 0, "\n": 1 + 3*maxListed + 1,
		"tapedeck: … and 40 more cassettes of which there is something to say, 15 of them with misses; --report FILE lists it all\n": 1,
	} {
		if got := strings.Count(b.String(), text); got != want {
			t.Errorf("%q stands there %d times, want %d:\n%s", text, got, want, b.String())
		}
	}
}

// TestSummaryOfFewCassettes: up to three are told of one by one.
func TestSummaryOfFewCassettes(t *testing.T) {
	var b strings.Builder
	list := fifty(func(int, *deck.Report) {})
	(&station{folder: "tapes"}).summarise(&b, runReport{Cassettes: list[:3]}, "")
	if want := "tapedeck: tapes/test-00.yaml: 2 played\ntapedeck: tapes/test-01.yaml: 2 played\ntapedeck: tapes/test-02.yaml: 2 played\n"; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
