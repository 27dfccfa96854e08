package cassettes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"tapedeck/cassettes/clean"
)

// A bodyFile holds a body that is too large for the cassette file. It is named
// by its content, so that it never changes and is written once.
type bodyFile struct {
	name  string
	data  []byte
	large *clean.Large // instead of data
}

const bodyPrefix = "sha256-"

func newBodyFile(body []byte) bodyFile {
	sum := sha256.Sum256(body)
	return bodyFile{name: bodyPrefix + hex.EncodeToString(sum[:]), data: body}
}

// isBodyName reports whether name is one that newBodyFile gives.
func isBodyName(name string) bool {
	sum, ok := strings.CutPrefix(name, bodyPrefix)
	if !ok || len(sum) != 2*sha256.Size {
		return false
	}
	_, err := hex.DecodeString(sum)
	return err == nil && strings.ToLower(sum) == sum
}

// isDraft reports whether name is that of a Draft.
func isDraft(name string) bool { return strings.HasPrefix(name, draftPrefix) }

// largestBodyFile bounds a body file that is read into memory, in bytes: a request's,
// or one that a file is to hold that stands alone.
const largestBodyFile = 4 << 30

// readBody reads a body file from a folder of the store and checks that it is
// what its name says.
func readBody(store opener, folder, name string) ([]byte, error) {
	body, err := readObject(store, path.Join(folder, name), largestBodyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("its body file %s is missing", path.Join(folder, name))
	case err != nil:
		return nil, err
	case newBodyFile(body).name != name:
		return nil, fmt.Errorf("its body file %s is not what was recorded", path.Join(folder, name))
	}
	return body, nil
}

// writeBody writes a body file unless it is there already, whole.
func writeBody(store Store, folder string, f bodyFile) error {
	if _, err := readBody(store, folder, f.name); err == nil {
		return nil
	}
	return store.Replace(path.Join(folder, f.name), f.data)
}

// fetch reads the bodies that an entry names, from folder. That of an answer stays
// where it is when it is large.
func (e *entry) fetch(store opener, sh clean.Shelf, folder string) error {
	if name := e.requestFile; name != "" {
		body, err := readBody(store, folder, name)
		if err != nil {
			return err
		}
		e.RequestBody, e.requestFile = body, ""
	}
	if name := e.responseFile; name != "" {
		size, err := measureBody(store, folder, name)
		if err != nil {
			return err
		}
		if size > clean.LargeBody {
			e.ResponseLarge = clean.NewLarge(name, size, sh)
		} else if e.ResponseBody, err = readBody(store, folder, name); err != nil {
			return err
		}
		e.responseFile = ""
	}
	settle(&e.Stored)
	return nil
}

// An opener is what reading needs of a Store.
type opener interface {
	Open(object string) (io.ReadCloser, error)
}

var errTooLarge = errors.New("too large")

// readObject reads an object of at most limit bytes.
func readObject(store opener, object string, limit int64) ([]byte, error) {
	r, err := store.Open(object)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Size() <= limit {
			b.Grow(int(info.Size()) + bytes.MinRead)
		} else if err == nil {
			return nil, fmt.Errorf("%s is larger than %d MiB: %w", object, limit>>20, errTooLarge)
		}
	}
	if _, err := b.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", object, err)
	}
	if int64(b.Len()) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB: %w", object, limit>>20, errTooLarge)
	}
	return b.Bytes(), nil
}
