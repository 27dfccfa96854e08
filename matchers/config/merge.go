package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
	"tapedeck/matchers"
	"tapedeck/matchers/profiles"
)

// Load reads the configuration for a working folder: the shipped
// profiles, then every tapedeck.yaml from the repository's root down to dir; or,
// when explicit is not "", the shipped profiles and that one file. Lists append,
// single values of a nearer file replace those of a farther one, and a nearer
// file cannot take back a farther one's redaction. The error has one line for
// each fault, with file and line.
func Load(dir, explicit string) (*Config, error) {
	files := []string{explicit}
	if explicit == "" {
		var err error
		if files, err = Find(dir); err != nil {
			return nil, err
		}
	} else if !filepath.IsAbs(explicit) {
		files[0] = filepath.Join(dir, explicit)
	}
	m := &merge{
		dir:     dir,
		config:  &Config{Cassettes: defaultCassettes},
		added:   map[string]string{},
		heading: map[string]placed{},
		shipped: map[string]bool{},
	}
	for _, p := range profiles.List() {
		m.config.Rules = append(m.config.Rules, p.Rules...)
		m.redact(p, p.Redact.Config())
	}
	all := m.config.Redact
	all.PII = true
	shipped, err := redact.Compile(all)
	if err != nil {
		return nil, err
	}
	for _, r := range shipped.List() {
		m.shipped[r.ID] = true
	}
	for _, file := range files {
		if err := m.file(file); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(m.faults...); err != nil {
		return nil, err
	}
	if err := m.compile(); err != nil {
		return nil, err
	}
	return m.config, nil
}

// placed is a host pattern's heading and where that was said.
type placed struct{ heading, at string }

// A merge adds one file after another to a config.
type merge struct {
	dir     string
	config  *Config
	added   map[string]string // id of a redaction rule of a farther file → place
	heading map[string]placed // host pattern → heading
	pii     string            // where a farther file says pii: true
	refuse  string            // where a farther file says unknown: refuse
	shipped map[string]bool   // ids of the redaction rules that come with tapedeck
	faults  []error

	// Where the entries of Redact.Remove and Redact.Keep stand.
	removeAt, keepAt []string
}

func (m *merge) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Errorf(format, args...))
}

// parse reads one file; name is how messages call it.
func (m *merge) parse(path string) (*profiles.File, error) {
	name := path
	if rel, err := filepath.Rel(m.dir, path); err == nil && len(rel) < len(path) {
		name = rel
	}
	data, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", name, err)
	}
	f, err := profiles.Parse(name, data)
	if err != nil {
		return nil, err
	}
	m.config.Files = append(m.config.Files, name)
	m.config.Warnings = append(m.config.Warnings, f.Warnings...)
	return f, nil
}

func (m *merge) file(path string) error {
	f, err := m.parse(path)
	if err != nil {
		return err
	}
	c := m.config
	if f.Cassettes != "" {
		c.Cassettes = m.near(path, f.Cassettes)
	}
	m.guard(f)
	if err := m.profiles(path, f); err != nil {
		return err
	}
	m.hosts(f)
	c.Rules = append(c.Rules, f.Rules...)
	m.redact(f, f.Redact.Config())
	if f.Redact.PII != nil && *f.Redact.PII && !c.PII {
		c.PII, c.PIIAt = true, f.At("redact.pii")
	}
	c.RefuseUnknown = c.RefuseUnknown || f.Redact.Unknown == "refuse"
	for _, name := range f.Keep.Request {
		c.keepRequest = append(c.keepRequest, strings.ToLower(name))
	}
	for _, name := range f.Keep.Response {
		c.keepResponse = append(c.keepResponse, strings.ToLower(name))
	}
	c.defaults.Repeat = cmp.Or(f.Repeat, c.defaults.Repeat)
	c.defaults.Sequence = cmp.Or(f.Sequence, c.defaults.Sequence)
	c.defaults.Carry = cmp.Or(f.Carry, c.defaults.Carry)
	c.defaults.MaxAge = cmp.Or(time.Duration(f.MaxAge)*day, c.defaults.MaxAge)
	if f.Strict != nil {
		c.defaults.Strict = *f.Strict
	}
	for _, s := range f.Sessions {
		names, err := profiles.ParseName(s.Glob)
		if err != nil { // Parse has accepted it
			return fmt.Errorf("%s: a session's name %w", f.At("sessions."+s.Glob), err)
		}
		c.sessions = append(c.sessions, sessionRule{names, s})
	}
	return nil
}

