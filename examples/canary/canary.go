// Package canary looks for values that must not be there: planted secrets, in
// every form in which a file or an output could carry them.
//
// It is written apart from the redactor on purpose. A shared list of encodings
// would share its gaps.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// A Secret is a value to look for. Its name stands in for it in reports.
type Secret struct{ Name, Value string }

// A Hit is one secret found.
type Hit struct {
	Secret   string // the name
	Encoding string
	Place    string // a file, or what Search was told
	Offset   int    // in bytes
}

func (h Hit) String() string {
	return fmt.Sprintf("%s at byte %d: %s, %s", h.Place, h.Offset, h.Secret, h.Encoding)
}

// Search looks for all secrets in data; place is what hits call it.
func Search(secrets []Secret, place string, data []byte) []Hit {
	var hits []Hit
	folded := bytes.ToLower(data)
	for _, secret := range secrets {
		for _, form := range forms(secret.Value) {
			haystack := data
			if form.folded {
				haystack = folded
			}
			if at := bytes.Index(haystack, []byte(form.text)); at >= 0 {
				hits = append(hits, Hit{secret.Name, form.encoding, place, at})
			}
		}
	}
	return hits
}

// SearchFiles looks into every regular file under root, and at every name. It
// returns how many files it read, so that a caller can tell an empty folder
// from a clean one.
func SearchFiles(secrets []Secret, root string) (hits []Hit, files int, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hits = append(hits, Search(secrets, "the name "+path, []byte(path))...)
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		hits = append(hits, Search(secrets, path, data)...)
		return nil
	})
	return hits, files, err
}

type form struct {
	encoding, text string
	folded         bool // text is in lower case and case does not count
}

func forms(value string) []form {
	list := []form{
		{encoding: "as it is", text: value},
		{encoding: "hex", text: hex.EncodeToString([]byte(value)), folded: true},
		{encoding: "URL query", text: strings.ToLower(url.QueryEscape(value)), folded: true},
		{encoding: "URL path", text: strings.ToLower(url.PathEscape(value)), folded: true},
		{encoding: "HTML", text: html.EscapeString(value)},
	}
	if quoted, err := json.Marshal(value); err == nil {
		list = append(list, form{encoding: "JSON", text: string(quoted[1 : len(quoted)-1])})
	}
	for shift := range 3 {
		for name, encoding := range map[string]*base64.Encoding{
			"base64":     base64.RawStdEncoding,
			"base64 URL": base64.RawURLEncoding,
		} {
			list = append(list, form{
				encoding: fmt.Sprintf("%s, shifted by %d", name, shift),
				text:     inBase64(encoding, value, shift),
			})
		}
	}
	return list
}

// inBase64 is the part of value's base64 form that does not depend on its
// neighbours, when shift bytes of a group of three stand before it.
func inBase64(encoding *base64.Encoding, value string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), value...))
	first := (shift*8 + 5) / 6
	last := (shift + len(value)) * 8 / 6
	return encoded[first:last]
}
