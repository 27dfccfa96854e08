package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// small bounds make a stream of a few KiB go through everything that a large one does.
var small = sizes{window: 4 << 10, look: 1 << 10, chunk: 256}

// streamed redacts a body in writes that end at the given places.
func streamed(t testing.TB, v *Vault, contentType, body string, size sizes, cuts ...int) (string, error) {
	t.Helper()
	from, to := io.Pipe()
	go func() {
		last := 0
		for _, at := range append(cuts, len(body)) {
			io.WriteString(to, body[last:at])
			last = at
		}
		to.Close()
	}()
	var out bytes.Buffer
	changed, err := v.stream(v.pass(stripe, InResponse), "response body", contentType, &out, from, size)
	from.Close()
	if err == nil && changed != (out.String() != body) {
		t.Errorf("changed is %v", changed)
	}
	return out.String(), err
}

// secretsOf is what a body's generator plants.
func secretsOf(r *rand.Rand) []string {
	word := func(n int) string {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	return []string{"sk_test_" + word(24), "pi_3Nab_secret_" + word(24), "ghp_" + word(36), word(40), "correct horse " + word(3)}
}

// aBody makes a body of a kind that holds secrets of every sort at any place.
func aBody(r *rand.Rand, kind string, size int) (contentType, body string) {
	secrets := secretsOf(r)
	filler := func() string {
		words := []string{"plain", "text", "ok", "naïve", "x=1", "a/b", "2026-11-21", "…", "4242 4242", "https://a.test/p?q=1&r=2"}
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		return b.String()
	}
	var b strings.Builder
	value := func() (name, value string) {
		names := []string{"id", "note", "password", "client_secret", "token", "code", "url", "state", "logprob", "data"}
		name = names[r.IntN(len(names))]
		switch r.IntN(4) {
		case 0:
			return name, secrets[r.IntN(len(secrets))]
		case 1:
			return name, filler() + secrets[r.IntN(3)] + " " + filler()
		case 2:
			return name, "https://u:hunter2@db.acme.test/x?password=" + secrets[3][:12] + "&n=1"
		}
		return name, filler()
	}
	object := func() string {
		var b strings.Builder
		b.WriteByte('{')
		used := make(map[string]bool) // Body takes an object with equal names for text
		for i := range 1 + r.IntN(6) {
			name, v := value()
			for used[name] {
				name += "2"
			}
			used[name] = true
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%q:%s%q", name, strings.Repeat(" ", r.IntN(3)), v)
			if r.IntN(5) == 0 {
				fmt.Fprintf(&b, `,"list%d":[1,true,null,{},[],{"amount":%d}]`, i, r.IntN(1e9))
			}
		}
		b.WriteByte('}')
		return b.String()
	}
	switch kind {
	case "json":
		b.WriteString(`{"items": [`)
		for i := 0; b.Len() < size; i++ {
			if i > 0 {
				b.WriteString(",\n ")
			}
			b.WriteString(object())
		}
		b.WriteString(`], "has_more": false }` + "\n")
		return jsonType, b.String()
	case "ndjson":
		for b.Len() < size { // clients join what stands in the same place of several lines
			fmt.Fprintf(&b, "{\"k%d\":%s}\n", b.Len(), object())
		}
		return "application/x-ndjson", b.String()
	case "sse":
		for b.Len() < size {
			fmt.Fprintf(&b, "event: message\ndata: {\"k%d\":%s}\n\n", b.Len(), object())
		}
		return "text/event-stream", b.String()
	case "form":
		for b.Len() < size {
			name, v := value()
			if name == "code" || name == "logprob" {
				continue // in a form of pieces, what decides of codes may stand in any of them
			}
			b.WriteString("&" + name + "=" + strings.ReplaceAll(strings.ReplaceAll(v, " ", "+"), "&", "%26"))
		}
		return "application/x-www-form-urlencoded", b.String()[1:]
	case "xml":
		b.WriteString("<all>")
		for b.Len() < size {
			name, v := value()
			b.WriteString("<" + name + ">" + strings.ReplaceAll(v, "&", "&amp;") + "</" + name + ">")
		}
		b.WriteString("</all>")
		return "application/xml", b.String()
	}
	for b.Len() < size {
		name, v := value()
		b.WriteString(name + ": " + v + "\n" + filler() + `{"password": "` + secrets[4] + `"}` + "\n")
	}
	return "text/plain", b.String()
}

var kinds = []string{"json", "ndjson", "sse", "form", "xml", "text"}

// What a stream writes is what Body gives, for a vault that knows the secrets already.
func TestStreamIsBody(t *testing.T) {
	for _, kind := range kinds {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 1))
			contentType, body := aBody(r, kind, 20<<10)
			v := vault(t, Config{})
			warm, err := v.Body(stripe, InResponse, contentType, []byte(body)) // learns
			if err != nil {
				t.Fatal(err)
			}
			_ = warm
			want, err := v.Body(stripe, InResponse, contentType, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := streamed(t, v, contentType, body, small)
			if err != nil {
				t.Fatalf("%s %d: %v", kind, seed, err)
			}
			if got != string(want) {
				i := 0
				for i < len(got) && i < len(want) && got[i] == want[i] {
					i++
				}
				t.Fatalf("%s %d: differs at byte %d of %d:\n%q\nwant\n%q", kind, seed, i, len(want), around(got, i), around(string(want), i))
			}
		}
	}
}

