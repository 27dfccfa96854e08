package redact

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// A thorough vault searches every piece of everything, in as many rounds as it takes.
// What the usual one passes over to save time must never show: the tests here hold the
// two to the same bytes, numbers, learned values, reports and refusals.
type twoVaults struct {
	usual, thorough *Vault
}

func newTwoVaults(t testing.TB, cfg Config) twoVaults {
	t.Helper()
	two := twoVaults{vault(t, cfg), vault(t, cfg)}
	two.thorough.thorough = true
	for _, v := range []*Vault{two.usual, two.thorough} {
		v.learn(random1, "name-token", random1)
		v.learn(random2+"/+é", "name-token", random2+"/+é")
	}
	return two
}

// body redacts a text with both, and checks what comes out.
func (two twoVaults) body(t testing.TB, s Scope, d Direction, contentType, text string) {
	t.Helper()
	usual, err := two.usual.Body(s, d, contentType, []byte(text))
	thorough, thoroughErr := two.thorough.Body(s, d, contentType, []byte(text))
	two.same(t, contentType, text, string(usual), string(thorough), err, thoroughErr)
	two.same(t, "Check of "+contentType, text, "", "", two.usual.Check("body", usual), two.thorough.Check("body", thorough))
	usual, _, err = two.usual.Sweep(contentType, []byte(text))
	thorough, _, thoroughErr = two.thorough.Sweep(contentType, []byte(text))
	two.same(t, "Sweep of "+contentType, text, string(usual), string(thorough), err, thoroughErr)
}

func (two twoVaults) rest(t testing.TB, s Scope, d Direction, text string) {
	t.Helper()
	usual, err := two.usual.URL(s, d, text)
	thorough, thoroughErr := two.thorough.URL(s, d, text)
	two.same(t, "URL", text, usual, thorough, err, thoroughErr)
	h := http.Header{}
	for _, name := range []string{"Authorization", "Cookie", "Set-Cookie", "Location", "Link", "X-Api-Key", "X-Other"} {
		h[name] = []string{text, random1}
	}
	usualHeader, err := two.usual.Header(s, d, h)
	thoroughHeader, thoroughErr := two.thorough.Header(s, d, h)
	two.same(t, "Header", text, fmt.Sprint(usualHeader), fmt.Sprint(thoroughHeader), err, thoroughErr)
	two.same(t, "Text", text, two.usual.Text(text), two.thorough.Text(text), nil, nil)
}

func (two twoVaults) same(t testing.TB, what, text, usual, thorough string, err, thoroughErr error) {
	t.Helper()
	if usual != thorough || !reflect.DeepEqual(err, thoroughErr) {
		t.Fatalf("%s of %q:\n   usual %q, %v\nthorough %q, %v", what, text, usual, err, thorough, thoroughErr)
	}
	if u, o := two.usual.state(), two.thorough.state(); !reflect.DeepEqual(u, o) {
		t.Fatalf("%s of %q:\n   usual %v\nthorough %v", what, text, u, o)
	}
}

// state is all that a vault knows.
func (v *Vault) state() any {
	secrets := make(map[string]secret, len(v.secrets))
	for value, sec := range v.secrets {
		secrets[value] = *sec
	}
	return []any{secrets, v.learned, v.last, v.cards, v.keeps, v.weak, v.index.size}
}

var comparedConfigs = []Config{
	{},
	{PII: true},
	{Add: []Rule{{ID: "loose", Value: `l[o]+se-\d+`, Reason: "x"}, {ID: "acme", Value: `acme_[a-z]{10}`, Reason: "x"}, {ID: "here", Name: "note", At: "body.a", Reason: "x"}}},
	{PII: true, Add: []Rule{{ID: "tenant", Host: `([a-z0-9]+)\.acme\.dev`, Reason: "x"}, {ID: "ticket", Value: `(?i)sk-ticket-\d{2,}`, Reason: "x"},
		{ID: "word", Value: `\bacp_\w{4,}`, Reason: "x"}, {ID: "sum", Value: `[a-f0-9]{20}`, Reason: "x"}, {ID: "wide", Value: `§é?.z`, Reason: "x"}}},
	{Keep: []Keep{{Rule: "name-token", At: "body.a", Reason: "x"}, {Rule: "value-stripe-key", At: "body.items[*].id", Reason: "x"}},
		Env: []string{"STRIPE_API_KEY=sk_test_" + key40}},
}

