package deck_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tapedeck/proxy/deck"
)

func jwt(exp int64) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"sub":"ada","exp":%d}`, exp)) + "." + part("a signature of thirty-two bytes.")
}

func digest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// A client that looks at expiries before it sends anything must go on as it did when
// the cassette was recorded, however long ago that was.
func TestPlayedExpiriesLieAheadAsTheyDid(t *testing.T) {
	recorded := time.Date(2026, 3, 5, 9, 30, 0, 0, time.UTC)
	ahead, behind := recorded.Add(time.Hour), recorded.AddDate(0, 0, -3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "q8Zk2LpX9vN4tR7sW1yB", Expires: ahead, Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "gone", Value: "", Expires: time.Unix(0, 0), Path: "/"})
		w.Header().Set("X-Session-Token", jwt(ahead.Unix()))
		w.Header().Set("Content-Type", "application/json")
		body := fmt.Sprintf(`{"access_token":"a7Xk2QmZ94tVw8rJ3nBs5LpD","expires_at":%d,"old":{"refresh_token":"Zk8QpL2xV9mN4tR7sW1yHd83","expires_at":%d},"id_token":%q,`+
			`"offer":{"expires_at":%[1]d}}`, ahead.Unix(), behind.Unix(), jwt(ahead.Unix()))
		w.Header().Set("Content-Digest", digest(body))
		io.WriteString(w, body)
	}))
	defer server.Close()
	b := newBench(t)
	at := func(now time.Time) func(*deck.Options) {
		return func(o *deck.Options) { o.Now = func() time.Time { return now } }
	}
	d := b.open(deck.RecordOnly, to{server}, at(recorded))
	ask(t, d, "POST", "https://api.acme.dev/login", "a=1")
	b.close(d)
	before := b.file()
	server.Close()

	now := recorded.AddDate(3, 0, 0)
	d = b.open(deck.ReplayOnly, unreachable{t}, at(now))
	resp, body := ask(t, d, "POST", "https://api.acme.dev/login", "a=1")
	b.close(d)
	if b.file() != before {
		t.Error("playing changed the cassette")
	}

	// Only the day of recording is known, so an expiry is right to within a day.
	near := func(what string, expiry time.Time) {
		t.Helper()
		if left := expiry.Sub(now); left < time.Hour || left > 25*time.Hour {
			t.Errorf("%s ends %s after now, and ended an hour after it was recorded", what, left)
		}
	}
	cookies := resp.Cookies()
	if len(cookies) != 2 {
		t.Fatalf("cookies: %q", resp.Header["Set-Cookie"])
	}
	near("the cookie", cookies[0].Expires)
	if !cookies[1].Expires.Equal(time.Unix(0, 0)) {
		t.Errorf("a deleted cookie came back: %s", cookies[1])
	}
	var got struct {
		ExpiresAt int64 `json:"expires_at"`
		Old       struct {
			ExpiresAt int64 `json:"expires_at"`
		}
		IDToken string `json:"id_token"`
		Offer   struct {
			ExpiresAt int64 `json:"expires_at"`
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	near("the access token", time.Unix(got.ExpiresAt, 0))
	near("the JWT in the body", expOf(t, got.IDToken))
	near("the JWT in the header", expOf(t, resp.Header.Get("X-Session-Token")))
	if got.Old.ExpiresAt != behind.Unix() {
		t.Errorf("a token that had expired is said to end at %d, recorded %d", got.Old.ExpiresAt, behind.Unix())
	}
	if got.Offer.ExpiresAt != ahead.Unix() {
		t.Errorf("an expiry that no token stands beside has moved to %d", got.Offer.ExpiresAt)
	}
	if sent := resp.Header.Get("Content-Digest"); sent != digest(body) {
		t.Errorf("Content-Digest is %s, the body's is %s", sent, digest(body))
	}
	if resp.ContentLength != int64(len(body)) {
		t.Errorf("Content-Length is %d, the body has %d bytes", resp.ContentLength, len(body))
	}
}

func expOf(t *testing.T, token string) time.Time {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %s", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Exp int64 }
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return time.Unix(claims.Exp, 0)
}
