package redact

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// An encoding is one way in which a secret can be written.
type encoding struct {
	name   string
	encode func(string) string
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wrapLines(s string, columns int, end string) string {
	var b strings.Builder
	for len(s) > columns {
		b.WriteString(s[:columns] + end)
		s = s[columns:]
	}
	return b.String() + s
}

// each writes every character of s by itself.
func each(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func eachByte(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func jsonInner(s string) string {
	quoted, _ := json.Marshal(s)
	return string(quoted[1 : len(quoted)-1])
}

const prose = "Here is a text of more than one line of base64, and then it comes: "

var encodings = []encoding{
	{"raw", func(s string) string { return s }},
	{"query-escaped", url.QueryEscape},
	{"path-escaped", url.PathEscape},
	{"lower-case percent", func(s string) string { return lowerPercent(url.QueryEscape(s)) }},
	{"every byte percent-escaped", func(s string) string { return eachByte(s, "%%%02X") }},
	{"double-escaped", func(s string) string { return url.QueryEscape(url.QueryEscape(s)) }},
	{"three times escaped", func(s string) string { return url.PathEscape(url.PathEscape(url.PathEscape(s))) }},
	{"JSON-escaped", jsonInner},
	{"JSON-escaped, slashes too", func(s string) string { return strings.ReplaceAll(jsonInner(s), "/", `\/`) }},
	{"JSON, every character as \\u", func(s string) string { return each(s, `\u%04x`) }},
	{"JSON in JSON", func(s string) string { return jsonInner(jsonInner(s)) }},
	{"HTML-escaped", html.EscapeString},
	{"HTML, named quotes", func(s string) string {
		return strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(html.EscapeString(s))
	}},
	{"HTML, numeric", func(s string) string { return each(s, "&#%d;") }},
	{"HTML, hexadecimal", func(s string) string { return each(s, "&#x%X;") }},
	{"HTML of percent", func(s string) string { return html.EscapeString(url.QueryEscape(s)) }},
	{"base64", b64},
	{"base64, no padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
	{"base64url", func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }},
	{"base64url, no padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64 at 1", func(s string) string { return b64(":" + s + "|tail") }},
	{"base64 at 2", func(s string) string { return b64("u:" + s + "|tail") }},
	{"base64 among bytes", func(s string) string { return b64("\x00\xff\x01\x80" + s + "\x00\xff") }},
	{"base64, 64 columns", func(s string) string { return wrapLines(b64(prose+s), 64, "\n") }},
	{"base64, 76 columns, CRLF", func(s string) string { return wrapLines(b64(prose+s), 76, "\r\n") }},
	{"base64 among bytes, 64 columns", func(s string) string { return wrapLines(b64(strings.Repeat("\x00\xff", 20)+s), 64, "\n") }},
	{"base64 in JSON in base64", func(s string) string { return b64(`{"kind":"note","data":"` + b64(s) + `"}`) }},
	{"base64 of JSON", func(s string) string { return b64(`{"data":"` + jsonInner(s) + `"}`) }},
	{"base64, percent-escaped", func(s string) string { return url.QueryEscape(b64(s)) }},
	{"Basic pair", func(s string) string { return b64("user:" + s) }},
	{"Basic pair, first", func(s string) string { return b64(s + ":") }},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"HEX", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"hex of base64", func(s string) string { return hex.EncodeToString([]byte(b64(s))) }},
}

// A spot is one place of a request or response that a text can stand in.
type spot struct {
	name string
	// put redacts a message with text in the place, and returns all that would be stored.
	put func(v *Vault, text string) (string, error)
}

func inBodyOf(contentType string, write func(text string) string) func(*Vault, string) (string, error) {
	return func(v *Vault, text string) (string, error) {
		in := []byte(write(text))
		out, err := v.Body(stripe, InResponse, contentType, in)
		if err == nil {
			again, err := v.Body(stripe, InResponse, contentType, out)
			if err != nil || string(again) != string(out) {
				return "", fmt.Errorf("not idempotent:\n in    %.1500q\n once  %.1500q\n twice %.1500q", in, out, again)
			}
		}
		return string(out), err
	}
}

func inHeader(d Direction, name string, write func(text string) string) func(*Vault, string) (string, error) {
	return func(v *Vault, text string) (string, error) {
		h, err := v.Header(stripe, d, http.Header{name: {write(strings.NewReplacer("\r", "", "\n", " ").Replace(text))}})
		return h.Get(name), err
	}
}

func inURL(format string, write func(text string) string) func(*Vault, string) (string, error) {
	return func(v *Vault, text string) (string, error) {
		return v.URL(stripe, InRequest, fmt.Sprintf(format, write(text)))
	}
}

func same(s string) string { return s }

func quoted(format string, quote func(string) string) func(string) string {
	return func(s string) string { return fmt.Sprintf(format, quote(s)) }
}

func xmlText(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func cookieText(s string) string {
	if strings.ContainsAny(s, "\" ;,\\\n\r") {
		return url.QueryEscape(s)
	}
	return s
}

// thirds writes text in three pieces.
func thirds(text string, write func(piece string) string) string {
	var b strings.Builder
	for i := range 3 {
		b.WriteString(write(text[i*len(text)/3 : (i+1)*len(text)/3]))
	}
	return b.String()
}

func protoMessage(text string) string {
	inner := protowire.AppendTag(nil, 1, protowire.BytesType)
	inner = protowire.AppendString(inner, text)
	inner = protowire.AppendTag(inner, 6, protowire.VarintType)
	inner = protowire.AppendVarint(inner, 7)
	b := protowire.AppendTag(nil, 3, protowire.VarintType)
	b = protowire.AppendVarint(b, 300)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendBytes(b, inner)
	b = protowire.AppendTag(b, 9, protowire.StartGroupType)
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, "label "+text)
	b = protowire.AppendTag(b, 9, protowire.EndGroupType)
	b = protowire.AppendTag(b, 5, protowire.Fixed64Type)
	return string(protowire.AppendFixed64(b, 1<<40))
}

func frame(flags byte, s string) string {
	header := binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(s)))
	return string(header) + s
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func zipFile(text string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, method := range []uint16{zip.Store, zip.Store} {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%d.txt", b.Len()), Method: method})
		_, _ = f.Write([]byte("a file with " + text + " in it"))
	}
	_ = w.Close()
	return b.String()
}

func jpegFile(text string) string {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08 comment: " + text + "\x00"
	return "\xff\xd8\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))) + exif + "\xff\xda\x00\x02\x1f\x9a\xc3\x00\xff\xd9"
}

const part = "--b\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n%s\r\n--b--\r\n"

var spots = []spot{
	{"user-info", inURL("https://%s@x.dev/a", func(s string) string { return url.User(s).String() })},
	{"path segment", inURL("https://x.dev/a/%s/b", url.PathEscape)},
	{"query", inURL("https://x.dev/a?q=%s&r=1", url.QueryEscape)},
	{"query name", inURL("https://x.dev/a?%s=1&r=1", url.QueryEscape)},
	{"fragment", inURL("https://x.dev/a#%s", url.PathEscape)},
	{"fragment like a query", inURL("https://x.dev/a#q=%s", url.QueryEscape)},
	{"request header", inHeader(InRequest, "X-Note", same)},
	{"response header", inHeader(InResponse, "X-Note", quoted("note %s.", same))},
	{"Authorization", inHeader(InRequest, "Authorization", quoted("Bearer %s", same))},
	{"Cookie", inHeader(InRequest, "Cookie", quoted("a=b; note=%s", cookieText))},
	{"Set-Cookie", inHeader(InResponse, "Set-Cookie", quoted("note=%s; Path=/", cookieText))},
	{"Location", inHeader(InResponse, "Location", quoted("https://x.dev/a?q=%s", url.QueryEscape))},
	{"Link", inHeader(InResponse, "Link", quoted(`<https://x.dev/a?q=%s>; rel="next"`, url.QueryEscape))},
	{"form value", inBodyOf(formType, quoted("a=b&note=%s&c=d", url.QueryEscape))},
	{"form name", inBodyOf(formType, quoted("a=b&%s=1&c=d", url.QueryEscape))},
	{"form, bracketed", inBodyOf(formType, quoted("a[b][note]=%s&c=d", url.QueryEscape))},
	{"form, bracketed name", inBodyOf(formType, quoted("a[%s]=1&c=d", url.QueryEscape))},
	{"JSON string", inBodyOf(jsonType, quoted(`{"note":"%s","n":1}`, jsonInner))},
	{"JSON member name", inBodyOf(jsonType, quoted(`{"%s":1}`, jsonInner))},
	{"JSON in a string", inBodyOf(jsonType, quoted(`{"a":"%s"}`, func(s string) string { return jsonInner(`{"b":{"note":"` + jsonInner(s) + `"}}`) }))},
	{"JSON that was cut", inBodyOf(jsonType, quoted(`{"note":"%s","n":`, jsonInner))},
	{"NDJSON", inBodyOf("application/x-ndjson", quoted("{\"n\":1}\n{\"note\":\"%s\"}\n", jsonInner))},
	{"XML element", inBodyOf("application/xml", quoted("<a><note>%s</note></a>", xmlText))},
	{"XML attribute", inBodyOf("application/xml", quoted(`<a><note text="%s"/></a>`, xmlText))},
	{"XML CDATA", inBodyOf("application/xml", quoted("<a><note><![CDATA[%s]]></note></a>", same))},
	{"SOAP", inBodyOf("text/xml", quoted(`<soap:Envelope><soap:Body><m:Note xsi:type="xsd:string">%s</m:Note></soap:Body></soap:Envelope>`, xmlText))},
	{"multipart field", inBodyOf("multipart/form-data; boundary=b", func(s string) string { return fmt.Sprintf(part, "note", "", s) })},
	{"multipart file", inBodyOf("multipart/form-data; boundary=b", func(s string) string {
		return fmt.Sprintf(part, "file", `; filename="a.txt"`, "a file with "+s+" in it")
	})},
	{"multipart file name", inBodyOf("multipart/form-data; boundary=b", func(s string) string {
		return fmt.Sprintf(part, "file", `; filename="`+url.QueryEscape(s)+`"`, "x")
	})},
	{"text/plain", inBodyOf("text/plain", quoted("2026-11-21 a line with %s in it", same))},
	{"HTML", inBodyOf("text/html", quoted("<html><p class=\"x\">a page with %s in it</p></html>", html.EscapeString))},
	{"HTML attribute", inBodyOf("text/html", quoted(`<a href="/x" title="%s">`, html.EscapeString))},
	{"events, text", inBodyOf("text/event-stream", func(s string) string {
		return "event: a\ndata: see " + strings.NewReplacer("\r\n", "\ndata: ", "\n", "\ndata: ").Replace(s) + "\n\n"
	})},
	{"events, JSON", inBodyOf("text/event-stream", quoted("data: {\"n\":1}\n\ndata: {\"note\":\"%s\"}\n\n", jsonInner))},
	{"events, two data lines", inBodyOf("text/event-stream", func(s string) string {
		s = strings.NewReplacer("\r", "", "\n", "").Replace(s)
		return "data: see " + s[:len(s)/2] + "\ndata: " + s[len(s)/2:] + "\n\n"
	})},
	{"events, deltas of JSON", inBodyOf("text/event-stream", func(s string) string {
		return thirds(s, func(piece string) string {
			return `data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"` + jsonInner(piece) + "\"}}]}\n\n"
		}) + "data: [DONE]\n\n"
	})},
	{"events, deltas of text", inBodyOf("text/event-stream", func(s string) string {
		return thirds(strings.NewReplacer("\r", "", "\n", "").Replace(s), func(piece string) string { return "data: " + piece + "\n\n" })
	})},
	{"NDJSON, deltas", inBodyOf("application/x-ndjson", func(s string) string {
		return thirds(s, func(piece string) string { return `{"model":"m","response":"` + jsonInner(piece) + "\"}\n" })
	})},
	{"protobuf", inBodyOf("application/x-protobuf", protoMessage)},
	{"gRPC", inBodyOf("application/grpc", func(s string) string { return frame(0, protoMessage(s)) + frame(0, protoMessage("x")) })},
	{"gRPC, gzip", inBodyOf("application/grpc+proto", func(s string) string { return frame(1, zipped(protoMessage(s))) })},
	{"gRPC, JSON", inBodyOf("application/grpc+json", quoted("%s", func(s string) string { return frame(0, `{"note":"`+jsonInner(s)+`"}`) }))},
	{"gRPC-Web, text", func(v *Vault, text string) (string, error) {
		out, err := inBodyOf("application/grpc-web-text", func(s string) string {
			return b64(frame(0, protoMessage(s))) + b64(frame(0x80, "grpc-status: 0\r\nnote: "+s+"\r\n"))
		})(v, text)
		raw, _ := webText(out)
		return raw, err
	}},
	{"JPEG", inBodyOf("image/jpeg", jpegFile)},
	{"ZIP, stored", inBodyOf("application/zip", zipFile)},
	{"bytes", inBodyOf("application/octet-stream", func(s string) string { return "\x00\x01\x02" + s + "\x00\x03" })},
}

// A secretKind is one way in which a value comes to be known as secret.
type secretKind struct {
	name  string
	make  func(random string) string
	vault func(t testing.TB, secret string) *Vault
}

const odd = `+/=%&"<\'>` // what encodings differ in

var secretKinds = []secretKind{
	{"learned", func(random string) string { return random }, learnedByName},
	{"learned, odd", func(random string) string { return random[:9] + odd + random[9:] }, learnedByName},
	{"learned, not ASCII", func(random string) string { return random[:11] + "é" + random[11:] }, learnedByName},
	{"shape", func(random string) string { return "sk_test_" + random }, func(t testing.TB, _ string) *Vault { return vault(t, Config{}) }},
	{"environment", func(random string) string { return random[:12] + "/" + random[12:] + "+" }, func(t testing.TB, secret string) *Vault {
		return vault(t, Config{Env: []string{"ACME_TOKEN=" + secret}})
	}},
}

func learnedByName(t testing.TB, secret string) *Vault {
	v := vault(t, Config{})
	body(t, v, stripe, InRequest, formType, "token="+url.QueryEscape(secret))
	return v
}

func randomSecret(r *rand.Rand) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for {
		b := make([]byte, 26)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		if strong(string(b)) && strong(string(b[:12])+string(b[12:])) {
			return string(b)
		}
	}
}

