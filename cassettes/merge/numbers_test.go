package merge

import "testing"

// Ids that are plain numbers are counted anew in every recording. An answer keeps the
// number that its own side asks for next.
func TestMergeNumbers(t *testing.T) {
	post := func(item, id, day string) call {
		return call{request: `POST /orders {"item":"` + item + `"}`, answer: `{"id":` + id + `,"item":"` + item + `"}`, day: day}
	}
	get := func(item, id, day string) call {
		return call{request: "GET /orders/" + id, answer: `{"id":` + id + `,"item":"` + item + `"}`, day: day}
	}
	at := func(id int, c call) call { c.id = id; return c }
	in := func(list ...call) string {
		for i := range list {
			list[i].id = i
		}
		return file(list...)
	}
	for _, test := range []struct {
		name               string
		base, ours, theirs string
		want               string
		conflicts          int
	}{
		{"one more before, one more behind",
			in(post("apples", "1", ""), get("apples", "1", "")),
			in(post("apples", "1", "2026-11-02"), get("apples", "1", "2026-11-02"), post("figs", "2", "2026-11-02"), get("figs", "2", "2026-11-02")),
			file(at(2, post("nuts", "1", "2026-11-03")), at(3, get("nuts", "1", "2026-11-03")), at(0, post("apples", "2", "2026-11-03")), at(1, get("apples", "2", "2026-11-03"))),
			"4 POST /orders {\"item\":\"nuts\"} → {\"id\":1,\"item\":\"nuts\"}\n5 GET /orders/1 → {\"id\":1,\"item\":\"nuts\"}\n" +
				"0 POST /orders {\"item\":\"apples\"} → {\"id\":2,\"item\":\"apples\"}\n1 GET /orders/2 → {\"id\":2,\"item\":\"apples\"}\n" +
				"2 POST /orders {\"item\":\"figs\"} → {\"id\":2,\"item\":\"figs\"}\n3 GET /orders/2 → {\"id\":2,\"item\":\"figs\"}\n", 0},
		{"counted on by both",
			in(post("apples", "1", ""), get("apples", "1", "")),
			in(post("apples", "51", "2026-11-02"), get("apples", "51", "2026-11-02")),
			in(post("apples", "81", "2026-11-03"), get("apples", "81", "2026-11-03")),
			"0 POST /orders {\"item\":\"apples\"} → {\"id\":51,\"item\":\"apples\"} [ours]\n0 POST /orders {\"item\":\"apples\"} → {\"id\":81,\"item\":\"apples\"} [theirs]\n" +
				"1 GET /orders/51 → {\"id\":51,\"item\":\"apples\"} [ours]\n1 GET /orders/81 → {\"id\":81,\"item\":\"apples\"} [theirs]\n", 2},
		{"counted on by both, and never sent",
			in(post("apples", "1", "")), in(post("apples", "51", "2026-11-02")), in(post("apples", "81", "2026-11-03")),
			"0 POST /orders {\"item\":\"apples\"} → {\"id\":81,\"item\":\"apples\"}\n", 0},
		{"another plan is no id made anew",
			file(call{request: "GET /a", answer: `{"plan_id":11,"v":1}`}), file(call{request: "GET /a", answer: `{"plan_id":12,"v":1}`}), file(call{request: "GET /a", answer: `{"plan_id":11,"v":2}`}),
			"0 GET /a → {\"plan_id\":12,\"v\":1} [ours]\n0 GET /a → {\"plan_id\":11,\"v\":2} [theirs]\n", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, out := merged(t, test.base, test.ours, test.theirs)
			if got := calls(t, out); got != test.want || len(r.Conflicts) != test.conflicts {
				t.Errorf("merged, with %d conflicts:\n%swant, with %d:\n%s", len(r.Conflicts), got, test.conflicts, test.want)
			}
		})
	}
}
