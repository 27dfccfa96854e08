package redact

import (
	"fmt"
	"net/url"
	"strings"

	"tapedeck/cassettes/scope"
)

// secretSegment stands for a secret in Rule.Path.
const secretSegment = "{secret}"

// addPath compiles a rule about segments of a path.
func (r *Rules) addPath(one *rule) error {
	var err error
	if one.on, err = scope.ParseOn(one.Path); err != nil {
		return fmt.Errorf("rule %s: path: %w", one.ID, err)
	}
	_, target, _ := strings.Cut(strings.TrimSpace(one.Path), " ")
	target = strings.TrimSpace(target)
	if one.link, err = scope.ParseOn("* " + target); err != nil {
		return fmt.Errorf("rule %s: path: %w", one.ID, err)
	}
	_, path, _ := strings.Cut(target, "/")
	for i, segment := range strings.Split(path, "/") {
		if segment == secretSegment {
			one.segments = append(one.segments, i)
		}
	}
	if len(one.segments) == 0 {
		return fmt.Errorf("rule %s: path: %q has no segment {secret}; write it as POST hooks.acme.dev/h/{secret}/**", one.ID, one.Path)
	}
	one.in = inPath
	r.list = append(r.list, one.Rule)
	r.paths = append(r.paths, one)
	return nil
}

// segments redacts the segments of a path that rules name. host is that of the URL;
// one without a host, in a Location, is on the request's own. The path of a request
// is judged with its method (own), that of any other URL without.
func (p *pass) segments(host, path string, own bool) string {
	if len(p.v.rules.paths) == 0 || !strings.HasPrefix(path, "/") {
		return path
	}
	target := p.target
	switch {
	case own:
	case host != "":
		target = scope.Scope{Host: host, Path: path}.Target()
	default:
		target = p.target.WithPath(path)
	}
	for _, one := range p.v.rules.paths {
		if own && !one.on.Match(target) || !own && !one.link.Match(target) || p.kept(one.ID, "path") {
			continue
		}
		list := strings.Split(path[1:], "/")
		for _, i := range one.segments {
			if i >= len(list) || list[i] == "" {
				continue
			}
			plain := unescapePath(list[i])
			if clean := p.secret(one, "path", plain); clean != plain {
				list[i] = url.PathEscape(clean)
			}
		}
		path = "/" + strings.Join(list, "/")
	}
	return path
}
