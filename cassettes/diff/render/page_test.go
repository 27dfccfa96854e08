package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// recorded makes a clean interaction of what a file would hold.
func recorded(t testing.TB, s clean.Stored) *clean.Interaction {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := (&clean.Cleaner{Vault: redact.NewVault(rules)}).Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return &in
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

func answer(id int, request, response string) clean.Stored {
	s := clean.Stored{
		Meta: clean.Meta{ID: id}, Method: "POST", URL: "https://api.stripe.com/v1/refunds?expand=charge", Proto: "HTTP/1.1",
		RequestHeader: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, RequestBody: []byte(request),
		Status: 200, StatusText: "OK", ResponseProto: "HTTP/1.1", ResponseHeader: jsonHeader, ResponseBody: []byte(response),
	}
	return s
}

func text(kind, value string) *diff.Value { return &diff.Value{Type: kind, Text: value} }

const (
	oldRefund = `{"id":"re_1","object":"refund","amount":500,"balance_transaction":"txn_1","charge":"ch_1","created":1700000000,"currency":"usd","destination_details":{"card":{"reference":"x","type":"refund"},"type":"card"},"metadata":{},"payment_intent":null,"reason":"requested by the customer","receipt_number":null,"status":"succeeded"}`
	newRefund = `{"id":"re_2","object":"refund","amount":"500","balance_transaction":"txn_1","charge":"ch_1","created":1800000000,"currency":"usd","destination_details":{"card":{"reference":"x","type":"refund"},"type":"card"},"fee":{"amount":12,"currency":"usd"},"metadata":{},"payment_intent":null,"reason":"asked for by the customer","status":"succeeded"}`
)

// refund is a comparison made by hand of one pair of interactions.
func refund(t testing.TB, id int) diff.Interaction {
	one := 1
	return diff.Interaction{
		Fate: diff.IsChanged, ID: id, Was: &one, Method: "POST", URL: "https://api.stripe.com/v1/refunds?expand=charge", Status: 200,
		Route: "POST api.stripe.com/v1/refunds",
		Changes: []diff.Change{
			{Part: diff.Request, Place: "body.amount", Kind: diff.Other, Grade: diff.Changed, Old: text("string", "500"), New: text("string", "700")},
			{Part: diff.Response, Place: "body.id", Kind: diff.Other, Grade: diff.Volatile, Why: "a generated id", Old: text("string", "re_1"), New: text("string", "re_2")},
			{Part: diff.Response, Place: "body.amount", Kind: diff.Retyped, Grade: diff.Breaking, Why: "string instead of number", Old: text("number", "500"), New: text("string", "500")},
			{Part: diff.Response, Place: "body.created", Kind: diff.Other, Grade: diff.Volatile, Why: "a time", Old: text("number", "1700000000"), New: text("number", "1800000000")},
			{Part: diff.Response, Place: "body.fee", Kind: diff.Added, Grade: diff.Additive, Why: "new member", New: text("object", `{"amount":12,"currency":"usd"}`)},
			{
				Part: diff.Response, Place: "body.reason", Kind: diff.Other, Grade: diff.Changed, Old: text("string", "requested by the customer"), New: text("string", "asked for by the customer"),
				Edits: []diff.Edit{{Op: "-", Text: "requested"}, {Op: "+", Text: "asked for"}, {Op: "=", Text: " by the customer"}},
			},
			{Part: diff.Response, Place: "body.receipt_number", Kind: diff.Removed, Grade: diff.Breaking, Why: "member gone", Old: text("null", "null")},
			{Part: diff.Meta, Place: "recorded", Kind: diff.Other, Grade: diff.Volatile, Old: text("string", "2026-10-01"), New: text("string", "2026-11-22")},
		},
		OldSide: recorded(t, answer(1, "amount=500&charge=ch_1", oldRefund)),
		NewSide: recorded(t, answer(id, "amount=700&charge=ch_1", newRefund)),
	}
}

func sample(t testing.TB, n int) diff.Diff {
	d := diff.Diff{
		Version: 1, Same: 14,
		Files: []diff.File{{
			Old: "cassettes/checkout.yaml", New: "cassettes/checkout.yaml", Unchanged: 31,
			Counts: diff.Counts{Breaking: 2, Additive: 1, Value: 2, Volatile: 3},
		}},
		NewHosts: []diff.NewHost{{Host: "https://files.stripe.com", Cassettes: []string{"cassettes/checkout.yaml"}}},
		Rules:    []diff.RuleChange{{File: "tapedeck.yaml", What: "rules: on POST api.stripe.com/v1/refunds", Kind: diff.Added, Looser: true, New: "on: POST api.stripe.com/v1/refunds\nignore: [body.amount]\n"}},
		Groups: []diff.Group{
			{Section: diff.Sent, Grade: diff.Changed, Kind: diff.Other, Title: "`amount` changed in POST /v1/refunds", Refs: []diff.Ref{{File: 0, Interaction: 0, Change: 0}}, Old: text("string", "500"), New: text("string", "700"), Cassettes: 1, Interactions: 1},
			{Section: diff.Hosts, Grade: diff.Additive, Title: "new host https://files.stripe.com"},
			{Section: diff.Rules, Grade: diff.Changed, Title: "looser"},
			{Section: diff.Answered, Grade: diff.Breaking, Kind: diff.Removed, Title: "member `receipt_number` is gone from POST /v1/refunds answers", Place: "body.receipt_number", Cassettes: 1, Interactions: n, Refs: []diff.Ref{{File: 0, Interaction: 0, Change: 6}}},
			{Section: diff.Answered, Grade: diff.Additive, Kind: diff.Added, Title: "new member `fee` in POST /v1/refunds answers", Place: "body.fee", Cassettes: 1, Interactions: 1, Refs: []diff.Ref{{File: 0, Interaction: 0, Change: 4}}},
		},
		Counts: diff.Counts{Breaking: 2, Additive: 1, Value: 2, Volatile: 3},
	}
	one := refund(t, 12)
	for i := range n {
		in := one
		in.ID = i + 12
		d.Files[0].Interactions = append(d.Files[0].Interactions, in)
	}
	return d
}

func page(t testing.TB, p Page, d diff.Diff) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if to := os.Getenv("TAPEDECK_TEST_PAGE"); to != "" {
		if err := os.WriteFile(to, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestPageShowsEveryChangeOnce(t *testing.T) {
	d := sample(t, 1)
	got := page(t, Page{}, d)
	ids := regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(got, -1)
	seen := map[string]int{}
	for _, id := range ids {
		seen[id[1]]++
	}
	changes := 0
	for id, n := range seen {
		if n != 1 {
			t.Errorf("id %s stands %d times", id, n)
		}
		if strings.HasPrefix(id, "c-") {
			changes++
		}
	}
	if want := len(d.Files[0].Interactions[0].Changes); changes != want {
		t.Errorf("%d changes have an anchor, want %d", changes, want)
	}
	for _, link := range regexp.MustCompile(` href="([^"]+)"`).FindAllStringSubmatch(got, -1) {
		if target, ok := strings.CutPrefix(link[1], "#"); ok && seen[target] != 1 {
			t.Errorf("a link leads to #%s, which is not there", target)
		} else if !ok && !strings.HasPrefix(link[1], "data:image/svg+xml,") {
			t.Errorf("a link leads out of the page: %s", link[1])
		}
	}
	for _, want := range []string{
		"<del>\t&#34;reason&#34;: &#34;<mark>requested</mark> by the customer&#34;,</del>",
		"<ins>\t&#34;reason&#34;: &#34;<mark>asked for</mark> by the customer&#34;,</ins>",
		"<del>\t&#34;receipt_number&#34;: null,</del>",
		"<ins>\t&#34;fee&#34;: {\n\t\t&#34;amount&#34;: 12,\n\t\t&#34;currency&#34;: &#34;usd&#34;\n\t},</ins>",
		`… 5 equal lines`, `<code>receipt_number</code>`, `https://files.stripe.com`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// The same change has the same anchor in another page, wherever it stands there.
func TestPageAnchorsStay(t *testing.T) {
	find := regexp.MustCompile(`id="(c-[^"]+)" tabindex="-1"><del>\t&#34;receipt_number`)
	first := find.FindAllStringSubmatch(page(t, Page{}, sample(t, 1)), -1)
	more := sample(t, 3)
	more.Files = append([]diff.File{{New: "a.yaml", Interactions: []diff.Interaction{refund(t, 12)}}}, more.Files...)
	second := find.FindAllStringSubmatch(page(t, Page{}, more), -1)
	if len(first) != 1 || len(second) != 4 || first[0][1] != second[1][1] {
		t.Errorf("%v is not the second of %v", first, second)
	}
	if second[0][1] == second[1][1] {
		t.Error("the same anchor in two cassettes")
	}
}

// hostile are texts that would do harm if they were markup, or that would mislead.
var hostile = []string{
	`<script>alert(1)</script>`, `</style><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`,
	`--><!--<script>`, `]]>`, "\u202egnp.exe", "a\x00b", "zero\u200bwidth", "\xff\xfe", `{{.}}`, "&lt;b&gt;", "line\u2028separator", `<svg/onload=alert(1)>`,
}

func TestPageShowsHostileTextAsText(t *testing.T) {
	bare := page(t, Page{}, diff.Diff{})
	scripts := strings.Count(bare, "<script")
	for _, evil := range hostile {
		value := text("string", evil)
		in := refund(t, 12)
		in.Method, in.URL, in.Route = evil, "https://api.acme.dev/"+evil, evil
		in.Changes = append(in.Changes,
			diff.Change{Part: diff.Response, Place: leaves.Place("body").Member(evil), Element: evil, Kind: diff.Other, Grade: diff.Changed, Why: evil, Old: value, New: value},
			diff.Change{Part: diff.Response, Place: leaves.Place(evil), Kind: diff.Kind(evil), Grade: diff.Changed, Edits: []diff.Edit{{Op: "=", Text: evil}, {Op: "+", Text: evil}}, Old: value, New: text("text", evil)},
		)
		escaped := string(leaves.QuoteJSON(strings.ToValidUTF8(evil, "?")))
		in.NewSide = recorded(t, answer(12, "a="+evil, `{`+escaped+`:`+escaped+`}`))
		plain := answer(13, evil, evil)
		plain.ResponseHeader = http.Header{"Content-Type": {"text/plain"}, "X-Evil": {evil}}
		added := diff.Interaction{Fate: diff.IsNew, ID: 13, Method: evil, URL: evil, NewSide: recorded(t, plain)}
		d := diff.Diff{
			Files:    []diff.File{{Old: evil, New: evil + "2", Interactions: []diff.Interaction{in, added}, Changes: []diff.Change{{Part: diff.Meta, Place: "unfinished", Kind: diff.Other, Old: value, New: value}}}},
			NewHosts: []diff.NewHost{{Host: evil, Cassettes: []string{evil}}},
			Rules:    []diff.RuleChange{{File: evil, What: evil, Kind: diff.Added, Old: evil, New: evil}},
			Groups: []diff.Group{
				{Section: diff.Hosts, Grade: diff.Additive}, {Section: diff.Rules, Grade: diff.Changed},
				{Section: diff.Answered, Grade: diff.Breaking, Title: evil + "`" + evil + "`", Old: value, New: value, Refs: []diff.Ref{{Change: -1}, {Change: 8}}},
			},
		}
		got := page(t, Page{Title: evil, Fault: evil}, d)
		if n := strings.Count(strings.ToLower(got), "<script"); n != scripts {
			t.Errorf("%q: %d script elements, want %d", evil, n, scripts)
		}
		for _, no := range []string{"<img", "<svg/", "onerror=alert(1)>", `href="javascript`, "\u202e", "\x00", "\u200b", "\u2028", "\xff"} {
			if strings.Contains(got, no) && !strings.Contains(bare, no) {
				t.Errorf("%q: the page holds %q", evil, no)
			}
		}
		for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(got, -1) {
			if !strings.HasPrefix(link[1], "#") && !strings.HasPrefix(link[1], "data:image/svg+xml,") {
				t.Errorf("%q: a link leads to %s", evil, link[1])
			}
		}
	}
}

// The policy allows the style and the script of the page, and no others.
func TestPagePolicy(t *testing.T) {
	for _, live := range []string{"", "1"} {
		got := page(t, Page{Live: live}, sample(t, 1))
		policy := html.UnescapeString(between(t, got, `Content-Security-Policy" content="`, `"`))
		for _, kind := range []string{"style", "script"} {
			sum := sha256.Sum256([]byte(between(t, got, "<"+kind+">", "</"+kind+">")))
			if want := kind + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
				t.Errorf("the policy %s does not allow %s", policy, want)
			}
		}
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "connect-src") != (live != "") {
			t.Errorf("policy of a page that is live=%q: %s", live, policy)
		}
		if handlers := regexp.MustCompile(`(?i)<[^>]+ (on[a-z]+|style)=`).FindString(strings.Replace(got, between(t, got, "<script>", "</script>"), "", 1)); handlers != "" {
			t.Errorf("an inline handler or style: %s", handlers)
		}
	}
	for _, no := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("} {
		if strings.Contains(pageJS, no) {
			t.Errorf("page.js uses %s", no)
		}
	}
}

func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, text, ok := strings.Cut(text, before)
	text, _, also := strings.Cut(text, after)
	if !ok || !also {
		t.Fatalf("nothing between %q and %q", before, after)
	}
	return text
}

func TestLargePagesSayWhatTheyLeaveOut(t *testing.T) {
	d := sample(t, 2000)
	if n := len(page(t, Page{}, d)); n > 20_000_000 {
		t.Errorf("2,000 changed interactions make a page of %d bytes", n)
	}
	got := page(t, Page{limit: 300_000}, d)
	cards := strings.Count(got, `<details class="card`)
	if len(got) > 600_000 || cards < 20 || cards >= 2000 {
		t.Errorf("a page of %d bytes with %d interactions, where 300,000 bytes are the limit", len(got), cards)
	}
	if want := fmt.Sprintf("%d interactions are not in this page", 2000-cards); !strings.Contains(got, want) {
		t.Errorf("the page does not say that %s", want)
	}

	long := refund(t, 12)
	var body strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&body, `,"member%d":%d`, i, i)
	}
	long.OldSide = recorded(t, answer(1, "a=1", `{"first":1`+body.String()+`}`))
	long.NewSide = recorded(t, answer(1, "a=1", `{"first":2`+body.String()+`,"last":"`+strings.Repeat("x", 500_000)+`"}`))
	long.Changes = []diff.Change{
		{Part: diff.Response, Place: "body.first", Kind: diff.Other, Grade: diff.Changed, Old: text("number", "1"), New: text("number", "2")},
		{Part: diff.Response, Place: "body.last", Kind: diff.Added, Grade: diff.Additive, New: text("string", strings.Repeat("x", 500_000))},
	}
	got = page(t, Page{}, diff.Diff{Files: []diff.File{{Old: "a", New: "a", Interactions: []diff.Interaction{long}}}})
	if len(got) > 120_000 || !strings.Contains(got, "39,693 equal lines") && !strings.Contains(got, "equal lines, not in this page") {
		t.Errorf("a page of %d bytes for two changes in a large body", len(got))
	}
}

// Two long values are cut so that what differs is beside the group's title.
func TestGroupValuesShowWhatDiffers(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 400)
	old, fresh := groupValues(text("string", long+"one"), text("string", long+"two"))
	if !strings.HasPrefix(old, "…") || !strings.HasSuffix(old, " one") || !strings.HasSuffix(fresh, " two") || len(old) > 400 {
		t.Errorf("got %q and %q", old, fresh)
	}
	if old, fresh := groupValues(nil, text("string", long)); old != "" || !strings.HasSuffix(fresh, "…") {
		t.Errorf("got %q and %q", old, fresh)
	}
}
