package render

import (
	"strings"

	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/leaves"
)

func number(s string) *diff.Value  { return &diff.Value{Type: "number", Text: s} }
func textual(s string) *diff.Value { return &diff.Value{Type: "string", Text: s} }
func object(s string) *diff.Value  { return &diff.Value{Type: "object", Text: s} }

// A builder makes a Diff by hand: changes are put in one by one, as a reader would
// name them.
type builder struct {
	d      diff.Diff
	groups map[string]int
}

func (b *builder) file(old, new string) int {
	for i, f := range b.d.Files {
		if f.Old == old && f.New == new {
			return i
		}
	}
	b.d.Files = append(b.d.Files, diff.File{Old: old, New: new})
	return len(b.d.Files) - 1
}

func (b *builder) put(g diff.Group, ref diff.Ref, title string) {
	if b.groups == nil {
		b.groups = make(map[string]int)
	}
	key := strings.Join([]string{string(g.Section), string(g.Grade), string(g.Kind), string(g.Part), g.Route, g.Place}, "\x00")
	i, ok := b.groups[key]
	if !ok {
		i = len(b.d.Groups)
		b.groups[key] = i
		g.Title = title
		b.d.Groups = append(b.d.Groups, g)
	}
	mine := &b.d.Groups[i]
	mine.Refs = append(mine.Refs, ref)
	mine.Interactions++
	if len(mine.Refs) > 1 && (!equalValues(mine.Old, g.Old) || !equalValues(mine.New, g.New)) {
		mine.Old, mine.New = nil, nil
	}
	f := &b.d.Files[ref.File]
	for _, c := range []*diff.Counts{&b.d.Counts, &f.Counts} {
		switch g.Grade {
		case diff.Breaking:
			c.Breaking++
		case diff.Additive:
			c.Additive++
		case diff.Changed:
			c.Value++
		default:
			c.Volatile++
		}
	}
}

func (b *builder) whole(file int, fate diff.Fate, in diff.Interaction) {
	in.Fate = fate
	f := &b.d.Files[file]
	f.Interactions = append(f.Interactions, in)
	g := diff.Group{Section: diff.Sent, Grade: diff.Additive, Kind: diff.Added, Route: in.Route}
	if fate == diff.IsGone {
		g.Grade, g.Kind = diff.Changed, diff.Removed
	}
	b.put(g, diff.Ref{File: file, Interaction: len(f.Interactions) - 1, Change: -1}, string(fate)+" "+in.Route)
}

func (b *builder) change(file, id int, method, url, route string, c diff.Change) {
	f := &b.d.Files[file]
	if n := len(f.Interactions); n == 0 || f.Interactions[n-1].ID != id {
		f.Interactions = append(f.Interactions, diff.Interaction{Fate: diff.IsChanged, ID: id, Method: method, URL: url, Status: 200, Route: route})
	}
	in := &f.Interactions[len(f.Interactions)-1]
	in.Changes = append(in.Changes, c)
	section := diff.Answered
	if c.Part == diff.Request {
		section = diff.Sent
	} else if c.Part == diff.Meta {
		section = diff.Recording
	}
	b.put(diff.Group{Section: section, Grade: c.Grade, Kind: c.Kind, Part: c.Part, Route: route, Place: c.Place.AnyIndex(), Old: c.Old, New: c.New},
		diff.Ref{File: file, Interaction: len(f.Interactions) - 1, Change: len(in.Changes) - 1}, "a change of "+string(c.Place))
}

// sorted puts the groups in the order of reports.
func (b *builder) sorted() diff.Diff {
	var out []diff.Group
	for _, s := range diff.Sections {
		for _, grade := range diff.Grades {
			for _, g := range b.d.Groups {
				if g.Section == s && g.Grade == grade {
					out = append(out, g)
				}
			}
		}
	}
	d := b.d
	d.Version, d.Groups = 1, out
	return d
}

const (
	refunds   = "POST api.stripe.com/v1/refunds"
	customers = "GET api.stripe.com/v1/customers/{id}"
)

