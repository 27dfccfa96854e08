//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tapedeck/examples/sessions"
)

// A suite is a test suite whose tests run at once, each with a cassette of its own.
type suite struct {
	name string // its folder under examples/sessions
	argv []string
	env  []string
	// twice runs each test two times; nil where the runner does not do that by itself.
	twice []string
	// cassettes are those that its tests have, with how many interactions each holds.
	cassettes map[string]int
	// quantity is the cassette of the test that QUANTITY changes.
	quantity string
	// fails are patterns of what the suite prints when only that test fails, passes
	// of what it prints of the others.
	fails, passes []string
	// absent is what the suite prints of that test when its cassette is gone.
	absent string
}

func suites(t *testing.T) []suite {
	t.Helper()
	python := pytest(t)
	test := func(test string) string { return "test_shop.py/" + escaped(test) }
	return []suite{
		{
			name:  "go",
			argv:  []string{"go", "test", "-count=1", "-v", "./..."},
			twice: []string{"go", "test", "-count=2", "./..."},
			env:   goEnvironment(t),
			cassettes: map[string]int{
				"TestBuy/EUR": 1, "TestBuy/USD": 1, "TestBuy/JPY": 1, "TestRefund": 4, "TestQuantity": 1,
			},
			quantity: "TestQuantity",
			fails:    []string{`(?m)^--- FAIL: TestQuantity`, `tapedeck_test\.go:\d+: tapedeck: no recording answers`},
			passes:   []string{`--- PASS: TestBuy/EUR`, `--- PASS: TestBuy/USD`, `--- PASS: TestBuy/JPY`, `--- PASS: TestRefund`},
			absent:   `tapedeck_test\.go:\d+: tapedeck: cassette cassettes/TestQuantity.yaml does not exist`,
		},
		{
			name: "python",
			argv: []string{python, "-m", "pytest", "-n", "2", "-rP"},
			cassettes: map[string]int{
				test("test_buy[requests-EUR-2500]"): 1, test("test_buy[requests-USD-2750]"): 1,
				test("test_buy[httpx-EUR-2500]"): 1, test("test_buy[httpx-USD-2750]"): 1,
				"test_shop.py/TestRefund/" + escaped("test_status[requests]"): 4,
				"test_shop.py/TestRefund/" + escaped("test_status[httpx]"):    4,
				test("test_quantity[requests]"):                               1, test("test_quantity[httpx]"): 1,
			},
			quantity: test("test_quantity[httpx]"),
			fails:    []string{`ERROR at teardown of test_quantity\[httpx\]`, `(?m)^tapedeck: no recording answers`, `2 failed, 6 passed, 2 errors`},
			passes:   []string{`_ test_buy\[httpx-EUR-2500\] _`},
			absent:   `(?m)^tapedeck: cassette cassettes/` + test("test_quantity[httpx]") + `.yaml does not exist`,
		},
		{
			name:      "node",
			argv:      []string{programs.node, "--test", "--test-reporter=tap"},
			cassettes: map[string]int{"buy/EUR": 1, "buy/USD": 1, "buy/JPY": 1, "refund": 4, "quantity": 1},
			quantity:  "quantity",
			fails:     []string{`not ok \d+ - buys in quantity`, `tapedeck: no recording answers`, `(?m)^# fail 1$`},
			passes:    []string{`ok \d+ - buys in EUR`, `ok \d+ - refunds`, `(?m)^# pass 4$`},
			absent:    `cassette cassettes/quantity.yaml does not exist`,
		},
		{
			name:      "shell",
			argv:      []string{programs.bash, "suite.sh"},
			env:       []string{"PATH=" + filepath.Dir(programs.tapedeck) + ":" + os.Getenv("PATH")},
			cassettes: map[string]int{"buy_EUR": 1, "refund": 4, "quantity": 1},
			quantity:  "quantity",
			fails:     []string{`(?m)^not ok quantity$`, `no recording answers`},
			passes:    []string{`(?m)^ok buy_EUR$`, `(?m)^ok refund$`},
			absent:    `cassette cassettes/quantity.yaml does not exist`,
		},
	}
}

// escaped is what a part of a session's name is called in a cassette's: pytest puts
// parameters into brackets.
func escaped(part string) string {
	sum := sha256.Sum256([]byte(part))
	return strings.NewReplacer("[", "-", "]", "-").Replace(part) + fmt.Sprintf("-%x", sum[:3])
}

// pytest is a Python that has what the suite in Python needs.
func pytest(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command(programs.python, "-c", "import pytest, xdist").CombinedOutput(); err != nil {
		t.Fatalf("%s has no pytest with pytest-xdist (%v): apt-get install python3-pytest python3-pytest-xdist\n%s", programs.python, err, out)
	}
	return programs.python
}

// goEnvironment lets go test use the caches of whoever runs this test: the
// workspace has a home of its own.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		t.Fatal(err)
	}
	env := []string{"GOTOOLCHAIN=local", "GOFLAGS=-mod=mod", "GOWORK=off"}
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env
}