// holds reports how clean text gives a secret away, "" when it does not.
func holds(clean, secret string) string {
	for _, e := range encodings {
		if text := e.encode(secret); strings.Contains(clean, text) {
			return e.name
		}
	}
	for _, text := range base64Spellings(secret) {
		if strings.Contains(clean, text) {
			return "base64"
		}
	}
	if random := strings.TrimPrefix(secret, "sk_test_"); strings.Contains(clean, random[len(random)-10:]) {
		return "its last ten characters"
	}
	return ""
}

// Every kind of secret, in every encoding, in every place, is gone from what would
// be stored. What does not work stands in TestLimits.
func TestMatrix(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, k := range secretKinds {
		secret := k.make(randomSecret(r))
		failed := 0
		for _, at := range spots {
			for _, e := range encodings {
				text := e.encode(secret)
				v := k.vault(t, secret)
				out, err := at.put(v, text)
				if err == nil {
					err = v.Check("body", []byte(out))
				}
				how := ""
				if err == nil {
					how = holds(out, secret)
				}
				if err != nil || how != "" {
					if failed++; failed < 12 {
						t.Errorf("%s, %s, %s: %s %v\n %.700q\n %.700q", k.name, at.name, e.name, how, err, text, out)
					}
				}
			}
		}
		if failed > 0 {
			t.Errorf("%s: %d of %d cells", k.name, failed, len(spots)*len(encodings))
		}
	}
}

