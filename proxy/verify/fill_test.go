package verify

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// echoing answers every request with 200.
func echoing(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	})
}

// heard keeps the headers of requests.
type heard struct {
	http.Handler
	headers []http.Header
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.headers = append(h.headers, r.Header.Clone())
	h.Handler.ServeHTTP(w, r)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

const (
	testKey  = "sk_test_51Zk8QmX2vR7pLw4TnB9sYc3d"
	otherKey = "sk_test_51Wq5Tn8Zr3Yv6Lx1Mc9Bk2Ph"
	liveKey  = "sk_live_51Wq5Tn8Zr3Yv6Lx1Mc9Bk2Ph"
)

// TestCredentials: what was sent then with one value is sent now with another,
// wherever it stands and however it is written.
func TestCredentials(t *testing.T) {
	for _, c := range []struct {
		name          string
		then, now     environment
		secrets       map[string]string
		call          call
		header, value string // what is sent
		line          string // a part of method, URL and body that are sent
	}{
		{name: "bearer", then: environment{"API_TOKEN": secret1}, now: environment{"API_TOKEN": secret2},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"Authorization": {"Bearer " + secret1}}, ""}, header: "Authorization", value: "Bearer " + secret2},
		{name: "a prefix stays out of the placeholder", then: environment{"STRIPE_KEY": testKey}, now: environment{"STRIPE_KEY": otherKey},
			call: call{"GET", "https://api.stripe.com/a", http.Header{"Authorization": {"Bearer " + testKey}}, ""}, header: "Authorization", value: "Bearer " + otherKey},
		{name: "another prefix", then: environment{"STRIPE_KEY": testKey}, now: environment{"STRIPE_KEY": "rk_test_51Wq5Tn8Zr3Yv6Lx1Mc9Bk2Ph"},
			call: call{"GET", "https://api.stripe.com/a", http.Header{"Authorization": {"Bearer " + testKey}}, ""}, header: "Authorization", value: "Bearer rk_test_51Wq5Tn8Zr3Yv6Lx1Mc9Bk2Ph"},
		{name: "a key as the user of a pair", then: environment{"STRIPE_KEY": testKey}, now: environment{"STRIPE_KEY": otherKey},
			call: call{"GET", "https://api.stripe.com/a", http.Header{"Authorization": {basic(testKey, "")}}, ""}, header: "Authorization", value: basic(otherKey, "")},
		{name: "a user by name", then: environment{"DB_PASSWORD": secret1}, now: environment{"DB_PASSWORD": secret2},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"Authorization": {basic("alice", secret1)}}, ""}, header: "Authorization", value: basic("alice", secret2)},
		{name: "a pair of two variables", now: environment{"ACCOUNT": "ACq7Zt2LmX9vRbK4wPjN8", "PASS": secret2}, secrets: map[string]string{"0001": "ACCOUNT:PASS"},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"Authorization": {basic("ACw1Zt2LmX9vRbK4wPjN8", secret1)}}, ""}, header: "Authorization", value: basic("ACq7Zt2LmX9vRbK4wPjN8", secret2)},
		{name: "a number that a flag names", now: environment{"ACME": secret2}, secrets: map[string]string{"0001": "ACME"},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"X-Api-Key": {secret1}}, ""}, header: "X-Api-Key", value: secret2},
		{name: "a flag wins over the name", then: environment{"API_TOKEN": secret1}, now: environment{"API_TOKEN": secret1, "OTHER": secret2}, secrets: map[string]string{"0001": "OTHER"},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"X-Api-Key": {secret1}}, ""}, header: "X-Api-Key", value: secret2},
		{name: "cookie", now: environment{"SID": secret2, "SPEAK": "de"}, secrets: map[string]string{"0001": "SPEAK", "0002": "SID"},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"Cookie": {"lang=en; sid=" + secret1}}, ""}, header: "Cookie", value: "lang=de; sid=" + secret2},
		{name: "query", now: environment{"K": "a b&c=" + secret2}, secrets: map[string]string{"0001": "K"},
			call: call{"GET", "https://api.acme.dev/a?x=1&api_key=" + secret1 + "&y=%2F", nil, ""}, line: "x=1&api_key=a+b%26c%3D" + secret2 + "&y=%2F"},
		{name: "form", then: environment{"CLIENT_SECRET": secret1}, now: environment{"CLIENT_SECRET": secret2},
			call: call{"GET", "https://api.acme.dev/a", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "a=1&client_secret=" + secret1 + "&b=2"}, line: "a=1&client_secret=" + secret2 + "&b=2"},
		{name: "JSON", then: environment{"CLIENT_SECRET": secret1}, now: environment{"CLIENT_SECRET": `quote"` + secret2},
			call: call{"GET", "https://api.acme.dev/a", nil, `{"a": 1, "client_secret":"` + secret1 + `"}`}, line: `{"a": 1, "client_secret":"quote\"` + secret2 + `"}`},
		{name: "path", now: environment{"BOT": secret2}, secrets: map[string]string{"0001": "BOT"},
			then: environment{"BOT_TOKEN": secret1}, call: call{"GET", "https://api.acme.dev/bot/" + secret1 + "/me", nil, ""}, line: "https://api.acme.dev/bot/" + secret2 + "/me"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder(t, c.then, echoing(`{"ok":true}`))
			r.call(c.call)
			h := &heard{Handler: echoing(`{"ok":true}`)}
			v, list, tr := r.verifier(c.now, h)
			v.Secrets = c.secrets
			out := outcome(t, v, list)
			if len(tr.sent) != 1 {
				t.Fatalf("sent %q: %s\nrecorded %s %v %s", tr.sent, whys(out.Steps), r.stored[0].URL, r.stored[0].RequestHeader, r.stored[0].RequestBody)
			}
			if got := h.headers[0].Get(c.header); c.header != "" && !strings.HasSuffix(got, c.value) {
				t.Errorf("%s: %q, want %q; recorded %v", c.header, got, c.value, r.stored[0].RequestHeader)
			}
			if !strings.Contains(tr.sent[0], c.line) {
				t.Errorf("sent %q, want %q", tr.sent[0], c.line)
			}
		})
	}
}

