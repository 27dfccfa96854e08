package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help begins with commands to copy. A flag takes two lines, since the column of
// the longest flag would leave no room for what the others do.
func init() {
	cli.FlagStringer = flagText
	cli.AppHelpTemplate = `{{.Name}} - {{.Usage}}

{{.Description}}

Usage: tapedeck COMMAND [flags]

Commands:{{range .VisibleCommands}}
  {{printf "%-9s" .Name}} {{.Usage}}{{end}}

tapedeck COMMAND --help says more; tapedeck --version prints the version.
`
	cli.CommandHelpTemplate = `{{.HelpName}} - {{.Usage}}

{{.Description}}

Usage: {{.HelpName}}{{if .VisibleCommands}} COMMAND{{end}}{{if .VisibleFlags}} [flags]{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}
{{if .VisibleCommands}}
Commands:{{range .VisibleCommands}}
  {{printf "%-7s" .Name}} {{.Usage}}{{end}}
{{else if .VisibleFlags}}
Flags (each is a variable too: --cassette is TAPEDECK_CASSETTE):{{range .VisibleFlags}}
{{.}}{{end}}
{{end}}`
	cli.SubcommandHelpTemplate = cli.CommandHelpTemplate
}

// flagText writes a flag as its name, with what it takes, above what it does.
func flagText(f cli.Flag) string {
	usage, takes := "", ""
	if doc, ok := f.(cli.DocGenerationFlag); ok {
		usage = doc.GetUsage()
		if doc.TakesValue() {
			takes = " VALUE"
		}
		// The word in backquotes is what the flag takes.
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			if word, after, ok := strings.Cut(rest, "`"); ok {
				usage, takes = before+word+after, " "+word
			}
		}
		if value := doc.GetDefaultText(); value != "" && value != "false" && !strings.Contains(usage, "default") {
			usage += " (default: " + strings.Trim(value, `"`) + ")"
		}
	}
	return fmt.Sprintf("  --%s%s\n        %s", f.Names()[0], takes, usage)
}
