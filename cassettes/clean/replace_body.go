package clean

import (
	"bytes"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// BodyLeaves are the leaves of a body that can be read: those of leaves.Body and, in a
// stream of events, those of the events that are JSON, the first at body.events[0].data.
// A body that cannot be read has none.
func BodyLeaves(contentType string, body []byte) []leaves.Leaf {
	kind, _, _ := strings.Cut(contentType, ";")
	if strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") {
		return eventLeaves(body)
	}
	_, list, err := leaves.Body(contentType, body)
	if err != nil {
		return nil
	}
	return list
}

// eventLeaves reads the events whose data is one line of JSON
// (https://html.spec.whatwg.org/#event-stream-interpretation).
func eventLeaves(body []byte) (list []leaves.Leaf) {
	event, lines, start, end := 0, 0, 0, 0
	dispatch := func() {
		if lines == 0 {
			return
		}
		if data := body[start:end]; lines == 1 && len(data) > 0 && (data[0] == '{' || data[0] == '[') {
			_, found, err := leaves.Body("application/json", data)
			root := "body.events[" + strconv.Itoa(event) + "].data"
			for _, leaf := range found {
				if err != nil {
					break
				}
				leaf.Place = leaves.Place(root + strings.TrimPrefix(string(leaf.Place), "body"))
				leaf.Start += start
				leaf.End += start
				list = append(list, leaf)
			}
		}
		event++
		lines = 0
	}
	for at := 0; at < len(body); {
		stop := bytes.IndexAny(body[at:], "\r\n")
		if stop < 0 {
			stop = len(body) - at
		}
		line := body[at : at+stop]
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			value = bytes.TrimPrefix(value, []byte(" "))
			lines++
			start, end = at+stop-len(value), at+stop
		} else if len(line) == 0 {
			dispatch()
		}
		at += stop
		if at < len(body) && body[at] == '\r' && at+1 < len(body) && body[at+1] == '\n' {
			at++
		}
		at++
	}
	dispatch()
	return list
}
