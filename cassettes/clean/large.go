package clean

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"tapedeck/cassettes/redact"
)

// LargeBody is the size in bytes above which the body of an answer is not held in
// memory, but redacted while it streams into a file of its own.
const LargeBody = 8 << 20

// A Large is the body of an answer that is not held in memory. One that came out of a
// Recording or of an Interaction is clean.
type Large struct {
	name  string // by its bytes
	size  int64
	shelf Shelf

	// seen and vault say what is known not to stand in it: what the vault had
	// learned when the count was this.
	seen  atomic.Int64
	vault *redact.Vault

	// next is what this body has become since secrets were learned that stood in it.
	next atomic.Pointer[Large]

	once sync.Once
	ids  []string
	err  error
}

// latest is what a body has become.
func (l *Large) latest() *Large {
	for next := l.next.Load(); next != nil; next = l.next.Load() {
		l = next
	}
	return l
}

// A Shelf keeps large bodies, by names that their bytes give. What is written to it
// is clean.
type Shelf interface {
	// Create begins a body.
	Create() (Draft, error)
	// Open opens a body to be read.
	Open(name string) (io.ReadCloser, error)
}

// A Draft is a body that is being written.
type Draft interface {
	io.Writer
	// Commit ends the body. When it returns, the body survives a power failure. The
	// name is its own, the same for the same bytes.
	Commit() (name string, err error)
	// Discard removes what has been written.
	Discard() error
}

// NewLarge names a body of size bytes that lies on a shelf. It is as little clean as
// a Stored that holds it: Load makes an interaction of the two.
//
// If shelf is nil, the body is not at hand: it is only known by its name, nothing in it is
// searched or replaced, and Open is an error.
func NewLarge(name string, size int64, shelf Shelf) *Large {
	return &Large{name: name, size: size, shelf: shelf}
}

// Name is the body's name on its shelf.
func (l *Large) Name() string { return l.name }

// Size is the body's length in bytes.
func (l *Large) Size() int64 { return l.size }

// Open opens the body to be read.
func (l *Large) Open() (io.ReadCloser, error) {
	if l.shelf == nil {
		return nil, fmt.Errorf("body file %s is not at hand", l.name)
	}
	return l.shelf.Open(l.name)
}

// IDs lists the identities of the placeholders in the body in the order of their first
// appearance. The body is read the first time.
func (l *Large) IDs() ([]string, error) {
	l.once.Do(func() {
		if l.shelf == nil {
			return
		}
		there := make(map[string]bool)
		l.err = l.read(func(r io.Reader) error {
			return redact.PlaceholderStream(r, func(id string) {
				if !there[id] {
					there[id] = true
					l.ids = append(l.ids, id)
				}
			})
		})
	})
	return l.ids, l.err
}

func (l *Large) read(f func(io.Reader) error) error {
	r, err := l.Open()
	if err != nil {
		return err
	}
	return errors.Join(f(r), r.Close())
}

// isSeen reports whether nothing has been learned since the body was searched.
func (l *Large) isSeen(v *redact.Vault) bool {
	return l.shelf == nil || l.vault == v && l.seen.Load() == int64(v.Learned())
}

// check searches the body for whatever the vault knows to be secret.
func (l *Large) check(v *redact.Vault) error {
	if l.isSeen(v) {
		return nil
	}
	learned := v.Learned()
	err := l.read(func(r io.Reader) error { return v.CheckStream("response body", r) })
	if err == nil && l.vault == v {
		l.seen.Store(int64(learned))
	}
	return err
}

