package deck_test

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"

	"tapedeck/cassettes"
)

// memoryStore is a cassettes.Store for tests that make thousands of cassettes.
type memoryStore struct {
	mu      sync.Mutex
	objects map[string][]byte
	locks   map[string]bool
}

func newMemoryStore() *memoryStore {
	return &memoryStore{objects: map[string][]byte{}, locks: map[string]bool{}}
}

func absent(object string) error { return &fs.PathError{Op: "open", Path: object, Err: fs.ErrNotExist} }

func (m *memoryStore) Open(object string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[object]
	if !ok {
		return nil, absent(object)
	}
	return io.NopCloser(bytes.NewReader(slices.Clone(data))), nil
}

func (m *memoryStore) Replace(object string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[object] = slices.Clone(data)
	return nil
}

func (m *memoryStore) Append(object string) (cassettes.Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[object] = m.objects[object][:len(m.objects[object]):len(m.objects[object])]
	return &memoryLog{m, object}, nil
}

func (m *memoryStore) Move(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[from]
	if !ok {
		return absent(from)
	}
	m.objects[to] = data
	delete(m.objects, from)
	return nil
}

func (m *memoryStore) Remove(object string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, object)
	return nil
}

func (m *memoryStore) List(folder string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for object := range m.objects {
		if path.Dir(object) == path.Clean(folder) {
			out = append(out, object)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (m *memoryStore) Lock(object string) (func() error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[object] {
		return nil, &cassettes.LockedError{Object: object}
	}
	m.locks[object] = true
	return func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locks, object)
		return nil
	}, nil
}

type memoryLog struct {
	store  *memoryStore
	object string
}

func (l *memoryLog) Write(p []byte) (int, error) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.store.objects[l.object] = append(l.store.objects[l.object], p...)
	return len(p), nil
}

func (l *memoryLog) Truncate(size int64) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.store.objects[l.object] = l.store.objects[l.object][:size]
	return nil
}

func (l *memoryLog) Sync() error  { return nil }
func (l *memoryLog) Close() error { return nil }

func (m *memoryStore) Create(string) (cassettes.Draft, error) { return &memoryDraft{store: m}, nil }

type memoryDraft struct {
	bytes.Buffer
	store *memoryStore
}

func (d *memoryDraft) Sync() error { return nil }

func (d *memoryDraft) Commit(object string) error {
	return d.store.Replace(object, d.Bytes())
}

func (d *memoryDraft) Discard() error { return nil }
