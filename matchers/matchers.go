// Package matchers decides which recorded interaction answers a request.
//
// A Matcher turns a clean request into a list of facts, such as method: POST
// or body.items[0].price: "p1", by a fixed grammar and the rules of the
// configuration. Two requests are the same when their lists are equal; the key
// is a hash of the list, so an Index finds what was recorded in one map access,
// however much was. Secrets are blank in facts: which recorded secret a live
// one stands for is decided by Choose, with the Bindings of one session. The
// same facts explain a miss: Nearest lists those that differ and the rule that
// would make them not count.
//
//	m, err := matchers.New([]matchers.Rule{{
//		On:     "POST api.acme.dev/orders",
//		Ignore: []string{"body.run_id"},
//	}})
//	index := matchers.NewIndex(m, recorded)
//	live := m.Read(request, nil)
//	choice := index.Choose(live, index.Lookup(live.Key), session)
//	if len(choice.Fit) == 0 {
//		fmt.Println(index.Nearest(live).Differences)
//	}
//
// A new kind of body is one file and one line in bodyReaders.
package matchers

import (
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/scope"
)

// A Fact is one named, typed thing that is true of a request.
type Fact struct {
	Name  leaves.Place
	Type  string // part of the value: "1" is not 1
	Value string // clean, normalised, placeholders blank
}

// Key is the hash of a request's facts.
type Key [32]byte

// A Secret is a placeholder standing in a request: what bindings compare.
type Secret struct {
	Place leaves.Place // "auth", "header.cookie.sid", "body.client_secret"
	ID    string       // redact.Placeholder.ID
	Env   string
	User  string // of Basic credentials, where the name could be stored
}

// Invented is a fact whose live value may differ from the recorded one (ignored, or of a shape).
type Invented struct {
	Name  leaves.Place
	Value string // the clean value as it stands
}

// A Reading is all that matching needs to know of one request.
type Reading struct {
	Facts    []Fact // sorted; what the key is made of
	Key      Key
	Secrets  []Secret   // in order of Place
	Ignored  int        // facts that rules took out
	Invented []Invented // values for echo (replay.md, "Values that the client invents")
	Warnings []string   // "body is not valid JSON, compared by its bytes"
	Safe     bool
	Repeat   string
	Echo     bool
}

// A Matcher reads requests by a fixed set of rules. It is immutable.
type Matcher struct{ rules []*rule }

// New compiles rules; later rules add to earlier ones. The error names the rule's Source.
func New(rules []Rule) (*Matcher, error) {
	m := &Matcher{}
	for i, r := range rules {
		compiled, err := compile(r, i+1)
		if err != nil {
			return nil, err
		}
		m.rules = append(m.rules, compiled)
	}
	return m, nil
}

// Stores reports whether a request header must be stored because it is in the
// key, carries credentials, or is named by a rule. name is canonical.
func (m *Matcher) Stores(s scope.Scope, name string) bool {
	if slices.Contains(keyHeaders, name) || isCredential(name) {
		return true
	}
	target := s.Target()
	return slices.ContainsFunc(m.rules, func(r *rule) bool {
		return slices.Contains(r.headers, name) && r.on.Match(target)
	})
}

// Read turns a clean request into facts and a key. translate, if not nil, maps live
// client-invented values to recorded ones wherever one stands as a whole leaf or path segment.
func (m *Matcher) Read(r clean.Request, translate func(string) (string, bool)) Reading {
	rules := m.inForce(requestTarget(r))
	rd := reader{rules: rules, translate: translate, drafts: make([]draft, 0, 16)}
	rd.request(r)
	rd.credentials(r)
	rd.headers(r)
	rd.body(r)
	out := rd.finish()
	out.Safe = isSafe(r.Method()) || rules.safe()
	out.Repeat = rules.repeat()
	return out
}

func requestTarget(r clean.Request) scope.Target {
	return scope.Scope{Method: r.Method(), Host: r.URL().Host, Path: rawPath(r.RawURL())}.Target()
}

// isSafe reports a method that only reads (RFC 9110, section 9.2.1).
func isSafe(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS"
}
