package matchers

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapedeck/cassettes/clean"
)

// call is one request and its answer, or what became of it.
type call struct {
	request request
	answer  string // recorded; or wanted: "miss" when no candidate fits, with a leading "?" when unproven
}

// secretOf makes a value that looks random, the same one for each name. live
// and recorded values of one person differ.
func secretOf(name string) string {
	rnd := rand.New(rand.NewPCG(uint64(len(name)), hashName(name)))
	b := make([]byte, 24)
	for i := range b {
		b[i] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"[rnd.IntN(56)]
	}
	return string(b)
}

func hashName(s string) (h uint64) {
	for _, c := range []byte(s) {
		h = h*131 + uint64(c)
	}
	return h
}

// as asks with a bearer token, or with no credential.
func as(who, url string) request {
	if who == "" {
		return get(url)
	}
	return get(url, "Authorization: Bearer "+secretOf(who))
}

// with sends a secret that does not say who calls.
func with(secret, url string) request {
	return request("POST " + url + "\nContent-Type: application/json\n\n" + `{"client_secret":"` + secretOf(secret) + `"}`)
}

// basicAs asks with a user's name and password.
func basicAs(user, password, url string) request {
	return get(url, "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+secretOf(password))))
}

// saved is what a file holds of calls: their interactions, written and read again by a new process.
func saved(t testing.TB, recordEnv, liveEnv []string, calls []call) (*deck, []clean.Interaction) {
	t.Helper()
	rec := newDeckEnv(t, recordEnv)
	play := newDeckEnv(t, liveEnv)
	var list []clean.Stored
	for _, c := range calls {
		s, err := rec.interaction(c.request, c.answer).Stored()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
		play.cleaner.Vault.Reserve(fmt.Appendf(nil, "%s %v %s %s", s.URL, s.RequestHeader, s.RequestBody, s.ResponseBody))
	}
	var out []clean.Interaction
	for _, s := range list {
		in, err := play.cleaner.Load(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, in)
	}
	return play, out
}

// session plays as a deck does: first in first out per key, each answer once.
type session struct {
	*deck
	index *Index
	binds Bindings
	used  map[int]bool
	last  string // the last answer, as the client got it
}

func newSession(d *deck, list []clean.Interaction) *session {
	return &session{deck: d, index: NewIndex(d.matcher, list), binds: NewBindings(), used: map[int]bool{}}
}

func (s *session) play(r request) (answer string, choice Choice) {
	s.t.Helper()
	live := s.read(r)
	playable := slices.DeleteFunc(slices.Clone(s.index.Lookup(live.Key)), func(i int) bool { return s.used[i] })
	choice = s.index.Choose(live, playable, s.binds)
	if len(choice.Fit) == 0 {
		return "miss", choice
	}
	at := choice.Fit[0]
	for _, p := range choice.Pairs {
		s.binds.Bind(p[0], p[1])
	}
	if err := s.index.Played(at); err != nil {
		s.t.Fatal(err)
	}
	s.used[at] = true
	in, _ := s.index.At(at)
	resp, err := in.Response()
	if err != nil {
		s.t.Fatal(err)
	}
	answer = string(resp.Body())
	s.last = answer
	if choice.Unproven != "" {
		return "?" + answer, choice
	}
	return answer, choice
}

func TestChoose(t *testing.T) {
	const me, ping, login = "https://api.acme.dev/me", "https://api.acme.dev/ping", "https://api.acme.dev/login"
	clientLogin := func(who, secret string) request {
		return request("POST " + login + "\nAuthorization: Bearer " + secretOf(who) +
			"\nContent-Type: application/json\n\n" + `{"client_secret":"` + secretOf(secret) + `"}`)
	}
	twice := func(a, b string) request {
		return json(`{"token":"` + secretOf(a) + `","client_secret":"` + secretOf(b) + `"}`)
	}
	for _, c := range []struct {
		what               string
		recordEnv, liveEnv []string
		recorded, played   []call
	}{
		{what: "no secrets",
			recorded: []call{{as("", me), "1"}, {as("", me), "2"}},
			played:   []call{{as("", me), "1"}, {as("", me), "2"}, {as("", me), "miss"}}},
		{what: "one user, many times, is no guess",
			recorded: []call{{as("a", me), "1"}, {as("a", me), "2"}, {as("a", me), "3"}},
			played:   []call{{as("A", me), "1"}, {as("A", me), "2"}, {as("A", me), "3"}, {as("A", me), "miss"}}},
		{what: "a second user finds nothing of the first",
			recorded: []call{{as("a", me), "1"}, {as("a", me), "2"}},
			played:   []call{{as("A", me), "1"}, {as("B", me), "miss"}, {as("A", me), "2"}}},
		{what: "two secrets interleaved",
			recorded: []call{{with("a", me), "a1"}, {with("b", me), "b1"}, {with("a", me), "a2"}, {with("b", me), "b2"}},
			played:   []call{{with("A", me), "?a1"}, {with("A", me), "a2"}, {with("B", me), "b1"}, {with("B", me), "b2"}, {with("A", me), "miss"}}},
		{what: "who calls is never guessed",
			recorded: []call{{as("a", me), "a1"}, {as("b", me), "b1"}, {as("a", me), "a2"}, {as("b", me), "b2"}},
			played:   []call{{as("B", me), "miss"}, {as("A", me), "miss"}, {as("A", me), "miss"}}},
		{what: "nor is whose key or session it is",
			recorded: []call{{get(me, "X-Api-Key: "+secretOf("a")), "a1"}, {get(me, "X-Api-Key: "+secretOf("b")), "b1"},
				{get(me, "Cookie: sid="+secretOf("a")), "a2"}, {get(me, "Cookie: sid="+secretOf("b")), "b2"}},
			played: []call{{get(me, "X-Api-Key: "+secretOf("B")), "miss"}, {get(me, "Cookie: sid="+secretOf("B")), "miss"}}},
		{what: "names tell users with passwords apart",
			recorded: []call{{basicAs("alice", "a", me), "a1"}, {basicAs("bob", "b", me), "b1"}, {basicAs("alice", "a", ping), "pong"}},
			played: []call{{basicAs("bob", "B", ping), "miss"}, {basicAs("bob", "B", me), "b1"}, {basicAs("alice", "A", me), "a1"},
				{basicAs("carol", "C", me), "miss"}, {basicAs("alice", "A", ping), "pong"}}},
		{what: "another user's name than was recorded is as good when it is the only one",
			recorded: []call{{basicAs("alice", "a", me), "1"}},
			played:   []call{{basicAs("dummy", "A", me), "1"}}},
		{what: "one user's two passwords",
			recorded: []call{{basicAs("alice", "a", me), "wrong"}, {basicAs("alice", "b", me), "right"}},
			played:   []call{{basicAs("alice", "B", me), "miss"}}},
		{what: "two users told apart by an earlier request",
			recorded: []call{{as("a", ping), "pong"}, {as("b", login), "in"}, {as("a", me), "a1"}, {as("b", me), "b1"}},
			played:   []call{{as("B", login), "in"}, {as("B", me), "b1"}, {as("A", me), "a1"}, {as("A", ping), "pong"}}},
		{what: "a third secret",
			recorded: []call{{with("a", me), "a1"}, {with("b", me), "b1"}},
			played:   []call{{with("A", me), "?a1"}, {with("B", me), "b1"}, {with("C", me), "miss"}}},
		{what: "equal answers are no guess and bind nothing",
			recorded: []call{{with("a", ping), "pong"}, {with("b", ping), "pong"}, {with("a", me), "a1"}, {with("b", me), "b1"}},
			played:   []call{{with("B", ping), "pong"}, {with("A", ping), "pong"}, {with("B", me), "?a1"}, {with("A", me), "b1"}}},
		{what: "using up proves nothing",
			recorded: []call{{as("a", ping), "pong"}, {as("b", ping), "pong"}, {as("b", me), "b1"}},
			played:   []call{{as("B", ping), "pong"}, {as("A", ping), "pong"}, {as("B", me), "b1"}, {as("A", me), "miss"}}},
		{what: "variables tell users apart",
			recordEnv: []string{"ALICE_TOKEN=" + secretOf("a"), "BOB_TOKEN=" + secretOf("b")},
			liveEnv:   []string{"ALICE_TOKEN=" + secretOf("A"), "BOB_TOKEN=" + secretOf("B")},
			recorded:  []call{{as("a", me), "a1"}, {as("b", me), "b1"}},
			played:    []call{{as("B", me), "b1"}, {as("A", me), "a1"}}},
		{what: "a variable's value never plays another's part",
			recordEnv: []string{"ALICE_TOKEN=" + secretOf("a"), "BOB_TOKEN=" + secretOf("b")},
			liveEnv:   []string{"ALICE_TOKEN=" + secretOf("A"), "BOB_TOKEN=" + secretOf("B")},
			recorded:  []call{{as("a", ping), "pong"}, {as("b", me), "b1"}},
			played:    []call{{as("A", me), "miss"}, {as("B", me), "b1"}}},
		{what: "a renamed variable",
			recordEnv: []string{"OLD_TOKEN=" + secretOf("a")},
			liveEnv:   []string{"NEW_TOKEN=" + secretOf("A")},
			recorded:  []call{{as("a", me), "a1"}},
			played:    []call{{as("A", me), "a1"}}},
		{what: "recorded from a variable, sent from elsewhere",
			recordEnv: []string{"ALICE_TOKEN=" + secretOf("a")},
			recorded:  []call{{as("a", me), "a1"}},
			played:    []call{{as("A", me), "a1"}, {as("B", me), "miss"}}},
		{what: "one variable is enough to tell the other user too",
			recordEnv: []string{"ALICE_TOKEN=" + secretOf("a")},
			liveEnv:   []string{"ALICE_TOKEN=" + secretOf("A")},
			recorded:  []call{{as("a", me), "a1"}, {as("b", me), "b1"}},
			played:    []call{{as("A", me), "a1"}, {as("B", me), "b1"}}},
		{what: "two secrets in one request",
			recorded: []call{{clientLogin("a", "s"), "1"}, {clientLogin("a", "s"), "2"}},
			played:   []call{{clientLogin("A", "S"), "1"}, {clientLogin("B", "S"), "miss"}, {clientLogin("A", "T"), "miss"}, {clientLogin("A", "S"), "2"}}},
		{what: "one known secret tells the other",
			recorded: []call{{as("a", me), "me"}, {clientLogin("b", "t"), "b"}, {clientLogin("a", "s"), "a"}},
			played:   []call{{as("A", me), "me"}, {clientLogin("A", "S"), "a"}, {clientLogin("B", "T"), "b"}}},
		{what: "a pair is never split",
			recorded: []call{{twice("a", "s"), "a"}, {twice("b", "t"), "b"}},
			played:   []call{{twice("A", "S"), "?a"}, {twice("A", "T"), "miss"}, {twice("B", "S"), "miss"}, {twice("B", "T"), "b"}}},
		{what: "equal live secrets stay one",
			recorded: []call{{twice("a", "b"), "1"}},
			played:   []call{{twice("A", "A"), "miss"}, {twice("A", "B"), "1"}}},
		{what: "different live secrets stay different",
			recorded: []call{{twice("a", "a"), "1"}},
			played:   []call{{twice("A", "B"), "miss"}, {twice("A", "A"), "1"}}},
		{what: "a readable key is not a secret one",
			recorded: []call{{get(me, "Authorization: Bearer sk_test_"+secretOf("a")), "secret"}},
			played:   []call{{get(me, "Authorization: Bearer pk_test_"+secretOf("A")), "miss"}, {get(me, "Authorization: Bearer sk_test_"+secretOf("A")), "secret"}}},
		{what: "a header more or less",
			recorded: []call{{get(me, "X-Api-Key: "+secretOf("a")), "1"}, {get(me, "X-Api-Key: "+secretOf("a"), "Dd-Api-Key: "+secretOf("b")), "2"}},
			played: []call{{get(me, "X-Api-Key: "+secretOf("A"), "Dd-Api-Key: "+secretOf("B")), "2"}, {get(me, "X-Api-Key: "+secretOf("A")), "1"},
				{get(me, "X-Api-Key: "+secretOf("A")), "miss"}}},
		{what: "a header less than in any recording",
			recorded: []call{{get(me, "X-Api-Key: "+secretOf("a"), "Dd-Api-Key: "+secretOf("b")), "1"}},
			played:   []call{{get(me, "X-Api-Key: "+secretOf("A")), "1"}}},
		{what: "logged out, with a cookie left",
			recorded: []call{{get(me, "Cookie: sid="+secretOf("a")+"; theme="+secretOf("t")), "in"}, {get(me, "Cookie: theme="+secretOf("t")), "out"}},
			played:   []call{{get(me, "Cookie: theme="+secretOf("T")), "out"}, {get(me, "Cookie: theme="+secretOf("T")+"; sid="+secretOf("A")), "in"}}},
		{what: "cookies bind by name",
			recorded: []call{{get(me, "Cookie: sid="+secretOf("a")+"; theme="+secretOf("t")), "1"}},
			played:   []call{{get(me, "Cookie: theme="+secretOf("T")+"; _ga=GA1; sid="+secretOf("A")), "1"}}},
	} {
		d, list := saved(t, c.recordEnv, c.liveEnv, c.recorded)
		s := newSession(d, list)
		for i, p := range c.played {
			got, choice := s.play(p.request)
			if got != p.answer {
				t.Errorf("%s: call %d got %s, want %s (%+v)", c.what, i+1, got, p.answer, choice)
			}
			if strings.Contains(choice.Refused+choice.Unproven, secretOf("A")) {
				t.Errorf("%s: a secret is shown", c.what)
			}
		}
	}
}

// TestChooseLiteral: secrets that replayed answers hand out are the recorded ones.
func TestChooseLiteral(t *testing.T) {
	const me = "https://api.acme.dev/me"
	login := func(user string) request {
		return request("POST https://api.acme.dev/login\nContent-Type: application/json\n\n" + `{"user":"` + user + `"}`)
	}
	token := func(who string) string { return `{"access_token":"` + secretOf(who) + `"}` }
	bearer := func(s *session) request {
		_, rest, _ := strings.Cut(s.last, `:"`)
		return get(me, "Authorization: Bearer "+strings.TrimSuffix(rest, `"}`))
	}

	t.Run("each user gets the own answer", func(t *testing.T) {
		d, list := saved(t, nil, nil, []call{
			{login("alice"), token("a")}, {login("bob"), token("b")}, {as("a", me), "alice"}, {as("b", me), "bob"},
		})
		s := newSession(d, list)
		s.play(login("bob"))
		asBob := bearer(s)
		s.play(login("alice"))
		asAlice := bearer(s)
		for _, c := range []call{{asBob, "bob"}, {asAlice, "alice"}, {as("C", me), "miss"}} {
			if got, choice := s.play(c.request); got != c.answer {
				t.Errorf("got %s, want %s: %+v", got, c.answer, choice)
			}
		}
	})

	t.Run("a handed-out secret is no other", func(t *testing.T) {
		// Alice's token was never sent when recording: only her login's answer names it.
		d, list := saved(t, nil, nil, []call{
			{login("bob"), token("b")}, {as("b", me), "bob"}, {login("alice"), token("a")},
		})
		s := newSession(d, list)
		s.play(login("alice"))
		if got, choice := s.play(bearer(s)); got != "miss" || !strings.Contains(choice.Refused, "auth: the secret sent is recorded") {
			t.Errorf("alice got %s: %+v", got, choice)
		}
		s.play(login("bob"))
		if got, _ := s.play(bearer(s)); got != "bob" {
			t.Errorf("bob got %s", got)
		}
	})

	t.Run("an echo of the caller's own key", func(t *testing.T) {
		both := func(bearer, key string) request {
			return request("POST " + me + "\nAuthorization: Bearer " + bearer + "\nContent-Type: application/json\n\n" + `{"api_key":"` + key + `"}`)
		}
		d, list := saved(t, nil, nil, []call{
			{as("a", "https://api.acme.dev/key"), token("a")}, {both(secretOf("a"), secretOf("a")), "ok"},
		})
		s := newSession(d, list)
		s.play(as("A", "https://api.acme.dev/key"))
		_, rest, _ := strings.Cut(s.last, `:"`)
		if got, choice := s.play(both(secretOf("A"), strings.TrimSuffix(rest, `"}`))); got != "ok" {
			t.Errorf("got %s: %+v", got, choice)
		}
	})

	t.Run("the echoed key and the sent one are one", func(t *testing.T) {
		key := get("https://api.acme.dev/key")
		both := func(bearer, key string) request {
			return request("POST " + me + "\nAuthorization: Bearer " + bearer + "\nContent-Type: application/json\n\n" + `{"api_key":"` + key + `"}`)
		}
		d, list := saved(t, nil, nil, []call{{key, token("a")}, {both(secretOf("a"), secretOf("a")), "ok"}, {as("a", me), "mine"}})
		s := newSession(d, list)
		s.play(key)
		_, rest, _ := strings.Cut(s.last, `:"`)
		for _, c := range []call{{both(secretOf("A"), strings.TrimSuffix(rest, `"}`)), "ok"}, {as("A", me), "mine"}} {
			if got, choice := s.play(c.request); got != c.answer {
				t.Errorf("got %s, want %s: %+v", got, c.answer, choice)
			}
		}
	})

	t.Run("a handed-out secret that was used is taken", func(t *testing.T) {
		d, list := saved(t, nil, nil, []call{{login("alice"), token("a")}, {as("a", me), "alice 1"}, {as("a", me), "alice 2"}})
		s := newSession(d, list)
		s.play(login("alice"))
		asAlice := bearer(s)
		for _, c := range []call{{asAlice, "alice 1"}, {as("C", me), "miss"}, {asAlice, "alice 2"}} {
			if got, choice := s.play(c.request); got != c.answer {
				t.Errorf("got %s, want %s: %+v", got, c.answer, choice)
			}
		}
	})

	t.Run("a rotating token", func(t *testing.T) {
		// What the client brought is not one of those that the answers hand out.
		const url = "https://api.acme.dev/oauth/token"
		refresh := func(token string) request {
			return request("POST " + url + "\nContent-Type: application/json\n\n" + `{"refresh_token":"` + token + `"}`)
		}
		next := func(who string) string { return `{"refresh_token":"` + secretOf(who) + `"}` }
		d, list := saved(t, nil, nil, []call{
			{refresh(secretOf("r0")), next("r1")}, {refresh(secretOf("r1")), next("r2")}, {refresh(secretOf("r2")), next("r3")},
		})
		s := newSession(d, list)
		token := secretOf("R0")
		for n := range 3 {
			got, choice := s.play(refresh(token))
			if got == "miss" || choice.Unproven != "" {
				t.Fatalf("refresh %d got %s: %+v", n, got, choice)
			}
			_, rest, _ := strings.Cut(got, `:"`)
			token = strings.TrimSuffix(rest, `"}`)
		}
		if got, choice := s.play(refresh(secretOf("R0"))); got != "miss" {
			t.Errorf("a used token got %s: %+v", got, choice)
		}
	})

	t.Run("an old token and the one that replaced it", func(t *testing.T) {
		d, list := saved(t, nil, nil, []call{{as("old", me), "expired"}, {login("alice"), token("new")}, {as("new", me), "alice"}})
		s := newSession(d, list)
		if got, choice := s.play(as("Old", me)); got != "expired" {
			t.Errorf("the old token got %s: %+v", got, choice)
		}
		s.play(login("alice"))
		for _, want := range []string{"alice", "miss"} {
			if got, choice := s.play(get(me, "Authorization: Bearer REDACTED-0002")); got != want {
				t.Errorf("the new token got %s, want %s: %+v", got, want, choice)
			}
		}
	})

	t.Run("a recording of this run does not make its secret a recorded one", func(t *testing.T) {
		d, list := saved(t, nil, nil, []call{{as("a", me), "old"}})
		s := newSession(d, list)
		in := d.interaction(as("A", "https://api.acme.dev/new"), "new")
		s.index.Add(in)
		if got, choice := s.play(as("A", me)); got != "old" {
			t.Errorf("got %s: %+v", got, choice)
		}
		if got, choice := s.play(as("A", "https://api.acme.dev/new")); got != "new" {
			t.Errorf("got %s: %+v", got, choice)
		}
		if s.index.Len() != 2 {
			t.Errorf("length %d", s.index.Len())
		}
	})
}

// TestChooseChangesNothing: only the caller binds.
func TestChooseChangesNothing(t *testing.T) {
	const me = "https://api.acme.dev/me"
	d, list := saved(t, nil, nil, []call{{with("a", me), "1"}, {with("b", me), "2"}})
	index, b := NewIndex(d.matcher, list), NewBindings()
	live := d.read(with("A", me))
	first := index.Choose(live, index.Lookup(live.Key), b)
	second := index.Choose(live, index.Lookup(live.Key), b)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(first.Fit, []int{0}) || len(first.Pairs) != 1 {
		t.Errorf("%+v", first)
	}
	if c := index.Choose(live, nil, b); c.Fit != nil || c.Refused != "" {
		t.Errorf("no candidates: %+v", c)
	}
}

// TestSameAnswers: headers that only name an answer do not make it another.
func TestSameAnswers(t *testing.T) {
	const me = "https://api.acme.dev/me"
	d := newDeck(t)
	for _, c := range []struct {
		a, b []string
		same bool
	}{
		{[]string{"Request-Id", "req_1", "Etag", "1", "Date", "x"}, []string{"Request-Id", "req_2", "Etag", "2", "Date", "y"}, true},
		{[]string{"Location", "/a"}, []string{"Location", "/b"}, false},
		{[]string{"X-Page", "1"}, nil, false},
	} {
		ix := NewIndex(d.matcher, []clean.Interaction{
			d.interaction(as("a", me), "x", c.a...), d.interaction(as("b", me), "x", c.b...),
		})
		if got := ix.sameAnswers([]int{0, 1}); got != c.same {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}

// TestNeverAnothersAnswer: whatever is recorded and played, once a live token
// has got an answer that only one user's recording gives, it never gets another user's.
func TestNeverAnothersAnswer(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		users, paths := 2+rnd.IntN(3), 1+rnd.IntN(3)
		var calls []call
		for range 4 + rnd.IntN(16) {
			who, path := rnd.IntN(users), rnd.IntN(paths)
			calls = append(calls, call{
				with(fmt.Sprint("user", who), fmt.Sprint("https://api.acme.dev/", path)),
				fmt.Sprint("user", who),
			})
		}
		d, list := saved(t, nil, nil, calls)
		s := newSession(d, list)
		is := map[int]string{} // who a live token turned out to be
		by := map[string]int{}
		for range 30 {
			live := rnd.IntN(users + 1)
			got, _ := s.play(with(fmt.Sprint("live", live), fmt.Sprint("https://api.acme.dev/", rnd.IntN(paths))))
			if got == "miss" {
				continue
			}
			got = strings.TrimPrefix(got, "?")
			if known, ok := is[live]; ok && known != got {
				t.Fatalf("seed %d: live %d was %s and got the answer of %s", seed, live, known, got)
			}
			if other, ok := by[got]; ok && other != live {
				t.Fatalf("seed %d: %s answers live %d and %d", seed, got, other, live)
			}
			is[live], by[got] = got, live
		}
		if len(is) == 0 {
			t.Fatalf("seed %d: nothing was played", seed)
		}
	}
}

func TestBindings(t *testing.T) {
	b := NewBindings()
	b.Bind("L1", "R1")
	b.Bind("L1", "R2") // contradicts the first
	b.Bind("L2", "R1")
	b.Bind("L2", "R2")
	for live, want := range map[string]string{"L1": "R1", "L2": "R2"} {
		if got, ok := b.Recorded(live); !ok || got != want {
			t.Errorf("%s is bound to %s", live, got)
		}
		if got, ok := b.Live(want); !ok || got != live {
			t.Errorf("%s is bound to %s", want, got)
		}
	}
	b.Reset()
	if _, ok := b.Recorded("L1"); ok {
		t.Error("Reset keeps a binding")
	}
}
