package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quietFor is how long files have to be left alone before they are read: programs
// write a file in several steps.
const quietFor = 120 * time.Millisecond

// watch calls changed whenever cassettes or rules in the folders have changed, until the
// context ends; ready is called once when no change is missed from then on. Folders
// below are watched too, those that come later included. A folder that does not exist
// is watched from its parent.
func watch(ctx context.Context, folders []string, ready, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	for _, folder := range folders {
		for !isFolder(folder) && filepath.Dir(folder) != folder {
			folder = filepath.Dir(folder)
		}
		if err := watchTree(w, folder); err != nil {
			return err
		}
	}
	ready()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			changed()
		case event, ok := <-w.Events:
			if !ok {
				return nil
			}
			if event.Has(fsnotify.Create) && isFolder(event.Name) {
				if err := watchTree(w, event.Name); err != nil {
					return err
				}
			} else if !concerns(event) {
				continue
			}
			timer.Reset(quietFor)
		case err, ok := <-w.Errors:
			if !ok {
				return nil
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			timer.Reset(quietFor) // something was lost: look at all
		}
	}
}

// concerns reports whether an event may change what is compared. Temporary files and
// journals come and go beside cassettes; a removed folder has no name that tells.
func concerns(event fsnotify.Event) bool {
	name := filepath.Base(event.Name)
	switch {
	case event.Op == fsnotify.Chmod, strings.HasPrefix(name, "."):
		return false
	case event.Has(fsnotify.Remove), event.Has(fsnotify.Rename):
		return true
	}
	extension := strings.ToLower(filepath.Ext(name))
	return extension == ".yaml" || extension == ".yml" || extension == ""
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// watchTree watches a folder and what is below, but for hidden folders and installed
// packages, which hold no cassettes.
func watchTree(w *fsnotify.Watcher, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it has gone again
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case path != folder && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		}
		return w.Add(path)
	})
}
