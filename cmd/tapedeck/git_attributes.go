package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2/maybe"

	"tapedeck/matchers/config"
)

// attributesNote stands above the lines that tapedeck adds to .gitattributes.
const attributesNote = "# Cassettes: after \"tapedeck git install\", git shows and merges them by interaction."

// An attribute is what git is told about the cassettes, and why.
type attribute struct{ name, value, text string }

// cassetteAttributes: hosting sites fold what they take for generated, and cassettes are
// there to be reviewed.
var cassetteAttributes = []attribute{
	{"diff", "tapedeck", "diff=tapedeck"},
	{"merge", "tapedeck", "merge=tapedeck"},
	{"linguist-generated", "false", "linguist-generated=false"},
}

// bodyAttributes: a body file is named by its content, so there is nothing to compare or
// merge, and other line ends would make it another.
const bodyAttributes = "binary"

// attributeLines are the lines for one folder, slash-separated below the root; "" is the
// root itself. set tells what git is told already about a path; what others have set
// stays, and is told.
func attributeLines(folder string, set func(path string) (map[string]string, error)) (lines, kept []string, err error) {
	files, bodies := attributePatterns(folder)
	probe := path.Join(folder, "a", "cassette.yaml")
	now, err := set(probe)
	if err != nil {
		return nil, nil, err
	}
	words := []string{files}
	for _, a := range cassetteAttributes {
		switch v := now[a.name]; v {
		case "unspecified", "", a.value:
			words = append(words, a.text)
		default:
			if a.name == "linguist-generated" { // "true" is why it is folded
				words = append(words, a.text)
				continue
			}
			kept = append(kept, fmt.Sprintf("%s: %s is %q for them already, and stays; write %q yourself if tapedeck is to do it", files, a.name, v, files+" "+a.text))
		}
	}
	if len(words) > 1 {
		lines = append(lines, strings.Join(words, " "))
	}
	return append(lines, bodies+" "+bodyAttributes), kept, nil
}

func attributePatterns(folder string) (files, bodies string) {
	if folder == "" {
		return "*.yaml", "*.bodies/sha256-*"
	}
	folder = attributePattern(folder)
	return folder + "/**/*.yaml", folder + "/**/*.bodies/sha256-*"
}

// attributePattern is a folder as gitattributes writes it.
func attributePattern(folder string) string {
	for _, c := range []string{`\`, "*", "?", "["} {
		folder = strings.ReplaceAll(folder, c, `\`+c)
	}
	if strings.ContainsAny(folder, " \t\"") {
		return strings.ReplaceAll(folder, " ", "[[:space:]]") // a pattern ends at a space
	}
	return folder
}

// cassetteFolders are the folders that the configuration files of a repository name,
// below its root.
func cassetteFolders(root string) ([]string, error) {
	dirs := []string{root}
	out, err := runGit(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", config.Name, "*/"+config.Name)
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if name != "" {
			dirs = append(dirs, filepath.Join(root, filepath.Dir(filepath.FromSlash(name))))
		}
	}
	var folders []string
	for _, dir := range dirs {
		cfg, err := config.Load(dir, "")
		if err != nil {
			return nil, usageError{err}
		}
		folder := cfg.Cassettes
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		rel, err := filepath.Rel(root, folder)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue // not in this repository
		}
		if rel == "." {
			rel = ""
		}
		if rel = filepath.ToSlash(rel); !slices.Contains(folders, rel) {
			folders = append(folders, rel)
		}
	}
	return folders, nil
}

// gitAttributes asks git what it is told about a path.
func gitAttributes(root string) func(path string) (map[string]string, error) {
	return func(path string) (map[string]string, error) {
		out, err := runGit(root, "check-attr", "-z", "diff", "merge", "linguist-generated", "--", path)
		if err != nil {
			return nil, err
		}
		set := make(map[string]string)
		fields := strings.Split(out, "\x00")
		for i := 0; i+2 < len(fields); i += 3 {
			set[fields[i+1]] = fields[i+2]
		}
		return set, nil
	}
}

// addLines adds the lines that a .gitattributes does not have, below the note, and returns
// those.
func addLines(file string, lines []string) (added []string, err error) {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s cannot be read: %w", file, bare(err))
	}
	has := strings.Split(strings.ReplaceAll(string(old), "\r\n", "\n"), "\n")
	for _, line := range lines {
		if !slices.Contains(has, line) {
			added = append(added, line)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if !slices.Contains(has, attributesNote) {
		text += attributesNote + "\n"
	}
	return added, replaceAttributes(file, text+strings.Join(added, "\n")+"\n")
}

// removeLines takes the note and the lines below it that addLines writes out of a
// .gitattributes; a file that holds nothing else goes.
func removeLines(file string) (removed []string, err error) {
	old, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, bare(err))
	}
	var kept []string
	below := false
	for line := range strings.SplitAfterSeq(string(old), "\n") {
		text := strings.TrimRight(line, "\r\n")
		switch {
		case text == attributesNote:
			below = true
		case below && isOurLine(text):
			removed = append(removed, text)
		default:
			below = false
			kept = append(kept, line)
		}
	}
	if removed == nil && len(kept) == 0 || strings.Join(kept, "") == string(old) {
		return nil, nil
	}
	if strings.TrimSpace(strings.Join(kept, "")) == "" {
		return removed, os.Remove(file)
	}
	return removed, replaceAttributes(file, strings.Join(kept, ""))
}

// isOurLine reports a line that attributeLines writes.
func isOurLine(line string) bool {
	words := strings.Fields(line)
	if len(words) < 2 {
		return false
	}
	if strings.HasSuffix(words[0], "*.bodies/sha256-*") {
		return len(words) == 2 && words[1] == bodyAttributes
	}
	for _, word := range words[1:] {
		if !slices.ContainsFunc(cassetteAttributes, func(a attribute) bool { return a.text == word }) {
			return false
		}
	}
	return strings.HasSuffix(words[0], "*.yaml")
}

func replaceAttributes(file, text string) error {
	perm := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		perm = info.Mode().Perm()
	}
	if err := maybe.WriteFile(file, []byte(text), perm); err != nil {
		return fmt.Errorf("%s cannot be written: %w", file, bare(err))
	}
	return nil
}
