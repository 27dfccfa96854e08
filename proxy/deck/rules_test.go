package deck_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// Each rule through a deck: what it lets play, with which answer, and what not.
func TestRulesInTheDeck(t *testing.T) {
	const (
		u1, u2, u3 = "6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c1e11", "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
		on         = "POST api.acme.dev/x"
	)
	type sent struct{ body, want string } // want "" is a miss
	for _, tc := range []struct {
		what     string
		rule     matchers.Rule
		recorded string
		sent     []sent
	}{
		{"as uuid", matchers.Rule{On: on, As: map[string]string{"body.id": "uuid"}, Repeat: "last"}, `{"id":"` + u1 + `"}`,
			[]sent{{`{"id":"` + u2 + `"}`, `{"id":"` + u2 + `"}`}, {`{"id":"` + u3 + `"}`, `{"id":"` + u3 + `"}`}, {`{"id":"x"}`, ""}, {`{"id":7}`, ""}}},
		{"as time", matchers.Rule{On: on, As: map[string]string{"body.at": "time"}, Repeat: "last"}, `{"at":1795255200}`,
			[]sent{{`{"at":1795259999}`, `{"at":1795259999}`}, {`{"at":"2026-11-22T01:02:03Z"}`, `{"at":"2026-11-22T01:02:03Z"}`}, {`{"at":"soon"}`, ""}, {`{"at":12}`, ""}}},
		{"as integer", matchers.Rule{On: on, As: map[string]string{"body.n": "integer"}, Repeat: "last"}, `{"n":12345678}`,
			[]sent{{`{"n":87654321}`, `{"n":87654321}`}, {`{"n":1}`, `{"n":1}`}, {`{"n":1.5}`, ""}, {`{"n":"x"}`, ""}}},
		{"ignore", matchers.Rule{On: on, Ignore: []string{"body.run"}, Repeat: "last"}, `{"run":"run-00000001","n":1}`,
			[]sent{{`{"run":"run-22222222","n":1}`, `{"run":"run-22222222","n":1}`}, {`{"run":"r","n":1}`, `{"run":"r","n":1}`}, {`{"n":1}`, `{"run":"run-22222222","n":1}`}, {`{"run":"run-22222222","n":2}`, ""}}},
		{"echo off", matchers.Rule{On: on, Ignore: []string{"body.run"}, Echo: "off"}, `{"run":"run-00000001","n":1}`,
			[]sent{{`{"run":"run-22222222","n":1}`, `{"run":"run-00000001","n":1}`}}},
		{"echo on", matchers.Rule{On: on, Ignore: []string{"body.run"}, Echo: "on"}, `{"run":"run-00000001","n":1}`,
			[]sent{{`{"run":"run-22222222","n":1}`, `{"run":"run-22222222","n":1}`}}},
		{"rewrite", matchers.Rule{On: on, Rewrite: []matchers.Rewrite{{Fact: "body.q", Find: `\d{4}-\d\d-\d\d`, With: "DATE"}}, Repeat: "last"}, `{"q":"on 2026-11-21, please"}`,
			[]sent{{`{"q":"on 2027-01-02, please"}`, `{"q":"on 2026-11-21, please"}`}, {`{"q":"on 2027-01-02"}`, ""}}},
		{"rewrite with a group", matchers.Rule{On: on, Rewrite: []matchers.Rewrite{{Fact: "body.q", Find: `(run)-\d+`, With: "$1"}}}, `{"q":"run-1"}`,
			[]sent{{`{"q":"run-22"}`, `{"q":"run-1"}`}}},
		{"unordered", matchers.Rule{On: on, Unordered: []string{"body.tags"}, Repeat: "last"}, `{"tags":["a","b"],"list":[1,2]}`,
			[]sent{{`{"tags":["b","a"],"list":[1,2]}`, `{"tags":["a","b"],"list":[1,2]}`}, {`{"tags":["a","b"],"list":[2,1]}`, ""}, {`{"tags":["a"],"list":[1,2]}`, ""}}},
		{"repeat last", matchers.Rule{On: on, Repeat: "last"}, `{"n":1}`, []sent{{`{"n":1}`, `{"n":1}`}, {`{"n":1}`, `{"n":1}`}}},
		{"no repeat", matchers.Rule{On: on, Headers: []string{"X-A"}}, `{"n":1}`, []sent{{`{"n":1}`, `{"n":1}`}, {`{"n":1}`, ""}}},
		{"safe", matchers.Rule{On: on, Safe: true}, `{"n":1}`, []sent{{`{"n":1}`, `{"n":1}`}, {`{"n":1}`, `{"n":1}`}}},
		{"of another path", matchers.Rule{On: on + "/y", Safe: true, Ignore: []string{"body"}}, `{"n":1}`, []sent{{`{"n":1}`, `{"n":1}`}, {`{"n":1}`, ""}, {`{"n":2}`, ""}}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := newBench(t)
			rules := withRules(t, tc.rule)
			d := b.open(deck.RecordOnly, mirror(t), rules)
			ask(t, d, "POST", "https://api.acme.dev/x", tc.recorded, "Content-Type", jsonType)
			b.close(d)
			d = b.open(deck.ReplayOnly, nil, rules)
			for i, s := range tc.sent {
				resp, got := ask(t, d, "POST", "https://api.acme.dev/x", s.body, "Content-Type", jsonType)
				if s.want == "" && resp.StatusCode != deck.StatusMiss || s.want != "" && got != s.want {
					t.Errorf("request %d, %s: %d %s, want %s", i, s.body, resp.StatusCode, got, s.want)
				}
			}
		})
	}
}

// A rule's word on repeating comes before the run's.
func TestRepeatOfARuleAndOfTheRun(t *testing.T) {
	b := newBench(t)
	recorded := `
		POST /a > 1
		POST /a > 2
		POST /b > 3`
	b.recordScript(recorded)
	b.playScript(b.open(deck.ReplayOnly, nil, withRules(t, matchers.Rule{On: "POST api.acme.dev/a", Repeat: "cycle"}),
		func(o *deck.Options) { o.Repeat = "last" }), recorded+`
		POST /a > 1
		POST /a > 2
		POST /a > 1
		POST /b > 3`)
}

// mirror answers with what it was sent: the body, and the query in a header.
func mirror(t *testing.T) http.RoundTripper {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Content-Type", "X-Ref", "Idempotency-Key"} {
			if v := r.Header.Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		w.Header().Set("Location", "https://api.acme.dev"+r.URL.RequestURI())
		if r.Method == "GET" {
			w.Header().Set("Content-Type", jsonType)
			io.WriteString(w, `{"self":"`+r.URL.Path+`","id":"`+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+`","ref":"`+r.URL.Query().Get("ref")+`"}`)
			return
		}
		io.Copy(w, r.Body)
	}))
	t.Cleanup(server.Close)
	return to{server}
}
