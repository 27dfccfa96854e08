package deck_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

// many clients are at work at once.
const many = 64

// A shopper is one client of shopAPI. It sends what the answers gave it, and writes down
// what it saw.
type shopper struct {
	t    *testing.T
	to   http.RoundTripper
	n    int
	sdk  string // its version
	saw  []string
	more bool // it does one thing more
	ends bool // it reads one thing twice, and again when it is gone
}

func (s *shopper) send(method, address, contentType, body string) (http.Header, map[string]any) {
	s.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = "https://api.shop.dev" + address
	}
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, address, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("User-Agent", "shop-sdk/"+s.sdk)
	req.Header.Set("X-Sdk-Telemetry", s.sdk+fmt.Sprint(time.Now().UnixNano()))
	if method != "GET" {
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d-%d", s.sdk, s.n, len(s.saw)))
	}
	resp, err := s.to.RoundTrip(req)
	if err != nil {
		s.t.Error(err)
		return nil, nil
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	resp.Body.Close()
	s.saw = append(s.saw, fmt.Sprintf("%s %s %d %v %s", method, req.URL.Path, resp.StatusCode, resp.Header["Location"], got))
	out := map[string]any{}
	json.Unmarshal(got, &out)
	return resp.Header, out
}

func text(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprint(v)
}

// shop is what every client does: ids come back in paths, forms, JSON and cursors.
func (s *shopper) shop() {
	s.send("GET", "/config", "", "")
	header, customer := s.send("POST", "/customers", formType, fmt.Sprintf("name=c%03d", s.n))
	id := text(customer["id"])
	s.send("GET", header.Get("Location"), "", "")
	_, first := s.send("POST", "/customers/"+id+"/orders", jsonType, `{"amount": 1}`)
	_, second := s.send("POST", "/customers/"+id+"/orders", jsonType, fmt.Sprintf(`{"amount": %d}`, 1000+s.n))
	_, page := s.send("GET", "/orders?limit=1&customer="+id, "", "")
	s.send("GET", "/orders?limit=1&customer="+id+"&cursor="+url.QueryEscape(text(page["next_cursor"])), "", "")
	s.send("PUT", "/orders/"+text(first["id"]), jsonType, fmt.Sprintf(`{"replaces":%q,"note":"see %s."}`, text(second["id"]), text(second["id"])))
	s.send("GET", "/orders/"+text(first["id"]), "", "")
	if s.more {
		s.send("GET", "/orders/"+text(second["id"]), "", "")
	}
	if s.ends {
		s.send("GET", "/orders/"+text(first["id"]), "", "")
		s.send("DELETE", "/orders/"+text(first["id"]), "", "")
		s.send("GET", "/orders/"+text(first["id"]), "", "")
	}
	s.send("PUT", "/customers/"+id, formType, "default_order="+text(second["id"]))
	s.send("GET", text(customer["url"]), "", "")
	s.send("DELETE", "/customers/"+id, "", "")
	s.send("GET", "/customers/"+id, "", "")
}

// shops runs clients at once and returns what each saw.
func shops(t *testing.T, to http.RoundTripper, clients int, change ...func(*shopper)) [][]string {
	t.Helper()
	out := make([][]string, clients)
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			s := &shopper{t: t, to: to, n: n, sdk: "1.0"}
			for _, f := range change {
				f(s)
			}
			s.shop()
			out[n] = s.saw
		})
	}
	wg.Wait()
	return out
}

// recordShop records clients of an API anew.
func (b *bench) recordShop(api *shopAPI, clients int, options func(*deck.Options), change ...func(*shopper)) (saw [][]string, notes []string) {
	b.t.Helper()
	d := b.open(deck.RecordOnly, api, func(o *deck.Options) {
		o.Now = api.clock
		if options != nil {
			options(o)
		}
	})
	api.crowd.Add(clients)
	api.left.Store(int32(clients))
	saw = shops(b.t, d, clients, change...)
	b.close(d)
	return saw, d.Report().Notes
}

