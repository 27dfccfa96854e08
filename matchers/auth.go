package matchers

import (
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// authPlace is where the Authorization header stands among facts and secrets.
const authPlace = leaves.Place("auth")

// The classes of credentials.
const (
	authNone   = "none"
	authBasic  = "basic"
	authBearer = "bearer"
	authKey    = "key"
	authCookie = "cookie"
	authOther  = "other"
)

// keyCredentials are the headers, besides Authorization and Cookie, that say
// who calls. Package redact has a rule for each of them.
var keyCredentials = []string{
	"Api-Key", "Dd-Api-Key", "Dd-Application-Key", "Ocp-Apim-Subscription-Key", "Paypal-Auth-Assertion",
	"Private-Token", "X-Access-Token", "X-Amz-Security-Token", "X-Api-Key", "X-Auth-Token", "X-Goog-Api-Key",
	"X-Shopify-Access-Token", "X-Vault-Token",
}

// keyCredentialEndings are what the names of other such headers end in.
var keyCredentialEndings = []string{"-Api-Key", "-Apikey", "-Access-Token", "-Auth-Token"}

func isKeyCredential(canonical string) bool {
	return slices.Contains(keyCredentials, canonical) || slices.ContainsFunc(keyCredentialEndings, func(end string) bool {
		return strings.HasSuffix(canonical, end)
	})
}

// credentials adds the class of the credentials as a fact. Which credential
// it was is left to bindings: its placeholder becomes a secret.
func (rd *reader) credentials(r clean.Request) {
	class := authNone
	for _, name := range r.HeaderNames() {
		if place := headerPlace(name); isKeyCredential(name) && !rd.rules.ignores(place) {
			class = authKey
			for _, v := range r.Header(name) {
				rd.secret(place, v)
			}
		}
	}
	if cookies := rd.callerCookies(r); class == authNone && len(cookies) > 0 && len(r.Header("Authorization")) == 0 && r.URL().User == nil {
		class = authCookie
		for _, c := range cookies {
			rd.secret(headerPlace("Cookie").Member(c.name), c.value)
		}
	}
	ignored := rd.rules.ignores(authPlace)
	if user := r.URL().User; user != nil && len(r.Header("Authorization")) == 0 {
		class = authBasic
		if password, _ := user.Password(); !ignored {
			rd.secret(authPlace, user.Username())
			rd.secretOf(user.Username(), authPlace, password)
		}
	}
	for i, v := range r.Header("Authorization") {
		if i == 0 {
			class = authClass(v)
		}
		if !ignored {
			rd.secretOf(basicUser(v), authPlace, v)
		}
	}
	rd.add(authPlace, wordType, class)
}

func authClass(value string) string {
	scheme, _, hasScheme := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case strings.EqualFold(scheme, "basic"):
		return authBasic
	case strings.EqualFold(scheme, "bearer"):
		return authBearer
	case !hasScheme && scheme != "":
		return authKey // a key alone, as some APIs want it
	case scheme == "":
		return authNone
	}
	return authOther
}

// basicUser is the user of clean Basic credentials ("Basic alice:REDACTED-0001"), or "".
func basicUser(value string) string {
	if authClass(value) != authBasic {
		return ""
	}
	_, pair, _ := strings.Cut(strings.TrimSpace(value), " ")
	user, _, ok := strings.Cut(strings.TrimSpace(pair), ":")
	if !ok || len(redact.Placeholders(user)) > 0 {
		return ""
	}
	return user
}

// secret notes the placeholders in a value that is no fact.
func (rd *reader) secret(place leaves.Place, value string) { rd.secretOf("", place, value) }

// secretOf notes them as the secrets of a user who is known by name.
func (rd *reader) secretOf(user string, place leaves.Place, value string) {
	for _, ph := range redact.Placeholders(value) {
		rd.secrets = append(rd.secrets, Secret{Place: place, ID: ph.ID, Env: ph.Env, User: user})
	}
}

// onceOnlyNames are fields whose value is made anew for each request from the
// real secret: it tells no caller from another. Folded.
var onceOnlyNames = []string{"signature", "sig", "xamzsignature", "xgoogsignature", "hmac", "nonce", "codeverifier"}

var fold = strings.NewReplacer("-", "", "_", "", ".", "")

func isOnceOnly(name string) bool {
	return slices.Contains(onceOnlyNames, fold.Replace(strings.ToLower(name)))
}

type cookie struct{ name, value string }

// cookies takes Cookie headers apart. Values stay as they are.
func cookies(values []string) (out []cookie) {
	for _, v := range values {
		for pair := range strings.SplitSeq(v, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); name != "" || value != "" {
				out = append(out, cookie{name, value})
			}
		}
	}
	return out
}

// callerCookies are the cookies that may say who calls: neither those that
// analytics scripts and load balancers set for everyone, nor those that a rule ignores.
func (rd *reader) callerCookies(r clean.Request) []cookie {
	return slices.DeleteFunc(cookies(r.Header("Cookie")), func(c cookie) bool {
		return isNoiseCookie(c.name) || rd.rules.ignores(headerPlace("Cookie").Member(c.name))
	})
}

// noiseCookies are the beginnings of the names of cookies that name no user of
// the API.
var noiseCookies = []string{
	"_ga", "_gid", "_gat", "_gcl_", "__utm", // Google Analytics
	"_fbp", "_fbc", // Meta
	"_hj",               // Hotjar
	"ajs_",              // Segment
	"mp_", "amplitude_", // Mixpanel, Amplitude
	"_dd_s", "_pk_", // Datadog, Matomo
	"optimizely", "intercom-", // experiments, chat
	"__cf_bm", "_cfuvid", "__cflb", "cf_clearance", // Cloudflare
	"AWSALB", "AWSELB", // AWS load balancers
	"incap_ses_", "visid_incap_", // Imperva
	"ak_bmsc", "bm_sv", "bm_sz", "_abck", // Akamai
}

func isNoiseCookie(name string) bool {
	return slices.ContainsFunc(noiseCookies, func(start string) bool { return strings.HasPrefix(name, start) })
}

// isCredential reports whether a header says who calls.
func isCredential(canonical string) bool {
	return canonical == "Authorization" || canonical == "Cookie" || isKeyCredential(canonical)
}

// canonicalHeader writes a header name as net/http does.
func canonicalHeader(name string) string { return http.CanonicalHeaderKey(name) }
