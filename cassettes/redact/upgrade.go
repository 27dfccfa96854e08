package redact

import (
	"encoding/base64"
	"strings"
)

// Upgrade writes the placeholders of earlier versions as today's are written, so that
// secret scanners pass over them: numbers with zeros where they are a part of a longer
// word or stand behind a variable's name, and JWTs whose payload begins with a line feed.
// The identities stay, and so does all other text.
func Upgrade(s string) string {
	var b strings.Builder
	last := 0
	for _, ph := range Placeholders(s) {
		now := ph.upgraded(s)
		if now == s[ph.Start:ph.End] {
			continue
		}
		b.WriteString(s[last:ph.Start])
		b.WriteString(now)
		last = ph.End
	}
	b.WriteString(s[last:])
	return b.String()
}

// UpgradeBody is Upgrade for a body. In binary ones, where lengths would have to follow,
// placeholders stay as they are.
func UpgradeBody(contentType, s string) string {
	if wire := wireOf(contentType); wire != wireNone && wire != wireEvents || isBinary(s) {
		return s
	}
	return Upgrade(s)
}

// upgraded is the placeholder, which stands in s, as today's are written.
func (ph Placeholder) upgraded(s string) string {
	text := s[ph.Start:ph.End]
	switch {
	case ph.card || ph.form != formPlain:
		return text
	case ph.isJWT(s):
		return upgradedJWT(text, ph.ID)
	case isLongNumber(s[ph.idStart:ph.idEnd]):
		return text
	case s[ph.idStart-1] != '-':
		return s[ph.Start:ph.idStart] + joinedNumber(ph.ID)
	case ph.Env != "" || ph.prefixed(s):
		return s[ph.Start:ph.idStart] + longNumber(ph.ID)
	}
	return s[ph.Start:ph.idStart] + shortNumber(ph.ID)
}

// prefixed reports whether the word before goes on in the placeholder. What a sign of
// assignment or an escape sequence parts from it may stand by itself.
func (ph Placeholder) prefixed(s string) bool {
	if ph.Start == 0 || s[ph.Start-1] == '=' || escapeBefore(s, ph.Start) || ph.Start >= 6 && s[ph.Start-6:ph.Start-4] == `\u` {
		return false
	}
	return settingOf(s[:ph.End], ph.Start, ph.End) == within
}

// upgradedJWT is a token's placeholder with today's beginning of the payload and writing
// of the number.
func upgradedJWT(text, id string) string {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return text
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil && strings.HasPrefix(string(payload), "{") && !strings.HasPrefix(string(payload), quietOpen) {
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(quietOpen + string(payload[1:])))
	}
	return parts[0] + "." + parts[1] + "." + word + joinedNumber(id)
}
