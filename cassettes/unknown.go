package cassettes

import (
	"bytes"
	"encoding/json"
	"slices"

	"go.yaml.in/yaml/v4"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// leftOutUnknown is the note of a file whose unknown keys hold a secret. It names none of
// them: the key may be the secret.
const leftOutUnknown = "a key under tapedeck: that this version does not know holds a secret, and is left out"

// cleanUnknown leaves out the keys that this version does not know and in which a secret
// stands: a later version writes none, so a hand did. It reports whether any did.
func cleanUnknown(c *clean.Cleaner, keys []string) ([]string, bool) {
	out := slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		var n yaml.Node
		if yaml.Unmarshal([]byte("{"+key+"}"), &n) != nil || len(n.Content) != 1 {
			return true // cannot be: it has just been written from a node
		}
		said := appendSaid(nil, n.Content[0])
		cleaned, err := c.Vault.Body(redact.Scope{}, redact.InResponse, "application/json", said)
		return err != nil || !bytes.Equal(cleaned, said)
	})
	return out, len(out) < len(keys)
}

// appendSaid writes a node as JSON, in which names say what a value is. Numbers and times
// are no secrets, whatever they are called.
func appendSaid(b []byte, n *yaml.Node) []byte {
	quote := func(text string) {
		quoted, _ := json.Marshal(text) // which a string always can be
		b = append(b, quoted...)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSaid(b, item)
		}
		return append(b, ']')
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			quote(n.Content[i].Value)
			b = appendSaid(append(b, ':'), n.Content[i+1])
		}
		return append(b, '}')
	}
	if n.Tag != "!!str" {
		return append(b, "null"...)
	}
	quote(n.Value)
	return b
}

// cleanWords is what the file says of itself in words, without secrets: a hand may have
// written anything there.
func cleanWords(c *clean.Cleaner, words string) string {
	out, err := c.Vault.Body(redact.Scope{}, redact.InResponse, "text/plain", []byte(words))
	if err != nil {
		return ""
	}
	return c.Vault.Text(string(out))
}

// cleanUnknown is that of a document, for a cassette that is opened.
func (h *holding) cleanUnknown(c *clean.Cleaner) {
	h.mu.Lock()
	defer h.mu.Unlock()
	any := false
	h.extra, any = cleanUnknown(c, h.extra)
	for _, list := range [][]entry{h.list, h.replacement} {
		for i := range list {
			left := false
			list[i].extra, left = cleanUnknown(c, list[i].extra)
			any = any || left
		}
	}
	if any {
		h.note(leftOutUnknown)
	}
}
