package deck_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// atOnce makes it look as if two requests had been under way at once.
func atOnce(list []clean.Interaction) []clean.Interaction {
	for i := range list {
		list[i].Begin, list[i].End = uint64(2*i+1), uint64(2*i+2)
	}
	if n := len(list); n > 1 {
		list[n-2].End = list[n-1].End + 1
	}
	return list
}

// However the previous file was arranged, what is arranged like it answers the recorded
// requests as they were answered: proven where nothing is known to be as before, and
// the same even where all is.
func TestArrangedReplaysAsRecorded(t *testing.T) {
	programs := 200
	if testing.Short() || raceDetector {
		programs = 20
	}
	opt := modelOptions(t)
	moved := 0
	for seed := range programs {
		rnd := rand.New(rand.NewPCG(uint64(seed), 3))
		s := randomScenario(rnd)
		for _, same := range []bool{false, true} {
			b := modelBench{newMemoryStore(), opt}
			d := b.open(t, deck.RecordOnly, newFakeAPI(0, s.long), false)
			want := runOps(t, s.recorded, d, nil)
			b.close(t, d)

			cleaner := &clean.Cleaner{Vault: redact.NewVault(opt.Rules), DropResponseHeader: clean.Noise}
			tape, err := cassettes.Open(b.store, "model", cleaner, cassettes.ToExtend)
			if err != nil {
				t.Fatal(err)
			}
			list := atOnce(tape.Interactions())
			before := make(map[int]int)
			for at, was := range rnd.Perm(len(list)) {
				if rnd.IntN(6) > 0 {
					before[list[was].ID] = at
				}
			}
			arranged := deck.Arrange(opt.Matcher, list, before, func(clean.Interaction) bool { return same })
			if len(arranged) != len(list) {
				t.Fatalf("seed %d: %d of %d are left", seed, len(arranged), len(list))
			}
			for i := range list {
				if arranged[i].ID != list[i].ID {
					moved++
				}
			}
			if err := tape.Save(arranged, cassettes.State{}); err != nil {
				t.Fatal(err)
			}
			tape.Close()

			d = b.open(t, deck.ReplayOnly, nil, !same)
			for i, got := range runOps(t, s.recorded, d, nil) {
				if got != want[i] {
					t.Fatalf("seed %d, same %v: op %d%s: got %+v, recorded %+v\n%s\narranged: %v", seed, same, i, s.recorded[i], got, want[i], s, namesOf(arranged))
				}
			}
			b.close(t, d)
		}
	}
	if moved < programs {
		t.Errorf("only %d interactions moved: the test says little", moved)
	}
}

func namesOf(list []clean.Interaction) (out []string) {
	for _, in := range list {
		out = append(out, fmt.Sprintf("%d %s %s", in.ID, in.Request().Method(), in.Request().URL().Path))
	}
	return out
}

