package matchers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// A Lesson is one fact that differs between two runs of the same program, and the
// rule under which it would not count.
type Lesson struct {
	On   string       // the requests, as in Rule.On
	Fact leaves.Place // [*] for any index
	// Why says what the values look like: "a UUID", "a time", "a number", "random", "text with a date in it".
	Why string
	// Seen counts the requests in which it differed.
	Seen int
	// First and Second are the values of the first such request, as misses print them.
	First, Second string
	// Rule is nil where none is offered; Instead says why.
	Rule    *Rule
	Instead string
}

// Lessons are what two runs teach.
type Lessons struct {
	List []Lesson
	// Pairs counts the requests that both runs sent, Same those that were equal.
	Pairs, Same int
	// Alone names the requests that only one of the runs sent.
	Alone []string
}

// Rules are the offered rules, one for all facts of the same requests.
func (l Lessons) Rules() []Rule {
	var out []Rule
	at := make(map[string]int)
	for _, lesson := range l.List {
		if lesson.Rule == nil {
			continue
		}
		i, ok := at[lesson.On]
		if !ok {
			i = len(out)
			at[lesson.On] = i
			out = append(out, Rule{On: lesson.On})
		}
		r := &out[i]
		r.Ignore = append(r.Ignore, lesson.Rule.Ignore...)
		r.Rewrite = append(r.Rewrite, lesson.Rule.Rewrite...)
		for name, shape := range lesson.Rule.As {
			if r.As == nil {
				r.As = make(map[string]string)
			}
			r.As[name] = shape
		}
	}
	return out
}

// Learn compares two recordings of the same program, made one after the other, and
// says which facts of its requests are new in every run. Values that an answer
// brought before are no such facts: replay brings the recorded ones again.
func (m *Matcher) Learn(first, second []clean.Interaction) Lessons {
	a, b := m.readRun(first), m.readRun(second)
	var out Lessons
	collected := make(map[[2]string]*lessonSoFar)
	var order [][2]string
	for _, p := range pairRuns(a, b) {
		switch {
		case p.b == nil:
			out.Alone = append(out.Alone, p.a.what+" (first run)")
			continue
		case p.a == nil:
			out.Alone = append(out.Alone, p.b.what+" (second run)")
			continue
		}
		out.Pairs++
		changes := slices.DeleteFunc(compareFacts(p.b.Facts, p.a.Facts), func(c change) bool { return broughtByAnswers(c, p) })
		if len(changes) == 0 {
			out.Same++
		}
		for _, c := range changes {
			id := [2]string{p.b.route, c.name().AnyIndex()}
			so := collected[id]
			if so == nil {
				so = &lessonSoFar{pair: p, change: c}
				collected[id] = so
				order = append(order, id)
			}
			so.all = append(so.all, c)
			if last := len(so.pairs); last == 0 || so.pairs[last-1] != p {
				so.pairs = append(so.pairs, p)
			}
		}
	}
	for _, id := range order {
		out.List = append(out.List, collected[id].lesson(id[1]))
	}
	slices.SortStableFunc(out.List, func(a, b Lesson) int { return strings.Compare(a.On, b.On) })
	return out
}

// A runRequest is one request of a run.
type runRequest struct {
	Reading
	what  string // for people
	route string // "METHOD host/path", ids in the path left open
	// seen holds the values that answers had brought before this request.
	seen *seenValues
	at   int
}

// seenValues says since which request a value of an answer was known.
type seenValues map[string]int

func (s seenValues) before(value string, at int) bool {
	since, ok := s[value]
	return ok && since < at
}

