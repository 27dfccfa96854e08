package diff

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
)

// A recording is one side, read for pairing.
type recording struct {
	matcher *matchers.Matcher
	list    []clean.Interaction
	traces  []trace
	// given holds, by generated name, the first interaction whose answer held it.
	given map[string]int
	known map[string]bool // every name in it
	byID  map[int]int     // positions
}

// A trace is what pairing keeps of an interaction.
type trace struct {
	matchers.Reading
	route string
	// sent and answered are hashes of what the request and the answer say, without what
	// is invented anew.
	sent, answered uint64
	// uses are the generated names in the interaction, those of the request first.
	uses    []use
	inSent  int // how many of them
	samples []uint32
	inArray int // while it is read: how many arrays are open
}

// A use is a generated name, and a hash of the place where it stands.
type use struct {
	at   uint64
	name string
	// listed says that it stands in an array, whose elements may come in any order.
	listed bool
}

// numberName is how an id that is a plain number is called among generated names: an
// amount of the same digits is another thing.
const numberName = "#"

func readRecording(list []clean.Interaction, m *matchers.Matcher) (*recording, error) {
	r := &recording{matcher: m, list: list, traces: make([]trace, len(list)), given: map[string]int{}, known: map[string]bool{}, byID: map[int]int{}}
	err := inParallel(len(list), func(i int) error {
		t, err := readTrace(list[i], m)
		r.traces[i] = t
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range r.traces {
		r.byID[list[i].ID] = i
		for n, u := range r.traces[i].uses {
			r.known[u.name] = true
			if _, known := r.given[u.name]; !known && n >= r.traces[i].inSent {
				r.given[u.name] = i
			}
		}
	}
	for i := range r.traces {
		t := &r.traces[i]
		t.route = t.Route(func(segment string) bool {
			if _, isID := r.given[numberName+segment]; isID {
				return true
			}
			var made trace // an id may have no digit
			made.text(0, plainName, false, segment)
			return len(made.uses) > 0
		})
	}
	return r, nil
}

func readTrace(in clean.Interaction, m *matchers.Matcher) (trace, error) {
	resp, err := in.Response()
	if err != nil {
		return trace{}, interactionError(in, err)
	}
	t := trace{Reading: m.Read(in.Request(), nil)}
	t.sent = 1
	for _, f := range t.Facts {
		at := hashOf(string(f.Name))
		text := f.Value
		if f.Name == "path" {
			text = t.path(text)
		} else if f.Type != "word" && f.Type != "part" {
			text = t.text(at, namingOf(f.Name), f.Type == "number", text)
		}
		t.sent = mix(t.sent, mix(at, hashOf(text)))
	}
	t.inSent = len(t.uses)
	header := resp.Header()
	status := hashOf(strconv.Itoa(resp.Status()))
	for _, name := range answerHeaders {
		for _, v := range header[name] {
			t.text(hashOf(name), namingOfName(name), false, v)
		}
	}
	if l := resp.Large(); l != nil {
		t.answered = mix(status, hashOf(l.Name()))
		return t, nil
	}
	root := twigOf(header.Get("Content-Type"), resp.Body())
	t.answered = mix(status, t.twig(&root, hashOf("body"), ""))
	t.samples = append(t.samples, uint32(status))
	t.samples = fewest(t.samples)
	return t, nil
}

// answerHeaders are those that name things by which later requests find them.
var answerHeaders = []string{"Location", "Content-Location", "Link", "Request-Id", "X-Request-Id", "Operation-Location"}

// path takes the ids out of a path.
func (t *trace) path(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		at := mix(hashOf("path"), uint64(i))
		if isNumeral(s) {
			t.uses = append(t.uses, use{at, numberName + s, t.inArray > 0})
			segments[i] = numberName
			continue
		}
		segments[i] = t.text(at, plainName, false, s)
	}
	return strings.Join(segments, "/")
}

// text notes the names in a text and returns it without what is invented anew.
func (t *trace) text(at uint64, naming naming, number bool, s string) string {
	switch {
	case naming == idName && isNumeral(s):
		t.uses = append(t.uses, use{at, numberName + s, t.inArray > 0})
		return numberName
	case naming == timeName && (matchers.IsUnixTime(s) || !number && matchers.IsTime(s)):
		return "time"
	case number:
		return s
	case naming == cursorName || naming == requestName || naming == tokenName || naming == digestName:
		if opaque(s) {
			t.uses = append(t.uses, use{at, s, t.inArray > 0})
			return "opaque"
		}
	}
	found := pieces(s)
	for _, p := range found {
		if p.kind == aName || p.kind == aUUID {
			t.uses = append(t.uses, use{at, s[p.start:p.end], t.inArray > 0})
		}
	}
	return skeleton(s, found)
}

// twig notes the names in a body and returns a hash of what it says. The order of
// elements does not count: lists of things that were made at the same time come in any.
func (t *trace) twig(v *twig, at uint64, name string) uint64 {
	h := uint64(v.kind)
	switch v.kind {
	case '{', '[':
		if v.kind == '[' {
			t.inArray++
			defer func() { t.inArray-- }()
		}
		for i := range v.kids {
			kid := &v.kids[i]
			below, called := at, name
			if v.kind == '{' {
				below, called = mix(at, hashOf(kid.name)), kid.name
			}
			h += mix(below, t.twig(kid, below, called))
		}
		return mix(h, uint64(len(v.kids)))
	case '"', '0':
		h = hashOf(t.text(at, namingOfName(name), v.kind == '0', v.text))
	}
	t.samples = append(t.samples, uint32(mix(at, h)))
	if len(t.samples) >= 4*sampleSize {
		t.samples = fewest(t.samples)
	}
	return h
}

// sampleSize is how many leaves of an answer are kept to see how alike two are: those
// with the lowest hashes, which are the same ones where answers are the same.
const sampleSize = 32

func fewest(list []uint32) []uint32 {
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.Clip(slices.Clone(list[:min(len(list), sampleSize)]))
}

// common counts the samples that two answers share.
func common(a, b []uint32) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			n++
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return n
}
