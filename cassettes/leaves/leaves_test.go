package leaves

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show writes leaves one per line: place, kind, value.
func show(list []Leaf) []string {
	kinds := map[Kind]string{
		String: "string", Number: "number", Bool: "bool", Null: "null",
		EmptyObject: "object", EmptyArray: "array", Blob: "blob", Raw: "raw",
	}
	var out []string
	for _, l := range list {
		out = append(out, fmt.Sprintf("%s %s %q", l.Place, kinds[l.Kind], l.Value))
	}
	return out
}

func TestQuery(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want []string
		bad  bool
	}{
		{"", nil, false},
		{"&&", nil, false},
		{"a=1", []string{`query.a string "1"`}, false},
		{"a=1%26b=2", []string{`query.a string "1&b=2"`}, false},
		{"a=1&b=2", []string{`query.a string "1"`, `query.b string "2"`}, false},
		{"a=1;b=2", []string{`query.a string "1;b=2"`}, false},
		{"a=1&a=2", []string{`query.a string "1"`, `query.a string "2"`}, false},
		{"k", []string{`query.k string ""`}, false},
		{"k=", []string{`query.k string ""`}, false},
		{"=v", []string{`query[""] string "v"`}, false},
		{"a=b+c%20d%2Be", []string{`query.a string "b c d+e"`}, false},
		{"a%5bb%5D=1", []string{`query.a.b string "1"`}, false},
		{"a=%zz&b=1", []string{`query.a raw "%zz"`, `query.b string "1"`}, true},
		{"a%=x+y", []string{`query["a%"] raw "x+y"`}, true},
		{"a=%25zz", []string{`query.a string "%zz"`}, false},
		{"q=%ff", []string{`query.q string "\xff"`}, false},
	} {
		list, bad := Query(c.raw)
		if diff := cmp.Diff(c.want, show(list)); diff != "" || (bad != nil) != c.bad {
			t.Errorf("Query(%q): bad %v\n%s", c.raw, bad, diff)
		}
	}
}

func TestFormBrackets(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want string // places and values, in order
	}{
		{"a[b][c]=1", "body.a.b.c=1"},
		{"a[]=x&a[]=y", "body.a[0]=x body.a[1]=y"},
		{"a[0]=x&a[1]=y", "body.a[0]=x body.a[1]=y"},
		{"a=x&a=y", "body.a=x body.a=y"},
		{"a[][p]=1&a[][q]=2&a[][p]=3", "body.a[0].p=1 body.a[0].q=2 body.a[1].p=3"},
		{"a[2]=x&a[10]=y", "body.a[2]=x body.a[10]=y"},
		{"a[2]=x&a[]=y", "body.a[2]=x body.a[3]=y"},
		{"a[01]=x&a[-1]=y", "body.a.01=x body.a.-1=y"},
		{"a[9999999999]=x", "body.a.9999999999=x"},
		{"a[][tags][]=x&a[][tags][]=y&a[][p]=1&a[][p]=2&a[][tags][]=z",
			"body.a[0].tags[0]=x body.a[0].tags[1]=y body.a[0].p=1 body.a[1].p=2 body.a[1].tags[0]=z"},
		{"a[][]=1&a[][]=2", "body.a[0][0]=1 body.a[1][0]=2"},
		{"a[][b][c]=1&a[][b][d]=2&a[][b][c]=3", "body.a[0].b.c=1 body.a[0].b.d=2 body.a[1].b.c=3"},
		{"x[][p]=1&y[][p]=2", "body.x[0].p=1 body.y[0].p=2"},
		{"line_items[0][price]=p&line_items[0][quantity]=2", "body.line_items[0].price=p body.line_items[0].quantity=2"},
		{"components[pricing_table][enabled]=true", "body.components.pricing_table.enabled=true"},
		{"metadata[order id]=", `body.metadata["order id"]=`},
		{"metadata[a.b]=1", `body.metadata["a.b"]=1`},
		// Malformed brackets are a literal name.
		{"a[b=1", `body["a[b"]=1`},
		{"a]b=1", `body["a]b"]=1`},
		{"a[b]c=1", `body["a[b]c"]=1`},
		{"[a]=1", `body["[a]"]=1`},
		{"a[b]]=1", `body["a[b]]"]=1`},
		{"a[[b]]=1", `body["a[[b]]"]=1`},
		{"a" + strings.Repeat("[b]", maxBrackets+1) + "=1", `body["a` + strings.Repeat("[b]", maxBrackets+1) + `"]=1`},
	} {
		format, list, err := Body("application/x-www-form-urlencoded; charset=utf-8", []byte(c.raw))
		if err != nil || format != Form {
			t.Errorf("%s: %v, %v", c.raw, format, err)
		}
		var got []string
		for _, l := range list {
			got = append(got, string(l.Place)+"="+l.Value)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.raw, s, c.want)
		}
	}
	if _, _, err := Body("application/x-www-form-urlencoded", []byte("secret=%4")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("bad escape: %v", err)
	}
}