// The same search finds every secret when the rule that catches it is removed, in each
// place that is not always replaced: so TestMatrix can fail.
func TestMatrixSeesMissingRules(t *testing.T) {
	without := map[string]Config{
		"learned": {Remove: []string{"name-token"}}, "learned, odd": {Remove: []string{"name-token"}},
		"learned, not ASCII": {Remove: []string{"name-token"}}, "shape": {Remove: []string{"value-stripe-key"}},
	}
	always := map[string]bool{"Authorization": true, "Cookie": true, "Set-Cookie": true, "user-info": true}
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, k := range secretKinds {
		secret := k.make(randomSecret(r))
		for _, at := range spots {
			for _, e := range encodings[:1] {
				v := vault(t, without[k.name]) // the environment is not known either
				body(t, v, stripe, InRequest, formType, "a=b&grant=1")
				if strings.HasPrefix(k.name, "learned") {
					_, _ = v.Body(stripe, InRequest, formType, []byte("token="+url.QueryEscape(secret)))
				}
				out, err := at.put(v, e.encode(secret))
				if err != nil {
					t.Errorf("%s, %s: %v", k.name, at.name, err)
				} else if (holds(out, secret) == "") != always[at.name] && !strings.Contains(at.name, "deltas") && !strings.Contains(at.name, "two data lines") {
					t.Errorf("%s, %s: the removed rule is not missed: %.300q", k.name, at.name, out)
				}
			}
		}
	}
}

