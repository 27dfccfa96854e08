package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// line writes a change in one line, for tables.
func line(ch Change) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", ch.Part, ch.Place, ch.Kind)
	if ch.Was != "" {
		fmt.Fprintf(&b, " was %s", ch.Was)
	}
	if ch.Element != "" {
		fmt.Fprintf(&b, " (%s)", ch.Element)
	}
	show := func(v *Value) string {
		if v.Type == "binary" {
			return fmt.Sprintf("binary of %d", v.Size)
		}
		return v.Type + " " + v.Text
	}
	switch {
	case ch.Old != nil && ch.New != nil:
		fmt.Fprintf(&b, ": %s → %s", show(ch.Old), show(ch.New))
	case ch.Old != nil:
		fmt.Fprintf(&b, ": - %s", show(ch.Old))
	case ch.New != nil:
		fmt.Fprintf(&b, ": + %s", show(ch.New))
	}
	if ch.At != nil {
		fmt.Fprintf(&b, " at %d", *ch.At)
	}
	return b.String()
}

func lines(list []Change) []string {
	out := []string{}
	for _, ch := range list {
		out = append(out, line(ch))
	}
	return out
}

// differs says in which field two plain interactions are not alike, "" if they are.
func differs(a, b clean.Stored) string {
	header := func(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }
	for _, one := range []struct {
		name string
		same bool
	}{
		{"method", a.Method == b.Method}, {"url", a.URL == b.URL}, {"proto", a.Proto == b.Proto},
		{"request header", header(a.RequestHeader, b.RequestHeader)}, {"request trailer", header(a.RequestTrailer, b.RequestTrailer)},
		{"request body", bytes.Equal(a.RequestBody, b.RequestBody)},
		{"status", a.Status == b.Status && a.StatusText == b.StatusText && a.ResponseProto == b.ResponseProto && a.Chunked == b.Chunked},
		{"header", header(a.ResponseHeader, b.ResponseHeader)}, {"trailer", header(a.ResponseTrailer, b.ResponseTrailer)},
		{"body", bytes.Equal(a.ResponseBody, b.ResponseBody)},
		{"large body", (a.ResponseLarge == nil) == (b.ResponseLarge == nil) && (a.ResponseLarge == nil || a.ResponseLarge.Name() == b.ResponseLarge.Name() && a.ResponseLarge.Size() == b.ResponseLarge.Size())},
		{"informational", slices.EqualFunc(a.Informational, b.Informational, func(x, y clean.Informational) bool {
			return x.Status == y.Status && header(x.Header, y.Header)
		})},
		{"meta", a.Recorded == b.Recorded && a.Pinned == b.Pinned && a.Retry == b.Retry && a.Cut == b.Cut},
	} {
		if !one.same {
			return one.name
		}
	}
	return ""
}

// proven compares two interactions and checks that the changes, once they have been JSON, make
// the new one of the old one.
func proven(t testing.TB, a, b clean.Stored) []Change {
	t.Helper()
	list := compareStored(&a, &b)
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var back []Change
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	got, err := patch(a, back)
	if err != nil {
		t.Fatalf("patch: %v\n%s", err, strings.Join(lines(list), "\n"))
	}
	if part := differs(got, b); part != "" {
		t.Fatalf("%s: patched to\n%+v\nwant\n%+v\n%s", part, got, b, strings.Join(lines(list), "\n"))
	}
	return list
}

func answer(contentType, body string) clean.Stored {
	s := clean.Stored{
		Method: "GET", URL: "https://api.stripe.com/v1/x", Proto: "HTTP/1.1", ResponseProto: "HTTP/2.0", Status: 200, StatusText: "OK",
		ResponseHeader: http.Header{}, ResponseBody: []byte(body),
	}
	if contentType != "" {
		s.ResponseHeader.Set("Content-Type", contentType)
	}
	return s
}
