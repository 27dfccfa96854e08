package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// message says in one line what a finding is.
func (f *Finding) message() string {
	var b strings.Builder
	if f.Interaction != "" {
		b.WriteString("interaction " + f.Interaction + ": ")
	}
	if f.Request != "" {
		b.WriteString(f.Request + ": ")
	}
	b.WriteString(f.Place + ": rule " + f.Rule)
	if f.Why != "" {
		b.WriteString(": " + f.Why)
	}
	return b.String()
}

// WriteText writes findings for people, by file and interaction.
func (s *Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, r := range s.Reports {
		if len(r.Findings)+len(r.Kept)+len(r.Suspects) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s (%s)\n", r.File, r.Format)
		of := ""
		for _, f := range r.Findings {
			if head := f.head(); head != of {
				of = head
				fmt.Fprintf(&b, "  %s\n", head)
			}
			fmt.Fprintf(&b, "    %s:%d: %s: %s\n", f.File, f.Line, f.Place, f.reasoned())
		}
		for _, part := range []struct {
			title string
			list  []Finding
		}{{"kept", r.Kept}, {"suspect, not counted", r.Suspects}} {
			for _, f := range part.list {
				fmt.Fprintf(&b, "  %s: %s:%d: %s: %s\n", part.title, f.File, f.Line, f.Place, f.because(part.title))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// head is what the findings of one interaction have in common.
func (f *Finding) head() string {
	switch {
	case f.Interaction == "":
		return "outside of the interactions"
	case f.Request == "":
		return "interaction " + f.Interaction
	}
	return "interaction " + f.Interaction + ": " + f.Request
}

func (f *Finding) reasoned() string {
	rule := f.Rule
	if f.Source == fromGitleaks {
		rule = "gitleaks " + rule
	}
	if f.Why == "" {
		return rule
	}
	return rule + " (" + f.Why + ")"
}

func (f *Finding) because(title string) string {
	if title == "kept" {
		return f.Rule + ", because: " + f.Why
	}
	return f.reasoned()
}

// WriteJSON writes everything as JSON; docs/audit.md says what the members mean.
func (s *Summary) WriteJSON(w io.Writer) error {
	found, kept, suspects, _ := s.Count()
	out := struct {
		Version  int      `json:"version"`
		Files    int      `json:"files"`
		Skipped  int      `json:"skipped"`
		Found    int      `json:"found"`
		Kept     int      `json:"kept"`
		Suspects int      `json:"suspects"`
		Errors   []string `json:"errors"`
		// Reports leave out files in which nothing was found, kept or suspected.
		Reports []*Report `json:"reports"`
	}{1, len(s.Reports), s.Skipped, found, kept, suspects, []string{}, []*Report{}}
	for _, err := range s.Errors {
		out.Errors = append(out.Errors, err.Error())
	}
	for _, r := range s.Reports {
		if len(r.Findings)+len(r.Kept)+len(r.Suspects) > 0 {
			out.Reports = append(out.Reports, r)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