// What is not cleaned, and why. What is refused fails closed: nothing of the message
// is stored.
func TestLimits(t *testing.T) {
	deflated := func(s string) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.Create("a.txt")
		_, _ = f.Write([]byte(s + s))
		_ = w.Close()
		return b.String()
	}
	wide := func(s string) string { return eachByte(s, "%c\x00") }
	digits := "938475620193847561029384"
	secret := randomSecret(rand.New(rand.NewPCG(1, 2)))
	tests := []struct {
		name, secret, contentType, in string
		refused                       bool // else it stays
	}{
		{"a document in base64 is no longer one without the secret", secret, "text/plain", b64(strings.Repeat("a", maxRun) + secret), true},
		{"the same in hexadecimal", secret, jsonType, `{"a":"` + hex.EncodeToString([]byte(strings.Repeat("a", maxRun)+secret)) + `"}`, true},
		{"numbers of JSON keep their type", digits, jsonType, `{"id":` + digits + `}`, true},
		{"a codec that is not known", secret, "application/grpc", frame(1, "\xff\x06\x00\x00sNaPpY"+secret), true},
		{"compressed inside of an archive", secret, "application/zip", deflated(secret), false},
		{"UTF-16 among other bytes", secret, "application/octet-stream", "\x01\x02\x03\x04" + wide(secret), false},
		{"every second byte", secret, "text/plain", wrapLines(secret, 1, "-"), false},
		{"backwards", secret, "text/plain", func() string { b := []byte(secret); slices.Reverse(b); return string(b) }(), false},
		{"more layers than are looked through", secret, "text/plain", func() string {
			s := secret
			for range maxWraps + 2 {
				s = b64(s)
			}
			return s
		}(), false},
	}
	for _, tt := range tests {
		v := learnedByName(t, tt.secret)
		out, err := v.Body(stripe, InResponse, tt.contentType, []byte(tt.in))
		if err == nil {
			err = v.Check("body", out)
		}
		if (err != nil) != tt.refused || err == nil && string(out) != tt.in {
			t.Errorf("%s: %v, %q", tt.name, err, out)
		}
		if err != nil && strings.Contains(err.Error(), tt.secret) {
			t.Errorf("%s: the error holds the secret", tt.name)
		}
	}
}

