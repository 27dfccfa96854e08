package diff

import (
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
)

// urlUnit is the URL of a request, byte for byte as the client wrote it: scheme, host,
// path[i] for the segments of the path as they are written, and query.NAME. What these
// do not tell stands whole at the place url.
type urlUnit struct{}

func (urlUnit) owns(part Part, root string) bool {
	return part == Request && slices.Contains([]string{"url", "scheme", "host", "path", "query"}, root)
}

func (u urlUnit) compare(old, new *clean.Stored) []Change {
	if old.URL == new.URL {
		return nil
	}
	before := urlTree(old.URL)
	list, whole := compareTrees(Request, before, urlTree(new.URL))
	if n, err := patchTree(before, addresses(list)); err != nil || !whole || len(list) == 0 || writeURL(n) != new.URL {
		list = append(list, rewrote(Request, "url", textValue(new.URL)))
	}
	return list
}

func (urlUnit) patch(old, out *clean.Stored, changes []*Change) error {
	if ch := exactly(changes, "url", Rewrote); ch != nil {
		n, err := ch.New.fresh()
		if err != nil {
			return err
		}
		out.URL = n.value
		return nil
	}
	n, err := patchTree(urlTree(old.URL), changes)
	if err == nil {
		out.URL = writeURL(n)
	}
	return err
}

func urlTree(raw string) *node {
	n := &node{}
	rest := raw
	add := func(name string, value *node) { n.kids = append(n.kids, kid{name: name, node: value}) }
	if scheme, after, ok := strings.Cut(raw, "://"); ok {
		add("scheme", textNode(scheme))
		rest = after
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	add("host", textNode(rest[:end]))
	rest, _, _ = strings.Cut(rest[end:], "#")
	path, query, _ := strings.Cut(rest, "?")
	if path != "" {
		segments := &node{shape: array}
		for segment := range strings.SplitSeq(path[1:], "/") {
			segments.kids = append(segments.kids, kid{node: textNode(segment)})
		}
		add("path", segments)
	}
	fields, ok := formTree(query)
	if !ok {
		fields = textNode(query)
	}
	add("query", fields)
	return n
}

func writeURL(n *node) string {
	var b strings.Builder
	for _, k := range n.kids {
		switch k.name {
		case "scheme":
			b.WriteString(k.node.value + "://")
		case "host":
			b.WriteString(k.node.value)
		case "path":
			for _, segment := range k.node.kids {
				b.WriteString("/" + segment.node.value)
			}
		case "query":
			if query := writeForm(nil, k.node); len(query) > 0 {
				b.WriteByte('?')
				b.Write(query)
			}
		}
	}
	return b.String()
}
