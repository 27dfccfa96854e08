package redact

import (
	"fmt"
	"regexp"
	"strings"
)

// addHost compiles a rule about hosts.
func (r *Rules) addHost(one *rule) error {
	if _, err := regexp.Compile(one.Host); err != nil {
		return fmt.Errorf("rule %s: host: %w", one.ID, err)
	}
	one.whole = regexp.MustCompile(`(?i)^(?:` + one.Host + `)$`)
	one.find = regexp.MustCompile(`(?i)(?:` + one.Host + `)`)
	if one.find.MatchString("") {
		return fmt.Errorf("rule %s: host: %q matches the empty text; make it need at least one character", one.ID, one.Host)
	}
	one.in, one.host = anywhere, true
	r.list = append(r.list, one.Rule)
	r.hosts = append(r.hosts, one)
	return nil
}

// host redacts the host of a URL, "name" or "name:port", by the rules about hosts.
func (p *pass) host(host string) string {
	for _, one := range p.v.rules.hosts {
		if !p.byValue && !one.on.Match(p.target) || len(p.keeps) > 0 && p.kept(one.ID, "url.host") {
			continue
		}
		name, port := host, ""
		if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.Trim(host[i+1:], "0123456789") == "" {
			name, port = host[:i], host[i:]
		}
		at := one.whole.FindStringSubmatchIndex(name)
		if at == nil {
			continue
		}
		h := one.hit(at, 0)
		host = name[:h.secretStart] + p.hostLabel(one, name[h.secretStart:h.secretEnd]) + name[h.secretEnd:] + port
	}
	return host
}

// hostLabel replaces the secret part of a host. It is learned when it cannot be a
// word: then it is found without the rest of the host too.
func (p *pass) hostLabel(one *rule, secret string) string {
	if p.isClean(secret) {
		p.v.reserve(Placeholders(secret))
		return secret
	}
	var learned []string
	if lower := strings.ToLower(secret); len(secret) >= minSearched && !wordy(secret) && strings.Trim(secret, "0123456789.") != "" {
		learned = []string{lower}
		if lower != secret {
			learned = append(learned, secret)
		}
	} else {
		p.v.report(one.ID, "url.host")
	}
	n, _ := ParseNumber(p.v.id(p.v.secretOf(formHost, secret, one.ID, learned...)))
	return formHost.write(n, secret) // whatever form it has elsewhere
}

// hostsIn appends the hosts that stand in a text and that a rule is about. may says
// which rules there is a trace of.
func (r *Rules) hostsIn(found []hit, s string, may traces) []hit {
	for n, one := range r.hosts {
		if !may.has(len(r.loose) + n) {
			continue
		}
		for _, at := range one.find.FindAllStringSubmatchIndex(s, -1) {
			if !wholeHost(s, at[0], at[1]) {
				continue
			}
			h := one.hit(at, 0)
			h.start, h.end = h.secretStart, h.secretEnd
			if secret := s[h.start:h.end]; len(formPlaceholders(secret)) == 0 {
				found = append(found, h)
			}
		}
	}
	return found
}

// wholeHost reports that s[start:end] is no part of a longer name, which would be another host.
func wholeHost(s string, start, end int) bool {
	if start > 0 && (s[start-1] == '-' || s[start-1] == '.' || !boundary(s, start)) {
		return false
	}
	rest := strings.TrimPrefix(s[end:], ".") // perhaps of a sentence
	return rest == "" || !isAlnum(rest[0]) && rest[0] != '-'
}

// Host returns a host, "name" or "name:port", as it may be shown.
func (v *Vault) Host(host string) string { return (&pass{v: v, byValue: true}).host(host) }

// HostRule is the id of the rule that finds a secret in a host, or "".
func (r *Rules) HostRule(host string) string {
	for _, one := range r.hosts {
		if one.whole.MatchString(host) {
			return one.ID
		}
	}
	return ""
}
