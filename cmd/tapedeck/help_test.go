package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// commands lists every command and subcommand by its full name.
func commands(prefix string, list []*cli.Command, visit func(name string, c *cli.Command)) {
	for _, c := range list {
		visit(prefix+c.Name, c)
		commands(prefix+c.Name+" ", c.Subcommands, visit)
	}
}

func TestEveryCommandHasExamplesAndVariables(t *testing.T) {
	reference, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	commands("", newApp(stdio{nil, io.Discard, io.Discard}).Commands, func(name string, c *cli.Command) {
		if !strings.HasPrefix(c.Description, "Examples:\n  ") || strings.Count(c.Description, "tapedeck") < 3 {
			t.Errorf("the help of %s does not begin with three commands to copy", name)
		}
		for _, f := range c.Flags {
			flag := f.Names()[0]
			doc, ok := f.(cli.DocGenerationFlag)
			if !ok || len(doc.GetEnvVars()) != 1 || doc.GetEnvVars()[0] != variable(flag)[0] {
				t.Errorf("%s --%s has not the variable %s", name, flag, variable(flag)[0])
			}
			if !strings.Contains(string(reference), "--"+flag) {
				t.Errorf("docs/configuration.md does not list --%s of %s", flag, name)
			}
		}
	})
}