// replaysShop plays the cassette to the same clients: all is there, and but for the values
// that the API invents it is what they saw.
func (b *bench) replaysShop(clients int, saw [][]string, change ...func(*shopper)) {
	b.t.Helper()
	d := b.open(deck.ReplayOnly, nil)
	got := shops(b.t, d, clients, change...)
	b.close(d)
	for _, m := range d.Report().Misses {
		b.t.Errorf("a miss: %+v", m)
		return
	}
	for n := range saw {
		for i := range saw[n] {
			if was, is := shapeless(saw[n][i]), shapeless(got[n][i]); was != is {
				b.t.Errorf("client %d, answer %d:\nsaw    %s\nplayed %s", n, i, was, is)
				return
			}
		}
	}
}

// invented finds all that shopAPI makes up.
var inventedText = regexp.MustCompile(`(cus|ord|li|evt)_[0-9A-Za-z]{14}k7|_secret_[0-9A-Za-z]+|[0-9a-f]{8}-[0-9a-f-]{27}|17\d{8}|\d{4}-\d\d-\d\dT[\d:.]+Z|"invoice_id": \d+|"next_cursor": "[^"]*"|"access_token": "[^"]*"`)

func shapeless(s string) string { return inventedText.ReplaceAllString(s, "*") }

// changedLines are those that one text has and another has not.
func changedLines(t *testing.T, before, after string) (gone, added []string) {
	t.Helper()
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	count := map[string]int{}
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		if count[l] > 0 {
			count[l]--
		} else {
			added = append(added, l)
		}
	}
	for _, l := range a {
		if count[l] > 0 {
			count[l]--
			gone = append(gone, l)
		}
	}
	return gone, added
}

func (b *bench) unchanged(before, what string) {
	b.t.Helper()
	after := b.file()
	if before == after {
		return
	}
	gone, added := changedLines(b.t, before, after)
	b.t.Errorf("%s: %d lines are gone and %d added, first\n- %s\n+ %s", what, len(gone), len(added),
		strings.Join(gone[:min(6, len(gone))], "\n- "), strings.Join(added[:min(6, len(added))], "\n+ "))
}

func TestRecordingAgainChangesNothing(t *testing.T) {
	for _, clients := range []int{1, 3, many} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			b := newBench(t)
			b.recordShop(newShopAPI(1), clients, nil)
			before := b.file()
			for seed := uint64(2); seed < 4; seed++ {
				saw, notes := b.recordShop(newShopAPI(seed), clients, nil, func(s *shopper) { s.sdk = fmt.Sprint("2.", seed) })
				b.unchanged(before, fmt.Sprint("seed ", seed))
				if len(notes) > 0 {
					t.Errorf("notes: %q", notes)
				}
				b.replaysShop(clients, saw)
			}
		})
	}
}

// Other clients' changes stand by chance between two reads that say the same.
func TestReadsThatSayTheSameKeepNoOrder(t *testing.T) {
	ends := func(s *shopper) { s.ends = true }
	b := newBench(t)
	b.recordShop(newShopAPI(1), 3, nil, ends)
	before := b.file()
	for seed := uint64(2); seed < 6; seed++ {
		saw, _ := b.recordShop(newShopAPI(seed), 3, nil, ends)
		b.unchanged(before, fmt.Sprint("seed ", seed))
		b.replaysShop(3, saw, ends)
	}
}

func TestOneMoreInteractionAddsItsLines(t *testing.T) {
	for _, clients := range []int{1, many} {
		b := newBench(t)
		b.recordShop(newShopAPI(1), clients, nil)
		before := b.file()
		more := func(s *shopper) { s.more = s.n == clients/2 }
		saw, _ := b.recordShop(newShopAPI(2), clients, nil, more)
		after := b.file()
		gone, added := changedLines(t, before, after)
		if len(gone) > 0 || len(added) == 0 || len(added) > 50 {
			t.Errorf("%d clients: %d lines are gone, %d added:\n%s", clients, len(gone), len(added), strings.Join(gone, "\n"))
		}
		if at := strings.Index(after, strings.Join(added[:1], "")); at < 0 || !isOnePiece(before, after) {
			t.Errorf("%d clients: what is new does not stand in one piece", clients)
		}
		b.replaysShop(clients, saw, more)
	}
}

