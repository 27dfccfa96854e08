package cassettes

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	vcr3 "gopkg.in/dnaeon/go-vcr.v3/cassette"
	vcr4 "gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

func documentCleaner(t *testing.T) *clean.Cleaner {
	t.Helper()
	rules, err := redact.Compile(redact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &clean.Cleaner{Vault: redact.NewVault(rules), KeepRequestHeader: func(redact.Scope, string) bool { return true }}
}

// ordinary is an interaction with nothing in it that redaction would touch.
func ordinary(id int, url string) clean.Stored {
	s := sample()
	s.ID, s.URL, s.Informational = id, url, nil
	s.ResponseHeader.Del("Set-Cookie")
	return s
}

func fileWith(list ...clean.Stored) []byte {
	var c contents
	for _, s := range list {
		c.list = append(c.list, entry{Stored: s})
	}
	file, _ := encode(c, largestBody)
	return file
}

func TestDocumentRoundTrip(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "format.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := ordinary(2, "https://a.test/2"), ordinary(2, "https://a.test/2?x=1")
	ours.Conflict, theirs.Conflict = Ours, Theirs
	for name, file := range map[string][]byte{
		"golden":    bytes.ReplaceAll(golden, []byte("b=2"), []byte("b=REDACTED-0003")),
		"empty":     fileWith(),
		"conflict":  fileWith(ordinary(1, "https://a.test/1"), ours, theirs, ordinary(7, "https://a.test/7")),
		"extra":     []byte(strings.Replace("version: 2\ntapedeck: {unfinished: why, later: {a: [1, b]}}\n"+strings.TrimPrefix(string(fileWith(ordinary(1, "https://a.test/1"))), "version: 2\n"), "style: {response: compact}", "style: {response: compact}, later: [x, \"1\"]", 1)),
		"reference": []byte(strings.Replace(string(fileWith(ordinary(1, "https://a.test/1"))), "style: {response: compact}", "body_files: {response: "+bodyPrefix+strings.Repeat("ab", 32)+"}", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "reference" {
				file = withoutBody(file)
			}
			d, err := ReadUnsettled("main:x.yaml", file, nil, documentCleaner(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Load(); err != nil {
				t.Fatal(err)
			}
			got, err := d.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, file) {
				t.Errorf("other bytes:\n%s\nread:\n%s", got, file)
			}
			_, err = Read("main:x.yaml", file, nil, documentCleaner(t))
			var conflict *ConflictError
			if errors.As(err, &conflict) != (name == "conflict") {
				t.Errorf("Read: %v", err)
			}
		})
	}
}

// withoutBody is a file whose answer's body stands in a file of its own.
func withoutBody(file []byte) []byte {
	at := bytes.LastIndex(file, []byte("    body: |-\n"))
	return append(bytes.Clone(file[:at]), "    duration: 0s\n"...)
}

func TestConflictIsNotOpened(t *testing.T) {
	ours, theirs := ordinary(2, "https://a.test/2"), ordinary(2, "https://a.test/2?x=1")
	ours.Conflict, theirs.Conflict = Ours, Theirs
	dir := t.TempDir()
	file := filepath.Join(dir, "x.yaml")
	if err := os.WriteFile(file, fileWith(ours, theirs), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Purpose{ToReplay, ToExtend, ToReplace} {
		_, err := Open(store, "x", documentCleaner(t), p)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), "interaction 2 ") || !strings.Contains(err.Error(), "tapedeck git resolve") {
			t.Errorf("purpose %d: %v", p, err)
		}
	}
	for name, load := range map[string]func(string) (int, error){
		"go-vcr v3": func(path string) (int, error) {
			c, err := vcr3.Load(path)
			if err != nil {
				return 0, err
			}
			return len(c.Interactions), nil
		},
		"go-vcr v4": func(path string) (int, error) {
			c, err := vcr4.Load(path)
			if err != nil {
				return 0, err
			}
			return len(c.Interactions), nil
		},
	} {
		if n, err := load(strings.TrimSuffix(file, ".yaml")); err != nil || n != 2 {
			t.Errorf("%s loads %d interactions, %v", name, n, err)
		}
	}
	if data, _ := os.ReadFile(file); !bytes.Equal(data, fileWith(ours, theirs)) {
		t.Error("the file was changed")
	}
}

// Two marked alike, and one marked beside one that is not, have ids of their own
// afterwards: they are no two versions.
func TestConflictIDs(t *testing.T) {
	one, two, three := ordinary(2, "https://a.test/2"), ordinary(2, "https://a.test/3"), ordinary(2, "https://a.test/4")
	one.Conflict, two.Conflict = Ours, Ours
	d, err := ReadUnsettled("x.yaml", fileWith(one, two, three), nil, documentCleaner(t))
	if err != nil {
		t.Fatal(err)
	}
	if d.List[0].ID != 2 || d.List[1].ID != 3 || d.List[2].ID != 4 || len(d.Notes) != 2 {
		t.Errorf("%d %d %d %q", d.List[0].ID, d.List[1].ID, d.List[2].ID, d.Notes)
	}
	d.List[2].ID = 2
	if _, err := d.Encode(); err == nil || !strings.Contains(err.Error(), "two interactions have the id 2") {
		t.Errorf("written with an id twice: %v", err)
	}
}

// A file cut anywhere is an error that says so, or holds whole interactions only.
func TestDocumentCutShort(t *testing.T) {
	file := fileWith(ordinary(1, "https://a.test/1"), ordinary(2, "https://a.test/2"))
	whole, err := Read("x.yaml", file, nil, documentCleaner(t))
	if err != nil {
		t.Fatal(err)
	}
	c := documentCleaner(t)
	said := 0
	for n := len(file) - 1; n > 0; n-- {
		if bytes.HasSuffix(file[:n], []byte("    code: 200\n")) {
			continue // as a hand writes an answer without a body
		}
		d, err := Read("REV:x.yaml", file[:n], nil, c)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || !strings.HasPrefix(err.Error(), "cassette REV:x.yaml:") {
				t.Fatalf("cut at %d: %v", n, err)
			}
			if strings.Contains(err.Error(), "ends here, in the middle") {
				said++
			}
			continue
		}
		for i, in := range d.List {
			if !in.Same(whole.List[i]) {
				t.Fatalf("cut at %d, interaction %d is another, and nothing was said:\n%s", n, in.ID, file[:n])
			}
		}
	}
	if said < len(file)*8/10 {
		t.Errorf("%d of %d cuts are called that", said, len(file))
	}
}

