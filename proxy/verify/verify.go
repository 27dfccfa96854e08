// Package verify sends the requests of a cassette to the real API again and collects
// what it answers now, for package diff to compare.
//
// The recording holds placeholders and ids of things that are gone. Before a request is
// sent, its placeholders take the values of the variables that they are named after, and
// ids, cursors and secrets that earlier recorded answers gave take what the live answers
// gave at the same place. What cannot be filled in is not sent: no placeholder ever
// reaches an API. Requests that change something are sent only when they are allowed.
//
//	v := &verify.Verifier{Transport: upstream, Matcher: m, Cleaner: c, Lookup: os.LookupEnv}
//	plan, err := v.Plan(cassette.Interactions())
//	fmt.Println(plan.Counts())
//	outcome, err := plan.Run(ctx)
//	d, err := diff.Compare([]diff.Pair{{Old: outcome.Recorded(…), New: …}}, …)
package verify

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/scope"
	"tapedeck/matchers"
)

// A Verifier says how recorded requests are sent. Transport, Matcher, Cleaner and Lookup
// must be set. It is for one cassette.
type Verifier struct {
	Transport http.RoundTripper
	// Matcher says which requests only read.
	Matcher *matchers.Matcher
	// Cleaner is the one that the cassette was opened with. Everything that comes back
	// passes it before it is kept.
	Cleaner *clean.Cleaner
	// Lookup is os.LookupEnv.
	Lookup func(string) (string, bool)
	// Secrets name, by the identity of a placeholder ("0001"), the variable that holds its
	// value, or "USER:PASSWORD" for the two variables of Basic credentials.
	Secrets map[string]string
	// Only selects what is sent; without one, everything.
	Only []scope.On
	// Unsafe permits requests that change something; Allow permits those that match.
	Unsafe bool
	Allow  []scope.On
	// AllowLive permits live payment keys.
	AllowLive bool
	// Delay is the time between two requests, Timeout how long an answer may take.
	Delay, Timeout time.Duration
	// Hosts may be shared with other verifiers; nil is none of them.
	Hosts *Hosts
	// Failure puts a transport error into words free of traffic; nil says no more than
	// that there was one.
	Failure func(err error, host string) (status int, reason string)
	// Now is the clock and Sleep waits; nil are time.Now and a timer.
	Now   func() time.Time
	Sleep func(time.Duration) (done <-chan time.Time)
}

// A Fate is what becomes of a recorded request.
type Fate string

const (
	// Sends: it is to be sent, or has been sent and answered.
	Sends Fate = "send"
	// Leaves: it is left out because of how verify was called, or of what it is.
	Leaves Fate = "leave"
	// Lacks: something is missing that it takes.
	Lacks Fate = "lack"
	// Fails: it was sent, or was to be sent, and there is no answer to compare.
	Fails Fate = "fail"
)

// A Step is one recorded request and what becomes of it. All of it is clean.
type Step struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Host   string `json:"host"`
	Fate   Fate   `json:"fate"`
	// Why says in one line why it is not sent, or has no answer.
	Why string `json:"why,omitempty"`

	recorded clean.Interaction
	stored   clean.Stored
	live     clean.Interaction // when it was answered
}

// A Plan says what will be sent.
type Plan struct {
	Steps []Step

	v     *Verifier
	flow  *flow
	known *credentials
	fresh fresh
}

// Plan settles, without sending anything, what becomes of each request of a recording.
// The error is a *LiveKeyError, or says which interaction cannot be read.
func (v *Verifier) Plan(list []clean.Interaction) (*Plan, error) {
	flow, err := newFlow(list)
	if err != nil {
		return nil, err
	}
	p := &Plan{v: v, flow: flow, known: &credentials{rules: v.Cleaner.Vault.Rules(), lookup: v.Lookup, named: v.Secrets, used: make(map[string]bool), takes: make(map[string][]string)}, fresh: make(fresh)}
	for _, in := range list {
		stored, err := in.Stored()
		if err != nil {
			return nil, fmt.Errorf("interaction %d: %w", in.ID, err)
		}
		r := in.Request()
		p.Steps = append(p.Steps, Step{ID: in.ID, Method: r.Method(), URL: r.RawURL(), Host: r.URL().Host, Fate: Sends, recorded: in, stored: stored})
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		if lack := p.leaves(step); lack != nil {
			step.settle(lack)
			continue
		}
		out, err := rewrite(step.stored, p.filler(step, func(position int) bool { return p.Steps[position].Fate == Sends }).fill)
		if err != nil {
			step.settle(err)
			continue
		}
		if !v.AllowLive && holdsLiveKey(out) {
			return nil, &LiveKeyError{step.ID}
		}
	}
	return p, nil
}

// settle notes that a request is not sent.
func (s *Step) settle(err error) {
	var lack *Lack
	s.Fate, s.Why = Fails, err.Error()
	if isLack(err, &lack) {
		s.Fate = Lacks
		if lack.Meant {
			s.Fate = Leaves
		}
	}
}

