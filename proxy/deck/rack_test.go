package deck_test

import (
	"net/http"
	"strings"
	"testing"

	"tapedeck/proxy/deck"
)

func TestCassetteName(t *testing.T) {
	for _, tc := range []struct{ session, want string }{
		{"checkout", "checkout"},
		{"checkout/EUR", "checkout/EUR"},
		{"TestPay::test_refund", "TestPay/test_refund"},
		{"a.b-c_d", "a.b-c_d"},
		{"with space", "with-space-5a0b0c"},
		{"", ""},
		{"..", ""},
		{"a/../b", ""},
		{".hidden", ""},
		{"a//b", ""},
		{"/etc", ""},
	} {
		got, err := deck.CassetteName(tc.session)
		if tc.want == "" {
			if err == nil {
				t.Errorf("%q gave %q, want an error", tc.session, got)
			}
			continue
		}
		if strings.HasPrefix(tc.want, "with-space-") {
			if err != nil || !strings.HasPrefix(got, "with-space-") || len(got) != len(tc.want) {
				t.Errorf("%q gave %q, %v", tc.session, got, err)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("%q gave %q, %v; want %q", tc.session, got, err, tc.want)
		}
	}
	a, _ := deck.CassetteName("x y")
	b, _ := deck.CassetteName("x+y")
	if a == b {
		t.Errorf("two sessions share the cassette %s", a)
	}
}

func TestRackGivesEachSessionItsCassette(t *testing.T) {
	b := newBench(t)
	server, _ := counting(t)
	rack := &deck.Rack{New: func(name string) (*deck.Deck, error) {
		return deck.Open(b.options(deck.RecordOnly, to{server}, func(o *deck.Options) { o.Name, o.File = name, name+".yaml" }))
	}}
	as := func(session string) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			return rack.RoundTrip(req.WithContext(deck.WithSession(req.Context(), session)))
		})
	}
	ask(t, as("one"), "GET", "https://api.acme.dev/a", "")
	ask(t, as("two/three"), "GET", "https://api.acme.dev/b", "")
	if resp, got := ask(t, as(""), "GET", "https://api.acme.dev/a", ""); resp.StatusCode == 200 || !strings.Contains(got, "Tapedeck-Session") {
		t.Errorf("no session: %d %s", resp.StatusCode, got)
	}
	if resp, got := ask(t, as("ONE"), "GET", "https://api.acme.dev/a", ""); resp.StatusCode == 200 || !strings.Contains(got, "case") {
		t.Errorf("a name that differs in case: %d %s", resp.StatusCode, got)
	}
	if err := rack.Assign("one", "two/three"); err != nil {
		t.Fatal(err)
	}
	ask(t, as("one"), "GET", "https://api.acme.dev/c", "")
	if err := rack.Close(deck.Outcome{}); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"one.yaml": 1, "two/three.yaml": 2}
	for _, d := range rack.Decks() {
		r := d.Report()
		if want[r.Cassette] != r.Recorded {
			t.Errorf("%s: %d recorded, want %d", r.Cassette, r.Recorded, want[r.Cassette])
		}
		delete(want, r.Cassette)
	}
	if len(want) != 0 {
		t.Errorf("not recorded: %v", want)
	}
	if resp, _ := ask(t, as("late"), "GET", "https://api.acme.dev/a", ""); resp.StatusCode == 200 {
		t.Error("a closed rack opened a cassette")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