func around(s string, i int) string { return s[max(0, min(len(s), i-120)):min(len(s), i+80)] }

// However a body is split into writes, the same comes out, and no secret.
func TestStreamSplits(t *testing.T) {
	for _, kind := range kinds {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 2))
			contentType, body := aBody(r, kind, 12<<10)
			want, err := streamed(t, vault(t, Config{}), contentType, body, small)
			if err != nil {
				t.Fatal(err)
			}
			secrets := secretsOf(rand.New(rand.NewPCG(seed, 2)))
			for _, secret := range secrets[:3] {
				if strings.Contains(want, secret[12:]) {
					t.Errorf("%s %d: %s came through", kind, seed, secret)
				}
			}
			for range 4 {
				var cuts []int
				for at := r.IntN(50); at < len(body); at += 1 + r.IntN(1+r.IntN(900)) {
					cuts = append(cuts, at)
				}
				if got, err := streamed(t, vault(t, Config{}), contentType, body, small, cuts...); err != nil || got != want {
					t.Fatalf("%s %d: %d writes give another output (%v)", kind, seed, len(cuts), err)
				}
			}
		}
	}
}

// FuzzStream: every split gives the same output, and it passes the last search.
func FuzzStream(f *testing.F) {
	for i, kind := range kinds {
		contentType, body := aBody(rand.New(rand.NewPCG(uint64(i), 3)), kind, 6<<10)
		f.Add(contentType, body, uint16(i*700), uint16(40))
	}
	f.Add("", `{"a":"`+strings.Repeat("x", 9<<10)+`","password":"`+strings.Repeat("y", 9<<10)+`"}`, uint16(5), uint16(4100))
	f.Add("text/plain", strings.Repeat("a", 9<<10)+" sk_test_4eC39HqLyjWDarjtT1zdp7dc "+strings.Repeat("b ", 4<<10), uint16(9220), uint16(9230))
	f.Fuzz(func(t *testing.T, contentType, body string, a, b uint16) {
		first, last := min(int(a), len(body)), min(int(max(a, b)), len(body))
		v := vault(t, Config{})
		want, err := streamed(t, v, contentType, body, small)
		got, otherErr := streamed(t, vault(t, Config{}), contentType, body, small, first, last)
		if (err == nil) != (otherErr == nil) {
			t.Fatalf("%v in one write, %v in three", err, otherErr)
		}
		if err != nil {
			return
		}
		if got != want {
			t.Fatalf("in one write\n%q, in three\n%q", want, got)
		}
		if err := v.CheckStream("what was written", strings.NewReader(want)); err != nil && v.Learned() == 0 {
			t.Fatalf("%v: %q", err, want)
		}
		// What is looked at at once is as clean as what Body gives; further on, a text that
		// is cut may read otherwise where a quote has no end.
		if len(body) >= small.window/2 || len(want) >= small.window/2 {
			return
		}
		var swept strings.Builder
		if _, err := v.SweepStream(contentType, &swept, strings.NewReader(want)); err != nil {
			return
		}
		again, err := streamed(t, v, contentType, swept.String(), small)
		if err != nil || again != swept.String() {
			t.Fatalf("%s: %v\n once  %q\n twice %q", contentType, err, swept.String(), again)
		}
	})
}

