package matchers

import (
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
)

// maxSegments is how many segments of a path are looked at to see what is below
// what. Longer paths count as cut off there, which relates them to more.
const maxSegments = 64

// effects find the unsafe interactions that have to do with a safe one: by path,
// by id and by rule. Every list holds positions in ascending order.
type effects struct {
	of  *Index
	ids *idReader
	// at holds the unsafe interactions of each path, and below those of each path
	// that is read and everything below it.
	at, below map[string][]int
	// open is at without those that made one thing and said which: they have to do
	// with that and with the collection, not with what else is in it.
	open map[string][]int
	byID map[uint64][]int
	// rules are those that name what a request affects.
	rules []effectRule
	safe  map[int]safeIDs // by position
}

type safeIDs struct {
	path string
	ids  ids
}

type effectRule struct {
	affects scope.On
	by      []int
}

// effects reads every interaction once.
func (ix *Index) effects(unsafe []int, safe [][]int) *effects {
	e := &effects{
		of: ix, ids: newIDReader(),
		at: map[string][]int{}, below: map[string][]int{}, open: map[string][]int{},
		byID: map[uint64][]int{}, safe: map[int]safeIDs{},
	}
	for _, positions := range safe {
		for _, at := range positions {
			in := ix.entries[at].interaction
			found := safeIDs{path: pathOf(in.Request())}
			e.ids.request(&found.ids, found.path, in.Request())
			e.ids.answer(&found.ids, in)
			e.safe[at] = found
			e.below[found.path] = nil
		}
	}
	named := make([]ids, len(unsafe))
	for i, at := range unsafe {
		in := ix.entries[at].interaction
		path := pathOf(in.Request())
		e.ids.request(&named[i], path, in.Request())
		status, made := e.ids.answer(&named[i], in)
		e.at[path] = append(e.at[path], at)
		if in.Request().Method() != "POST" || made == "" || !succeeded(status) || strings.HasSuffix(path, "/"+scope.NormalSegment(made)+"/") {
			e.open[path] = append(e.open[path], at)
		}
		for prefix := range prefixes(path) {
			if list, read := e.below[prefix]; read {
				e.below[prefix] = append(list, at)
			}
		}
	}
	for i, at := range unsafe {
		for _, id := range e.ids.all(named[i]) {
			e.byID[id] = append(e.byID[id], at)
		}
	}
	e.addRules(unsafe)
	ix.superseding = make([][]int, len(ix.entries))
	for _, list := range e.open {
		for i, at := range list {
			ix.superseding[at] = list[i+1:]
		}
	}
	return e
}

func (e *effects) addRules(unsafe []int) {
	for _, r := range e.of.matcher.rules {
		if len(r.affects) == 0 {
			continue
		}
		var by []int
		for _, at := range unsafe {
			if r.on.Match(requestTarget(e.of.entries[at].interaction.Request())) {
				by = append(by, at)
			}
		}
		for _, on := range r.affects {
			e.rules = append(e.rules, effectRule{on, by})
		}
	}
}

// on lists the lists of what is related to a sequence.
func (e *effects) on(positions []int) (out [][]int) {
	taken := map[*int]bool{}
	add := func(list []int) {
		if len(list) > 0 && !taken[&list[0]] {
			taken[&list[0]] = true
			out = append(out, list)
		}
	}
	done := map[string]bool{}
	var all []uint64
	for _, at := range positions {
		s := e.safe[at]
		all = append(all, e.ids.all(s.ids)...)
		if done[s.path] {
			continue
		}
		done[s.path] = true
		add(e.below[s.path])
		for prefix := range prefixes(s.path) {
			if prefix == s.path {
				continue
			}
			next, _, _ := strings.Cut(s.path[len(prefix):], "/")
			if e.ids.isID(decodeSegment(next)) {
				add(e.open[prefix])
			} else {
				add(e.at[prefix])
			}
		}
		target := requestTarget(e.of.entries[at].interaction.Request())
		for i := range e.rules {
			if e.rules[i].affects.Match(target) {
				add(e.rules[i].by)
			}
		}
	}
	slices.Sort(all)
	for _, id := range slices.Compact(all) {
		add(e.byID[id])
	}
	return out
}

// pathOf is host and path of a request, ending in a slash, so that one is a
// prefix of another segment by segment where it is as a text. The host stands
// without its default port.
func pathOf(r clean.Request) string {
	path := scope.NormalPath(rawPath(r.RawURL()))
	if found := redact.Placeholders(path); len(found) > 0 {
		// A secret is the same one in whatever form its placeholder is written.
		var b strings.Builder
		last := 0
		for _, ph := range found {
			b.WriteString(path[last:ph.Start])
			b.WriteString("REDACTED-" + ph.ID)
			last = ph.End
		}
		path = b.String() + path[last:]
	}
	path = scope.NormalHost(r.URL()) + strings.TrimRight(path, "/") + "/"
	for i, n := 0, 0; i < len(path); i++ {
		if path[i] == '/' {
			if n++; n > maxSegments {
				return path[:i+1]
			}
		}
	}
	return path
}

// prefixes yields the paths above a path, from its host on, and then itself.
func prefixes(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i+1]) {
				return
			}
		}
	}
}
