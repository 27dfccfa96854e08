package profiles

import (
	"fmt"
	"slices"
	"strings"

	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
	"tapedeck/matchers"
)

// finish fills in what the YAML does not say itself, once the file is known to
// be well formed.
func (p *parser) finish() {
	f := p.file
	for i := range f.Rules {
		f.Rules[i].Source = f.At(fmt.Sprintf("rules[%d]", i))
	}
	for i := range f.Redact.Add {
		add := &f.Redact.Add[i]
		add.Source = p.source(fmt.Sprintf("redact.add[%d]", i))
		if add.Reason == "" {
			add.Reason = "added in " + add.Source
		}
	}
	for i := range f.Redact.Keep {
		f.Redact.Keep[i].Source = p.source(fmt.Sprintf("redact.keep[%d]", i))
	}
	p.sameID()
	p.twoHomes()
	if !p.shipped {
		p.compile()
	}
	p.warn()
}

// source is the place of an entry, or the name of a profile that ships: its lines
// are compiled in, and of no use to the reader.
func (p *parser) source(path string) string {
	if p.shipped {
		return "profile " + p.file.ShortName()
	}
	return p.file.At(path)
}

// compile asks the packages that own the rules' grammars, which have the last
// word about what the keys alone cannot tell.
func (p *parser) compile() {
	for i, r := range p.file.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		if _, err := matchers.New([]matchers.Rule{r}); err != nil {
			p.refused(path, strings.TrimPrefix(err.Error(), r.Source+": "))
		}
	}
	for i, k := range p.file.Redact.Keep {
		if _, err := scope.ParseOn(k.On); err != nil {
			p.refused(fmt.Sprintf("redact.keep[%d]", i), "on: "+err.Error())
		}
	}
	cfg := redact.Config{Add: p.file.Redact.Config().Add, PII: true}
	for i := range cfg.Add {
		// Not the id of a built-in rule: that is a matter for the whole configuration.
		cfg.Add[i].ID = fmt.Sprintf("tapedeck-%d", i)
	}
	if _, err := redact.Compile(cfg); err == nil {
		return
	}
	for i, a := range cfg.Add {
		if _, err := redact.Compile(redact.Config{Add: []redact.Rule{a}, PII: true}); err != nil {
			p.refused(fmt.Sprintf("redact.add[%d]", i), strings.TrimPrefix(err.Error(), "redact.add[0]: rule "+a.ID+": "))
		}
	}
}

// refused reports an error of another package, unless it may repeat a secret.
func (p *parser) refused(path, text string) {
	if longRun.MatchString(text) {
		text = "is not valid; see docs/configuration.md for how it is written"
	}
	p.faults = append(p.faults, fault{p.file.lines[path], path + ": " + text})
}

// sameID refuses two rules of one name: remove and keep could not tell them apart.
func (p *parser) sameID() {
	first := map[string]string{}
	for i, a := range p.file.Redact.Add {
		path := fmt.Sprintf("redact.add[%d].id", i)
		if at, ok := first[a.ID]; ok {
			p.faults = append(p.faults, fault{p.file.lines[path], path + " is taken, see " + at + "; choose another"})
			continue
		}
		first[a.ID] = p.file.At(path)
	}
}

// twoHomes refuses a host pattern under two headings, which say opposite things.
func (p *parser) twoHomes() {
	first := map[string]string{}
	h := p.file.Hosts
	for _, l := range []struct {
		heading string
		list    []string
	}{{"record", h.Record}, {"passthrough", h.Passthrough}, {"ignore", h.Ignore}} {
		for i, pattern := range l.list {
			path := fmt.Sprintf("hosts.%s[%d]", l.heading, i)
			pattern = strings.ToLower(pattern)
			if heading, ok := first[pattern]; ok && heading != l.heading {
				p.faults = append(p.faults, fault{p.file.lines[path], path + " stands under hosts." + heading + " too; keep one"})
				continue
			}
			first[pattern] = l.heading
		}
	}
}

// warn names the settings that have no effect where they stand.
func (p *parser) warn() {
	f := p.file
	for i, r := range f.Rules {
		method, _, _ := strings.Cut(r.On, " ")
		if len(r.Affects) > 0 && (r.Safe || slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, strings.ToUpper(method))) {
			path := fmt.Sprintf("rules[%d].affects", i)
			f.Warnings = append(f.Warnings, f.At(path)+": "+path+" has no effect: the requests that this rule is about are safe, and change nothing; "+
				"write the rule about those that do")
		}
	}
}
