package redact

import (
	"strings"
	"testing"
)

// What a client joins is redacted as it is joined: the first piece gets the
// placeholder, the others lose what was the secret's, and no other byte changes.
func TestEvents(t *testing.T) {
	const stream, lines = "text/event-stream", "application/x-ndjson"
	key := "sk_test_" + random2
	a, b, c := key[:5], key[5:17], key[17:]
	tests := []struct{ name, contentType, in, want string }{
		{"deltas", stream,
			"data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"use " + a + "\"}}]}\n\ndata: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"" + b + "\"}}]}\n\ndata: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"" + c + " now\"}}]}\n\ndata: [DONE]\n\n",
			"data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"use sk_test_REDACTED-0000000001\"}}]}\n\ndata: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\ndata: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\" now\"}}]}\n\ndata: [DONE]\n\n"},
		{"deltas of another API, between other events", stream,
			"event: content_block_delta\r\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"" + a + b + "\"}}\r\n\r\n: ping\r\n\r\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"" + c + "\"}}\r\n\r\n",
			"event: content_block_delta\r\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"sk_test_REDACTED-0000000001\"}}\r\n\r\n: ping\r\n\r\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}}\r\n\r\n"},
		{"two in turn", stream,
			"data: {\"d\":\"" + random1[:9] + "\"}\n\ndata: {\"d\":\"" + random1[9:] + " and " + a + "\"}\n\ndata: {\"d\":\"" + b + c + "\"}\n\n",
			"data: {\"d\":\"REDACTED-0001\"}\n\ndata: {\"d\":\" and sk_test_REDACTED-0000000002\"}\n\ndata: {\"d\":\"\"}\n\n"},
		{"two data lines", stream, "data: x " + a + b + "\ndata: " + c + " y\n\n", "data: x sk_test_REDACTED-0000000001\ndata:  y\n\n"},
		{"text", stream, "data: x" + "\n\ndata: " + random1[:4] + "\n\ndata:" + random1[4:] + "\n\n", "data: x\n\ndata: REDACTED-0000000001\n\ndata:\n\n"},
		{"places are apart", stream, "data: {\"a\":\"" + a + b + "\",\"b\":\"" + c + "\"}\n\n", ""},
		{"NDJSON", lines, "{\"response\":\"" + a + b + "\"}\n{\"response\":\"" + c + "\",\"done\":true}\n", "{\"response\":\"sk_test_REDACTED-0000000001\"}\n{\"response\":\"\",\"done\":true}\n"},
		{"numbers are not joined", stream, "data: {\"n\":\"" + card1[:8] + "\"}\n\ndata: {\"n\":\"" + card1[8:] + "\"}\n\n", ""},
		{"nothing", stream, "data: {\"d\":\"Hel\"}\n\ndata: {\"d\":\"lo \\u00e9\"}\n\nid: 7\nretry: 10\n\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				tt.want = tt.in
			}
			v := vault(t, Config{})
			if strings.Contains(tt.want, "data: x\n") || strings.Contains(tt.name, "in turn") {
				v = learnedByName(t, random1)
			}
			if got := body(t, v, stripe, InResponse, tt.contentType, tt.in); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}
