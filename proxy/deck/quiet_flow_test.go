package deck_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapedeck/proxy/deck"
)

// A flow is a program and what an API answers it. In both, $A, $B and $C are the ids of a
// recording, and {0.id} in a request is a member of the first answer that came.
type flow []struct{ method, path, body, answer string }

func (f flow) named(ids []string) flow {
	out := append(flow{}, f...)
	for i := range out {
		for n, id := range ids {
			out[i].answer = strings.ReplaceAll(out[i].answer, "$"+string(rune('A'+n)), id)
		}
	}
	return out
}

// run sends what a flow sends and returns the answers.
func (f flow) run(t *testing.T, to http.RoundTripper) (saw []string) {
	t.Helper()
	var answers []map[string]any
	fill := func(text string) string {
		for i, answer := range answers {
			for name, v := range answer {
				text = strings.ReplaceAll(text, fmt.Sprintf("{%d.%s}", i, name), fmt.Sprint(v))
				sum := sha256.Sum256([]byte(fmt.Sprint(v)))
				text = strings.ReplaceAll(text, fmt.Sprintf("{sha256 %d.%s}", i, name), hex.EncodeToString(sum[:]))
				text = strings.ReplaceAll(text, fmt.Sprintf("{start %d.%s}", i, name), fmt.Sprintf("%.8s", v))
			}
		}
		return text
	}
	for _, step := range f {
		_, got := ask(t, to, step.method, "https://api.shop.dev"+fill(step.path), fill(step.body), "Content-Type", jsonType)
		saw = append(saw, got)
		d := json.NewDecoder(strings.NewReader(got))
		d.UseNumber()
		answer := map[string]any{}
		d.Decode(&answer)
		answers = append(answers, answer)
	}
	return saw
}

// answering answers the steps in their order.
func (f flow) answering() http.RoundTripper {
	n := -1
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			io.Copy(io.Discard, req.Body)
		}
		n++
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", jsonType)
		io.WriteString(w, f[n].answer)
		resp := w.Result()
		resp.Request = req
		return resp, nil
	})
}

func (b *bench) recordFlow(f flow) {
	b.t.Helper()
	d := b.open(deck.RecordOnly, f.answering(), func(o *deck.Options) {
		o.Now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	})
	f.run(b.t, d)
	b.close(d)
}

const uuidA, uuidB = "0b7bd6b1-3bd5-4a0e-9f0c-5a3b8f7f1a01", "5f2c9e77-1111-4d2a-8a77-c2b9d0e4f302"

// What is recorded again is played to the same program either under the names of the
// first recording alone, or under those of the second alone: never under both.
func TestFlowsPlayUnderOneRecordingsNames(t *testing.T) {
	made := flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A,"n":"a"}`}, {"POST", "/t", `{"n":"b"}`, `{"id":$B,"n":"b"}`}}
	reads := func(a, b string) flow {
		return flow{{"GET", "/t/" + a, "", `{"id":$A,"n":"a"}`}, {"GET", "/t/" + b, "", `{"id":$B,"n":"b"}`}}
	}
	shifted := [2][]string{{"101", "102"}, {"102", "103"}}
	apart := [2][]string{{"101", "102"}, {"207", "208"}}
	for name, c := range map[string]struct {
		first, second flow // second is nil when it is the same
		ids           [2][]string
		quiet         bool
	}{
		"numbers in a list": {first: append(append(made[:2:2], flow{{"GET", "/t", "", `{"first":$A,"data":[$A,$B]}`}}...), reads("{2.first}", "{1.id}")...), ids: apart, quiet: true},
		"numbers in a list of what is new": {first: made, ids: apart,
			second: append(append(made[:2:2], flow{{"GET", "/t", "", `{"for":$B,"data":[$A,$B]}`}}...), flow{{"GET", "/t/{2.for}", "", `{"id":$B,"n":"b"}`}}...)},
		"numbers that moved on by one": {first: append(append(made[:2:2], flow{{"GET", "/t", "", `{"first":$A,"data":[$A,$B]}`}}...), reads("{2.first}", "{1.id}")...), ids: shifted},
		"numbers in names of files":    {first: append(made[:2:2], reads("{0.id}.json", "{1.id}.json")...), ids: apart},
		"numbers in texts": {ids: apart, quiet: true, first: append(flow{
			{"POST", "/t", `{"n":"a"}`, `{"id":$A,"text":"Order $A is made.","gid":"gid://shop/Order/$A"}`},
			{"POST", "/t", `{"n":"b"}`, `{"id":$B,"text":"Order $B is made.","gid":"gid://shop/Order/$B"}`}}, reads("{0.id}", "{1.id}")...)},
		"numbers as names of members": {first: append(append(made[:2:2], flow{{"GET", "/t", "", `{"$A":{"n":"a"},"$B":{"n":"b"}}`}}...), reads("{0.id}", "{1.id}")...), ids: apart},
		"numbers sent under other names": {ids: apart, first: append(append(made[:2:2], flow{
			{"POST", "/move", `{"from":"{0.id}","to":"{1.id}","rows":208}`, `{"ok":1}`}, {"GET", "/rows?of={1.id}&limit=208", "", `{"data":[$A]}`}}...), reads("{0.id}", "{1.id}")...)},
		"numbers beside amounts": {ids: apart, quiet: true, first: append(flow{
			{"POST", "/t", `{"n":"a"}`, `{"id":$A,"amount":208,"rows":[207]}`}, {"POST", "/t", `{"n":"b"}`, `{"id":$B,"amount":101}`}}, reads("{0.id}", "{1.id}")...)},
		"an old number is something else": {first: made, ids: apart,
			second: append(made[:2:2], flow{{"GET", "/t/{0.id}", "", `{"id":$A,"was_id":101}`}, {"GET", "/t/{2.was_id}", "", `{"error":"gone"}`}}...)},
		"a hash of an id": {ids: [2][]string{{`"` + uuidA + `"`}, {`"` + uuidB + `"`}},
			first: flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A}`}, {"POST", "/s", `{"h":"{sha256 0.id}"}`, `{"ok":1}`}}},
		"a hash of a number": {ids: apart, first: flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A}`}, {"POST", "/s", `{"h":"{sha256 0.id}"}`, `{"ok":1}`}}},
		"the start of an id": {ids: [2][]string{{`"` + uuidA + `"`}, {`"` + uuidB + `"`}},
			first: flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A}`}, {"POST", "/s", `{"n":"test-{start 0.id}"}`, `{"ok":1}`}}},
		"the start of an id, in what is new": {ids: [2][]string{{`"` + uuidA + `"`}, {`"` + uuidB + `"`}},
			first:  flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A}`}},
			second: flow{{"POST", "/t", `{"n":"a"}`, `{"id":$A}`}, {"POST", "/s", `{"n":"test-{start 0.id}"}`, `{"ok":1}`}}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.second == nil {
				c.second = c.first
			}
			b := newBench(t)
			b.recordFlow(c.first.named(c.ids[0]))
			before := b.file()
			b.recordFlow(c.second.named(c.ids[1]))
			if c.quiet {
				b.unchanged(before, "the same again")
			}
			d := b.open(deck.ReplayOnly, nil)
			got := c.second.run(t, d)
			b.close(d)
			for n, ids := range c.ids {
				want := c.second.named(ids)
				for i := range want {
					if got[i] != want[i].answer {
						break
					}
					if i == len(want)-1 {
						return
					}
				}
				t.Logf("not under the names of recording %s", strconv.Itoa(n+1))
			}
			t.Errorf("played\n%s", strings.Join(got, "\n"))
		})
	}
}
