package verify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// An Outcome is what a run has brought.
type Outcome struct {
	Steps []Step
	// Recorded and Live are the interactions that were answered again, in the order of
	// the recording: the same requests, with the answers of then and of now.
	Recorded, Live []clean.Interaction
	// Replaced are words of those requests that were sent as others, such as recorded ids.
	Replaced map[string]bool
	// Faults are what went wrong with whole hosts, one line each.
	Faults []string

	secrets []string
}

// Complete reports that every request that was not left out on purpose has been answered.
func (o *Outcome) Complete() bool {
	return Counted(o.Steps, Lacks) == 0 && Counted(o.Steps, Fails) == 0
}

// Leaks reports whether a live secret that was filled in, or that an answer gave in the
// place of a placeholder, stands in a text in any encoding. Values that are too short or
// too much like words to be searched for do not count.
func (o *Outcome) Leaks(text string) bool {
	finder, _ := redact.NewFinder(o.secrets)
	return len(finder.Find(text)) > 0
}

// Run sends what is planned, one request after another in the order of the recording.
// The error is the context's.
func (p *Plan) Run(ctx context.Context) (*Outcome, error) {
	r := &run{Plan: p, hosts: cmp.Or(p.v.Hosts, &Hosts{}), unsent: make(map[string]int), judged: make(map[string]bool), replaced: make(map[string]bool)}
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Fate != Sends {
			continue
		}
		if err := r.step(ctx, step); err != nil {
			return nil, err
		}
	}
	out := &Outcome{Steps: p.Steps, Faults: r.faults(), Replaced: r.replaced, secrets: r.secrets()}
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Fate != Sends {
			continue
		}
		// What was learned since is replaced too; and the last gate.
		live, err := p.v.Cleaner.Sweep(step.live)
		if err == nil {
			err = p.v.Cleaner.Check(live)
		}
		if err != nil || out.holdsSecret(live) {
			step.Fate, step.Why = Fails, "its answer holds a secret that cannot be replaced, and is not shown"
			continue
		}
		live.Meta = step.recorded.Meta
		out.Recorded, out.Live = append(out.Recorded, step.recorded), append(out.Live, live)
	}
	return out, nil
}

// holdsSecret looks through a live answer once more, with what was filled in.
func (o *Outcome) holdsSecret(in clean.Interaction) bool {
	resp, err := in.Response()
	if err != nil {
		return true
	}
	var b strings.Builder
	b.WriteString(resp.StatusText() + "\n")
	for _, header := range []http.Header{resp.Header(), resp.Trailer()} {
		for _, values := range header {
			b.WriteString(strings.Join(values, "\n") + "\n")
		}
	}
	b.Write(resp.Body())
	return o.Leaks(b.String())
}

type run struct {
	*Plan
	hosts  *Hosts
	unsent map[string]int // by host: what is not sent since it is dead
	order  []string       // of hosts that are dead
	begun  bool
	judged map[string]bool // of values: whether they are secrets
	// replaced is as the Outcome has it.
	replaced map[string]bool
}

// Hosts is what is known of the hosts that requests are sent to. Verifiers that share
// one do not ask a dead host again. It is for one goroutine.
type Hosts struct{ states map[string]*hostState }

type hostState struct {
	dead   string // why nothing is sent to it any more
	silent int    // requests in a row without an answer
}

func (h *Hosts) state(name string) *hostState {
	if h.states == nil {
		h.states = make(map[string]*hostState)
	}
	if h.states[name] == nil {
		h.states[name] = &hostState{}
	}
	return h.states[name]
}

// step sends one request and keeps its answer.
func (r *run) step(ctx context.Context, step *Step) error {
	host := r.hosts.state(step.Host)
	if host.dead != "" {
		if r.unsent[step.Host]++; !slices.Contains(r.order, step.Host) {
			r.order = append(r.order, step.Host)
		}
		step.Fate, step.Why = Fails, "not sent: "+host.dead
		return nil
	}
	if lack := r.changed(step); lack != nil {
		step.settle(lack)
		return nil
	}
	out, err := rewrite(step.stored, r.noting(r.filler(step, nil).fill))
	if err == nil {
		err = mayBeSent(out)
	}
	if err == nil && !r.v.AllowLive && holdsLiveKey(out) {
		err = &Lack{Reason: "an answer gave a live payment key, which it would send", Cure: "pass --allow-live to use real money and real data"}
	}
	if err != nil {
		step.settle(err)
		return nil
	}
	r.remember(step)
	answer, err := r.send(ctx, step, out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		step.Fate, step.Why = Fails, r.explain(host, step, err)
		return nil
	}
	host.silent = 0
	if answer.status == http.StatusUnauthorized && step.stored.Status != http.StatusUnauthorized {
		step.Fate, step.Why = Fails, "its credentials are refused (401); check the variables that it takes, or record again"
		return nil
	}
	r.flow.learn(step.recorded.Request().URL().Path, step.stored, answer.header, answer.decoded)
	if step.live, err = r.keep(step, answer); err != nil {
		step.Fate, step.Why = Fails, fmt.Sprintf("its answer cannot be kept: %v", err)
	}
	return nil
}

// noting notes the words of recorded values that go out as others.
func (r *run) noting(fill func(part) (string, error)) func(part) (string, error) {
	return func(p part) (string, error) {
		text, err := fill(p)
		if err == nil && text != p.text {
			stay := make(map[string]bool)
			for start, end := range wordsOf(text) {
				stay[text[start:end]] = true
			}
			for start, end := range wordsOf(p.text) {
				if word := p.text[start:end]; !stay[word] {
					r.replaced[word] = true
				}
			}
		}
		return text, err
	}
}

// remember makes the vault know the secrets that are about to be sent: an answer that
// repeats one shows a placeholder.
func (r *run) remember(step *Step) {
	scope := step.recorded.Request().Scope()
	for _, value := range r.secrets() {
		_, _ = r.v.Cleaner.Vault.Header(scope, redact.InRequest, http.Header{"Authorization": {"Bearer " + value}})
	}
}

// secrets are the live values that are searched for.
func (r *run) secrets() []string {
	var out []string
	for _, list := range [][]string{r.flow.liveSecrets(), r.known.values()} {
		for _, value := range list {
			if r.isSecret(value) {
				out = append(out, value)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// isSecret reports whether a value must not be shown. What stands readable in the
// recording need not be kept out of a report: the user of a Basic pair that is an account's id.
func (r *run) isSecret(value string) bool {
	if len(value) < redact.ShortestGiven || !redact.LooksSecret("", value) {
		return false
	}
	secret, known := r.judged[value]
	if !known {
		secret = !slices.ContainsFunc(r.Steps, func(step Step) bool { return stands(step.stored, value) })
		r.judged[value] = secret
	}
	return secret
}

// stands reports whether a value stands readable in a recorded interaction.
func stands(s clean.Stored, value string) bool {
	if strings.Contains(s.URL, value) || bytes.Contains(s.RequestBody, []byte(value)) || bytes.Contains(s.ResponseBody, []byte(value)) {
		return true
	}
	for _, header := range []http.Header{s.RequestHeader, s.ResponseHeader} {
		for _, values := range header {
			if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, value) }) {
				return true
			}
		}
	}
	return false
}

// faults says what happened to whole hosts.
func (r *run) faults() []string {
	var out []string
	for _, name := range r.order {
		fault := r.hosts.state(name).dead
		if n := r.unsent[name]; n > 0 {
			fault += fmt.Sprintf(" (%d not sent)", n)
		}
		out = append(out, fault)
	}
	return out
}
