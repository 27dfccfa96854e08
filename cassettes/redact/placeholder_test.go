package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestPlaceholders(t *testing.T) {
	tests := []struct{ in, want string }{ // want: id[/env]@text, joined by spaces
		{"Bearer REDACTED-0001", "0001@REDACTED-0001"},
		{"sk_test_REDACTED-STRIPE_KEY-0007!", "0007/STRIPE_KEY@REDACTED-STRIPE_KEY-0007"},
		{"pi_3_secret_REDACTED0002", "0002@REDACTED0002"},
		{"sk_test_REDACTED-STRIPE_KEY-0000000007!", "0007/STRIPE_KEY@REDACTED-STRIPE_KEY-0000000007"},
		{"sk_test_REDACTED-0000000002", "0002@REDACTED-0000000002"},
		{"pi_3_secret_REDACTED000000000002", "0002@REDACTED000000000002"},
		{"REDACTED-A00000000010000", "A00010000@REDACTED-A00000000010000"},
		{"sk_test_REDACTED-A000000000010000", "A00010000@REDACTED-A000000000010000"},
		{"pi_3_secret_REDACTEDA000000000010000", "A00010000@REDACTEDA000000000010000"},
		{"REDACTED-000000010002 REDACTED-00000000002 REDACTED-0000000000002 REDACTED-A00010000010000", ""},
		{"Redacted-0001 redacted-a00010000.acme.dev redacted-a00000000010000@example.com", "0001@Redacted-0001 A00010000@redacted-a00010000 A00010000@redacted-a00000000010000@example.com"},
		{"x eyJhbGciOiJIUzI1NiJ9.ewoiZXhwIjoxfQ.REDACTED000000000003 y", "0003@eyJhbGciOiJIUzI1NiJ9.ewoiZXhwIjoxfQ.REDACTED000000000003"},
		{"REDACTED-A00010000", "A00010000@REDACTED-A00010000"},
		{"REDACTED-0001REDACTED-0002", "0001@REDACTED-0001 0002@REDACTED-0002"},
		{"REDACTED-00012", ""},
		{"REDACTED-001", ""},
		{"REDACTED", ""},
		{"REDACTED-", ""},
		{"REDACTED-A0001000", ""},
		{"ReDacted-0001 REdacted0001 redacted-001", ""},
		{"REDACTED-REDACTED-0001", "0001@REDACTED-0001"},
		{"REDACTED-9A-0001", ""},
		{"REDACTED-0001-0002", "0001@REDACTED-0001"},
		{"card 4988438843884305", "4988438843884305@4988438843884305"},
		{"card 4988 4388 4388 4305 04/27", "4988438843884305@4988 4388 4388 4305"},
		{"id4988438843884305 14988438843884305 4988438843884305.5", ""},
		{"4242424242424242", ""},
		{"x eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.REDACTED0003 y", "0003@eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.REDACTED0003"},
		{"eyJhbGciOiJIUzI1NiJ9.e30.REDACTEDA00010000AAA", "A00010000@eyJhbGciOiJIUzI1NiJ9.e30.REDACTEDA00010000AAA"},
		{"a.b.REDACTED0003", "0003@REDACTED0003"},
		{"REDACTED-0001eyJhbGciOiJIUzI1NiJ9.e30.REDACTED0003", "0001@REDACTED-0001 0003@eyJhbGciOiJIUzI1NiJ9.e30.REDACTED0003"},
	}
	for _, tt := range tests {
		var got []string
		for _, ph := range Placeholders(tt.in) {
			id := ph.ID
			if ph.Env != "" {
				id += "/" + ph.Env
			}
			got = append(got, id+"@"+tt.in[ph.Start:ph.End])
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%q:\n got %q\nwant %q", tt.in, g, tt.want)
		}
	}
}

