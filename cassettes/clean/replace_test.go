package clean

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

func replaceCleaner(t testing.TB) *Cleaner {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
}

// idNew and idOld are names of one thing; cursors are no words.
const (
	idNew, idOld         = "cus_9s6XKzkNRiz8i3", "cus_Qm81LvTzy70WcX9"
	cursorNew, cursorOld = "YWZ0ZXI6Y3VzXzlzNg==", "YWZ0ZXI6Y3VzX1FtOA=="
)

func TestReplaceInText(t *testing.T) {
	values := NewValues(map[string]string{
		idNew: idOld, cursorNew: cursorOld, "4242": "17", "a1b2c3d4e5": "b1b2c3d4e5", "b1b2c3d4e5": "a1b2c3d4e5",
		"-NxQw7z_Kp2": "-NyQw7z_Kp3",
	})
	for _, c := range []struct{ what, text, want string }{
		{"alone", idNew, idOld},
		{"a longer id", idNew + "x", idNew + "x"},
		{"another before it", "x" + idNew, "x" + idNew},
		{"in a URL", "https://api.acme.dev/v1/customers/" + idNew + "/sources?x=" + idNew + "#" + idNew, "https://api.acme.dev/v1/customers/" + idOld + "/sources?x=" + idOld + "#" + idOld},
		{"as the beginning of a secret", idNew + "_secret_REDACTED000000000001", idOld + "_secret_REDACTED000000000001"},
		{"behind a prefix", "order-" + idNew + ".", "order-" + idOld + "."},
		{"behind an escape of a URL", "q%3D" + idNew + "%2F", "q%3D" + idOld + "%2F"},
		{"behind an escape of JSON", `"a\n` + idNew + `\u003c"`, `"a\n` + idOld + `\u003c"`},
		{"a cursor alone", cursorNew, cursorOld},
		{"a cursor in a query", "/x?cursor=" + strings.ReplaceAll(cursorNew, "=", "%3D") + "&n=1", "/x?cursor=" + strings.ReplaceAll(cursorOld, "=", "%3D") + "&n=1"},
		{"a cursor in a query as it is", "</x?cursor=" + cursorNew + `>; rel="next"`, "</x?cursor=" + cursorOld + `>; rel="next"`},
		{"a part of a cursor", "x" + cursorNew, "x" + cursorNew},
		{"two change places", "a1b2c3d4e5 b1b2c3d4e5", "b1b2c3d4e5 a1b2c3d4e5"},
		{"digits alone", "/orders/4242", "/orders/17"},
		{"digits as a part", "4242.50 x-4242", "4242.50 x-4242"},
		{"an id that begins with a joint", "/x/-NxQw7z_Kp2", "/x/-NyQw7z_Kp3"},
		{"nothing", "nothing at all", "nothing at all"},
	} {
		if got := values.Text(c.text); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.what, c.text, got, c.want)
		}
		if back := values.Reverse().Text(c.want); back != c.text {
			t.Errorf("%s: back: %s\nwant %s", c.what, back, c.text)
		}
	}
	if NewValues(map[string]string{"a": "c", "b": "c"}).Reverse() != nil {
		t.Error("two values that become one cannot be told apart again")
	}
	long := strings.Repeat("a", 2000)
	if got := NewValues(map[string]string{long: "b"}).Text("x " + long + " y"); got != "x b y" {
		t.Errorf("a long value: %d bytes", len(got))
	}
}

