package merge

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// A call is one interaction, in few words: a request of https://api.test that has a JSON
// answer.
type call struct {
	id           int
	request      string // "POST /customers {\"name\":\"a\"}"
	answer       string
	day          string
	token        string // of the Authorization header
	own          string // more keys under tapedeck:
	status       int
	conflictSide string
}

// file writes a cassette.
func file(calls ...call) string {
	if len(calls) == 0 {
		return "version: 2\ninteractions: []\n"
	}
	var b strings.Builder
	b.WriteString("version: 2\ninteractions:\n")
	for _, c := range calls {
		method, rest, _ := strings.Cut(c.request, " ")
		path, body, _ := strings.Cut(rest, " ")
		own := "recorded: " + cmp.Or(c.day, "2026-11-01")
		if c.own != "" {
			own += ", " + c.own
		}
		if c.conflictSide != "" {
			own += ", conflict: " + c.conflictSide
		}
		headers := "Content-Type: [application/json]"
		if c.token != "" {
			headers += ", Authorization: [Bearer " + c.token + "]"
		}
		fmt.Fprintf(&b, "- {id: %d, tapedeck: {%s}, request: {method: %s, url: %q, body: %q, headers: {%s}}, response: {code: %d, body: %q, headers: {Content-Type: [application/json]}}}\n",
			c.id, own, method, "https://api.test"+path, body, headers, cmp.Or(c.status, 200), c.answer)
	}
	return b.String()
}

var compiled = sync.OnceValues(func() (*redact.Rules, error) { return redact.Compile(redact.Config{}) })

