package diff

import (
	"strings"

	"tapedeck/matchers"
)

const (
	// maxNear bounds how many old interactions a new one is compared with.
	maxNear = 64
	// maxNearRounds bounds how often the rest is gone through: each pair may bring the
	// names by which others are found.
	maxNearRounds = 4
)

// nearest pairs what is left with what it most likely was: the same method, host and
// path, and more facts that are equal than differ.
func (p *pairer) nearest() {
	byRoute, byHost := map[string][]int{}, map[string][]int{}
	for j := range p.old.traces {
		if t := &p.old.traces[j]; !p.used[j] {
			byRoute[t.route] = append(byRoute[t.route], j)
			byHost[hostOf(t.route)] = append(byHost[hostOf(t.route)], j)
		}
	}
	if len(byRoute) == 0 {
		return
	}
	for range maxNearRounds {
		found := false
		for i := range p.to {
			if p.to[i] >= 0 {
				continue
			}
			if j := p.byKey(i, levels-1); j >= 0 {
				p.join(i, j, false)
				found = true
				continue
			}
			route := p.fresh.traces[i].route
			j := p.nearestOf(i, byRoute[route], true)
			if j < 0 {
				j = p.nearestOf(i, byHost[hostOf(route)], false)
			}
			if j >= 0 {
				p.join(i, j, true)
				found = true
			}
		}
		if !found {
			return
		}
	}
}

// hostOf is the method and host of a route.
func hostOf(route string) string {
	host, _, _ := strings.Cut(route, "/")
	return host
}

// nearestOf is the one of a list that is near enough to new i and nearest.
func (p *pairer) nearestOf(i int, list []int, sameRoute bool) int {
	if len(list) == 0 {
		return -1
	}
	reading := p.fresh.matcher.Read(p.fresh.list[i].Request(), p.names.translate(true))
	best, fewest, alike := -1, 0, 0
	seen := 0
	for _, j := range list {
		if p.used[j] {
			continue
		}
		if seen++; seen > maxNear {
			break
		}
		old := &p.old.traces[j]
		if !sameRoute && !nearRoute(p.fresh.traces[i].route, old.route) || !p.consistent(i, j) {
			continue
		}
		differ := matchers.Differences(reading, old.Reading)
		all := max(len(reading.Facts), len(old.Facts))
		if most := all * 2 / 3; differ > max(most, 1) || !sameRoute && differ > all/3 {
			continue
		}
		if p.ids && p.old.list[j].ID == p.fresh.list[i].ID {
			differ -= 2 // the id is a hint too
		}
		n := common(old.samples, p.fresh.traces[i].samples)
		if best < 0 || differ < fewest || differ == fewest && n > alike {
			best, fewest, alike = j, differ, n
		}
	}
	return best
}

// nearRoute reports two routes of the same method and host that differ in one segment.
func nearRoute(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) || len(as) < 3 {
		return false
	}
	differ := 0
	for i := range as {
		if as[i] != bs[i] {
			differ++
		}
	}
	return differ <= 1
}