// TestSessionSuites records each suite once, with its tests at the same time, and
// replays it with the shop gone. Then one test asks for something else: that test
// fails, with the reason, and the others do not.
func TestSessionSuites(t *testing.T) {
	for _, s := range suites(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			if err := os.CopyFS(w.dir, os.DirFS(filepath.Join(programs.flows, "sessions", s.name))); err != nil {
				t.Fatal(err)
			}
			shop, err := sessions.Start(t.TempDir(), w.secret("the shop's key", "shop_"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = shop.Stop() })
			key := "SHOP_KEY=" + w.secrets[0].Value
			under := func(argv, env []string, flags ...string) result {
				t.Helper()
				arguments := append([]string{"exec", "--cassettes", "cassettes", "--report", "report.json"}, flags...)
				return w.tapedeck(t, append(slices.Clone(s.env), env...), append(append(arguments, "--"), argv...)...)
			}
			run := func(env []string, flags ...string) result {
				t.Helper()
				return under(s.argv, env, flags...)
			}

			recorded := run([]string{key}, append([]string{"--mode", "record-once"}, shop.Flags()...)...)
			recorded.mustEnd(t, 0)
			if got := shop.Orders(); got != len(s.cassettes) {
				t.Errorf("the shop has %d orders, want %d: %s", got, len(s.cassettes), recorded)
			}
			if err := shop.Stop(); err != nil {
				t.Fatal(err)
			}
			w.mustHoldNoSecret(t)
			before := map[string]string{}
			for name, want := range s.cassettes {
				file := w.path("cassettes/" + name + ".yaml")
				if n := interactions(t, file); n != want {
					t.Errorf("cassette %s holds %d interactions, want %d", name, n, want)
				}
				before[name] = read(t, file)
			}

			replayed := run(nil)
			replayed.mustEnd(t, 0)
			if got, want := orders(replayed), orders(recorded); !slices.Equal(got, want) || len(got) != len(s.cassettes) {
				t.Errorf("the tests got %q, and when recording %q: %s", got, want, replayed)
			}
			for name, r := range w.report(t) {
				if want := s.cassettes[name]; r.Played != want || r.Misses != nil {
					t.Errorf("%d plays and %d misses of %s, want %d plays", r.Played, len(r.Misses), name, want)
				}
			}

			// Of many cassettes in which all is well there is one line.
			if n := strings.Count(replayed.stderr, "tapedeck: "); n != 1 && len(s.cassettes) > 3 {
				t.Errorf("the summary has %d lines, want 1: %s", n, replayed)
			}
			if s.twice != nil {
				under(s.twice, nil).mustEnd(t, 0)
				for name, r := range w.report(t) {
					if want := 2 * s.cassettes[name]; r.Played != want {
						t.Errorf("%d plays of %s in two runs of its test, want %d", r.Played, name, want)
					}
				}
			}

			// One test sends something else.
			missed := run([]string{"QUANTITY=4"})
			if missed.code == 0 {
				t.Errorf("a suite with a miss succeeded: %s", missed)
			}
			mustMatch(t, missed, append(slices.Clone(s.fails), s.passes...)...)
			mustMatch(t, missed, `body\.quantity`)
			for name, r := range w.report(t) {
				if strings.Contains(strings.ToLower(name), "quantity") != (len(r.Misses) > 0) {
					t.Errorf("%s has %d misses", name, len(r.Misses))
				}
			}

			// One test has not been recorded.
			if err := os.Remove(w.path("cassettes/" + s.quantity + ".yaml")); err != nil {
				t.Fatal(err)
			}
			unrecorded := run(nil)
			if unrecorded.code == 0 {
				t.Errorf("a suite of which one test is not recorded succeeded: %s", unrecorded)
			}
			mustMatch(t, unrecorded, append(slices.Clone(s.passes), s.absent)...)
			unrecorded.mustSay(t, "tapedeck exec --mode record-once --cassettes cassettes -- ")

			for name, was := range before {
				if file := w.path("cassettes/" + name + ".yaml"); name != s.quantity && read(t, file) != was {
					t.Errorf("replaying changed %s", name)
				}
			}
			w.mustHoldNoSecret(t)
		})
	}
}

// orders are the lines in which tests say which order they got, sorted: tests that
// run at once end in any order.
func orders(r result) []string {
	list := regexp.MustCompile(`\S+: ord_\d+`).FindAllString(r.stdout, -1)
	slices.Sort(list)
	return list
}

func mustMatch(t *testing.T, r result, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(r.stdout + r.stderr) {
			t.Errorf("%s is not said: %s", pattern, r)
		}
	}
}

// A played is what the report says of one cassette.
type played struct {
	Played int
	Misses []any
}

// report reads report.json, by the names of the cassettes.
func (w *workspace) report(t *testing.T) map[string]played {
	t.Helper()
	var report struct {
		Cassettes []struct {
			Cassette string
			played
		}
	}
	if err := json.Unmarshal([]byte(read(t, w.path("report.json"))), &report); err != nil {
		t.Fatal(err)
	}
	out := map[string]played{}
	for _, c := range report.Cassettes {
		out[strings.TrimSuffix(strings.TrimPrefix(c.Cassette, "cassettes/"), ".yaml")] = c.played
	}
	return out
}
