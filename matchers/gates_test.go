package matchers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// recording is calls as lines: METHOD URL {body} > answer. The host api.acme.dev may be left out.
func (d *deck) recording(text string) (list []clean.Interaction) {
	d.t.Helper()
	for line := range strings.Lines(text) {
		asked, answer, ok := strings.Cut(strings.TrimSpace(line), " > ")
		if !ok {
			continue
		}
		method, rest, _ := strings.Cut(asked, " ")
		url, body, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(url, "/") {
			url = "api.acme.dev" + url
		}
		list = append(list, d.interaction(request(method+" https://"+url+"\nContent-Type: application/json\n\n"+body), answer))
	}
	return list
}

// showSequences writes every sequence: its groups, each after its gate.
//
//	[0 2] 3 4 | [5] 6
func (ix *Index) showSequences() string {
	var out []string
	for i := range ix.sequences {
		var groups []string
		for _, g := range ix.sequences[i].Groups {
			text := strings.Trim(fmt.Sprint(g.Positions), "[]")
			if len(g.Gate) > 0 {
				text = fmt.Sprint(g.Gate.Positions()) + " " + text
			}
			groups = append(groups, text)
		}
		out = append(out, strings.Join(groups, " | "))
	}
	return strings.Join(out, "\n")
}

func TestSequences(t *testing.T) {
	const uuid = "6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c1e11"
	for _, tc := range []struct {
		what, recorded, want string
		rules                []Rule
	}{
		{what: "only reads", recorded: `
			GET /a > 1
			GET /a > 2`, want: "0 1"},
		{what: "only changes", recorded: `
			POST /a > 1`, want: ""},
		{what: "below, above, at, beside", recorded: `
			GET /a/b > 0
			PUT /a/b/c > .
			PUT /x > .
			GET /a/b > 1
			PUT /a > .
			PUT /x > .
			GET /a/b > 2
			PUT /a/b > .
			PUT /x > .
			GET /a/b > 3
			PUT /a/bb > .
			PUT /x > .
			GET /a/b > 4`, want: "0 | [1] 3 | [4] 6 | [7] 9 | [10 11] 12"},
		{what: "the root is above all, a final slash is none", recorded: `
			GET /a > 0
			POST / > .
			POST /b > .
			GET /a > 1
			PUT /a/ > .
			POST /b > .
			GET /a > 2`, want: "0 | [1] 3 | [4] 6"},
		{what: "ports and spellings of one host", recorded: `
			GET /a > 0
			PUT API.acme.dev.:443/a > .
			PUT api.acme.dev:8443/a > .
			GET /a > 1`, want: "0 | [1] 3"},
		{what: "what made a thing, and what made another", recorded: `
			POST /things {"n":1} > {"id":"t1"}
			POST /things {"n":2} > {"id":"t2"}
			GET /things/t1 > {"id":"t1"}
			GET /things/t2 > {"id":"t2"}
			GET /things > {"data":[{"id":"t1"},{"id":"t2"}]}
			GET /things/count > 2`,
			want: "[0] 2\n[1] 3\n[0 1] 4\n[0 1] 5"},
		{what: "what changes a whole collection changes what is in it", recorded: `
			POST /things > {"id":"t1"}
			DELETE /things > .
			POST /noise > .
			GET /things/t1 > .`,
			want: "[0 1] 3"},
		{what: "numbers as ids", recorded: `
			POST /things {"n":1} > {"id":1}
			POST /things {"n":2} > {"id":2}
			GET /things/1 > {"id":1,"amount":2}`,
			want: "[0] 2"},
		{what: "a POST to a thing changes it", recorded: `
			POST /things/t1 {"n":1} > {"id":"t1"}
			POST /things/t2 {"n":2} > {"id":"t2"}
			GET /things/t1/parts/p1 > .`,
			want: "[0] 2"},
		{what: "a UUID in a body", recorded: `
			POST files.acme.dev/f {"for":"` + uuid + `"} > .
			POST files.acme.dev/f {"for":"x"} > .
			GET /things/` + uuid + ` > .`,
			want: "[0] 2"},
		{what: "an id in an answer, as a value and in a URL", recorded: `
			POST files.acme.dev/f > {"id":"f1"}
			POST files.acme.dev/f > {"id":"f2"}
			GET /a > {"files":["f1"]}
			GET /b > {"url":"https://files.acme.dev/f/f2?raw"}
			GET /c > {"files":["f3"]}`,
			want: "[0] 2\n[1] 3\n[0 1] 4"},
		{what: "amounts and times are no ids", recorded: `
			POST /pay {"amount":20000,"at":1795255200} > .
			POST /else > .
			GET /orders > {"amount":20000,"at":1795255200}`,
			want: "[0 1] 2"},
		{what: "a query names an id", recorded: `
			POST /pay {"customer_id":"c1"} > .
			POST /pay {"customer_id":"c2"} > .
			GET /orders?customer=c1&x=2 > .
			GET /customers?x=1 > {"id":"c1"}`,
			want: "[0] 2\n[0] 3"},
		{what: "a host that looks generated is no id", recorded: `
			POST localhost:31999/things {"n":1} > {"id":"t1"}
			POST localhost:31999/things {"n":2} > {"id":"t2","url":"http://localhost:31999/things/t2"}
			POST localhost:31999/else > .
			GET localhost:31999/things/t1 > {"id":"t1"}
			GET localhost:31999/things/t2 > {"id":"t2","url":"http://localhost:31999/things/t2"}`,
			want: "[0] 3\n[1] 4"},
		{what: "a rule", recorded: `
			POST /pay > .
			POST /else > .
			GET /report > .`,
			rules: []Rule{{On: "POST api.acme.dev/else", Affects: []string{"GET api.acme.dev/report"}}},
			want:  "[1] 2"},
		{what: "a rule of another path", recorded: `
			POST /pay > .
			POST /else > .
			GET /report > .`,
			rules: []Rule{{On: "POST api.acme.dev/else", Affects: []string{"GET api.acme.dev/balance", "POST api.acme.dev/report"}}},
			want:  "[0 1] 2"},
		{what: "a secret is the id it stands for", recorded: `
			POST /a {"client_secret":"cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLG"} > .
			POST /else > .
			GET /b?client_secret=cuss_secret_QXhWeUEtZoDV8FHnNbPiBHmAkXKnqYLG > .`,
			want: "[0] 2"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			d := newDeck(t, tc.rules...)
			if got := NewIndex(d.matcher, d.recording(tc.recorded)).showSequences(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// Every caller has a sequence; one whose secret comes from a variable is the same
// caller when its value has changed.
func TestSequencesOfCallers(t *testing.T) {
	const me = "https://api.acme.dev/me"
	alice, bob := as("alice", me), as("bob", me)
	change := request("PUT " + me)
	d := newDeckEnv(t, []string{"ALICE_TOKEN=" + secretOf("alice")})
	var list []clean.Interaction
	for i, r := range []request{alice, change, bob, change, alice, change, bob} {
		list = append(list, d.interaction(r, fmt.Sprint(i)))
	}
	if got, want := NewIndex(d.matcher, list).showSequences(), "0 | [1 3] 4\n[1] 2 | [3 5] 6"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	secrets := [][]Secret{
		{{Place: "auth", ID: "0001", Env: "ALICE_TOKEN"}}, {{Place: "auth", ID: "0007", Env: "ALICE_TOKEN"}},
		{{Place: "auth", ID: "0001"}}, {{Place: "auth", ID: "0002"}}, {{Place: "body.token", ID: "0002"}}, nil,
	}
	for i, a := range secrets {
		for j, b := range secrets {
			if same, want := callerOf(a) == callerOf(b), i == j || i+j == 1; same != want {
				t.Errorf("%v and %v are the same caller: %v", a, b, same)
			}
		}
	}
}

func TestSequenceOfAPosition(t *testing.T) {
	d := newDeck(t)
	list := d.recording(`
		GET /a > 0
		POST /a > .
		GET /a > 1
		PUT /a {"x":1} > .
		PUT /a {"x":2} > .`)
	ix := NewIndex(d.matcher, list)
	ix.Add(list[0])
	s := ix.Sequence(0)
	if s == nil || s != ix.Sequence(2) || ix.Sequence(1) != nil || ix.Sequence(5) != nil || ix.Sequences() != 1 {
		t.Fatal("a safe interaction is in a sequence, and no other is")
	}
	if got := s.Later(0).Positions(); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("later than 0: %v", got)
	}
	if got := s.Later(1).Positions(); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("later than 1: %v", got)
	}
	if got := ix.Superseding(1).Positions(); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("superseding 1: %v", got)
	}
	if len(ix.Superseding(4))+len(ix.Superseding(0))+len(ix.Superseding(5)) > 0 {
		t.Error("nothing supersedes the last, a safe one, or one that was added")
	}
	if !s.Depends(3) || !s.Related(3) || s.Depends(0) {
		t.Error("depends on what is related")
	}
}

// Paths of any length and depth cost no more than their beginning.
func TestDeepPathIsCutOff(t *testing.T) {
	d := newDeck(t)
	deep := strings.Repeat("/a", 5000)
	list := d.recording("PUT " + deep + " > .\nPUT /b > .\nGET " + deep + "/x > .\n")
	if got, want := NewIndex(d.matcher, list).showSequences(), "[0] 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if path := pathOf(list[2].Request()); strings.Count(path, "/") != maxSegments+1 {
		t.Errorf("%d segments", strings.Count(path, "/")-1)
	}
}

