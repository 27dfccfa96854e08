package cassettes

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// A Leftover is an object beside a cassette that nothing plays.
type Leftover struct {
	Object string // the path below its store
	// Why says what it is, and what to do with it when it stays.
	Why string
	// Removed says that Tidy has removed it, or would.
	Removed bool
}

// BodyFiles names the body files that the file of a cassette holds, which stand in
// its bodies folder. A cassette that has no file has none.
func BodyFiles(store Store, name string) ([]string, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := readObject(store, fileOf(name), largestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cassette %s cannot be read: %w", fileOf(name), err)
	}
	c, err := decode(fileOf(name), file)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range c.list {
		for _, body := range []string{e.requestFile, e.responseFile} {
			if body != "" {
				names = append(names, body)
			}
		}
	}
	return names, nil
}

// Tidy finds what killed recorders, moved cassettes and edits by hand have left beside the
// cassette called name, which need not exist, and removes what is certainly of no use:
// drafts, and body files that no cassette names. named reports that of a body file, of all
// cassettes that the caller knows. Journals and their bodies stay, for "tapedeck recover".
// With dry nothing is removed. The error is a *LockedError while it is recorded.
func Tidy(store Store, name string, named func(body string) bool, dry bool) ([]Leftover, error) {
	list, err := leftovers(store, name, named)
	if err != nil {
		return nil, err
	}
	useless := false
	for _, l := range list {
		useless = useless || l.Removed
	}
	if !useless {
		return list, nil
	}
	// A recorder that runs has drafts too, and body files that it has not named yet.
	unlock, err := lockCassette(store, name)
	if err != nil {
		return nil, err
	}
	if !dry {
		if list, err = leftovers(store, name, named); err == nil {
			for _, l := range list {
				if l.Removed {
					err = errors.Join(err, store.Remove(l.Object))
				}
			}
		}
	}
	return list, errors.Join(err, unlock())
}

// leftovers lists them; Removed says which are of no use.
func leftovers(store Store, name string, named func(string) bool) ([]Leftover, error) {
	own, err := BodyFiles(store, name)
	if err != nil {
		return nil, err
	}
	mine := make(map[string]bool, len(own))
	for _, body := range own {
		mine[body] = true
	}
	list, waiting, err := journals(store, name)
	if err != nil {
		return nil, err
	}
	add := func(object, why string, useless bool) { list = append(list, Leftover{object, why, useless}) }

	bodies, err := store.List(bodiesOf(name))
	if err != nil {
		return nil, err
	}
	stays := false
	for _, body := range bodies {
		object := path.Join(bodiesOf(name), body)
		switch {
		case isDraft(body):
			add(object, "a body that a killed recorder did not end", true)
		case !isBodyName(body):
			stays = stays || body != ".gitattributes"
		case mine[body]:
			stays = true
		case named(body):
			stays = true
			add(object, "a body that another cassette names: move it into the .bodies folder of that one", false)
		case waiting:
			stays = true
			add(object, "a body that no cassette names; a recording that was cut off may: run \"tapedeck recover\", then prune again", false)
		default:
			add(object, "a body that no cassette names", true)
		}
	}
	if attributes := path.Join(bodiesOf(name), ".gitattributes"); !stays && exists(store, attributes) {
		add(attributes, "of a folder that holds no body any more", true)
	}
	pending, err := store.List(privateOf(name, pendingSuffix))
	if err != nil {
		return nil, err
	}
	for _, body := range pending {
		object := path.Join(privateOf(name, pendingSuffix), body)
		switch {
		case isDraft(body):
			add(object, "what a killed recorder was writing", true)
		case isBodyName(body) && !waiting:
			add(object, "a body of a journal that is gone", true)
		}
	}
	if in, ok := store.(*folder); ok {
		temporary, err := in.temporary(fileOf(name))
		if err != nil {
			return nil, err
		}
		for _, object := range temporary {
			add(object, "what a killed recorder was saving", true)
		}
	}
	return list, nil
}

// temporary lists the files that a killed process left of an object that it was writing.
func (f *folder) temporary(object string) ([]string, error) {
	dir := path.Dir(object)
	entries, err := f.disk.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+path.Base(object))
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			list = append(list, path.Join(dir, e.Name()))
		}
	}
	return list, nil
}

// journals lists what recordings that were cut off have left; waiting says that there is a
// journal whose bodies are needed.
func journals(store Store, name string) (list []Leftover, waiting bool, err error) {
	objects, err := store.List(path.Dir(privateOf(name, journalSuffix)))
	if err != nil {
		return nil, false, err
	}
	for _, object := range objects {
		suffix, ok := strings.CutPrefix(object, path.Base(name))
		if !ok {
			continue
		}
		why := ""
		switch {
		case suffix == journalSuffix || suffix == replacementSuffix:
			waiting, why = true, "of a recording that runs, or was cut off: end it, or save it with \"tapedeck recover\", or record again"
		case suffix == previousSuffix:
			waiting, why = true, "a recording that was cut off before another one: remove it, or give it the ending "+replacementSuffix+" and run \"tapedeck recover\""
		case strings.HasPrefix(suffix, damagedSuffix):
			why = "a copy of a journal that could not be read to its end: remove it when you have looked at it"
		}
		if why != "" {
			list = append(list, Leftover{Object: path.Join(path.Dir(privateOf(name, suffix)), object), Why: why})
		}
	}
	return list, waiting, nil
}

func exists(store Store, object string) bool {
	r, err := store.Open(object)
	if err == nil {
		r.Close()
	}
	return err == nil
}

func lockCassette(store Store, name string) (unlock func() error, err error) {
	unlock, err = store.Lock(privateOf(name, lockSuffix))
	if locked := (*LockedError)(nil); errors.As(err, &locked) {
		return nil, &LockedError{Object: fileOf(name), Holder: locked.Holder}
	}
	if err != nil {
		return nil, fmt.Errorf("cassette %s cannot be locked: %w", fileOf(name), err)
	}
	return unlock, nil
}

// Remove removes the file of a cassette, and with it the body files that it alone names;
// named is as in Tidy, without this cassette. One beside which a journal was left stays: that
// is an error.
func Remove(store Store, name string, named func(body string) bool) (err error) {
	if err := checkName(name); err != nil {
		return err
	}
	unlock, err := lockCassette(store, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	list, waiting, err := journals(store, name)
	if err != nil {
		return err
	}
	if waiting {
		return fmt.Errorf("cassette %s is not removed: beside it is %s, %s", fileOf(name), list[0].Object, list[0].Why)
	}
	if err := store.Remove(fileOf(name)); err != nil {
		return fmt.Errorf("cassette %s cannot be removed: %w", fileOf(name), err)
	}
	rest, err := leftovers(store, name, named)
	if err != nil {
		return err
	}
	for _, l := range rest {
		if l.Removed {
			err = errors.Join(err, store.Remove(l.Object))
		}
	}
	return err
}