func rules(t testing.TB) *redact.Rules {
	t.Helper()
	r, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func doc(t testing.TB, text string) *cassettes.Document {
	t.Helper()
	cleaner := &clean.Cleaner{Vault: redact.NewVault(rules(t)), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
	d, err := cassettes.ReadUnsettled("x.yaml", []byte(text), nil, cleaner)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func matcher(t testing.TB) *matchers.Matcher {
	t.Helper()
	m, err := matchers.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// merged merges three files, and holds what is true of every outcome.
func merged(t testing.TB, base, ours, theirs string) (Result, string) {
	t.Helper()
	r, err := Merge(doc(t, base), doc(t, ours), doc(t, theirs), matcher(t))
	if err != nil {
		t.Fatalf("%v\nbase:\n%s\nours:\n%s\ntheirs:\n%s", err, base, ours, theirs)
	}
	out, err := r.Document.Encode()
	if err != nil {
		t.Fatalf("%v\nbase:\n%s\nours:\n%s\ntheirs:\n%s", err, base, ours, theirs)
	}
	again := doc(t, string(out)) // it loads
	if len(again.Notes) > 0 {
		t.Errorf("the merged file has faults: %q", again.Notes)
	}
	if got := again.Conflicts(); len(got) != len(r.Conflicts) {
		t.Errorf("%d conflicts in the file, %d reported", len(got), len(r.Conflicts))
	}
	return r, string(out)
}

// calls are short lines of what a file holds.
func calls(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	for _, in := range doc(t, text).List {
		s, err := in.Stored()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d %s %s", in.ID, s.Method, strings.TrimPrefix(s.URL, "https://api.test"))
		if len(s.RequestBody) > 0 {
			fmt.Fprintf(&b, " %s", s.RequestBody)
		}
		if token := s.RequestHeader.Get("Authorization"); token != "" {
			fmt.Fprintf(&b, " (%s)", strings.TrimPrefix(token, "Bearer "))
		}
		fmt.Fprintf(&b, " → %s", s.ResponseBody)
		if in.Conflict != "" {
			fmt.Fprintf(&b, " [%s]", in.Conflict)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestMerge(t *testing.T) {
	a := call{id: 0, request: "GET /a", answer: `{"v":1}`}
	b := call{id: 1, request: "POST /b {}", answer: `{"v":2}`}
	c := call{id: 2, request: "GET /c", answer: `{"v":3}`}
	with := func(c call, change func(*call)) call { change(&c); return c }
	answer := func(c call, text string) call { return with(c, func(c *call) { c.answer = text }) }
	on := func(c call, day string) call { return with(c, func(c *call) { c.day = day }) }
	for _, test := range []struct {
		name               string
		base, ours, theirs string
		want               string
		why                []string
	}{
		{"nothing", file(a, b), file(a, b), file(a, b), "0 GET /a → {\"v\":1}\n1 POST /b {} → {\"v\":2}\n", nil},
		{"different things changed", file(a, b, c), file(answer(a, `{"v":9}`), b, c), file(a, b, answer(c, `{"v":8}`)),
			"0 GET /a → {\"v\":9}\n1 POST /b {} → {\"v\":2}\n2 GET /c → {\"v\":8}\n", nil},
		{"equal changes", file(a), file(answer(a, `{"v":9}`)), file(answer(a, `{"v":9}`)), "0 GET /a → {\"v\":9}\n", nil},
		{"one thing changed in two ways", file(a, b), file(answer(a, `{"v":8}`), b), file(answer(a, `{"v":9}`), b),
			"0 GET /a → {\"v\":8} [ours]\n0 GET /a → {\"v\":9} [theirs]\n1 POST /b {} → {\"v\":2}\n", []string{bothChanged}},
		{"removed and unchanged", file(a, b), file(a), file(a, b), "0 GET /a → {\"v\":1}\n", nil},
		{"removed and changed", file(a, b), file(a), file(a, answer(b, `{"v":9}`)), "0 GET /a → {\"v\":1}\n1 POST /b {} → {\"v\":9} [theirs]\n", []string{oursRemoved}},
		{"changed and removed", file(a, b), file(a, answer(b, `{"v":9}`)), file(a), "0 GET /a → {\"v\":1}\n1 POST /b {} → {\"v\":9} [ours]\n", []string{theirsRemoved}},
		{"removed on both sides", file(a, b), file(a), file(a), "0 GET /a → {\"v\":1}\n", nil},
		{"removed and only recorded again", file(a, b), file(a), file(a, on(b, "2026-11-09")), "0 GET /a → {\"v\":1}\n", nil},
		{"ids given twice", file(a),
			file(a, call{id: 1, request: "POST /x {}", answer: `{"x":1}`}, call{id: 2, request: "GET /x", answer: `{"x":2}`}),
			file(a, call{id: 1, request: "POST /y {}", answer: `{"y":1}`}, call{id: 2, request: "GET /y", answer: `{"y":2}`}),
			"0 GET /a → {\"v\":1}\n1 POST /x {} → {\"x\":1}\n2 GET /x → {\"x\":2}\n3 POST /y {} → {\"y\":1}\n4 GET /y → {\"y\":2}\n", nil},
		{"additions stand where they stood", file(a, b, c),
			file(a, call{id: 3, request: "GET /x", answer: `1`}, b, c),
			file(a, b, call{id: 4, request: "GET /y", answer: `2`}, c),
			"0 GET /a → {\"v\":1}\n3 GET /x → 1\n1 POST /b {} → {\"v\":2}\n4 GET /y → 2\n2 GET /c → {\"v\":3}\n", nil},
		{"additions at the top", file(a),
			file(call{id: 1, request: "GET /x", answer: `1`}, a), file(call{id: 1, request: "GET /y", answer: `2`}, a),
			"1 GET /x → 1\n2 GET /y → 2\n0 GET /a → {\"v\":1}\n", nil},
		{"added behind what is removed", file(a, b, c), file(a, c), file(a, b, call{id: 3, request: "GET /y", answer: `2`}, c),
			"0 GET /a → {\"v\":1}\n3 GET /y → 2\n2 GET /c → {\"v\":3}\n", nil},
		{"moved by them", file(a, b, c), file(a, b, c, call{id: 3, request: "GET /x", answer: `1`}), file(c, a, b),
			"2 GET /c → {\"v\":3}\n3 GET /x → 1\n0 GET /a → {\"v\":1}\n1 POST /b {} → {\"v\":2}\n", nil},
		{"an equal addition", file(a),
			file(a, call{id: 1, request: "POST /x {}", answer: `{"x":1}`}), file(a, call{id: 1, request: "POST /x {}", answer: `{"x":1}`}, call{id: 2, request: "GET /y", answer: `2`}),
			"0 GET /a → {\"v\":1}\n1 POST /x {} → {\"x\":1}\n2 GET /y → 2\n", nil},
		{"no base", file(), file(a, b), file(a, with(c, func(c *call) { c.id = 1 })),
			"0 GET /a → {\"v\":1}\n1 POST /b {} → {\"v\":2}\n2 GET /c → {\"v\":3}\n", nil},
		{"the same change recorded twice", file(a),
			file(a, call{id: 1, request: "POST /customers {}", answer: `{"id":"cus_9s6XKzkNRiz8i3"}`, day: "2026-11-02"}, call{id: 2, request: "GET /customers/cus_9s6XKzkNRiz8i3", answer: `{"id":"cus_9s6XKzkNRiz8i3"}`, day: "2026-11-02"}),
			file(a, call{id: 1, request: "POST /customers {}", answer: `{"id":"cus_Qp2LmZt7VbXw41"}`, day: "2026-11-01"}, call{id: 2, request: "GET /customers/cus_Qp2LmZt7VbXw41", answer: `{"id":"cus_Qp2LmZt7VbXw41"}`, day: "2026-11-01"},
				call{id: 3, request: "DELETE /customers/cus_Qp2LmZt7VbXw41", answer: `{"gone":"cus_Qp2LmZt7VbXw41"}`, day: "2026-11-01"}),
			"0 GET /a → {\"v\":1}\n1 POST /customers {} → {\"id\":\"cus_9s6XKzkNRiz8i3\"}\n2 GET /customers/cus_9s6XKzkNRiz8i3 → {\"id\":\"cus_9s6XKzkNRiz8i3\"}\n" +
				"3 DELETE /customers/cus_9s6XKzkNRiz8i3 → {\"gone\":\"cus_9s6XKzkNRiz8i3\"}\n", nil},
		{"two changes that begin alike", file(a),
			file(a, call{id: 1, request: "POST /customers {}", answer: `{"id":"cus_9s6XKzkNRiz8i3"}`}, call{id: 2, request: "GET /customers/cus_9s6XKzkNRiz8i3", answer: `{"id":"cus_9s6XKzkNRiz8i3"}`}),
			file(a, call{id: 1, request: "POST /customers {}", answer: `{"id":"cus_Qp2LmZt7VbXw41"}`}, call{id: 2, request: "DELETE /customers/cus_Qp2LmZt7VbXw41", answer: `{"id":"cus_Qp2LmZt7VbXw41"}`}),
			"0 GET /a → {\"v\":1}\n1 POST /customers {} → {\"id\":\"cus_9s6XKzkNRiz8i3\"}\n2 GET /customers/cus_9s6XKzkNRiz8i3 → {\"id\":\"cus_9s6XKzkNRiz8i3\"}\n" +
				"3 POST /customers {} → {\"id\":\"cus_Qp2LmZt7VbXw41\"}\n4 DELETE /customers/cus_Qp2LmZt7VbXw41 → {\"id\":\"cus_Qp2LmZt7VbXw41\"}\n", nil},
		{"reads added that nothing tells apart", file(a), file(a, call{id: 1, request: "GET /x", answer: `{"v":1}`}), file(a, call{id: 1, request: "GET /x", answer: `{"v":2}`}, call{id: 2, request: "GET /y", answer: `3`}),
			"0 GET /a → {\"v\":1}\n1 GET /x → {\"v\":1} [ours]\n1 GET /x → {\"v\":2} [theirs]\n2 GET /y → 3\n", []string{bothAdded}},
		{"reads of two things that tests are about", file(a), file(a, call{id: 1, request: "GET /orders/ord_9s6XKzkNRiz8i3", answer: `{"id":"ord_9s6XKzkNRiz8i3"}`}),
			file(a, call{id: 1, request: "GET /orders/ord_Qp2LmZt7VbXw41", answer: `{"id":"ord_Qp2LmZt7VbXw41"}`}),
			"0 GET /a → {\"v\":1}\n1 GET /orders/ord_9s6XKzkNRiz8i3 → {\"id\":\"ord_9s6XKzkNRiz8i3\"}\n2 GET /orders/ord_Qp2LmZt7VbXw41 → {\"id\":\"ord_Qp2LmZt7VbXw41\"}\n", nil},
		{"about another thing than before", file(a, call{id: 1, request: "GET /orders/ord_9s6XKzkNRiz8i3", answer: `{"id":"ord_9s6XKzkNRiz8i3"}`}),
			file(a, call{id: 1, request: "GET /orders/ord_9s6XKzkNRiz8i3", answer: `{"id":"ord_9s6XKzkNRiz8i3"}`}, call{id: 2, request: "POST /orders/ord_9s6XKzkNRiz8i3 {}", answer: `2`}),
			file(a, call{id: 1, request: "GET /orders/ord_Qp2LmZt7VbXw41", answer: `{"id":"ord_Qp2LmZt7VbXw41"}`}),
			"0 GET /a → {\"v\":1}\n1 GET /orders/ord_Qp2LmZt7VbXw41 → {\"id\":\"ord_Qp2LmZt7VbXw41\"}\n2 POST /orders/ord_9s6XKzkNRiz8i3 {} → 2\n", nil},
		{"recorded again on both sides", file(call{request: "POST /c {}", answer: `{"id":"cus_AAAAkNRiz8i301"}`}),
			file(call{request: "POST /c {}", answer: `{"id":"cus_9s6XKzkNRiz8i3"}`, day: "2026-11-02"}, call{id: 1, request: "GET /c/cus_9s6XKzkNRiz8i3", answer: `1`, day: "2026-11-02"}),
			file(call{request: "POST /c {}", answer: `{"id":"cus_Qp2LmZt7VbXw41"}`, day: "2026-11-03"}),
			"0 POST /c {} → {\"id\":\"cus_Qp2LmZt7VbXw41\"}\n1 GET /c/cus_Qp2LmZt7VbXw41 → 1\n", nil},
		{"recorded again, and changed in earnest", file(call{request: "POST /c {}", answer: `{"id":"cus_AAAAkNRiz8i301","x":1}`}),
			file(call{request: "POST /c {}", answer: `{"id":"cus_9s6XKzkNRiz8i3","x":1}`}),
			file(call{request: "POST /c {}", answer: `{"id":"cus_AAAAkNRiz8i301","x":2}`}, call{id: 1, request: "GET /c/cus_AAAAkNRiz8i301", answer: `1`}),
			"0 POST /c {} → {\"id\":\"cus_9s6XKzkNRiz8i3\",\"x\":2}\n1 GET /c/cus_9s6XKzkNRiz8i3 → 1\n", nil},
		{"numbers given twice", file(call{request: "GET /a", answer: `1`, token: "REDACTED-0001"}),
			file(call{request: "GET /a", answer: `1`, token: "REDACTED-0001"}, call{id: 1, request: "GET /x", answer: `{"t":"REDACTED-0002"}`, token: "REDACTED-0001"}),
			file(call{request: "GET /a", answer: `1`, token: "REDACTED-0001"}, call{id: 1, request: "GET /y", answer: `{"t":"REDACTED-0002"}`, token: "REDACTED-0003"}),
			"0 GET /a (REDACTED-0001) → 1\n1 GET /x (REDACTED-0001) → {\"t\":\"REDACTED-0002\"}\n2 GET /y (REDACTED-0003) → {\"t\":\"REDACTED-0004\"}\n", nil},
		{"one secret with two numbers", file(a),
			file(a, call{id: 1, request: "GET /x", answer: `1`, token: "REDACTED-ACME_KEY-0000000001"}),
			file(a, call{id: 1, request: "POST /y {}", answer: `{"t":"REDACTED-0001"}`}, call{id: 2, request: "GET /z", answer: `2`, token: "REDACTED-ACME_KEY-0000000002"}),
			"0 GET /a → {\"v\":1}\n1 GET /x (REDACTED-ACME_KEY-0000000001) → 1\n3 POST /y {} → {\"t\":\"REDACTED-0003\"}\n2 GET /z (REDACTED-ACME_KEY-0000000001) → 2\n", nil},
		{"an equal addition with secrets", file(a),
			file(a, call{id: 1, request: "POST /p {}", answer: `{"t":"REDACTED-0001"}`}, call{id: 2, request: "POST /x {}", answer: `{"t":"REDACTED-0002"}`}),
			file(a, call{id: 1, request: "POST /x {}", answer: `{"t":"REDACTED-0001"}`}, call{id: 2, request: "GET /y", answer: `2`, token: "REDACTED-0001"}),
			"0 GET /a → {\"v\":1}\n1 POST /p {} → {\"t\":\"REDACTED-0001\"}\n2 POST /x {} → {\"t\":\"REDACTED-0002\"}\n3 GET /y (REDACTED-0002) → 2\n", nil},
		{"a base in conflict, settled in one way",
			file(with(a, func(c *call) { c.conflictSide = "ours" }), with(answer(a, `{"v":7}`), func(c *call) { c.conflictSide = "theirs" }), b),
			file(answer(a, `{"v":7}`), b), file(answer(a, `{"v":7}`), b, c), "0 GET /a → {\"v\":7}\n1 POST /b {} → {\"v\":2}\n2 GET /c → {\"v\":3}\n", nil},
		{"a base in conflict, settled in two ways",
			file(with(a, func(c *call) { c.conflictSide = "ours" }), with(answer(a, `{"v":7}`), func(c *call) { c.conflictSide = "theirs" }), b),
			file(a, b), file(answer(a, `{"v":7}`), b), "0 GET /a → {\"v\":1} [ours]\n0 GET /a → {\"v\":7} [theirs]\n1 POST /b {} → {\"v\":2}\n", []string{bothChanged}},
		{"a base with one version, removed and kept", file(with(b, func(c *call) { c.conflictSide = "theirs" }), a), file(a), file(b, a),
			"1 POST /b {} → {\"v\":2} [theirs]\n0 GET /a → {\"v\":1}\n", []string{oursRemoved}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, out := merged(t, test.base, test.ours, test.theirs)
			if got := calls(t, out); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			var why []string
			for _, c := range r.Conflicts {
				why = append(why, c.Why)
			}
			if fmt.Sprint(why) != fmt.Sprint(test.why) {
				t.Errorf("conflicts %q, want %q", why, test.why)
			}
		})
	}
}

func TestMergeKeepsWhatItDoesNotKnow(t *testing.T) {
	top := func(line string, calls ...call) string {
		return strings.Replace(file(calls...), "version: 2\n", "version: 2\ntapedeck: {"+line+"}\n", 1)
	}
	a := call{id: 0, request: "GET /a", answer: `1`}
	_, out := merged(t, top("later: 1, gone: x", a),
		top("later: 1, gone: x, unfinished: why", a, call{id: 1, request: "GET /x", answer: `1`, own: "frames: [1]"}),
		top("later: 2, new: 3", a, call{id: 1, request: "GET /y", answer: `1`, own: "pinned: true, frames: [2]"}))
	for _, want := range []string{
		"tapedeck: {unfinished: why, later: 2, new: 3}\n",
		"- id: 1\n  tapedeck: {recorded: 2026-11-01, frames: [1]}\n",
		"- id: 2\n  tapedeck: {recorded: 2026-11-01, pinned: true, frames: [2]}\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	_, out = merged(t, file(a), file(call{id: 0, request: "GET /a", answer: `1`, own: "pinned: true"}), file(call{id: 0, request: "GET /a", answer: `1`, day: "2026-11-05"}))
	if !strings.Contains(out, "{recorded: 2026-11-01, pinned: true}") && !strings.Contains(out, "{recorded: 2026-11-05, pinned: true}") {
		t.Errorf("a mark is lost:\n%s", out)
	}
}

func TestMergeRefusesUnsettled(t *testing.T) {
	a := call{id: 0, request: "GET /a", answer: `1`, conflictSide: "ours"}
	_, err := Merge(doc(t, file()), doc(t, file(a)), doc(t, file()), matcher(t))
	if err == nil || !strings.Contains(err.Error(), "interaction 0 changed on both sides of a merge") {
		t.Errorf("got %v", err)
	}
}

// A merge is made of the three files alone: it does not change them.
func TestMergeLeavesItsInput(t *testing.T) {
	texts := []string{file(call{request: "GET /a", answer: `1`}), file(call{request: "GET /a", answer: `2`}), file(call{request: "GET /a", answer: `3`})}
	var docs []*cassettes.Document
	var before [][]byte
	for _, text := range texts {
		d := doc(t, text)
		b, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		docs, before = append(docs, d), append(before, b)
	}
	if _, err := Merge(docs[0], docs[1], docs[2], matcher(t)); err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		if after, err := d.Encode(); err != nil || !bytes.Equal(after, before[i]) {
			t.Errorf("document %d is another now (%v)", i, err)
		}
	}
}
