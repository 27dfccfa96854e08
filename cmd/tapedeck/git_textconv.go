package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
)

func gitTextconvCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "textconv",
		Usage:     "print a cassette as text to be compared; git calls this",
		ArgsUsage: "FILE",
		Description: examples(
			"tapedeck git textconv cassettes/default.yaml",
			"tapedeck git textconv cassettes/default.yaml | less",
			"git config diff.tapedeck.textconv 'tapedeck git textconv'") + `

Prints requests and answers in the order of the file, without lengths, styles and days. A file
that is no cassette, or that cannot be read, is printed as it is: git must be able to show it.`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name one file, as in: tapedeck git textconv cassettes/default.yaml")
			}
			file := c.Args().First()
			data, err := os.ReadFile(file)
			if err != nil {
				return usagef("%s cannot be read: %w", file, bare(err))
			}
			_, err = std.out.Write(textconv(file, data))
			return err
		},
	}
}

// textconv is what git compares in place of a file.
func textconv(file string, data []byte) []byte {
	if !saysCassette(data) {
		return data
	}
	cleaner, err := readerOfAny()
	if err != nil {
		return data // the configuration is broken; git has shown the file ever before
	}
	d, err := cassettes.ReadUnsettled(filepath.Base(file), data, nil, cleaner)
	if err == nil {
		if text, err := d.Readable(); err == nil {
			return text
		}
	}
	return []byte(cleaner.Vault.Text(string(data)))
}