// general writes a path as a pattern: what looks like an id, and what an answer brought
// before, stands for any.
func (s seenValues) general(path string, at int) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if looksLikeID(segment) || s.before(segment, at) {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// minBrought is the shortest value, in bytes, of which it is believed that it came
// from an answer whatever its name: shorter ones stand there by chance, unless they
// are ids.
const minBrought = 4

func (m *Matcher) readRun(list []clean.Interaction) []*runRequest {
	seen := make(seenValues)
	given := func(value string, at int) {
		if _, ok := seen[value]; !ok && value != "" {
			seen[value] = at
		}
	}
	note := func(value string, at int) {
		if len(value) >= minBrought {
			given(value, at)
		}
	}
	out := make([]*runRequest, 0, len(list))
	for at, in := range list {
		r := m.Read(in.Request(), nil)
		out = append(out, &runRequest{
			Reading: r, seen: &seen, at: at,
			what:  r.fact("method") + " " + r.fact("host") + r.fact("path"),
			route: r.fact("method") + " " + r.fact("host") + seen.general(r.fact("path"), at),
		})
		answer, err := in.Response()
		if err != nil {
			continue // what cannot be read brings nothing
		}
		if _, list, err := leaves.Body(answer.Header().Get("Content-Type"), answer.Body()); err == nil {
			for i := range list {
				if note(list[i].Value, at); isIDName(list[i].Name) {
					given(list[i].Value, at)
				}
			}
		}
		for _, values := range answer.Header() {
			for _, value := range values {
				note(value, at)
				for _, segment := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune("/?&=#", c) }) {
					note(segment, at) // Location and Link
				}
			}
		}
	}
	return out
}

// A runPair is the same request in both runs; a or b is nil when only one run sent it.
type runPair struct{ a, b *runRequest }

// maxLookahead bounds how many requests of the second run are compared with one of
// the first: programs send requests in about the same order.
const maxLookahead = 64

// pairRuns finds the request of the second run that is each of the first: an equal
// one, else one to the same route with the fewest differences, in order.
func pairRuns(a, b []*runRequest) (out []*runPair) {
	byKey := make(map[Key][]*runRequest)
	for _, r := range b {
		byKey[r.Key] = append(byKey[r.Key], r)
	}
	taken := make(map[*runRequest]bool)
	pairs := make([]*runPair, len(a))
	for i, r := range a {
		pairs[i] = &runPair{a: r}
		if same := byKey[r.Key]; len(same) > 0 {
			pairs[i].b, byKey[r.Key] = same[0], same[1:]
			taken[same[0]] = true
		}
	}
	byRoute := make(map[string][]*runRequest)
	for _, r := range b {
		if !taken[r] {
			byRoute[r.route] = append(byRoute[r.route], r)
		}
	}
	for _, p := range pairs {
		if p.b != nil {
			continue
		}
		among := byRoute[p.a.route]
		best, fewest := -1, 0
		for i, r := range among[:min(len(among), maxLookahead)] {
			if n := countDifferences(r.Facts, p.a.Facts, best >= 0, fewest); best < 0 || n < fewest {
				best, fewest = i, n
			}
		}
		if best >= 0 {
			p.b = among[best]
			taken[p.b] = true
			byRoute[p.a.route] = slices.Delete(slices.Clone(among), best, best+1)
		}
	}
	out = pairs
	for _, r := range b {
		if !taken[r] {
			out = append(out, &runPair{b: r})
		}
	}
	return out
}

// broughtByAnswers reports whether what differs came from an earlier answer in both runs.
func broughtByAnswers(c change, p *runPair) bool {
	if c.recorded == nil || c.got == nil {
		return false
	}
	as, bs := []string{c.recorded.Value}, []string{c.got.Value}
	if c.name() == "path" {
		as, bs = strings.Split(c.recorded.Value, "/"), strings.Split(c.got.Value, "/")
		if len(as) != len(bs) {
			return false
		}
	}
	for i := range as {
		if as[i] != bs[i] && !(p.a.seen.before(as[i], p.a.at) && p.b.seen.before(bs[i], p.b.at)) {
			return false
		}
	}
	return true
}

// A lessonSoFar collects one fact's differences over all requests of a route.
type lessonSoFar struct {
	pair   *runPair // the first
	change change
	all    []change
	pairs  []*runPair
}

