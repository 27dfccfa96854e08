package deck_test

import (
	"net/http"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/proxy/deck"
)

// Marks that are made anew for each answer make no other answer of it; the ETag of one
// without a body does.
func TestSameAnswer(t *testing.T) {
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cleaner := &clean.Cleaner{Vault: redact.NewVault(rules)}
	answer := func(method, name, value, body string) clean.Interaction {
		in, err := cleaner.Load(clean.Stored{
			Method: method, URL: "https://api.acme.dev/a", Status: 200,
			ResponseHeader: http.Header{name: {value}}, ResponseBody: []byte(body),
		})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	for _, tt := range []struct {
		method, name, a, b, body string
		want                     bool
	}{
		{"GET", "Etag", `W/"HYRQay"`, `W/"cPTmqk"`, "{}", true},
		{"HEAD", "Etag", `W/"HYRQay"`, `W/"cPTmqk"`, "", false},
		{"GET", "X-Request-Id", "req_one", "req_two", "{}", true},
		{"GET", "X-Total-Count", "1000", "1001", "{}", false},
		{"GET", "X-State", "open", "shut", "{}", false},
	} {
		if got := deck.SameAnswer(answer(tt.method, tt.name, tt.a, tt.body), answer(tt.method, tt.name, tt.b, tt.body)); got != tt.want {
			t.Errorf("%s %s %s, %s: same is %v", tt.method, tt.name, tt.a, tt.b, got)
		}
	}
}
