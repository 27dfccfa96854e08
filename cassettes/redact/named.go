package redact

import (
	"encoding/base64"
	"strings"

	"tapedeck/cassettes/leaves"
)

// secret redacts a whole value that the name rule r calls secret. White space
// around it stays: a key file ends with a line break.
func (p *pass) secret(r *rule, place leaves.Place, value string) string {
	trimmed := strings.TrimSpace(value)
	if trimmed == "" {
		return value
	}
	if len(trimmed) < len(value) {
		at := strings.Index(value, trimmed)
		return value[:at] + p.secret(r, place, trimmed) + value[at+len(trimmed):]
	}
	switch {
	case isPublished(value), r.mayRefer(place) && isReference(value):
		return value
	case p.isClean(value):
		p.v.reserve(Placeholders(value))
		return value
	}
	if out, ok := p.shaped(place, value); ok {
		return out
	}
	if mayHoldURL(value) && p.depth < maxDepth {
		p.urls(place, value) // a connection string's password is learned by itself too
	}
	return p.whole(r.ID, place, value, value)
}

// whole replaces a value by a plain placeholder. identity is what makes two such
// values the same secret.
func (p *pass) whole(id string, place leaves.Place, value, identity string) string {
	if strong(value) {
		return p.v.placeholder(p.v.learn(identity, id, value), byItself)
	}
	p.v.report(id, p.place(place))
	return p.v.placeholder(p.v.secret(identity, id, ""), byItself)
}

func (p *pass) isClean(value string) bool { return p.v.rules.IsClean(value) }

// IsClean reports whether a value is what redaction leaves of a whole secret: a
// placeholder, perhaps in the shape that a value rule keeps ("sk_test_REDACTED-…").
func (r *Rules) IsClean(value string) bool {
	if list := formPlaceholders(value); len(list) == 1 && list[0].Start == 0 && list[0].End == len(value) {
		return true
	}
	if !strings.Contains(value, word) {
		return false // card placeholders count as published
	}
	list := wordPlaceholders(value)
	if len(list) != 1 {
		return false
	}
	if list[0].Start == 0 && list[0].End == len(value) {
		return true
	}
	may := r.anchorsIn(value)
	for _, one := range r.values {
		if one.clean != nil && may.has(one) && one.clean.MatchString(value) {
			return true
		}
	}
	return false
}

// shaped replaces a value that has the shape of a value rule, which here may be
// shorter than where only the shape speaks ("sk_test_123").
func (p *pass) shaped(place leaves.Place, value string) (string, bool) {
	if digits, ok := cardDigits(value); ok && secretCard(digits) && p.v.rules.cards != nil {
		return likeCard(value, p.v.card(digits, p.v.rules.cards.ID)), true
	}
	may := p.v.rules.anchorsIn(value)
	for _, one := range p.v.rules.values {
		switch {
		case !may.has(one):
			continue
		case one.shape == shapeJWT:
			if _, _, ok := jwtParts(value); !ok {
				continue
			}
			sec := p.v.learnJWT(value, one.ID)
			return jwtPlaceholder(value, p.v.id(sec), p.harmless), true
		case one.whole == nil:
			continue
		}
		at := one.whole.FindStringSubmatchIndex(value)
		if at == nil {
			continue
		}
		part := value[at[2]:at[3]]
		if strings.Contains(value, word) || len(p.hits(place, anywhere, value[:at[2]])) > 0 {
			return "", false // what would be kept holds a secret itself, or stands around one
		}
		var sec *secret
		switch {
		case one.shape == shapePEM:
			sec = p.v.learn(pemBody(part), one.ID, pemLines(part)...)
		case strong(part) || one.caughtBy(value):
			sec = p.v.learnPart(value, part, one.ID)
		default:
			sec = p.v.secret(value, one.ID, "")
		}
		return value[:at[2]] + p.v.placeholder(sec, p.settingFor(one, value, at[2], at[3])) + value[at[3]:], true
	}
	return "", false
}

// settingFor is how a placeholder is written in place of s[start:end], which the rule
// calls secret.
func (p *pass) settingFor(one *rule, s string, start, end int) setting {
	switch {
	case one.shape == shapeJoined:
		return joined
	case one.shape == shapeUnnamed:
		return unnamed
	case one.shape == shapePEM: // its markers part it from everything
		return byItself
	case p.fixed: // bytes, which nobody reads as they are: what is short has room
		return byItself
	}
	return settingOf(s, start, end)
}

// caughtBy reports whether the rule would catch all of value wherever it stood.
func (one *rule) caughtBy(value string) bool {
	at := one.find.FindStringIndex(value)
	return at != nil && at[0] == 0 && at[1] == len(value)
}

