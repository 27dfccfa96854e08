package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/lmittmann/tint"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/cassettes/scope"
	"tapedeck/cmd/tapedeck/child"
	"tapedeck/matchers"
	"tapedeck/matchers/config"
	"tapedeck/proxy"
	"tapedeck/proxy/ca"
	"tapedeck/proxy/deck"
)

// defaultCassette is what exec records to when no flag names a file.
const defaultCassette = "default.yaml"

// A station is everything that one proxy process consists of: the parts are
// made here and joined nowhere else.
type station struct {
	opt       options
	cfg       *config.Config
	mode      deck.Mode
	logger    *slog.Logger
	authority *ca.Authority
	rules     *redact.Rules
	matcher   *matchers.Matcher
	store     cassettes.Store
	upstream  *proxy.Upstream // nil when this process must reach nothing
	rack      *deck.Rack
	server    *proxy.Server
	token     string

	// oneCommand says that the proxy serves one command and ends with it.
	oneCommand bool
	// folder and file say where cassettes are; file is "" with one per session.
	folder, file string
	// rerun is the command line to print where a recording is missing.
	rerun func(mode deck.Mode, cassette string) string

	began   time.Time
	address string // of the main listener
	serving sync.WaitGroup
	failed  chan error
	// shown replaces the secrets in a text that is logged or summed up; nil until
	// the rules are known.
	shown func(text string) string

	mu      sync.Mutex
	direct  map[string]int // requests and tunnels to passthrough hosts
	refused map[string]int // requests that never came to a deck, by the reason
	// tooLarge counts those of them whose body was over the limit.
	tooLarge int
}

// newStation makes the parts in the order in which they need each other.
func newStation(opt options, std stdio, environ []string, oneCommand bool) (*station, error) {
	s := &station{opt: opt, oneCommand: oneCommand, began: time.Now(), direct: make(map[string]int), refused: make(map[string]int), failed: make(chan error, 1), token: rand.Text()}
	if token := os.Getenv("TAPEDECK_TOKEN"); token != "" && !oneCommand {
		s.token = token // for scripts that talk to a server's control API
	}
	for _, part := range []func() error{
		func() error { return s.makeLogger(std) },
		s.readMode,
		s.readConfig,
		func() error { return s.warn(std) },
		s.findCassettes,
		s.checkOutputs,
		s.makeAuthority,
		func() error { return s.compileRules(environ) },
		func() error { return s.makeUpstream(environ) },
		s.makeRack,
		s.makeServer,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *station) makeLogger(std stdio) error {
	level := slog.LevelWarn
	if name := s.opt.logLevel; name != "" {
		if err := level.UnmarshalText([]byte(name)); err != nil {
			return usagef("--log-level: %q is not known; use debug, info, warn or error", name)
		}
	}
	s.logger = slog.New(tint.NewTextHandler(std.err, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !isTerminal(std.err), ReplaceAttr: s.shownAttr}))
	return nil
}

// shownAttr cleans what is logged: it names hosts, and a host may hold a secret.
func (s *station) shownAttr(_ []string, a slog.Attr) slog.Attr {
	if s.shown != nil && a.Value.Kind() == slog.KindString {
		a.Value = slog.StringValue(s.shown(a.Value.String()))
	}
	return a
}

func (s *station) readMode() (err error) {
	s.mode, err = s.opt.resolveMode()
	return err
}

func (s *station) readConfig() (err error) {
	if s.cfg, err = configHere(s.opt.config); err != nil {
		return err
	}
	if err := s.cfg.AddPassthrough(s.opt.passthrough); err != nil {
		return usagef("--passthrough: %w", err)
	}
	return nil
}

// warn prints what the configuration asks for and this version does not do.
func (s *station) warn(std stdio) error {
	for _, w := range s.cfg.Warnings {
		fmt.Fprintf(std.err, "tapedeck: warning: %s\n", w)
	}
	return nil
}

