package child

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var oddValues = []Variable{
	{Name: "PLAIN", Value: "http://s:x@127.0.0.1:8080"},
	{Name: "EMPTY", Value: ""},
	{Name: "BLANKS", Value: "-Da=1 -Db=$HOME `id` \\n #x"},
	{Name: "QUOTES", Value: `it's "so" $HOME \ ’`},
	{Name: "PIPES", Value: "localhost|127.*|[::1]"},
}

func TestWrite(t *testing.T) {
	cases := map[string]string{
		"shell": `export PLAIN='http://s:x@127.0.0.1:8080'
export EMPTY=''
export BLANKS='-Da=1 -Db=$HOME ` + "`id`" + ` \n #x'
export QUOTES='it'\''s "so" $HOME \ ’'
export PIPES='localhost|127.*|[::1]'
`,
		"dotenv": `PLAIN=http://s:x@127.0.0.1:8080
EMPTY=
BLANKS='-Da=1 -Db=$HOME ` + "`id`" + ` \n #x'
QUOTES="it's \"so\" \$HOME \\ ’"
PIPES=localhost|127.*|[::1]
`,
		"github": `PLAIN=http://s:x@127.0.0.1:8080
EMPTY=
BLANKS=-Da=1 -Db=$HOME ` + "`id`" + ` \n #x
QUOTES=it's "so" $HOME \ ’
PIPES=localhost|127.*|[::1]
`,
		"powershell": `${env:PLAIN} = 'http://s:x@127.0.0.1:8080'
${env:EMPTY} = ''
${env:BLANKS} = '-Da=1 -Db=$HOME ` + "`id`" + ` \n #x'
${env:QUOTES} = 'it''s "so" $HOME \ ’’'
${env:PIPES} = 'localhost|127.*|[::1]'
`,
	}
	for _, format := range Formats {
		var out bytes.Buffer
		left, err := Write(&out, format, oddValues)
		if err != nil || left != nil {
			t.Errorf("%s: %v, left %v", format, err, left)
		}
		if out.String() != cases[format] {
			t.Errorf("%s: got\n%s\nwant\n%s", format, out.String(), cases[format])
		}
	}
	if _, err := Write(&bytes.Buffer{}, "yaml", oddValues); err == nil || !strings.Contains(err.Error(), "shell, dotenv") {
		t.Errorf("an unknown format: %v, want an error that lists the known ones", err)
	}
}

func TestWriteGitHub(t *testing.T) {
	var out bytes.Buffer
	left, err := Write(&out, "github", []Variable{{Name: "NODE_OPTIONS", Value: "--require x"}, {Name: "LINES", Value: "a\nEND\nb"}})
	if err != nil || len(left) != 1 || left[0] != "NODE_OPTIONS" {
		t.Errorf("left %v, %v", left, err)
	}
	if want := "LINES<<END_\na\nEND\nb\nEND_\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// What a real shell and Node's own .env reader make of it is what went in.
func TestWriteReadBack(t *testing.T) {
	var out bytes.Buffer
	if _, err := Write(&out, "shell", oddValues); err != nil {
		t.Fatal(err)
	}
	for _, v := range oddValues {
		script := out.String() + `printf %s "$` + v.Name + `"`
		got, err := exec.Command(tool(t, "sh", "any system"), "-c", script).Output()
		if err != nil || string(got) != v.Value {
			t.Errorf("sh: %s=%q (%v), want %q", v.Name, got, err, v.Value)
		}
	}

	out.Reset()
	if _, err := Write(&out, "dotenv", oddValues[:3]); err != nil { // Node knows no escapes in double quotes
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range oddValues[:3] {
		got, err := exec.Command(node(t), "--env-file="+file, "-e", "process.stdout.write(process.env."+v.Name+")").CombinedOutput()
		if strings.Contains(string(got), "bad option") {
			t.Skip("this Node has no --env-file; Node 20 brings it")
		}
		if err != nil || string(got) != v.Value {
			t.Errorf("node: %s=%q (%v), want %q", v.Name, got, err, v.Value)
		}
	}
}

func FuzzQuoteShell(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("there is no sh")
	}
	f.Add("it's $HOME")
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsRune(value, 0) {
			t.Skip("no variable holds a zero byte")
		}
		got, err := exec.Command(sh, "-c", "printf %s "+quoteShell(value)).Output()
		if err != nil || string(got) != value {
			t.Errorf("%q became %q (%v)", value, got, err)
		}
	})
}
