package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2/maybe"
	"go.yaml.in/yaml/v4"

	"tapedeck/matchers"
	"tapedeck/matchers/profiles"
)

// AddRules adds rules to a configuration file, made if it is absent. Nothing else
// of the file changes, comments included.
func AddRules(file string, rules []matchers.Rule) error {
	old, err := read(file)
	mode := fs.FileMode(0o644)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	default:
		if info, err := os.Stat(file); err == nil {
			mode = info.Mode().Perm()
		}
	}
	data, err := withRules(old, rules)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := profiles.Parse(file, data); err != nil {
		return fmt.Errorf("%w; nothing was written, add the rules by hand", err)
	}
	if err := maybe.WriteFile(file, data, mode); err != nil {
		return fmt.Errorf("%s: %w", file, bare(err))
	}
	return nil
}

// withRules returns a configuration with rules added behind those that it has.
func withRules(data []byte, rules []matchers.Rule) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, errors.New("it is not valid YAML; mend it first")
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(bytes.Clone(data), '\n')
	}
	var key, value *yaml.Node
	if len(document.Content) == 1 {
		top := document.Content[0]
		if top.Kind == yaml.MappingNode && top.Style&yaml.FlowStyle != 0 {
			return nil, errors.New("it is written in one line; add the rules by hand")
		}
		for i := 0; i+1 < len(top.Content); i += 2 {
			if top.Content[i].Value == "rules" {
				key, value = top.Content[i], top.Content[i+1]
			}
		}
	}
	switch {
	case key == nil:
		return append(data, "rules:\n"+matchers.RulesYAML(rules, "  ")...), nil
	case value.Kind == yaml.ScalarNode && value.Value == "":
		return insertLines(data, key.Line, matchers.RulesYAML(rules, "  ")), nil
	case value.Kind != yaml.SequenceNode || value.Style&yaml.FlowStyle != 0:
		return nil, errors.New(`"rules" is written in one line; write it as a list, or add the rules by hand`)
	}
	indent := value.Column - 1
	return insertLines(data, endOf(data, lastLine(value), indent), matchers.RulesYAML(rules, strings.Repeat(" ", indent))), nil
}

// lastLine is the last line on which a part of a node begins.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// endOf is the last line of what stands at line and is indented by more than
// indent: a text may go on over several lines.
func endOf(data []byte, line, indent int) int {
	lines := bytes.Split(data, []byte("\n"))
	end := line
	for i := line; i < len(lines); i++ {
		text := lines[i]
		inner := len(text) - len(bytes.TrimLeft(text, " "))
		switch {
		case len(bytes.TrimSpace(text)) == 0:
			continue // belongs to what is above only if more of that follows
		case inner <= indent:
			return end
		}
		end = i + 1
	}
	return end
}

// insertLines puts text behind the given line, counted from 1.
func insertLines(data []byte, line int, text string) []byte {
	at := 0
	for range line {
		next := bytes.IndexByte(data[at:], '\n')
		if next < 0 {
			at = len(data)
			break
		}
		at += next + 1
	}
	return append(append(bytes.Clone(data[:at]), text...), data[at:]...)
}
