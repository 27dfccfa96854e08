package foreign

import "bytes"

// A language is what a file is written in.
type language uint8

const (
	yamlFile language = iota
	jsonFile
)

const byteOrderMark = "\ufeff"

// parse reads a file as JSON when it begins like JSON, else as YAML. A flow mapping
// of YAML begins like JSON too: what is no JSON is tried as YAML.
func parse(name string, src []byte) (*node, language, error) {
	start := bytes.TrimLeft(bytes.TrimPrefix(src, []byte(byteOrderMark)), " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		root, err := parseYAML(name, src)
		return root, yamlFile, err
	}
	root, err := parseJSON(name, src)
	if err == nil {
		return root, jsonFile, nil
	}
	if root, asYAML := parseYAML(name, src); asYAML == nil {
		return root, yamlFile, nil
	}
	return nil, jsonFile, err
}
