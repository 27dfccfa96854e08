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
	// ids number the generated names, every one in it.
	ids map[string]int32
	// given holds, by a name's number, the first interaction whose answer held it, -1 for none.
	given []int
	byID  map[int]int // positions
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
	id   int32 // the name's number in its recording
	// listed says that it stands in an array, whose elements may come in any order.
	listed bool
}

// numberName is how an id that is a plain number is called among generated names: an
// amount of the same digits is another thing.
const numberName = "#"

func readRecording(list []clean.Interaction, m *matchers.Matcher) (*recording, error) {
	r := &recording{matcher: m, list: list, traces: make([]trace, len(list)), ids: map[string]int32{}, byID: map[int]int{}}
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
		t := &r.traces[i]
		for n := range t.uses {
			u := &t.uses[n]
			id, known := r.ids[u.name]
			if !known {
				id = int32(len(r.given))
				r.ids[u.name], r.given = id, append(r.given, -1)
			}
			if u.id = id; n >= t.inSent && r.given[id] < 0 {
				r.given[id] = i
			}
		}
	}
	for i := range r.traces {
		t := &r.traces[i]
		t.route = t.Route(func(segment string) bool {
			if isNumeral(segment) && r.giver(numberName+segment) >= 0 {
				return true
			}
			var made trace // an id may have no digit
			made.text(0, plainName, false, segment)
			return len(made.uses) > 0
		})
	}
	return r, nil
}

// giver is the first interaction whose answer held a name, -1 for none.
func (r *recording) giver(name string) int {
	if id, ok := r.ids[name]; ok {
		return r.given[id]
	}
	return -1
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
	twigs := twigSlabs.Get().(*slab[twig])
	root := twigOf(header.Get("Content-Type"), resp.Body(), twigs)
	t.answered = mix(status, t.twig(&root, hashOf("body"), ""))
	twigs.release()
	twigSlabs.Put(twigs)
	t.samples = append(t.samples, uint32(status))
	t.samples = fewest(t.samples)
	return t, nil
}

// answerHeaders are those that name things by which later requests find them.
var answerHeaders = []string{"Location", "Content-Location", "Link", "Request-Id", "X-Request-Id", "Operation-Location"}

// use notes a name, which must not keep a body in memory.
func (t *trace) use(at uint64, name string) {
	t.uses = append(t.uses, use{at: at, name: name, listed: t.inArray > 0})
}

// path takes the ids out of a path.
func (t *trace) path(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		at := mix(hashOf("path"), uint64(i))
		if isNumeral(s) {
			t.use(at, numberName+s)
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
		t.use(at, numberName+s)
		return numberName
	case naming == timeName && (matchers.IsUnixTime(s) || !number && matchers.IsTime(s)):
		return "time"
	case number:
		return s
	case naming == cursorName || naming == requestName || naming == tokenName || naming == digestName:
		if opaque(s) {
			t.use(at, strings.Clone(s))
			return "opaque"
		}
	}
	found := pieces(s)
	for _, p := range found {
		if p.kind == aName || p.kind == aUUID {
			t.use(at, strings.Clone(s[p.start:p.end]))
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
