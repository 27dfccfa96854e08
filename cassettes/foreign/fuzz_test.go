package foreign

import (
	"strings"
	"testing"
)

// FuzzRead reads anything, writes it back as it was, and writes it with values replaced:
// then the file says what was set, or is refused.
func FuzzRead(f *testing.F) {
	for _, src := range fixtures {
		f.Add([]byte(src), "REDACTED-0001")
	}
	for _, src := range awkward {
		f.Add([]byte(src), "it's \"new\"\n# text: [x]")
	}
	f.Fuzz(func(t *testing.T, src []byte, value string) {
		doc, err := Read("f", src)
		if err != nil {
			if text := err.Error(); !strings.HasPrefix(text, "f:") || !strings.Contains(text, "; ") || strings.Contains(text, "\n") {
				t.Fatalf("the error is not place, fault, cure: %q", text)
			}
			return
		}
		same, err := doc.Write()
		if err != nil || string(same) != string(src) {
			t.Fatalf("written without a change it is another file: %v", err)
		}
		want := make(map[*Part]string)
		for i, p := range doc.Parts() {
			for _, offset := range []int{0, len(p.Original()) / 2, len(p.Original())} {
				if line := p.LineAt(offset); line < 1 || line > 1+strings.Count(string(src), "\n")+strings.Count(string(src), "\r")+len(src)/2 {
					t.Fatalf("line %d of a part on line %d", line, p.Line)
				}
			}
			if p.Opaque() != nil || p.BodyFile != "" || p.Kind == Comment || p.span != nil {
				continue
			}
			switch i % 3 {
			case 0:
				p.Set(value)
			case 1:
				p.Set(p.Text() + value)
			default:
				p.Set(strings.Replace(p.Text(), "e", value, 1))
			}
			want[p] = p.Text()
		}
		out, err := doc.Write()
		if err != nil {
			return
		}
		again, err := Read("f", out)
		if err != nil {
			return // a replaced value may be what told the format
		}
		parts, now := doc.Parts(), again.Parts()
		if len(parts) != len(now) || doc.Format != again.Format {
			return // a new name or number may have another meaning
		}
		for i, p := range parts {
			text, set := want[p]
			if !set || p.Kind != now[i].Kind || p.body != nil && p.body.encoded() {
				continue
			}
			if b := now[i].body; b != nil && b.encoded() {
				continue // the new Content-Encoding is another
			}
			if p.Text() == text && now[i].Text() != text {
				t.Fatalf("part %d (%s) was to say %q and says %q:\n%s", i, p.Name, text, now[i].Text(), out)
			}
		}
	})
}

// awkward are files that YAML and JSON allow and nobody writes.
var awkward = []string{
	"http_interactions:\n- request:\n    uri: https://a.dev/\n    body: >\n      folded text\n      goes on\n\n        more indented\n      back\n  response:\n    body: |+\n      kept\n\n\nrecorded_with: x\n",
	"http_interactions:\n- request: {uri: 'it''s', body: {string: \"a\\\n   b \\u00e9 \\x41\n\n c\"}}\n  response: {body: plain text\n   over lines, status: {code: 200}}\n",
	"\ufeffversion: 2\r\ninteractions:\r\n- request:\r\n    url: x\r\n    body: |-\r\n      a\r\n      b\r\n  response:\r\n    code: 200\r\n",
	"version: 1\ninteractions:\n- request: {uri: &a x, headers: &h {A: [*a, *a]}}\n  response: {headers: *h, body: {string: !!binary aGk=}}\n",
	"{http_interactions: [{request: {uri: x}, response: {}}]} # flow\n",
	"http_interactions:\n- ? request\n  : uri: |2\n       two\n      one\n  ? response\n  : &b !ruby/object:Foo\n    body: !ruby/string |1-\n      x\n",
	"http_interactions:\n- request:\n    uri: \"a\u2028b\u0085c\"\n    body: 'x\n\n      y'\n  response: {}\n",
	"version: 2\ninteractions:\n- request:\n    url: https://a.dev # why\n    body: |- # header\n      #no comment\n      text\n    # a comment\n  response: {code: 200, body: \"\"}\n...\n",
	`{"log":{"entries":[{"request":{"url":"\ud83d\ude00 \u00e9 \/ \ud800","headers":[]},"response":{"content":{"text":"","encoding":"base64"}}}]}}`,
	"[{\"scope\":\"https://a.dev\",\"method\":\"GET\",\"path\":\"/\",\"response\":[\"zz\"],\"rawHeaders\":[\"A\"]}]",
	"{\"mappings\":[]}",
	"http_interactions:\n- request:\n    uri: x\n    body: |\n\n\n  response: {body: >-\n\n      }\n",
}
