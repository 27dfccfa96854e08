package diff

import (
	"maps"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
)

// A lesson is what two interactions that are the same teach: which values the new one
// has in place of which old ones.
type lesson struct {
	names *renaming
	// places are those of values that were replaced where they stand only.
	places []Replaced
	// clashed are places where a name stands for another one than before.
	clashed []Replaced
	part    Part
}

// compare learns from a pair, the request first.
func (l *lesson) compare(old, fresh clean.Interaction) {
	l.part = Request
	a, b := old.Request(), fresh.Request()
	l.url(a.RawURL(), b.RawURL())
	for _, name := range b.HeaderNames() {
		l.header(name, a.Header(name), b.Header(name))
	}
	l.bodies(a.ContentType(), b.ContentType(), a.Body(), b.Body())
	l.part = Response
	x, err := old.Response()
	if err != nil {
		return
	}
	y, err := fresh.Response()
	if err != nil || x.Large() != nil || y.Large() != nil {
		return
	}
	before, now := x.Header(), y.Header()
	for _, name := range slices.Sorted(maps.Keys(now)) {
		l.header(name, before[name], now[name])
	}
	l.bodies(before.Get("Content-Type"), now.Get("Content-Type"), x.Body(), y.Body())
}

func (l *lesson) header(name string, old, fresh []string) {
	place := leaves.Place("header").Member(strings.ToLower(name))
	for i := range min(len(old), len(fresh)) {
		l.scalar(place, '"', old[i], fresh[i], false)
	}
}

func (l *lesson) url(old, fresh string) {
	if old == fresh {
		return
	}
	if list, ok := swaps(old, fresh); ok {
		l.swapped("url", old, fresh, list, false)
		return
	}
	oldPath, oldQuery, _ := strings.Cut(old, "?")
	newPath, newQuery, _ := strings.Cut(fresh, "?")
	a, b := strings.Split(oldPath, "/"), strings.Split(newPath, "/")
	for i := 3; i < len(b) && len(a) == len(b); i++ { // behind scheme and host
		switch {
		case a[i] == b[i]:
		case isNumeral(a[i]) && isNumeral(b[i]):
			l.name("url", numberName+a[i], numberName+b[i], false)
			l.note("url", aNumberHere, old, fresh)
		default:
			if list, ok := swaps(a[i], b[i]); ok {
				l.swapped("url", a[i], b[i], list, false)
			}
		}
	}
	values := map[leaves.Place]string{}
	list, _ := leaves.Query(oldQuery)
	for _, leaf := range list {
		values[leaf.Place] = leaf.Value
	}
	list, _ = leaves.Query(newQuery)
	for _, leaf := range list {
		if was, ok := values[leaf.Place]; ok {
			l.scalar(leaf.Place, '"', was, leaf.Value, false)
		}
	}
}

func (l *lesson) bodies(oldType, newType string, old, fresh []byte) {
	if string(old) == string(fresh) {
		return
	}
	a, b := twigOf(oldType, old, nil), twigOf(newType, fresh, nil)
	if a.kind == b.kind {
		l.twigs(&a, &b, &spot{root: "body"}, false)
	}
}

// A spot is where a value stands, written out only when it is asked for.
type spot struct {
	up   *spot
	root leaves.Place
	name string
	n    int // the index; -1 for a member
}

func (s *spot) place() leaves.Place {
	switch {
	case s.root != "":
		return s.root
	case s.n < 0:
		return s.up.place().Member(s.name)
	}
	return s.up.place().Index(s.n)
}

// twigs learns from two values of the same kind. weak says that it is not sure that
// they are the same.
func (l *lesson) twigs(old, fresh *twig, at *spot, weak bool) {
	switch fresh.kind {
	case '{':
		for i := range fresh.kids {
			kid := &fresh.kids[i]
			was := counterpart(old, kid, i)
			if was == nil || was.kind != kid.kind {
				continue
			}
			l.twigs(was, kid, &spot{up: at, root: kid.place, name: kid.name, n: -1}, weak)
		}
	case '[':
		l.elements(old, fresh, at, weak)
	case '"', '0':
		if old.text != fresh.text {
			l.scalar(at.place(), fresh.kind, old.text, fresh.text, weak)
		}
	}
}

// counterpart is the member of old that kid is, which mostly stands at the same position.
func counterpart(old, kid *twig, i int) *twig {
	same := func(k *twig) bool { return k.name == kid.name && k.place == kid.place }
	if i < len(old.kids) && same(&old.kids[i]) {
		return &old.kids[i]
	}
	for i := range old.kids {
		if same(&old.kids[i]) {
			return &old.kids[i]
		}
	}
	return nil
}

