package matchers

import (
	"fmt"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// redacting is a deck with redaction rules of its own.
func redacting(t *testing.T, cfg redact.Config, rules ...Rule) *deck {
	t.Helper()
	d := newDeck(t, rules...)
	compiled, err := redact.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.cleaner.Vault = redact.NewVault(compiled)
	return d
}

// replaying reads, as another process would, what rec has recorded.
func replaying(t *testing.T, cfg redact.Config, rec *deck, calls []call, rules ...Rule) *session {
	t.Helper()
	play := redacting(t, cfg, rules...)
	var list []clean.Interaction
	for _, c := range calls {
		s, err := rec.interaction(c.request, c.answer).Stored()
		if err != nil {
			t.Fatal(err)
		}
		play.cleaner.Vault.Reserve(fmt.Appendf(nil, "%s %s %s", s.URL, s.RequestBody, s.ResponseBody))
		in, err := play.cleaner.Load(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, in)
	}
	return newSession(play, list)
}

// A secret in a host is settled by bindings: another tenant reaches the same key, and two
// tenants never get each other's answers.
func TestSecretHosts(t *testing.T) {
	cfg := redact.Config{Add: []redact.Rule{{ID: "tenant", Host: `([a-z0-9]{12})\.hooks\.acme\.dev`}}}
	rule := Rule{On: "GET *.hooks.acme.dev/{what}", Ignore: []string{"query.t"}}
	at := func(tenant, path string) request { return get("https://" + tenant + ".hooks.acme.dev" + path) }
	const a, b, x, y = "x7f9k2m4q8zt", "a1b2c3d4e5f6", "q9w8e7r6t5y4", "m1n2b3v4c5x6"
	s := replaying(t, cfg, redacting(t, cfg, rule), []call{
		{at(a, "/me?t=1"), "A"}, {at(b, "/me?t=2"), "B"}, {at(a, "/only-a"), "a only"}, {at(b, "/only-b"), "b only"},
	}, rule)
	for i, c := range []call{
		{at(x, "/only-b"), "b only"}, // proves who x is
		{at(y, "/only-a?t=9"), "a only"},
		{at(y, "/me?t=7"), "A"},
		{at(x, "/me"), "B"},
		{at(x, "/only-a"), "miss"},
		{at("redacted-0001", "/other"), "miss"},
		{get("https://hooks.acme.dev/me"), "miss"},
	} {
		if got, choice := s.play(c.request); got != c.answer {
			t.Errorf("%d: %q, want %q (%+v)", i, got, c.answer, choice)
		}
	}
}

// Personal data is settled in the same way: other people stand for the recorded ones, one
// for one, and what was played means the recorded person.
func TestPersonalData(t *testing.T) {
	cfg := redact.Config{PII: true}
	find := func(email string) request { return get("https://api.acme.dev/customers?email=" + email) }
	path := func(email string) request { return get("https://api.acme.dev/customers/" + email) }
	calls := []call{
		{find("anna%40acme.dev"), "A"}, {find("bo%40acme.dev"), "B"},
		{path("anna@acme.dev"), "A2"}, {path("bo@acme.dev"), "B2"},
		{find("jenny%40example.com"), "J"},
	}
	s := replaying(t, cfg, redacting(t, cfg), calls)
	for i, c := range []call{
		{path("redacted-0002@example.com"), "B2"}, // sent back as it was played
		{find("redacted-0002%40example.com"), "B"},
		{find("cy%40acme.dev"), "A"}, // the only one left
		{path("cy@acme.dev"), "A2"},
		{find("di%40acme.dev"), "miss"},
		{find("kim%40example.com"), "miss"}, // test addresses are compared as they are
		{find("jenny%40example.com"), "J"},
	} {
		if got, choice := s.play(c.request); got != c.answer {
			t.Errorf("%d: %q, want %q (%+v)", i, got, c.answer, choice)
		}
	}
}
