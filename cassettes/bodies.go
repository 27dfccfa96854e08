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
)

// A bodyFile holds a body that is too large for the cassette file. It is named
// by its content, so that it never changes and is written once.
type bodyFile struct {
	name string
	data []byte
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

// largestBodyFile bounds a body file, in bytes.
const largestBodyFile = 4 << 30

// readBody reads a body file from a folder of the store and checks that it is
// what its name says.
func readBody(store Store, folder, name string) ([]byte, error) {
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

// fetch reads the bodies that an entry names, from folder.
func (e *entry) fetch(store Store, folder string) error {
	for _, b := range []struct {
		name *string
		body *[]byte
	}{{&e.requestFile, &e.RequestBody}, {&e.responseFile, &e.ResponseBody}} {
		if *b.name == "" {
			continue
		}
		body, err := readBody(store, folder, *b.name)
		if err != nil {
			return err
		}
		*b.body, *b.name = body, ""
	}
	settle(&e.Stored)
	return nil
}

var errTooLarge = errors.New("too large")

// readObject reads an object of at most limit bytes.
func readObject(store Store, object string, limit int64) ([]byte, error) {
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