// A Twilio account id is the user name of Basic credentials and a segment of every
// path: it is no secret, and stays where it can be read.
func TestAccountIDStays(t *testing.T) {
	const account = "AC0123456789abcdef0123456789abcdef"
	v := vault(t, Config{Env: []string{"TWILIO_ACCOUNT_SID=" + account, "TWILIO_AUTH_TOKEN=" + random1}})
	h, err := v.Header(stripe, InRequest, http.Header{"Authorization": {"Basic " + b64(account+":"+random1)}})
	if err != nil || h.Get("Authorization") != "Basic REDACTED-TWILIO_AUTH_TOKEN-0000000001" {
		t.Error(h, err)
	}
	for _, u := range []string{"https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json", "https://" + account + ":%s@api.twilio.com/2010-04-01/Accounts/" + account} {
		live, want := strings.ReplaceAll(u, "%s", random1), strings.ReplaceAll(u, "%s", "REDACTED-TWILIO_AUTH_TOKEN-0000000002")
		if got, err := v.URL(stripe, InRequest, live); err != nil || got != want {
			t.Errorf("\n got %s, %v\nwant %s", got, err, want)
		}
	}
	in := `{"account_sid":"` + account + `","uri":"/2010-04-01/Accounts/` + account + `/Messages/SM1"}`
	if got := body(t, v, stripe, InResponse, jsonType, in); got != in {
		t.Error(got)
	}
	if got := body(t, v, stripe, InResponse, jsonType, `{"a":"`+random1+`"}`); got != `{"a":"REDACTED-TWILIO_AUTH_TOKEN-0000000002"}` {
		t.Error(got)
	}
}

// FuzzWrapped puts a random secret, in up to three encodings one around the other,
// into a random place.
func FuzzWrapped(f *testing.F) {
	for i := range uint64(40) {
		f.Add(i, i*7, "x=1 ", " y")
	}
	f.Fuzz(func(t *testing.T, a, b uint64, before, after string) {
		r := rand.New(rand.NewPCG(a, b))
		k := secretKinds[r.IntN(len(secretKinds))]
		secret := k.make(randomSecret(r))
		at := spots[r.IntN(len(spots))]
		text := secret
		names := k.name + " in " + at.name
		for range 1 + r.IntN(3) {
			e := encodings[r.IntN(len(encodings))]
			text = e.encode(text)
			names += ", " + e.name
		}
		if len(text) > 4<<10 {
			return
		}
		// Text that holds the name of a placeholder may be one with the secret's ends.
		if around := before + after; len(around) < 200 && isPlainText(around) && at.name != "Cookie" {
			text = before + " " + text + " " + after
		}
		v := k.vault(t, secret)
		out, err := at.put(v, text)
		if err != nil {
			if strings.HasPrefix(err.Error(), "not idempotent") {
				t.Errorf("%s: %v", names, err)
			}
			return
		}
		if v.Check("body", []byte(out)) != nil {
			return // refused
		}
		if how := holds(out, secret); how != "" {
			t.Errorf("%s: %s\n %.1500q\n %.1500q", names, how, text, out)
		}
	})
}

func isPlainText(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || strings.IndexByte(`%&\\"'<>=`, c) >= 0 {
			return false
		}
	}
	return !strings.Contains(s, word)
}
