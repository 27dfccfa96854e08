//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// rawCassette writes exchanges as a tool that takes nothing out would, and as tapedeck
// never does. word stands in every answer, so that two cassettes differ everywhere.
func rawCassette(exchanges []*exchange, word string) string {
	var b strings.Builder
	b.WriteString("version: 2\ninteractions:\n")
	for i, e := range exchanges {
		status := fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
		if e.raw != "" { // it is there for its status line
			status = strings.TrimPrefix(e.raw[:strings.Index(e.raw, "\r\n")], "HTTP/1.1 ")
		}
		reply := e.replyHeader.Clone()
		if reply == nil {
			reply = http.Header{}
		}
		reply.Set("X-Build", word)
		answer := strings.ReplaceAll(strings.Join(e.reply, ""), `"object":"grant"`, `"object":"grant","`+word+`":"`+word+`"`)
		fmt.Fprintf(&b, "- id: %d\n  request:\n    method: %s\n    url: %s\n    proto: HTTP/1.1\n", i, e.method, rawText(e.url()))
		rawHeader(&b, "headers", e.header)
		rawHeader(&b, "trailer", e.trailer)
		fmt.Fprintf(&b, "    body: %s\n  response:\n    proto: HTTP/1.1\n    status: %s\n    code: %d\n", rawText(e.body), rawText(status), e.status)
		rawHeader(&b, "headers", reply)
		rawHeader(&b, "trailer", e.replyTrailer)
		fmt.Fprintf(&b, "    body: %s\n    duration: 0s\n", rawText(answer))
		if e.early != nil {
			b.WriteString("  tapedeck:\n    informational:\n    - code: 103\n      headers:\n")
			for _, name := range slices.Sorted(maps.Keys(e.early)) {
				fmt.Fprintf(&b, "        %s: [%s]\n", name, rawText(e.early.Get(name)))
			}
		}
	}
	return b.String()
}

func rawHeader(b *strings.Builder, key string, h http.Header) {
	if len(h) == 0 {
		return
	}
	fmt.Fprintf(b, "    %s:\n", key)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(b, "      %s:\n", name)
		for _, value := range h[name] {
			fmt.Fprintf(b, "      - %s\n", rawText(value))
		}
	}
}

// rawText is a YAML scalar. A JSON string is one.
func rawText(text string) string {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "!!binary " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a string always can be
	}
	return strings.TrimSuffix(b.String(), "\n")
}
