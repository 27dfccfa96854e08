package diff

import "strings"

// lineLayout is how the lines of an NDJSON body end.
type lineLayout struct{ sep, tail string }

// readLines reads one JSON text per line: line n stands at body[n].
func readLines(text string, _ medium) (*node, bool) {
	layout := lineLayout{sep: "\n"}
	if strings.Contains(text, "\r\n") {
		layout.sep = "\r\n"
	}
	body, ended := strings.CutSuffix(text, layout.sep)
	if ended {
		layout.tail = layout.sep
	}
	root := &node{shape: array, raw: text}
	for one := range strings.SplitSeq(body, layout.sep) {
		n, err := parseJSON(one)
		if err != nil || n.raw != one {
			return nil, false
		}
		root.kids = append(root.kids, kid{node: n})
	}
	root.format = layout
	return root, true
}

func writeLines(old content, n *node) []byte {
	layout, ok := n.format.(lineLayout)
	if !ok || n.shape != array {
		return appendCompact(nil, n)
	}
	style := style{colon: ":", comma: ","}
	if len(old.root.kids) > 0 {
		style = styleOf(old.root.kids[0].node)
	}
	b := make([]byte, 0, len(old.text)+64)
	for i, k := range n.kids {
		if i > 0 {
			b = append(b, layout.sep...)
		}
		b = style.append(b, k.node, 0)
	}
	return append(b, layout.tail...)
}
