package diff

import (
	"mime"
	"strings"

	"tapedeck/cassettes/leaves"
)

// content is a body taken apart, with what it needs to be written again.
type content struct {
	format *format
	text   string
	root   *node
}

// A format is one way to take a body apart.
type format struct {
	// read makes the tree of a body; ok is false when the body is not in the format. It is
	// nil for JSON, which is read from its bytes.
	read func(text string, m medium) (root *node, ok bool)
	// write writes a tree that was made of the one that read returned.
	write func(old content, n *node) []byte
}

var (
	plainFormat     = &format{read: readPlain, write: writePlain} // text and binaries
	jsonFormat      = &format{write: writeJSON}
	linesFormat     = &format{read: readLines, write: writeLines}
	eventsFormat    = &format{read: readEvents, write: writeEvents}
	fieldsFormat    = &format{read: readFields, write: writeFields}
	multipartFormat = &format{read: readParts, write: writeParts}
)

// A medium is a Content-Type taken apart.
type medium struct {
	name   string // lower case
	params map[string]string
}

func mediumOf(contentType string) medium {
	name, _, more := strings.Cut(contentType, ";")
	m := medium{name: strings.ToLower(strings.TrimSpace(name))}
	if more {
		_, m.params, _ = mime.ParseMediaType(contentType)
	}
	return m
}

// readContent never fails: a body that is not what its type says is text or binary. A tree of
// JSON is made in a, if that is not nil.
func readContent(contentType string, body []byte, a *arena) content {
	c := content{text: string(body)}
	m := mediumOf(contentType)
	switch c.format = formatOf(m, contentType, body); c.format {
	case plainFormat:
	case jsonFormat:
		if root, err := parseJSONBytes(c.text, body, a); err == nil {
			c.root = root
			return c
		}
	default:
		if root, ok := c.format.read(c.text, m); ok {
			c.root = root
			return c
		}
	}
	c.format, c.root = plainFormat, textNode(c.text)
	return c
}

func formatOf(m medium, contentType string, body []byte) *format {
	if m.name == "text/event-stream" {
		return eventsFormat
	}
	switch formatOfBody(contentType, body) {
	case leaves.JSON:
		return jsonFormat
	case leaves.NDJSON:
		return linesFormat
	case leaves.Form:
		return fieldsFormat
	case leaves.Multipart:
		return multipartFormat
	}
	return plainFormat
}

// formatOfBody is leaves.FormatOf, which copies the body to look into one without a type.
func formatOfBody(contentType string, body []byte) leaves.Format {
	if name, _, _ := strings.Cut(contentType, ";"); len(body) > 0 && strings.EqualFold(strings.TrimSpace(name), "application/json") {
		return leaves.JSON
	}
	return leaves.FormatOf(contentType, body)
}

func readPlain(text string, _ medium) (*node, bool) { return textNode(text), true }

func writePlain(_ content, n *node) []byte { return []byte(n.value) }

const jsonSpace = " \t\r\n"

func writeJSON(old content, n *node) []byte {
	text := old.text
	b := append(make([]byte, 0, len(text)+64), text[:len(text)-len(strings.TrimLeft(text, jsonSpace))]...)
	b = styleOf(old.root).append(b, n, 0)
	return append(b, text[len(strings.TrimRight(text, jsonSpace)):]...)
}

func readFields(text string, _ medium) (*node, bool) { return formTree(text) }

func writeFields(_ content, n *node) []byte { return writeForm(nil, n) }

// whole is the body as one value.
func (c content) whole() *Value {
	if c.format == jsonFormat {
		return valueOf(c.root)
	}
	return textValue(c.text)
}

// exact is the body as one value that gives its bytes back.
func (c content) exact() *Value {
	v := c.whole()
	if c.format == jsonFormat {
		if v.Raw = ""; v.Type == "string" || v.Text != c.text {
			v.Raw = c.text
		}
	}
	return v
}

// write writes another body in the layout of this one.
func (c content) write(n *node) []byte { return c.format.write(c, n) }