// everything is a Diff with all that a report can show.
func everything() diff.Diff {
	b := &builder{}
	euro, dollar, old := b.file("testdata/cassettes/checkout/EUR.yaml", "testdata/cassettes/checkout/EUR.yaml"), b.file("testdata/cassettes/usd.yaml", "testdata/cassettes/checkout/USD.yaml"), b.file("testdata/cassettes/legacy.yaml", "")
	fresh := b.file("", "testdata/cassettes/mail.yaml")
	b.whole(euro, diff.IsNew, diff.Interaction{ID: 12, Method: "POST", URL: "https://api.stripe.com/v1/refunds", Status: 200, Route: refunds, Recorded: &diff.Recorded{
		Request:  diff.Message{Body: &diff.Value{Type: "text", Text: "amount=500&charge=ch_1"}},
		Response: diff.Message{Status: 200, Body: object(`{"id":"re_1","object":"refund","amount":500,"metadata":{"order":"6735","note":"a rather long note that does not fit into any line of any terminal, however wide"}}`)},
	}})
	b.whole(fresh, diff.IsNew, diff.Interaction{ID: 0, Method: "POST", URL: "https://api.mail.dev/v3/send", Status: 202, Route: "POST api.mail.dev/v3/send", Recorded: &diff.Recorded{
		Request:  diff.Message{Body: &diff.Value{Type: "binary", Size: 12345, SHA256: strings.Repeat("ab", 32)}},
		Response: diff.Message{Status: 202},
	}})
	for i := range 3 {
		b.whole(old, diff.IsGone, diff.Interaction{ID: i, Method: "GET", URL: "https://api.old.dev/items/" + strings.Repeat("7", i+1), Status: 200, Route: "GET api.old.dev/items/{id}", Recorded: &diff.Recorded{Response: diff.Message{Status: 200, Body: object(`{"n":1}`)}}})
	}
	for i, f := range []int{euro, dollar} {
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Request, Place: "query.limit", Kind: diff.Other, Grade: diff.Changed, Old: &diff.Value{Type: "text", Text: "10"}, New: &diff.Value{Type: "text", Text: "20"}})
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Response, Place: leaves.Place("body.sources.data").Index(i).Member("funding"), Element: `id "card_1"`, Kind: diff.Removed, Grade: diff.Breaking, Old: textual("credit")})
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Response, Place: "body.balance", Kind: diff.Retyped, Grade: diff.Breaking, Old: number("10"), New: textual("10")})
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Response, Place: "body.created", Kind: diff.Other, Grade: diff.Volatile, Why: "a time", Old: number("1700000000"), New: number("1700000001")})
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Response, Place: "body.total", Kind: diff.Other, Grade: diff.Changed, Old: number("9007199254740993"), New: number([]string{"9007199254740992", "12"}[i])})
		b.change(f, 20+i, "GET", "https://api.stripe.com/v1/customers/cus_1", customers, diff.Change{Part: diff.Meta, Place: "recorded", Kind: diff.Other, Grade: diff.Volatile, Why: "the day", Old: &diff.Value{Type: "text", Text: "2026-11-20"}, New: &diff.Value{Type: "text", Text: "2026-11-22"}})
	}
	b.change(dollar, 30, "POST", "https://api.stripe.com/v1/charges", "POST api.stripe.com/v1/charges", diff.Change{Part: diff.Response, Place: "status", Kind: diff.Other, Grade: diff.Breaking, Why: "4xx instead of 2xx", Old: number("200"), New: number("402")})
	b.change(dollar, 30, "POST", "https://api.stripe.com/v1/charges", "POST api.stripe.com/v1/charges", diff.Change{Part: diff.Response, Place: "body.fee_details", Kind: diff.Added, Grade: diff.Additive, New: object(`{"amount":12,"currency":"eur","description":"a fee","type":"application_fee"}`)})
	b.change(dollar, 30, "POST", "https://api.stripe.com/v1/charges", "POST api.stripe.com/v1/charges", diff.Change{Part: diff.Response, Place: "body.description", Kind: diff.Other, Grade: diff.Changed,
		Old: textual(strings.Repeat("Terms of the service apply to all who use it. ", 12) + "You pay by card.\nThe end."), New: textual(strings.Repeat("Terms of the service apply to all who use it. ", 12) + "You pay by transfer.\nThe end."),
		Edits: []diff.Edit{{Op: "=", Text: strings.Repeat("Terms of the service apply to all who use it. ", 12) + "You pay by "}, {Op: "-", Text: "card"}, {Op: "+", Text: "transfer"}, {Op: "=", Text: ".\nThe end."}}})
	b.change(dollar, 30, "POST", "https://api.stripe.com/v1/charges", "POST api.stripe.com/v1/charges", diff.Change{Part: diff.Response, Place: "header.location", Kind: diff.Other, Grade: diff.Changed,
		Old: &diff.Value{Type: "text", Text: "https://dashboard.stripe.com/test/payments/with/a/rather/long/path/ch_000000001/receipt"}, New: &diff.Value{Type: "text", Text: "https://dashboard.stripe.com/test/payments/with/a/rather/long/path/ch_000000002/receipt"}})
	b.d.NewHosts = []diff.NewHost{{Host: "https://api.mail.dev", Cassettes: []string{"testdata/cassettes/mail.yaml"}}}
	b.d.Rules = []diff.RuleChange{
		{File: "tapedeck.yaml", What: "rules: on POST api.stripe.com/v1/refunds: affects", Kind: diff.Added, New: "[GET api.stripe.com/v1/charges]"},
		{File: "tapedeck.yaml", What: "rules: on POST api.stripe.com/v1/refunds: ignore", Kind: diff.Added, New: "[body.metadata.run_id]", Looser: true},
	}
	b.d.Same = 12
	return b.sorted()
}
