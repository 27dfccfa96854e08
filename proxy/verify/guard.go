package verify

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// A LiveKeyError says that a live payment key would have been sent.
type LiveKeyError struct{ ID int }

func (e *LiveKeyError) Error() string {
	return fmt.Sprintf("interaction %d would be sent with a live payment key (sk_live_ or rk_live_); set the variable to a test key, or pass --allow-live to use real money and real data", e.ID)
}

// livePaymentKey is how Stripe's keys for real money begin.
var livePaymentKey = regexp.MustCompile(`\b[sr]k_live_`)

func holdsLiveKey(out outgoing) bool {
	for _, text := range out.texts() {
		if livePaymentKey.MatchString(text) {
			return true
		}
	}
	return false
}

// texts are all parts of a request, encoded ones decoded too.
func (out outgoing) texts() []string {
	list := []string{out.url, string(out.body)}
	if decoded, err := url.QueryUnescape(out.url); err == nil {
		list = append(list, decoded)
	}
	if decoded, err := url.QueryUnescape(string(out.body)); err == nil {
		list = append(list, decoded)
	}
	for _, header := range []map[string][]string{out.header, out.trailer} {
		for name, values := range header {
			for _, value := range values {
				list = append(list, value)
				scheme, payload, ok := strings.Cut(value, " ")
				if name != "Authorization" || !ok || !strings.EqualFold(scheme, "basic") {
					continue
				}
				if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(payload)); err == nil {
					list = append(list, string(decoded))
				}
			}
		}
	}
	return list
}

// overrides are headers and parameters that name another method than the request line,
// for clients behind proxies that know GET and POST alone.
var (
	overridingHeaders    = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}
	overridingParameters = []string{"_method", "x-http-method-override"}
)

// overridden reports a request that a server may take for one that changes something,
// whatever its request line says.
func overridden(r clean.Request) bool {
	var methods []string
	for _, name := range overridingHeaders {
		methods = append(methods, r.Header(name)...)
	}
	for name, values := range r.URL().Query() {
		if slices.Contains(overridingParameters, strings.ToLower(name)) {
			methods = append(methods, values...)
		}
	}
	return slices.ContainsFunc(methods, func(m string) bool {
		return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, strings.ToUpper(strings.TrimSpace(m)))
	})
}

// word finds what every placeholder but those of cards, telephones and addresses of
// machines is made with, in every encoding.
var word, _ = redact.NewFinder([]string{"REDACTED"})

// mayBeSent is the last gate before a request leaves: whatever was filled in, no
// placeholder is in it. The error is a *Lack.
func mayBeSent(out outgoing) error {
	for _, text := range out.texts() {
		if len(word.Find(text)) > 0 {
			return &Lack{Reason: "a placeholder stands where it cannot be filled in", Cure: "leave the request out with --only"}
		}
		for _, ph := range redact.Placeholders(text) {
			if strings.Contains(strings.ToUpper(text[ph.Start:ph.End]), "REDACTED") {
				return &Lack{Reason: "a placeholder stands where it cannot be filled in", Cure: "leave the request out with --only"}
			}
		}
	}
	return nil
}
