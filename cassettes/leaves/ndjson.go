package leaves

import (
	"bytes"
	"fmt"
	"strings"
)

func isNDJSON(m mediaType, _ []byte) bool {
	return m.is("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
		"application/jsonlines", "application/x-jsonlines", "application/json-lines", "application/stream+json",
		"application/x-json-stream", "application/json-l") || strings.HasSuffix(m.name, "+x-ndjson") || strings.HasSuffix(m.name, "+ndjson")
}

// ndjsonBody reads one JSON text per line; line n stands at body[n]. Empty
// lines do not count.
func ndjsonBody(_ mediaType, body []byte) ([]Leaf, error) {
	var list []Leaf
	for at, n := 0, 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		if end < 0 {
			end = len(body)
		} else {
			end += at
		}
		if line := body[at:end]; len(bytes.TrimSpace(line)) > 0 {
			leaves, err := splitJSON(line, at, Place("body").Index(n), "")
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", 1+bytes.Count(body[:at], []byte("\n")), err)
			}
			list = append(list, leaves...)
			n++
		}
		at = end + 1
	}
	return list, nil
}