// near is a path that stands in a file, which is relative to the file.
func (m *merge) near(file, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	path = filepath.Join(filepath.Dir(file), path)
	if rel, err := filepath.Rel(m.dir, path); err == nil {
		return rel
	}
	return path
}

// guard refuses what would take back the redaction of a farther file: whoever
// keeps the parent folder relies on it. Built-in rules and those of shipped
// profiles may be switched off anywhere.
func (m *merge) guard(f *profiles.File) {
	r := f.Redact
	for i, id := range r.Remove {
		if at, ok := m.added[id]; ok {
			m.fault("%s: redact.remove cannot drop rule %s, which %s adds; change it there", f.At(fmt.Sprintf("redact.remove[%d]", i)), id, at)
		}
	}
	for i, k := range r.Keep {
		if at, ok := m.added[k.Rule]; ok {
			m.fault("%s: redact.keep cannot exempt a place from rule %s, which %s adds; write the keep there", f.At(fmt.Sprintf("redact.keep[%d]", i)), k.Rule, at)
		}
	}
	if r.PII != nil && !*r.PII && m.pii != "" {
		m.fault("%s: redact.pii cannot be false, since %s says true; change it there", f.At("redact.pii"), m.pii)
	}
	if r.Unknown == "list" && m.refuse != "" {
		m.fault("%s: redact.unknown cannot be list, since %s says refuse; change it there", f.At("redact.unknown"), m.refuse)
	}
	// From here on this file is the farther one.
	for i, a := range r.Add {
		at := f.At(fmt.Sprintf("redact.add[%d].id", i))
		if m.shipped[a.ID] {
			m.fault("%s: redact.add: the id %s is that of a rule that comes with tapedeck; choose another", at, a.ID)
			continue
		}
		if other, ok := m.added[a.ID]; ok {
			m.fault("%s: redact.add: the id %s is taken, see %s; choose another", at, a.ID, other)
			continue
		}
		m.added[a.ID] = at
	}
	if r.PII != nil && *r.PII {
		m.pii = f.At("redact.pii")
	}
	if r.Unknown == "refuse" {
		m.refuse = f.At("redact.unknown")
	}
}

func (m *merge) redact(f *profiles.File, cfg redact.Config) {
	for i := range cfg.Remove {
		m.removeAt = append(m.removeAt, f.At(fmt.Sprintf("redact.remove[%d]", i)))
	}
	for i := range cfg.Keep {
		m.keepAt = append(m.keepAt, f.At(fmt.Sprintf("redact.keep[%d]", i)))
	}
	to := &m.config.Redact
	to.Add = append(to.Add, cfg.Add...)
	to.Remove = append(to.Remove, cfg.Remove...)
	to.Keep = append(to.Keep, cfg.Keep...)
}

func (m *merge) hosts(f *profiles.File) {
	c := m.config
	for _, l := range []struct {
		heading  string
		patterns []string
		texts    *[]string
		list     *[]profiles.HostPattern
	}{
		{"record", f.Hosts.Record, &c.Hosts.Record, &c.record},
		{"passthrough", f.Hosts.Passthrough, &c.Hosts.Passthrough, &c.passthrough},
		{"ignore", f.Hosts.Ignore, &c.Hosts.Ignore, &c.ignore},
	} {
		for i, text := range l.patterns {
			at := f.At(fmt.Sprintf("hosts.%s[%d]", l.heading, i))
			key := strings.ToLower(text)
			if was, ok := m.heading[key]; ok && was.heading != l.heading {
				m.fault("%s: this host stands under hosts.%s in %s; keep one of the two", at, was.heading, was.at)
				continue
			}
			m.heading[key] = placed{l.heading, at}
			p, err := profiles.ParseHost(text)
			if err != nil { // Parse has accepted it
				m.fault("%s: %w", at, err)
				continue
			}
			*l.texts = append(*l.texts, text)
			*l.list = append(*l.list, p)
		}
	}
}

// profiles reads the profiles that a file names. A profile speaks for its host
// alone: nothing in it may reach further.
func (m *merge) profiles(path string, f *profiles.File) error {
	for _, hostText := range slices.Sorted(maps.Keys(f.Profiles)) {
		at := f.At("profiles." + hostText)
		file := filepath.FromSlash(f.Profiles[hostText])
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		p, err := m.parse(file)
		if err != nil {
			return fmt.Errorf("%w\n%s: names this profile", err, at)
		}
		host, err := profiles.ParseHost(hostText)
		if err != nil { // Parse has accepted it
			return fmt.Errorf("%s: %w", at, err)
		}
		m.profile(p, host)
	}
	return nil
}