// The gates part the unsafe positions before the last answer: none twice, each
// between the answers where it was recorded.
func TestGroupsAgainstDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var positions, unsafe []int
		related := make([][]int, 1+rnd.IntN(3))
		isRelated := map[int]bool{}
		for at := range rnd.IntN(30) {
			if rnd.IntN(2) == 0 {
				positions = append(positions, at)
				continue
			}
			unsafe = append(unsafe, at)
			for i := range related {
				if rnd.IntN(5) == 0 {
					related[i] = append(related[i], at)
					isRelated[at] = true
				}
			}
		}
		if len(positions) == 0 {
			continue
		}
		s := Sequence{related: related}
		s.group(positions, unsafe)

		var want []string
		before := -1
		for i, at := range positions {
			var all, only []int
			for _, u := range unsafe {
				if before < u && u < at {
					all = append(all, u)
					if isRelated[u] {
						only = append(only, u)
					}
				}
			}
			if len(only) > 0 {
				all = only
			}
			if i == 0 || len(all) > 0 {
				want = append(want, fmt.Sprint(all))
			}
			want[len(want)-1] += fmt.Sprintf(" %d", at)
			before = at
		}
		var got []string
		for _, g := range s.Groups {
			text := fmt.Sprint(g.Gate.Positions())
			for _, at := range g.Positions {
				text += fmt.Sprintf(" %d", at)
			}
			got = append(got, text)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("answers %v, unsafe %v, related %v:\ngot  %q\nwant %q", positions, unsafe, related, got, want)
		}
	}
}

