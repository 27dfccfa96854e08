package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes/clean"
)

func pinCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "pin",
		Usage:     "keep interactions as they are when the cassette is recorded again",
		ArgsUsage: "CASSETTE ID…",
		Description: examples(
			"tapedeck pin cassettes/default.yaml 12",
			"tapedeck pin --off cassettes/default.yaml 12",
			"tapedeck show --json cassettes/default.yaml | jq '.[] | select(.pinned).id'") + `

For answers that were edited by hand, or that the API gives only once. A pinned interaction
takes the place of what is recorded for the same request, and stays when nothing asks for it.
A run in which the API answered otherwise says so.`,
		Flags: []cli.Flag{
			yes("off", "pin no longer"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() < 2 {
				return usagef("name a cassette and the ids, as in: tapedeck pin cassettes/default.yaml 12")
			}
			file := c.Args().First()
			ids, err := idArguments(c.Args().Tail())
			if err != nil {
				return err
			}
			return editCassette(std, file, c.String("config"), false, func(list []clean.Interaction) ([]clean.Interaction, error) {
				return pin(std, file, list, ids, !c.Bool("off"))
			})
		},
	}
}

// pin marks the interactions of these ids, or takes the mark away.
func pin(std stdio, file string, list []clean.Interaction, ids []int, on bool) ([]clean.Interaction, error) {
	if err := mustHold(file, list, ids); err != nil {
		return nil, err
	}
	done, already := "pinned", "pinned already"
	if !on {
		done, already = "no longer pinned", "not pinned"
	}
	for i := range list {
		if !slices.Contains(ids, list[i].ID) {
			continue
		}
		say := already
		if list[i].Pinned != on {
			list[i].Pinned, say = on, done
		}
		fmt.Fprintf(std.err, "tapedeck: %s: interaction %d is %s\n", file, list[i].ID, say)
	}
	return list, nil
}
