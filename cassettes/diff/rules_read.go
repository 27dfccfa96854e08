package diff

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
)

// rulesDocument is the mapping that a file holds, nil when it holds none. The file has
// passed the strict parser, so there are no aliases in it and no keys that stand twice.
func rulesDocument(data []byte) (*yaml.Node, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, errors.New("this is not YAML") // the library quotes the file
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	return doc.Content[0], nil
}

// read takes a file apart. It walks the YAML and not profiles.File, so that a key
// which is new there is compared too.
func (s *settings) read(root *yaml.Node) {
	yamlPairs(root, func(key string, value *yaml.Node) {
		switch key {
		case "rules":
			for _, rule := range value.Content {
				s.unit("rules: on "+yamlMember(rule, "on"), "rules", rule, "on")
			}
		case "sessions":
			yamlPairs(value, func(glob string, session *yaml.Node) { s.unit("sessions: "+glob, "sessions", session) })
		case "profiles":
			yamlPairs(value, func(host string, file *yaml.Node) { s.add("profiles: "+host, key, false, file.Value) })
		case "redact":
			s.redact(value)
		default:
			s.value(key, key, value)
		}
	})
}

// unit reads the keys of one rule, or of one entry of sessions.
func (s *settings) unit(what, path string, n *yaml.Node, but ...string) {
	yamlPairs(n, func(key string, value *yaml.Node) {
		for _, name := range but {
			if key == name {
				return
			}
		}
		if value.Kind == yaml.MappingNode { // as: {fact: shape}
			yamlPairs(value, func(name string, v *yaml.Node) { s.add(what+": "+key+" "+name, path+"."+key, false, yamlLine(v)) })
			return
		}
		s.value(what+": "+key, path+"."+key, value)
	})
}

func (s *settings) redact(n *yaml.Node) {
	yamlPairs(n, func(key string, value *yaml.Node) {
		switch key {
		case "add":
			for _, rule := range value.Content {
				what := "redact.add: " + yamlMember(rule, "id")
				s.add(what, "redact.add", false, yamlLine(rule))
				fields := &settings{of: make(map[string]*setting)}
				fields.unit(what, "redact.add", rule, "id")
				s.of[what].fields = fields
			}
		case "keep":
			for _, kept := range value.Content {
				place := strings.TrimSpace(yamlMember(kept, "rule") + " at " + yamlMember(kept, "at") + " of " + yamlMember(kept, "on"))
				s.add("redact.keep: "+place, "redact.keep", false, yamlLine(kept))
			}
		default:
			s.value("redact."+key, "redact."+key, value)
		}
	})
}

// value adds a scalar, a list, or a mapping of such.
func (s *settings) value(what, path string, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		yamlPairs(n, func(key string, v *yaml.Node) { s.value(what+"."+key, path+"."+key, v) })
	case yaml.SequenceNode:
		values := make([]string, len(n.Content))
		for i, item := range n.Content {
			values[i] = yamlLine(item)
		}
		s.add(what, path, true, values...)
	default:
		if n.Tag != "!!null" {
			s.add(what, path, false, yamlLine(n))
		}
	}
}

func yamlPairs(n *yaml.Node, each func(key string, value *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		each(n.Content[i].Value, n.Content[i+1])
	}
}

func yamlMember(n *yaml.Node, name string) (value string) {
	yamlPairs(n, func(key string, v *yaml.Node) {
		if key == name {
			value = v.Value
		}
	})
	return value
}

// yamlLine writes a value as YAML in one line, in one way however it was laid out, so
// that it can stand in a list in one line.
func yamlLine(n *yaml.Node) string {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{yamlCopy(n)}}
	text, err := yaml.Dump(list, yaml.WithLineWidth(-1))
	if err != nil {
		return "…" // a node that was just read can be written
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(string(text), "\n"), "["), "]")
}

// yamlCopy copies a node without its comments and layout.
func yamlCopy(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	if n.Kind != yaml.ScalarNode {
		out.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, yamlCopy(c))
	}
	return out
}
