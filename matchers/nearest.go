package matchers

import (
	"fmt"
	"slices"
	"strings"

	"tapedeck/cassettes/leaves"
)

// Difference is one fact that differs between a request and a recording.
type Difference struct {
	Name                leaves.Place
	Recorded            string // "" with HasRecorded false: not in the recording
	Got                 string
	HasRecorded, HasGot bool
}

// String writes the difference in one line.
func (d Difference) String() string {
	switch {
	case !d.HasRecorded:
		return fmt.Sprintf("%s: not recorded, got %s", d.Name, d.Got)
	case !d.HasGot:
		return fmt.Sprintf("%s: recorded %s, not sent", d.Name, d.Recorded)
	}
	return fmt.Sprintf("%s: recorded %s, got %s", d.Name, d.Recorded, d.Got)
}

// Nearest is the recording most like a request, and the facts that differ.
type Nearest struct {
	Position    int // in the index; -1 when nothing is recorded at all
	Differences []Difference
	// Rule is YAML to paste into tapedeck.yaml if the difference is noise; "" if no rule could help.
	Rule string
	// Hint is one more line worth printing, or "".
	Hint string
}

const (
	// maxRoutes bounds how many paths of one host are compared, and maxNear how
	// many recordings are compared fact by fact: an explanation must stay quick
	// in a cassette of any size, and far more of them say nothing better.
	maxRoutes = 20_000
	maxNear   = 2_000
)

// Nearest explains a miss: always against the same host and method first, then
// the most similar path, then the fewest differing facts, then recorded order.
func (ix *Index) Nearest(r Reading) Nearest {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	best, fewest := -1, 0
	for _, at := range ix.routes.near(routeOf(r)) {
		n := countDifferences(r.Facts, ix.entries[at].reading.Facts, best >= 0, fewest)
		if best < 0 || n < fewest || n == fewest && at < best {
			best, fewest = at, n
		}
	}
	if best < 0 {
		return Nearest{Position: -1}
	}
	recorded := ix.entries[best].reading
	changes := compareFacts(r.Facts, recorded.Facts)
	out := Nearest{Position: best, Rule: suggest(r, changes), Hint: hint(changes)}
	if out.Rule != "" {
		if other, ok := ix.merged(r, best, changes); ok {
			out.Rule = ""
			out.Hint = fmt.Sprintf("no rule is offered: with one, interactions %d and %d of the cassette would answer the same request",
				ix.entries[best].interaction.ID, ix.entries[other].interaction.ID)
		}
	}
	for _, c := range changes {
		d := Difference{Name: c.name()}
		if c.recorded != nil {
			d.Recorded, d.HasRecorded = c.recorded.show(), true
		}
		if c.got != nil {
			d.Got, d.HasGot = c.got.show(), true
		}
		out.Differences = append(out.Differences, d)
	}
	return out
}

// merged finds a recorded request that differs from the nearest one in nothing but
// what a rule for the changes would take out: which of the two is meant would then be
// a guess. Where each such value is a UUID or a time and the request plays once, the
// order tells.
func (ix *Index) merged(live Reading, best int, changes []change) (other int, ok bool) {
	if !live.Safe && !slices.ContainsFunc(changes, func(c change) bool {
		shape := commonShape(c)
		return shape != "uuid" && shape != "time"
	}) {
		return 0, false
	}
	named := make(map[string]bool)
	for _, c := range changes {
		named[c.name().AnyIndex()] = true
	}
	recorded := ix.entries[best].reading
	for _, at := range ix.routes.near(routeOf(recorded)) {
		if at == best || ix.entries[at].reading.Key == recorded.Key {
			continue
		}
		same := true
		walk(ix.entries[at].reading.Facts, recorded.Facts, func(c change) bool {
			same = named[c.name().AnyIndex()]
			return same
		})
		if same {
			return at, true
		}
	}
	return 0, false
}

