package diff

import (
	"testing"
)

var fuzzedTypes = []string{
	"application/json", "", "text/plain", "application/x-www-form-urlencoded", "text/event-stream", "application/x-ndjson",
	"multipart/form-data; boundary=b", "application/octet-stream",
}

// Whatever the two bodies are: the changes make the new one of the old one, and there are none
// when they are the same.
func FuzzBodies(f *testing.F) {
	for _, pair := range [][2]string{
		{`{"a":1,"b":[1,2,3]}`, `{"b":[3,1,2,4],"a":1.0}`},
		{"{\n  \"a\": 1,\n  \"a\": 2\n}\n", "{\n  \"a\": 1e0\n}"},
		{`[{"id":1,"x":1},{"id":2,"x":2},{"id":3}]`, `[{"id":3},{"id":1,"x":"1"},{"id":4,"x":2},{"id":2,"x":3}]`},
		{`[[1,2],[3,4],5,"x",null,{}]`, `[[1,2,3],5,[3,4],{},{"a":1}]`},
		{`{"t":"the quick brown fox jumps over the lazy dog"}`, `{"t":"the quick red fox jumps over a lazy dog \u00e9\/"}`},
		{"a=1&b[]=2&b[]=3&c[x]=1", "a=2&b[]=3&c[y]=%20+&a=3"},
		{"0", "=\xfd"},
		{"a[0][p]=1&a[0][q]=2&a[1][p]=3", "a[0][p]=3&a[1][p]=1&a[1][q]=2&a[3]=1"},
		{"data: {\"a\":1}\n\ndata: {\"a\":2}\n\ndata: [DONE]\n\n", "event: x\ndata: {\"a\":2}\n\n: ping\n\ndata: {\"a\": 3}\ndata:\n\n"},
		{"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"b\":1}\n{\"a\":2,\"c\":[]}"},
		{"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n--b\r\n\r\nx\r\n--b--\r\n"},
		{"\xff\xfe\x00", "\xff\xfe\x01"}, {"", "x"}, {"x", ""}, {"null", "{}"}, {`"a"`, `"b"`}, {"1.0", "1.00"}, {" [ ] ", " [ 1 , 2 ] "},
	} {
		for i := range fuzzedTypes {
			f.Add(uint8(i), uint8(i), pair[0], pair[1])
		}
		f.Add(uint8(0), uint8(2), pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, was, now uint8, old, new string) {
		a := answer(fuzzedTypes[int(was)%len(fuzzedTypes)], old)
		b := answer(fuzzedTypes[int(now)%len(fuzzedTypes)], new)
		list := proven(t, a, b)
		if list := compareStored(&a, &a); len(list) > 0 {
			t.Fatalf("a body differs from itself: %q", lines(list))
		}
		if old != new && len(list) == 0 {
			t.Fatal("a difference is lost")
		}
	})
}

// The URL and the headers come back too, whatever they hold.
func FuzzHeads(f *testing.F) {
	f.Add("https://h/a/b?x=1&i[]=a", "https://h:1/a//b/?x=1&i[]=a&i[]=b%20c&y=2#z", "v", "w", "x", "")
	f.Add("https://h", "http://h/?", "", "\xff", "a", "a")
	f.Add("https://h/?a=1&a=2&b", "https://h/?b&a=2&a=1&%zz", "1", "2", "2", "1")
	f.Add("%zz", "?a=1&a[b]=2", "1", "2", "2", "1")
	f.Fuzz(func(t *testing.T, oldURL, newURL, w, x, y, z string) {
		a, b := answer("", ""), answer("", "")
		a.URL, b.URL = oldURL, newURL
		a.RequestHeader, b.RequestHeader = map[string][]string{"X-A": {w}, "x-b": {x, y}}, map[string][]string{"X-A": {x, z}, "X-B": {y}}
		a.ResponseTrailer, b.ResponseTrailer = nil, map[string][]string{"X-C": {}, "X-Ü": {z}}
		a.StatusText, b.StatusText, a.Method, b.Recorded = w, x, y, z
		list := proven(t, a, b)
		if oldURL != newURL && len(list) == 0 {
			t.Fatal("a difference is lost")
		}
		if list := compareStored(&b, &b); len(list) > 0 {
			t.Fatalf("it differs from itself: %q", lines(list))
		}
	})
}
