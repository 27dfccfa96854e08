// Package audit finds secrets in cassettes that anybody wrote, and takes them out.
//
// A file is read by package foreign, redacted in memory as a recording would be, and
// what would have been replaced is what is found. What is left is shown to gitleaks,
// whose rules know more providers; so nothing is reported twice. Neither findings nor
// errors hold anything of a value.
//
//	auditor, err := audit.New(audit.Config{Redact: cfg, Gitleaks: true})
//	if err != nil {
//		return err
//	}
//	report, err := auditor.File("fixtures/login.yaml")
//	for _, f := range report.Findings {
//		fmt.Println(f.File, f.Line, f.Place, f.Rule)
//	}
//
// Redact does the same and gives the file without the secrets.
package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"tapedeck/cassettes/foreign"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
)

// Config says what is looked for.
type Config struct {
	// Redact are the rules in force, as for recording. Keeps are honoured, and what
	// they hide is listed in the report.
	Redact redact.Config
	// Own reports what these rules find, Gitleaks what gitleaks' default ones find in
	// what is left then.
	Own, Gitleaks bool
	// Values are secrets to find whatever the rules say; nil for none.
	Values *Values
	// Ignore are gitleaks findings that are not reported; see ReadIgnore.
	Ignore Ignore
}

// An Auditor looks through files. It is safe for concurrent use.
type Auditor struct {
	cfg      Config
	rules    *redact.Rules // nil without own rules
	strict   *redact.Rules // the same without keeps; nil when there are none
	keeps    []keep
	reasons  map[string]string
	gitleaks *gitleaks
}

// New compiles the rules. With Gitleaks it takes some 30 ms.
func New(cfg Config) (*Auditor, error) {
	a := &Auditor{cfg: cfg, reasons: make(map[string]string)}
	var err error
	if a.rules, err = redact.Compile(cfg.Redact); err != nil {
		return nil, err
	}
	for _, r := range a.rules.List() {
		if a.reasons[r.ID] == "" {
			a.reasons[r.ID] = r.Reason
		}
	}
	if len(cfg.Redact.Keep) > 0 {
		without := cfg.Redact
		without.Keep = nil
		if a.strict, err = redact.Compile(without); err != nil {
			return nil, err
		}
		if a.keeps, err = compileKeeps(cfg.Redact.Keep); err != nil {
			return nil, err
		}
	}
	if cfg.Gitleaks {
		if a.gitleaks, err = newGitleaks(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// A keep is one of tapedeck.yaml, made ready to be held against findings.
type keep struct {
	redact.Keep
	on scope.On
	at leaves.Pattern
}

func compileKeeps(list []redact.Keep) ([]keep, error) {
	var out []keep
	for i, k := range list {
		one := keep{Keep: k}
		var err error
		if k.On != "" {
			if one.on, err = scope.ParseOn(k.On); err != nil {
				return nil, fmt.Errorf("redact.keep[%d]: on: %w", i, err)
			}
		}
		if k.At != "" {
			if one.at, err = leaves.ParsePattern(k.At); err != nil {
				return nil, fmt.Errorf("redact.keep[%d]: at: %w", i, err)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// reason is why a keep lets a finding stand.
func (a *Auditor) reason(rule string, target scope.Target, place leaves.Place) (string, bool) {
	for i := range a.keeps {
		k := &a.keeps[i]
		if k.Rule == rule && k.on.Match(target) && (k.At == "" || k.at.Match(place)) {
			return k.Reason, true
		}
	}
	return "", false
}

// A Finding is one secret at one place.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	// Interaction is its id in the file, or its position from 0; "" outside of one.
	Interaction string `json:"interaction,omitempty"`
	// Request is the method and the URL, without query and user-info.
	Request string `json:"request,omitempty"`
	// Place is where it stands: "request header.authorization", "response body.token".
	Place string `json:"place"`
	Rule  string `json:"rule"`
	// Source is whose rule it is: "tapedeck", "gitleaks", or "values" for a given value.
	Source string `json:"source"`
	Why    string `json:"why"`

	of *foreign.Interaction // until the request is filled in
}

// The sources of findings.
const (
	fromTapedeck = "tapedeck"
	fromGitleaks = "gitleaks"
	fromValues   = "values"
)

// A Report is what was found in one file.
type Report struct {
	File   string `json:"file"`
	Format string `json:"format"`
	// Interactions counts those of the file.
	Interactions int       `json:"interactions"`
	Findings     []Finding `json:"findings"`
	// Kept are those that a keep lets stand; Why is its reason.
	Kept []Finding `json:"kept"`
	// Suspects are random-looking values under names that no rule knows. They are no
	// findings unless the configuration says "unknown: refuse".
	Suspects []Finding `json:"suspects"`
}

// File looks through one file. The error is foreign.ErrUnknown when it is no cassette.
func (a *Auditor) File(file string) (*Report, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return a.Data(file, data)
}

// readFile reads no more than foreign takes.
func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, foreign.Largest+1))
	if err != nil {
		return nil, unreadable(file, err)
	}
	return data, nil
}

func unreadable(file string, err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return &foreign.Error{File: file, Fault: err.Error(), Cure: "check the path and its permissions"}
}

// Data looks through the contents of a file that is called file.
func (a *Auditor) Data(file string, data []byte) (*Report, error) {
	doc, err := foreign.Read(file, data)
	if err != nil {
		return nil, err
	}
	report := &Report{File: file, Format: doc.Format, Interactions: len(doc.Interactions),
		Findings: []Finding{}, Kept: []Finding{}, Suspects: []Finding{}}
	run := newRun(a, file, data, doc, a.rules)
	run.redact() // also for what is printed of a request
	kept := make(map[hitKey]bool)
	if a.cfg.Own {
		found, keys := run.findings()
		report.Findings = append(report.Findings, found...)
		if suspects := run.suspects(); a.cfg.Redact.RefuseUnknown {
			report.Findings = append(report.Findings, suspects...)
		} else {
			report.Suspects = append(report.Suspects, suspects...)
		}
		if a.strict != nil {
			again, err := foreign.Read(file, data)
			if err != nil {
				return nil, err
			}
			strict := newRun(a, file, data, again, a.strict)
			strict.redact()
			report.Kept = append(report.Kept, strict.kept(keys, kept)...)
		}
	}
	if a.gitleaks != nil {
		found, ignored := run.leaks(a.gitleaks, kept)
		report.Findings = append(report.Findings, found...)
		report.Kept = append(report.Kept, ignored...)
		// What gitleaks knows is no mere suspect.
		known := slices.Concat(found, ignored)
		suspected := func(f Finding) bool {
			return f.Rule == redact.UnknownRule && f.Source == fromTapedeck &&
				slices.ContainsFunc(known, func(k Finding) bool { return k.of == f.of && k.Place == f.Place })
		}
		report.Suspects = slices.DeleteFunc(report.Suspects, suspected)
		report.Findings = slices.DeleteFunc(report.Findings, suspected)
	}
	if a.cfg.Values != nil {
		report.Findings = append(report.Findings, run.values(a.cfg.Values)...)
	}
	for _, list := range [][]Finding{report.Findings, report.Kept, report.Suspects} {
		run.finish(list)
		slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Place, b.Place)) })
	}
	return report, nil
}
