package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/redact"
)

func exportCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "print a cassette as one file that go-vcr can play by itself",
		ArgsUsage: "CASSETTE",
		Description: examples(
			"tapedeck export cassettes/default.yaml > fixtures/default.yaml",
			"tapedeck export cassettes/uploads.yaml | less",
			"tapedeck export --config ci/tapedeck.yaml cassettes/default.yaml > default.yaml") + `

Bodies that stand in files of their own are put into the cassette, and a journal left by a
crash is joined to it. Interactions that go-vcr cannot find are listed on stderr: it compares
URLs as they are, and a redacted one is not what a program asks for.`,
		Flags: []cli.Flag{text("config", "read `FILE` and no other tapedeck.yaml")},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name one cassette, as in: tapedeck export cassettes/default.yaml")
			}
			file := c.Args().First()
			s := &station{opt: options{cassette: file, config: c.String("config")}}
			cleaner, err := s.cleanerFor()
			if err != nil {
				return err
			}
			tape, err := cassettes.Open(s.store, strings.TrimSuffix(filepath.Base(file), ".yaml"), cleaner, cassettes.ToReplay)
			if err != nil {
				return err
			}
			defer tape.Close()
			for _, note := range tape.Notes() {
				fmt.Fprintf(std.err, "tapedeck: %s\n", note)
			}
			list := tape.Interactions()
			for _, in := range list {
				if len(redact.Placeholders(in.Request().RawURL())) > 0 {
					fmt.Fprintf(std.err, "tapedeck: %s: interaction %d: its URL holds a placeholder, so go-vcr will not find it\n", file, in.ID)
				}
			}
			data, err := cassettes.Inline(list, tape.State())
			if err != nil {
				return err
			}
			_, err = std.out.Write(data)
			return err
		},
	}
}