// hint tells of headers that a rule names and the recording may not have stored.
func hint(changes []change) string {
	for _, c := range changes {
		if c.name() == "path" && c.recorded != nil && c.got != nil && onlyUUIDsDiffer(c.recorded.Value, c.got.Value) {
			return "only a UUID in the path differs: if the program made it up and has sent it before, in a request that was missed too, mend that miss first"
		}
		header, isHeader := strings.CutPrefix(string(c.name()), "header.")
		if isHeader && c.recorded == nil && !slices.Contains(keyHeaders, canonicalHeader(header)) {
			return fmt.Sprintf("the recording holds no header %s; if it was made before a rule named that header, record again", header)
		}
	}
	return ""
}

// change is one fact that differs: what was recorded, what came, or both.
type change struct{ recorded, got *Fact }

func (c change) name() leaves.Place {
	if c.got != nil {
		return c.got.Name
	}
	return c.recorded.Name
}

// compareFacts merges two sorted lists. Facts of equal names are compared in order.
func compareFacts(got, recorded []Fact) (out []change) {
	walk(got, recorded, func(c change) bool {
		out = append(out, c)
		return true
	})
	return out
}

// Differences counts the facts that differ between two requests; one that has another
// value counts once.
func Differences(a, b Reading) int { return countDifferences(a.Facts, b.Facts, false, 0) }

// countDifferences counts them, and stops once there are more than limit.
func countDifferences(got, recorded []Fact, limited bool, limit int) int {
	n := 0
	walk(got, recorded, func(change) bool {
		n++
		return !limited || n <= limit
	})
	return n
}

func walk(got, recorded []Fact, each func(change) bool) {
	for len(got) > 0 || len(recorded) > 0 {
		var c change
		order := 0
		switch {
		case len(got) == 0:
			order = 1
		case len(recorded) == 0:
			order = -1
		case got[0].Name != recorded[0].Name:
			order = got[0].Name.Compare(recorded[0].Name)
		}
		if order <= 0 {
			c.got, got = &got[0], got[1:]
		}
		if order >= 0 {
			c.recorded, recorded = &recorded[0], recorded[1:]
		}
		if order == 0 && *c.got == *c.recorded {
			continue
		}
		if !each(c) {
			return
		}
	}
}

// route is where a request goes: what a nearest recording is first sought by.
type route struct{ host, method, path string }

func routeOf(r Reading) route {
	return route{r.fact("host"), r.fact("method"), r.fact("path")}
}

// routes groups positions by route.
type routes struct {
	all    map[route]*routeEntry
	order  []*routeEntry            // as first recorded
	byHost map[string][]*routeEntry // likewise
}

type routeEntry struct {
	route
	positions []int
}

func newRoutes() routes {
	return routes{all: map[route]*routeEntry{}, byHost: map[string][]*routeEntry{}}
}

func (rs *routes) add(r Reading, at int) {
	to := routeOf(r)
	e := rs.all[to]
	if e == nil {
		e = &routeEntry{route: to}
		rs.all[to] = e
		rs.order = append(rs.order, e)
		rs.byHost[to.host] = append(rs.byHost[to.host], e)
	}
	e.positions = append(e.positions, at)
}

// near lists the positions worth comparing with a request to a route.
func (rs *routes) near(to route) (out []int) {
	if e := rs.all[to]; e != nil {
		return e.positions[:min(len(e.positions), maxNear)]
	}
	among := rs.byHost[to.host]
	if len(among) == 0 {
		among = rs.order
	}
	among = among[:min(len(among), maxRoutes)]
	best := -1
	for _, e := range among {
		switch score := e.similar(to); {
		case score < best:
		case score > best:
			best = score
			out = out[:0]
			fallthrough
		default:
			room := min(maxNear-len(out), len(e.positions))
			out = append(out, e.positions[:room]...)
		}
	}
	return out
}

// similar scores a route: the method first, then the path's segments.
func (e *routeEntry) similar(to route) int {
	score := 0
	if e.method == to.method {
		score += 1 << 20
	}
	if e.path == to.path {
		score += 1 << 19
	}
	a, b := e.path, to.path
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, "/")
		y, b, _ = strings.Cut(b, "/")
		if x == y {
			score += 2
		}
	}
	if a == "" && b == "" {
		score++ // as many segments
	}
	return score
}
