// Package profiles reads tapedeck.yaml and the profiles, which share one
// schema, and holds what is known of some APIs as data.
//
// The keys are listed once, in keys.go: the strict parser, its "did you mean"
// and the JSON Schema for editors all read that list. Parse checks a file
// and says what is wrong with line and cure; it quotes keys that look like
// keys, and never a value.
//
//	f, err := profiles.Parse("tapedeck.yaml", data)
//	m, err := matchers.New(f.Rules)
//	rules, err := redact.Compile(f.Redact.Config())
package profiles

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// A File is one tapedeck.yaml or one profile. Nothing in it refers to other
// files but Cassettes and Profiles, whose paths stand as written.
type File struct {
	// Name is the name given to Parse; places in errors begin with it.
	Name string `yaml:"-"`
	// Cassettes is the folder of the cassettes, relative to the file; "" if not said.
	Cassettes string `yaml:"cassettes"`
	Hosts     Hosts  `yaml:"hosts"`
	// Profiles maps host patterns to profile files, relative to the file.
	Profiles map[string]string `yaml:"profiles"`
	Rules    []matchers.Rule   `yaml:"rules"`
	Redact   Redact            `yaml:"redact"`
	Keep     Keep              `yaml:"keep"`
	Sessions Sessions          `yaml:"sessions"`
	// MaxAge is 0 if not said.
	MaxAge Days `yaml:"max_age"`
	// Repeat is "last", "cycle", or "" if not said.
	Repeat string `yaml:"repeat"`
	// Sequence is "gates", "fifo", or "" if not said.
	Sequence string `yaml:"sequence"`
	// Carry is "on", "off", or "" if not said.
	Carry string `yaml:"carry"`
	// Strict is nil if not said.
	Strict *bool `yaml:"strict"`

	// Warnings name what the file asks for and has no effect there, one
	// line each, with file and line.
	Warnings []string `yaml:"-"`

	lines map[string]int // path ("redact.add[0].id") → line
}

// At is the place, "tapedeck.yaml:12", of a value given by its path in the
// file, "rules[0].on" or `profiles.api.acme.dev`; the name alone if it is not there.
func (f *File) At(path string) string {
	if line, ok := f.lines[path]; ok {
		return fmt.Sprintf("%s:%d", f.Name, line)
	}
	return f.Name
}

// Hosts says what is done with the hosts whose patterns it lists; ParseHost has
// the grammar of the patterns.
type Hosts struct {
	Record      []string `yaml:"record"`
	Passthrough []string `yaml:"passthrough"`
	Ignore      []string `yaml:"ignore"`
}

// Redact adds to and takes from the built-in redaction rules.
type Redact struct {
	// PII is nil if not said.
	PII    *bool       `yaml:"pii"`
	Add    []Redaction `yaml:"add"`
	Remove []string    `yaml:"remove"`
	Keep   []Exemption `yaml:"keep"`
	// Unknown is "list", "refuse", or "" if not said.
	Unknown string `yaml:"unknown"`
}

// Config is the part that the redactor takes.
func (r Redact) Config() redact.Config {
	cfg := redact.Config{Remove: slices.Clone(r.Remove)}
	for _, a := range r.Add {
		cfg.Add = append(cfg.Add, redact.Rule(a))
	}
	for _, k := range r.Keep {
		cfg.Keep = append(cfg.Keep, redact.Keep(k))
	}
	return cfg
}

// A Redaction is one redact.Rule as the file writes it.
type Redaction struct {
	ID     string   `yaml:"id"`
	Reason string   `yaml:"reason"`
	Name   string   `yaml:"name"`
	Value  string   `yaml:"value"`
	Path   string   `yaml:"path"`
	Host   string   `yaml:"host"`
	In     []string `yaml:"in"`
	On     string   `yaml:"on"`
	At     string   `yaml:"at"`
	PII    string   `yaml:"pii"`
	// Source is the place of the entry, or the profile that ships it.
	Source string `yaml:"-"`
}

// An Exemption is one redact.Keep as the file writes it.
type Exemption struct {
	Rule   string `yaml:"rule"`
	On     string `yaml:"on"`
	At     string `yaml:"at"`
	Reason string `yaml:"reason"`
	Source string `yaml:"-"`
}

// Keep names headers that are stored beyond those that always are. "*" in a
// name stands for any run of characters, and case does not count.
type Keep struct {
	Request  []string `yaml:"request"`
	Response []string `yaml:"response"`
}

// Sessions are settings for the sessions whose names their globs match, in
// the order of the file: where two match, the later one wins, setting by setting.
type Sessions []Session

// A Session is one entry of "sessions:".
type Session struct {
	Glob   string `yaml:"-"`
	Strict *bool  `yaml:"strict"`
	Repeat string `yaml:"repeat"`
	// Sequence is "gates", "fifo", or "" if not said.
	Sequence string `yaml:"sequence"`
	// Carry is "on", "off", or "" if not said.
	Carry  string `yaml:"carry"`
	MaxAge Days   `yaml:"max_age"`
}

// UnmarshalYAML keeps the order of the mapping, which a Go map would lose.
func (s *Sessions) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		var one Session
		if err := n.Content[i+1].Decode(&one); err != nil {
			return err
		}
		one.Glob = n.Content[i].Value
		*s = append(*s, one)
	}
	return nil
}

// Days is a number of days, written "90d".
type Days int

// UnmarshalYAML reads "90d".
func (d *Days) UnmarshalYAML(n *yaml.Node) error {
	days, err := ParseDays(n.Value)
	*d = days
	return err
}

//go:embed data/*.yaml
var data embed.FS

var embedded = sync.OnceValue(func() []*File {
	entries, err := data.ReadDir("data")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	var list []*File
	for _, e := range entries {
		text, err := data.ReadFile(path.Join("data", e.Name()))
		if err != nil {
			panic(err)
		}
		name := "profiles/" + e.Name()
		p := &parser{file: &File{Name: name, lines: map[string]int{}}, shipped: true}
		f, err := p.parse(name, text)
		if err != nil {
			panic(err) // a test parses every profile that ships
		}
		list = append(list, f)
	}
	return list
})

// List returns the profiles that ship with tapedeck, by name. They are shared
// and must not be changed.
func List() []*File { return slices.Clone(embedded()) }

// For returns the shipped profile of a host ("api.stripe.com", a port is
// ignored), chosen by its hosts.record.
func For(host string) (*File, bool) {
	name, _ := splitPort(host)
	for _, f := range embedded() {
		for _, text := range f.Hosts.Record {
			if p, err := ParseHost(text); err == nil && p.Match(name) {
				return f, true
			}
		}
	}
	return nil, false
}

// Beyond lists the settings of a file that a profile cannot have, since they
// would reach further than the hosts it is about.
func (f *File) Beyond() []string {
	var out []string
	for _, key := range []string{
		"cassettes", "hosts.passthrough", "hosts.ignore", "profiles", "redact.pii", "redact.remove", "redact.unknown",
		"keep.request", "keep.response", "sessions", "max_age", "repeat", "sequence", "carry", "strict",
	} {
		if _, ok := f.lines[key]; ok {
			out = append(out, key)
		}
	}
	return out
}

// ShortName is the profile's name, "stripe" for profiles/stripe.yaml.
func (f *File) ShortName() string { return strings.TrimSuffix(path.Base(f.Name), ".yaml") }
