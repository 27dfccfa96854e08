package redact

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
)

// keptClaims are the claims that a JWT placeholder keeps, when they hold nothing
// that looks like a secret or a person: clients check them. They are RFC 7519's
// and RFC 8693's, without those that name somebody (sub, email, act).
var keptClaims = []string{"iss", "aud", "exp", "iat", "nbf", "auth_time", "token_use", "typ", "scope", "scp", "ver"}

// keptHeader are the header members that a JWT placeholder keeps (RFC 7515).
var keptHeader = []string{"alg", "typ", "kid"}

// jwtParts splits a JWT; ok is false for anything else that has two dots.
func jwtParts(token string) (header, claims map[string]json.RawMessage, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	header, ok = jsonSegment(parts[0])
	if !ok || header["alg"] == nil && header["typ"] == nil {
		return nil, nil, false
	}
	claims, ok = jsonSegment(parts[1])
	return header, claims, ok
}

func jsonSegment(segment string) (map[string]json.RawMessage, bool) {
	segment = strings.TrimRight(segment, "=")
	// Decoding stops at the first fault, so that text full of false starts costs little.
	dec := json.NewDecoder(base64.NewDecoder(base64.RawURLEncoding, strings.NewReader(segment)))
	var members map[string]json.RawMessage
	if dec.Decode(&members) != nil || members == nil {
		return nil, false
	}
	_, err := dec.Token()
	return members, err == io.EOF && !strings.ContainsAny(segment, "\r\n") // which the decoder skips
}

// jwtPlaceholder writes a token that decodes like token but holds only harmless
// members, and id in place of its signature.
func jwtPlaceholder(token, id string, harmless func(string) bool) string {
	header, claims, ok := jwtParts(token)
	if !ok {
		return word + joinedNumber(id)
	}
	alignDay(claims)
	return keptMembers("{", header, keptHeader, harmless) + "." + keptMembers(quietOpen, claims, keptClaims, harmless) + "." + word + joinedNumber(id)
}

// quietOpen begins the payload. Any JSON parser skips the line feed, and the payload
// begins with "ewo" in base64, not with "ey", by which secret scanners know a token.
const quietOpen = "{\n"

// keptMembers writes some members as JSON, with no white space behind what opens it,
// in base64.
func keptMembers(open string, members map[string]json.RawMessage, names []string, harmless func(string) bool) string {
	var b strings.Builder
	b.WriteString(open)
	for _, name := range names {
		raw, ok := members[name]
		if !ok || !harmlessMember(raw, harmless) {
			continue
		}
		if b.Len() > len(open) {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
		b.Write(raw)
	}
	b.WriteByte('}')
	return base64.RawURLEncoding.EncodeToString([]byte(b.String()))
}

// harmlessMember accepts numbers, booleans, strings and lists of strings that
// are short, name nobody and hold no secret.
func harmlessMember(raw json.RawMessage, harmless func(string) bool) bool {
	var one string
	var many []string
	var number json.Number
	var flag bool
	switch {
	case json.Unmarshal(raw, &one) == nil:
		many = []string{one}
	case json.Unmarshal(raw, &many) == nil:
	case json.Unmarshal(raw, &flag) == nil || json.Unmarshal(raw, &number) == nil:
		return len(raw) <= 20
	default:
		return false
	}
	for _, s := range many {
		if len(s) > 200 || strings.Contains(s, "@") || !harmless(s) {
			return false
		}
	}
	return true
}

// jwtStart finds where, from floor on, the JWT starts whose third part starts at i.
func jwtStart(s string, floor, i int) (int, bool) {
	if i <= floor || s[i-1] != '.' {
		return 0, false
	}
	dots := 0
	j := i
	for j > floor && (isNameByte(s[j-1]) || s[j-1] == '-' || s[j-1] == '.' && dots < 2) {
		if j--; s[j] == '.' {
			dots++
		}
	}
	if dots != 2 {
		return 0, false
	}
	for ; s[j] != '.'; j++ {
		if j > floor && !boundary(s, j) {
			continue
		}
		for _, start := range jwtStarts {
			if strings.HasPrefix(s[j:], start) {
				return j, true
			}
		}
	}
	return 0, false
}

// jwtStarts are the ways in which a JSON object starts in base64: {" and, from
// libraries that print white space, { followed by a space, a line feed or a
// tab. The last is {}, a placeholder's header of which nothing could be kept.
var jwtStarts = []string{"eyJ", "eyA", "ewo", "ew0", "ewk", "e30."}

// oldJWTPadding stands behind a number above 9999 that an earlier version wrote: it
// kept the third part decodable.
const oldJWTPadding = "AAA"

func (ph Placeholder) isJWT(s string) bool { return s[ph.Start] != word[0] }
