package deck

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// livePaymentKey is how Stripe's keys for real money begin. Recording with one
// moves real money and brings real customers' data into a file.
var livePaymentKey = regexp.MustCompile(`\b[sr]k_live_`)

// liveKey says why a request must not be recorded, or "".
func (d *Deck) liveKey(req *http.Request, body []byte) string {
	if d.opt.AllowLive || !carriesLiveKey(req, body) {
		return ""
	}
	d.report.refuse(d.where(req) + ": a live payment key was used; the request was not sent")
	return "this request carries a live payment key (sk_live_ or rk_live_), and tapedeck is recording; " +
		"use a test key, or pass --allow-live to record real data"
}

func carriesLiveKey(req *http.Request, body []byte) bool {
	for _, values := range req.Header {
		for _, v := range values {
			if livePaymentKey.MatchString(v) || livePaymentKey.MatchString(basic(v)) {
				return true
			}
		}
	}
	if user := req.URL.User.String(); livePaymentKey.MatchString(user) {
		return true
	}
	return livePaymentKey.MatchString(req.URL.RawQuery) || livePaymentKey.Match(body)
}

// mayHoldKey reports whether a body is of a kind in which APIs take keys. Other
// bodies (uploads, protobuf) stream to the upstream unseen.
func mayHoldKey(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return false
	}
	contentType := req.Header.Get("Content-Type")
	switch leaves.FormatOf(contentType, []byte("x")) { // no body at all would be leaves.Empty
	case leaves.Form, leaves.JSON:
		return true
	}
	return contentType == ""
}

// basic decodes the payload of a Basic credential, where Stripe's key may be the user.
func basic(v string) string {
	scheme, payload, ok := strings.Cut(v, " ")
	if !ok || !strings.EqualFold(scheme, "basic") {
		return ""
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(payload))
	if err != nil {
		return ""
	}
	return string(decoded)
}

// mustNotForward says why a request may not reach the real API in NewEpisodes:
// it holds a placeholder from a played answer, and the API would refuse it.
func mustNotForward(req *http.Request, body []byte) string {
	texts := []string{req.URL.String(), string(body)}
	if decoded, err := clean.Decode(req.Header.Values("Content-Encoding"), body, DefaultMaxBody); err == nil {
		texts = append(texts, string(decoded))
	}
	if decoded, err := url.QueryUnescape(req.URL.RawQuery); err == nil {
		texts = append(texts, decoded)
	}
	for _, values := range req.Header {
		for _, v := range values {
			texts = append(texts, v, basic(v))
		}
	}
	for _, text := range texts {
		for _, p := range redact.Placeholders(text) {
			if !redact.IsCard(p.ID) {
				return "the request carries a redacted value from a played answer, which the real API would refuse; record the whole cassette again"
			}
		}
	}
	return ""
}
