package diff

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapedeck/cassettes/clean"
)

// A program makes random recordings, and random edits of them.
type program struct{ *rand.Rand }

func (p program) pick(list ...string) string { return list[p.IntN(len(list))] }

func (p program) word() string {
	return p.pick("a", "name", "status", "price", "x y", `q"uote`, "ünï", "created", "id", "items", "🦊", "a.b", "0", "")
}

func (p program) json(depth int) any {
	switch n := p.IntN(11); {
	case n < 2 && depth > 0:
		m := map[string]any{}
		for range p.IntN(5) {
			m[p.word()] = p.json(depth - 1)
		}
		return m
	case n < 4 && depth > 0:
		list := []any{}
		for range p.IntN(5) {
			list = append(list, p.json(depth-1))
		}
		return list
	case n == 4:
		return nil
	case n == 5:
		return p.IntN(2) == 0
	case n == 6:
		return json.Number(p.pick("0", "1", "-7", "1e2", "100", "1.50", "9007199254740993", "123456789012345678901234567890", "1760000000"))
	case n == 7:
		return fmt.Sprintf("cus_%08x%08x", p.Uint32(), p.Uint32())
	case n == 8 && depth > 0: // things with ids
		list := []any{}
		for i := range p.IntN(5) {
			list = append(list, map[string]any{"id": fmt.Sprintf("it_%d", (i*7+p.IntN(3))%9), "n": p.json(0)})
		}
		return list
	}
	return p.word()
}

func (p program) body() (contentType string, body []byte) {
	switch p.IntN(10) {
	case 0:
		return "application/x-www-form-urlencoded", []byte(p.pick("a=1&b[c]=2&b[d]=3", "a=1&a=2", "b%5Bc%5D=2&a=1", "x[]=1&x[]=2&y=", "a=%zz", "a", ""))
	case 1:
		return "text/plain; charset=utf-8", []byte(p.pick("one two three four five six seven", "one two 3 four five six seven eight", "a\nb\nc\n", "a\r\nb\r\n", "☂"))
	case 2:
		return "text/event-stream", []byte(p.pick("data: {\"a\":1}\n\ndata: [DONE]\n\n", "event: x\nid: 7\ndata: {\"a\":2}\n\n", "data: one\ndata: two\n\n: note\n\n", "data: {\"a\":1}\r\n\r\n"))
	case 3:
		return "application/octet-stream", []byte(p.pick("\x00\x01\xff", "\xfe\xfe", strings.Repeat("\xff", 40)))
	case 4:
		return "application/x-ndjson", []byte(p.pick("{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n", "{\"a\":3}\n{\"b\":[]}"))
	case 5:
		return "multipart/form-data; boundary=tapedeck-boundary", []byte("--tapedeck-boundary\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + p.word() + "\r\n--tapedeck-boundary--\r\n")
	case 6:
		return p.pick("", "application/json", "application/xml"), []byte(p.pick("", "{", "<a b=\"c\"/>", "[1,2,]", `{"a":1,"a":2}`, `"\ud800"`, "null", "{}", "[]"))
	}
	v := p.json(3)
	var out []byte
	if p.IntN(2) == 0 {
		out, _ = json.Marshal(v)
	} else {
		out, _ = json.MarshalIndent(v, "", p.pick("  ", "\t"))
	}
	return p.pick("application/json", "application/json; charset=utf-8", "application/vnd.api+json"), append(out, p.pick("", "\n")...)
}

func (p program) header(h http.Header) {
	for range p.IntN(3) {
		h.Set(p.pick("X-A", "X-B", "Location", "Etag", "Link", "Server"), p.pick("1", "2", "", "\xe9t\xe9", `W/"abc"`, "https://x/y/1"))
	}
	if p.IntN(6) == 0 {
		h["X-Many"] = []string{p.word(), p.word()}
	}
}

func (p program) interaction(id int) clean.Stored {
	s := clean.Stored{
		Meta:   clean.Meta{ID: id, Recorded: p.pick("2026-11-20", "2026-11-21"), Pinned: p.IntN(8) == 0, Retry: p.IntN(8) == 0, Cut: p.pick("", "", "", "client")},
		Method: p.pick("GET", "POST", "DELETE"), Proto: p.pick("HTTP/1.1", "HTTP/2.0"), RequestHeader: http.Header{},
		URL:    "https://" + p.pick("api.acme.dev", "b.dev:8443") + "/" + p.pick("", "v1/x", "v1/x/1234", "a%2Fb//c") + p.pick("", "?", "?a=1&b[]=2", "?q=%C3%BC&a=1", "#f"),
		Status: []int{200, 201, 204, 404, 500}[p.IntN(5)], StatusText: p.pick("OK", "", "Odd"), ResponseProto: p.pick("HTTP/1.1", "HTTP/2.0"),
		ResponseHeader: http.Header{}, Chunked: p.IntN(4) == 0,
	}
	s.RequestHeader, s.ResponseHeader = http.Header{}, http.Header{}
	if s.Method == "POST" {
		var t string
		if t, s.RequestBody = p.body(); t != "" {
			s.RequestHeader.Set("Content-Type", t)
		}
	}
	var t string
	if t, s.ResponseBody = p.body(); t != "" {
		s.ResponseHeader.Set("Content-Type", t)
	}
	p.header(s.RequestHeader)
	p.header(s.ResponseHeader)
	if p.IntN(10) == 0 {
		s.ResponseTrailer = http.Header{"Grpc-Status": {p.pick("0", "5")}}
	}
	if p.IntN(10) == 0 {
		s.Informational = []clean.Informational{{Status: 103, Header: http.Header{"Link": {p.word()}}}}
	}
	return s
}

func (p program) recording(most int) (list []clean.Stored) {
	id := 0
	for range p.IntN(most + 1) {
		id += 1 + p.IntN(2)
		list = append(list, p.interaction(id))
	}
	if p.IntN(4) == 0 {
		p.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// edit makes another recording of one.
func (p program) edit(list []clean.Stored) []clean.Stored {
	list = slices.Clone(list)
	next := 100
	for range 1 + p.IntN(5) {
		if len(list) == 0 || p.IntN(5) == 0 {
			list = slices.Insert(list, p.IntN(len(list)+1), p.interaction(next))
			next++
			continue
		}
		i := p.IntN(len(list))
		other := p.interaction(list[i].ID)
		switch p.IntN(9) {
		case 0:
			list = slices.Delete(list, i, i+1)
		case 1:
			j := p.IntN(len(list))
			list[i], list[j] = list[j], list[i]
		case 2:
			list[i].ResponseBody, list[i].ResponseHeader = other.ResponseBody, other.ResponseHeader
		case 3:
			list[i].Status, list[i].StatusText = other.Status, other.StatusText
		case 4:
			list[i].RequestBody, list[i].RequestHeader, list[i].Method = other.RequestBody, other.RequestHeader, other.Method
		case 5:
			list[i].URL, list[i].Recorded = other.URL, other.Recorded
		case 6: // ids rotate
			j := p.IntN(len(list))
			list[i].ID, list[j].ID = list[j].ID, list[i].ID
		case 7:
			list[i].ID = next
			next++
		case 8:
			list[i] = other
		}
	}
	return list
}

var likeStored = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b *clean.Large) bool { return a == b || a != nil && b != nil && a.Name() == b.Name() }),
	cmp.AllowUnexported(clean.Stored{}),
}

