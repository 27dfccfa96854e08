package leaves

import (
	"fmt"
	"strings"
)

func isNDJSON(_ *Outline, m mediaType, _ string) bool {
	return m.is("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
		"application/jsonlines", "application/x-jsonlines", "application/json-lines", "application/stream+json",
		"application/x-json-stream", "application/json-l") || strings.HasSuffix(m.name, "+x-ndjson") || strings.HasSuffix(m.name, "+ndjson")
}

// ndjsonBody reads one JSON text per line; line n stands at body[n]. Empty
// lines do not count.
func ndjsonBody(o *Outline, _ mediaType, body string) error {
	o.nodes = append(o.nodes, node{name: "body", step: step{up: -1}})
	for at, n := 0, 0; at < len(body); {
		end := strings.IndexByte(body[at:], '\n')
		if end < 0 {
			end = len(body)
		} else {
			end += at
		}
		if line := body[at:end]; strings.TrimSpace(line) != "" {
			o.nodes = append(o.nodes, node{step: step{0, int32(n)}})
			if err := o.json(line, at, int32(len(o.nodes)-1), "", len("body")+indexLen(n)); err != nil {
				return fmt.Errorf("line %d: %w", 1+strings.Count(body[:at], "\n"), err)
			}
			n++
		}
		at = end + 1
	}
	return nil
}
