package merge

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"tapedeck/cassettes"
	"tapedeck/cassettes/redact"
	"tapedeck/proxy/deck"
)

// A branch is a cassette that grows by random edits, as recordings and people make them.
type branch struct {
	r     *rand.Rand
	name  string
	calls []call
	next  int // id
	token int // placeholder
	made  int
}

func (b *branch) fork(seed uint64, name string) *branch {
	return &branch{r: rand.New(rand.NewPCG(seed, uint64(len(name)))), name: name, calls: slices.Clone(b.calls), next: b.next, token: b.token}
}

// text is the file as tapedeck writes it.
func (b *branch) text(t testing.TB) string {
	t.Helper()
	out, err := doc(t, file(b.calls...)).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (b *branch) add(at int, c call) {
	c.id = b.next
	b.next++
	b.calls = slices.Insert(b.calls, at, c)
}

func (b *branch) id(prefix string) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
	out := []byte(prefix)
	for range 14 {
		out = append(out, letters[b.r.IntN(len(letters))])
	}
	return string(out)
}

// edit does one thing that happens to cassettes.
func (b *branch) edit() {
	n := len(b.calls)
	switch op := b.r.IntN(10); {
	case op < 4 || n == 0: // a new flow at the end or in between
		at := n
		if b.r.IntN(3) == 0 {
			at = b.r.IntN(n + 1)
		}
		b.made++
		customer, name := b.id("cus_"), fmt.Sprintf("%s-%d", b.name, b.made)
		b.token++
		token := redact.Number(b.token)
		b.add(at, call{request: `POST /customers {"name":"` + name + `"}`, answer: `{"id":"` + customer + `","secret":"REDACTED-` + token + `"}`})
		b.add(at+1, call{request: "GET /customers/" + customer, answer: `{"id":"` + customer + `","name":"` + name + `"}`, token: "REDACTED-" + token})
		if b.r.IntN(2) == 0 {
			b.add(at+2, call{request: "POST /customers/" + customer + ` {"vip":true}`, answer: `{"vip":"` + name + `"}`, token: "REDACTED-" + token})
			b.add(at+3, call{request: "GET /customers/" + customer, answer: `{"id":"` + customer + `","vip":"` + name + `"}`, token: "REDACTED-" + token})
		}
	case op < 6: // an answer changes
		at := b.r.IntN(n)
		b.calls[at].answer = strings.Replace(b.calls[at].answer, "{", fmt.Sprintf(`{"v%d":%d,`, b.r.IntN(3), b.r.IntN(3)), 1)
	case op == 6: // a step of a flow goes, but not the one that all others need
		if at := b.r.IntN(n); !strings.HasPrefix(b.calls[at].request, "POST /customers ") {
			b.calls = slices.Delete(b.calls, at, at+1)
		}
	case op == 7: // only the day
		b.calls[b.r.IntN(n)].day = fmt.Sprintf("2026-11-%02d", 1+b.r.IntN(9))
	case op == 8: // a read that both may add
		b.add(n, call{request: fmt.Sprintf("GET /plans/%d", b.r.IntN(4)), answer: fmt.Sprintf(`{"plan":%d}`, b.r.IntN(2))})
	default: // recorded anew: the API invents other ids
		to := make(map[string]string)
		day := fmt.Sprintf("2026-11-%02d", 10+b.r.IntN(9))
		for i := range b.calls {
			c := &b.calls[i]
			c.day = day
			for _, field := range []*string{&c.request, &c.answer} {
				*field = customers(*field, func(id string) string {
					if to[id] == "" {
						to[id] = b.id("cus_")
					}
					return to[id]
				})
			}
		}
	}
}

// customers replaces the customer ids of a text.
func customers(s string, f func(string) string) string {
	var out strings.Builder
	for {
		i := strings.Index(s, "cus_")
		if i < 0 || len(s) < i+18 {
			return out.String() + s
		}
		out.WriteString(s[:i] + f(s[i:i+18]))
		s = s[i+18:]
	}
}

// blank takes out of a line what two recordings do not share.
func blank(s string) string {
	s = customers(s, func(string) string { return "cus_" })
	return redact.Blank(s)
}

// bag is what a file holds, regardless of order, ids, invented names and numbers.
func bag(t testing.TB, text string, swap bool) []string {
	var out []string
	for line := range strings.Lines(calls(t, text)) {
		_, line, _ = strings.Cut(line, " ")
		if swap {
			line = strings.NewReplacer("[ours]", "[theirs]", "[theirs]", "[ours]").Replace(line)
		}
		out = append(out, blank(line))
	}
	sort.Strings(out)
	return out
}

