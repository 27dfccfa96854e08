package main

import (
	"crypto/sha256"
	"fmt"
	"os"

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

Prints requests and answers in the order of the file, without lengths, styles and days. Of a
cassette that cannot be read it prints why, since secrets in it are not found then; add
--no-textconv to git's command to see the file. What is no cassette is printed as it is.`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name one file, as in: tapedeck git textconv cassettes/default.yaml")
			}
			file := c.Args().First()
			data, err := os.ReadFile(file)
			if err != nil {
				return usagef("%s cannot be read: %w", file, bare(err))
			}
			text, err := textconv(data)
			if err != nil {
				return err
			}
			_, err = std.out.Write(text)
			return err
		},
	}
}

// textconv is what git compares in place of a file, and keeps in notes. The error is one of
// the configuration: what would be shown without its rules would stay in git's notes.
func textconv(data []byte) ([]byte, error) {
	if !saysCassette(data) {
		return data, nil
	}
	cleaner, err := readerOfAny()
	if err != nil {
		return nil, usagef("%w; until that is mended, add --no-textconv to git's command", err)
	}
	d, err := cassettes.ReadUnsettled("this file", data, nil, cleaner)
	if err != nil {
		return unreadable(data, err), nil
	}
	text, err := d.Readable()
	if err != nil {
		return unreadable(data, err), nil
	}
	return text, nil
}

// unreadable stands for a cassette that cannot be read. The digest makes two of them differ.
func unreadable(data []byte, err error) []byte {
	return fmt.Appendf(nil, "(%v)\n(%d bytes, SHA-256 %x; --no-textconv shows the file)\n", err, len(data), sha256.Sum256(data))
}
