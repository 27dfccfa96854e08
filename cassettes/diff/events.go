package diff

import "strings"

// eventLayout is how a server-sent event is written.
type eventLayout struct {
	line  string // the line break
	space string // what stands behind a colon
	end   string // what ends the event: an empty line, or nothing at the end of a cut stream
}

// comment is the name of the lines that begin with a colon: pings.
const comment = ":"

// readEvents reads server-sent events
// (https://html.spec.whatwg.org/#event-stream-interpretation): event n stands at
// body.events[n], with its fields as members; data that is a JSON object or array is
// compared as such. An event in which a field repeats that cannot is one text.
func readEvents(text string, _ medium) (*node, bool) {
	list := &node{shape: array}
	for rest := text; rest != ""; {
		n := eventEnd(rest)
		list.kids = append(list.kids, kid{node: eventNode(rest[:n])})
		rest = rest[n:]
	}
	return &node{raw: text, kids: []kid{{name: "events", node: list}}}, true
}

// eventEnd is where the first event of s ends, with the empty lines that follow it.
func eventEnd(s string) int {
	at, content := 0, false
	for at < len(s) {
		n := lineEnd(s[at:])
		empty := strings.TrimRight(s[at:at+n], "\r\n") == ""
		if content && empty {
			for at += n; at < len(s); at += n {
				if n = lineEnd(s[at:]); strings.TrimRight(s[at:at+n], "\r\n") != "" {
					break
				}
			}
			return at
		}
		content = content || !empty
		at += n
	}
	return at
}

func eventNode(text string) *node {
	n := &node{raw: text}
	layout := &eventLayout{line: "\n", space: " "}
	if strings.Contains(text, "\r\n") {
		layout.line = "\r\n"
	}
	body := strings.TrimRight(text, "\r\n")
	layout.end = strings.TrimPrefix(text[len(body):], layout.line)
	if body == "" || len(text) == len(body) {
		return textNode(text)
	}
	values := map[string]string{}
	for i, line := range strings.Split(body, layout.line) {
		name, value, _ := strings.Cut(line, ":")
		if name == "" {
			name = comment
		}
		trimmed, spaced := strings.CutPrefix(value, " ")
		if i == 0 && !spaced {
			layout.space = ""
		}
		if before, again := values[name]; !again {
			n.kids = append(n.kids, kid{name: name})
		} else if name == "data" || name == comment {
			trimmed = before + "\n" + trimmed
		} else {
			return textNode(text)
		}
		values[name] = trimmed
	}
	for i := range n.kids {
		n.kids[i].node = eventValue(n.kids[i].name, values[n.kids[i].name])
	}
	n.format = layout
	return n
}

func eventValue(name, value string) *node {
	if name == "data" && value != "" && (value[0] == '{' || value[0] == '[') {
		if n, err := parseJSON(value); err == nil && n.raw == value {
			return n
		}
	}
	return textNode(value)
}

func writeEvents(old content, n *node) []byte {
	w := eventWriter{layout: &eventLayout{line: "\n", space: " ", end: "\n"}, style: style{colon: ":", comma: ","}}
	w.learn(old.root)
	if n.shape != object {
		return appendCompact(nil, n)
	}
	b := make([]byte, 0, len(old.text)+64)
	for _, k := range n.kids {
		for _, event := range k.node.kids {
			b = w.event(b, event.node)
		}
	}
	return b
}

type eventWriter struct {
	layout *eventLayout
	style  style
}

// learn looks at the first events of a stream for how new ones are to be written.
func (w *eventWriter) learn(root *node) {
	events := root.kids[0].node.kids
	for i := range min(len(events), 20) {
		n := events[i].node
		if layout, ok := n.format.(*eventLayout); ok && i == 0 {
			w.layout = layout
		}
		if at := n.find("data"); at >= 0 && n.kids[at].node.shape == object {
			w.style = styleOf(n.kids[at].node)
			return
		}
	}
}

func (w *eventWriter) event(b []byte, n *node) []byte {
	switch {
	case n.raw != "" && n.shape == object:
		return append(b, n.raw...)
	case n.shape != object:
		return append(b, n.value...)
	}
	layout, ok := n.format.(*eventLayout)
	if !ok {
		layout = w.layout
	}
	for _, k := range n.kids {
		name, value := k.name, k.node.value
		if k.node.isContainer() {
			value = string(w.style.append(nil, k.node, 0))
		}
		if name == comment {
			name = ""
		}
		for line := range strings.SplitSeq(value, "\n") {
			b = append(append(append(b, name...), ':'), layout.space...)
			b = append(append(b, line...), layout.line...)
		}
	}
	return append(b, layout.end...)
}
