package deck_test

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

var modelPrograms = flag.Int("model.programs", 0, "how many random programs TestModel runs (default 300, a tenth with -short or -race)")

// An op is one request of a random program. Things are named by handles, since
// the ids that a client gets differ from run to run.
type op struct {
	actor  int
	method string
	path   string // host/path, in which a handle stands in braces
	body   string
	makes  string // the handle of what a POST makes, or ""
}

func (o op) safe() bool { return o.method == "GET" || strings.HasSuffix(o.path, "/search") }

func (o op) String() string {
	text := fmt.Sprintf("  actor %d: %s %s %s", o.actor, o.method, o.path, o.body)
	if o.makes != "" {
		text += " makes " + o.makes
	}
	return text
}

// A scenario is a program that is recorded, and one that is replayed.
type scenario struct {
	long               bool // ids that look generated
	recorded, replayed []op
}

func (s scenario) String() string {
	var b strings.Builder
	for _, part := range []struct {
		name string
		ops  []op
	}{{"recorded", s.recorded}, {"replayed", s.replayed}} {
		fmt.Fprintf(&b, "%s (long ids: %v):\n", part.name, s.long)
		for _, o := range part.ops {
			fmt.Fprintln(&b, o)
		}
	}
	return b.String()
}

// randomScenario has some actors, each with customers, sources and files of its
// own, who read what anybody has, and all change one customer together.
func randomScenario(rnd *rand.Rand) scenario {
	s := scenario{long: rnd.IntN(2) == 0}
	actors := 1 + rnd.IntN(3)
	s.recorded = append(s.recorded, op{0, "POST", "api.acme.dev/customers", `{"name":"shared"}`, "shared"})
	own := make([][]string, actors) // handles
	everybodys := []string{"shared"}
	next := 0
	for range 4 + rnd.IntN(24) {
		actor := rnd.IntN(actors)
		next++
		handle := func(kind string) string { return fmt.Sprintf("%s%d", kind, next) }
		pick := func(list []string, kinds string) string {
			var fit []string
			for _, h := range list {
				if strings.Contains(kinds, h[:1]) {
					fit = append(fit, h)
				}
			}
			if len(fit) == 0 {
				return "shared"
			}
			return fit[rnd.IntN(len(fit))]
		}
		o := op{actor: actor}
		switch rnd.IntN(16) {
		case 0, 1:
			o = op{actor, "POST", "api.acme.dev/customers", fmt.Sprintf(`{"name":"n%02d"}`, next), handle("c")}
		case 2:
			o = op{actor, "POST", "files.acme.dev/files", fmt.Sprintf(`{"title":"t%02d"}`, next), handle("f")}
		case 3:
			o = op{actor, "POST", "api.acme.dev/customers/{" + pick(own[actor], "c") + "}/sources", fmt.Sprintf(`{"type":"s%02d"}`, next), handle("s")}
		case 4:
			o.method, o.path, o.body = "PUT", "api.acme.dev/customers/{"+pick(own[actor], "c")+"}", fmt.Sprintf(`{"note":"v%d"}`, rnd.IntN(3))
		case 5:
			o.method, o.path, o.body = "PUT", "api.acme.dev/customers/{shared}", fmt.Sprintf(`{"note":"v%d"}`, rnd.IntN(3))
		case 6:
			file := pick(own[actor], "f")
			if file == "shared" {
				continue
			}
			o.method, o.path, o.body = "PUT", "api.acme.dev/customers/{"+pick(own[actor], "c")+"}", `{"file":"{`+file+`}"}`
		case 7:
			file := pick(own[actor], "f")
			if file == "shared" {
				continue
			}
			o.method, o.path, o.body = "PUT", "files.acme.dev/files/{"+file+"}", fmt.Sprintf(`{"title":"w%d"}`, rnd.IntN(3))
		case 8:
			customer := pick(own[actor], "c")
			if customer == "shared" {
				continue
			}
			o.method, o.path = "DELETE", "api.acme.dev/customers/{"+customer+"}"
		case 9:
			o.method, o.path, o.body = "POST", "api.acme.dev/search", `{"name":"n"}`
		case 10, 11:
			o.method, o.path = "GET", "api.acme.dev/customers"
		case 12:
			o.method, o.path = "GET", "api.acme.dev/customers/{"+pick(everybodys, "c")+"}/sources"
		case 13:
			file := pick(everybodys, "f")
			if file == "shared" {
				continue
			}
			o.method, o.path = "GET", "files.acme.dev/files/{"+file+"}"
		default:
			o.method, o.path = "GET", "api.acme.dev/customers/{"+pick(everybodys, "c")+"}"
		}
		if o.makes != "" {
			own[actor] = append(own[actor], o.makes)
			everybodys = append(everybodys, o.makes)
		}
		s.recorded = append(s.recorded, o)
	}
	s.replayed = reordered(rnd, s.recorded, actors)
	return s
}