// isOnePiece reports that after is before with one piece put in.
func isOnePiece(before, after string) bool {
	n := 0
	for n < len(before) && before[n] == after[n] {
		n++
	}
	return strings.HasSuffix(after, before[n:])
}

func TestOneRenamedMemberChangesItsLines(t *testing.T) {
	b := newBench(t)
	b.recordShop(newShopAPI(1), many, nil)
	before := b.file()
	api := newShopAPI(2)
	api.change = func(route string, body map[string]any) {
		if route == "customers" && body["name"] == "c007" && body["updated_at"] != nil {
			body["balance"] = body["number"]
			delete(body, "number")
		}
	}
	saw, _ := b.recordShop(api, many, nil)
	gone, added := changedLines(t, before, b.file())
	for _, list := range [][]string{gone, added} {
		for _, l := range list {
			if !strings.Contains(l, "number") && !strings.Contains(l, "balance") && !strings.Contains(l, "recorded:") &&
				!strings.Contains(strings.ToLower(l), "length") && !strings.Contains(l, `- "3`) {
				t.Errorf("another line changed: %s", l)
			}
		}
	}
	if len(added) == 0 || len(added) > 8 {
		t.Errorf("%d lines", len(added))
	}
	b.replaysShop(many, saw)
}

func TestCarryOff(t *testing.T) {
	b := newBench(t)
	b.recordShop(newShopAPI(1), 1, nil)
	before := b.file()
	saw, notes := b.recordShop(newShopAPI(2), 1, func(o *deck.Options) { o.Carry = "off" })
	if b.file() == before || len(notes) > 0 {
		t.Errorf("carry: off carries over; notes %q", notes)
	}
	if ids := func(s string) []string { return regexp.MustCompile(`(?m)^\s*-? id: \d+`).FindAllString(s, -1) }; !slices.Equal(ids(before), ids(b.file())) {
		t.Error("ids are for life, whatever is carried over")
	}
	b.replaysShop(1, saw)
}

func TestWhatIsNotOneToOneIsNotCarried(t *testing.T) {
	for _, c := range []struct {
		what          string
		first, second func(n int, id string) string
	}{
		{"two became one", func(_ int, id string) string { return id }, func(n int, id string) string { return "grp_8Jk2mQx7Zp4Lw9" }},
		{"one became two", func(int, string) string { return "grp_8Jk2mQx7Zp4Lw9" }, func(_ int, id string) string { return id }},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBench(t)
			record := func(seed uint64, group func(int, string) string) ([][]string, []string) {
				api, n := newShopAPI(seed), 0
				api.change = func(route string, body map[string]any) {
					if route == "order" {
						n++
						body["group_id"] = group(n, api.id("grp"))
					}
				}
				return b.recordShop(api, 1, nil)
			}
			record(1, c.first)
			before := b.file()
			saw, notes := record(2, c.second)
			if gone, _ := changedLines(t, before, b.file()); len(gone) < 20 {
				t.Errorf("only %d lines changed: all new values are to be written", len(gone))
			}
			if text := strings.Join(notes, "\n"); len(notes) != 1 || !strings.Contains(text, "carry: off") || strings.Contains(text, "grp_") {
				t.Errorf("notes: %q", notes)
			}
			b.replaysShop(1, saw)
		})
	}
}

// What the client knows from elsewhere it will send again, whatever the file says.
func TestWhatTheClientKnowsIsNotCarried(t *testing.T) {
	b := newBench(t)
	for seed, plan := range []string{"plan_9s6XKzkNRiz8i3", "plan_Qm81LvTzy70WcX"} {
		d := b.open(deck.RecordOnly, newShopAPI(uint64(seed)))
		ask(t, d, "POST", "https://api.shop.dev/customers", "plan="+plan, "Content-Type", formType)
		b.close(d)
		d = b.open(deck.ReplayOnly, nil)
		if resp, _ := ask(t, d, "POST", "https://api.shop.dev/customers", "plan="+plan, "Content-Type", formType); resp.StatusCode != 201 {
			t.Errorf("%s: what was just recorded is a miss", plan)
		}
		b.close(d)
	}
}

