// Package deck plays and records one cassette. A Deck is an http.RoundTripper:
// a proxy puts it on the wire, and a Go test can use it without one.
//
// The deck always answers. A miss, a refusal and a dead upstream are answers
// too, never transport errors. Recording and replaying share their first steps:
// the body is taken, the redactor makes a clean copy, the index turns it into
// facts, a key and candidates; then decide, one pure function, chooses the rest.
//
//	d, err := deck.Open(deck.Options{Store: store, Name: "checkout", Mode: deck.RecordOnce, …})
//	client := &http.Client{Transport: d}
//	…
//	err = d.Close(deck.Outcome{})
package deck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// DefaultMaxBody is the largest request body that is taken, in bytes.
const DefaultMaxBody = 64 << 20

// Options say what a deck plays and records.
type Options struct {
	Store cassettes.Store
	// Name is the cassette's name in Store; File is how messages call it.
	Name, File string
	Mode       Mode
	// Upstream answers what is forwarded. It may be nil in ReplayOnly, and is
	// never used there.
	Upstream http.RoundTripper
	Matcher  *matchers.Matcher
	Rules    *redact.Rules
	// KeepRequestHeader reports request headers to store beyond those that the
	// matcher needs; nil keeps none.
	KeepRequestHeader func(name string) bool
	// DropResponseHeader reports which response headers are noise; nil keeps all.
	DropResponseHeader func(name string) bool
	// MaxBody bounds a request body, in bytes; 0 means DefaultMaxBody.
	MaxBody int64
	// Ignore reports hosts ("name:port") that are forwarded unrecorded, and refused in replay
	// without counting as a miss. Nil ignores none.
	Ignore func(authority string) bool
	// Strict turns an unproven play into a miss.
	Strict bool
	// Sequence is the order in which answers play; "" is Gates.
	Sequence Sequence
	// Repeat is the default of matchers.Rule.Repeat for the whole run.
	Repeat string
	// AllowLive permits recording with a live payment key.
	AllowLive bool
	// DropRetried leaves out failed answers that a retry later made good.
	DropRetried bool
	// Rerecord selects the interactions that are recorded again; nil selects none.
	Rerecord func(clean.Request) bool
	// Carry is "off" when a recording is to be written with its own values even where they
	// differ from the previous ones only as ids and times do.
	Carry string
	// RewindIdle starts a session over when it has sent nothing for this long; 0 never does.
	RewindIdle time.Duration
	// RecordCommand is the command line that records this cassette in a mode: the
	// cure that misses and notes print. Nil prints the mode alone.
	RecordCommand func(Mode) string
	// MaxAge is the age past which a recording is reported as expired; 0 is never.
	MaxAge time.Duration
	// Failure turns an upstream error into a status and a reason free of
	// traffic; nil says 502 and no more than that it failed.
	Failure func(err error, host string) (status int, reason string)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// A Deck plays and records one cassette. It is safe for concurrent use.
type Deck struct {
	opt     Options
	mode    Mode // in force: never RecordOnce
	purpose cassettes.Purpose
	cleaner *clean.Cleaner
	tape    *cassettes.Cassette // nil in Passthrough
	index   *matchers.Index
	report  report
	// inProcess is set when no proxy stands between the client and the deck.
	inProcess *inProcess
	clock     atomic.Uint64 // positions of begin and end
	// conditionals says of keys whether a 304 was recorded under them.
	conditionals sync.Map
	active       sync.WaitGroup
	matched      atomic.Bool // whether Rerecord has selected a request

	mu       sync.Mutex
	sessions map[string]*session
	closed   bool

	// keeping makes appending to the journal and noting it in recorded one step,
	// so that a save drops no journal entry that it has not written.
	keeping  sync.Mutex
	recorded []clean.Interaction
	saved    bool    // nothing was recorded since the last save,
	savedAs  Outcome // which said this
	sweeping sweeper
}

// Open opens the cassette as the mode asks. The error says what is wrong with
// the cassette and what to do; nothing has been changed then.
func Open(opt Options) (*Deck, error) {
	if opt.MaxBody == 0 {
		opt.MaxBody = DefaultMaxBody
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.File == "" {
		opt.File = opt.Name
	}
	if opt.RecordCommand == nil {
		opt.RecordCommand = func(m Mode) string { return "mode " + string(m) }
	}
	if opt.Mode.Forwards() && opt.Upstream == nil {
		return nil, fmt.Errorf("mode %s needs an upstream", opt.Mode)
	}
	if opt.Rerecord != nil && opt.Mode != RecordOnce && opt.Mode != NewEpisodes {
		return nil, fmt.Errorf("recording a part again needs mode %s or %s, which play the rest; this is %s", RecordOnce, NewEpisodes, opt.Mode)
	}
	if _, err := ParseSequence(string(opt.Sequence)); err != nil {
		return nil, err
	}
	d := &Deck{opt: opt, sessions: make(map[string]*session)}
	d.report.init()
	d.cleaner = &clean.Cleaner{
		Vault: redact.NewVault(opt.Rules),
		KeepRequestHeader: func(s redact.Scope, name string) bool {
			return opt.Matcher.Stores(s, name) || opt.KeepRequestHeader != nil && opt.KeepRequestHeader(name)
		},
		DropResponseHeader: opt.DropResponseHeader,
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	if !d.mode.Forwards() {
		d.opt.Upstream = nil // nothing that a replay does can reach a network
	}
	return d, nil
}

// open resolves RecordOnce and opens the cassette for what the mode in force needs.
func (d *Deck) open() error {
	d.mode = d.opt.Mode
	switch d.mode {
	case Passthrough:
		d.index = matchers.NewIndex(d.opt.Matcher, nil)
		return nil
	case RecordOnce:
		return d.openOnce()
	case NewEpisodes:
		return d.use(cassettes.ToExtend)
	case RecordOnly:
		return d.use(cassettes.ToReplace)
	default:
		return d.use(cassettes.ToReplay)
	}
}

// openOnce records when there is no cassette, or only an unfinished one.
func (d *Deck) openOnce() error {
	file, journal, err := cassettes.Exists(d.opt.Store, d.opt.Name)
	if err != nil {
		return err
	}
	if !file {
		// What a killed first recording left becomes an unfinished cassette, so that
		// nothing is lost should this run be cut off too.
		added, err := cassettes.Recover(d.opt.Store, d.opt.Name, d.cleaner)
		if err != nil {
			return err
		}
		file, journal = added > 0, false
	}
	if d.opt.Rerecord != nil && file {
		d.mode = NewEpisodes
		return d.use(cassettes.ToExtend)
	}
	if file {
		tape, err := cassettes.Open(d.opt.Store, d.opt.Name, d.cleaner, cassettes.ToReplay)
		if err != nil {
			return err
		}
		unfinished := tape.State().Unfinished
		if err := tape.Close(); err != nil {
			return err
		}
		if unfinished == "" && !journal {
			d.mode = ReplayOnly
			return d.use(cassettes.ToReplay)
		}
		if unfinished == "" {
			unfinished = "a recorder was stopped before it could save"
		}
		d.report.note(fmt.Sprintf("cassette %s is unfinished (%s): it is recorded again", d.opt.File, unfinished))
	}
	d.mode = RecordOnly
	if journal {
		// As above, for a recorder that was killed while it added to a cassette.
		if _, err := cassettes.Recover(d.opt.Store, d.opt.Name, d.cleaner); err != nil {
			return err
		}
	}
	return d.use(cassettes.ToReplace)
}

// MissingError says that there is nothing to replay.
type MissingError struct {
	File   string
	Mode   Mode
	Record string // the command line that records it
	err    error
}

func (e *MissingError) Error() string {
	text := fmt.Sprintf("cassette %s does not exist, and mode %s only replays; record it with: %s", e.File, e.Mode, e.Record)
	if strings.Contains(e.err.Error(), "tapedeck recover") {
		text += "; a recording of it was cut off, and tapedeck recover " + e.File + " keeps what there is"
	}
	return text
}

func (e *MissingError) Unwrap() error { return e.err }

func (d *Deck) use(p cassettes.Purpose) error {
	tape, err := cassettes.Open(d.opt.Store, d.opt.Name, d.cleaner, p)
	if p == cassettes.ToReplay && errors.Is(err, fs.ErrNotExist) {
		return &MissingError{File: d.opt.File, Mode: d.opt.Mode, Record: d.opt.RecordCommand(RecordOnce), err: err}
	}
	if err != nil {
		return err
	}
	d.tape, d.purpose = tape, p
	d.sweeping.learned = -1 // a journal that was left may hold what is known by now
	for _, n := range tape.Notes() {
		d.report.note(n)
	}
	list := tape.Interactions()
	if p == cassettes.ToReplace {
		list = nil
	}
	if d.opt.Rerecord != nil {
		kept := make([]clean.Interaction, 0, len(list))
		for _, in := range list {
			if !d.opt.Rerecord(in.Request()) {
				kept = append(kept, in)
			}
		}
		list = kept
	}
	d.index = matchers.NewIndex(d.opt.Matcher, list)
	d.expire()
	d.advisePersonal(list)
	if u := tape.State().Unfinished; u != "" && p == cassettes.ToReplay {
		d.report.note(fmt.Sprintf("cassette %s is unfinished (%s); record it again with: %s", d.opt.File, u, d.opt.RecordCommand(RecordOnly)))
	}
	return nil
}

// expire notes recordings that are older than MaxAge.
func (d *Deck) expire() {
	if d.opt.MaxAge <= 0 {
		return
	}
	oldest := ""
	for i := range d.index.Len() {
		in, _ := d.index.At(i)
		if in.Recorded != "" && (oldest == "" || in.Recorded < oldest) {
			oldest = in.Recorded
		}
	}
	if oldest != "" && oldest < d.young() {
		d.report.expired(fmt.Sprintf("recordings of %s are older than max_age (%dd); record again with: %s",
			oldest, int(d.opt.MaxAge.Hours()/24), d.opt.RecordCommand(RecordOnly)))
	}
}

// young is the earliest day of recording that MaxAge lets pass; "" when all do.
func (d *Deck) young() string {
	if d.opt.MaxAge <= 0 {
		return ""
	}
	return d.opt.Now().UTC().Add(-d.opt.MaxAge).Format(time.DateOnly)
}

// Mode is the mode in force: RecordOnce has become RecordOnly or ReplayOnly.
func (d *Deck) Mode() Mode { return d.mode }

// Recording reports whether this run writes to the cassette.
func (d *Deck) Recording() bool { return d.mode == RecordOnly || d.mode == NewEpisodes }

// RecordedAt is the latest day on which anything in the cassette was recorded, or "".
func (d *Deck) RecordedAt() string {
	var day string
	for i := range d.index.Len() {
		in, _ := d.index.At(i)
		day = max(day, in.Recorded)
	}
	return day
}

func (d *Deck) session(ctx context.Context) *session {
	name := SessionName(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[name]
	if s == nil {
		s = newSession()
		d.sessions[name] = s
	}
	if now := d.opt.Now(); d.opt.RewindIdle > 0 {
		if !s.seen.IsZero() && now.Sub(s.seen) > d.opt.RewindIdle {
			s.rewind()
		}
		s.seen = now
	}
	return s
}

// Rewind starts one session at the beginning of the cassette again; "" starts
// all. It reports how many that were.
func (d *Deck) Rewind(name string) int {
	d.mu.Lock()
	var list []*session
	for n, s := range d.sessions {
		if name == "" || n == name {
			list = append(list, s)
		}
	}
	d.mu.Unlock()
	for _, s := range list {
		s.rewind()
	}
	return len(list)
}

// RoundTrip answers a request: it plays, records, forwards or explains a miss.
// It returns an error only when the client has gone away.
func (d *Deck) RoundTrip(req *http.Request) (*http.Response, error) {
	if resp, err, ok := d.inProcess.roundTrip(req); ok {
		return resp, err
	}
	resp, err := d.roundTrip(req)
	d.inProcess.wrap(req, resp)
	return resp, err
}

func (d *Deck) roundTrip(req *http.Request) (*http.Response, error) {
	d.active.Add(1)
	defer d.active.Done()
	defer d.sweepSoon()
	s := d.session(req.Context())
	host := hostOf(req)
	if d.opt.Ignore != nil && d.opt.Ignore(authority(req)) {
		return d.ignored(req, host)
	}
	if isUpgrade(req) {
		return d.upgrade(req, host)
	}
	switch {
	case d.mode == Passthrough:
		return d.forward(req, host)
	case d.mode == RecordOnly:
		return d.recordStreaming(req, s)
	}
	return d.lookUp(req, s)
}

// lookUp takes the whole body, finds what answers the request, and does as the mode says.
func (d *Deck) lookUp(req *http.Request, s *session) (*http.Response, error) {
	body, err := d.take(req)
	if err != nil {
		return d.takeFailed(req, err)
	}
	cr, err := d.cleaner.Request(req, body)
	if err != nil {
		return d.unreadable(req, s, body, err)
	}
	heard := s.invented.hear()
	reading := d.opt.Matcher.Read(cr, heard.translate)
	d.report.warn(describe(cr), reading.Warnings)
	again := d.opt.Rerecord != nil && d.opt.Rerecord(cr)
	if again {
		d.matched.Store(true)
	}
	p := pick{}
	if !again && !d.forwardsSafe(s, req, reading) {
		p = d.pick(req, s, reading)
	}
	act := decide(d.mode, p.found)
	if act == record && d.opt.Rerecord != nil && !again && d.opt.Mode == RecordOnce {
		act = miss // only what was named is recorded again
	}
	switch act {
	case play:
		p.heard = heard
		return d.play(req, s, reading, p)
	case record:
		if reason := mustNotForward(req, body); reason != "" {
			return d.missed(req, reading, pick{cure: cureAgain, reason: reason}), nil
		}
		if !reading.Safe {
			s.markChanged(authority(req))
		}
		return d.recordTaken(req, s, body, cr)
	default:
		return d.missed(req, reading, p), nil
	}
}

// forwardsSafe reports whether a safe request must see the live state, because
// an unsafe one has been forwarded to its host.
func (d *Deck) forwardsSafe(s *session, req *http.Request, r matchers.Reading) bool {
	return d.opt.Mode == NewEpisodes && r.Safe && s.hasChanged(authority(req))
}

func (s *session) markChanged(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[host] = true
}

func (s *session) hasChanged(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed[host]
}

func hostOf(req *http.Request) string {
	if req.URL.Host != "" {
		return req.URL.Host
	}
	return req.Host
}

// authority is the request's host with its port, the default one too.
func authority(req *http.Request) string {
	host := hostOf(req)
	if u := (&url.URL{Host: host}); u.Port() == "" {
		port := "443"
		if req.URL.Scheme == "http" {
			port = "80"
		}
		return net.JoinHostPort(u.Hostname(), port)
	}
	return host
}