// filler makes what fills in one request. expect is nil when requests are sent.
func (p *Plan) filler(step *Step, expect func(int) bool) *filler {
	return &filler{flow: p.flow, known: p.known, fresh: &p.fresh, expect: expect, missing: p.missing, at: newAging(step.recorded, p.v.now()), host: step.Host}
}

// missing says why a request that needs the answer to another one is not sent.
func (p *Plan) missing(position int) *Lack {
	from := &p.Steps[position]
	what := fmt.Sprintf("it needs what interaction %d (%s) gave", from.ID, from.Method)
	switch from.Fate {
	case Sends:
		return &Lack{Reason: what + ", and the answer does not give it any more"}
	case Leaves:
		lack := &Lack{Reason: what + ", which is not sent", Meant: true}
		if !p.v.safe(from.recorded) && !p.v.may(from.recorded) {
			lack.Cure = allowing(from.recorded)
		}
		return lack
	case Lacks:
		return &Lack{Reason: what + ", which is not sent"}
	}
	return &Lack{Reason: what + ", which has no answer"}
}

// leaves says why a request is left out whatever it holds; nil when it is not.
func (p *Plan) leaves(step *Step) *Lack {
	v, in := p.v, step.recorded
	target := in.Request().Scope().Target()
	out := func(format string, arguments ...any) *Lack {
		return &Lack{Reason: fmt.Sprintf(format, arguments...), Meant: true}
	}
	switch status := step.stored.Status; {
	case len(v.Only) > 0 && !slices.ContainsFunc(v.Only, func(on scope.On) bool { return on.Match(target) }):
		return out("--only does not select it")
	case in.Request().URL().Scheme != "http" && in.Request().URL().Scheme != "https":
		return out("its URL is neither http nor https")
	case in.Pinned:
		return out("its answer is pinned: somebody wrote it by hand")
	case status == http.StatusSwitchingProtocols:
		return out("it opens a WebSocket, or another connection that is no answer")
	case status == http.StatusNotModified:
		return out("it was answered 304, which holds nothing to compare")
	case status == http.StatusTooManyRequests, status >= 500:
		return out("it was answered %d, which passes", status)
	case step.stored.ResponseLarge != nil:
		return out("its answer is larger than %d MiB", clean.LargeBody>>20)
	case !v.safe(in) && !v.may(in):
		lack := out("it may change something")
		lack.Cure = allowing(in)
		return lack
	}
	return p.changed(step)
}

// allowing is the flags with which an unsafe request is sent.
func allowing(in clean.Interaction) string {
	u := in.Request().URL()
	return "add --unsafe, or --allow '" + in.Request().Method() + " " + u.Host + u.EscapedPath() + "'"
}

// changed says why a read is left out: what put or deleted the thing that it reads is not
// sent, and the answer would say that it is there, or is not, for no other reason.
func (p *Plan) changed(step *Step) *Lack {
	if !p.v.safe(step.recorded) {
		return nil
	}
	path := step.recorded.Request().URL().Path
	for i := range p.Steps {
		before := &p.Steps[i]
		if before == step {
			return nil
		}
		if before.Fate == Sends || before.Host != step.Host || before.stored.Status >= 300 {
			continue
		}
		at := before.recorded.Request().URL().Path
		switch made := step.stored.Status < 400; {
		case before.Method == http.MethodDelete && !made && (path == at || strings.HasPrefix(path, at+"/")),
			before.Method == http.MethodPut && made && path == at:
			lack := &Lack{Reason: fmt.Sprintf("it reads what interaction %d (%s) made or removed, which is not sent", before.ID, before.Method), Meant: before.Fate == Leaves}
			if !p.v.may(before.recorded) {
				lack.Cure = allowing(before.recorded)
			}
			return lack
		}
	}
	return nil
}

func (v *Verifier) safe(in clean.Interaction) bool {
	return v.Matcher.Read(in.Request(), nil).Safe && !overridden(in.Request())
}

// may reports whether a request may be sent although it is not safe.
func (v *Verifier) may(in clean.Interaction) bool {
	target := in.Request().Scope().Target()
	return v.Unsafe || slices.ContainsFunc(v.Allow, func(on scope.On) bool { return on.Match(target) })
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// A Count is how many requests go to one host by one method.
type Count struct {
	Host, Method string
	N            int
}

// Counts are what is to be sent, in the order of first sending.
func (p *Plan) Counts() []Count {
	var out []Count
	for _, step := range p.Steps {
		if step.Fate != Sends {
			continue
		}
		i := slices.IndexFunc(out, func(c Count) bool { return c.Host == step.Host && c.Method == step.Method })
		if i < 0 {
			i = len(out)
			out = append(out, Count{Host: step.Host, Method: step.Method})
		}
		out[i].N++
	}
	return out
}

// Variables are the variables of the environment whose values a host is sent.
func (p *Plan) Variables(host string) []string {
	return slices.Sorted(slices.Values(p.known.takes[host]))
}

// Counted is how many steps have a fate.
func Counted(steps []Step, fate Fate) int {
	n := 0
	for _, step := range steps {
		if step.Fate == fate {
			n++
		}
	}
	return n
}