// TestNothingIsSentWithoutAValue: a placeholder with no value keeps its request back,
// with a line that says where and what to do.
func TestNothingIsSentWithoutAValue(t *testing.T) {
	for _, c := range []struct {
		name    string
		then    environment
		secrets map[string]string
		call    call
		why     string
		pii     bool
	}{
		{name: "a variable that is not set", then: environment{"STRIPE_KEY": testKey}, call: call{"GET", "https://api.stripe.com/a", http.Header{"Authorization": {"Bearer " + testKey}}, ""},
			why: "auth: the variable STRIPE_KEY is not set; set it, or name another one with --secret 0001=VARIABLE"},
		{name: "a number", call: call{"GET", "https://api.acme.dev/a?api_key=" + secret1, nil, ""},
			why: "query.api_key: nothing says what placeholder 0001 stands for; name the variable that holds the value with --secret 0001=VARIABLE"},
		{name: "a flag's variable", secrets: map[string]string{"0001": "NONE"}, call: call{"GET", "https://api.acme.dev/a?api_key=" + secret1, nil, ""},
			why: "query.api_key: the variable that --secret 0001 names is not set; set it"},
		{name: "signed requests", call: call{"GET", "https://s3.amazonaws.com/a", http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIAQYLPVBT3XCZ7MN4K/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + secret1}}, ""},
			why: "auth: the AWS4-HMAC-SHA256 credentials are computed for each request, and only the program can do that; leave such requests out with --only"},
		{name: "a card", call: call{"GET", "https://api.acme.dev/a", nil, `{"number":"4929939187355598"}`},
			why: "body.number: nothing says what placeholder 4988438843884305 stands for; name the variable that holds the value with --secret 4988438843884305=VARIABLE"},
		{name: "a person", pii: true, call: call{"GET", "https://api.acme.dev/a?email=anna.berg@acme.dev", nil, ""},
			why: "query.email: nothing says what placeholder 0001 stands for; name the variable that holds the value with --secret 0001=VARIABLE"},
		{name: "text", call: call{"GET", "https://api.acme.dev/a", http.Header{"Content-Type": {"text/plain"}}, "my key is " + testKey},
			why: "body: nothing says what placeholder 0001 stands for; name the variable that holds the value with --secret 0001=VARIABLE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder(t, c.then, echoing(`{"ok":true}`))
			r.config = redact.Config{PII: c.pii}
			r.cleaner = cleanerOf(t, c.then, r.config)
			r.call(c.call)
			v, list, tr := r.verifier(environment{}, echoing(`{"ok":true}`))
			v.Secrets = c.secrets
			out := outcome(t, v, list)
			if out.Steps[0].Fate != Lacks || out.Steps[0].Why != c.why {
				t.Errorf("%s: %s\nwant %s\nrecorded %s %s", out.Steps[0].Fate, out.Steps[0].Why, c.why, r.stored[0].URL, r.stored[0].RequestBody)
			}
			if len(tr.sent) > 0 || out.Complete() {
				t.Errorf("sent %q, complete %v", tr.sent, out.Complete())
			}
		})
	}
}