var comparedTypes = []string{jsonType, formType, "text/plain", "multipart/form-data; boundary=b", "application/x-ndjson", "text/event-stream", ""}

// comparedTexts are texts in which secrets stand in every way that the tests of this
// package know, and what looks like them.
func comparedTexts(t testing.TB) []string {
	texts := []string{
		stripeObject,
		`{"client_secret":"cs_test_a_secret_` + random1 + `9","note":"see ` + random1 + `","late":"` + random2 + `","nested":"{\"token\":\"` + random2 + `\"}"}`,
		`{"first":"x` + random2 + `y","b64":"` + strings.Join(base64Spellings(random2), `","`) + `","token":"` + random2 + `"}`,
		`{"` + random2 + `":1,"token":"` + random2 + `","items":[{"id":"sk_test_` + key40 + `"}]}`,
		`{"a":"\u0071` + random1[1:] + `","b":"` + random1[:1] + `\u0037` + random1[2:] + `","c":"%71` + random1[1:] + `","number":` + card1 + `,"n":"` + card1 + `","s":"4539 5787 6362 1486 12"}`,
		`{"code":"` + random2 + `","grant_type":"authorization_code","redirect_uri":"https://a/?token=` + random2 + `"}`,
		`[{"token":"a","logprob":1},{"token":"b"},{"token":"REDACTED-0007"},{"email":"jenny@acme.dev","name":"Jenny","ip":"203.0.114.9","phone":"+1 415 555 2671"}]`,
		`{"log":"password=hunter2secret&x=1 <token>` + random2 + `</token> token: \"` + random2 + `\" https://u:` + random2 + `@h/?sig=1","deep":"{\"a\":\"{\\\"token\\\":\\\"` + random2 + `\\\"}\"}"}`,
		"token=" + random2 + "&a[token]=x&b=" + random1 + "&c=%7B%22token%22%3A%22" + random2 + "%22%7D&d=%zz&e=" + card1 + "&code=abc&state=1",
		"--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n" + random2 + "\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + random1 + "\r\n--b--\r\n",
		"{\"token\":\"" + random2 + "\"}\n{\"a\":\"" + random2 + "\"}\n",
		"data: {\"token\":\"" + random2 + "\"}\n\ndata: " + random1 + "\n\n",
		"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ==\n-----END PRIVATE KEY-----\n",
		`{"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ==\n-----END PRIVATE KEY-----\n","line":"BKcwggSjAgEAAoIBAQ==MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"}`,
		`{"jwt":"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYiJ9.c2lnbmF0dXJlMTIz","x":"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYiJ9.c2lnbmF0dXJlMTIz"}`,
		"Bearer " + random2, "Basic dXNlcjpodW50ZXIyaHVudGVyMg==", "sid=" + random2 + "; Path=/; b=1", "https://u:" + random2 + "@h/" + random2 + "?token=" + random2 + "#x=" + random2, "/cb?code=" + random2 + "&state=1",
	}
	texts = append(texts, `{"host":"q7zt.acme.dev","text":"see https://Q7ZT.ACME.dev/x, \u017fK-Ticket-77 and acp_abcdef","sum":"0123456789abcdef01234567","w":"a § é z","ip":"fe80::1%eth0","phone":41555526712}`,
		"Tenant a1.acme.dev, xacp_abcdef acp_abcdef SK-TICKET-12 §éxz 203.0.113.9 2001:db8::7 jenny@acme.dev")
	for _, token := range repeats {
		texts = append(texts, attack(token, 300), `{"a":`+strconv.Quote(attack(token, 100))+`,"token":`+strconv.Quote(attack(token, 40))+`}`)
	}
	files, err := filepath.Glob("testdata/fuzz/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n") {
			for _, start := range []string{"string(", "[]byte("} {
				if quoted, ok := strings.CutPrefix(line, start); ok {
					if text, err := strconv.Unquote(strings.TrimSuffix(quoted, ")")); err == nil {
						texts = append(texts, text)
					}
				}
			}
		}
	}
	return texts
}