func TestIgnoredValuesStay(t *testing.T) {
	rules := withRules(t, matchers.Rule{On: "POST api.shop.dev/customers", Ignore: []string{"body.run", "body.at", "body.host"}, As: map[string]string{"body.ref": "uuid"}})
	b := newBench(t)
	run := func(to http.RoundTripper, mode deck.Mode, n int) {
		d := b.open(mode, to, rules)
		for i := range 3 {
			ref := fmt.Sprintf("6f0f6d3e-6b8c-4d0a-9a53-0d3a5b8c%d%03d", n, i)
			body := fmt.Sprintf(`{"host":"h%d","run":"run number %d","at":%d,"ref":%q,"name":"n%d"}`, n, n, 1795255200+n*1000, ref, i)
			_, got := ask(t, d, "POST", "https://api.shop.dev/customers", body, "Content-Type", jsonType)
			var answer map[string]any
			json.Unmarshal([]byte(got), &answer)
			if mode == deck.ReplayOnly && answer["name"] != ref {
				t.Errorf("run %d: the client's own value does not come back: %s", n, got)
			}
		}
		b.close(d)
	}
	run(echoing{newShopAPI(1)}, deck.RecordOnly, 1)
	before := b.file()
	run(echoing{newShopAPI(2)}, deck.RecordOnly, 2)
	b.unchanged(before, "ignored values")
	run(nil, deck.ReplayOnly, 3)
}

// echoing answers with the client's reference under name.
type echoing struct{ *shopAPI }

func (e echoing) RoundTrip(req *http.Request) (*http.Response, error) {
	b, _ := io.ReadAll(req.Body)
	var in map[string]any
	json.Unmarshal(b, &in)
	req.Body = io.NopCloser(strings.NewReader(string(b)))
	e.change = func(_ string, body map[string]any) { body["name"] = in["ref"] }
	return e.shopAPI.RoundTrip(req)
}

func TestRotatedTokensChangeNothing(t *testing.T) {
	b := newBench(t)
	run := func(seed uint64) {
		api := newShopAPI(seed)
		d := b.open(deck.RecordOnly, api, func(o *deck.Options) { o.Now = api.clock })
		for n := range 3 {
			_, got := ask(t, d, "POST", "https://api.shop.dev/login", fmt.Sprintf(`{"user":"u%d"}`, n), "Content-Type", jsonType, "Authorization", fmt.Sprintf("Basic dTpwYXNz%dQ==", seed))
			var answer map[string]any
			json.Unmarshal([]byte(got), &answer)
			ask(t, d, "GET", "https://api.shop.dev/config", "", "Authorization", "Bearer "+text(answer["access_token"]))
		}
		b.close(d)
	}
	run(1)
	before := b.file()
	run(2)
	b.unchanged(before, "tokens")
}

// A short number that names something else is an answer's word, and no id made anew.
func TestAnotherPlanIsNotCarried(t *testing.T) {
	b := newBench(t)
	for seed, plan := range []int{11, 12} {
		api := newShopAPI(uint64(seed))
		api.change = func(_ string, body map[string]any) {
			body["plan_id"], body["plan"] = plan, map[string]any{"id": plan + 10}
		}
		b.recordShop(api, 1, nil)
	}
	if text := b.file(); !strings.Contains(text, `"plan_id": 12`) || !strings.Contains(text, `"id": 22`) || strings.Contains(text, `"plan_id": 11`) || strings.Contains(text, `"id": 21`) {
		t.Error("another plan is written as the one before")
	}
}

func TestEventsAndNumbersAreCarried(t *testing.T) {
	b := newBench(t)
	run := func(seed uint64) {
		api := newShopAPI(seed)
		d := b.open(deck.RecordOnly, api, func(o *deck.Options) { o.Now = api.clock })
		ask(t, d, "GET", "https://api.shop.dev/events", "")
		_, got := ask(t, d, "POST", "https://api.shop.dev/customers/x/orders", `{"amount":3}`, "Content-Type", jsonType)
		var order map[string]any
		json.Unmarshal([]byte(got), &order)
		ask(t, d, "GET", "https://api.shop.dev/invoices/"+text(order["invoice_id"]), "")
		b.close(d)
	}
	run(1)
	before := b.file()
	run(2)
	b.unchanged(before, "events and numbers")
}
