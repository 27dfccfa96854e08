package matchers

import (
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// FuzzKey: two requests have equal keys exactly when their facts are equal.
func FuzzKey(f *testing.F) {
	f.Add("a=1&a[]=2", "a=1", byte(0), byte(1))
	f.Add(`{"a":[1,{}]}`, `{"a":[1.0,{}]}`, byte(1), byte(1))
	f.Add("--b\r\n\r\n{}\r\n--b--", "{}\n[]", byte(2), byte(3))
	f.Add("\xff", "", byte(4), byte(4))
	types := []string{
		"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "application/x-ndjson", "",
	}
	d := newDeck(f, Rule{On: "POST api.acme.dev/v1", Unordered: []string{"body.u", "body.u[*].v"}, Ignore: []string{"body.i"}, As: map[string]string{"body.s": "integer"}})
	f.Fuzz(func(t *testing.T, a, b string, typeA, typeB byte) {
		read := func(body string, kind byte) Reading {
			req, err := http.NewRequest("POST", endpoint, nil)
			if err != nil {
				t.Fatal(err)
			}
			if ct := types[int(kind)%len(types)]; ct != "" {
				req.Header.Set("Content-Type", ct)
			}
			r, err := d.cleaner.Request(req, []byte(body))
			if err != nil {
				t.Skip("refused")
			}
			return d.matcher.Read(r, nil)
		}
		x, y := read(a, typeA), read(b, typeB)
		if (x.Key == y.Key) != reflect.DeepEqual(x.Facts, y.Facts) {
			t.Fatalf("keys and facts disagree:\n%s\n%s", x, y)
		}
		if again := read(a, typeA); again.Key != x.Key {
			t.Fatalf("two readings of one request differ:\n%s\n%s", x, again)
		}
		for i := 1; i < len(x.Facts); i++ {
			if x.Facts[i-1].Name.Compare(x.Facts[i].Name) > 0 {
				t.Fatalf("facts are not sorted:\n%s", x)
			}
		}
	})
}

// FuzzJSONForms: a JSON body and its canonical form, with members in another
// order and other white space, are the same request, and only then.
func FuzzJSONForms(f *testing.F) {
	f.Add(`{"b":[1,"x",null],"a":{}}`, `{"a":{},"b":[1,"x",null]}`)
	f.Add(`[1.5]`, `[1.50]`)
	f.Add(`{"a.b":1}`, `{"a":{"b":1}}`)
	facts := func(t *testing.T, text string) Reading {
		rd := reader{}
		format, list, err := leaves.Body("application/json", []byte(text))
		if err != nil {
			t.Skip("not JSON")
		}
		rd.leafBody(body{format: format, list: list})
		return rd.finish()
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := facts(t, a), facts(t, b)
		canonical := func(s string) string {
			v := jsontext.Value(s)
			// Numbers as they are: their normal form has its own test.
			if err := v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
				t.Skip("not canonical")
			}
			return string(v)
		}
		if facts(t, canonical(a)).Key != x.Key {
			t.Fatalf("%q is not its canonical form", a)
		}
		if !strings.ContainsAny(a+b, "0123456789") && !strings.Contains(a+b, "REDACTED") && (canonical(a) == canonical(b)) != (x.Key == y.Key) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

// FuzzNumber: the normal form is that of the decimal value.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0.0", "10.50", "1e2", "9007199254740993", "1.0e-7", "123456789012345678901234567890e-29"} {
		f.Add(s, "1e2")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okA := rational(a)
		y, okB := rational(b)
		if !okA || !okB {
			t.Skip("not a number of bearable size")
		}
		if (normalNumber(a) == normalNumber(b)) != (x.Cmp(y) == 0) {
			t.Fatalf("%s is %s, %s is %s", a, normalNumber(a), b, normalNumber(b))
		}
		if normal := normalNumber(a); normalNumber(normal) != normal {
			t.Fatalf("%s is %s is %s", a, normal, normalNumber(normal))
		}
	})
}

func rational(s string) (*big.Rat, bool) {
	if v := jsontext.Value(s); v.Kind() != '0' || !v.IsValid() || strings.TrimSpace(s) != s {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 5 || len(s) > 200 {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// FuzzRawInput: no URL, header or pattern makes reading fail.
func FuzzRawInput(f *testing.F) {
	f.Add("https://h/%2F?a=%zz", "text/html;q=0.1, */*", "sid=1; x", "POST h/{id}/**", "body.a[*]")
	f.Fuzz(func(t *testing.T, url, accept, cookie, on, fact string) {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil || req.URL.Host == "" {
			t.Skip("no URL")
		}
		d := newDeck(t)
		if m, err := New([]Rule{{On: on, Ignore: []string{fact}, Unordered: []string{fact}}}); err == nil {
			d.matcher = m
		}
		req.Header = http.Header{"Accept": {accept}, "Cookie": {cookie}, "Authorization": {cookie}}
		r, err := d.cleaner.Request(req, nil)
		if err != nil {
			t.Skip("refused")
		}
		a := d.matcher.Read(r, nil)
		if path := scope.NormalPath(rawPath(r.RawURL())); scope.NormalPath(path) != path {
			t.Fatalf("%q is not normal", path)
		}
		if n := normalAccept([]string{accept}); normalAccept([]string{n}) != n {
			t.Fatalf("%q is not normal: %q", n, normalAccept([]string{n}))
		}
		if a.Key != d.matcher.Read(r, nil).Key {
			t.Fatal("two readings differ")
		}
	})
}