// reordered lets each actor do what changes something in its own order, mixes the
// actors, leaves some out, and reads more, less, and at other times.
func reordered(rnd *rand.Rand, recorded []op, actors int) []op {
	var queues [][]op
	var reads []op
	for actor := range actors {
		var queue []op
		for _, o := range recorded[1:] {
			switch {
			case o.safe():
				reads = append(reads, o)
			case o.actor == actor:
				queue = append(queue, o)
			}
		}
		switch rnd.IntN(8) {
		case 0: // this one's test is not run
		case 1: // or fails in the middle
			queues = append(queues, queue[:rnd.IntN(len(queue)+1)])
		default:
			queues = append(queues, queue)
		}
	}
	if len(reads) == 0 {
		reads = []op{{method: "GET", path: "api.acme.dev/customers/{shared}"}}
	}
	out := []op{recorded[0]}
	sticky := rnd.IntN(2) == 0 // actors one after the other, or mixed
	for len(queues) > 0 {
		i := 0
		if !sticky {
			i = rnd.IntN(len(queues))
		}
		if len(queues[i]) == 0 {
			queues = slices.Delete(queues, i, i+1)
			continue
		}
		out = append(out, queues[i][0])
		queues[i] = queues[i][1:]
		for range rnd.IntN(4) {
			out = append(out, reads[rnd.IntN(len(reads))])
		}
	}
	return out
}

// polled leaves out reads and repeats others, where they were recorded.
func polled(recorded []op) (out []op) {
	for i, o := range recorded {
		times := 1
		if o.safe() {
			times = []int{0, 1, 3}[i%3]
		}
		out = append(out, slices.Repeat([]op{o}, times)...)
	}
	return out
}

// outcome is what came of an op. Ids in it are handles.
type outcome struct {
	skipped  bool // it names something that this run has not made
	missed   bool
	unproven bool
	answer   string
}

var modelHandle = regexp.MustCompile(`\{[a-z]+\d*\}`)

var modelID = regexp.MustCompile(`(?:cus|src|file)_[0-9A-Za-z]+`)