func TestReplaceInBodies(t *testing.T) {
	values := NewValues(map[string]string{idNew: idOld, cursorNew: cursorOld, "a/b c+d==": "e/f g+h=="})
	at := map[leaves.Place]string{
		"body.created": "1795000000", "body.updated_at": "2026-11-21T08:00:00Z", "body.items[1].at": "2", "body.events[1].data.created": "1795000000", "body.absent": "x", "body.no": "x",
	}
	for _, c := range []struct{ what, contentType, body, want string }{
		{"JSON keeps its layout", "application/json", "{\n\t\"id\" : \"" + idNew + "\" ,\"created\":1795255200,  \"big\":12345678901234567890123, \"no\":7}\r\n",
			"{\n\t\"id\" : \"" + idOld + "\" ,\"created\":1795000000,  \"big\":12345678901234567890123, \"no\":7}\r\n"},
		{"a number stays a number", "application/json", `{"created":1795255200.0,"updated_at":"2026-11-22T09:00:00Z","items":[{"at":1},{"at":1}]}`, `{"created":1795000000,"updated_at":"2026-11-21T08:00:00Z","items":[{"at":1},{"at":2}]}`},
		{"names of members", "application/json", `{"` + idNew + `":{"x":1}}`, `{"` + idOld + `":{"x":1}}`},
		{"JSON in JSON", "application/json", `{"x":"{\"id\":\"` + idNew + `\"}"}`, `{"x":"{\"id\":\"` + idOld + `\"}"}`},
		{"odd values as PHP writes them", "application/json", `{"c":"a\/b c+d=="}`, `{"c":"e\/f g+h=="}`},
		{"as Gson writes them", "application/json", `{"c":"a/b c+d\u003d\u003d"}`, `{"c":"e/f g+h\u003d\u003d"}`},
		{"as nobody writes them", "application/json", `{"c":"a\/b\u0020c+d=="}`, `{"c":"a\/b\u0020c+d=="}`},
		{"a form", "application/x-www-form-urlencoded", "customer=" + idNew + "&c=a%2Fb+c%2Bd%3D%3D&d=a/b%20c%2Bd==", "customer=" + idOld + "&c=e%2Ff+g%2Bh%3D%3D&d=a/b%20c%2Bd=="},
		{"a form by encodeURIComponent", "application/x-www-form-urlencoded", "c=a%2Fb%20c%2Bd%3D%3D", "c=e%2Ff%20g%2Bh%3D%3D"},
		{"lines of JSON", "application/x-ndjson", "{\"id\":\"" + idNew + "\"}\n{\"c\":\"" + cursorNew + "\"}\n", "{\"id\":\"" + idOld + "\"}\n{\"c\":\"" + cursorOld + "\"}\n"},
		{"multipart", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n" + idNew + "\r\n--b--\r\n", "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n" + idOld + "\r\n--b--\r\n"},
		{"events", "text/event-stream", "event: a\ndata: {\"id\":\"" + idNew + "\"}\n\ndata: {\"created\":1795255200,\"id\":\"" + idNew + "\"}\r\n\r\ndata: [DONE]\n\n",
			"event: a\ndata: {\"id\":\"" + idOld + "\"}\n\ndata: {\"created\":1795000000,\"id\":\"" + idOld + "\"}\r\n\r\ndata: [DONE]\n\n"},
		{"HTML", "text/html", "<a href='/c/" + idNew + "'>" + idNew + "</a>", "<a href='/c/" + idOld + "'>" + idOld + "</a>"},
		{"a binary", "application/grpc", "\x00\x00\x00\x00\x14\n\x12" + idNew, "\x00\x00\x00\x00\x14\n\x12" + idNew},
	} {
		got := Replacement{Values: values, Response: at}.body(at, c.contentType, []byte(c.body))
		if string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
	if got := (Replacement{}).body(map[leaves.Place]string{"body": "new"}, "text/plain", []byte("old")); string(got) != "new" {
		t.Errorf("a text as a whole: %s", got)
	}
}

func replaceStored() Stored {
	body := `{"id":"` + idNew + `","created":1795255200}`
	return Stored{
		Meta: Meta{ID: 3, Recorded: "2026-11-22"}, Method: "POST", URL: "https://api.acme.dev/customers/" + idNew + "/42?cursor=YWZ0ZXI6Y3VzXzlzNg%3D%3D&at=1795255200",
		Proto: "HTTP/1.1", RequestHeader: http.Header{"Content-Type": {"application/json"}, "X-Of": {idNew, "other"}}, RequestBody: []byte(body),
		Status: 200, ResponseProto: "HTTP/1.1",
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "Location": {"/customers/" + idNew}, "Content-Length": {"99"},
			"Etag": {`"one"`}, "Content-Md5": {sumOf("md5", []byte(body))}, "Link": {"<" + idNew + ">", "<x>"}},
		ResponseTrailer: http.Header{"X-End": {idNew}},
		ResponseBody:    []byte(body),
		Informational:   []Informational{{103, http.Header{"Link": {"</" + idNew + ">"}}}},
	}
}

func TestReplaceInteraction(t *testing.T) {
	c := replaceCleaner(t)
	in, err := c.Load(replaceStored())
	if err != nil {
		t.Fatal(err)
	}
	values := NewValues(map[string]string{idNew: idOld, cursorNew: cursorOld})
	out, err := in.Replace(Replacement{
		Values:   values,
		Request:  map[leaves.Place]string{"path[3]": "41", "query.at": "1795000000", "header.x-of[1]": "same"},
		Response: map[leaves.Place]string{"header.etag": `"two"`, "body.created": "1795000000", "header.link[1]": "<y>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := out.Stored()
	if err != nil {
		t.Fatal(err)
	}
	body := `{"id":"` + idOld + `","created":1795000000}`
	for _, one := range []struct{ what, got, want string }{
		{"URL", s.URL, "https://api.acme.dev/customers/" + idOld + "/41?cursor=YWZ0ZXI6Y3VzX1FtOA%3D%3D&at=1795000000"},
		{"parsed URL", out.Request().URL().Path, "/customers/" + idOld + "/41"},
		{"request header", strings.Join(s.RequestHeader["X-Of"], " "), idOld + " same"},
		{"request body", string(s.RequestBody), `{"id":"` + idOld + `","created":1795255200}`},
		{"location", s.ResponseHeader.Get("Location"), "/customers/" + idOld},
		{"etag", s.ResponseHeader.Get("Etag"), `"two"`},
		{"links", strings.Join(s.ResponseHeader["Link"], " "), "<" + idOld + "> <y>"},
		{"body", string(s.ResponseBody), body},
		{"digest", s.ResponseHeader.Get("Content-Md5"), sumOf("md5", []byte(body))},
		{"length", s.ResponseHeader.Get("Content-Length"), "49"},
		{"trailer", s.ResponseTrailer.Get("X-End"), idOld},
		{"early hints", s.Informational[0].Header.Get("Link"), "</" + idOld + ">"},
		{"day", s.Recorded, "2026-11-22"},
	} {
		if one.got != one.want {
			t.Errorf("%s:\n got %s\nwant %s", one.what, one.got, one.want)
		}
	}
	if before, err := in.Stored(); err != nil || before.URL != replaceStored().URL || !bytes.Equal(before.ResponseBody, replaceStored().ResponseBody) {
		t.Error("the interaction itself must not change")
	}
	var asked, answered []string
	in.Request().Find(values, func(v string) { asked = append(asked, v) })
	resp, _ := in.Response()
	if err := resp.Find(values, func(v string) { answered = append(answered, v) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{idNew, cursorNew, idNew, idNew}; !slices.Equal(asked, want) {
		t.Errorf("found in the request: %v, want %v", asked, want)
	}
	if len(answered) != 5 {
		t.Errorf("found in the answer: %v", answered)
	}
}

func TestEventLeaves(t *testing.T) {
	list := BodyLeaves("text/event-stream; charset=utf-8", []byte(": hello\n\ndata: {\"a\":1}\nid: 7\n\ndata: two\ndata: lines\n\nevent: x\n\ndata:{\"b\":[true,\"x\"]}\r\n\r\ndata: {\"c\":"))
	var got []string
	for _, l := range list {
		got = append(got, string(l.Place)+"="+l.Value)
	}
	want := []string{"body.events[0].data.a=1", "body.events[2].data.b[0]=true", "body.events[2].data.b[1]=x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestPiecesCutNoWord(t *testing.T) {
	values := NewValues(map[string]string{idNew: idOld})
	text := strings.Repeat(strings.Repeat("x ", 997)+idNew+" ", 2000)
	var out bytes.Buffer
	n := 0
	err := pieces(strings.NewReader(text), func(piece []byte) error {
		n++
		out.Write(values.words(piece))
		return nil
	})
	if err != nil || n < 3 || out.String() != strings.ReplaceAll(text, idNew, idOld) {
		t.Errorf("%v in %d pieces", err, n)
	}
}

// What is replaced and replaced back is what it was, whatever it is, as long as the new
// values do not stand there already; and nothing else changes.
func FuzzReplace(f *testing.F) {
	f.Add("application/json", `{"id":"`+idNew+`","c":"`+cursorNew+`"}`)
	f.Add("application/x-www-form-urlencoded", "a="+idNew+"&c=YWZ0ZXI6Y3VzXzlzNg%3D%3D")
	f.Add("text/event-stream", "data: {\"id\":\""+idNew+"\"}\n\n")
	f.Add("text/plain", idNew+"_secret_"+idNew+"%2F"+idNew)
	values := NewValues(map[string]string{idNew: idOld, cursorNew: cursorOld})
	back := values.Reverse()
	f.Fuzz(func(t *testing.T, contentType, body string) {
		there := false
		found := func(string) { there = true }
		back.findBody(contentType, []byte(body), found)
		if there || strings.Contains(body, idOld) || strings.Contains(body, cursorOld) {
			return
		}
		out := Replacement{Values: values}.body(nil, contentType, []byte(body))
		restored := Replacement{Values: back}.body(nil, contentType, out)
		if string(restored) != body {
			t.Errorf("%q became %q and then %q", body, out, restored)
		}
		if !strings.Contains(body, "9s6XKzkNRiz8i3") && !strings.Contains(body, "YWZ0ZXI6") && !strings.ContainsAny(body, `\%`) && string(out) != body {
			t.Errorf("%q became %q", body, out)
		}
	})
}
