package redact

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// A Vault holds the secrets of one cassette in memory, and which placeholder
// each has. It is safe for concurrent use.
type Vault struct {
	rules *Rules
	// thorough turns off what only saves time, for tests that compare.
	thorough bool
	recent   atomic.Pointer[scoped]
	headers  headerMemo

	mu      sync.RWMutex
	secrets map[string]*secret // by value
	index   *index             // of those that are learned
	learned int
	cutting atomic.Bool     // whether a learned value is one at which readers may stop
	last    int             // the highest number given or reserved
	cards   map[string]bool // pool numbers given or reserved
	keeps   map[string]bool // values that a keep lets stand
	kept    []bool          // by its position in Rules.Keeps: whether a keep let something stand
	weak    []Report
	reports map[Report]bool
}

// A secret is one value that must not be stored.
type secret struct {
	cut  bool   // it may be cut by readers of text
	rule string // the id of the rule that found it
	env  string
	id   string // "" before its first use
	form form   // of its placeholder
}

// A Report names a weak value: one that was replaced where a rule names it, but is
// too short or too much like a word to be searched for elsewhere.
type Report struct {
	Rule  string
	Place leaves.Place
}

// NewVault returns an empty vault for rules.
func NewVault(rules *Rules) *Vault {
	v := &Vault{
		rules:   rules,
		secrets: make(map[string]*secret),
		index:   newIndex(),
		cards:   make(map[string]bool),
		keeps:   make(map[string]bool),
		reports: make(map[Report]bool),
	}
	for _, k := range rules.env {
		v.know(k)
	}
	return v
}

// know enters a secret of the environment. It gets its number when it is used.
func (v *Vault) know(k known) {
	value, sec := k.value, &secret{rule: "environment"}
	identity := ""
	if isEnvName(k.name) {
		sec.env = k.name
	}
	if k.weak {
		v.secrets[canonical(value)] = sec
		return
	}
	for _, h := range v.rules.search(k.value) {
		if h.start == 0 && h.end == len(k.value) && h.rule.shape != shapeCard {
			sec.rule = h.rule.ID
			if part := k.value[h.secretStart:h.secretEnd]; strong(part) {
				value = part
			}
			if h.rule.shape == shapeJWT {
				identity = canonical(jwtIdentity(value))
			}
			break
		}
	}
	if identity == "" {
		identity = canonical(value)
	}
	if v.secrets[identity] != nil {
		return
	}
	v.secrets[identity] = sec
	v.search(value, sec)
	v.learned++
}

// search makes a value looked for, and the parts of it that may stand alone.
func (v *Vault) search(value string, sec *secret) {
	v.index.add(value, sec)
	if !isCut(value) || sec.form != formPlain || sec.rule == "value-private-key" || strings.ContainsAny(value, "\r\n") {
		return // a key file is known by its lines
	}
	sec.cut = true
	v.cutting.Store(true)
	for _, part := range remainders(value) {
		v.index.addPattern(pattern{text: strings.Clone(part), secret: sec, spelling: asText})
	}
}

// Learned counts the strong values known so far; it only grows. A saver sweeps
// again what it wrote when the count was lower.
func (v *Vault) Learned() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.learned
}

// Weak lists where values were replaced that are too weak to be searched for
// elsewhere, in the order in which they were first seen.
func (v *Vault) Weak() []Report {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return append([]Report(nil), v.weak...)
}

func (v *Vault) report(rule string, place leaves.Place) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := Report{rule, place}
	if !v.reports[r] {
		r.Place = leaves.Place(strings.Clone(string(place))) // it may be a piece of a large text
		v.reports[r] = true
		v.weak = append(v.weak, r)
	}
}

// Reserve marks every placeholder that stands in stored (a loaded file) as taken,
// so that new secrets get other numbers.
func (v *Vault) Reserve(stored []byte) { v.reserve(Placeholders(string(stored))) }

func (v *Vault) reserve(list []Placeholder) {
	if len(list) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, ph := range list {
		if n, ok := ParseNumber(ph.ID); ok {
			v.last = max(v.last, n)
		} else {
			v.cards[ph.ID] = true
		}
	}
}

// canonical makes the spellings of one value equal: clients send a value that
// holds %2F sometimes escaped once more, sometimes not.
func canonical(value string) string {
	if strings.Contains(value, "%") {
		if decoded, err := url.PathUnescape(value); err == nil {
			return decoded
		}
	}
	return value
}

// secret returns the entry of a value, made when it is new.
func (v *Vault) secret(value, rule, env string) *secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.enter(value, rule, env)
}

func (v *Vault) enter(value, rule, env string) *secret {
	value = canonical(value)
	sec := v.secrets[value]
	if sec == nil {
		sec = &secret{rule: rule, env: env}
		v.secrets[strings.Clone(value)] = sec // it may be a piece of a large body
	}
	return sec
}

