package matchers

import "tapedeck/cassettes/leaves"

// isSplit claims forms, JSON and NDJSON that could be read.
func isSplit(b body) bool {
	return b.fault == nil && (b.format == leaves.Form || b.format == leaves.JSON || b.format == leaves.NDJSON)
}

func (rd *reader) leafBody(b body) {
	rd.kind(b)
	for _, l := range b.list {
		rd.named(l)
	}
}