func TestNames(t *testing.T) {
	for body, want := range map[string]string{
		"a[client_secret]=1": "client_secret",
		"expand[]=1":         "expand",
		"expand[3]=1":        "expand",
		"a[][p][0]=1":        "p",
		"pass%20word=1":      "pass word",
	} {
		list, _ := Query(body)
		if list[0].Name != want {
			t.Errorf("%s: name %q, want %q", body, list[0].Name, want)
		}
	}
	_, list, err := Body("application/json", []byte(`{"a":{"client_secret":1},"expand":["x",["y"]],"e":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		got = append(got, l.Name)
	}
	if diff := cmp.Diff([]string{"client_secret", "expand", "expand", "e"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		body string
		want []string
	}{
		{`{"a.b":1,"a":{"b":"1"}}`, []string{`body["a.b"] number "1"`, `body.a.b string "1"`}},
		{`{"0":1}`, []string{`body.0 number "1"`}},
		{`[1]`, []string{`body[0] number "1"`}},
		{`{"":1,"*":2,"a\"b\\\n":3}`, []string{`body[""] number "1"`, `body["*"] number "2"`, `body["a\"b\\\u000a"] number "3"`}},
		{` "x" `, []string{`body string "x"`}},
		{`null`, []string{`body null ""`}},
		{`{}`, []string{`body object ""`}},
		{`{"a":[],"b":{ },"c":[null,false,[1e2]]}`, []string{
			`body.a array ""`, `body.b object ""`, `body.c[0] null ""`, `body.c[1] bool "false"`, `body.c[2][0] number "1e2"`}},
		{`{"a":"\u00e9\ud83d\ude00\/\n"}`, []string{`body.a string "é😀/\n"`}},
		{`{"é\u200b":1}`, []string{`body["é\u200b"] number "1"`}},
		{`9007199254740993`, []string{`body number "9007199254740993"`}},
	} {
		format, list, err := Body("application/json", []byte(c.body))
		if err != nil || format != JSON {
			t.Errorf("%s: %v, %v", c.body, format, err)
		}
		if diff := cmp.Diff(c.want, show(list)); diff != "" {
			t.Errorf("%s\n%s", c.body, diff)
		}
	}
}

func TestUnreadableBodies(t *testing.T) {
	const secret = "hunter2"
	for _, c := range []struct{ contentType, body, want string }{
		{"application/json", `{"hunter2":1,"hunter2":2}`, "two members of the same name at byte 13"},
		{"application/json", `{"hunter2":"\ud800"}`, "a lone surrogate at byte"},
		{"application/json", "{\"hunter2\":\"\xff\"}", "not UTF-8 at byte"},
		{"application/json", `{"hunter2":01}`, "syntax error at byte"},
		{"application/json", `{"hunter2":`, "ends too early"},
		{"application/json", `  `, "ends too early"},
		{"application/json", `{"a":1} hunter2`, "follows the end of the value"},
		{"application/json", `hunter2`, "syntax error"},
		{"application/json", "\ufeff{}", "syntax error"},
		{"application/json", strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested deeper than 200"},
		{"application/json", strings.Repeat(`{"`+strings.Repeat("k", 200)+`":`, 150) + "1" + strings.Repeat("}", 150), "member names longer than"},
		{"application/x-ndjson", "{}\n{\"hunter2\":\n", "line 2: invalid JSON: it ends too early"},
		{"application/x-www-form-urlencoded", "hunter2=%", "a percent escape is not valid"},
		{"multipart/form-data; boundary=b", "hunter2", "the boundary of the Content-Type does not stand in the body"},
		{"multipart/form-data; boundary=b", "--b\r\n\r\nhunter2", "part 1 does not end"},
		{"multipart/form-data; boundary=b", "--b\r\nhunter2\r\n--b--", "part 1 has no empty line"},
		{"multipart/form-data; boundary=b", "--b\r\nhunter2\r\n\r\n\r\n--b--", "part 1 has headers that cannot be read"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; =hunter2\r\n\r\n\r\n--b--", "part 1 has a Content-Disposition that"},
	} {
		_, list, err := Body(c.contentType, []byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) || list != nil {
			t.Errorf("%.60q: got %v, want %q", c.body, err, c.want)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for _, c := range []struct {
		contentType, body string
		want              Format
	}{
		{"application/json", "", Empty},
		{"", `{"a":1}`, JSON},
		{"", ` [1]`, JSON},
		{"", `{"a":1`, Text},
		{"", `{"a":1,"a":1}`, Text},
		{"", `1`, Text},
		{"", `a=1`, Text},
		{"", "\xff", Bytes},
		{"text/plain", `{"a":1}`, Text},
		{"image/png", "\x89PNG", Bytes},
		{"Application/JSON; charset=utf-8", `1`, JSON},
		{"application/json;;", `1`, JSON},
		{"application/vnd.api+json", `1`, JSON},
		{"application/x-ndjson", "1\n", NDJSON},
		{"application/x-www-form-urlencoded", "a", Form},
		{"multipart/form-data; boundary=x", "a", Multipart},
		{"multipart/form-data", "a", Text},
	} {
		if got := FormatOf(c.contentType, []byte(c.body)); got != c.want {
			t.Errorf("FormatOf(%q, %q) = %s, want %s", c.contentType, c.body, got, c.want)
		}
	}
}

func TestNDJSON(t *testing.T) {
	_, list, err := Body("application/x-ndjson", []byte("{\"a\":1}\r\n\n[true]\n\"x\""))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`body[0].a number "1"`, `body[1][0] bool "true"`, `body[2] string "x"`}
	if diff := cmp.Diff(want, show(list)); diff != "" {
		t.Error(diff)
	}
}

func TestMultipart(t *testing.T) {
	body := strings.ReplaceAll(`preamble
--b
Content-Disposition: form-data; name="purpose"

batch
--b
Content-Disposition: form-data; name="meta"
Content-Type: application/json

{"a":{"secret":"s"}}
--b
Content-Disposition: form-data; name="tag"

one
--b
Content-Disposition: form-data; name="tag"
Content-Type: application/x-www-form-urlencoded

x[]=1&x[]=2
--b
Content-Disposition: form-data; name="file"; filename="a b.pdf"
Content-Type: application/pdf

%PDF
--bogus
line
--b 
Content-Disposition: form-data; name="empty"


--b
Content-Type: application/json

{broken
--b--
epilogue`, "\n", "\r\n")
	_, list, err := Body(`multipart/form-data; boundary="b"`, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`body.purpose string "batch"`,
		`body.meta.a.secret string "s"`,
		`body.tag[0] string "one"`,
		`body.tag[1].x[0] string "1"`,
		`body.tag[1].x[1] string "2"`,
		`body.file blob "%PDF\r\n--bogus\r\nline"`,
		`body.empty string ""`,
		`body[6] blob "{broken"`,
	}
	if diff := cmp.Diff(want, show(list)); diff != "" {
		t.Fatal(diff)
	}
	file := list[5].Part
	if file.Index != 4 || file.FileName != "a b.pdf" || !file.HasFileName || file.ContentType != "application/pdf" || file.Format != Text {
		t.Errorf("part %+v", file)
	}
	if fault := list[7].Part.Fault; fault == nil || strings.Contains(fault.Error(), "broken") {
		t.Errorf("fault %v", fault)
	}
	if list[1].Name != "secret" || list[0].Name != "purpose" {
		t.Errorf("names %q, %q", list[1].Name, list[0].Name)
	}
	for _, l := range list {
		if l.Kind == String && l.Part.Format != JSON && body[l.Start:l.End] != l.Value {
			t.Errorf("%s stands at %q", l.Place, body[l.Start:l.End])
		}
	}
}

// TestMultipartBareLineFeeds: some clients end lines with \n alone.
func TestMultipartBareLineFeeds(t *testing.T) {
	_, list, err := Body("multipart/form-data; boundary=b", []byte("--b\nContent-Disposition: form-data; name=a\n\nx\ny\n--b--\n"))
	if diff := cmp.Diff([]string{`body.a string "x\ny"`}, show(list)); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestQuote(t *testing.T) {
	for _, c := range []struct{ contentType, body, value, want string }{
		{"application/json", `{"a": "x"}`, `q"\` + "\n", `{"a": "q\"\\\n"}`},
		{"application/json", `{"a":"x"}`, "\xff", `{"a":"` + "\ufffd" + `"}`},
		{"application/json", `[ 12 ]`, "REDACTED-0001", `[ "REDACTED-0001" ]`},
		{"application/json", `[ 12 ]`, "13", `[ 13 ]`},
		{"application/json", `[ 12 ]`, " 13", `[ " 13" ]`},
		{"application/json", `[true]`, "false", `[false]`},
		{"application/json", `[true]`, "x", `["x"]`},
		{"application/json", `[null]`, "", `[null]`},
		{"application/json", `[{ }]`, "", `[{}]`},
		{"application/json", `[[ ]]`, "x", `["x"]`},
		{"application/x-www-form-urlencoded", "a=x&b=2", "1&c=3 %", "a=1%26c%3D3+%25&b=2"},
		{"application/x-www-form-urlencoded", "a&b=2", "v", "a=v&b=2"},
		{"multipart/x; boundary=b", "--b\r\n\r\nold\r\n--b--", "new", "--b\r\n\r\nnew\r\n--b--"},
	} {
		_, list, err := Body(c.contentType, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		l := list[0]
		if got := c.body[:l.Start] + string(l.Quote(c.value)) + c.body[l.End:]; got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.body, c.value, got, c.want)
		}
	}
}

var fuzzTypes = []string{
	"application/json", "application/x-www-form-urlencoded", "application/x-ndjson",
	"multipart/form-data; boundary=b", "",
}

// FuzzBody: writing every leaf back by its own Quote gives a body with equal leaves.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,"x",{},[],null,true,{"b.c":"\u00e9"}]}`, "a[][p]=1&a[][q]=2&a[][p]=3&k&k=&=v", "{}\n[1]\n",
		"--b\r\nContent-Disposition: form-data; name=\"m\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--b--\r\n",
		"--b\n\nx\n--b\nContent-Disposition: form-data; name=a; filename=\"\"\n\ny\n--b--",
	} {
		for i := range fuzzTypes {
			f.Add(byte(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		contentType := fuzzTypes[int(which)%len(fuzzTypes)]
		before := bytes.Clone(body)
		format, list, err := Body(contentType, body)
		if !bytes.Equal(before, body) {
			t.Fatal("the input was changed")
		}
		if format != FormatOf(contentType, body) {
			t.Fatal("Body and FormatOf disagree")
		}
		if err != nil {
			return
		}
		roundTrip(t, list, body, func(b []byte) ([]Leaf, error) {
			_, list, err := Body(contentType, b)
			return list, err
		})
	})
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"a=1&b[]=2&b[]=3", "a=%zz&%%=1&k", "a[][p]=1&a[][p]=2", "x=%ff+%2b&y=#&z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		list, _ := Query(raw)
		roundTrip(t, list, []byte(raw), func(b []byte) ([]Leaf, error) {
			list, _ := Query(string(b))
			return list, nil
		})
	})
}

func roundTrip(t *testing.T, list []Leaf, input []byte, read func([]byte) ([]Leaf, error)) {
	t.Helper()
	var out []byte
	at := 0
	for _, l := range list {
		if l.Start < at || l.End < l.Start || l.End > len(input) {
			t.Fatalf("leaf %s stands at %d:%d after %d", l.Place, l.Start, l.End, at)
		}
		out = append(append(out, input[at:l.Start]...), l.Quote(l.Value)...)
		at = l.End
	}
	out = append(out, input[at:]...)
	again, err := read(out)
	if err != nil {
		t.Fatalf("%q became %q: %v", input, out, err)
	}
	if diff := cmp.Diff(show(list), show(again)); diff != "" {
		t.Fatalf("%q became %q:\n%s", input, out, diff)
	}
}

func BenchmarkJSON(b *testing.B) {
	body := []byte(`{"items":[` + strings.Repeat(`{"id":"item_1","amount":1200,"tags":["a","b"],"meta":{"k":null}},`, 30) + `{}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Body("application/json", body); err != nil {
			b.Fatal(err)
		}
	}
}

// A long name over many small elements must not cost its length for each.
func TestPlacesAreBounded(t *testing.T) {
	body := `{"` + strings.Repeat("n", 15<<10) + `":[` + strings.Repeat("1,", 100_000) + `1]}`
	if _, _, err := Body("application/json", []byte(body)); err == nil {
		t.Error("places of 1.5 GB were built")
	}
	plain := `{"data":[` + strings.Repeat(`{"id":"x"},`, 100_000) + `1]}`
	if _, list, err := Body("application/json", []byte(plain)); err != nil || len(list) != 100_001 {
		t.Errorf("an ordinary long list: %d leaves, %v", len(list), err)
	}
}