// findCassettes settles where cassettes are: a file, a folder, or the default.
func (s *station) findCassettes() error {
	if s.opt.cassette != "" && s.opt.cassettes != "" {
		return usagef("--cassette names one file and --cassettes a folder; give one of the two")
	}
	if s.opt.cassettes != "" {
		s.folder = s.opt.cassettes
	} else {
		file := s.opt.cassette
		if file == "" {
			file = filepath.Join(s.cfg.Cassettes, defaultCassette)
		}
		if ext := filepath.Ext(file); ext != ".yaml" {
			return usagef("--cassette %s: a cassette's name ends in .yaml", file)
		}
		s.folder, s.file = filepath.Split(file)
		if s.folder == "" {
			s.folder = "."
		}
		s.folder = filepath.Clean(s.folder)
	}
	if s.opt.rerecord != "" && s.mode != deck.RecordOnce && s.mode != deck.NewEpisodes {
		return usagef("--rerecord goes with the modes record-once and new-episodes, which play the rest; add --mode record-once")
	}
	if r := s.opt.repeat; r != "" && r != "last" && r != "cycle" {
		return usagef("--repeat %s is not known; use last or cycle", r)
	}
	if _, err := deck.ParseSequence(s.opt.sequence); err != nil {
		return usagef("--%w", err)
	}
	if s.opt.rewindIdle < 0 {
		return usagef("--rewind-idle %s: a time to wait cannot be negative", s.opt.rewindIdle)
	}
	var err error
	s.store, err = cassettes.NewFolder(s.folder)
	return err
}

// openSingle opens the one cassette of a run before anything else happens.
func (s *station) openSingle() (*deck.Deck, error) {
	d, err := s.rack.Open(s.rack.Single)
	var missing *deck.MissingError
	if errors.As(err, &missing) {
		return nil, usageError{err}
	}
	return d, err
}

// path is how messages call the cassette of a name.
func (s *station) path(name string) string { return filepath.Join(s.folder, name+".yaml") }

// cassetteFlag is what a command line needs to use the cassette of this path as
// this run does: with one cassette per session, all of them by their folder.
func (s *station) cassetteFlag(path string) string {
	if s.file == "" {
		return "--cassettes " + s.folder
	}
	return "--cassette " + path
}

// checkOutputs finds out at the start what would be lost at the end.
func (s *station) checkOutputs() error {
	for flag, file := range map[string]string{"--report": s.opt.report, "--junit": s.opt.junit, "--ready-file": s.opt.readyFile} {
		if file == "" {
			continue
		}
		if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
			return usagef("%s %s: its folder does not exist; create it first", flag, file)
		}
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			return usagef("%s %s: it is a folder; name a file", flag, file)
		}
	}
	return nil
}

// label is what the first line and the summary call what is played.
func (s *station) label() string {
	if s.mode == deck.Passthrough {
		return "(nothing is recorded)"
	}
	if s.file != "" {
		return s.path(strings.TrimSuffix(s.file, ".yaml"))
	}
	return filepath.Join(s.folder, "(one per session)")
}

func (s *station) makeAuthority() (err error) {
	if s.oneCommand && s.opt.caDir == "" {
		s.authority, err = ca.NewInMemory()
		return err
	}
	s.authority, _, err = openAuthority(s.opt.caDir)
	return err
}

func (s *station) compileRules(environ []string) (err error) {
	redaction, err := redactionOf(s.cfg, s.opt)
	if err != nil {
		return err
	}
	redaction.Env = environ
	if s.rules, err = redact.Compile(redaction); err != nil {
		return usageError{err}
	}
	if s.matcher, err = matchers.New(s.cfg.Rules); err != nil {
		return usageError{err}
	}
	s.shown = redact.NewVault(s.rules).Text
	return nil
}

// makeUpstream makes the only part that can reach a network. In replay there is
// none, unless hosts are to pass through; then nothing but those can be reached.
func (s *station) makeUpstream(environ []string) (err error) {
	if !s.mode.Forwards() && !s.anyPassthrough() {
		return nil
	}
	opt := proxy.UpstreamOptions{Resolve: s.opt.resolve, CAFile: s.opt.upstreamCA, Proxy: s.opt.upstreamProxy}
	if opt.Proxy == "" && s.oneCommand {
		// The proxy that the user has set is how this machine reaches the world. A
		// server does not take it: there the variable may name tapedeck itself.
		opt.Proxy, opt.NoProxy = child.InheritedProxy(environ)
	}
	if s.upstream, err = proxy.NewUpstream(opt); err != nil {
		return usageError{err}
	}
	return nil
}

