package cassettes

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"runtime"

	"tapedeck/cassettes/clean"
)

// loaders is how many interactions are redacted at the same time.
var loaders = runtime.GOMAXPROCS(0)

// A documentShelf holds the body files of a document. It can only be read from.
type documentShelf struct{ bodies Bodies }

// Open opens a body by its name or by its path.
func (s *documentShelf) Open(object string) (io.ReadCloser, error) {
	return s.bodies(path.Base(object))
}

// Create is an error: a body would be written anew when a secret stands in it that a hand
// put there, or when its placeholders are to have other numbers.
func (*documentShelf) Create() (clean.Draft, error) {
	return nil, errors.New("its large body would have to change, which is only possible when it is recorded again")
}

// bareError is an error of the file system without the path, which the message has.
func bareError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
