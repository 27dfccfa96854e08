package deck

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExpiriesMoveAhead(t *testing.T) {
	// Recorded on the first day of a year, played a year and twelve hours later.
	age := newAging("2026-01-01", time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC))
	header := http.Header{
		"Set-Cookie": {
			"sid=REDACTED-0001; Path=/; Expires=Fri, 02 Jan 2026 00:00:00 GMT; HttpOnly",
			"old=; expires=Thu, 01 Jan 1970 00:00:00 GMT",
			"dash=1; EXPIRES=Fri, 02-Jan-2026 00:00:00 GMT",
			"age=1; Max-Age=3600",
			"expires=Fri, 02 Jan 2026 00:00:00 GMT",
			"odd=1; Expires=someday",
		},
		"Expires": {"Fri, 02 Jan 2026 00:00:00 GMT"},
	}
	age.header(header)
	want := http.Header{
		"Set-Cookie": {
			"sid=REDACTED-0001; Path=/; Expires=Sat, 02 Jan 2027 12:00:00 GMT; HttpOnly",
			"old=; expires=Thu, 01 Jan 1970 00:00:00 GMT",
			"dash=1; EXPIRES=Sat, 02-Jan-2027 12:00:00 GMT",
			"age=1; Max-Age=3600",
			"expires=Fri, 02 Jan 2026 00:00:00 GMT",
			"odd=1; Expires=someday",
		},
		"Expires": {"Fri, 02 Jan 2026 00:00:00 GMT"},
	}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}

	for _, c := range []struct{ what, body, want string }{
		{"seconds", `{"access_token":"REDACTED-0001","expires_at":1767312000}`, `{"access_token":"REDACTED-0001","expires_at":1798891200}`},
		{"milliseconds", `{"token":"REDACTED-0001","expiresAt":1767312000000}`, `{"token":"REDACTED-0001","expiresAt":1798891200000}`},
		{"seconds as text", `{"access_token":"REDACTED-0001","expires_on":"1767312000"}`, `{"access_token":"REDACTED-0001","expires_on":"1798891200"}`},
		{"AWS", `{"Credentials":{"SecretAccessKey":"REDACTED-0001","Expiration":"2026-01-02T00:00:00Z"}}`, `{"Credentials":{"SecretAccessKey":"REDACTED-0001","Expiration":"2027-01-02T12:00:00Z"}}`},
		{"with a zone", `{"token":"REDACTED-0001","expiry":"2026-01-02T02:00:00.500+02:00"}`, `{"token":"REDACTED-0001","expiry":"2027-01-02T14:00:00.500+02:00"}`},
		{"it had expired", `{"token":"REDACTED-0001","expires_at":1600000000}`, ``},
		{"relative", `{"access_token":"REDACTED-0001","expires_in":3600}`, ``},
		{"no secret beside it", `{"object":"checkout.session","expires_at":1767312000,"card":{"token":"REDACTED-0001"}}`, ``},
		{"a card's expiry", `{"number":"4242424242424242","exp":1767312000}`, ``},
		{"not a time", `{"token":"REDACTED-0001","expires_at":"never","exp":null,"expiry":12}`, ``},
		{"not JSON", `REDACTED-0001 expires_at 1767312000`, ``},
	} {
		if c.want == "" {
			c.want = c.body
		}
		if got := string(age.body("application/json", []byte(c.body))); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if got := string(newAging("", age.now).body("application/json", []byte(c.body))); got != c.body {
			t.Errorf("%s: with no day of recording it changed to %s", c.what, got)
		}
	}
}