func (s *station) anyPassthrough() bool {
	return len(s.cfg.Hosts.Passthrough) > 0 || s.leavesLoopback()
}

// leavesLoopback reports whether loopback hosts come to the proxy only because
// the configuration names one of them: then the others are left alone.
func (s *station) leavesLoopback() bool {
	return s.oneCommand && !s.opt.recordLoopback && s.cfg.RecordsLoopback()
}

// passes reports whether a host ("name:port") is tunnelled and not looked into.
func (s *station) passes(authority string) bool {
	return s.cfg.Passes(authority) || s.leavesLoopback() && isLoopback(authority) && !s.cfg.Records(authority)
}

func isLoopback(authority string) bool {
	host, _, err := net.SplitHostPort(authority)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback())
}

func (s *station) makeRack() error {
	s.rack = &deck.Rack{New: s.openDeck}
	if s.file != "" {
		s.rack.Single = strings.TrimSuffix(s.file, ".yaml")
	}
	return nil
}

func (s *station) openDeck(name string) (*deck.Deck, error) {
	session := s.cfg.Session(name)
	maxBody, err := parseSize(s.opt.maxBody)
	if err != nil {
		return nil, usagef("--max-body: %w", err)
	}
	rerecord, err := s.rerecords()
	if err != nil {
		return nil, err
	}
	strict := session.Strict
	if s.opt.strict != nil {
		strict = *s.opt.strict
	}
	opt := deck.Options{
		RewindIdle: s.opt.rewindIdle,
		Store:      s.store, Name: name, File: s.path(name), Mode: s.mode,
		Matcher: s.matcher, Rules: s.rules,
		DropResponseHeader: func(h string) bool { return clean.Noise(h) && !s.cfg.KeepsResponse(h) },
		MaxBody:            maxBody,
		Ignore:             s.cfg.Ignores,
		Strict:             strict,
		Repeat:             cmp.Or(s.opt.repeat, session.Repeat),
		Sequence:           deck.Sequence(cmp.Or(s.opt.sequence, session.Sequence)),
		AllowLive:          s.opt.allowLive,
		DropRetried:        s.opt.dropRetried,
		Rerecord:           rerecord,
		MaxAge:             session.MaxAge,
		Carry:              session.Carry,
		KeepRequestHeader:  s.cfg.KeepsRequest,
		Failure:            proxy.UpstreamFailure,
	}
	if s.rerun != nil {
		opt.RecordCommand = func(m deck.Mode) string { return s.rerun(m, opt.File) }
	}
	if s.mode.Forwards() {
		opt.Upstream = s.upstream
	}
	return deck.Open(opt)
}

// rerecords compiles --rerecord.
func (s *station) rerecords() (func(clean.Request) bool, error) {
	if s.opt.rerecord == "" {
		return nil, nil
	}
	on, err := scope.ParseOn(s.opt.rerecord)
	if err != nil {
		return nil, usagef("--rerecord: %w", err)
	}
	return func(r clean.Request) bool { return on.Match(r.Scope().Target()) }, nil
}

func (s *station) makeServer() (err error) {
	maxBody, err := parseSize(s.opt.maxBody)
	if err != nil {
		return usagef("--max-body: %w", err)
	}
	opt := proxy.Options{
		Transport:      s.rack,
		Authority:      s.authority,
		Session:        deck.WithSession,
		RequireSession: s.file == "",
		Control:        s.control(),
		MaxBody:        maxBody,
		OnRefused:      s.countRefused,
		Logger:         s.logger,
	}
	if s.anyPassthrough() {
		opt.Passthrough = s.passes
		opt.OnPassthrough = s.countDirect
		opt.Dialer = direct{s.upstream, s.passes}
	}
	s.server, err = proxy.New(opt)
	return err
}