// runOps sends a program. d is the deck among the transports, or nil.
func runOps(t *testing.T, ops []op, to http.RoundTripper, d *deck.Deck) []outcome {
	t.Helper()
	ids := map[string]string{}     // by handle
	handles := map[string]string{} // by id
	out := make([]outcome, len(ops))
	unproven := 0
	for i, o := range ops {
		known := true
		fill := func(text string) string {
			return modelHandle.ReplaceAllStringFunc(text, func(h string) string {
				id := ids[strings.Trim(h, "{}")]
				known = known && id != ""
				return id
			})
		}
		url, body := "https://"+fill(o.path), fill(o.body)
		if !known {
			out[i].skipped = true
			continue
		}
		req, err := http.NewRequest(o.method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body == "" {
			req.Body, req.ContentLength = nil, 0
		} else {
			req.Header.Set("Content-Type", jsonType)
		}
		resp, err := to.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if o.makes != "" && resp.StatusCode == 201 {
			if id := modelID.FindString(string(got)); id != "" {
				ids[o.makes], handles[id] = id, o.makes
			}
		}
		out[i].missed = resp.StatusCode == deck.StatusMiss
		out[i].answer = fmt.Sprint(resp.StatusCode, " ", modelID.ReplaceAllStringFunc(string(got), func(id string) string {
			if h := handles[id]; h != "" {
				return h
			}
			return id
		}))
		if d != nil {
			now := len(d.Report().Unproven)
			out[i].unproven = now > unproven
			unproven = now
		}
	}
	return out
}

// modelOptions are what all decks of the test share.
func modelOptions(t testing.TB) deck.Options {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	opt := deck.Options{Name: "model", Rules: rules, DropResponseHeader: clean.Noise}
	// What a search finds, no path and no id tells.
	withRules(t, matchers.Rule{On: "POST api.acme.dev/search", Safe: true},
		matchers.Rule{On: "* api.acme.dev/customers/**", Affects: []string{"POST api.acme.dev/search"}})(&opt)
	return opt
}

// modelBench opens decks on one cassette, as bench does, and keeps none of them:
// there are thousands.
type modelBench struct {
	store cassettes.Store
	opt   deck.Options
}

func (b modelBench) open(t *testing.T, mode deck.Mode, upstream http.RoundTripper, strict bool) *deck.Deck {
	t.Helper()
	opt := b.opt
	opt.Store, opt.Mode, opt.Upstream, opt.Strict = b.store, mode, upstream, strict
	d, err := deck.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (b modelBench) close(t *testing.T, d *deck.Deck) {
	t.Helper()
	if err := d.Close(deck.Outcome{}); err != nil {
		t.Fatal(err)
	}
}

// tally counts what came of safe requests.
type tally struct {
	proven, unproven, missed int
	right                    int // of the unproven ones
}

// check records, replays in order and otherwise, and compares every answer with
// what a fresh API gives. It returns the first fault, or "".
func (s scenario) check(t *testing.T, opt deck.Options, count *tally) string {
	b := modelBench{newMemoryStore(), opt}
	d := b.open(t, deck.RecordOnly, newFakeAPI(0, s.long), false)
	recorded := runOps(t, s.recorded, d, nil)
	b.close(t, d)

	d = b.open(t, deck.ReplayOnly, nil, true)
	for i, got := range runOps(t, s.recorded, d, d) {
		if got != recorded[i] {
			return fmt.Sprintf("in the recorded order, op %d: got %+v, recorded %+v", i, got, recorded[i])
		}
	}
	b.close(t, d)

	polls := polled(s.recorded)
	d = b.open(t, deck.ReplayOnly, nil, true)
	live := runOps(t, polls, newFakeAPI(500, s.long), nil)
	for i, got := range runOps(t, polls, d, d) {
		if got != live[i] {
			return fmt.Sprintf("with more polls and fewer, op %d,%s: got %+v; the API says %s", i, polls[i], got, live[i].answer)
		}
	}
	b.close(t, d)

	d = b.open(t, deck.ReplayOnly, nil, false)
	defer b.close(t, d)
	live = runOps(t, s.replayed, newFakeAPI(500, s.long), nil)
	for i, got := range runOps(t, s.replayed, d, d) {
		o := s.replayed[i]
		switch {
		case got.skipped:
		case got.missed && !o.safe():
			return "" // not a replay of what was recorded; shrinking can bring this about
		case got.missed:
			count.missed++
		case got.unproven:
			count.unproven++
			if got.answer == live[i].answer {
				count.right++
			}
		case got.answer != live[i].answer:
			return fmt.Sprintf("op %d,%s: played %s; the API says %s", i, o, got.answer, live[i].answer)
		case o.safe():
			count.proven++
		}
	}
	return ""
}

// shrink leaves out what is not needed for the fault.
func (s scenario) shrink(t *testing.T, opt deck.Options) (scenario, string) {
	fault := s.check(t, opt, &tally{})
	for again := true; again; {
		again = false
		for _, part := range []*[]op{&s.replayed, &s.recorded} {
			for i := len(*part) - 1; i >= 0; i-- {
				before := *part
				*part = slices.Delete(slices.Clone(before), i, i+1)
				if f := s.check(t, opt, &tally{}); f != "" {
					fault, again = f, true
				} else {
					*part = before
				}
			}
		}
	}
	return s, fault
}

// Every answer is the one that the API would have given, or is reported as unproven.
func TestModel(t *testing.T) {
	programs := *modelPrograms
	if programs == 0 {
		programs = 300
		if testing.Short() || raceDetector {
			programs = 30
		}
	}
	opt := modelOptions(t)
	var count tally
	for seed := range programs {
		s := randomScenario(rand.New(rand.NewPCG(uint64(seed), 7)))
		if s.check(t, opt, &count) != "" {
			small, fault := s.shrink(t, opt)
			t.Fatalf("seed %d: %s\n%s", seed, fault, small)
		}
	}
	all := count.proven + count.unproven + count.missed
	t.Logf("of %d reads, %d were proven, %d unproven (%d of them right), %d missed", all, count.proven, count.unproven, count.right, count.missed)
	if count.proven < all/5 {
		t.Errorf("only %d of %d reads were proven: the test says little", count.proven, all)
	}
}

func FuzzModel(f *testing.F) {
	for seed := range uint64(2) {
		f.Add(seed, seed*7)
	}
	opt := modelOptions(f)
	f.Fuzz(func(t *testing.T, a, b uint64) {
		s := randomScenario(rand.New(rand.NewPCG(a, b)))
		if s.check(t, opt, &tally{}) != "" {
			small, fault := s.shrink(t, opt)
			t.Fatalf("%s\n%s", fault, small)
		}
	})
}
