package profiles

import (
	"bytes"
	"encoding/json"
)

// Schema is the JSON Schema (draft 7, the one that editors' YAML plugins know
// best) of tapedeck.yaml and of profiles. docs/tapedeck.schema.json is a copy.
// It cannot say all that Parse checks: the syntax of regular expressions and of
// patterns is only outlined.
func Schema() ([]byte, error) {
	root := jsonSchema(file)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "tapedeck.yaml"
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return out.Bytes(), err
}

func jsonSchema(s *shape) map[string]any {
	out := map[string]any{"description": s.doc}
	switch s.kind {
	case object:
		properties, required := map[string]any{}, []string{}
		for _, k := range s.keys {
			properties[k.name] = jsonSchema(k.shape)
			if k.required {
				required = append(required, k.name)
			}
		}
		out["type"] = orNull("object")
		out["properties"] = properties
		out["additionalProperties"] = false
		if len(required) > 0 {
			out["type"] = "object"
			out["required"] = required
		}
		if s.effect {
			out["minProperties"] = len(required) + 1
		}
		if len(s.oneOf) > 0 {
			var branches []map[string]any
			for _, name := range s.oneOf {
				branches = append(branches, map[string]any{"required": []string{name}})
			}
			out["oneOf"] = branches
		}
	case table:
		out["type"] = orNull("object")
		if s.names.pattern != "" {
			out["propertyNames"] = map[string]any{"pattern": s.names.pattern}
		}
		out["additionalProperties"] = jsonSchema(s.item)
	case list:
		out["type"] = orNull("array")
		out["items"] = jsonSchema(s.item)
	case truth:
		out["type"] = "boolean"
	case text:
		out["type"] = "string"
		if s.choices != nil {
			out["enum"] = s.choices
		}
		if s.pattern != "" {
			out["pattern"] = s.pattern
		}
		if s.example != "" {
			out["examples"] = []string{s.example}
		}
	}
	return out
}

// orNull: a heading whose entries are all commented out is null in YAML.
func orNull(kind string) []string { return []string{kind, "null"} }
