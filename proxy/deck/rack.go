package deck

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Rack holds one deck per cassette, opened when it is first asked for, and
// finds each request's deck by its session. It is safe for concurrent use.
type Rack struct {
	// New opens the deck of a cassette, by the cassette's name.
	New func(cassette string) (*Deck, error)
	// Single is the cassette of every session; "" gives each session the
	// cassette of its own name.
	Single string

	mu       sync.Mutex
	decks    map[string]*opening
	assigned map[string]string // session → cassette
	folded   map[string]string // lower-cased cassette → cassette
	refusals map[string]int
	turned   map[caller][]Miss // what was refused before any deck saw it
	closed   bool
}

// A caller is a session and the cassette that it asked for, "" if its name
// cannot be one's.
type caller struct{ session, cassette string }

type opening struct {
	once sync.Once
	deck atomic.Pointer[Deck] // nil until it is open
	err  error
}

// ErrNoSession says that a request names no session where one is needed.
var ErrNoSession = errors.New("no session is named; give one as the proxy user (http://NAME:x@HOST:PORT) or in the header Tapedeck-Session")

// RoundTrip answers through the deck of the request's session.
func (r *Rack) RoundTrip(req *http.Request) (*http.Response, error) {
	d, err := r.deckOf(SessionName(req.Context()))
	if err != nil {
		r.refused(req, err)
		return refuse(req, err), nil
	}
	return d.RoundTrip(req)
}

// refused notes a request without a cassette: for the run, and as a miss of its
// session, whose test asks for those. Of the request only the method is kept,
// since no deck has cleaned the rest.
func (r *Rack) refused(req *http.Request, err error) {
	who := caller{session: SessionName(req.Context())}
	who.cassette, _ = r.cassetteOf(who.session)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusals == nil {
		r.refusals, r.turned = make(map[string]int), make(map[caller][]Miss)
	}
	r.refusals[err.Error()]++
	r.turned[who] = append(r.turned[who], Miss{Request: req.Method, Reason: err.Error(), Text: "tapedeck: " + err.Error()})
}

// Refusals counts the requests that had no cassette to go to, by the reason.
func (r *Rack) Refusals() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refusals)
}

// refuse answers a request for which there is no deck.
func refuse(req *http.Request, err error) *http.Response {
	closeBody(req)
	header := http.Header{"Tapedeck-Error": {"1"}}
	noRetry(header)
	return answer(req, StatusMiss, header, errorBody(req, header, "tapedeck_error", "tapedeck: "+err.Error()))
}

func (r *Rack) deckOf(session string) (*Deck, error) {
	cassette, err := r.cassetteOf(session)
	if err != nil {
		return nil, err
	}
	return r.Open(cassette)
}

func (r *Rack) cassetteOf(session string) (string, error) {
	r.mu.Lock()
	assigned, ok := r.assigned[session]
	r.mu.Unlock()
	switch {
	case ok:
		return assigned, nil
	case r.Single != "":
		return r.Single, nil
	case session == "":
		return "", ErrNoSession
	}
	return CassetteName(session)
}

// Open returns the deck of a cassette, opening it at its first use.
func (r *Rack) Open(cassette string) (*Deck, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, errors.New("tapedeck is stopping and opens no more cassettes")
	}
	if r.decks == nil {
		r.decks = make(map[string]*opening)
		r.folded = make(map[string]string)
	}
	lower := strings.ToLower(cassette)
	if other, ok := r.folded[lower]; ok && other != cassette {
		r.mu.Unlock()
		return nil, fmt.Errorf("the cassettes %s and %s differ only in case, which not every file system keeps apart; rename one of the sessions", other, cassette)
	}
	r.folded[lower] = cassette
	o := r.decks[cassette]
	if o == nil {
		o = &opening{}
		r.decks[cassette] = o
	}
	r.mu.Unlock()
	o.once.Do(func() {
		var d *Deck
		if d, o.err = r.New(cassette); o.err == nil {
			o.deck.Store(d)
		}
	})
	if o.err != nil {
		// A cassette that could not be opened may be mended while the proxy runs.
		r.mu.Lock()
		if r.decks[cassette] == o {
			delete(r.decks, cassette)
			delete(r.folded, lower)
		}
		r.mu.Unlock()
	}
	return o.deck.Load(), o.err
}

