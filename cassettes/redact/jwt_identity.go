package redact

import (
	"encoding/json"
	"strconv"
	"strings"
)

// perToken are the claims that differ from one token to the next though both say the
// same about who may do what: RFC 7519, OpenID Connect Core (2 and 3.3.2.11), and what
// Entra ID (aio, rh, uti) and Cognito (origin_jti, event_id) add.
var perToken = []string{"exp", "iat", "nbf", "jti", "nonce", "auth_time", "at_hash", "c_hash", "s_hash",
	"updated_at", "aio", "rh", "uti", "origin_jti", "event_id"}

// jwtIdentity is what makes two JWTs the same secret: who they speak of and what that
// one may do. Many clients sign a token for every request (GitHub Apps, service
// accounts, private_key_jwt), and each of those is the same caller. A token that says
// neither who made it nor whom it is about is a secret by itself, but for the proofs of
// RFC 9449, which say with which key and for which URL.
func jwtIdentity(token string) string {
	header, claims, ok := jwtParts(token)
	if !ok || !saysWho(claims["iss"]) && !saysWho(claims["sub"]) && !isProof(header) {
		return token
	}
	for _, name := range perToken {
		delete(claims, name)
	}
	all := map[string]any{"claims": claims, "signed": !strings.HasSuffix(token, ".")}
	for _, name := range []string{"alg", "typ", "jwk"} {
		all[name] = header[name]
	}
	text, err := json.Marshal(all) // with sorted names, and without white space
	if err != nil {
		return token
	}
	return "JWT " + string(text)
}

// saysWho reports whether a claim names somebody: a text, or a number as GitHub's
// libraries write an app's id.
func saysWho(claim json.RawMessage) bool {
	return len(claim) > 2 && claim[0] == '"' || len(claim) > 0 && isDigit(claim[0])
}

func isProof(header map[string]json.RawMessage) bool {
	return strings.EqualFold(string(header["typ"]), `"dpop+jwt"`) && header["jwk"] != nil
}

// learnJWT enters a token: it is searched for from now on, and has the number of those
// that say the same.
func (v *Vault) learnJWT(token, rule string) *secret {
	return v.learn(jwtIdentity(token), rule, token)
}

// A day in seconds, as of NumericDate.
const day = 24 * 60 * 60

// alignDay moves the times of a token back together, so that it was issued at the
// start (UTC) of its day: a token that is issued anew when the cassette is recorded again
// the same day reads the same then. Where exp would leave its day, nothing is moved,
// since only the day of recording is known when tokens are refreshed.
func alignDay(claims map[string]json.RawMessage) {
	issued, ok := seconds(claims["iat"])
	if !ok || issued <= 0 {
		return
	}
	by := issued % day
	if exp, ok := seconds(claims["exp"]); ok && (exp < issued || exp/day != (exp-by)/day) {
		return
	}
	for _, name := range append([]string{"exp"}, pastClaims...) {
		if at, ok := seconds(claims[name]); ok {
			claims[name] = strconv.AppendInt(nil, at-by, 10)
		}
	}
}