// A secret that straddles any border inside the stream is found in every spelling.
func TestStreamFindsWhatStraddles(t *testing.T) {
	known := "Zk8QxT3vWn5LbR7yPd2MgH9s"
	pem := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n", 8) + "-----END PRIVATE KEY-----"
	for name, secret := range map[string]string{
		"learned": known, "base64": base64.StdEncoding.EncodeToString([]byte("user:" + known)), "hex": hex.EncodeToString([]byte(known)),
		"value": "ghp_" + random1 + random2, "pem": pem, "pair": `"password": "` + strings.Repeat("hunter two ", 20) + `"`,
		"element": "<password>" + strings.Repeat("hunter two ", 20) + "</password>", "card": "4556 7375 8689 9855",
		"url": "https://u:" + strings.Repeat("hunter2", 30) + "@db.acme.test/",
	} {
		for _, fill := range []string{"lorem ipsum dolor\n", "loremipsum;", "loremipsumdolorsitamet"} {
			for shift := range 40 {
				v := vault(t, Config{})
				v.learn(known, "name-token", known)
				before := strings.Repeat(fill, 1+(small.window-small.look)/len(fill))
				before = before[:len(before)-shift*len(secret)/40] + " "
				body := before + secret + " " + strings.Repeat(fill, 2*small.window/len(fill))
				got, err := streamed(t, v, "text/plain", body, small)
				if err != nil {
					t.Fatalf("%s, %q, %d: %v", name, fill, shift, err)
				}
				want, err := v.Body(stripe, InResponse, "text/plain", []byte(body))
				if err != nil || got != string(want) || got == body {
					t.Fatalf("%s, %q, %d: not what Body gives (%v)", name, fill, shift, err)
				}
			}
		}
	}
}