// largeRecording is n interactions of the kinds that could make the building of
// gates slow: everything below one collection, one thing read again and again,
// and things read once that all depend on the same many changes.
func largeRecording(b *testing.B, kind string, n int) (*deck, []clean.Interaction) {
	b.Helper()
	d := newDeck(b)
	list := make([]clean.Interaction, n)
	for i := range list {
		thing := fmt.Sprintf("thing_%dk7Qm2xLp3Z", i/4)
		var r request
		answer := `{"id":"` + thing + `","name":"a thing","amount":1200,"tags":["a","b"]}`
		switch {
		case kind == "items" && i%4 == 0:
			r = request(fmt.Sprintf("POST https://api.acme.dev/things\nContent-Type: application/json\n\n{\"n\":%d}", i))
		case kind == "items" && i%4 == 2:
			r = request("PUT https://api.acme.dev/things/" + thing)
		case kind == "items":
			r = get("https://api.acme.dev/things/" + thing)
		case kind == "polls" && i%2 == 0:
			r = get("https://api.acme.dev/things")
		case kind == "polls":
			r = request(fmt.Sprintf("PUT https://api.acme.dev/things\nContent-Type: application/json\n\n{\"n\":%d}", i))
		case i%2 == 0: // unrelated
			r = get(fmt.Sprintf("https://api.acme.dev/pages/%d", i))
			answer = "{}"
		default:
			r = request(fmt.Sprintf("POST https://api.acme.dev/rpc\nContent-Type: application/json\n\n{\"n\":%d}", i))
			answer = "{}"
		}
		list[i] = d.interaction(r, answer)
	}
	return d, list
}

func BenchmarkNewIndex(b *testing.B) {
	for _, kind := range []string{"items", "polls", "unrelated"} {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				d, list := largeRecording(b, kind, n)
				b.ReportAllocs()
				for b.Loop() {
					if NewIndex(d.matcher, list).Sequences() == 0 {
						b.Fatal("no sequence")
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/interaction")
			})
		}
	}
}
