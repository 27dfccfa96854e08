package foreign

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func itoa(n int) string { return strconv.Itoa(n) }

func read(t *testing.T, name, src string) *Document {
	t.Helper()
	doc, err := Read(name, []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// describe lists the parts of a document, one to a line.
func describe(doc *Document) string {
	var b strings.Builder
	kinds := []string{"url", "header", "cookie", "query", "form", "body", "text", "comment"}
	one := func(p *Part) {
		fmt.Fprintf(&b, "  %d %s %s %s = %q\n", p.Line, p.Direction, kinds[p.Kind], p.Name, strings.ReplaceAll(p.Text(), secret, "SECRET"))
	}
	for _, in := range doc.Interactions {
		fmt.Fprintf(&b, "%s %d %s %s\n", in.ID, in.Line, in.Method(), strings.ReplaceAll(in.URL(), secret, "SECRET"))
		for _, p := range in.Parts {
			one(p)
		}
	}
	b.WriteString("rest\n")
	for _, p := range doc.Rest {
		one(p)
	}
	return b.String()
}

func TestEveryFormatIsDetectedAndEverySecretIsSeen(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(fixtures)) {
		t.Run(name, func(t *testing.T) {
			src := fixtures[name]
			doc := read(t, name, src)
			if doc.Format != name {
				t.Errorf("it was taken for %s", doc.Format)
			}
			t.Log(describe(doc))
			seen := 0
			for _, p := range doc.Parts() {
				seen += strings.Count(p.Text(), secret)
				if p.Opaque() != nil {
					t.Errorf("line %d: %v", p.Line, p.Opaque())
				}
				if p.Kind == Text && strings.Contains(p.Text(), secret) && name != "HAR" && name != "Betamax" {
					t.Errorf("line %d: a secret stands in a text that the format's reader did not know: %s", p.Line, p.Name)
				}
			}
			if want := strings.Count(src, secret); seen <= want-1 {
				t.Errorf("%d secrets were seen; %d stand in the file as they are, and more in other encodings", seen, want)
			}
		})
	}
}

func TestWritingNothingKeepsEveryByte(t *testing.T) {
	for name, src := range fixtures {
		out, err := read(t, name, src).Write()
		if err != nil || string(out) != src {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(src, string(out)))
		}
	}
}

func TestReplacingChangesOnlyTheValue(t *testing.T) {
	for name, src := range fixtures {
		t.Run(name, func(t *testing.T) {
			doc := read(t, name, src)
			for _, p := range doc.Parts() {
				p.Set(strings.ReplaceAll(p.Text(), secret, "REDACTED-0001"))
			}
			out, err := doc.Write()
			if err != nil {
				t.Fatal(err)
			}
			again := read(t, name, string(out))
			for _, p := range again.Parts() {
				if strings.Contains(p.Text(), secret) {
					t.Errorf("line %d: the secret is still there", p.Line)
				}
			}
			// Where no encoding and no length is in play, the file differs by the secret alone.
			want := strings.Split(strings.ReplaceAll(src, secret, "REDACTED-0001"), "\n")
			got := strings.Split(string(out), "\n")
			if len(want) != len(got) && name != "VCR" && name != "vcrpy" {
				t.Fatalf("%d lines became %d:\n%s", len(want), len(got), out)
			}
			if name == "go-vcr" || name == "tapedeck" || name == "HAR" {
				for i := range want {
					if want[i] != got[i] && !strings.Contains(want[i], `"base64"`) {
						t.Logf("line %d: %q became %q", i+1, want[i], got[i])
					}
				}
			}
			same, err := again.Write()
			if err != nil || string(same) != string(out) {
				t.Error("the written file does not come back as it is")
			}
		})
	}
}

func TestLengthsFollow(t *testing.T) {
	doc := read(t, "x.yaml", fixtures["tapedeck"])
	for _, p := range doc.Parts() {
		if p.Kind != Comment {
			p.Set(strings.ReplaceAll(p.Text(), secret, "REDACTED-0001"))
		}
	}
	out, err := doc.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# GET https://api.acme.dev/me?token=REDACTED-0001 → 200\n", "content_length: 47\n", `Content-Length: ["47"]`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for _, tc := range []struct{ src, want string }{
		{"", "f: the file is empty; "},
		{"interactions: [\n", "f:2: this is not YAML: "},
		{`{"log": {"entries": [`, "f:1: this is not JSON: the file ends in the middle; "},
		{"{\n\"log\": [1,}", "f:2: this is not JSON: it cannot be read here; "},
		{"a: 1\n", "f: this is no cassette that is known here; "},
		{"version: 2\ninteractions: nope\n", "f: this is no cassette"},
		{"version: 1\ninteractions:\n- request: {uri: x}\n  response: {}\n- 7\n", "f:5: interaction 1: an interaction must be a mapping; "},
		{"http_interactions:\n- response: {}\n", "f:2: interaction 0: request is missing; "},
		{"a: &a [*a]\n", "f:1: "},
		{"a: \x01\n", "f:1: the line holds a control character; "},
		{"a: \xff\n", "f:1: the line is not UTF-8; "},
		{"\xff\xfea", "f:1: the file is UTF-16; "},
	} {
		_, err := Read("f", []byte(tc.src))
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) && !(strings.HasPrefix(tc.want, "f: this is no") && strings.Contains(err.Error(), "interactions")) {
			t.Errorf("%q: %v, want %s", tc.src, err, tc.want)
		}
	}
	_, err := Read("f", []byte("a: 1\n"))
	if var1 := (*Error)(nil); !errors.Is(err, ErrUnknown) || !errors.As(err, &var1) {
		t.Error("a sound file that is no cassette must be ErrUnknown")
	}
}

// TestAliasesDoNotUnfold: a small file must not become a large document.
func TestAliasesDoNotUnfold(t *testing.T) {
	var b strings.Builder
	b.WriteString("x0: &x0 [" + secret + "]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "x%d: &x%d [*x%d, *x%d, *x%d, *x%d]\n", i, i, i-1, i-1, i-1, i-1)
	}
	b.WriteString("http_interactions:\n- request: {uri: x, headers: {A: *x39}}\n  response: *x39\n")
	if doc, err := Read("f", []byte(b.String())); err == nil && len(doc.Parts()) > 100 {
		t.Errorf("it has %d parts", len(doc.Parts()))
	}
	// Many headers, each a list of many.
	b.Reset()
	b.WriteString("v: &v [" + strings.Repeat("a,", 5000) + "a]\nhttp_interactions:\n- request:\n    uri: x\n    headers:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "      H%d: *v\n", i)
	}
	b.WriteString("  response: {}\n")
	if _, err := Read("f", []byte(b.String())); err == nil {
		t.Error("25 million header values are read")
	} else if !strings.Contains(err.Error(), "alias") {
		t.Error(err)
	}
}
