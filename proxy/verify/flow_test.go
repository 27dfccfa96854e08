package verify

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tapedeck/cassettes/clean"
)

// answers is an API that gives one answer per path.
type answers map[string]struct {
	status      int
	header      http.Header
	contentType string
	body        string
}

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := a[r.URL.Path]
	for name, values := range one.header {
		w.Header()[name] = values
	}
	if one.contentType == "" {
		one.contentType = "application/json"
	}
	w.Header().Set("Content-Type", one.contentType)
	w.WriteHeader(max(one.status, 200))
	io.WriteString(w, one.body)
}

// TestWhereValuesComeFrom: whatever way an answer gives a value, the next request sends
// what the live answer gives in that way.
func TestWhereValuesComeFrom(t *testing.T) {
	const oldID, newID = "ord_a1b2c3d4e5f6", "ord_z9y8x7w6v5u4"
	for _, c := range []struct {
		name      string
		then, now answers
		next      call   // the recorded request that follows GET /start
		want      string // how the live one ends
		header    string // which holds want, if not the request itself
	}{
		{"Location", answers{"/start": {header: http.Header{"Location": {"https://api.acme.dev/orders/" + oldID + "?state=s1a2b3c4d5"}}}},
			answers{"/start": {header: http.Header{"Location": {"https://api.acme.dev/orders/" + newID + "?state=s9z8y7x6w5"}}}},
			call{"GET", "https://api.acme.dev/orders/" + oldID + "?state=s1a2b3c4d5", nil, ""}, "/orders/" + newID + "?state=s9z8y7x6w5", ""},
		{"Link", answers{"/start": {header: http.Header{"Link": {`<https://api.acme.dev/start?after=c1a2b3c4d5>; rel="next"`}}}},
			answers{"/start": {header: http.Header{"Link": {`<https://api.acme.dev/start?after=c9z8y7x6w5>; rel="next"`}}}},
			call{"GET", "https://api.acme.dev/start?after=c1a2b3c4d5", nil, ""}, "?after=c9z8y7x6w5", ""},
		{"next link in a body", answers{"/start": {body: `{"next":"/v1/list?cursor=c1a2b3%3D%3D&limit=2"}`}},
			answers{"/start": {body: `{"next":"/v1/list?cursor=c9z8y7%3D%3D&limit=3"}`}},
			call{"GET", "https://api.acme.dev/v1/list?limit=2&cursor=c1a2b3%3D%3D", nil, ""}, "?limit=2&cursor=c9z8y7%3D%3D", ""},
		{"number in a Location", answers{"/start": {header: http.Header{"Location": {"/orders/7"}}}}, answers{"/start": {header: http.Header{"Location": {"/orders/9"}}}},
			call{"GET", "https://api.acme.dev/orders/7", nil, ""}, "/orders/9", ""},
		{"id in a longer text", answers{"/start": {body: `{"id":"` + oldID + `"}`}}, answers{"/start": {body: `{"id":"` + newID + `"}`}},
			call{"GET", "https://api.acme.dev/search?q=order%3A%27" + oldID + "%27+open", nil, ""}, "?q=order%3A%27" + newID + "%27+open", ""},
		{"id in a header", answers{"/start": {body: `{"account":"acct_1a2b3c4d5e6f"}`}}, answers{"/start": {body: `{"account":"acct_9z8y7x6w5v4u"}`}},
			call{"GET", "https://api.acme.dev/a", http.Header{"Stripe-Account": {"acct_1a2b3c4d5e6f"}}, ""}, "acct_9z8y7x6w5v4u", "Stripe-Account"},
		{"XML", answers{"/start": {contentType: "application/xml", body: "<order><id>" + oldID + "</id><n>1</n></order>"}},
			answers{"/start": {contentType: "application/xml", body: "<order><id>" + newID + "</id><n>2</n></order>"}},
			call{"GET", "https://api.acme.dev/orders/" + oldID, nil, ""}, "/orders/" + newID, ""},
		{"secret behind an id", answers{"/start": {body: `{"id":"` + oldID + `","client_secret":"` + oldID + "_secret_" + secret1 + `"}`}},
			answers{"/start": {body: `{"id":"` + newID + `","client_secret":"` + newID + "_secret_" + secret2 + `"}`}},
			call{"GET", "https://api.acme.dev/a", http.Header{"Authorization": {"Bearer " + oldID + "_secret_" + secret1}}, ""}, "Bearer " + newID + "_secret_" + secret2, "Authorization"},
		{"secret behind an id that stands nowhere else", answers{"/start": {body: `{"client_secret":"` + oldID + "_secret_" + secret1 + `"}`}},
			answers{"/start": {body: `{"client_secret":"` + newID + "_secret_" + secret2 + `"}`}},
			call{"GET", "https://api.acme.dev/a?client_secret=" + oldID + "_secret_" + secret1, nil, ""}, "?client_secret=" + newID + "_secret_" + secret2, ""},
		{"token in a redirect's query", answers{"/start": {header: http.Header{"Location": {"https://app.acme.dev/cb?access_token=" + secret1 + "&refresh_token=x" + secret1}}}},
			answers{"/start": {header: http.Header{"Location": {"https://app.acme.dev/cb?access_token=" + secret2 + "&refresh_token=x" + secret2}}}},
			call{"GET", "https://api.acme.dev/a", http.Header{"Authorization": {"Bearer x" + secret1}}, ""}, "Bearer x" + secret2, "Authorization"},
		{"cookie", answers{"/start": {header: http.Header{"Set-Cookie": {"sid=" + secret1 + "; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "t=" + secret1 + "t"}}}},
			answers{"/start": {header: http.Header{"Set-Cookie": {"sid=" + secret2 + "; Path=/", "t=" + secret2 + "t"}}}},
			call{"GET", "https://api.acme.dev/a", http.Header{"Cookie": {"sid=" + secret1 + "; t=" + secret1 + "t"}}, ""}, "sid=" + secret2 + "; t=" + secret2 + "t", "Cookie"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder(t, nil, c.then)
			r.call(call{"GET", "https://api.acme.dev/start", nil, ""})
			r.call(c.next)
			h := &heard{Handler: c.now}
			v, list, tr := r.verifier(nil, h)
			out := outcome(t, v, list)
			if len(tr.sent) != 2 {
				t.Fatalf("sent %q: %s", tr.sent, whys(out.Steps))
			}
			got := tr.sent[1]
			if c.header != "" {
				got = h.headers[1].Get(c.header)
			}
			if !strings.HasSuffix(got, c.want) {
				t.Errorf("sent %q, want %q; recorded %s %v", got, c.want, r.stored[1].URL, r.stored[0].ResponseBody)
			}
			if strings.Contains(c.want, secret2) {
				mustHoldNoSecret(t, out, secret2)
			}
		})
	}
}

// TestUserInfoAndTrailers: what else a request may carry.
func TestUserInfoAndTrailers(t *testing.T) {
	r := newRecorder(t, nil, echoing(`{}`))
	r.stored = []clean.Stored{{Method: "GET", URL: "https://ann:REDACTED-0001@api.acme.dev/a?x=%zz&y=1#top", Status: 200, ResponseHeader: http.Header{},
		RequestHeader: http.Header{"Content-Type": {"text/plain"}, "If-None-Match": {`"e1"`}}, RequestBody: []byte("hello"), RequestTrailer: http.Header{"X-Token": {"REDACTED-0001"}}}}
	h := &heard{Handler: echoing(`{}`)}
	v, list, tr := r.verifier(environment{"PASS": secret2}, h)
	v.Secrets = map[string]string{"0001": "PASS"}
	var trailer http.Header
	h.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { trailer = r.Trailer })
	out := outcome(t, v, list)
	if len(tr.sent) != 1 || tr.sent[0] != "GET https://api.acme.dev/a?x=%zz&y=1 hello" {
		t.Fatalf("sent %q: %s", tr.sent, whys(out.Steps))
	}
	if got := h.headers[0].Get("Authorization"); got != basic("ann", secret2) {
		t.Errorf("Authorization: %q", got)
	}
	if h.headers[0].Get("If-None-Match") != "" {
		t.Error("a condition of then is sent")
	}
	if trailer.Get("X-Token") != secret2 {
		t.Errorf("trailer %v", trailer)
	}
	mustHoldNoSecret(t, out, secret2)
}

// TestOnTheWire sends to a server: the target goes out as it was recorded.
func TestOnTheWire(t *testing.T) {
	var target, agent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, agent = r.RequestURI, r.UserAgent()
		w.WriteHeader(204)
	}))
	defer server.Close()
	r := newRecorder(t, nil, echoing(`{}`))
	r.stored = []clean.Stored{{Method: "GET", URL: server.URL + "/a%2Fb/%7Euser?q=a+b&r=%41", Status: 204, ResponseHeader: http.Header{}, RequestHeader: http.Header{}}}
	v, list, _ := r.verifier(nil, echoing(`{}`))
	v.Transport = http.DefaultTransport
	if out := outcome(t, v, list); len(out.Live) != 1 {
		t.Fatal(whys(out.Steps))
	}
	if target != "/a%2Fb/%7Euser?q=a+b&r=%41" || agent == "" {
		t.Errorf("%s by %q", target, agent)
	}
}