// Assign gives a session a cassette and starts it there anew: at the cassette's
// beginning, and with nothing done. A session that is given a cassette that
// cannot be opened keeps the one it has.
func (r *Rack) Assign(session, cassette string) error {
	if session == "" && r.Single == "" {
		return ErrNoSession
	}
	name, err := CassetteName(cassette)
	if err != nil {
		return err
	}
	d, err := r.Open(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	if r.assigned == nil {
		r.assigned = make(map[string]string)
	}
	r.assigned[session] = name
	delete(r.turned, caller{session, name})
	r.mu.Unlock()
	d.Forget(session)
	return nil
}

// Rewind starts a session again at the beginning of its cassette; "" starts all.
// The error says that the session has asked for nothing yet.
func (r *Rack) Rewind(session string) error {
	n := 0
	for _, d := range r.Decks() {
		n += d.Rewind(session)
	}
	if n == 0 && session != "" {
		return errors.New("no session of this name has sent a request; tapedeck rewind without a name rewinds all")
	}
	return nil
}

// Session says what a session has done with the cassette that it has now. A
// session that has sent nothing has done nothing, and its cassette is not opened
// for being asked about.
func (r *Rack) Session(session string) (SessionReport, error) {
	cassette, err := r.cassetteOf(session)
	if err != nil {
		return SessionReport{}, err
	}
	r.mu.Lock()
	o := r.decks[cassette]
	turned := slices.Clone(r.turned[caller{session, cassette}])
	r.mu.Unlock()
	report := SessionReport{Session: session, Cassette: cassette}
	if o != nil {
		if d := o.deck.Load(); d != nil {
			report = d.SessionReport(session)
		}
	}
	report.Misses = append(turned, report.Misses...)
	return report, nil
}

// Sessions says what each session has done that has sent a request, by cassette
// and name; those whose cassette cannot be opened come last.
func (r *Rack) Sessions() []SessionReport {
	list := []SessionReport{}
	for _, d := range r.Decks() {
		list = append(list, d.sessionReports()...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, who := range slices.SortedFunc(maps.Keys(r.turned), func(a, b caller) int {
		return cmp.Or(strings.Compare(a.cassette, b.cassette), strings.Compare(a.session, b.session))
	}) {
		if o := r.decks[who.cassette]; o == nil || o.deck.Load() == nil {
			list = append(list, SessionReport{Session: who.session, Cassette: who.cassette, Misses: slices.Clone(r.turned[who])})
		}
	}
	return list
}

// End ends a session and says what it has done: what it recorded is saved, and
// what it has played is forgotten, as is the cassette that it was given. The
// cassette stays open, since others may play it. A request of the session that is
// still under way is answered and recorded as if the session had gone on.
func (r *Rack) End(session string) (SessionReport, error) {
	report, err := r.Session(session)
	if err != nil {
		return report, err
	}
	cassette, err := r.cassetteOf(session)
	if err != nil {
		return report, err
	}
	r.mu.Lock()
	o := r.decks[cassette]
	delete(r.assigned, session)
	maps.DeleteFunc(r.turned, func(who caller, _ []Miss) bool { return who.session == session })
	r.mu.Unlock()
	var saved error
	if o != nil {
		if d := o.deck.Load(); d != nil {
			saved = d.Save()
		}
	}
	for _, d := range r.Decks() {
		d.Forget(session)
	}
	return report, saved
}

// Save saves what the session's cassette has recorded so far; "" saves all.
func (r *Rack) Save(session string) error {
	if session == "" {
		var errs []error
		for _, d := range r.Decks() {
			errs = append(errs, d.Save())
		}
		return errors.Join(errs...)
	}
	d, err := r.deckOf(session)
	if err != nil {
		return err
	}
	return d.Save()
}

// Decks lists the open decks by the names of their cassettes.
func (r *Rack) Decks() []*Deck {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.decks))
	for name := range r.decks {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []*Deck
	for _, name := range names {
		if d := r.decks[name].deck.Load(); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// Close closes every deck; none is opened afterwards.
func (r *Rack) Close(o Outcome) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	decks := r.Decks()
	var errs []error
	for _, d := range decks {
		errs = append(errs, d.Close(o))
	}
	return errors.Join(errs...)
}

// longestPart is how many bytes a part of a cassette's name has at most, without
// its hash: file systems allow 255 to a name, and a file being written has a
// longer one than the cassette.
const longestPart = 160

// CassetteName turns a session's name into the name of a cassette: "/" and "::"
// make folders; a part with other odd characters has them replaced by "-", one
// that is too long for a file is cut, and both get six hex digits of the part's
// hash, so that two sessions never share a file.
func CassetteName(session string) (string, error) {
	session = strings.ReplaceAll(session, "::", "/")
	parts := strings.Split(session, "/")
	for i, part := range parts {
		plain := strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
				return c
			}
			return '-'
		}, part)
		if plain == "" || strings.HasPrefix(plain, ".") {
			return "", fmt.Errorf("the session's name cannot be used as a cassette's: its parts must not be empty or begin with a dot; rename the session, or give it a cassette with PUT /sessions/NAME")
		}
		if len(plain) > longestPart {
			plain = plain[:longestPart]
		}
		if plain != part {
			sum := sha256.Sum256([]byte(part))
			plain += "-" + hex.EncodeToString(sum[:3])
		}
		parts[i] = plain
	}
	return strings.Join(parts, "/"), nil
}