// scalar learns from two texts at one place.
func (l *lesson) scalar(place leaves.Place, kind byte, old, fresh string, weak bool) {
	naming := namingOf(place)
	if old == fresh || naming == chosenName {
		return
	}
	switch {
	case kind == '0', isNumeral(old) && isNumeral(fresh):
		switch {
		case naming == timeName && areUnixTimes(old, fresh):
			l.note(place, aTimeHere, old, fresh)
		case naming == idName && isNumeral(old) && isNumeral(fresh):
			l.note(place, aNumberHere, old, fresh)
			l.name(place, numberName+old, numberName+fresh, weak)
		}
		return
	case naming == timeName && areTimes(old, fresh):
		l.note(place, aTimeHere, old, fresh)
		return
	}
	if list, ok := swaps(old, fresh); ok {
		l.swapped(place, old, fresh, list, weak)
		return
	}
	if !naming.opaque(old) || !naming.opaque(fresh) {
		return
	}
	switch naming {
	case cursorName, requestName:
		l.name(place, old, fresh, weak)
	case idName:
		if sameMake(old, fresh) {
			l.name(place, old, fresh, weak)
		}
	case digestName, tokenName:
		l.note(place, aMarkHere, old, fresh)
	}
}

// swapped learns from the pieces in which two texts differ.
func (l *lesson) swapped(place leaves.Place, old, fresh string, list []swap, weak bool) {
	mark := namingOf(place) == digestName
	for _, s := range list {
		switch {
		case s.kind == aTime:
			l.note(place, aTimeHere, old, fresh)
		case s.kind == aSecret:
		case mark:
			l.note(place, aMarkHere, old, fresh)
		default:
			l.name(place, s.old, s.new, weak)
		}
	}
}

func (l *lesson) note(place leaves.Place, what What, old, fresh string) {
	old, fresh = strings.Clone(old), strings.Clone(fresh) // and not the bodies that they stand in
	r := Replaced{Part: l.part, Place: place, What: what, New: fresh, Old: old}
	if (what == aTimeHere || what == aMarkHere) && l.names.times[fresh] != old {
		l.names.times[fresh] = old
		l.names.version++
	}
	if !slices.Contains(l.places, r) {
		l.places = append(l.places, r)
	}
}

func (l *lesson) name(place leaves.Place, old, fresh string, weak bool) {
	old, fresh = strings.Clone(old), strings.Clone(fresh)
	if old != fresh && !l.names.learn(old, fresh, weak) {
		l.clashed = append(l.clashed, Replaced{Part: l.part, Place: place, What: aNameHere, New: fresh, Old: old})
	}
}

// numbers finds the ids that are plain numbers and have other names in the old recording.
func (l *lesson) numbers(in clean.Interaction) []Replaced {
	request := in.Request()
	l.part = Request
	segments := strings.Split(request.RawURL(), "/")
	for i := min(3, len(segments)); i < len(segments); i++ {
		number, rest, hasRest := strings.Cut(segments[i], "?")
		if k, ok := l.names.old[numberName+number]; ok && isNumeral(number) {
			segments[i] = k.name[len(numberName):]
			if hasRest {
				segments[i] += "?" + rest
			}
		}
	}
	if url := strings.Join(segments, "/"); url != request.RawURL() {
		l.note("url", aNumberHere, l.names.text(url), request.RawURL())
	}
	body := twigOf(request.ContentType(), request.Body(), nil)
	l.numbersIn(&body, &spot{root: "body"})
	l.part = Response
	if resp, err := in.Response(); err == nil && resp.Large() == nil {
		body := twigOf(resp.Header().Get("Content-Type"), resp.Body(), nil)
		l.numbersIn(&body, &spot{root: "body"})
	}
	return l.places
}

func (l *lesson) numbersIn(v *twig, at *spot) {
	for i := range v.kids {
		kid := &v.kids[i]
		here := &spot{up: at, root: kid.place, name: kid.name, n: i}
		if v.kind == '{' {
			here.n = -1
		}
		l.numbersIn(kid, here)
	}
	if k, ok := l.names.old[numberName+v.text]; ok && v.text != "" {
		if place := at.place(); namingOf(place) == idName {
			l.note(place, aNumberHere, k.name[len(numberName):], v.text)
		}
	}
}
