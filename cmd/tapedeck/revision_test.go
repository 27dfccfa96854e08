package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRaw(t *testing.T) {
	const a, b, none = "aaaa", "bbbb", "0000"
	line := func(modes, ids, status string, names ...string) string {
		return ":" + modes + " " + ids + " " + status + "\x00" + strings.Join(names, "\x00") + "\x00"
	}
	for name, c := range map[string]struct {
		out        string
		inWorkTree bool
		want       []treeChange
	}{
		"none":             {"", false, nil},
		"changed":          {line("100644 100644", a+" "+b, "M", "x\ny.yaml"), false, []treeChange{{"x\ny.yaml", "x\ny.yaml", a, b}}},
		"in the work tree": {line("100644 100644", a+" "+none, "M", "x.yaml"), true, []treeChange{{"x.yaml", "x.yaml", a, ""}}},
		"new":              {line("000000 100644", none+" "+b, "A", "x.yaml"), false, []treeChange{{"", "x.yaml", none, b}}},
		"gone":             {line("100755 000000", a+" "+none, "D", "x.yaml"), false, []treeChange{{"x.yaml", "", a, none}}},
		"renamed":          {line("100644 100644", a+" "+b, "R086", "x.yaml", "y.yaml") + line("100644 100644", a+" "+b, "M", "z.yaml"), false, []treeChange{{"x.yaml", "y.yaml", a, b}, {"z.yaml", "z.yaml", a, b}}},
		"copied":           {line("100644 100644", a+" "+b, "C100", "x.yaml", "y.yaml"), false, []treeChange{{"", "y.yaml", a, b}}},
		"a link":           {line("120000 120000", a+" "+b, "M", "x.yaml"), false, nil},
		"a link no more":   {line("120000 100644", a+" "+b, "T", "x.yaml"), false, []treeChange{{"", "x.yaml", a, b}}},
		"a submodule":      {line("160000 160000", a+" "+b, "M", "x"), false, nil},
		"a merge":          {line("100644 000000", a+" "+none, "U", "x.yaml") + line("100644 100644", a+" "+none, "M", "x.yaml"), true, []treeChange{{"x.yaml", "x.yaml", a, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseRaw(c.out, c.inWorkTree)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(treeChange{})); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	for _, out := range []string{"x", ":100644", ":100644 100644 a b M\x00", ":100644 100644 a b R1\x00x\x00", "x:100644 100644 a b M\x00x\x00", ":100644 100644 a M\x00x\x00"} {
		if list, err := parseRaw(out, false); err == nil {
			t.Errorf("%q is read as %v", out, list)
		}
	}
}

func FuzzParseRaw(f *testing.F) {
	f.Add(":100644 100644 aaaa bbbb M\x00x.yaml\x00:100644 100644 aaaa bbbb R100\x00x\x00y\x00", true)
	f.Fuzz(func(t *testing.T, out string, inWorkTree bool) {
		list, err := parseRaw(out, inWorkTree)
		for _, c := range list {
			if err == nil && c.old == "" && c.new == "" {
				t.Error("a change of nothing")
			}
		}
	})
}

func TestPager(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"TAPEDECK_PAGER": "more -x", "PAGER": "most"}, "more -x"},
		{map[string]string{"PAGER": "most"}, "most"},
		{map[string]string{"PAGER": "cat"}, ""},
		{map[string]string{"TAPEDECK_PAGER": "", "PAGER": "most"}, ""},
	} {
		got := pagerOf(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if got != c.want {
			t.Errorf("%v: %q", c.env, got)
		}
	}
}

func TestMayCall(t *testing.T) {
	for _, c := range []struct {
		host, line string
		want       bool
	}{
		{"https://a.dev", "    url: https://a.dev/x", true},
		{"https://a.dev", "    url: https://A.dev:443", true},
		{"https://a.dev", `    "url": "https://a.dev?x=1"`, true},
		{"https://a.dev", "    request: {url: https://u:p@a.dev, method: GET}", true},
		{"https://a.dev", "    url: https://a.dev.evil.dev/x", false},
		{"https://a.dev", "    url: https://b.a.dev/x", false},
		{"https://a.dev", "    url: https://aXdev/x", false},
		{"https://a.dev", "    url: http://a.dev/x", false},
		{"http://a.dev:8080", "    url: http://a.dev:8080/x", true},
		{"http://a.dev:8080", "    url: http://a.dev/x", false},
		{"http://[::1]:9200", "    url: http://[::1]:9200/x", true},
	} {
		if got := regexp.MustCompile("(?i)" + mayCall(c.host)).MatchString(c.line); got != c.want {
			t.Errorf("%s in %q: %v", c.host, c.line, got)
		}
	}
}