// countRefused notes a request that never came to a deck.
func (s *station) countRefused(status int, host string) {
	host = s.shown(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	host = s.shownHost(host)
	if status == http.StatusRequestEntityTooLarge {
		s.tooLarge++
		s.refused["413 to "+host+": the request body is over the limit; raise it with --max-body"]++
		return
	}
	why := "the request names no session; give one as the proxy user or in the header Tapedeck-Session"
	if status == http.StatusBadRequest {
		why = "the session's name is too long or holds control characters; use at most 240 bytes of plain text"
	}
	s.refused[fmt.Sprintf("%d to %s: %s", status, host, why)]++
}

func (s *station) countDirect(host string) {
	host = s.shown(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct[s.shownHost(host)]++
}

// shownHost is a host without the secrets that rules find in it.
func (s *station) shownHost(host string) string { return redact.NewVault(s.rules).Host(host) }

// direct reaches passthrough hosts and nothing else.
type direct struct {
	upstream *proxy.Upstream
	passes   func(host string) bool
}

var errNotPassthrough = errors.New("this host is not listed under passthrough")

func (d direct) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !d.passes(address) {
		return nil, errNotPassthrough
	}
	return d.upstream.DialContext(ctx, network, address)
}

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	address := req.URL.Host
	if req.URL.Port() == "" {
		address = net.JoinHostPort(req.URL.Hostname(), map[string]string{"http": "80", "https": "443"}[req.URL.Scheme])
	}
	if !d.passes(address) {
		return nil, errNotPassthrough
	}
	return d.upstream.RoundTrip(req)
}

// listen opens the main listener and those of --map, and serves them.
func (s *station) listen(address string) error {
	type mapping struct {
		address string
		target  *url.URL
	}
	var mappings []mapping
	for _, m := range s.opt.maps {
		at, to, ok := strings.Cut(m, "=")
		target, err := url.Parse(to)
		if !ok || err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
			return usagef("--map: write it as ADDRESS=URL, such as 127.0.0.1:12111=https://api.stripe.com")
		}
		mappings = append(mappings, mapping{at, target})
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; choose another address, or port 0 for a free one", address, unaddressed(err))
	}
	s.address = l.Addr().String()
	s.serve(func() error { return s.server.Serve(l) })
	for _, p := range s.opt.sessionPorts {
		at, name, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return usagef("--session-port %s: write it as ADDRESS=NAME, such as 127.0.0.1:8081=checkout", p)
		}
		sl, err := net.Listen("tcp", at)
		if err != nil {
			return fmt.Errorf("--session-port %s: %w; choose another address", p, unaddressed(err))
		}
		s.serve(func() error { return s.server.ServeSession(sl, name) })
	}
	for _, m := range mappings {
		ml, err := net.Listen("tcp", m.address)
		if err != nil {
			// Path and query of the target may hold a secret, as its user-info may.
			return fmt.Errorf("--map %s=%s://%s: %w; choose another address", m.address, m.target.Scheme, m.target.Host, unaddressed(err))
		}
		s.serve(func() error { return s.server.ServeMap(ml, m.target) })
	}
	return nil
}

// unaddressed drops what the net package repeats of the address.
func unaddressed(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

func (s *station) serve(f func() error) {
	s.serving.Add(1)
	go func() {
		defer s.serving.Done()
		if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			select {
			case s.failed <- err:
			default:
			}
		}
	}()
}

// banner says mode, cassette and address in one line, with the hosts that pass through.
func (s *station) banner() string {
	line := fmt.Sprintf("tapedeck: %s %s on http://%s", s.mode, s.label(), s.address)
	if hosts := s.cfg.Hosts.Passthrough; len(hosts) > 0 {
		line += "; not looked into: " + strings.Join(hosts, ", ")
	}
	return line
}

// close lets what is in flight finish, and saves.
func (s *station) close(o deck.Outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // what still hung has been cut
	}
	s.serving.Wait()
	return errors.Join(err, s.rack.Close(o))
}