// TestPlaceholderInBytes: where a placeholder stands where nothing can be filled in, the
// request is kept back whole.
func TestPlaceholderInBytes(t *testing.T) {
	for _, c := range []struct{ contentType, body string }{
		{"application/octet-stream", "\xff\xfe key=REDACTED-0001 \x00"},
		{"application/json", `{"blob":"` + base64.StdEncoding.EncodeToString([]byte("the key REDACTED-0001 in base64")) + `"}`},
		{"application/x-www-form-urlencoded", "REDACTED-0001=1"},
		{"multipart/form-data; boundary=tapedeck-boundary", "--tapedeck-boundary\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\xff REDACTED-0001\r\n--tapedeck-boundary--\r\n"},
	} {
		r := newRecorder(t, nil, echoing(`{}`))
		r.stored = append(r.stored, clean.Stored{Method: "GET", URL: "https://api.acme.dev/a", RequestHeader: http.Header{"Content-Type": {c.contentType}}, RequestBody: []byte(c.body),
			Status: 200, ResponseHeader: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte("{}")})
		v, list, tr := r.verifier(environment{"K": secret1}, echoing(`{}`))
		out := outcome(t, v, list)
		if len(tr.sent) > 0 || out.Steps[0].Fate != Lacks {
			t.Errorf("%s: sent %q, %s", c.contentType, tr.sent, out.Steps[0].Why)
		}
	}
}

func TestLiveKeys(t *testing.T) {
	for _, value := range []string{"Bearer " + testKey, basic(testKey, "")} {
		r := newRecorder(t, environment{"STRIPE_KEY": testKey}, echoing(`{}`))
		r.call(call{"GET", "https://api.stripe.com/a", http.Header{"Authorization": {value}}, ""})
		v, list, tr := r.verifier(environment{"STRIPE_KEY": liveKey}, echoing(`{}`))
		if _, err := v.Plan(list); err == nil || !strings.Contains(err.Error(), "--allow-live") || strings.Contains(err.Error(), liveKey) {
			t.Errorf("a live key is planned: %v", err)
		}
		v.AllowLive = true
		if outcome(t, v, list); len(tr.sent) != 1 {
			t.Errorf("sent %q", tr.sent)
		}
	}
}

// TestNumbers: a small number is an id only where it counts the same things.
func TestNumbers(t *testing.T) {
	api := func(n string) http.Handler {
		mux := http.NewServeMux()
		reply := func(body string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, body)
			}
		}
		mux.HandleFunc("GET /orders", reply(`[{"id":`+n+`,"customer_id":`+n+`1,"total":20}]`))
		mux.HandleFunc("/", reply(`{}`))
		return mux
	}
	r := newRecorder(t, nil, api("7"))
	r.call(call{"GET", "https://api.acme.dev/orders", nil, ""})
	for _, path := range []string{"/orders/7", "/orders/7/lines?limit=7", "/customers/71", "/shelves/7", "/orders?customer_id=71&order_id=7&total=20"} {
		r.call(call{"GET", "https://api.acme.dev" + path, nil, ""})
	}
	r.call(call{"GET", "https://api.acme.dev/search", nil, `{"order":{"id":7},"quantity":7,"order_ids":[7,8]}`})
	v, list, tr := r.verifier(nil, api("9"))
	outcome(t, v, list)
	want := []string{"/orders", "/orders/9", "/orders/9/lines?limit=7", "/customers/91", "/shelves/7", "/orders?customer_id=91&order_id=9&total=20", `/search {"order":{"id":9},"quantity":7,"order_ids":[9,8]}`}
	for i, line := range tr.sent {
		if got := strings.TrimPrefix(line, "GET https://api.acme.dev"); got != want[i] {
			t.Errorf("sent %s, want %s", got, want[i])
		}
	}
}

