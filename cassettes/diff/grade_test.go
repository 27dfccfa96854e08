package diff

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// pairOf is one answer before and after.
func comparedBodies(t testing.TB, old, fresh string) []Change {
	t.Helper()
	a, b := answer("application/json", old), answer("application/json", fresh)
	return comparedAs(t, a, b)
}

func comparedAs(t testing.TB, a, b clean.Stored) []Change {
	t.Helper()
	a.ID, b.ID = 1, 1
	d := compared(t, []clean.Stored{a}, []clean.Stored{b})
	if len(d.Files) == 0 {
		return nil
	}
	if n := len(d.Files[0].Interactions); n != 1 {
		t.Fatalf("%d interactions differ", n)
	}
	return d.Files[0].Interactions[0].Changes
}

func compared(t testing.TB, old, fresh []clean.Stored) Diff {
	t.Helper()
	d, err := Compare([]Pair{{&Cassette{Name: "x.yaml", List: loaded(t, old...)}, &Cassette{Name: "x.yaml", List: loaded(t, fresh...)}}}, Options{Matcher: matcher(t)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// graded writes the changes of an interaction in short.
func graded(list []Change) string {
	var out []string
	for _, c := range list {
		text := fmt.Sprintf("%s %s %s", c.Place, c.Kind, c.Grade)
		if c.Why != "" {
			text += " (" + c.Why + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestGradesOfBodies(t *testing.T) {
	for _, test := range []struct{ name, old, fresh, want string }{
		{"member gone", `{"a":1,"b":2}`, `{"a":1}`, "body.b removed breaking (gone)"},
		{"member new", `{"a":1}`, `{"a":1,"b":2}`, "body.b added additive"},
		{"type", `{"a":1}`, `{"a":"1"}`, "body.a retyped breaking (string instead of number)"},
		{"null now", `{"a":"x"}`, `{"a":null}`, "body.a retyped value (null now)"},
		{"null for an object", `{"a":{"b":1}}`, `{"a":null}`, "body.a retyped breaking (null instead of object)"},
		{"content", `{"sha256":"9f86d081884c7d659a2feaa0c55ad015"}`, `{"sha256":"60303ae22b998861bce3b28f33eec1be"}`, "body.sha256 changed value"},
		{"null before", `{"a":null}`, `{"a":{"b":1}}`, "body.a retyped value (null before)"},
		{"amount", `{"amount":100}`, `{"amount":200}`, "body.amount changed value"},
		{"boolean", `{"paid":true}`, `{"paid":false}`, "body.paid changed value"},
		{"state", `{"status":"succeeded"}`, `{"status":"failed"}`, "body.status changed value"},
		{"states with parts", `{"status":"requires_action"}`, `{"status":"requires_capture"}`, "body.status changed value"},
		{"id", `{"id":"cus_9s6XKzkNRiz8i3"}`, `{"id":"cus_Nx81kQzPq77aLm"}`, "body.id changed volatile (a generated id)"},
		{"id of another kind", `{"id":"cus_9s6XKzkNRiz8i3"}`, `{"id":"prod_Nx81kQzPq77aL"}`, "body.id changed value"},
		{"id that became a word", `{"owner":"cus_9s6XKzkNRiz8i3"}`, `{"owner":"cus_defaultowner"}`, "body.owner changed value"},
		{"UUID", `{"k":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}`, `{"k":"7c9e6679-7425-40de-944b-e07fc1f90ae7"}`, "body.k changed volatile (a UUID)"},
		{"digest", `{"sha":"9e107d9d372bb6826bd81d3542a419d6"}`, `{"sha":"e4d909c290d0fb1ca068ffaddf22cbd0"}`, "body.sha changed volatile (a generated id)"},
		{"another digest's length", `{"sha":"9e107d9d372bb6826bd81d3542a419d6"}`, `{"sha":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`, "body.sha changed value"},
		{"Unix time", `{"created":1760000000}`, `{"created":1760009999}`, "body.created changed volatile (a time)"},
		{"Unix time of another unit", `{"created":1760000000}`, `{"created":1760009999000}`, "body.created changed value"},
		{"amount like a time", `{"total":1760000000}`, `{"total":1760009999}`, "body.total changed value"},
		{"written time", `{"at":"2026-11-21T10:00:00Z"}`, `{"at":"2026-11-22T11:30:59Z"}`, "body.at changed volatile (a time)"},
		{"time written otherwise", `{"at":"2026-11-21T10:00:00Z"}`, `{"at":"2026-11-22 11:30:59"}`, "body.at changed value"},
		{"day under a time's name", `{"created":"2026-11-21"}`, `{"created":"2026-11-22"}`, "body.created changed volatile (a time)"},
		{"day of a version", `{"api_version":"2026-08-01"}`, `{"api_version":"2026-11-22"}`, "body.api_version changed value"},
		{"day of birth", `{"birthday":"1990-01-01"}`, `{"birthday":"1990-02-01"}`, "body.birthday changed value"},
		{"date of birth", `{"birth_date":"1990-01-01"}`, `{"birth_date":"1990-02-01"}`, "body.birth_date changed value"},
		{"time of birth", `{"customer":{"birthDate":"1990-01-01T00:00:00Z"}}`, `{"customer":{"birthDate":"1990-02-01T00:00:00Z"}}`, "body.customer.birthDate changed value"},
		{"SKU", `{"sku":"SKU12345ABC"}`, `{"sku":"SKU98765XYZ"}`, "body.sku changed value"},
		{"error code", `{"error":{"code":"ERR4F2A9C"}}`, `{"error":{"code":"ERR77B1D0"}}`, "body.error.code changed value"},
		{"status like an id", `{"status":"a1b2c3d4"}`, `{"status":"d4c3b2a1"}`, "body.status changed value"},
		{"request id of capitals", `{"request_id":"req_DXCSSGORGRWGZG"}`, `{"request_id":"req_XQWEVXOFEPPELF"}`, "body.request_id changed volatile (a request id)"},
		{"words for a cursor", `{"bookmark":"chapter-three"}`, `{"bookmark":"chapter-seven"}`, "body.bookmark changed value"},
		{"model", `{"model":"gpt-4o-2024-08-06"}`, `{"model":"gpt-4o-2024-11-20"}`, "body.model changed value"},
		{"version", `{"version":"1.20.3"}`, `{"version":"1.20.4"}`, "body.version changed value"},
		{"currency", `{"currency":"eur"}`, `{"currency":"usd"}`, "body.currency changed value"},
		{"cursor", `{"next_cursor":"b2Zmc2V0OjEw"}`, `{"next_cursor":"b2Zmc2V0OjIw"}`, "body.next_cursor changed volatile (a cursor)"},
		{"cursor gone", `{"next_cursor":"b2Zmc2V0OjEw"}`, `{"next_cursor":null}`, "body.next_cursor retyped value (null now)"},
		{"in a URL", `{"url":"/v1/customers/cus_9s6XKzkNRiz8i3/sources"}`, `{"url":"/v1/customers/cus_Nx81kQzPq77aLm/sources"}`, "body.url changed volatile (a generated id)"},
		{"another URL", `{"url":"/v1/customers/cus_9s6XKzkNRiz8i3/sources"}`, `{"url":"/v2/customers/cus_Nx81kQzPq77aLm/sources"}`, "body.url changed value"},
		{"secret", `{"client_secret":"pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_REDACTED000000000001"}`, `{"client_secret":"pi_3Nx81kQzPq77aLmrtG20xWq9_secret_REDACTED000000000002"}`, "body.client_secret changed volatile (a token)"},
		{"text with an id", `{"m":"No such customer: cus_9s6XKzkNRiz8i3"}`, `{"m":"No such customer: cus_Nx81kQzPq77aLm"}`, "body.m changed volatile (a generated id)"},
		{"text with an id and another word", `{"m":"No such customer: cus_9s6XKzkNRiz8i3"}`, `{"m":"No such charge: cus_Nx81kQzPq77aLm"}`, "body.m changed value"},
		{"card", `{"n":"4242424242424242"}`, `{"n":"4000000000000002"}`, "body.n changed value"},
		{"short code", `{"codec":"mp4h264aac"}`, `{"codec":"mp4h265aac"}`, "body.codec changed value"},
		{"big integers", `{"n":9007199254740993}`, `{"n":9007199254740992}`, "body.n changed value"},
		{"an element less", `{"a":[1,2,3]}`, `{"a":[1,2]}`, "body.a[2] removed value (an element less)"},
		{"an object less", `[{"id":1,"a":1},{"id":2,"a":1}]`, `[{"id":1,"a":1}]`, "body[1] removed value (an element less)"},
		{"the only element less", `{"a":[{"id":1}]}`, `{"a":[]}`, "body.a[0] removed value (an element less)"},
		{"another element", `[{"id":1,"a":1,"b":1}]`, `[{"id":2,"c":1,"d":1}]`, "body[0] removed value (an element less); body[0] added additive"},
		{"the only member of the only element", `[{"name":"ada"}]`, `[{"full_name":"ada"}]`, "body[0].full_name added additive; body[0].name removed breaking (gone)"},
		{"a member of all, and no other", `[{"name":"ada"},{"name":"bob"}]`, `[{},{}]`, "body[0].name removed breaking (gone); body[1].name removed breaking (gone)"},
		{"a member of all", `[{"id":"a","n":1},{"id":"b","n":2}]`, `[{"id":"a"},{"id":"b"}]`, "body[0].n removed breaking (gone); body[1].n removed breaking (gone)"},
		{"the member that names all", `[{"name":"ada","n":1,"m":1},{"name":"bob","n":2,"m":1}]`, `[{"n":1,"m":1},{"n":2,"m":1}]`,
			"body[0].name removed breaking (gone); body[1].name removed breaking (gone)"},
		{"all members of all", `[{"a":1,"b":1,"c":1},{"a":2,"b":2,"c":2}]`, `[{"d":1},{"d":2}]`,
			"body[0].d added additive; body[0].a removed breaking (gone); body[0].b removed breaking (gone); body[0].c removed breaking (gone); " +
				"body[1].d added additive; body[1].a removed breaking (gone); body[1].b removed breaking (gone); body[1].c removed breaking (gone)"},
		{"a member of one between others", `[{"id":1,"a":1},{"x":1},{"id":2,"a":1}]`, `[{"id":1,"a":1},{"y":1},{"id":2,"a":1}]`, "body[1].y added additive; body[1].x removed breaking (gone)"},
		{"a period", `{"created":1760000000,"period":{"start":1760000000,"end":1762592000}}`, `{"created":1765000000,"period":{"start":1765000000,"end":1767678400}}`,
			"body.created changed volatile (a time); body.period.start changed volatile (a time); body.period.end changed volatile (a time)"},
		{"a longer period", `{"created":1760000000,"period":{"start":1760000000,"end":1762592000}}`, `{"created":1765000000,"period":{"start":1765000000,"end":1796536000}}`,
			"body.created changed volatile (a time); body.period.start changed volatile (a time); body.period.end changed value"},
		{"a period without a time near it", `{"period":{"start":1760000000}}`, `{"period":{"start":1765000000}}`, "body.period.start changed value"},
		{"a period that moved alone", `{"created":1760000000,"start":1760000000}`, `{"created":1760000000,"start":1765000000}`, "body.start changed value"},
		{"a range", `{"created":1760000000,"range":{"start":0,"end":499}}`, `{"created":1765000000,"range":{"start":500,"end":999}}`,
			"body.created changed volatile (a time); body.range.start changed value; body.range.end changed value"},
		{"an amount that is due", `{"created":1760000000,"amount":{"due":1000000000}}`, `{"created":1765000000,"amount":{"due":1200000000}}`,
			"body.created changed volatile (a time); body.amount.due changed value"},
		{"when it is due", `{"created":1760000000,"invoice":{"due":1760086400,"until":1760086400}}`, `{"created":1765000000,"invoice":{"due":1765086400,"until":1765086400}}`,
			"body.created changed volatile (a time); body.invoice.due changed volatile (a time); body.invoice.until changed volatile (a time)"},
		{"the end of a phase", `{"created":1760000000,"phase_start":1760000000,"phase_end":1760086400}`, `{"created":1765000000,"phase_start":1765000000,"phase_end":1765086400}`,
			"body.created changed volatile (a time); body.phase_start changed volatile (a time); body.phase_end changed volatile (a time)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := graded(comparedBodies(t, test.old, test.fresh)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestGradesOfTheRest(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(s *clean.Stored)
		want string
	}{
		{"status class", func(s *clean.Stored) { s.Status, s.StatusText = 404, "Not Found" },
			"status changed breaking (4xx instead of 2xx); status_text changed volatile (it follows the status)"},
		{"status", func(s *clean.Stored) { s.Status = 201 }, "status changed value"},
		{"day", func(s *clean.Stored) { s.Recorded = "2026-11-22" }, "recorded changed volatile (the day of recording)"},
		{"pinned", func(s *clean.Stored) { s.Pinned = true }, "pinned changed value"},
		{"etag", func(s *clean.Stored) { s.ResponseHeader.Set("Etag", `W/"a8f23b99c1"`) }, "header.etag changed volatile (a digest)"},
		{"request id", func(s *clean.Stored) { s.ResponseHeader.Set("Request-Id", "req-one-22") }, "header.request-id changed volatile (a request id)"},
		{"header gone", func(s *clean.Stored) { s.ResponseHeader.Del("X-Version") }, "header.x-version removed breaking (gone)"},
		{"server gone", func(s *clean.Stored) { s.ResponseHeader.Del("Server") }, "header.server removed value (a header of the infrastructure)"},
		{"expires", func(s *clean.Stored) { s.ResponseHeader.Set("Expires", "Sun, 22 Nov 2026 10:00:00 GMT") }, "header.expires changed volatile (a time)"},
		{"body in other bytes", func(s *clean.Stored) { s.ResponseBody = []byte("{\n  \"a\": 1\n}") }, "body rewritten volatile (written differently)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := answer("application/json", `{"a":1}`)
			s.Recorded = "2026-11-21"
			s.ResponseHeader = http.Header{"Content-Type": {"application/json"}, "Etag": {`W/"a8f23b99c0"`}, "Request-Id": {"req-one-21"},
				"X-Version": {"7"}, "Server": {"nginx"}, "Expires": {"Sat, 21 Nov 2026 09:00:00 GMT"}}
			fresh := s
			fresh.ResponseHeader = s.ResponseHeader.Clone()
			test.edit(&fresh)
			if got := graded(comparedAs(t, s, fresh)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// exchange is a request and its JSON answer.
type exchange struct{ method, path, body, answer string }

func exchanges(list ...exchange) (out []clean.Stored) {
	for i, e := range list {
		s := answer("application/json", e.answer)
		s.ID, s.Method, s.URL, s.RequestHeader = i+1, e.method, "https://api.acme.dev"+e.path, http.Header{}
		if e.body != "" {
			s.RequestBody = []byte(e.body)
			s.RequestHeader.Set("Content-Type", "application/json")
		}
		out = append(out, s)
	}
	return out
}

// What is replaced throughout is volatile where it names a thing that the API made; all
// that our code chose, and all that says something, is not.
func TestReplacedThroughout(t *testing.T) {
	flow := func(id, echo, sent string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/orders", `{"sku":"` + sent + `"}`, `{"id":` + id + `,"note":` + echo + `}`},
			exchange{"GET", "/orders/" + strings.Trim(id, `"`), "", `{"id":` + id + `,"note":` + echo + `}`},
			exchange{"GET", "/orders", "", `{"list":[{"id":` + id + `,"note":` + echo + `}]}`},
		)
	}
	plans := func(id string) []clean.Stored {
		text := `{"plan_id":"` + id + `","plan":{"id":"` + id + `"}}`
		return exchanges(exchange{"POST", "/orders", `{}`, text}, exchange{"GET", "/orders", "", text})
	}
	for _, test := range []struct {
		name       string
		old, fresh []clean.Stored
		want       Counts
	}{
		{"numbers", flow("101", `"x"`, "a"), flow("207", `"x"`, "a"), Counts{Volatile: 4}},
		{"codes", flow(`"ord-17"`, `"x"`, "a"), flow(`"ord-18"`, `"x"`, "a"), Counts{Volatile: 4}},
		{"words", flow(`"first"`, `"x"`, "a"), flow(`"second"`, `"x"`, "a"), Counts{Value: 4}},
		{"a plan that nobody made", plans("gold-1"), plans("silver-2"), Counts{Value: 4}},
		{"a price", flow("101", "100", "a"), flow("101", "200", "a"), Counts{Value: 3}},
		{"a number that is an amount too", flow("101", "101", "a"), flow("207", "207", "a"), Counts{Value: 7}},
		{"the old one is left", flow("101", `"x"`, "a"), append(flow("207", `"x"`, "a")[:2], exchanges(exchange{}, exchange{}, exchange{"GET", "/orders", "", `{"list":[{"id":101,"note":"x"}]}`})[2]),
			Counts{Value: 3}},
		{"what our code sends", flow("101", `"sku-2025"`, "sku-2025"), flow("101", `"sku-2026"`, "sku-2026"), Counts{Value: 4}},
		{"versions", flow(`"1.2.3"`, `"x"`, "a"), flow(`"1.2.4"`, `"x"`, "a"), Counts{Value: 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := compared(t, test.old, test.fresh)
			if d.Counts != test.want {
				t.Errorf("counts %+v, want %+v", d.Counts, test.want)
				for _, f := range d.Files {
					for _, one := range f.Interactions {
						t.Log(one.Fate, one.Route, graded(one.Changes))
					}
				}
			}
		})
	}
}

// An id that our own code names is a choice, however random it looks.
func TestIDsThatAreSent(t *testing.T) {
	flow := func(price, customer, key string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/customers", `{"key":"` + key + `"}`, `{"id":"` + customer + `"}`},
			exchange{"POST", "/subscriptions", `{"price":"` + price + `","customer":"` + customer + `"}`, `{"price":"` + price + `"}`},
		)
	}
	d := compared(t,
		flow("price_1Nx81kQzPq77aLm", "cus_9s6XKzkNRiz8i3", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
		flow("price_1Mt4BwLkdIwHu7i", "cus_Qw7yXx11PmN9zK", "7c9e6679-7425-40de-944b-e07fc1f90ae7"))
	got := ""
	for _, one := range d.Files[0].Interactions {
		got += graded(one.Changes) + "\n"
	}
	want := "body.key changed volatile (a UUID); body.id changed volatile (a generated id)\n" +
		"body.price changed value (an id that no answer before has brought); body.customer changed volatile (a generated id); body.price changed volatile (a generated id)\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// No two words, amounts, flags or texts of people are taken for what an API invents.
func FuzzVolatile(f *testing.F) {
	words := strings.Fields("succeeded failed pending active paid refunded card bank eur usd gold silver gpt turbo mini pro max basic premium draft open closed en de order customer test live")
	for seed := range uint64(16) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 9))
		text := func() string {
			var b strings.Builder
			for i := range 1 + r.IntN(4) {
				if i > 0 {
					b.WriteString([]string{"_", "-", " ", "."}[r.IntN(4)])
				}
				switch r.IntN(5) {
				case 0:
					fmt.Fprint(&b, r.IntN(3000))
				case 1:
					fmt.Fprintf(&b, "%s%d", words[r.IntN(len(words))], r.IntN(100))
				default:
					b.WriteString(words[r.IntN(len(words))])
				}
			}
			return b.String()
		}
		a, b := text(), text()
		if why, _ := volatileText("body.plan", a, b); a != b && why != "" {
			t.Errorf("%q → %q is taken for %s", a, b, why)
		}
	})
}

// An answer that names another of the known things says something else.
func TestReferences(t *testing.T) {
	const a, b, x, y = "card_3MtwBwLkdIwHu7i", "card_1Nx81kQzPq77aLm", "card_9s6XKzkNRiz8i3w", "card_Qw7yXx11PmN9zK2"
	flow := func(first, second, chosen string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/cards", `{"n":1}`, `{"id":"` + first + `"}`},
			exchange{"POST", "/cards", `{"n":2}`, `{"id":"` + second + `"}`},
			exchange{"GET", "/customer", "", `{"default":"` + chosen + `"}`},
		)
	}
	for _, test := range []struct {
		name       string
		old, fresh []clean.Stored
		want       Counts
	}{
		{"the same ids, another one", flow(a, b, a), flow(a, b, b), Counts{Value: 1}},
		{"other ids, the same one", flow(a, b, a), flow(x, y, x), Counts{Volatile: 3}},
		{"other ids, another one", flow(a, b, a), flow(x, y, y), Counts{Value: 1, Volatile: 2}},
		{"one that was not there", flow(a, b, a), flow(a, b, x), Counts{Value: 1}},
		{"one has become two", exchanges(exchange{"GET", "/a", "", `{"owner":"` + a + `","payer":"` + a + `"}`}),
			exchanges(exchange{"GET", "/a", "", `{"owner":"` + x + `","payer":"` + y + `"}`}), Counts{Value: 1, Volatile: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := compared(t, test.old, test.fresh); d.Counts != test.want {
				t.Errorf("counts %+v, want %+v", d.Counts, test.want)
			}
		})
	}
}

// An address says the id once more.
func TestAddressesOfWhatIsReplaced(t *testing.T) {
	flow := func(id, self string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/orders", `{}`, `{"id":` + id + `}`},
			exchange{"GET", "/orders", "", `{"id":` + id + `,"self":"` + self + `"}`},
		)
	}
	old := flow("5673", "https://api.acme.dev/orders/5673/lines?n=5673")
	for self, want := range map[string]Counts{
		"https://api.acme.dev/orders/8120/lines?n=5673":  {Value: 3}, // the old one stands there
		"https://api.acme.dev/orders/8120/lines?n=8120":  {Value: 1, Volatile: 2},
		"https://api.acme.dev/orders/8121/lines?n=1":     {Value: 1, Volatile: 2},
		"https://api.acme.dev/invoices/8120/lines?n=1":   {Value: 1, Volatile: 2},
		"https://other.acme.dev/orders/8120/lines?n=567": {Value: 1, Volatile: 2},
	} {
		if d := compared(t, old, flow("8120", self)); d.Counts != want {
			t.Errorf("%s: counts %+v, want %+v", self, d.Counts, want)
		}
	}
	for self, want := range map[string]Counts{
		"/orders/8120/lines?n=1": {Volatile: 3},
		"/orders/8120/lines?n=2": {Value: 1, Volatile: 2},
		"/orders/8120/items?n=1": {Value: 1, Volatile: 2},
		"/orders/8119/lines?n=1": {Value: 1, Volatile: 2},
	} {
		if d := compared(t, flow("5673", "/orders/5673/lines?n=1"), flow("8120", self)); d.Counts != want {
			t.Errorf("%s: counts %+v, want %+v", self, d.Counts, want)
		}
	}
}

// An id that by chance looks like a word is one when it had to be sent as another.
func TestWordsSentAgain(t *testing.T) {
	flow := func(id, state string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/cards", `{"n":1}`, `{"id":"` + id + `","state":"` + state + `"}`},
			exchange{"GET", "/cards/card_unevenlights", "", `{"id":"` + id + `"}`},
		)
	}
	d, err := Compare([]Pair{{
		&Cassette{Name: "x.yaml", List: loaded(t, flow("card_unevenlights", "is_available")...)},
		&Cassette{Name: "x.yaml", List: loaded(t, flow("card_morelateron", "is_withdrawn")...), Replaced: map[string]bool{"card_unevenlights": true}},
	}}, Options{Matcher: matcher(t)})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Counts{Value: 1, Volatile: 2}); d.Counts != want {
		t.Errorf("counts %+v, want %+v", d.Counts, want)
	}
}

// Recorded requests that are sent again keep the ids of then: those are not there any more.
func TestReferencesOfRequestsSentAgain(t *testing.T) {
	flow := func(card, number, chosen string) []clean.Stored {
		return exchanges(
			exchange{"POST", "/cards", `{"n":1}`, `{"id":"` + card + `","number_id":` + number + `}`},
			exchange{"GET", "/cards/card_3MtwBwLkdIwHu7i", "", `{"id":"` + card + `"}`},
			exchange{"GET", "/cards/81723", "", `{"number_id":` + number + `}`},
			exchange{"GET", "/customer", "", `{"default":"` + chosen + `"}`},
		)
	}
	const then, now, other = "card_3MtwBwLkdIwHu7i", "card_9s6XKzkNRiz8i3w", "card_Qw7yXx11PmN9zK2"
	old, replaced := flow(then, "81723", other), map[string]bool{then: true, "81723": true}
	for _, test := range []struct {
		name     string
		chosen   string
		replaced map[string]bool
		want     Counts
	}{
		{"ids made anew", other, replaced, Counts{Volatile: 4}},
		{"another one of those that are there", now, replaced, Counts{Value: 1, Volatile: 4}},
		{"sent as they stand", other, nil, Counts{Value: 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fresh := flow(now, "90412", test.chosen)
			d, err := Compare([]Pair{{
				&Cassette{Name: "x.yaml", List: loaded(t, old...)},
				&Cassette{Name: "x.yaml", List: loaded(t, fresh...), Replaced: test.replaced},
			}}, Options{Matcher: matcher(t)})
			if err != nil {
				t.Fatal(err)
			}
			if d.Counts != test.want {
				t.Errorf("counts %+v, want %+v", d.Counts, test.want)
			}
		})
	}
}
