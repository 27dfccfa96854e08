package flows

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// caller calls the servers under their real names, with cookies if it is given any.
type caller struct {
	*testing.T
	client *http.Client
}

// call returns the status, the header and the body of an answer.
func (c caller) call(method, address string, form url.Values, prepare func(*http.Request)) (int, http.Header, string) {
	c.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(c.Context(), method, address, body)
	if err != nil {
		c.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if prepare != nil {
		prepare(req)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func start(t *testing.T, now func() time.Time) (caller, Credentials, *Servers) {
	t.Helper()
	credentials := NewCredentials()
	servers, err := Start(t.TempDir(), credentials, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := servers.Stop(); err != nil {
			t.Error(err)
		}
	})
	pem, err := os.ReadFile(servers.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, servers.Address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return caller{t, &http.Client{Transport: transport, CheckRedirect: noRedirect}}, credentials, servers
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// member reads a string member of a JSON answer.
func member(t *testing.T, text, name string) string {
	t.Helper()
	found := regexp.MustCompile(`"` + name + `":"([^"]+)"`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", name, text)
	}
	return strings.ReplaceAll(found[1], `\u0026`, "&")
}

// TestServersCheck: what is wrong, used or too old is refused. A server that took
// anything would let a broken replay pass for a good one.
func TestServersCheck(t *testing.T) {
	clock := time.Now()
	c, secrets, servers := start(t, func() time.Time { return clock })
	status := func(want int, what, method, address string, form url.Values, prepare func(*http.Request)) string {
		t.Helper()
		got, _, text := c.call(method, address, form, prepare)
		if got != want {
			t.Errorf("%s: %d, want %d: %s", what, got, want, text)
		}
		return text
	}

	tokens, orders := "https://"+Auth+"/oauth/token", "https://"+Orders+"/v1/orders"
	grant := url.Values{"grant_type": {"client_credentials"}}
	with := func(secret string) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "client_id": {OAuthClient}, "client_secret": {secrets.ClientSecret}, "refresh_token": {secret}}
	}
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(OAuthClient, password) }
	}
	status(401, "no client", "POST", tokens, grant, nil)
	status(401, "a wrong client secret", "POST", tokens, grant, basic("wrong"))
	status(401, "Basic where it is not taken", "POST", "https://"+Auth+"/form-only/oauth/token", grant, basic(secrets.ClientSecret))
	opaque := member(t, status(200, "a client", "POST", tokens, grant, basic(secrets.ClientSecret)), "access_token")
	status(200, "its token", "GET", orders, nil, bearer(opaque))
	status(401, "no token", "GET", orders, nil, nil)
	status(401, "a wrong token", "GET", orders, nil, bearer(opaque+"x"))
	refreshed := status(200, "a refresh token", "POST", tokens, with(secrets.RefreshToken), nil)
	status(400, "a used refresh token", "POST", tokens, with(secrets.RefreshToken), nil)
	jwt := member(t, refreshed, "access_token")
	status(200, "a JWT", "GET", orders, nil, bearer(jwt))
	status(401, "a JWT with another signature", "GET", orders, nil, bearer(jwt[:len(jwt)-4]+"AAAA"))

	for user, token := range map[string]string{"alice": secrets.AliceToken, "bob": secrets.BobToken} {
		if got := member(t, status(200, user, "GET", "https://"+Orders+"/me", nil, bearer(token)), "name"); got != user {
			t.Errorf("%s was taken for %s", user, got)
		}
	}
	status(401, "nobody's token", "GET", "https://"+Orders+"/me", nil, bearer("x"))
	status(401, "Bob's password for Alice", "GET", "https://"+Orders+"/basic/me", nil, func(r *http.Request) { r.SetBasicAuth("alice", secrets.BobPassword) })

	login := "https://" + Shop + "/login"
	hidden := func() string {
		found := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(status(200, "the login page", "GET", login, nil, nil))
		if found == nil {
			t.Fatal("the login page has no token")
		}
		return found[1]
	}
	form := func(token, password string) url.Values {
		return url.Values{"user": {"ada"}, "password": {password}, "csrf_token": {token}}
	}
	token := hidden()
	status(401, "a wrong password", "POST", login, form(token, "wrong"), nil)
	status(403, "a used CSRF token", "POST", login, form(token, secrets.LoginPassword), nil)
	status(303, "a login", "POST", login, form(hidden(), secrets.LoginPassword), nil)
	status(401, "no session", "POST", "https://"+Shop+"/cart", url.Values{}, nil)

	put := member(t, status(200, "a place to put a file", "POST", "https://"+Orders+"/v1/uploads", url.Values{"name": {"a"}}, nil), "upload_url")
	status(403, "another file than was signed", "PUT", strings.Replace(put, "/a?", "/b?", 1), nil, nil)
	status(403, "another method than was signed", "GET", put, nil, nil)
	status(400, "no signature", "PUT", put[:strings.IndexByte(put, '?')], nil, nil)
	status(200, "a signed URL", "PUT", put, nil, nil)

	status(401, "another account's messages", "POST", "https://"+Twilio+"/2010-04-01/Accounts/AC0/Messages.json", url.Values{},
		func(r *http.Request) { r.SetBasicAuth(TwilioAccount, secrets.TwilioToken) })
	status(401, "a wrong bot", "GET", "https://"+Telegram+"/bot1:x/getMe", nil, nil)
	status(403, "a wrong hook", "POST", "https://"+Slack+"/services/T0/B0/x", url.Values{}, nil)
	status(401, "a wrong key", "POST", "https://"+Stripe+"/v1/charges", url.Values{}, bearer("sk_test_x"))
	status(401, "a wrong client secret", "GET", "https://"+Stripe+"/v1/payment_intents/pi_1?client_secret=pi_1_secret_x", nil, nil)

	clock = clock.Add(2 * lifetime)
	status(401, "an old token", "GET", orders, nil, bearer(opaque))
	status(401, "an old JWT", "GET", orders, nil, bearer(jwt))
	status(403, "an old URL", "PUT", put, nil, nil)

	if n := len(servers.Secrets()); n < 20 {
		t.Errorf("%d secrets are known, which cannot be all", n)
	}
}
