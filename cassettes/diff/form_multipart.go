package diff

import (
	"mime"
	"net/textproto"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// partLayout is what stands around the parts of a multipart body.
type partLayout struct{ boundary, tail string }

const lineBreak = "\r\n"

// headPrefix is how the names of a part's headers begin; they stand beside the members of
// its content: body.photo["Content-Type"].
const headPrefix = "Content-"

// readParts reads a multipart body as it is mostly written (RFC 2046, section 5.1.1): lines
// end with CR LF, and nothing stands before the first boundary. Parts stand where the
// matcher has them: body.NAME, body.NAME[0] when several have the name, body[2] for one
// without.
func readParts(text string, m medium) (*node, bool) {
	boundary := "--" + m.params["boundary"]
	rest, ok := strings.CutPrefix(text, boundary+lineBreak)
	if !ok {
		return nil, false
	}
	root := &node{raw: text}
	index := make(map[string]int)
	for i := 0; ; i++ {
		one, after, ok := strings.Cut(rest, lineBreak+boundary)
		if !ok {
			return nil, false
		}
		part, name, ok := partNode(one)
		if !ok {
			return nil, false
		}
		root.addPart(part, name, i, index)
		if tail, last := strings.CutPrefix(after, "--"); last {
			root.format = partLayout{boundary, tail}
			return root, true
		}
		if rest, ok = strings.CutPrefix(after, lineBreak); !ok {
			return nil, false
		}
	}
}

// addPart adds part i of a body. index holds the positions of names.
func (n *node) addPart(part *node, name string, i int, index map[string]int) {
	at, there := index[name]
	switch {
	case name == "":
		n.kids = append(n.kids, kid{name: strconv.Itoa(i), at: i + 1, node: part})
	case !there:
		index[name] = len(n.kids)
		n.kids = append(n.kids, kid{name: name, node: part})
	case n.kids[at].node.loose:
		n.kids[at].node.kids = append(n.kids[at].node.kids, kid{node: part})
	default:
		n.kids[at].node = &node{shape: array, loose: true, kids: []kid{{node: n.kids[at].node}, {node: part}}}
	}
}

// partNode reads a part: the node of its content, with its headers as head.
func partNode(text string) (n *node, name string, ok bool) {
	header, body, ok := strings.Cut(text, lineBreak+lineBreak)
	if !ok {
		return nil, "", false
	}
	head := &node{raw: header}
	var contentType, disposition string
	for line := range strings.SplitSeq(header, lineBreak) {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !strings.HasPrefix(name, headPrefix) || name != textproto.CanonicalMIMEHeaderKey(name) || head.find(name) >= 0 {
			return nil, "", false
		}
		head.kids = append(head.kids, kid{name: name, node: textNode(value)})
		switch name {
		case "Content-Type":
			contentType = value
		case "Content-Disposition":
			disposition = value
		}
	}
	_, params, _ := mime.ParseMediaType(disposition)
	if _, isFile := params["filename"]; isFile && contentType == "" {
		contentType = "application/octet-stream" // as the matcher reads it
	}
	n = partContent(contentType, body)
	n.head = head
	return n, params["name"], true
}

// partContent takes the content of a part apart, if it is JSON or a form.
func partContent(contentType, text string) *node {
	switch leaves.FormatOf(contentType, []byte(text)) {
	case leaves.JSON:
		if n, err := parseJSON(text); err == nil && n.raw == text && !n.hasHead() {
			return n
		}
	case leaves.Form:
		if n, ok := formTree(text); ok && !n.hasHead() {
			return n
		}
	}
	return textNode(text)
}

// hasHead reports whether a member could be taken for a header.
func (n *node) hasHead() bool {
	for _, k := range n.kids {
		if strings.HasPrefix(k.name, headPrefix) {
			return true
		}
	}
	return false
}

func writeParts(_ content, n *node) []byte {
	layout, ok := n.format.(partLayout)
	if !ok {
		return appendCompact(nil, n)
	}
	var b []byte
	add := func(name string, part *node) {
		b = append(append(b, layout.boundary+lineBreak...), headOf(part, name)+lineBreak+lineBreak...)
		b = append(appendPart(b, part), lineBreak...)
	}
	for _, k := range n.kids {
		if !k.node.loose {
			add(k.name, k.node)
			continue
		}
		for _, part := range k.node.kids {
			add(k.name, part.node)
		}
	}
	return append(b, layout.boundary+"--"+layout.tail...)
}

// headOf writes the headers of a part.
func headOf(part *node, name string) string {
	switch {
	case part.head == nil:
		return `Content-Disposition: form-data; name="` + name + `"`
	case part.head.raw != "":
		return part.head.raw
	}
	var list []string
	for _, k := range part.head.kids {
		list = append(list, k.name+": "+k.node.value)
	}
	return strings.Join(list, lineBreak)
}

func appendPart(b []byte, n *node) []byte {
	if _, ok := n.format.(*formStyle); ok {
		return writeForm(b, n)
	}
	if n.shape == plain {
		return append(b, n.value...)
	}
	return styleOf(n).append(b, n, 0)
}