// applies checks that a diff that was JSON makes the new recording of the old one, and that
// there is a diff exactly when there is a difference.
func applies(t testing.TB, old, fresh []clean.Stored) Diff {
	t.Helper()
	a, b := loaded(t, old...), loaded(t, fresh...)
	d, err := Compare([]Pair{{&Cassette{Name: "x.yaml", List: a}, &Cassette{Name: "x.yaml", List: b}}}, Options{Matcher: matcher(t)})
	if err != nil {
		t.Fatal(err)
	}
	var want []clean.Stored
	for _, in := range b {
		s, err := in.Stored()
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, s)
	}
	var was []clean.Stored
	for _, in := range a {
		s, _ := in.Stored()
		was = append(was, s)
	}
	if equal := cmp.Equal(was, want, likeStored); equal != (len(d.Files) == 0) {
		t.Fatalf("the recordings are equal: %v, and %d files differ", equal, len(d.Files))
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back Diff
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Files) == 0 {
		return d
	}
	got, err := back.Files[0].Apply(a)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want, got, likeStored); diff != "" {
		t.Fatalf("applied (-want +got):\n%s\n%s", diff, text)
	}
	return d
}

func TestApplyGivesTheNewRecording(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 50
	}
	for seed := range uint64(rounds) {
		p := program{rand.New(rand.NewPCG(seed, 7))}
		old := p.recording(6)
		applies(t, old, p.edit(old))
		applies(t, old, p.recording(6)) // that have nothing to do with each other
	}
}

func TestApplyRefusesAnotherRecording(t *testing.T) {
	p := program{rand.New(rand.NewPCG(1, 1))}
	old := []clean.Stored{p.interaction(1), p.interaction(2)}
	fresh := []clean.Stored{p.interaction(1), p.interaction(2)}
	fresh[1].ResponseHeader.Set("Content-Type", "application/json")
	fresh[1].ResponseBody = []byte(`{"secretvalue":1}`)
	d := applies(t, old, fresh)
	for name, list := range map[string][]clean.Stored{"none": nil, "one": old[:1], "two of another": {p.interaction(7), p.interaction(8)}} {
		if _, err := d.Files[0].Apply(loaded(t, list...)); err == nil {
			t.Errorf("%s: applied", name)
		} else if !strings.Contains(err.Error(), "apply the diff to the recording") || strings.Contains(err.Error(), "secretvalue") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzApply(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, edited bool) {
		p := program{rand.New(rand.NewPCG(seed, 3))}
		old := p.recording(5)
		if edited {
			applies(t, old, p.edit(old))
		} else {
			applies(t, old, p.recording(5))
		}
	})
}
