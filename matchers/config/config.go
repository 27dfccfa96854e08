// Package config reads tapedeck.yaml: what the files on the way from the
// repository's root to a folder say together, and the profiles that come with
// tapedeck.
//
//	c, err := config.Load(".", "")
//	matcher, err := matchers.New(c.Rules)
package config

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
	"time"

	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/matchers/profiles"
)

// A Config is what the profiles and every tapedeck.yaml say together. The zero
// value is what holds with neither. It does not change after Load, but
// for AddPassthrough.
type Config struct {
	// Cassettes is the folder of the cassettes, absolute or relative to the
	// folder that Load was given.
	Cassettes string
	// Rules are those of the shipped profiles, then of the user's profiles and
	// files, parents first.
	Rules []matchers.Rule
	// Redact is in the same order; Env is left to the caller.
	Redact redact.Config
	// PII asks for personal data to be replaced; PIIAt is where a file says so.
	PII   bool
	PIIAt string
	// RemovedRules are the redaction rules that files switch off.
	RemovedRules []Removed
	// RefuseUnknown asks for a recording with suspects not to be saved.
	RefuseUnknown bool
	// Hosts are the patterns as written, for messages.
	Hosts profiles.Hosts
	// Files are the files read, in the order in which they were merged.
	Files []string
	// Warnings are for the user, one line each.
	Warnings []string

	passthrough, ignore, record []profiles.HostPattern
	keepRequest, keepResponse   []string // lower case, "*" for any run of characters
	defaults                    Settings
	sessions                    []sessionRule
}

// Settings are what can be set for all sessions and for some.
type Settings struct {
	Strict bool
	// Repeat is "last", "cycle" or "", a miss.
	Repeat string
	// Sequence is "gates", "fifo" or "", which is gates.
	Sequence string
	// Carry is "on", "off" or "", which is on.
	Carry string
	// MaxAge is a whole number of days; 0 is no limit.
	MaxAge time.Duration
}

// Removed is a redaction rule that a file switches off, and where it says so.
type Removed struct {
	ID     string `json:"id"`
	Source string `json:"source"`
}

type sessionRule struct {
	names profiles.NamePattern
	set   profiles.Session
}

const day = 24 * time.Hour

// defaultCassettes is the folder of the cassettes when nothing names one.
const defaultCassettes = "cassettes"

// Redaction is what the redactor is to do, its environment apart: what profiles
// and files say, and pii, which is nil where nobody has said. live says that real
// customers' data is recorded, which turns personal data on. What a file says is on,
// pii does not turn off: whoever keeps the file relies on it. The error names that
// file.
func (c *Config) Redaction(pii *bool, live bool) (redact.Config, error) {
	out := c.Redact
	out.RefuseUnknown = c.RefuseUnknown
	out.PII = c.PII || live
	switch {
	case pii == nil:
	case *pii:
		out.PII = true
	case c.PII:
		return out, fmt.Errorf("%s says true; change it there", c.PIIAt)
	default:
		out.PII = false
	}
	return out, nil
}

// Session returns the settings in force for a session's name. The name "" is
// that of the only session of a proxy that plays one cassette.
func (c *Config) Session(name string) Settings {
	out := c.defaults
	for _, rule := range c.sessions {
		if !rule.names.Match(name) {
			continue
		}
		if rule.set.Strict != nil {
			out.Strict = *rule.set.Strict
		}
		if rule.set.Repeat != "" {
			out.Repeat = rule.set.Repeat
		}
		if rule.set.Sequence != "" {
			out.Sequence = rule.set.Sequence
		}
		if rule.set.Carry != "" {
			out.Carry = rule.set.Carry
		}
		if rule.set.MaxAge > 0 {
			out.MaxAge = time.Duration(rule.set.MaxAge) * day
		}
	}
	return out
}

// Passes reports hosts that are tunnelled and never looked into. host may carry
// a port; a pattern with a port selects nothing without one. The same holds for
// Ignores.
func (c *Config) Passes(host string) bool { return anyHost(c.passthrough, host) }

// Ignores reports hosts that are forwarded unrecorded, and refused in replay.
func (c *Config) Ignores(host string) bool { return !c.Passes(host) && anyHost(c.ignore, host) }

// Records reports hosts that are recorded although they would be left alone.
func (c *Config) Records(host string) bool {
	return !c.Passes(host) && !c.Ignores(host) && anyHost(c.record, host)
}

// RecordsLoopback reports whether any loopback host is to be recorded, so that
// clients must be told not to go around the proxy for them.
func (c *Config) RecordsLoopback() bool {
	for _, p := range c.Hosts.Record {
		host, _, err := net.SplitHostPort(p)
		if err != nil {
			host = strings.Trim(p, "[]")
		}
		host = strings.TrimSuffix(strings.ToLower(host), ".")
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() ||
			host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") {
			return true
		}
	}
	return false
}

func anyHost(patterns []profiles.HostPattern, host string) bool {
	return slices.ContainsFunc(patterns, func(p profiles.HostPattern) bool { return p.Match(host) })
}

// AddPassthrough adds host patterns to those of the files. The error says what is
// wrong with one.
func (c *Config) AddPassthrough(patterns []string) error {
	for _, text := range patterns {
		p, err := profiles.ParseHost(text)
		if err != nil {
			return err
		}
		c.passthrough = append(c.passthrough, p)
		c.Hosts.Passthrough = append(c.Hosts.Passthrough, text)
	}
	return nil
}

// KeepsRequest reports request headers that are stored beyond those in the key.
func (c *Config) KeepsRequest(name string) bool { return anyHeader(c.keepRequest, name) }

// KeepsResponse reports response headers that are stored although they are noise.
func (c *Config) KeepsResponse(name string) bool { return anyHeader(c.keepResponse, name) }

func anyHeader(patterns []string, name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(patterns, func(p string) bool {
		// A header's name holds neither "/" nor brackets, so Match knows "*" only.
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}