// credentials redacts the value of an Authorization header. The scheme stays.
func (p *pass) credentials(r *rule, place leaves.Place, value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok || !isScheme(scheme) || strong(scheme) && !isSigning(scheme) || p.text(place, anywhere, scheme) != scheme {
		return p.secret(r, place, value)
	}
	space := rest[:len(rest)-len(strings.TrimLeft(rest, " "))]
	rest = rest[len(space):]
	kept := scheme + " " + space
	if rest == "" || p.isClean(rest) {
		p.v.reserve(Placeholders(rest))
		return value
	}
	switch lower := strings.ToLower(scheme); {
	case lower == "basic":
		return kept + p.basic(r, place, rest)
	case isSigning(scheme):
		// Signed anew for every request: what tells two users apart is the key's id.
		return kept + p.parameters(r, place, rest, "Credential=", "/,")
	case lower == "digest":
		return kept + p.parameters(r, place, rest, `username="`, `"`)
	case lower == "oauth":
		return kept + p.parameters(r, place, rest, `oauth_consumer_key="`, `"`)
	}
	p.learnParameters(r, rest)
	return kept + p.secret(r, place, rest)
}

// learnParameters learns the secrets among the parameters of credentials whose
// scheme is not known (Token token="…"): they may stand alone elsewhere.
func (p *pass) learnParameters(r *rule, rest string) {
	for _, one := range strings.FieldsFunc(rest, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		name, value, _ := strings.Cut(one, "=")
		if value = strings.Trim(value, `"`); strong(value) && p.v.rules.named(name, inBody, p.target) != nil && !isPublished(value) {
			p.v.learn(value, r.ID, value)
		}
	}
}

// isSigning reports whether a scheme signs each request: AWS4-HMAC-SHA256 and those
// of other clouds made like it.
func isSigning(scheme string) bool {
	return len(scheme) <= 24 && strings.HasSuffix(strings.ToUpper(scheme), "-SHA256")
}

func isScheme(s string) bool {
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) && s[i] != '-' {
			return false
		}
	}
	return len(s) <= 32
}

// basic replaces the payload of Basic credentials and learns what it holds. The
// user's name stays, readable, where it is a name: "alice:REDACTED-0001". It
// tells two users apart when their passwords are gone.
func (p *pass) basic(r *rule, place leaves.Place, payload string) string {
	if user, password, ok := strings.Cut(payload, ":"); ok && p.isClean(password) && (p.isClean(user) || p.isUser(place, user, password)) {
		p.v.reserve(Placeholders(payload))
		return payload
	}
	decoded, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		decoded, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	}
	user, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok {
		return p.secret(r, place, payload)
	}
	sec := p.v.secret("basic "+string(decoded), r.ID, "")
	for _, part := range []string{password, user} {
		if env := p.v.learnCredential(part, r.ID, part == password); env != "" {
			p.v.setEnv(sec, env)
		}
	}
	if !strong(password) && !p.v.rules.caught(password) && password != "" {
		p.v.report(r.ID, p.place(place))
	}
	if p.isUser(place, user, password) {
		return user + ":" + p.v.placeholder(sec, byItself)
	}
	return p.v.placeholder(sec, byItself)
}

// isUser reports whether a user's name can be stored: it is no secret by its shape,
// nor random, as the keys are that some APIs want in its place.
func (p *pass) isUser(place leaves.Place, user, password string) bool {
	if user == "" || len(user) > 128 || password == "" || strong(user) || strings.Contains(user, word) {
		return false
	}
	for i := range len(user) {
		if c := user[i]; !isAlnum(c) && !strings.ContainsRune("._-+@", rune(c)) {
			return false
		}
	}
	return len(p.hits(place, anywhere, user)) == 0
}

// parameters replaces the parameters of credentials that are made anew for
// every request. They are the same secret when the one that names the user is.
func (p *pass) parameters(r *rule, place leaves.Place, rest, start, end string) string {
	for _, h := range p.v.rules.search(rest) {
		if h.rule.shape == shapePlain || h.rule.shape == shapeUnnamed {
			p.v.learnPart(rest[h.start:h.end], rest[h.secretStart:h.secretEnd], h.rule.ID)
		}
	}
	i := strings.Index(rest, start)
	if i < 0 {
		return p.whole(r.ID, place, rest, rest)
	}
	user := rest[i+len(start):]
	if j := strings.IndexAny(user, end); j >= 0 {
		user = user[:j]
	}
	return p.v.placeholder(p.v.secret("user "+user, r.ID, ""), byItself)
}

// learnCredential learns a user name or password that came in an encoding: a
// password when it is strong, either when a value rule catches it. It returns the
// environment variable that the value is known from.
func (v *Vault) learnCredential(value, rule string, password bool) (env string) {
	if value == "" || isPublished(value) || strings.Contains(value, word) {
		return ""
	}
	var sec *secret
	for _, h := range v.rules.search(value) {
		if h.start == 0 && h.end == len(value) && h.rule.shape != shapeCard {
			if h.rule.shape == shapeJWT {
				sec = v.learnJWT(value, h.rule.ID)
				break
			}
			sec = v.learnPart(value, value[h.secretStart:h.secretEnd], h.rule.ID)
			break
		}
	}
	if sec == nil && password && strong(value) {
		sec = v.learn(value, rule, value)
	}
	if sec == nil {
		v.mu.RLock()
		defer v.mu.RUnlock()
		sec = v.secrets[canonical(value)]
	}
	if sec == nil {
		return ""
	}
	return sec.env
}

// setEnv names the variable that a secret holds a value of.
func (v *Vault) setEnv(sec *secret, env string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if sec.id == "" {
		sec.env = env
	}
}
