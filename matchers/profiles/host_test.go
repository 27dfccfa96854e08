package profiles

import (
	"strings"
	"testing"
)

func TestHostPattern(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"api.acme.dev", []string{"api.acme.dev", "API.acme.dev.", "api.acme.dev:443", "api.acme.dev:8443"}, []string{"xapi.acme.dev", "api.acme.dev.evil.com", "apiXacme.dev", ""}},
		{"api.acme.dev:443", []string{"api.acme.dev:443"}, []string{"api.acme.dev", "api.acme.dev:80", "api.acme.dev:4430"}},
		{"*.acme.dev", []string{"a.acme.dev", "a.acme.dev:1"}, []string{"acme.dev", "a.b.acme.dev"}},
		{"**.acme.dev", []string{"a.acme.dev", "a.b.acme.dev"}, []string{"acme.dev", "xacme.dev"}},
		{"api-*.acme.dev", []string{"api-eu.acme.dev", "api-.acme.dev"}, []string{"api-eu.x.acme.dev"}},
		{"*", []string{"acme.dev", "localhost:9200", "::1"}, nil},
		{"**", []string{"a.acme.dev"}, nil},
		{"*:9200", []string{"localhost:9200", "a.b:9200"}, []string{"localhost"}},
		{"localhost:9200", []string{"localhost:9200", "LOCALHOST:9200"}, []string{"localhost", "127.0.0.1:9200"}},
		{"127.0.0.1", []string{"127.0.0.1", "127.0.0.1:80"}, []string{"127.0.0.11", "1127.0.0.1"}},
		{"[::1]:9200", []string{"[::1]:9200", "[0:0::1]:9200"}, []string{"::1", "[::1]:80"}},
		{"::1", []string{"::1", "[::1]:80", "[::1]"}, []string{"::2"}},
		{"bücher.example", []string{"xn--bcher-kva.example", "BÜCHER.example:80"}, []string{"bucher.example"}},
		{"**.bücher.example", []string{"a.b.xn--bcher-kva.example"}, nil},
		{"a+b.dev", []string{"a+b.dev"}, []string{"aab.dev"}},
	}
	for _, test := range tests {
		p, err := ParseHost(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if p.String() != test.pattern {
			t.Errorf("%s: String is %s", test.pattern, p)
		}
		for _, host := range test.yes {
			if !p.Match(host) {
				t.Errorf("%s does not select %q", test.pattern, host)
			}
		}
		for _, host := range test.no {
			if p.Match(host) {
				t.Errorf("%s selects %q", test.pattern, host)
			}
		}
	}
	if _, err := ParseHost(strings.Repeat("*", 1<<20)); err == nil {
		t.Error("a host of a million stars is taken")
	}
	if (HostPattern{}).Match("x") {
		t.Error("the zero pattern selects something")
	}
}

func TestNamePattern(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"checkout", []string{"checkout"}, []string{"checkout/EUR", "xcheckout"}},
		{"checkout/*", []string{"checkout/EUR", "checkout::EUR", "checkout/"}, []string{"checkout", "checkout/EUR/a"}},
		{"checkout/**", []string{"checkout", "checkout/EUR", "checkout::EUR::a", "checkout/EUR/a"}, []string{"checkouts"}},
		{"checkout::**", []string{"checkout/EUR"}, []string{"x"}},
		{"**", []string{"", "a", "a/b"}, nil},
		{"**/EUR", []string{"EUR", "checkout/EUR", "a/b/EUR"}, []string{"xEUR", "EUR/a"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b"}, []string{"ab", "a/xb"}},
		{"*-live", []string{"x-live", "-live"}, []string{"a/x-live"}},
		{"a.b[c]", []string{"a.b[c]"}, []string{"axb[c]", "a.bc"}},
		{"line*", []string{"line\nbreak"}, nil},
	}
	for _, test := range tests {
		p, err := ParseName(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for _, name := range test.yes {
			if !p.Match(name) {
				t.Errorf("%s does not select %q", test.pattern, name)
			}
		}
		for _, name := range test.no {
			if p.Match(name) {
				t.Errorf("%s selects %q", test.pattern, name)
			}
		}
	}
}

func TestNamePatternTooLong(t *testing.T) {
	if _, err := ParseName(strings.Repeat("a*/", 342)); err == nil {
		t.Error("a pattern of 1026 bytes is taken")
	}
}

func TestParseDays(t *testing.T) {
	for text, want := range map[string]Days{"1d": 1, "90d": 90, "9999d": 9999, "0d": 0, "10000d": 0, "-1d": 0, "01d": 0, "90": 0, "d": 0, "": 0, "90D": 0, "90d ": 0, "1.5d": 0} {
		got, err := ParseDays(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"ingore": "ignore", "maxage": "max_age", "max-age": "max_age", "Rule": "rules", "casette": "cassettes", "zzz": "", "": ""} {
		got, ok := Nearest(word, []string{"cassettes", "ignore", "max_age", "rules"})
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v", word, got, ok)
		}
	}
}
