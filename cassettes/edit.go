package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// OpenToEdit opens the file of a cassette to change single interactions of it, which
// Save then writes: p is ToExtend, or ToReplay to see what would change. Beside the
// errors of Open it is a *FormatError when two interactions have the same id, an
// *UnsavedError when a recording was cut off that has not been saved, and fs.ErrNotExist
// when there is no file.
func OpenToEdit(store Store, name string, c *clean.Cleaner, p Purpose) (*Cassette, error) {
	file, _, err := Exists(store, name)
	if err != nil {
		return nil, err
	}
	if !file {
		// Opening to extend would begin a new one.
		return nil, fmt.Errorf("cassette %s: %w; check the path", fileOf(name), fs.ErrNotExist)
	}
	opened, err := Open(store, name, c, p)
	if err != nil {
		return nil, err
	}
	switch h := opened.held; {
	case h.twice != nil:
		return nil, errors.Join(h.twice, opened.Close())
	case h.fromJournal > 0:
		// Saving would make it a part of the file, and what is there of it may not be whole.
		return nil, errors.Join(&UnsavedError{Object: fileOf(name), Journal: privateOf(name, journalSuffix), Count: h.fromJournal}, opened.Close())
	}
	return opened, nil
}

// An UnsavedError says that a recording of the cassette was cut off and stands in its journal.
type UnsavedError struct {
	Object, Journal string
	Count           int // of interactions
}

func (e *UnsavedError) Error() string {
	return fmt.Sprintf("cassette %s: a recording that runs, or was cut off, has left %s in %s; end it, or save them with \"tapedeck recover\", or record again", e.Object, count(e.Count, "interaction"), e.Journal)
}

// Upgraded are the interactions of the file with their placeholders written as this version
// writes them.
func (c *Cassette) Upgraded() ([]clean.Interaction, error) {
	list := make([]entry, len(c.held.list))
	for i, e := range c.held.list {
		e.Stored = upgraded(e.Stored)
		list[i] = e
	}
	return load(c.cleaner, fileOf(c.held.name), list)
}

// upgraded writes the placeholders of one interaction anew. Those in a body file stay, as
// that has its name by its bytes.
func upgraded(s clean.Stored) clean.Stored {
	header := func(h http.Header) http.Header {
		out := h.Clone()
		for _, values := range out {
			for i := range values {
				values[i] = redact.Upgrade(values[i])
			}
		}
		return out
	}
	s.URL = redact.Upgrade(s.URL)
	s.RequestHeader, s.RequestTrailer = header(s.RequestHeader), header(s.RequestTrailer)
	s.ResponseHeader, s.ResponseTrailer = header(s.ResponseHeader), header(s.ResponseTrailer)
	if body := redact.UpgradeBody(s.RequestHeader.Get("Content-Type"), string(s.RequestBody)); body != string(s.RequestBody) {
		s.RequestBody = []byte(body)
		clean.FollowBody(s.RequestBody, false, s.RequestHeader, s.RequestTrailer)
	}
	if body := redact.UpgradeBody(s.ResponseHeader.Get("Content-Type"), string(s.ResponseBody)); body != string(s.ResponseBody) {
		s.ResponseBody = []byte(body)
		clean.FollowBody(s.ResponseBody, s.Status == http.StatusPartialContent, s.ResponseHeader, s.ResponseTrailer)
	}
	settle(&s)
	return s
}

// Differs reports whether Save would change the file. Line ends do not count: a checkout
// may have made them CR LF.
func (c *Cassette) Differs(list []clean.Interaction, s State) (bool, error) {
	stored, err := c.stored(list)
	if err != nil {
		return false, err
	}
	entries, err := c.held.number(stored)
	if err != nil {
		return false, err
	}
	file, _ := encode(contents{State: s, list: entries, extra: c.held.extra}, c.held.largest)
	current, err := readObject(c.held.store, fileOf(c.held.name), largestFile)
	if err != nil {
		return false, fmt.Errorf("cassette %s cannot be read: %w", fileOf(c.held.name), err)
	}
	return !bytes.Equal(file, bytes.ReplaceAll(current, []byte("\r\n"), []byte("\n"))), nil
}

// Foreign reports whether the file has the layout of go-vcr's own recorder, and has
// never been saved by this package.
func (c *Cassette) Foreign() bool {
	return slices.ContainsFunc(goVCRKeys, func(key string) bool { return c.held.others[key] })
}

// goVCRKeys are among the keys that go-vcr v3 and v4 write for every interaction.
var goVCRKeys = []string{"request.proto_major", "request.content_length", "request.request_uri", "response.uncompressed"}

// LeftOut says what stands in the file and Save does not write, because neither this
// package nor go-vcr knows it: "keys mood, request.note; comments (2)", or "". A name
// that may be traffic is not told.
func (c *Cassette) LeftOut() string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(c.held.others)) {
		if slices.Contains(leftToOthers, key) {
			continue
		}
		if parent, name, below := strings.Cut(key, "."); below {
			key = parent + "." + safeName(name)
		} else {
			key = safeName(key)
		}
		keys = append(keys, key)
	}
	var out []string
	if len(keys) > 0 {
		out = append(out, "keys "+strings.Join(keys, ", "))
	}
	if n := c.held.remarks; n > 0 {
		out = append(out, fmt.Sprintf("comments (%d)", n))
	}
	return strings.Join(out, "; ")
}

// leftToOthers are the keys that go-vcr writes and that no reader misses.
var leftToOthers = []string{
	"request.proto_major", "request.proto_minor", "request.content_length", "request.transfer_encoding", "request.host", "request.remote_addr", "request.request_uri",
	"response.transfer_encoding", "response.uncompressed",
}