// Values that are larger than a window.
func TestStreamLongValues(t *testing.T) {
	long := strings.Repeat("correct horse battery ", 1000)
	secret := "ghp_" + random1 + random2
	mixed := long + secret + ` \"quoted\" \u00e9 https:\/\/hooks.slack.com\/services\/T0123456\/B0123456\/` + random1 + random2 + " " + long
	clean := strings.Replace(strings.Replace(mixed, secret, "ghp_REDACTED-0000000001", 1), random1+random2, "REDACTED-0001", 1)
	for _, tc := range []struct{ name, contentType, body, want string }{
		{"string", jsonType, `{"a":"` + mixed + `","b":1}`, ""},
		{"named string", jsonType, `{"a":1,"password" : "` + mixed + `" ,"pin":"1234"}`, `{"a":1,"password" : "REDACTED-0001" ,"pin":"REDACTED-0002"}`},
		{"string of escapes", jsonType, `["` + strings.Repeat(`\u00e9\ud83d\ude00`, 800) + `",{"pin":"1234"}]`, `["` + strings.Repeat(`\u00e9\ud83d\ude00`, 800) + `",{"pin":"REDACTED-0001"}]`},
		{"string cut", jsonType, `{"password":"` + long, `{"password":"REDACTED-0001`},
		{"pair in text", "text/plain", `x {"password": "` + long + `"} y`, `x {"password": "REDACTED-0001"} y`},
		{"pair in a string in text", "text/plain", `"{\"password\": \"` + long + `\"}" y`, `"{\"password\": \"REDACTED-0001\"}" y`},
		{"pair without an end", "text/plain", `x {"password": "` + long, `x {"password": "REDACTED-0001`},
		{"element", "application/xml", `<a><password>` + long + `</password><pin>1234</pin></a>`, `<a><password>REDACTED-0001</password><pin>REDACTED-0002</pin></a>`},
		{"field", "application/x-www-form-urlencoded", "a=1&password=" + strings.ReplaceAll(long, " ", "+") + "&pin=1234", "a=1&password=REDACTED-0001&pin=REDACTED-0002"},
		{"line", "application/x-ndjson", `{"pin":"1234"}` + "\n" + `{"password":"` + long + `"}` + "\n" + `{"pin":"1234"}` + "\n",
			`{"pin":"REDACTED-0001"}` + "\n" + `{"password":"REDACTED-0002"}` + "\n" + `{"pin":"REDACTED-0001"}` + "\n"},
		{"deep object", jsonType, `{"a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"code":"abcdefgh1234567890xyzQ","n":1}`, `{"a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"code":"abcdefgh1234567890xyzQ","n":1}`},
		{"grant far before", jsonType, `{"grant_type":"x","a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"code":"abcdefgh1234567890xyzQ"}`, `{"grant_type":"x","a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"code":"REDACTED-0001"}`},
		{"grant far behind", jsonType, `{"code":"abcdefgh1234567890xyzQ","a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"grant_type":"x"}`, `{"code":"REDACTED-0001","a":[` + strings.Repeat(`{"n":1},`, 2000) + `{}],"grant_type":"x"}`},
		{"not JSON at the end", jsonType, `{"a":[` + strings.Repeat(`{"n":1},`, 2000) + `oops "password":"hunter2"`, `{"a":[` + strings.Repeat(`{"n":1},`, 2000) + `oops "password":"REDACTED-0001"`},
		{"something behind the end", jsonType, `{"pin":"1234"} {"pin": "1234"}`, `{"pin":"REDACTED-0001"} {"pin": "REDACTED-0001"}`},
	} {
		v := vault(t, Config{})
		if tc.want == "" {
			tc.want = `{"a":"` + clean + `","b":1}`
		}
		got, err := streamed(t, v, tc.contentType, tc.body, small)
		if tc.name == "string" {
			// A string that has changed is escaped anew, piece by piece.
			var g, w map[string]any
			if json.Unmarshal([]byte(got), &g) != nil || json.Unmarshal([]byte(tc.want), &w) != nil || g["a"] != w["a"] {
				t.Errorf("%s: %d bytes, want %d", tc.name, len(got), len(tc.want))
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("%s: %v\n%.300q\nwant\n%.300q", tc.name, err, got, tc.want)
		}
	}
}

func TestStreamMultipart(t *testing.T) {
	part := func(header, content string) string { return "--b\r\n" + header + "\r\n\r\n" + content + "\r\n" }
	small1 := part(`Content-Disposition: form-data; name="pin"`, "1234") + part(`Content-Disposition: form-data; name="a"`, "plain")
	long := strings.Repeat("lorem ipsum ", 1000)
	body := small1 + part("Content-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json", `{"x":["`+long+`"],"password":"hunter2"}`) +
		part(`Content-Disposition: form-data; name="password"`, long) + small1 +
		part("Content-Disposition: form-data; name=\"f\"; filename=\"f.bin\"", long+"\xff ghp_"+random1+random2+" "+long) + "--b--\r\n"
	want := strings.NewReplacer("\r\n1234\r\n", "\r\nREDACTED-0001\r\n", "hunter2", "REDACTED-0002", "ghp_"+random1+random2, "ghp_REDACTED-0000000004").Replace(body)
	want = strings.Replace(want, "\"password\"\r\n\r\n"+long, "\"password\"\r\n\r\nREDACTED-0003", 1)
	for _, cuts := range [][]int{nil, {1, 2, 100, 5000, 5001}, {len(body) - 3}} {
		got, err := streamed(t, vault(t, Config{}), "multipart/form-data; boundary=b", body, small, cuts...)
		if err != nil || got != want {
			t.Errorf("%v, %d bytes, want %d\n%q", err, len(got), len(want), around(got, len(small1)))
		}
	}
}

// What cannot be written anew is refused when a secret stands in it.
func TestStreamRefuses(t *testing.T) {
	for _, contentType := range []string{"application/grpc+proto", "application/x-protobuf; v=1"} {
		fill := strings.Repeat("\x0a\x05hello", 2000)
		if got, err := streamed(t, vault(t, Config{}), contentType, fill, small); err != nil || got != fill {
			t.Errorf("%s: %v", contentType, err)
		}
		got, err := streamed(t, vault(t, Config{}), contentType, fill+"\x0a\x40ghp_"+random1+random2+"\x0a"+fill, small)
		refusal, ok := err.(*Refusal)
		if !ok || refusal.Rule != "value-github-token" || strings.Contains(got, random1[:8]) {
			t.Errorf("%s: %v", contentType, err)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	v := vault(t, Config{})
	broken := errors.New("the disk is full")
	s := v.Stream(stripe, InResponse, jsonType, failingWriter{broken})
	_, err := io.Copy(s, strings.NewReader(strings.Repeat(`{"a":"b"}`, 1<<20)))
	if closeErr := s.Close(); !errors.Is(closeErr, broken) || err != nil && !errors.Is(err, broken) {
		t.Errorf("Write: %v, Close: %v", err, closeErr)
	}
	var out bytes.Buffer
	s = v.Stream(stripe, InResponse, jsonType, &out)
	io.WriteString(s, `{"password":"hunt`)
	s.Abort()
	if strings.Contains(out.String(), "hunt") {
		t.Errorf("given up, it wrote %q", out.String())
	}
	for _, contentType := range []string{jsonType, "application/x-ndjson", "text/plain", formType, "multipart/form-data; boundary=b"} {
		if _, err := v.BodyStream(stripe, InResponse, contentType, io.Discard, io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%s: a reader that fails gives %v", contentType, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// What is learned later is found, replaced and renumbered in what was written.
func TestStreamSweep(t *testing.T) {
	secret := random1 + random2
	body := `{"note":"` + secret + `","list":[` + strings.Repeat("\n4556737586899855,", 9000) + `1],"again":"x-` + secret + `"}`
	v := vault(t, Config{})
	out, err := streamed(t, v, jsonType, body, small)
	if err != nil || out != body {
		t.Fatal(err)
	}
	if err := v.CheckStream("body", strings.NewReader(out)); err != nil {
		t.Fatal(err)
	}
	v.learn(secret, "name-token", secret)
	var refusal *Refusal
	if err := v.CheckStream("body", strings.NewReader(out)); !errors.As(err, &refusal) || refusal.Rule != "name-token" {
		t.Errorf("CheckStream: %v", err)
	}
	var swept bytes.Buffer
	changed, err := v.SweepStream(jsonType, &swept, strings.NewReader(out))
	want := strings.NewReplacer(`"x-`+secret, `"x-REDACTED-0000000001`, secret, "REDACTED-0001").Replace(body)
	if err != nil || !changed || swept.String() != want {
		t.Errorf("SweepStream: %v, %v", changed, err)
	}
	if changed, err = v.SweepStream(jsonType, io.Discard, bytes.NewReader(swept.Bytes())); changed || err != nil {
		t.Errorf("SweepStream again: %v, %v", changed, err)
	}
	var renumbered bytes.Buffer
	changed, err = RenumberStream(map[string]string{"0001": "0042"}, &renumbered, bytes.NewReader(swept.Bytes()))
	if err != nil || !changed || renumbered.String() != strings.ReplaceAll(want, "0001\"", "0042\"") {
		t.Errorf("RenumberStream: %v, %v", changed, err)
	}
	var ids []string
	if err := PlaceholderStream(bytes.NewReader(renumbered.Bytes()), func(id string) { ids = append(ids, id) }); err != nil || fmt.Sprint(ids) != "[0042 0042]" {
		t.Errorf("PlaceholderStream: %v, %v", ids, err)
	}
	other := vault(t, Config{})
	if err := other.ReserveStream(bytes.NewReader(renumbered.Bytes())); err != nil || other.last != 42 {
		t.Errorf("ReserveStream: %v, %d", err, other.last)
	}
}

// What a stream holds does not grow with the body.
func TestStreamMemory(t *testing.T) {
	for _, tc := range []struct{ contentType, open, fill, end string }{
		{jsonType, `{"list":[`, `{"id":"li_1Nab","amount_total":100,"description":"A thing of some length"},`, "null]}"},
		{jsonType, `{"file":"`, `lorem ipsum dolor sit amet `, `"}`},
		{"text/plain", "", "lorem ipsum dolor sit amet\n", ""},
		{"application/octet-stream", "", "\x00\xff\x10abcdefgh", ""},
	} {
		fill := strings.Repeat(tc.fill, 1<<15)
		v := vault(t, Config{})
		s := v.Stream(stripe, InResponse, tc.contentType, io.Discard)
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		io.WriteString(s, tc.open)
		highest := uint64(0)
		for n := 0; n < 40<<20; n += len(fill) {
			if _, err := io.WriteString(s, fill); err != nil {
				t.Fatal(err)
			}
			if n&(4<<20-1) < len(fill) {
				runtime.GC()
				runtime.ReadMemStats(&now)
				highest = max(highest, now.HeapAlloc)
			}
		}
		io.WriteString(s, tc.end)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if grown := int64(highest) - int64(before.HeapAlloc); grown > 24<<20 {
			t.Errorf("%s: %d MiB more are in use", tc.contentType, grown>>20)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	for _, tc := range []struct{ name, contentType, fill string }{
		{"JSON", jsonType, stripeObject + ","},
		{"clean JSON", jsonType, `{"id":"li_1Nab00000001","amount_total":100,"currency":"eur","description":"A thing of some length","price":{"id":"price_1Nab00000001","active":true,"metadata":{}}},`},
		{"text", "text/plain", "2026-11-21T10:15:00Z INFO request handled path=/v1/customers status=200 took=12ms user=cus_Nab123\n"},
		{"events", "text/event-stream", "event: message\ndata: {\"id\":\"evt_1Nab\",\"text\":\"lorem ipsum dolor\"}\n\n"},
	} {
		b.Run(tc.name, func(b *testing.B) {
			v := benchVault(b, 100)
			body := strings.Repeat(tc.fill, (8<<20)/len(tc.fill))
			if tc.contentType == jsonType {
				body = "[" + body[:len(body)-1] + "]"
			}
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := v.BodyStream(stripe, InResponse, tc.contentType, io.Discard, strings.NewReader(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
