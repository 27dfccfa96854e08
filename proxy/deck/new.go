package deck

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
	"tapedeck/matchers/config"
)

// New opens the cassette in a file for a program's own http.Client, with no proxy
// in between:
//
//	d, err := deck.New("testdata/cassettes/checkout.yaml", deck.Options{})
//	if err != nil { … }
//	defer d.Close(deck.Outcome{})
//	client := &http.Client{Transport: d}
//
// What opt leaves open is as "tapedeck exec" has it, so that both play the same
// cassettes: the mode (record-once, or replay-only when CI is set), the rules and
// profiles (tapedeck.yaml from the repository's root down to the working folder), the
// environment whose secrets are known. Upstream is http.DefaultTransport. Store, Name
// and File come from file, whose name ends in .yaml.
//
// Hosts under passthrough go to Upstream in every mode. Loopback hosts are recorded
// like any other: whoever gives a client this transport means its requests. A body
// that is closed unread counts as received.
//
// The error is a fault of the configuration or of the cassette, with place and cure;
// a *MissingError when there is nothing to replay.
func New(file string, opt Options) (*Deck, error) {
	if filepath.Ext(file) != ".yaml" {
		return nil, fmt.Errorf("cassette %s: a cassette's name ends in .yaml", file)
	}
	dir, name := filepath.Split(file)
	opt.Name, opt.File = strings.TrimSuffix(name, ".yaml"), file
	cfg, err := config.Load(".", "")
	if err != nil {
		return nil, err
	}
	if opt.Store == nil {
		if opt.Store, err = cassettes.NewFolder(cmp.Or(filepath.Clean(dir), ".")); err != nil {
			return nil, err
		}
	}
	if opt.Rules == nil {
		redaction, err := cfg.Redaction(nil, opt.AllowLive)
		if err != nil {
			return nil, err
		}
		redaction.Env = os.Environ()
		if opt.Rules, err = redact.Compile(redaction); err != nil {
			return nil, err
		}
	}
	if opt.Matcher == nil {
		if opt.Matcher, err = matchers.New(cfg.Rules); err != nil {
			return nil, err
		}
	}
	if opt.Mode == "" {
		opt.Mode = DefaultMode(os.Getenv("CI"))
	}
	if opt.Upstream == nil {
		opt.Upstream = http.DefaultTransport
	}
	if opt.KeepRequestHeader == nil {
		opt.KeepRequestHeader = cfg.KeepsRequest
	}
	if opt.DropResponseHeader == nil {
		opt.DropResponseHeader = func(h string) bool { return clean.Noise(h) && !cfg.KeepsResponse(h) }
	}
	if opt.Ignore == nil {
		opt.Ignore = cfg.Ignores
	}
	if opt.RecordCommand == nil {
		opt.RecordCommand = func(m Mode) string { return fmt.Sprintf("deck.Options{Mode: %q} and without CI set", m) }
	}
	set := cfg.Session("")
	opt.Strict = opt.Strict || set.Strict
	opt.Repeat = cmp.Or(opt.Repeat, set.Repeat)
	opt.Sequence = cmp.Or(opt.Sequence, Sequence(set.Sequence))
	opt.MaxAge = cmp.Or(opt.MaxAge, set.MaxAge)
	opt.Carry = cmp.Or(opt.Carry, set.Carry)
	direct := opt.Upstream // a deck that replays drops its own
	d, err := Open(opt)
	if err != nil {
		return nil, err
	}
	d.inProcess = &inProcess{passes: cfg.Passes, direct: direct}
	return d, nil
}

// DefaultMode is the mode when none is named: ReplayOnly when the variable CI says
// that this is continuous integration, RecordOnce otherwise.
func DefaultMode(ci string) Mode {
	switch strings.ToLower(ci) {
	case "", "0", "false":
		return RecordOnce
	}
	return ReplayOnly
}

// inProcess is what a proxy does for other decks.
type inProcess struct {
	passes func(authority string) bool
	direct http.RoundTripper
}

// roundTrip answers a request of this process. ok is false when the deck is to answer.
func (p *inProcess) roundTrip(req *http.Request) (resp *http.Response, err error, ok bool) {
	if p == nil || !p.passes(authority(req)) {
		return nil, nil, false
	}
	resp, err = p.direct.RoundTrip(req)
	return resp, err, true
}

// wrap makes closing a body unread count as having received it: Go programs that
// look at the status alone do that, where a client behind a proxy has gone away.
func (p *inProcess) wrap(req *http.Request, resp *http.Response) {
	if p == nil || resp == nil || resp.Body == nil || resp.Body == http.NoBody ||
		strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/event-stream") {
		return
	}
	if _, both := resp.Body.(io.Writer); !both { // an upgraded connection
		resp.Body = &drained{resp.Body, req.Context()}
	}
}

// maxDrained bounds what is read of a body that is closed unread, in bytes.
const maxDrained = 8 << 20

type drained struct {
	io.ReadCloser
	ctx context.Context
}

func (b *drained) Close() error {
	if b.ctx.Err() == nil {
		io.CopyN(io.Discard, b.ReadCloser, maxDrained) // what fails here fails in Close too
	}
	return b.ReadCloser.Close()
}