// learn enters a strong value: from now on each of the texts is searched for.
func (v *Vault) learn(value, rule string, texts ...string) *secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	sec := v.enter(value, rule, "")
	before := v.index.size
	for _, text := range texts {
		if text != "" && !isPublished(text) { // a key of white space alone has no text
			v.search(text, sec)
		}
	}
	if v.index.size > before {
		v.learned++
	}
	return sec
}

// learnPart enters what a value rule found. The part after the prefix is the
// secret, unless it is so plain ("sk_test_placeholder") that it means something only
// behind its prefix.
func (v *Vault) learnPart(full, part, rule string) *secret {
	if strong(part) {
		return v.learn(part, rule, part)
	}
	return v.learn(full, rule, full)
}

// keep notes a value that stands in clean text because the configuration says so.
func (v *Vault) keep(value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keeps[strings.Clone(value)] = true
}

func (v *Vault) isKept(value string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.keeps[value]
}

// id returns the identity of a secret, given out at its first use.
func (v *Vault) id(sec *secret) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if sec.id == "" {
		v.last++
		sec.id = Number(v.last)
	}
	return sec.id
}

// placeholder writes what stands for a secret.
func (v *Vault) placeholder(sec *secret, in setting) string {
	id := v.id(sec)
	switch {
	case IsCard(id):
		return id
	case sec.form != formPlain && in != byItself:
		return lengthened(v.formed(sec, ""))
	case sec.form != formPlain:
		return v.formed(sec, "")
	case in == joined:
		return word + joinedNumber(id)
	case sec.env != "" && in != unnamed:
		return word + "-" + sec.env + "-" + longNumber(id)
	case in != byItself:
		return word + "-" + longNumber(id)
	}
	return word + "-" + shortNumber(id)
}

// card returns what stands for a card number: the next number of its brand's
// pool, or a plain placeholder when that is used up.
func (v *Vault) card(digits, rule string) string {
	v.mu.Lock()
	sec := v.enter(digits, rule, "")
	if sec.id == "" {
		for _, n := range cardPool[cardBrand(digits)] {
			if !v.cards[n] {
				v.cards[n] = true
				sec.id = n
				break
			}
		}
		v.index.add(digits, sec)
		v.learned++
	}
	v.mu.Unlock()
	return v.placeholder(sec, byItself)
}

// knownCard returns what stands for a number that is known to be a card's.
func (v *Vault) knownCard(digits string) (id string, ok bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	sec := v.secrets[digits]
	if sec == nil || !IsCard(sec.id) {
		return "", false
	}
	return sec.id, true
}

// searchLearned appends the learned secrets that stand in s to found.
func (v *Vault) searchLearned(s string, found []hit) []hit {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var runs encodedRuns
	v.index.scan(s, func(i int, p pattern) bool {
		h := hit{start: i, end: i + len(p.text), known: p.secret, spelling: p.spelling}
		h.secretStart, h.secretEnd = h.start, h.end
		if p.spelling == asText || runs.widen(s, &h) && h.end-h.start <= maxRun {
			found = append(found, h)
		}
		return true
	})
	return found
}

// scoped is what is known of a scope. The parts of one request and its answer ask for
// it one after another.
type scoped struct {
	scope  Scope
	target scope.Target
	oauth  bool // see pass
}

func (v *Vault) scoped(s Scope) *scoped {
	if there := v.recent.Load(); there != nil && there.scope == s {
		return there
	}
	made := &scoped{scope: s, target: s.Target(), oauth: oauthPath(s.Path)}
	v.recent.Store(made)
	return made
}

// pass starts a pass over what belongs to s.
func (v *Vault) pass(s Scope, d Direction) *pass {
	scoped := v.scoped(s)
	p := &pass{v: v, target: scoped.target, dir: d, names: true, oauth: scoped.oauth}
	for _, k := range v.rules.keeps {
		if k.on.Match(p.target) {
			p.keeps = append(p.keeps, k)
		}
	}
	return p
}

// settle runs redact until nothing changes any more: what is learned at the end of
// a text is replaced at its beginning too, and a clean text stays as it is.
func (v *Vault) settle(s string, redact func(string) (string, error)) (string, error) {
	for range maxRounds {
		before := v.Learned()
		out, err := redact(s)
		if err != nil || out == s && v.Learned() == before {
			return out, err
		}
		s = out
	}
	return s, nil
}

// A Refusal says that something could not be redacted and so must not be
// stored. It names rule and place, never the value.
type Refusal struct{ Rule, Place, Reason string }

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: rule %s: %s; nothing of it was stored", r.Place, r.Rule, r.Reason)
}
