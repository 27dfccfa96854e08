package proxy

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SessionHeader names the session of one request. It is removed before anything
// else sees the request.
const SessionHeader = "Tapedeck-Session"

// maxSessionName bounds a session's name, in bytes. Names become file names.
const maxSessionName = 240

// sessionName finds the name that a request carries itself: the header, which
// wins, or the user of its proxy credentials. The password is ignored; it only
// exists because some clients drop a user without one.
func sessionName(header http.Header) string {
	if name := header.Get(SessionHeader); name != "" {
		return name
	}
	kind, credentials, _ := strings.Cut(header.Get("Proxy-Authorization"), " ")
	if !strings.EqualFold(kind, "Basic") {
		return ""
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil {
		return ""
	}
	// The password is one letter by our own advice, while test names hold colons
	// (module::test): the last colon separates, not the first.
	user := string(plain)
	if i := strings.LastIndexByte(user, ':'); i >= 0 {
		user = user[:i]
	}
	// Clients differ in whether they decode the user of a proxy URL.
	if decoded, err := url.PathUnescape(user); err == nil {
		return decoded
	}
	return user
}

// saneSession refuses names that would break a log line or a file name.
func saneSession(name string) bool {
	return len(name) <= maxSessionName && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

const (
	noSession = "this proxy serves one cassette per session and the request names none; " +
		"set the proxy URL to http://NAME:x@HOST:PORT (the password x is ignored, but Python needs one), " +
		"or send the header " + SessionHeader + ": NAME with each request"
	badSession = "the session's name is too long or holds control characters; use at most 240 bytes of plain text"
)
