package deck_test

import (
	"strings"
	"testing"

	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// Values that the client makes up come back as it sent them, wherever they stand
// as a whole, and are understood in later requests.
func TestInventedEverywhere(t *testing.T) {
	const (
		recorded, live   = "6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c1e11", "11111111-2222-4333-8444-555555555555"
		recordedT, liveT = "1795255200", "1799999999"
	)
	rules := withRules(t,
		matchers.Rule{On: "POST api.acme.dev/**", As: map[string]string{"body.id": "uuid", "body.at": "time", "query.ref": "uuid", "header.x-ref": "uuid"},
			Ignore: []string{"body.of"}},
	)
	type call struct{ method, url, contentType, body string }
	calls := func(id, at string) []call {
		return []call{
			{"POST", "/orders?ref=" + id, jsonType, `{"id":"` + id + `","at":` + at + `,"text":"of ` + recorded + `","of":["` + id + `",{"at":"` + at + `"}]}`},
			{"POST", "/forms?ref=" + id, formType, "id=" + id + "&at=" + at + "&kept=1"},
			{"GET", "/orders/" + id, "", ""},
			{"GET", "/orders/" + id + "/lines", "", ""},
			{"GET", "/orders?ref=" + id, "", ""},
			{"POST", "/notes", jsonType, `{"order":"` + id + `","at":` + at + `}`},
			{"DELETE", "/orders/" + id, "", ""},
		}
	}
	b := newBench(t)
	type answer struct{ body, location, ref string }
	run := func(d *deck.Deck, list []call, id string) (out []answer) {
		for _, c := range list {
			resp, got := ask(t, d, c.method, "https://api.acme.dev"+c.url, c.body, "Content-Type", c.contentType, "X-Ref", id)
			if resp.StatusCode != 200 {
				t.Errorf("%s %s: %d %s", c.method, c.url, resp.StatusCode, got)
			}
			out = append(out, answer{got, resp.Header.Get("Location"), resp.Header.Get("X-Ref")})
		}
		return out
	}
	d := b.open(deck.RecordOnly, mirror(t), rules)
	run(d, calls(recorded, recordedT), recorded)
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, rules, strict)
	list := calls(live, liveT)
	// The text is the client's own, and what stands in a text is no whole value.
	for i, got := range run(d, list, live) {
		c := list[i]
		want := c.body
		if c.method == "GET" {
			path, query, _ := strings.Cut(c.url, "?")
			want = `{"self":"` + path + `","id":"` + path[strings.LastIndex(path, "/")+1:] + `","ref":"` + strings.TrimPrefix(query, "ref=") + `"}`
		}
		if got.body != want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.method, c.url, got.body, want)
		}
		if got.location != "https://api.acme.dev"+c.url {
			t.Errorf("%s %s: Location %s", c.method, c.url, got.location)
		}
		if got.ref != live {
			t.Errorf("%s %s: X-Ref %s", c.method, c.url, got.ref)
		}
	}
}

// Where one recording answers many requests, each gets its own value back.
func TestInventedBelongsToItsRequest(t *testing.T) {
	b := newBench(t)
	rules := withRules(t, matchers.Rule{On: "POST api.acme.dev/orders", As: map[string]string{"body.id": "uuid"}, Repeat: "last"})
	d := b.open(deck.RecordOnly, mirror(t), rules)
	const recorded = "6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c1e11"
	ask(t, d, "POST", "https://api.acme.dev/orders", `{"id":"`+recorded+`"}`, "Content-Type", jsonType)
	ask(t, d, "GET", "https://api.acme.dev/orders/"+recorded, "")
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, rules)
	ids := []string{"11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555", "33333333-2222-4333-8444-555555555555"}
	for _, id := range ids {
		if _, got := ask(t, d, "POST", "https://api.acme.dev/orders", `{"id":"`+id+`"}`, "Content-Type", jsonType); got != `{"id":"`+id+`"}` {
			t.Errorf("POST %s: %s", id, got)
		}
	}
	for _, id := range ids {
		if _, got := ask(t, d, "GET", "https://api.acme.dev/orders/"+id, ""); !strings.Contains(got, `"id":"`+id+`"`) {
			t.Errorf("GET %s: %s", id, got)
		}
	}
	d.Rewind("")
	if resp, _ := ask(t, d, "GET", "https://api.acme.dev/orders/"+ids[0], ""); resp.StatusCode != deck.StatusMiss {
		t.Errorf("after rewind the value means nothing: %d", resp.StatusCode)
	}
}

// An Idempotency-Key comes back in the header of its name, and in bodies where the
// recorded one is known from that header.
func TestIdempotencyKeyComesBack(t *testing.T) {
	b := newBench(t)
	d := b.open(deck.RecordOnly, mirror(t))
	const recorded, live = "key-recorded-0001", "key-live-0002"
	ask(t, d, "POST", "https://api.acme.dev/x", `{"n":1}`, "Content-Type", jsonType, "Idempotency-Key", recorded)
	ask(t, d, "GET", "https://api.acme.dev/requests/"+recorded, "")
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	if resp, _ := ask(t, d, "POST", "https://api.acme.dev/x", `{"n":1}`, "Content-Type", jsonType, "Idempotency-Key", live); resp.Header.Get("Idempotency-Key") != live {
		t.Errorf("header %q", resp.Header.Get("Idempotency-Key"))
	}
	if _, got := ask(t, d, "GET", "https://api.acme.dev/requests/"+live, ""); !strings.Contains(got, `"id":"`+live+`"`) {
		t.Errorf("the key in a path: %s", got)
	}
}

// A client that sends no Idempotency-Key gets the recorded one, as it was.
func TestIdempotencyKeyThatWasNotSent(t *testing.T) {
	b := newBench(t)
	d := b.open(deck.RecordOnly, mirror(t))
	ask(t, d, "POST", "https://api.acme.dev/x", `{"n":1}`, "Content-Type", jsonType, "Idempotency-Key", "key-recorded-0001")
	b.close(d)
	d = b.open(deck.ReplayOnly, nil)
	if resp, _ := ask(t, d, "POST", "https://api.acme.dev/x", `{"n":1}`, "Content-Type", jsonType); resp.Header.Get("Idempotency-Key") != "key-recorded-0001" {
		t.Errorf("header %q", resp.Header.Get("Idempotency-Key"))
	}
}

// A secret is never paired: an ignored fact that holds one comes back as its placeholder.
func TestSecretsDoNotEcho(t *testing.T) {
	b := newBench(t)
	rules := withRules(t, matchers.Rule{On: "POST api.acme.dev/x", Ignore: []string{"body.client_secret", "body.note"}})
	d := b.open(deck.RecordOnly, mirror(t), rules)
	ask(t, d, "POST", "https://api.acme.dev/x", `{"client_secret":"`+secret+`","note":"`+secret+`"}`, "Content-Type", jsonType)
	b.close(d)
	d = b.open(deck.ReplayOnly, nil, rules)
	other := strings.Replace(secret, "QXhW", "WhXQ", 1)
	_, got := ask(t, d, "POST", "https://api.acme.dev/x", `{"client_secret":"`+other+`","note":"`+other+`"}`, "Content-Type", jsonType)
	if strings.Contains(got, other) || strings.Contains(got, secret) || strings.Count(got, "REDACTED") != 2 {
		t.Errorf("got %s", got)
	}
}
