package proxy

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ErrorHeader marks every answer that the proxy gives in its own name instead of
// an API's. Its value is "1".
const ErrorHeader = "Tapedeck-Error"

// ErrorReasonHeader repeats the message in one line, for clients that show no
// body: HEAD, WebSocket.
const ErrorReasonHeader = "Tapedeck-Error-Reason"

// ErrorResponse is an answer in the proxy's own name. Its body is
// {"error":{"message":…,"type":"tapedeck_error"}}, since most SDKs print error.message,
// or the bare message for a client that accepts only text. The message must not
// hold traffic. r may be nil.
func ErrorResponse(r *http.Request, status int, message string) *http.Response {
	header := make(http.Header)
	body := errorBody(header, r, message)
	resp := &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
	if r != nil && r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp
}

// WriteError writes what [ErrorResponse] makes, beside the headers that w holds already.
func WriteError(w http.ResponseWriter, r *http.Request, status int, message string) {
	header := w.Header()
	body := errorBody(header, r, message)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r == nil || r.Method != http.MethodHead {
		w.Write(body) // the client may be gone: nobody is left to tell
	}
}

func errorBody(header http.Header, r *http.Request, message string) []byte {
	header.Set(ErrorHeader, "1")
	header.Set(ErrorReasonHeader, oneLine(message))
	header.Set("Cache-Control", "no-store")
	if r != nil && onlyText(r.Header) {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		return []byte(message + "\n")
	}
	header.Set("Content-Type", "application/json")
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	// Encoding two strings into memory cannot fail.
	_ = encoder.Encode(map[string]any{"error": struct {
		Message string `json:"message"`
		Type    string `json:"type"`
	}{message, "tapedeck_error"}})
	return body.Bytes()
}

// onlyText reports that a client names text types and nothing that JSON satisfies.
func onlyText(header http.Header) bool {
	text := false
	for _, line := range header.Values("Accept") {
		for accepted := range strings.SplitSeq(strings.ToLower(line), ",") {
			media, _, _ := strings.Cut(accepted, ";")
			switch media = strings.TrimSpace(media); {
			case strings.HasPrefix(media, "text/"):
				text = true
			case media != "":
				return false
			}
		}
	}
	return text
}

// oneLine keeps a message valid as a header value. Clients read those as
// Latin-1, so all beyond ASCII would come out garbled.
func oneLine(message string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f:
			return '?'
		}
		return r
	}, strings.ReplaceAll(message, "…", "..."))
}
