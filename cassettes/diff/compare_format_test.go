package diff

import (
	"slices"
	"strings"
	"testing"
)

const (
	jsonType   = "application/json"
	formType   = "application/x-www-form-urlencoded"
	eventsType = "text/event-stream"
	linesType  = "application/x-ndjson"
	partsType  = "multipart/form-data; boundary=b"
	textType   = "text/plain"
)

func part(head, content string) string {
	return "--b\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + content + "\r\n"
}

const (
	end  = "--b--\r\n"
	jpeg = "\r\nContent-Type: image/jpeg"
	doc  = "\r\nContent-Type: application/json"
)

// A want is a change as line writes it, without the word response. What is written
// differently is "rewritten", whatever it carries.
var bodies = []struct {
	name, contentType, old, new string
	want                        []string
}{
	{"values", jsonType, `{"a":1,"b":"x","c":true,"d":null}`, `{"a":2,"b":"y","c":false,"d":null}`,
		[]string{"body.a changed: number 1 → number 2", "body.b changed: string x → string y", "body.c changed: bool true → bool false"}},
	{"types", jsonType, `{"a":1,"b":null,"c":{},"d":[]}`, `{"a":"1","b":false,"c":[],"d":null}`,
		[]string{"body.a retyped: number 1 → string 1", "body.b retyped: null null → bool false", "body.c retyped: object {} → array []", "body.d retyped: array [] → null null"}},
	{"members come and go", jsonType, `{"a":1,"gone":{"x":[1, 2]},"b":2}`, `{"new":"n","a":1,"b":2,"last":[ ]}`,
		[]string{"body.new added: + string n at 0", `body.gone removed: - object {"x":[1,2]}`, "body.last added: + array [] at 3", "body rewritten"}},
	{"a member deep down", jsonType, `{"a":{"b":[{"c":{"d":1}}]}}`, `{"a":{"b":[{"c":{"d":1,"e":2}}]}}`, []string{"body.a.b[0].c.e added: + number 2 at 1"}},
	{"names that need quotes", jsonType, `{"a.b":1,"":2,"é\n":3}`, `{"a.b":2,"":3,"é\n":4}`,
		[]string{`body["a.b"] changed: number 1 → number 2`, `body[""] changed: number 2 → number 3`, `body["é\u000a"] changed: number 3 → number 4`}},
	{"big integers", jsonType, `{"a":9007199254740992,"b":123456789012345678901234567890}`, `{"a":9007199254740993,"b":123456789012345678901234567891}`,
		[]string{"body.a changed: number 9007199254740992 → number 9007199254740993", "body.b changed: number 123456789012345678901234567890 → number 123456789012345678901234567891"}},
	{"digits", jsonType, `{"a":1.0,"b":1e2,"c":-0,"d":1e23}`, `{"a":1.00,"b":100,"c":0,"d":99999999999999991611392}`,
		[]string{"body.a rewritten: number 1.0 → number 1.00", "body.b rewritten: number 1e2 → number 100", "body.c rewritten: number -0 → number 0", "body.d changed: number 1e23 → number 99999999999999991611392"}},
	{"a root that is a number", jsonType, `1.0`, `1.00`, []string{"body rewritten: number 1.0 → number 1.00"}},
	{"a root of another type", jsonType, `{"a":1}`, `[1]`, []string{`body retyped: object {"a":1} → array [1]`}},
	{"escapes in a changed string", jsonType, `{"a":"x","u":"http:\/\/a"}`, `{"a":"\u00e9","u":"http:\/\/b"}`, []string{"body.a changed: string x → string é", "body.u changed: string http://a → string http://b"}},
	{"escapes alone", jsonType, `{"a":"é"}`, `{"a":"\u00e9"}`, []string{"body rewritten"}},
	{"order of members", jsonType, `{"a":1,"b":2}`, `{"b":2,"a":1}`, []string{"body rewritten"}},
	{"order of members and a value", jsonType, `{"a":1,"b":2}`, `{"b":2,"a":3}`, []string{"body.a changed: number 1 → number 3", "body rewritten"}},
	{"white space", jsonType, `{"a":1}`, `{"a": 1}`, []string{"body rewritten"}},
	{"the last line break", jsonType, `{"a":1}`, "{\"a\":1}\n", []string{"body rewritten"}},
	{"a member stands twice", jsonType, `{"a":1,"a":2}`, `{"a":1,"a":3}`, []string{`body changed: text {"a":1,"a":2} → text {"a":1,"a":3}`}},
	{"no JSON any more", jsonType, `{"a":1}`, `{"a":1`, []string{`body retyped: object {"a":1} → text {"a":1`}},
	{"JSON at last", jsonType, `oh no`, `{"a": 1}`, []string{`body retyped: text oh no → object {"a":1}`}},
	{"a string appears", jsonType, ``, ` "\u0041" `, []string{`body added: + string A`}},
	{"a body appears", jsonType, ``, `{"a": 1}`, []string{`body added: + object {"a":1}`}},
	{"a body is gone", jsonType, `{"a":1}`, ``, []string{`body removed: - object {"a":1}`}},

	// In the layout of the old body.
	{"two spaces", jsonType, "{\n  \"a\": 1,\n  \"l\": [\n    1\n  ]\n}\n", "{\n  \"a\": 1,\n  \"l\": [\n    1,\n    {\n      \"x\": {}\n    }\n  ],\n  \"z\": [\n    true\n  ]\n}\n",
		[]string{`body.l[1] added: + object {"x":{}} at 1`, "body.z added: + array [true] at 2"}},
	{"tabs", jsonType, "{\n\t\"a\": {}\n}", "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}", []string{"body.a.b added: + number 1 at 0"}},
	{"CR LF", jsonType, "{\r\n  \"a\": []\r\n}", "{\r\n  \"a\": [\r\n    1,\r\n    2\r\n  ]\r\n}", []string{"body.a[0] added: + number 1 at 0", "body.a[1] added: + number 2 at 1"}},
	{"as Python writes", jsonType, `{"a": [], "b": 1}`, `{"a": [1, {"c": 2, "d": 3}], "b": 1}`, []string{"body.a[0] added: + number 1 at 0", `body.a[1] added: + object {"c":2,"d":3} at 1`}},
	{"as Jackson writes", jsonType, "{\n  \"a\" : [ 1, 2 ],\n  \"b\" : 1\n}", "{\n  \"a\" : [ 1, 2, 3 ],\n  \"b\" : 1,\n  \"c\" : 2\n}", []string{"body.a[2] added: + number 3 at 2", "body.c added: + number 2 at 2"}},
	{"the only member goes", jsonType, "{\n  \"a\": {\n    \"b\": 1\n  }\n}", "{\n  \"a\": {}\n}", []string{"body.a.b removed: - number 1"}},

	// Arrays.
	{"by id", jsonType, `[{"id":1,"x":1},{"id":2,"x":2},{"id":3,"x":3}]`, `[{"id":3,"x":3},{"id":1,"x":"1"},{"id":4,"x":2},{"id":2,"x":2,"y":null}]`,
		[]string{"body[0] moved was body[2] (id 3)", "body[1].x retyped was body[0].x (id 1): number 1 → string 1", `body[2] added (id 4): + object {"id":4,"x":2} at 2`, "body[3].y added (id 2): + null null at 2"}},
	{"by key", jsonType, `{"l":[{"key":"a","v":1},{"key":"b","v":2}]}`, `{"l":[{"key":"b","v":3}]}`,
		[]string{`body.l[0] removed (key "a"): - object {"key":"a","v":1}`, `body.l[0].v changed was body.l[1].v (key "b"): number 2 → number 3`}},
	{"by a name that ends so", jsonType, `[{"t":1,"orderId":"x"},{"t":2,"orderId":"y"}]`, `[{"t":3,"orderId":"y"},{"t":1,"orderId":"x"}]`,
		[]string{`body[0].t changed was body[1].t (orderId "y"): number 2 → number 3`, `body[1] moved was body[0] (orderId "x")`}},
	{"by two members", jsonType, `[{"type":"a","currency":"eur","v":1},{"type":"a","currency":"usd","v":2}]`, `[{"type":"a","currency":"usd","v":3}]`,
		[]string{`body[0] removed (type "a", currency "eur"): - object {"type":"a","currency":"eur","v":1}`, `body[0].v changed was body[1].v (type "a", currency "usd"): number 2 → number 3`}},
	{"ids that are all new", jsonType, `[{"id":"a1","v":1},{"id":"a2","v":2}]`, `[{"id":"b1","v":1},{"id":"b2","v":2}]`,
		[]string{"body[0].id changed: string a1 → string b1", "body[1].id changed: string a2 → string b2"}},
	{"ids that stand twice", jsonType, `[{"id":1,"v":1},{"id":1,"v":2}]`, `[{"id":1,"v":2}]`, []string{`body[0] removed: - object {"id":1,"v":1}`}},
	{"no id: the likest", jsonType, `[{"a":1,"b":2},{"a":3,"b":4}]`, `[{"a":0,"b":0},{"a":1,"b":5},{"a":3,"b":4}]`,
		[]string{`body[0] added: + object {"a":0,"b":0} at 0`, "body[1].b changed was body[0].b: number 2 → number 5"}},
	{"the only one has another name", jsonType, `[{"a":1}]`, `[{"b":1}]`, []string{"body[0].b added: + number 1 at 0", "body[0].a removed: - number 1"}},
	{"all have another name", jsonType, `[{"a":1},{"a":2}]`, `[{"b":1},{"b":2}]`, []string{
		"body[0].b added: + number 1 at 0", "body[0].a removed: - number 1", "body[1].b added: + number 2 at 0", "body[1].a removed: - number 2"}},
	{"one between others has another name", jsonType, `[{"c":1},{"a":1},{"c":2}]`, `[{"c":1},{"b":1},{"c":2}]`, []string{"body[1].b added: + number 1 at 0", "body[1].a removed: - number 1"}},
	{"another thing", jsonType, `[{"id":1,"a":1}]`, `[{"id":2,"b":1,"c":1}]`, []string{`body[0] removed: - object {"id":1,"a":1}`, `body[0] added: + object {"id":2,"b":1,"c":1} at 0`}},
	{"another kind of thing", jsonType, `[{"type":"card","a":1,"b":1}]`, `[{"type":"bank","c":1,"d":1}]`, []string{
		`body[0] removed: - object {"type":"card","a":1,"b":1}`, `body[0] added: + object {"type":"bank","c":1,"d":1} at 0`}},
	{"nothing alike, and more of them", jsonType, `[{"a":1}]`, `[{"b":1},{"b":2}]`, []string{
		`body[0] removed: - object {"a":1}`, `body[0] added: + object {"b":1} at 0`, `body[1] added: + object {"b":2} at 1`}},
	{"scalars", jsonType, `["a","b","c"]`, `["b","c","d","a"]`, []string{"body[2] added: + string d at 2", "body[3] moved was body[0]: string a → string a"}},
	{"two change places", jsonType, `["a","b","c","d"]`, `["c","b","a","d"]`, []string{"body[0] moved was body[2]: string c → string c", "body[2] moved was body[0]: string a → string a"}},
	{"a scalar", jsonType, `[1,2,3]`, `[1,5,3]`, []string{"body[1] changed: number 2 → number 5"}},
	{"a scalar of another type", jsonType, `[1]`, `["1"]`, []string{"body[0] retyped: number 1 → string 1"}},
	{"equal scalars", jsonType, `[1,1,1]`, `[1,1]`, []string{"body[2] removed: - number 1"}},
	{"moved and written differently", jsonType, `[1.0,2,3]`, `[2,3,1.00]`, []string{"body[2] moved was body[0]: number 1.0 → number 1.00", "body[2] rewritten was body[0]: number 1.0 → number 1.00"}},
	{"an array in an array", jsonType, `[[1,2],[3]]`, `[[1,2,4],[3]]`, []string{"body[0][2] added: + number 4 at 2"}},
	{"the innermost name", jsonType, `[{"id":1,"l":[{"name":"x","v":1},{"name":"y"}]}]`, `[{"id":1,"l":[{"name":"x","v":2},{"name":"y"}]}]`, []string{`body[0].l[0].v changed (name "x"): number 1 → number 2`}},

	// Forms.
	{"fields", formType, "a=1&b[c]=2&d=", "a=2&b[c]=2&b[e]=x+y%21", []string{"body.a changed: text 1 → text 2", "body.b.e added: + text x y! at 1", "body.d removed: - text "}},
	{"elements", formType, "i[0][p]=p1&i[0][q]=1&i[1][p]=p2", "i[0][p]=p0&i[0][q]=1&i[1][p]=p1&i[1][q]=1&i[2][p]=p2", []string{`body.i[0] added: + object {"p":"p0","q":"1"} at 0`}},
	{"elements without an index", formType, "e%5B%5D=a&e%5B%5D=b", "e%5B%5D=b&e%5B%5D=c", []string{"body.e[0] removed: - text a", "body.e[1] added: + text c at 1"}},
	{"a name several times", formType, "a=1&b=2", "a=1&a=3&b=2", []string{"body.a[1] added: + text 3 at 1"}},
	{"an index alone", formType, "a[7]=x", "a[7]=y&a[9]=z", []string{"body.a[7] changed: text x → text y", "body.a[9] added: + text z at 1"}},
	{"order of names", formType, "a=1&b=2", "b=2&a=1", []string{"body rewritten"}},
	{"escapes of a form", formType, "a=x%20y", "a=x+y", []string{"body rewritten"}},
	{"names that contradict each other", formType, "a=1&a[b]=2", "a=1&a[b]=3", []string{"body changed: text a=1&a[b]=2 → text a=1&a[b]=3"}},
	{"empty fields", formType, "a=1&&b=2", "a=1&b=2", []string{"body rewritten"}},
	{"a bad escape", formType, "a=%zz&b=1", "a=%zz&b=2", []string{"body.b changed: text 1 → text 2"}},

	// Streams.
	{"events", eventsType, "event: a\ndata: {\"id\":\"x\",\"c\":[{\"d\":\"Hel\"}]}\n\ndata: {\"c\":[{\"d\":\"lo\"}]}\n\ndata: [DONE]\n\n",
		"event: b\ndata: {\"id\":\"x\",\"c\":[{\"d\":\"Hel\"}]}\n\n: ping\n\ndata: {\"c\":[{\"d\":\"low\",\"n\":1}]}\n\ndata: [DONE]\n\n",
		[]string{"body.events[0].event changed: text a → text b", `body.events[1] added: + object {":":"ping"} at 1`,
			"body.events[2].data.c[0].d changed was body.events[1].data.c[0].d: string lo → string low", "body.events[2].data.c[0].n added: + number 1 at 1"}},
	{"events by id", eventsType, "id: 1\ndata: a\n\nid: 2\ndata: b\n\n", "id: 1\ndata: a\n\nid: 2\ndata: c\ndata: d\n\n", []string{`body.events[1].data changed (id "2"): text b → text c` + "\nd"}},
	{"an event is gone", eventsType, "data: 1\n\ndata: 2\n\ndata: 3\n\n", "data: 1\n\ndata: 3\n\n", []string{`body.events[1] removed: - object {"data":"2"}`}},
	{"data of another type", eventsType, "data: {}\n\n", "data: [DONE]\n\n", []string{"body.events[0].data retyped: object {} → text [DONE]"}},
	{"events with CR LF", eventsType, "data: {\"a\":1}\r\n\r\n", "data: {\"a\":2}\r\n\r\n", []string{"body.events[0].data.a changed: number 1 → number 2"}},
	{"a cut stream", eventsType, "data: 1\n\ndata: 2", "data: 1\n\ndata: 23", []string{"body.events[1] changed: text data: 2 → text data: 23"}},
	{"an empty line more", eventsType, "data: 1\n\n", "data: 1\n\n\n", []string{"body rewritten"}},
	{"lines", linesType, "{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"a\":3}\n[]\n", []string{"body[1].a changed: number 2 → number 3", "body[2] added: + array [] at 2"}},
	{"a line is no JSON", linesType, "{\"a\":1}\nx\n", "{\"a\":1}\ny\n", []string{"body changed: text {\"a\":1}\nx\n → text {\"a\":1}\ny\n"}},

	// Multipart.
	{"parts", partsType, part(`name="a"`, "1") + part(`name="f"; filename="x"`+jpeg, "\x89\x00") + end, part(`name="a"`, "2") + part(`name="f"; filename="y"`+jpeg, "\x89\x00\x01") + end,
		[]string{"body.a changed: text 1 → text 2", `body.f.Content-Disposition changed: text form-data; name="f"; filename="x" → text form-data; name="f"; filename="y"`, "body.f changed: binary of 2 → binary of 3"}},
	{"JSON in a part", partsType, part(`name="j"`+doc, `{"x":1,"y":2}`) + end, part(`name="j"`+doc, `{"x":2,"y":2}`) + end, []string{"body.j.x changed: number 1 → number 2"}},
	{"parts come", partsType, part(`name="a"`, "1") + end, part(`name="a"`, "1") + part(`name="a"`, "3") + part(`name="b"`, "2") + end, []string{"body.a[1] added: + text 3 at 1", "body.b added: + text 2 at 1"}},
	{"a part goes", partsType, part(`name="a"`, "1") + part(`name="b"`+jpeg, "2") + end, part(`name="a"`, "1") + end, []string{"body.b removed: - text 2"}},
	{"a part with headers of its own", partsType, part(`name="a"`, "1") + end, part(`name="a"`, "1") + part(`name="b"`+jpeg, "2") + end, []string{"body.b added: + text 2 at 1", "body rewritten"}},
	{"a type of a part", partsType, part(`name="a"`, "1") + end, part(`name="a"`+jpeg, "1") + end, []string{"body.a.Content-Type added: + text image/jpeg at 1"}},
	{"a part without a name", partsType, "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" + end, "--b\r\nContent-Type: text/plain\r\n\r\ny\r\n" + end, []string{"body[0] changed: text x → text y"}},
	{"no boundary", partsType, "x", "y", []string{"body changed: text x → text y"}},

	{"text", textType, "hello", "world", []string{"body changed: text hello → text world"}},
	{"a binary", "image/png", "\x89PNG\x00", "\x89PNG\x00\x00", []string{"body changed: binary of 5 → binary of 6"}},
	{"text becomes a binary", textType, "hello", "\xff", []string{"body changed: text hello → binary of 1"}},
	{"an untyped object", "", `{"a":1}`, `{"a":2}`, []string{"body.a changed: number 1 → number 2"}},
}

func TestBodies(t *testing.T) {
	for _, c := range bodies {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, ch := range proven(t, answer(c.contentType, c.old), answer(c.contentType, c.new)) {
				if ch.Kind == Rewrote && ch.Old == nil {
					if ch.Why != writtenDifferently || ch.New == nil {
						t.Errorf("%s does not carry the body", line(ch))
					}
					got = append(got, string(ch.Place)+" rewritten")
					continue
				}
				got = append(got, strings.TrimPrefix(line(ch), "response "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			proven(t, answer(c.contentType, c.new), answer(c.contentType, c.old))
		})
	}
}

// Requests are compared as answers are.
func TestRequestBody(t *testing.T) {
	a, b := answer("", ""), answer("", "")
	a.RequestHeader = map[string][]string{"Content-Type": {formType}}
	b.RequestHeader = a.RequestHeader
	a.RequestBody, b.RequestBody = []byte("a=1"), []byte("a=2")
	if got := lines(proven(t, a, b)); !slices.Equal(got, []string{"request body.a changed: text 1 → text 2"}) {
		t.Error(got)
	}
}