func TestDocumentConflictMarkers(t *testing.T) {
	file := string(fileWith(ordinary(1, "https://a.test/1"), ordinary(2, "https://a.test/2")))
	for _, at := range []string{"version: 2", "# POST", "    code: 200", "      Content-Type", "    duration: 0s\n#"} {
		i := strings.Index(file, at)
		marked := file[:i] + "<<<<<<< HEAD\n" + file[i:i+20] + "\n=======\n" + file[i:i+21] + "\n>>>>>>> topic\n" + file[i+21:]
		_, err := Read("x.yaml", []byte(marked), nil, documentCleaner(t))
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Fault, "conflict markers") || format.Line != 1+strings.Count(file[:i], "\n") {
			t.Errorf("before %q: %v", at, err)
		}
	}
	body := ordinary(3, "https://a.test/3")
	body.ResponseHeader, body.ResponseBody = http.Header{"Content-Type": {"text/plain"}}, []byte("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")
	if _, err := Read("x.yaml", fileWith(body), nil, documentCleaner(t)); err != nil {
		t.Errorf("a body about conflicts: %v", err)
	}
}

func TestDocumentBodies(t *testing.T) {
	large := bytes.Repeat([]byte("text of a large body. "), (clean.LargeBody/22)+10)
	f := newBodyFile(large)
	s := ordinary(1, "https://a.test/1")
	s.RequestBody, s.ResponseBody = large, large
	s.RequestHeader = http.Header{"Content-Type": {"text/plain"}}
	s.ResponseHeader = http.Header{"Content-Type": {"text/plain"}}
	file := fileWith(s)
	there := func(name string) (io.ReadCloser, error) {
		if name != f.name {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader(large)), nil
	}
	for name, test := range map[string]struct {
		bodies Bodies
		want   string
	}{
		"there":   {there, ""},
		"by name": {nil, ""},
		"missing": {func(string) (io.ReadCloser, error) { return nil, fs.ErrNotExist }, "main:x.bodies/" + f.name + " is missing"},
		"another": {func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }, "is not what was recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Read("main:x.yaml", file, test.bodies, documentCleaner(t))
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got %v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Encode()
			if err != nil || !bytes.Equal(got, file) {
				t.Errorf("%v, other bytes:\n%s", err, got)
			}
			resp, err := d.List[0].Response()
			if err != nil || resp.Size() != int64(len(large)) {
				t.Errorf("a body of %d bytes, %v", resp.Size(), err)
			}
			if name == "by name" && d.Kept(d.List[0]) == (Kept{}) {
				t.Error("what the request's body is called is not known")
			}
		})
	}
}

func TestDocumentWriteFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	before := fileWith(ordinary(1, "https://a.test/1"), ordinary(2, "https://a.test/2"))
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := ReadFile(file, documentCleaner(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.With(d.List[1:]).WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, fileWith(ordinary(2, "https://a.test/2"))) {
		t.Errorf("%v\n%s", err, got)
	}
}