func TestBlank(t *testing.T) {
	same := [][]string{
		{"sk_test_REDACTED-0001", "sk_test_REDACTED-STRIPE_KEY-0007", "sk_test_REDACTED-A00010000", "sk_test_REDACTED-0000000001",
			"sk_test_REDACTED-STRIPE_KEY-0000000007", "sk_test_REDACTED-A000000000010000"},
		{"a_secret_REDACTED0001", "a_secret_REDACTED000000000002"},
		{"4988438843884305", "4166676667666746"},
		{"x=eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.REDACTED0001", "x=eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjJ9.REDACTED0009"},
	}
	for _, group := range same {
		for _, s := range group[1:] {
			if Blank(s) != Blank(group[0]) {
				t.Errorf("%q and %q differ when blank", group[0], s)
			}
		}
	}
	for _, s := range []string{"4242424242424242", "plain", "REDACTED", ""} {
		if Blank(s) != s {
			t.Errorf("Blank(%q) = %q", s, Blank(s))
		}
	}
}

func TestRenumber(t *testing.T) {
	tests := []struct {
		in, want string
		ids      map[string]string
	}{
		{"REDACTED-0001 REDACTED-0002", "REDACTED-0002 REDACTED-0001", map[string]string{"0001": "0002", "0002": "0001"}},
		{"REDACTED-KEY-0001 x_secret_REDACTED0001", "REDACTED-KEY-A00000000012345 x_secret_REDACTEDA000000000012345", map[string]string{"0001": "A00012345"}},
		{"sk_test_REDACTED-0001 sk_test_REDACTED-0000000001 x_secret_REDACTED000000000001", "sk_test_REDACTED-0002 sk_test_REDACTED-0000000002 x_secret_REDACTED000000000002", map[string]string{"0001": "0002"}},
		{"REDACTED-A00000000012345 sk_test_REDACTED-A000000000012345", "REDACTED-0002 sk_test_REDACTED-0000000002", map[string]string{"A00012345": "0002"}},
		{"redacted-a00000000012345.acme.dev redacted-0000000001.acme.dev", "redacted-0001.acme.dev redacted-a000000000012345.acme.dev", map[string]string{"A00012345": "0001", "0001": "A00012345"}},
		{"eyJhbGciOiJIUzI1NiJ9.e30.REDACTED0001.", "eyJhbGciOiJIUzI1NiJ9.e30.REDACTEDA000000000012345.", map[string]string{"0001": "A00012345"}},
		{"eyJhbGciOiJIUzI1NiJ9.e30.REDACTEDA00012345AAA", "eyJhbGciOiJIUzI1NiJ9.e30.REDACTED0001", map[string]string{"A00012345": "0001"}},
		{"4988 4388 4388 4305", "4166 6766 6766 6746", map[string]string{"4988438843884305": "4166676667666746"}},
		{"REDACTED-0009", "REDACTED-0009", map[string]string{"0001": "0002"}},
	}
	for _, tt := range tests {
		if got := Renumber(tt.in, tt.ids); got != tt.want {
			t.Errorf("Renumber(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Where a word goes on beside a placeholder, gitleaks takes both for one value: the
// number has zeros there, and nowhere else.
func TestNumbersInsideWords(t *testing.T) {
	for in, want := range map[string]string{
		"V": "REDACTED-0001", "see V.": "see REDACTED-0001.", "key: V.": "key: REDACTED-0000000001.", "V-x": "REDACTED-0000000001-x", "see V-x": "see REDACTED-0001-x",
		"x-V": "x-REDACTED-0000000001", "x/V/y": "x/REDACTED-0001/y", "id=V": "id=REDACTED-0000000001", "a=1&id=V": "a=1&id=REDACTED-0001", "a=1; id=V; b": "a=1; id=REDACTED-0001; b",
		"level=info id=V x": "level=info id=REDACTED-0001 x", "auth: id=V": "auth: id=REDACTED-0000000001", `"V"`: `"REDACTED-0001"`, "(id=V)": "(id=REDACTED-0001)",
		"a%2FV": "a%2FREDACTED-0001", "a%5FV": "a%5FREDACTED-0000000001", `a\nV`: `a\nREDACTED-0001`, "Bearer V": "Bearer REDACTED-0001",
		"pi_3_secret_V": "pi_3_secret_REDACTED000000000001",
	} {
		v := learnedByName(t, random1)
		if got := v.Text(strings.Replace(in, "V", random1, 1)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	// gitleaks takes 20 letters, digits and hyphens behind "glpat-" for a token.
	v := vault(t, Config{Env: []string{"ACME_TOKEN=glpat-" + random1}})
	if got := v.Text("use glpat-" + random1); got != "use glpat-REDACTED-0000000001" {
		t.Error(got)
	}
}

// What earlier versions wrote stays as it is, under secret names too.
func TestEarlierForms(t *testing.T) {
	for _, value := range []string{"sk_test_REDACTED-0001", "sk_test_REDACTED-STRIPE_KEY-0001", "REDACTED-STRIPE_KEY-0001", "pi_3Nab_secret_REDACTED0001", "whsec_REDACTED0001",
		"REDACTED-A00010000", "sk_test_REDACTED-A00010000", "pi_3Nab_secret_REDACTEDA00010000", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.REDACTED0001", "eyJhbGciOiJIUzI1NiJ9.e30.REDACTEDA00010000AAA"} {
		v := vault(t, Config{})
		in := `{"token":"` + value + `","note":"it is ` + value + ` today"}`
		if got := body(t, v, stripe, InResponse, jsonType, in); got != in {
			t.Errorf("\n got %s\nwant %s", got, in)
		}
		want := "0001"
		if strings.Contains(value, "A0001") {
			want = "A00010000"
		}
		for _, ph := range Placeholders(in) {
			if ph.ID != want {
				t.Errorf("%s has the number %s", value, ph.ID)
			}
		}
		if !v.Rules().IsClean(value) {
			t.Errorf("%s is not clean", value)
		}
	}
}

func TestCardPool(t *testing.T) {
	for name, numbers := range cardPool {
		for _, n := range numbers {
			if !luhn(n) || cardBrand(n) != name {
				t.Errorf("%s: %s is not a valid number of the brand", name, n)
			}
			if publishedCard(n) {
				t.Errorf("%s: %s is well known, so it cannot stand for another", name, n)
			}
		}
	}
}

func TestCardsAreGivenOutOncePerNumber(t *testing.T) {
	v := vault(t, Config{})
	seen := map[string]string{}
	for i := range len(cardPool["visa"]) + 3 {
		number := withLuhn(fmt.Sprintf("45395787636%04d", i*7))
		got := body(t, v, stripe, InRequest, formType, "card[number]="+number)
		if got == "card[number]="+number {
			t.Fatalf("%s was not replaced", number)
		}
		if other := seen[got]; other != "" {
			t.Errorf("%s and %s became the same", number, other)
		}
		seen[got] = number
		if i >= len(cardPool["visa"]) && !strings.Contains(got, "REDACTED-") {
			t.Errorf("the pool is used up, but %s was given out", got)
		}
	}
}

// withLuhn appends the check digit.
func withLuhn(digits string) string {
	for d := '0'; d <= '9'; d++ {
		if luhn(digits + string(d)) {
			return digits + string(d)
		}
	}
	panic("no digit fits")
}

func TestJWT(t *testing.T) {
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	tests := []struct{ name, header, claims, wantHeader, wantClaims string }{
		{"usual", `{"alg":"RS256","typ":"JWT","kid":"k1","jku":"https://x"}`,
			`{"iss":"https://id.acme.dev","sub":"alice","email":"a@b.c","aud":["x"],"exp":1,"iat":2,"scope":"a b","roles":["admin"]}`,
			`{"alg":"RS256","typ":"JWT","kid":"k1"}`, `{"iss":"https://id.acme.dev","aud":["x"],"exp":1,"iat":2,"scope":"a b"}`},
		{"issuer is a person", `{"alg":"RS256"}`, `{"iss":"bot@acme.iam.gserviceaccount.com","exp":1}`, `{"alg":"RS256"}`, `{"exp":1}`},
		{"a secret among the claims", `{"alg":"RS256"}`, `{"aud":"sk_test_` + key40 + `"}`, `{"alg":"RS256"}`, `{}`},
		{"nested claims", `{"typ":"at+jwt","alg":"ES256"}`, `{"aud":{"x":"y"},"exp":1.5e9}`, `{"alg":"ES256","typ":"at+jwt"}`, `{"exp":1.5e9}`},
		{"white space", `{ "alg": "none" }`, `{ "exp": 5 }`, `{"alg":"none"}`, `{"exp":5}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := vault(t, Config{})
			token := enc(tt.header) + "." + enc(tt.claims) + "." + enc("signature of the token")
			want := enc(tt.wantHeader) + "." + enc("{\n"+strings.TrimPrefix(tt.wantClaims, "{")) + ".REDACTED000000000001"
			for place, pattern := range map[string]string{
				"named": `{"id_token":"%s"}`, "neutral": `{"x":"%s"}`, "in text": `{"x":"Bearer %s."}`,
			} {
				got := body(t, v, stripe, InResponse, jsonType, fmt.Sprintf(pattern, token))
				if got != fmt.Sprintf(pattern, want) {
					t.Errorf("%s:\n got %s\nwant %s", place, got, fmt.Sprintf(pattern, want))
				}
			}
			for i, part := range strings.Split(want, ".") {
				raw, err := base64.RawURLEncoding.DecodeString(part)
				if err != nil || i < 2 && !json.Valid(raw) {
					t.Errorf("part %d does not decode: %v", i, err)
				}
			}
		})
	}
	for _, not := range []string{"a.b.c", "eyJ4.eyJ5.z", "example.com.au", "1.2.3"} {
		if got := body(t, vault(t, Config{}), stripe, InResponse, jsonType, `{"x":"`+not+`"}`); got != `{"x":"`+not+`"}` {
			t.Errorf("%s was taken for a JWT: %s", not, got)
		}
	}
}

// writtenEarlier finds the numbers above 9999 that are not written as they are now.
var writtenEarlier = regexp.MustCompile(`(?:-|REDACTED)[Aa][0-9]{8}(?:[^0-9]|$)|REDACTEDA0{6}[0-9]{8}(?:[^0-9]|$)|Redacted-a|redacted-A`)

func FuzzPlaceholderLaws(f *testing.F) {
	for _, s := range []string{"REDACTED-0001", "sk_test_REDACTED-KEY-0002 4988438843884305", "REDACTED-0001-0002",
		"eyJhbGciOiJIUzI1NiJ9.e30.REDACTED0001", "REDACTED-A00010000REDACTED0001", "REDACTED-A00000000010000 redacted-a000000000010000 x_REDACTED-0000000001REDACTED000000000007",
		"4988 4388 4388 4305-4166676667666746"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		last := 0
		ids := map[string]string{}
		back := map[string]string{}
		for i, ph := range Placeholders(s) {
			if ph.Start < last || ph.End <= ph.Start || ph.End > len(s) {
				t.Fatalf("%q: placeholder %d has span %d:%d after %d", s, i, ph.Start, ph.End, last)
			}
			last = ph.End
			if _, ok := ids[ph.ID]; !ok && !IsCard(ph.ID) {
				to := Number(5000 + len(ids))
				ids[ph.ID], back[to] = to, ph.ID
			}
		}
		for to := range back {
			if _, clash := ids[to]; clash {
				return // the text holds the numbers used here
			}
		}
		blank := Blank(s)
		if Blank(blank) != blank {
			t.Errorf("Blank is not idempotent: %q, %q", blank, Blank(blank))
		}
		there := Renumber(s, ids)
		if Blank(there) != blank {
			t.Errorf("renumbering %q to %q changes its blank form", s, there)
		}
		if again := Renumber(there, back); again != s && !writtenEarlier.MatchString(s) {
			t.Errorf("renumbering there and back: %q, %q, %q", s, there, again)
		}
	})
}
