package deck

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// An aging moves the expiries of cookies and tokens that lay ahead on the day of
// recording as far ahead of now: clients look at them before they send anything. What
// had expired then stays expired. With no day of recording nothing moves.
type aging struct{ recorded, now time.Time }

// newAging is the aging of an interaction recorded on a day (YYYY-MM-DD) or, as a
// foreign one, on no known day.
func newAging(recorded string, now time.Time) aging {
	day, err := time.Parse(time.DateOnly, recorded)
	if err != nil {
		return aging{}
	}
	return aging{day, now}
}

// moved is the new expiry; ok is false for one that stays.
func (a aging) moved(expiry time.Time) (_ time.Time, ok bool) {
	if a.recorded.IsZero() || !expiry.After(a.recorded) {
		return expiry, false
	}
	return a.now.Add(expiry.Sub(a.recorded)), true
}

// text moves the expiry of the JWTs in a text.
func (a aging) text(s string) string {
	if a.recorded.IsZero() {
		return s
	}
	return redact.Refresh(s, a.recorded, a.now)
}

// header moves the expiries in an answer's headers, in place.
func (a aging) header(h http.Header) {
	for name, values := range h {
		for i, v := range values {
			values[i] = a.text(v)
			if name == "Set-Cookie" {
				values[i] = a.cookie(values[i])
			}
		}
	}
}

// cookieTimes are the forms of a cookie's Expires that servers send (RFC 6265,
// section 5.1.1, reads almost anything).
var cookieTimes = []string{
	http.TimeFormat,
	"Mon, 02-Jan-2006 15:04:05 GMT",
	"Mon, 02-Jan-06 15:04:05 GMT",
	"Monday, 02-Jan-06 15:04:05 GMT",
	"Mon, 02 Jan 2006 15:04:05 -0700",
}

// cookie moves the Expires of a Set-Cookie. Max-Age is relative and needs nothing.
func (a aging) cookie(value string) string {
	attributes := strings.Split(value, ";")
	for i, attribute := range attributes[1:] {
		name, text, ok := strings.Cut(attribute, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "expires") {
			continue
		}
		if moved, ok := a.written(strings.Trim(strings.TrimSpace(text), `"`), cookieTimes); ok {
			attributes[i+1] = name + "=" + moved
		}
	}
	return strings.Join(attributes, ";")
}

// written moves a time that is written in one of the layouts.
func (a aging) written(text string, layouts []string) (string, bool) {
	for _, layout := range layouts {
		expiry, err := time.Parse(layout, text)
		if err != nil || expiry.Format(layout) != text {
			continue
		}
		moved, ok := a.moved(expiry)
		return moved.In(expiry.Location()).Format(layout), ok
	}
	return text, false
}

// expiryNames are the members beside a token that say until when it may be used:
// of OAuth servers that send more than expires_in, of AWS's temporary keys, of
// sessions. Folded.
var expiryNames = []string{
	"expiresat", "expireson", "expiration", "expirationtime", "expirationdate", "expiry", "expirytime", "expirydate", "expiretime", "exp",
	"validuntil", "tokenexpiry", "tokenexpiresat", "accesstokenexpiresat", "accesstokenexpiration", "refreshtokenexpiresat", "refreshtokenexpiration",
}

// bodyTimes are the forms of an expiry in a body.
var bodyTimes = []string{
	time.RFC3339,
	"2006-01-02T15:04:05.000Z07:00",
	"2006-01-02T15:04:05.000000Z07:00",
	time.RFC3339Nano,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	http.TimeFormat,
}

// body moves the expiries that stand beside a secret in the same object, and those
// of JWTs.
func (a aging) body(contentType string, body []byte) []byte {
	if a.recorded.IsZero() || !isSecret(string(body)) {
		return body // most bodies hold no secret and need not be read
	}
	body = []byte(a.text(string(body)))
	format, list, err := leaves.Body(contentType, body)
	if err != nil || format != leaves.JSON {
		return body
	}
	secrets := make(map[string]bool) // by the object that holds one
	for _, leaf := range list {
		if leaf.Kind == leaves.String && isSecret(leaf.Value) {
			secrets[objectOf(leaf.Place)] = true
		}
	}
	if len(secrets) == 0 {
		return body
	}
	var out []byte
	last := 0
	for _, leaf := range list {
		if !secrets[objectOf(leaf.Place)] || !slices.Contains(expiryNames, folded(leaf.Name)) {
			continue
		}
		moved, ok := a.value(leaf)
		if !ok {
			continue
		}
		out = append(out, body[last:leaf.Start]...)
		out = append(out, leaf.Quote(moved)...)
		last = leaf.End
	}
	if out == nil {
		return body
	}
	return append(out, body[last:]...)
}

// value moves one leaf: Unix seconds or milliseconds, or a written time.
func (a aging) value(leaf leaves.Leaf) (string, bool) {
	if n, err := strconv.ParseInt(leaf.Value, 10, 64); err == nil && (leaf.Kind == leaves.Number || leaf.Kind == leaves.String) {
		switch len(leaf.Value) {
		case 10:
			moved, ok := a.moved(time.Unix(n, 0))
			return strconv.FormatInt(moved.Unix(), 10), ok
		case 13:
			moved, ok := a.moved(time.UnixMilli(n))
			return strconv.FormatInt(moved.UnixMilli(), 10), ok
		}
		return "", false
	}
	if leaf.Kind != leaves.String {
		return "", false
	}
	return a.written(leaf.Value, bodyTimes)
}

func isSecret(value string) bool {
	return slices.ContainsFunc(redact.Placeholders(value), func(p redact.Placeholder) bool { return !redact.IsCard(p.ID) })
}

// objectOf is the place of the object that holds a leaf.
func objectOf(place leaves.Place) string {
	s := string(place)
	return s[:max(strings.LastIndexAny(s, ".["), 0)]
}

func folded(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}