func (m *merge) profile(p *profiles.File, host profiles.HostPattern) {
	for _, key := range p.Beyond() {
		m.fault("%s: %s cannot stand in a profile, which is about one host; move it to tapedeck.yaml", p.At(key), key)
	}
	within := func(path, on string) {
		selected, err := scope.ParseOn(on)
		if err != nil { // Parse has accepted it
			m.fault("%s: %s: %w", p.At(path), path, err)
		} else if !covers(host, selected.Host()) {
			m.fault("%s: %s is about another host than %s, which this profile is for; move it to tapedeck.yaml", p.At(path), path, host)
		}
	}
	rules := slices.Clone(p.Rules)
	for i, r := range rules {
		within(fmt.Sprintf("rules[%d].on", i), r.On)
	}
	cfg := p.Redact.Config()
	for i, a := range cfg.Add {
		if a.On == "" {
			cfg.Add[i].On = "* " + host.String() + "/**"
			continue
		}
		within(fmt.Sprintf("redact.add[%d].on", i), a.On)
	}
	for i, k := range cfg.Keep {
		within(fmt.Sprintf("redact.keep[%d].on", i), k.On)
	}
	m.guard(p)
	m.config.Rules = append(m.config.Rules, rules...)
	m.redact(p, cfg)
}

// covers reports whether a profile's host pattern includes what a rule selects.
func covers(host profiles.HostPattern, selected string) bool {
	return strings.EqualFold(host.String(), selected) || !strings.Contains(selected, "*") && host.Match(selected)
}

// compile makes sure that the parts fit together, so that every fault of the
// configuration is found here.
func (m *merge) compile() error {
	cfg := &m.config.Redact
	ids := slices.Collect(maps.Keys(m.shipped))
	ids = slices.AppendSeq(ids, maps.Keys(m.added))
	ids = append(ids, redact.UnknownRule)
	slices.Sort(ids)
	for i, at := range m.removeAt {
		m.known(at, "redact.remove", cfg.Remove[i], ids)
	}
	for i, at := range m.keepAt {
		m.known(at, "redact.keep", cfg.Keep[i].Rule, ids)
	}
	if err := errors.Join(m.faults...); err != nil {
		return err
	}
	for i, id := range cfg.Remove {
		m.config.RemovedRules = append(m.config.RemovedRules, Removed{ID: id, Source: m.removeAt[i]})
	}
	m.drop()
	all := *cfg
	all.PII = true
	rules, err := redact.Compile(all)
	if err != nil {
		return err
	}
	if err := m.hostsInRules(rules); err != nil {
		return err
	}
	_, err = matchers.New(m.config.Rules)
	return err
}

// hostsInRules refuses patterns that spell out a host in which a host rule finds a
// secret: the host has a placeholder there when the rules are held against it.
func (m *merge) hostsInRules(rules *redact.Rules) error {
	for _, r := range m.config.Rules {
		on, err := scope.ParseOn(r.On)
		if err != nil {
			return err
		}
		if id := rules.HostRule(on.Host()); id != "" {
			m.fault("%s: on: rule %s replaces a part of this host; write * for that part", r.Source, id)
		}
	}
	return errors.Join(m.faults...)
}

// known makes sure that a rule is there to be removed or kept from.
func (m *merge) known(at, key, id string, ids []string) {
	if slices.Contains(ids, id) {
		return
	}
	if like, ok := profiles.Nearest(id, ids); ok {
		m.fault("%s: %s: there is no rule of this id; did you mean %q?", at, key, like)
		return
	}
	m.fault("%s: %s: there is no rule of this id; tapedeck rules lists them", at, key)
}

// drop takes removed rules out of those that profiles and files add; the
// redactor's own removing is for the built-in ones.
func (m *merge) drop() {
	cfg := &m.config.Redact
	var gone []string
	cfg.Remove = slices.DeleteFunc(cfg.Remove, func(id string) bool {
		if !slices.ContainsFunc(cfg.Add, func(r redact.Rule) bool { return r.ID == id }) {
			return slices.Contains(gone, id)
		}
		cfg.Add = slices.DeleteFunc(cfg.Add, func(r redact.Rule) bool { return r.ID == id })
		gone = append(gone, id)
		return true
	})
	// A keep for a rule that is gone has nothing left to do.
	cfg.Keep = slices.DeleteFunc(cfg.Keep, func(k redact.Keep) bool {
		return slices.Contains(gone, k.Rule)
	})
}
