package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// WriteSARIF writes findings as SARIF 2.1.0 (OASIS, 2020), as far as GitHub's code
// scanning reads it. Files are named relative to the repository that holds dir, or to
// dir. version is tapedeck's.
func (s *Summary) WriteSARIF(w io.Writer, dir, version string) error {
	root := repository(dir)
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0"}
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver.Name = "tapedeck"
	run.Tool.Driver.Version = version
	run.Tool.Driver.Rules = []sarifRule{}
	rules := make(map[string]int)
	seen := make(map[string]int)
	add := func(f Finding, level string) {
		id := f.Rule
		if f.Source == fromGitleaks {
			id = "gitleaks/" + f.Rule
		}
		at, ok := rules[id]
		if !ok {
			at = len(run.Tool.Driver.Rules)
			rules[id] = at
			rule := sarifRule{ID: id, Name: id}
			rule.ShortDescription.Text = id
			rule.FullDescription.Text = f.Why
			rule.Help.Text = "Rotate the secret: it may have been copied. \"tapedeck redact FILE\" takes it out of the file. What is no secret goes under redact.keep in tapedeck.yaml, with a reason."
			rule.Properties.Tags = []string{"security", "secret"}
			rule.Properties.Severity = "8.0"
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		result := sarifResult{RuleID: id, RuleIndex: at, Level: level}
		result.Message.Text = f.message()
		var where sarifLocation
		uri := uriOf(root, dir, f.File)
		where.Physical.Artifact.URI = uri
		if !strings.HasPrefix(uri, "file:") {
			where.Physical.Artifact.Base = "%SRCROOT%"
		}
		where.Physical.Region.StartLine = max(f.Line, 1)
		result.Locations = []sarifLocation{where}
		// What stays the same when lines move; nothing of the value is in it.
		print := strings.Join([]string{uri, id, f.Interaction, f.Request, f.Place}, "\x00")
		seen[print]++
		sum := sha256.Sum256([]byte(print + "\x00" + strconv.Itoa(seen[print])))
		result.Fingerprints = map[string]string{"tapedeckAudit/v1": hex.EncodeToString(sum[:16])}
		run.Results = append(run.Results, result)
	}
	for _, r := range s.Reports {
		for _, f := range r.Findings {
			add(f, "error")
		}
		for _, f := range r.Suspects {
			add(f, "warning")
		}
	}
	log.Runs = []sarifRun{run}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(log)
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Name    string      `json:"name"`
			Version string      `json:"semanticVersion,omitempty"`
			Rules   []sarifRule `json:"rules"`
		} `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             sarifText `json:"help"`
	Properties       struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity"`
	} `json:"properties"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI  string `json:"uri"`
			Base string `json:"uriBaseId,omitempty"`
		} `json:"artifactLocation"`
		Region struct {
			StartLine int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
}

// repository is the folder with .git above dir, or dir.
func repository(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if filepath.Dir(at) == at {
			return dir
		}
	}
}

// uriOf is a file's address relative to root, or absolute when it lies elsewhere.
func uriOf(root, dir, file string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	rel, err := filepath.Rel(root, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		path := filepath.ToSlash(file)
		if !strings.HasPrefix(path, "/") {
			path = "/" + path // C:/x
		}
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: filepath.ToSlash(rel)}).EscapedPath()
}