// mutated changes a text at a few places: pieces are doubled, dropped or exchanged for
// what secrets and structures are made of.
func mutated(r *rand.Rand, text string, from []string) string {
	for range 1 + r.IntN(4) {
		at := r.IntN(len(text) + 1)
		end := min(len(text), at+r.IntN(30))
		var piece string
		switch r.IntN(6) {
		case 0:
			piece = text[at:end] + text[at:end]
		case 1:
			piece = repeats[r.IntN(len(repeats))]
		case 2:
			piece = []string{random1, random2, card1, "sk_test_" + key40, `"`, `\`, `\u0071`, "%71", "REDACTED-0001", "token", "\n", "&", "=", `{"token":"`}[r.IntN(14)]
		case 3:
			other := from[r.IntN(len(from))]
			i := r.IntN(len(other) + 1)
			piece = other[i:min(len(other), i+r.IntN(40))]
		case 4:
			piece = string(rune(r.IntN(0x180)))
		}
		text = text[:at] + piece + text[end:]
	}
	return text
}

func TestNothingIsPassedOver(t *testing.T) {
	texts := comparedTexts(t)
	r := rand.New(rand.NewPCG(1, 2))
	oauth := Scope{Method: "POST", Host: "id.acme.dev", Path: "/oauth/token"}
	for i, cfg := range comparedConfigs {
		two := newTwoVaults(t, cfg)
		for n, text := range texts {
			if n%25 == 24 {
				two = newTwoVaults(t, cfg) // a vault that knows everything finds nothing new
			}
			for range 3 {
				s := stripe
				if r.IntN(3) == 0 {
					s = oauth
				}
				for k, contentType := range comparedTypes {
					if i > 0 && (n+k)%4 > 0 {
						continue
					}
					two.body(t, s, Direction(r.IntN(2)), contentType, text)
				}
				if i == 0 || n%4 == 0 {
					two.rest(t, s, Direction(r.IntN(2)), text)
				}
				text = mutated(r, text, texts)
			}
		}
	}
}

func FuzzNothingIsPassedOver(f *testing.F) {
	for _, text := range comparedTexts(f) {
		for kind := range byte(3) {
			f.Add(text, kind)
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind byte) {
		two := newTwoVaults(t, comparedConfigs[0])
		d := Direction(kind % 2)
		contentType := comparedTypes[int(kind/2)%len(comparedTypes)]
		two.body(t, stripe, d, contentType, text)
		two.body(t, stripe, d, contentType, strings.ReplaceAll(text, "%", random2))
		two.rest(t, stripe, d, text)
	})
}

// What value takes apart must show in a byte that mayBeStructured looks for.
func TestStructureShows(t *testing.T) {
	pieces := []string{"{", "[", `"`, "'", "=", ":", ": ", ":'", "/", "//", `:\/\/`, "<", "</", ">", "a", "token", " ", "\t", "\n", "\\", "-", "@", "%3D", "&", ";", "?", "#", "|"}
	r := rand.New(rand.NewPCG(5, 6))
	seen := 0
	for range 50_000 {
		var b strings.Builder
		for range r.IntN(5) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		b.WriteString(strings.Repeat("a", r.IntN(2)*r.IntN(200)))
		if s := b.String(); mayBeJSON(s) || mayHoldPairs(s) || mayHoldURL(s) {
			if seen++; !mayBeStructured(s) {
				t.Fatalf("%q has structure, and no byte shows it", s)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing had structure")
	}
}
