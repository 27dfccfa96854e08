package redact

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Refresh moves every JWT placeholder in clean text that was valid when it was
// recorded forward in time: clients check exp, nbf and iat before they use a token.
// exp lies as far ahead of now then as it lay ahead when the token was made, and
// nothing that lay behind lies ahead. recorded is the start of the day of recording.
// A token that had expired before stays expired. All other bytes stay.
func Refresh(s string, recorded, now time.Time) string {
	var b strings.Builder
	last := 0
	for _, ph := range Placeholders(s) {
		if ph.card || !ph.isJWT(s) {
			continue
		}
		token, ok := refreshed(s[ph.Start:ph.End], recorded, now)
		if !ok {
			continue
		}
		b.WriteString(s[last:ph.Start])
		b.WriteString(token)
		last = ph.End
	}
	if last == 0 {
		return s
	}
	b.WriteString(s[last:])
	return b.String()
}

// pastClaims are the times that lie behind in a valid token (RFC 7519, 4.1.5 and 4.1.6;
// OpenID Connect Core, 2).
var pastClaims = []string{"iat", "nbf", "auth_time"}

func refreshed(token string, recorded, now time.Time) (string, bool) {
	_, claims, ok := jwtParts(token)
	if !ok {
		return "", false
	}
	exp, ok := seconds(claims["exp"])
	if !ok || exp <= recorded.Unix() {
		return "", false
	}
	moves := map[string]int64{"exp": exp}
	by := now.Unix() - recorded.Unix()
	for _, name := range pastClaims {
		// Only the day of recording is known: what the token was made at may be
		// later than its start, and must not lie ahead of now.
		if at, ok := seconds(claims[name]); ok && at < recorded.AddDate(0, 0, 1).Unix() {
			moves[name] = at
			by = min(by, now.Unix()-at)
		}
	}
	if by <= 0 {
		return "", false
	}
	parts := strings.SplitN(token, ".", 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	// The payload was written by keptMembers: each claim stands once, with no white space in it.
	payload := string(raw)
	for name, at := range moves {
		payload = strings.Replace(payload, `"`+name+`":`+string(claims[name]), `"`+name+`":`+strconv.FormatInt(at+by, 10), 1)
	}
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + parts[2], true
}

func seconds(claim json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(claim), 10, 64)
	return n, err == nil
}