// rewrite makes a body from this one. It returns this one when nothing changes, which
// is found out before anything is written.
func (l *Large) rewrite(v *redact.Vault, change func(to io.Writer, from io.Reader) (changed bool, err error)) (*Large, error) {
	learned := 0
	if v != nil {
		learned = v.Learned()
	}
	changed := false
	err := l.read(func(r io.Reader) (err error) {
		changed, err = change(io.Discard, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !changed {
		if l.vault == v {
			l.seen.Store(int64(learned))
			return l, nil
		}
		return l.known(l.name, l.size, v, learned), nil
	}
	if v != nil {
		learned = v.Learned()
	}
	w, err := newShelving(l.shelf)
	if err != nil {
		return nil, err
	}
	if err := l.read(func(r io.Reader) error { _, err := change(w, r); return err }); err != nil {
		return nil, errors.Join(err, w.draft.Discard())
	}
	name, err := w.draft.Commit()
	if err != nil {
		return nil, err
	}
	if v == nil {
		v, learned = l.vault, int(l.seen.Load())
	}
	return l.known(name, w.size, v, learned), nil
}

func (l *Large) known(name string, size int64, v *redact.Vault, learned int) *Large {
	out := &Large{name: name, size: size, shelf: l.shelf, vault: v}
	out.seen.Store(int64(learned))
	return out
}

// large redacts a large body: with all rules when it comes from a file, otherwise of
// what was learned since it was written.
func (c *Cleaner) large(s redact.Scope, contentType string, l *Large) (_ *Large, err error) {
	l = l.latest()
	next := l
	switch {
	case l.isSeen(c.Vault):
	case l.vault != c.Vault:
		next, err = l.rewrite(c.Vault, func(to io.Writer, from io.Reader) (bool, error) {
			return c.Vault.BodyStream(s, redact.InResponse, contentType, to, from)
		})
	case l.check(c.Vault) != nil:
		next, err = l.rewrite(c.Vault, func(to io.Writer, from io.Reader) (bool, error) {
			return c.Vault.SweepStream(contentType, to, from)
		})
	}
	if err != nil {
		return nil, err
	}
	if next != l {
		l.next.Store(next)
	}
	return next, nil
}

// CheckLarge searches a large body, if there is one, for secrets in every encoding.
// The error is a *redact.Refusal or says that the body cannot be read.
func (c *Cleaner) CheckLarge(l *Large) error {
	if l == nil {
		return nil
	}
	return l.latest().check(c.Vault)
}

// renumber is Interaction.Renumber for a large body.
func (l *Large) renumber(ids map[string]string) (*Large, error) {
	there, err := l.IDs()
	if err != nil {
		return nil, err
	}
	for _, id := range there {
		if to, ok := ids[id]; ok && to != id {
			return l.rewrite(nil, func(to io.Writer, from io.Reader) (bool, error) {
				return redact.RenumberStream(ids, to, from)
			})
		}
	}
	return l, nil
}

// shelving counts what is written to a draft.
type shelving struct {
	draft Draft
	size  int64
}

func newShelving(shelf Shelf) (*shelving, error) {
	if shelf == nil {
		return nil, errors.New("there is no place to keep large bodies in")
	}
	draft, err := shelf.Create()
	if err != nil {
		return nil, err
	}
	return &shelving{draft: draft}, nil
}

func (s *shelving) Write(p []byte) (int, error) {
	n, err := s.draft.Write(p)
	s.size += int64(n)
	return n, err
}

// A Recording takes the body of an answer as it comes from the upstream, removes its
// Content-Encoding, redacts it and keeps the outcome on a shelf. No raw byte is kept.
type Recording struct {
	pipe    *io.PipeWriter
	done    chan struct{}
	to      *shelving
	err     error
	ended   bool
	vault   *redact.Vault
	shelf   Shelf
	learned int
}

// Record begins to keep the body of an answer to req. resp is not changed and its Body
// is not read.
func (c *Cleaner) Record(req Request, resp *http.Response, shelf Shelf) (*Recording, error) {
	to, err := newShelving(shelf)
	if err != nil {
		return nil, err
	}
	from, pipe := io.Pipe()
	r := &Recording{pipe: pipe, done: make(chan struct{}), to: to, vault: c.Vault, shelf: shelf, learned: c.Vault.Learned()}
	go func() {
		defer close(r.done)
		r.err = c.record(req, resp.Header, to, from)
		from.CloseWithError(r.err)
	}()
	return r, nil
}

func (c *Cleaner) record(req Request, header http.Header, to io.Writer, from io.Reader) error {
	body, end, err := decodeStream(header.Values("Content-Encoding"), from, c.MaxDecoded)
	if err != nil {
		return &redact.Refusal{Rule: "content-encoding", Place: "response body", Reason: err.Error() + ", so it cannot be searched for secrets"}
	}
	defer end()
	if _, err := c.Vault.BodyStream(req.Scope(), redact.InResponse, header.Get("Content-Type"), to, body); err != nil {
		if fault := (*codingError)(nil); errors.As(err, &fault) {
			return &redact.Refusal{Rule: "content-encoding", Place: "response body", Reason: fault.Error() + ", so it cannot be searched for secrets"}
		}
		return err
	}
	_, err = io.Copy(io.Discard, from) // a coding may end before its text
	return err
}

// Write takes more of the body. The error is that of Close.
func (r *Recording) Write(p []byte) (int, error) { return r.pipe.Write(p) }

// Close ends the body and returns it when it is kept whole. The error is a
// *redact.Refusal, or says that it could not be written; nothing stays then.
func (r *Recording) Close() (*Large, error) {
	r.pipe.Close()
	<-r.done
	r.ended = true
	if r.err != nil {
		return nil, errors.Join(r.err, r.to.draft.Discard())
	}
	name, err := r.to.draft.Commit()
	if err != nil {
		return nil, fmt.Errorf("the body cannot be kept: %w", err)
	}
	l := &Large{name: name, size: r.to.size, shelf: r.shelf, vault: r.vault}
	l.seen.Store(int64(r.learned))
	return l, nil
}

// Abort gives the body up and removes what was kept of it. After Close it does nothing.
func (r *Recording) Abort() {
	if r.ended {
		return
	}
	r.ended = true
	r.pipe.CloseWithError(errGivenUp)
	<-r.done
	_ = r.to.draft.Discard() // what cannot be removed now is when the cassette is opened to record
}

var errGivenUp = errors.New("the body was given up before its end")
