package foreign

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEditsStayInTheScalar replaces one word of a value in every style that YAML has.
func TestEditsStayInTheScalar(t *testing.T) {
	for _, tc := range []struct{ name, value, from, to, want string }{
		{"plain", "token abc end", "abc", "NEW", "token NEW end"},
		{"plain over lines", "token abc\n       end of it", "abc", "NEW", "token NEW\n       end of it"},
		{"plain that must be quoted", "token abc end", "abc", "a: b", `"token a: b end"`},
		{"single", "'it''s abc, it''s'", "abc", "NEW", "'it''s NEW, it''s'"},
		{"single with a quote", "'x abc'", "abc", "o'clock", "'x o''clock'"},
		{"single with a line break", "'x abc'", "abc", "a\nb", `"x a\nb"`},
		{"double", `"tab\t abc \u00e9 \/"`, "abc", "NEW", `"tab\t NEW \u00e9 \/"`},
		{"double with quotes", `"x abc"`, "abc", `a"b`, `"x a\"b"`},
		{"double over lines", "\"one\n      two abc \\\n      three\"", "abc", "NEW", "\"one\n      two NEW \\\n      three\""},
		{"double, escape replaced", `"x \u0061bc y"`, "abc", "NEW", `"x NEW y"`},
		{"double, half an escape's text", "\"x\n\n   y\"", "x", "NEW", "\"NEW\n\n   y\""},
		{"literal", "|\n        one abc\n        two\n", "abc", "NEW", "|\n        one NEW\n        two\n"},
		{"literal, new lines", "|-\n        one abc\n        two", "abc", "1\n2", "|-\n        one 1\n        2\n        two"},
		{"literal, a control character", "|-\n        one abc\n        two", "abc", "\x01", `"one \u0001\ntwo"`},
		{"literal, own indentation", "|2\n          one abc\n        two\n", "abc", "NEW", "|2\n          one NEW\n        two\n"},
		{"literal, kept breaks", "|+\n        abc\n\n", "abc", "NEW", "|+\n        NEW\n\n"},
		{"folded", ">\n        one\n        two abc\n\n        three\n", "abc", "NEW", ">\n        one\n        two NEW\n\n        three\n"},
		{"tagged", "!!python/unicode 'abc'", "abc", "NEW", "!!python/unicode 'NEW'"},
		{"anchored", "&x abc", "abc", "NEW", "&x NEW"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			frame := func(value string) string {
				if !strings.HasSuffix(value, "\n") {
					value += "\n"
				}
				return "# before\nhttp_interactions:\n- request:\n    uri: https://a.dev/\n    body:\n      string: " + value + "  response: {}\n# after\n"
			}
			doc := read(t, "f", frame(tc.value))
			var body *Part
			for _, p := range doc.Parts() {
				if p.Kind == Body {
					body = p
				}
			}
			if body == nil || !strings.Contains(body.Text(), tc.from) {
				t.Fatalf("the body is not read: %+v", body)
			}
			want := strings.Replace(body.Text(), tc.from, tc.to, 1)
			body.Set(want)
			out, err := doc.Write()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(frame(tc.want), string(out)); diff != "" {
				t.Error(diff)
			}
			for _, p := range read(t, "f", string(out)).Parts() {
				if p.Kind == Body && p.Text() != want {
					t.Errorf("the body is %q, want %q", p.Text(), want)
				}
			}
		})
	}
}

func TestChangesMakeOneTextOfAnother(t *testing.T) {
	for _, tc := range [][2]string{
		{"", ""}, {"a", ""}, {"", "a"}, {"abc", "abd"}, {"aaaa", "aa"}, {"é", "è"}, {"x é y", "x è y"},
		{`{"a":"secret1","b":"other text","c":"secret2"}`, `{"a":"REDACTED-0001","b":"other text","c":"REDACTED-0002"}`},
		{strings.Repeat("a,", 5000), strings.Repeat("b,", 5000)},
	} {
		before, after := tc[0], tc[1]
		var b strings.Builder
		last := 0
		for _, c := range changes(before, after) {
			if c.start < last || c.end < c.start {
				t.Fatalf("%q → %q: the changes overlap", before, after)
			}
			b.WriteString(before[last:c.start])
			b.WriteString(c.text)
			last = c.end
		}
		b.WriteString(before[last:])
		if b.String() != after {
			t.Errorf("%.40q → %.40q: the changes give %.60q", before, after, b.String())
		}
	}
	list := changes(`{"a":"secret1","b":"other text","c":"secret2"}`, `{"a":"REDACTED-0001","b":"other text","c":"REDACTED-0002"}`)
	if len(list) != 2 {
		t.Errorf("two values are %d changes", len(list))
	}
}