// TestIdempotencyKeys are new in each run, and equal where they were equal.
func TestIdempotencyKeys(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{}`))
	for _, k := range []string{"8c1f2f0e-7a1b-4a57-9d58-0f6b8f0f3a10", "8c1f2f0e-7a1b-4a57-9d58-0f6b8f0f3a10", "1d1f2f0e-7a1b-4a57-9d58-0f6b8f0f3a10"} {
		r.call(call{"POST", "https://api.acme.dev/a", http.Header{"Idempotency-Key": {k}}, `{}`})
	}
	h := &heard{Handler: echoing(`{}`)}
	v, list, _ := r.verifier(nil, h)
	v.Unsafe = true
	outcome(t, v, list)
	var keys []string
	for _, header := range h.headers {
		keys = append(keys, header.Get("Idempotency-Key"))
	}
	if len(keys) != 3 || keys[0] != keys[1] || keys[1] == keys[2] || strings.HasPrefix(keys[0], "8c1f") || !isUUID(keys[0]) {
		t.Error(keys)
	}
}

func TestTimesAhead(t *testing.T) {
	for text, want := range map[string]string{
		`{"expires_at":1793534400}`:                     `{"expires_at":1795392000}`, // the noon of the day of recording
		`{"created_at":1793534400}`:                     `{"created_at":1793534400}`,
		`{"starts_at":"2026-11-05T10:00:00Z"}`:          `{"starts_at":"2026-11-26T22:00:00Z"}`,
		`{"due_date":"2026-11-05"}`:                     `{"due_date":"2026-11-26"}`,
		`{"due_date":"2026-10-05"}`:                     `{"due_date":"2026-10-05"}`,
		`{"cancel_at":"2027-01-01T00:00:00Z"}`:          `{"cancel_at":"2027-01-01T00:00:00Z"}`,
		`{"amount":1793534400,"name":"1793534400 end"}`: `{"amount":1793534400,"name":"1793534400 end"}`,
	} {
		r := newRecorder(t, nil, echoing(`{}`))
		r.call(call{"GET", "https://api.acme.dev/a", nil, text})
		v, list, tr := r.verifier(nil, echoing(`{}`))
		outcome(t, v, list)
		if got := strings.TrimPrefix(tr.sent[0], "GET https://api.acme.dev/a "); got != want {
			t.Errorf("%s: sent %s, want %s", text, got, want)
		}
	}
}

// TestListsGrow: an id that still is in a list is itself, whatever stands in its place.
func TestListsGrow(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{"data":[{"id":"prod_a1b2c3d4e5f6"},{"id":"prod_b1b2c3d4e5f6"}]}`))
	r.call(call{"GET", "https://api.acme.dev/products", nil, ""})
	r.call(call{"GET", "https://api.acme.dev/products/prod_b1b2c3d4e5f6", nil, ""})
	v, list, tr := r.verifier(nil, echoing(`{"data":[{"id":"prod_99b2c3d4e5f6"},{"id":"prod_a1b2c3d4e5f6"},{"id":"prod_b1b2c3d4e5f6"}]}`))
	outcome(t, v, list)
	if len(tr.sent) != 2 || !strings.HasSuffix(tr.sent[1], "/prod_b1b2c3d4e5f6") {
		t.Error(tr.sent)
	}
}

// TestPageSecret: a token in a form of a page is sent with the next request.
func TestPageSecret(t *testing.T) {
	page := func(token string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Set-Cookie", "sid="+token+"sid; Path=/")
			io.WriteString(w, `<form><input type="hidden" name="csrf_token" value="`+token+`"><p>`+strings.Repeat("hello ", len(token)%7)+`</form>`)
		})
	}
	r := newRecorder(t, nil, page(secret1))
	r.call(call{"GET", "https://www.acme.dev/login", nil, ""})
	r.call(call{"POST", "https://www.acme.dev/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"sid=" + secret1 + "sid"}}, "csrf_token=" + secret1})
	h := &heard{Handler: page(secret2 + "x")}
	v, list, tr := r.verifier(nil, h)
	v.Unsafe = true
	out := outcome(t, v, list)
	if len(tr.sent) != 2 || !strings.HasSuffix(tr.sent[1], "csrf_token="+secret2+"x") || h.headers[1].Get("Cookie") != "sid="+secret2+"xsid" {
		t.Errorf("%q %v\n%s\n%s", tr.sent, h.headers, whys(out.Steps), r.stored[0].ResponseBody)
	}
	mustHoldNoSecret(t, out, secret2+"x")
}