func TestMergeProperties(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	conflicts, clean := 0, 0
	for seed := range uint64(rounds) {
		root := &branch{r: rand.New(rand.NewPCG(seed, 1)), name: "base"}
		for range 1 + root.r.IntN(5) {
			root.edit()
		}
		x, y := root.fork(seed*2+1, "x"), root.fork(seed*2+2, "yy")
		for range 1 + root.r.IntN(4) {
			x.edit()
		}
		for range 1 + root.r.IntN(4) {
			y.edit()
		}
		base, ours, theirs := root.text(t), x.text(t), y.text(t)
		report := func(format string, args ...any) {
			t.Fatalf("seed %d: %s\nbase\n%sours\n%stheirs\n%s", seed, fmt.Sprintf(format, args...), calls(t, base), calls(t, ours), calls(t, theirs))
		}
		for _, same := range []struct{ name, base, ours, theirs, want string }{
			{"merge(base,x,base)", base, ours, base, ours},
			{"merge(base,base,x)", base, base, ours, ours},
			{"merge(base,x,x)", base, ours, ours, ours},
			{"merge(none,x,x)", file(), ours, ours, ours},
			{"merge(none,x,none)", file(), ours, file(), ours},
		} {
			if _, got := merged(t, same.base, same.ours, same.theirs); got != same.want {
				report("%s is not x:\n%s\nbut\n%s", same.name, same.want, got)
			}
		}
		r, out := merged(t, base, ours, theirs)
		_, other := merged(t, base, theirs, ours)
		if a, b := bag(t, out, false), bag(t, other, true); !slices.Equal(a, b) {
			report("merging the other way round gives something else:\n%s\nbut\n%s", strings.Join(a, ""), strings.Join(b, ""))
		}
		seen := make(map[string]bool)
		for _, in := range doc(t, out).List {
			if at := fmt.Sprint(in.ID, in.Conflict); seen[at] || in.Conflict != "" && seen[fmt.Sprint(in.ID)] {
				report("an id stands twice:\n%s", calls(t, out))
			} else {
				seen[at] = true
			}
		}
		if len(r.Conflicts) > 0 {
			conflicts++
			// Criss-cross: what git makes of two bases is one with conflicts in it.
			if r, _ := merged(t, out, ours, theirs); len(r.Conflicts) == 0 && ours != theirs {
				report("merged against a base in conflict there is none")
			}
			if _, got := merged(t, out, ours, ours); got != ours {
				report("merge(conflict,x,x) is not x:\n%s", calls(t, got))
			}
			continue
		}
		clean++
		for _, side := range []*branch{x, y} {
			replay(t, out, side, report)
		}
	}
	if conflicts < rounds/50 || clean < rounds/2 {
		t.Errorf("of %d merges %d had conflicts and %d had none", rounds, conflicts, clean)
	}
}

// replay plays the flows that a side has added against a merged file.
func replay(t *testing.T, text string, side *branch, report func(string, ...any)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := cassettes.NewFolder(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	d, err := deck.Open(deck.Options{Store: store, Name: "x", File: path, Mode: deck.ReplayOnly, Matcher: matcher(t), Rules: rules(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(deck.Outcome{})
	// As a program has it: what an answer has named is what it asks for.
	names, tokens := make(map[string]string), make(map[string]string)
	for _, c := range side.calls {
		flow := `"` + side.name + "-"
		own := strings.Contains(c.answer, flow) || strings.Contains(c.request, flow)
		request := customers(c.request, func(id string) string {
			if to := names[id]; to != "" {
				return to
			}
			return id
		})
		method, rest, _ := strings.Cut(request, " ")
		target, body, _ := strings.Cut(rest, " ")
		req, err := http.NewRequest(method, "https://api.test"+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+cmp.Or(tokens[c.token], "live-"+c.token)) // its own, where no answer brought one
		}
		resp, err := d.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		// What both have may have another answer now, or be gone.
		if own && (resp.StatusCode != 200 || blank(string(got)) != blank(c.answer)) {
			report("%s of %s is answered %d %s, want %s\nmerged\n%s", c.request, side.name, resp.StatusCode, got, c.answer, calls(t, text))
		}
		if was, now := redact.Placeholders(c.answer), redact.Placeholders(string(got)); len(was) == 1 && len(now) == 1 {
			tokens["REDACTED-"+was[0].ID] = string(got)[now[0].Start:now[0].End]
		}
		var was []string
		customers(c.answer, func(id string) string { was = append(was, id); return id })
		i := 0
		customers(string(got), func(id string) string {
			if i < len(was) {
				names[was[i]] = id
			}
			i++
			return id
		})
	}
}
