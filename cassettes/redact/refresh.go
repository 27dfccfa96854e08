package redact

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Refresh moves the expiry of every JWT placeholder in clean text that was valid
// when it was recorded as far ahead of now as it was ahead of recorded: clients
// check exp before they use a token. A token that had expired then stays expired.
// All other bytes stay.
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

func refreshed(token string, recorded, now time.Time) (string, bool) {
	_, claims, ok := jwtParts(token)
	if !ok {
		return "", false
	}
	exp, err := strconv.ParseInt(string(claims["exp"]), 10, 64)
	if err != nil || exp <= recorded.Unix() {
		return "", false
	}
	parts := strings.SplitN(token, ".", 3)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	// The payload was written by keptMembers: "exp" stands once, with no white space.
	moved := `"exp":` + strconv.FormatInt(now.Unix()+exp-recorded.Unix(), 10)
	changed := strings.Replace(string(payload), `"exp":`+string(claims["exp"]), moved, 1)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2], true
}