// arrangement is a recording as lines "ID METHOD PATH [ANSWER]", in recorded order, and
// the ids in the order of the previous file.
func TestArrange(t *testing.T) {
	for _, c := range []struct {
		what, recorded string
		before, want   []int
		turn           bool
	}{
		{what: "what has nothing to do with the other goes back", recorded: "1 POST /b\n0 POST /a\n2 POST /c", before: []int{0, 1, 2}, want: []int{0, 1, 2}},
		{what: "one after the other", turn: true, recorded: "1 POST /b\n0 POST /a\n2 POST /c", before: []int{0, 1, 2}, want: []int{1, 0, 2}},
		{what: "equal keys stay", recorded: "1 POST /a\n0 POST /a\n2 POST /c", before: []int{0, 2, 1}, want: []int{2, 1, 0}},
		{what: "a read stays behind what changed it", recorded: "1 PUT /a/1\n0 GET /a/1\n2 POST /c", before: []int{0, 2, 1}, want: []int{2, 1, 0}},
		{what: "and before what changes it later", recorded: "0 GET /a/1\n1 PUT /a/1\n2 POST /c", before: []int{1, 0, 2}, want: []int{0, 1, 2}},
		{what: "an id is used behind the answer that gave it", recorded: `1 POST /a {"id":"cus_9s6XKzkNRiz8i3"}` + "\n0 POST /b/cus_9s6XKzkNRiz8i3\n2 POST /c", before: []int{0, 2, 1}, want: []int{2, 1, 0}},
		{what: "what is new stands behind what it followed", recorded: "2 POST /c\n9 POST /new\n1 POST /b\n0 POST /a", before: []int{0, 1, 2}, want: []int{0, 1, 2, 9}},
		{what: "at the front too", recorded: "9 POST /new\n1 POST /b\n0 POST /a", before: []int{0, 1}, want: []int{9, 0, 1}},
		{what: "behind what it uses", recorded: `0 POST /a {"id":"cus_9s6XKzkNRiz8i3"}` + "\n2 POST /c\n1 POST /b\n9 POST /b/cus_9s6XKzkNRiz8i3", before: []int{0, 1, 2}, want: []int{0, 9, 1, 2}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var list []clean.Interaction
			cleaner := &clean.Cleaner{Vault: redact.NewVault(modelOptions(t).Rules)}
			for line := range strings.Lines(c.recorded) {
				var id int
				var method, path, answer string
				fmt.Sscan(line, &id, &method, &path, &answer)
				in, err := cleaner.Load(clean.Stored{Meta: clean.Meta{ID: id}, Method: method, URL: "https://api.acme.dev" + path, Proto: "HTTP/1.1",
					Status: 200, ResponseHeader: http.Header{"Content-Type": {jsonType}}, ResponseBody: []byte(answer)})
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, in)
			}
			list = atOnce(list)
			if c.turn {
				list[len(list)-2].End = list[len(list)-1].Begin - 1
			}
			before := make(map[int]int)
			for at, id := range c.before {
				before[id] = at
			}
			m, err := matchers.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, in := range deck.Arrange(m, list, before, func(clean.Interaction) bool { return false }) {
				got = append(got, in.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// A crowd gives every actor of a scenario what is its own, so that the answers do not
// depend on who comes first.
func crowd(s scenario) map[int][]op {
	makers := map[string]int{}
	for _, o := range s.recorded {
		if o.makes != "" {
			makers[o.makes] = o.actor
		}
	}
	out := map[int][]op{}
	for _, o := range s.recorded[1:] {
		own := o.path != "api.acme.dev/customers" || o.method == "POST"
		own = own && o.path != "api.acme.dev/search"
		for _, h := range modelHandle.FindAllString(o.path+o.body, -1) {
			maker, ok := makers[strings.Trim(h, "{}")]
			own = own && ok && maker == o.actor && h != "{shared}"
		}
		if own {
			out[o.actor] = append(out[o.actor], o)
		}
	}
	return out
}

// together runs every actor at once, all beginning before any is answered.
func together(t *testing.T, actors map[int][]op, to http.RoundTripper) map[int][]outcome {
	out := map[int][]outcome{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for actor, ops := range actors {
		wg.Go(func() {
			got := runOps(t, ops, to, nil)
			mu.Lock()
			defer mu.Unlock()
			out[actor] = got
		})
	}
	wg.Wait()
	return out
}

// locked lets one request at a time through, and the first of all when all have come.
type locked struct {
	mu    sync.Mutex
	first sync.WaitGroup
	to    http.RoundTripper
	left  int
}

func (l *locked) RoundTrip(req *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.left--
	early := l.left >= 0
	l.mu.Unlock()
	if early {
		l.first.Done()
		l.first.Wait()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.RoundTrip(req)
}

// Recorded twice in different interleavings, the file of the first time stays, and plays
// to every actor what it saw.
func TestModelRecordedTwice(t *testing.T) {
	programs := 150
	if testing.Short() || raceDetector {
		programs = 20
	}
	opt := modelOptions(t)
	quiet, all := 0, 0
	for seed := range programs {
		s := randomScenario(rand.New(rand.NewPCG(uint64(seed), 11)))
		actors := crowd(s)
		if len(actors) < 2 {
			continue
		}
		store := newMemoryStore()
		b := modelBench{store, opt}
		var before string
		for run := range 3 {
			upstream := &locked{to: newFakeAPI(500*run+seed, s.long), left: len(actors)}
			upstream.first.Add(len(actors))
			d := b.open(t, deck.RecordOnly, upstream, false)
			saw := together(t, actors, d)
			b.close(t, d)
			file := string(store.objects["model.yaml"])
			if run > 0 {
				all++
				if file == before {
					quiet++
				} else if s.long {
					gone, added := changedLines(t, before, file)
					t.Fatalf("seed %d, run %d: %d lines are gone, %d added\n- %s\n+ %s\n%s", seed, run, len(gone), len(added), strings.Join(gone, "\n- "), strings.Join(added, "\n+ "), before)
				}
			}
			before = file
			d = b.open(t, deck.ReplayOnly, nil, false)
			for actor, got := range together(t, actors, d) {
				if !slices.Equal(got, saw[actor]) {
					t.Fatalf("seed %d, run %d, actor %d: played\n%+v\nsaw\n%+v", seed, run, actor, got, saw[actor])
				}
			}
			b.close(t, d)
		}
	}
	t.Logf("%d of %d recordings changed nothing", quiet, all)
}
