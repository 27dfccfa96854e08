package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// IgnoreFile is where gitleaks lists findings that are no secrets.
const IgnoreFile = ".gitleaksignore"

// Ignore holds the fingerprints of such a list: "file:rule:line", the file as a path
// with slashes from the folder of the list.
type Ignore map[string]bool

// ReadIgnore reads the list in dir. No list is an empty one. Fingerprints that name a
// commit are about git's history, and are passed over.
func ReadIgnore(dir string) (Ignore, error) {
	f, err := os.Open(filepath.Join(dir, IgnoreFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(IgnoreFile, err)
	}
	defer f.Close()
	list := make(Ignore)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if text != "" && text[0] != '#' && strings.Count(text, ":") == 2 {
			list[text] = true
		}
	}
	return list, nil
}

func (ig Ignore) has(f Finding) bool {
	return ig != nil && ig[fmt.Sprintf("%s:%s:%s", filepath.ToSlash(filepath.Clean(f.File)), f.Rule, strconv.Itoa(f.Line))]
}