func (so *lessonSoFar) lesson(fact string) Lesson {
	l := Lesson{On: so.pair.b.route, Fact: leaves.Place(fact), Seen: len(so.pairs), First: "(absent)", Second: "(absent)"}
	if so.change.recorded != nil {
		l.First = so.change.recorded.show()
	}
	if so.change.got != nil {
		l.Second = so.change.got.show()
	}
	if fact == "path" {
		l.Instead = "a path says which thing is meant; no rule makes two paths one"
		return l
	}
	for _, c := range so.all {
		if !isLeaf(c) {
			l.Instead = whyNoRule(c)
			return l
		}
	}
	if shape := so.shape(); shape != "" {
		l.Why, l.Rule = shapeWords[shape], &Rule{As: map[string]string{fact: shape}}
	} else if part, ok := so.inText(); ok {
		l.Why, l.Rule = "text with "+part.what+" in it", &Rule{Rewrite: []Rewrite{{Fact: fact, Find: part.find.String(), With: part.with}}}
	} else {
		l.Why, l.Rule = "random", &Rule{Ignore: []string{fact}}
	}
	return l
}

// whyNoRule says why a rule that takes a fact out would be wrong.
func whyNoRule(c change) string {
	switch name := string(c.name()); {
	case name == "auth":
		return "the kind of credentials differs; send the same kind in both runs"
	case strings.HasPrefix(name, "body") && (c.recorded != nil && c.recorded.Type == digestType || c.got != nil && c.got.Type == digestType):
		return "the body is compared by its bytes, so no part of it can be left out"
	}
	return "it decides what the API does, so ignoring it could play a wrong answer"
}

var shapeWords = map[string]string{"uuid": "a UUID", "time": "a time", "integer": "a number"}

// shape is the shape of all values, or "".
func (so *lessonSoFar) shape() string {
	shape := commonShape(so.all[0])
	for _, c := range so.all[1:] {
		switch next := commonShape(c); {
		case next == shape:
		case (next == "integer" || next == "time") && (shape == "integer" || shape == "time"):
			shape = "integer" // a Unix time is one too; a written one is not
			if !isInteger(c.got.Value) || !isInteger(so.all[0].got.Value) {
				return ""
			}
		default:
			return ""
		}
	}
	return shape
}

// A textPart is what programs put into texts anew at every run.
type textPart struct {
	what, with string
	find       *regexp.Regexp
}

// textParts are tried in order: the narrowest first.
var textParts = []textPart{
	{"a UUID", "UUID", regexp.MustCompile(uuidText)},
	{"a time", "TIME", regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?`)},
	{"a date", "DATE", regexp.MustCompile(`\d{4}-\d\d-\d\d`)},
	{"a number", "NUMBER", regexp.MustCompile(`\d{6,}`)},
}

// inText is the part that alone makes all the texts differ.
func (so *lessonSoFar) inText() (textPart, bool) {
	for _, part := range textParts {
		if !slices.ContainsFunc(so.all, part.leaves) {
			return part, true
		}
	}
	return textPart{}, false
}

// leaves reports whether a difference remains once the part is replaced.
func (t textPart) leaves(c change) bool {
	return c.recorded == nil || c.got == nil || c.got.Type != stringType || c.recorded.Type != stringType ||
		t.find.ReplaceAllLiteralString(c.recorded.Value, t.with) != t.find.ReplaceAllLiteralString(c.got.Value, t.with)
}

// String says in one line what was seen.
func (l Lesson) String() string {
	times := "1 request"
	if l.Seen > 1 {
		times = fmt.Sprintf("%d requests", l.Seen)
	}
	return fmt.Sprintf("%s %s: %s in one run, %s in the other (%s)", l.On, l.Fact, l.First, l.Second, times)
}

// RulesYAML writes rules as the entries of "rules:" in tapedeck.yaml, each line
// behind indent.
func RulesYAML(list []Rule, indent string) string {
	var b strings.Builder
	for _, r := range list {
		_, entry, _ := strings.Cut(r.yaml(), "\n") // without "rules:"
		for line := range strings.Lines(entry) {
			b.WriteString(indent + strings.TrimPrefix(line, "  "))
		}
	}
	return b.String()
}
