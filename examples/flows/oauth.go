package flows

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// lifetime is how long an access token is good for.
const lifetime = time.Hour

// oauth is an authorization server (RFC 6749) and an API that accepts its tokens.
// Refresh tokens are good for one use (RFC 6749, 10.4): the answer has the next one.
type oauth struct {
	clientSecret string
	ledger       *ledger
	now          func() time.Time
	key          []byte // signs access tokens that are JWTs

	mu      sync.Mutex
	opaque  map[string]time.Time // access tokens, and when they end
	refresh map[string]int       // good refresh tokens, and which generation they are
	used    map[string]bool      // refresh tokens
}

func newOAuth(c Credentials, l *ledger, now func() time.Time) *oauth {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &oauth{
		clientSecret: c.ClientSecret, ledger: l, now: now, key: key,
		opaque: map[string]time.Time{}, refresh: map[string]int{c.RefreshToken: 0}, used: map[string]bool{},
	}
}

func (o *oauth) serve(mux *http.ServeMux) {
	mux.HandleFunc("POST "+Auth+"/oauth/token", func(w http.ResponseWriter, r *http.Request) { o.token(w, r, true) })
	// Some servers take the client's secret in the form only; clients find out.
	mux.HandleFunc("POST "+Auth+"/form-only/oauth/token", func(w http.ResponseWriter, r *http.Request) { o.token(w, r, false) })
	mux.HandleFunc("GET "+Orders+"/v1/orders", o.orders)
}

// token is the token endpoint (RFC 6749, 3.2).
func (o *oauth) token(w http.ResponseWriter, r *http.Request, basic bool) {
	if !o.isClient(r, basic) {
		w.Header().Set("WWW-Authenticate", "Basic")
		answer(w, http.StatusUnauthorized, object{"error": "invalid_client", "error_description": "unknown client or wrong secret"})
		return
	}
	switch r.PostFormValue("grant_type") {
	case "client_credentials":
		token := o.ledger.mint("an access token", "")
		o.mu.Lock()
		o.opaque[token] = o.now().Add(lifetime)
		o.mu.Unlock()
		answer(w, http.StatusOK, object{"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "scope": r.PostFormValue("scope")})
	case "refresh_token":
		o.rotate(w, r.PostFormValue("refresh_token"))
	default:
		answer(w, http.StatusBadRequest, object{"error": "unsupported_grant_type"})
	}
}

func (o *oauth) isClient(r *http.Request, basic bool) bool {
	id, secret, ok := r.BasicAuth()
	switch {
	case ok && !basic:
		return false
	case !ok:
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	return id == OAuthClient && equal(secret, o.clientSecret)
}

func (o *oauth) rotate(w http.ResponseWriter, token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	generation, ok := o.refresh[token]
	if !ok {
		description := "unknown refresh token"
		if o.used[token] {
			description = "this refresh token has been used"
		}
		answer(w, http.StatusBadRequest, object{"error": "invalid_grant", "error_description": description})
		return
	}
	delete(o.refresh, token)
	o.used[token] = true
	next := o.ledger.mint("a refresh token", "")
	o.refresh[next] = generation + 1
	answer(w, http.StatusOK, object{
		"access_token": o.sign(generation + 1), "refresh_token": next, "token_type": "Bearer",
		"expires_in": int(lifetime.Seconds()), "generation": generation + 1,
	})
}

// claims are those of an access token.
type claims struct {
	Audience   string `json:"aud"`
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`
	ID         string `json:"jti"`
	IssuedAt   int64  `json:"iat"`
	Expires    int64  `json:"exp"`
	Generation int    `json:"generation"`
}

// sign makes a JWT (RFC 7519).
func (o *oauth) sign(generation int) string {
	now := o.now()
	payload, _ := json.Marshal(claims{ // strings and numbers
		Audience: Orders, Issuer: "https://" + Auth, Subject: o.ledger.mint("the subject of a token", "user_"),
		ID: o.ledger.mint("the id of a token", ""), IssuedAt: now.Unix(), Expires: now.Add(lifetime).Unix(), Generation: generation,
	})
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT","kid":"k1"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature := o.signature(signed)
	o.ledger.note("the signature of a token", signature)
	return signed + "." + signature
}

func (o *oauth) signature(signed string) string {
	mac := hmac.New(sha256.New, o.key)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// orders is what access tokens are for.
func (o *oauth) orders(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, generation := "opaque", 0
	if ok {
		if kind, generation, ok = o.accepts(token); !ok {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
	}
	if !ok {
		refuse(w, http.StatusUnauthorized, "unauthorized", "a valid access token is needed")
		return
	}
	answer(w, http.StatusOK, object{"token": object{"kind": kind, "generation": generation}, "orders": []string{"order-1", "order-2"}})
}

func (o *oauth) accepts(token string) (kind string, generation int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if until, ok := o.opaque[token]; ok {
		return "opaque", 0, o.now().Before(until)
	}
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !equal(token[dot+1:], o.signature(token[:dot])) {
		return "", 0, false
	}
	_, payload, _ := strings.Cut(token[:dot], ".")
	var c claims
	if raw, err := base64.RawURLEncoding.DecodeString(payload); err != nil || json.Unmarshal(raw, &c) != nil {
		return "", 0, false
	}
	return "JWT", c.Generation, o.now().Unix() < c.Expires
}

// equal compares secrets in a time that does not depend on where they differ.
func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
