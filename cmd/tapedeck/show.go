package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"tapedeck/cassettes"
	"tapedeck/cassettes/clean"
	"tapedeck/matchers"
	"tapedeck/proxy/deck"
)

func showCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "list what a cassette holds, or show one interaction whole",
		ArgsUsage: "CASSETTE [ID]",
		Description: examples(
			"tapedeck show cassettes/default.yaml",
			"tapedeck show cassettes/default.yaml 12",
			"tapedeck show --json cassettes/default.yaml | jq '.[].request.url'") + `

Interactions are listed in the order of play. Those with the same key answer the same request.
PLAYS says when: an unsafe request's answer plays once; a read's belongs to a state of what
it reads, and plays once the interactions named there have been answered.`,
		Flags: []cli.Flag{text("config", "read `FILE` and no other tapedeck.yaml"), yes("json", "print JSON")},
		Action: func(c *cli.Context) error {
			if c.NArg() < 1 || c.NArg() > 2 {
				return usagef("name a cassette, and an id if only one interaction is meant: tapedeck show cassettes/default.yaml 12")
			}
			file := c.Args().First()
			tape, index, err := openToShow(file, c.String("config"))
			if err != nil {
				return err
			}
			defer tape.Close()
			for _, note := range tape.Notes() {
				fmt.Fprintf(std.err, "tapedeck: %s\n", note)
			}
			if c.NArg() == 1 {
				return showAll(std.out, index, c.Bool("json"))
			}
			id, err := strconv.Atoi(c.Args().Get(1))
			if err != nil {
				return usagef("an interaction's id is a number, such as 12")
			}
			return showOne(std.out, file, index, id, tape.State(), c.Bool("json"))
		},
	}
}

func openToShow(file, config string) (*cassettes.Cassette, *matchers.Index, error) {
	s := &station{opt: options{cassette: file, config: config}}
	cleaner, err := s.cleanerFor()
	if err != nil {
		return nil, nil, err
	}
	tape, err := cassettes.Open(s.store, strings.TrimSuffix(filepath.Base(file), ".yaml"), cleaner, cassettes.ToReplay)
	if err != nil {
		return nil, nil, err
	}
	return tape, matchers.NewIndex(s.matcher, tape.Interactions()), nil
}

// A shownInteraction is one interaction as --json prints it.
type shownInteraction struct {
	ID       int    `json:"id"`
	Recorded string `json:"recorded,omitempty"`
	Pinned   bool   `json:"pinned,omitempty"`
	Cut      string `json:"cut,omitempty"`
	Key      string `json:"key"`
	// State and States place a read's answer among the states that were recorded of
	// what it reads, from 1; After are the ids of what has to be answered before it.
	State    int          `json:"state,omitempty"`
	States   int          `json:"states,omitempty"`
	After    []int        `json:"after,omitempty"`
	Facts    []string     `json:"facts"`
	Request  shownMessage `json:"request"`
	Response shownMessage `json:"response"`
}

// A shownMessage is a request or a response. A body that is not text is left out;
// size tells how long it is.
type shownMessage struct {
	Method  string              `json:"method,omitempty"`
	URL     string              `json:"url,omitempty"`
	Status  int                 `json:"status,omitempty"`
	Header  map[string][]string `json:"header,omitempty"`
	Size    int                 `json:"size"`
	Body    string              `json:"body,omitempty"`
	Trailer map[string][]string `json:"trailer,omitempty"`
}

func shown(index *matchers.Index, position int) (shownInteraction, error) {
	in, r := index.At(position)
	s, err := in.Stored()
	if err != nil {
		return shownInteraction{}, err
	}
	out := shownInteraction{
		ID: in.ID, Recorded: in.Recorded, Pinned: in.Pinned, Cut: in.Cut, Key: deck.ShortKey(r.Key),
		Request:  shownMessage{Method: s.Method, URL: s.URL, Header: s.RequestHeader, Trailer: s.RequestTrailer, Size: len(s.RequestBody), Body: shownBody(s.RequestBody)},
		Response: shownMessage{Status: s.Status, Header: s.ResponseHeader, Trailer: s.ResponseTrailer, Size: len(s.ResponseBody), Body: shownBody(s.ResponseBody)},
	}
	for _, f := range r.Facts {
		out.Facts = append(out.Facts, f.String())
	}
	if sequence := index.Sequence(position); sequence != nil {
		out.States = len(sequence.Groups)
		for i, group := range sequence.Groups {
			if !slices.Contains(group.Positions, position) {
				continue
			}
			out.State = i + 1
			for _, gate := range group.Gate.Positions() {
				before, _ := index.At(gate)
				out.After = append(out.After, before.ID)
			}
		}
	}
	return out, nil
}

// plays says in a few words when an interaction's answer is played.
func (s shownInteraction) plays() string {
	if s.Pinned {
		s.Pinned = false
		return s.plays() + ", pinned"
	}
	if s.State == 0 {
		return "once"
	}
	text := "any time"
	if s.States > 1 {
		text = fmt.Sprintf("state %d of %d", s.State, s.States)
	}
	if n := len(s.After); n > maxShownGate {
		return fmt.Sprintf("%s, after %s and %d more", text, joinInts(s.After[n-maxShownGate:]), n-maxShownGate)
	} else if n > 0 {
		return text + ", after " + joinInts(s.After)
	}
	return text
}

// maxShownGate is how many interactions of a gate the table names: the last ones.
const maxShownGate = 4

func shownBody(body []byte) string {
	if !utf8.Valid(body) {
		return ""
	}
	return string(body)
}

func showAll(w io.Writer, index *matchers.Index, asJSON bool) error {
	list := make([]shownInteraction, index.Len())
	times := make(map[string]int)
	for i := range list {
		var err error
		if list[i], err = shown(index, i); err != nil {
			return err
		}
		times[list[i].Key]++
	}
	if asJSON {
		return writeJSON(w, list)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKEY\tSTATUS\tSIZE\tPLAYS\tREQUEST")
	for _, one := range list {
		key := one.Key
		if n := times[key]; n > 1 {
			key = fmt.Sprintf("%s ×%d", key, n)
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%s\t%s %s\n", one.ID, key, one.Response.Status, one.Response.Size, one.plays(), one.Request.Method, one.Request.URL)
	}
	return table.Flush()
}

func showOne(w io.Writer, file string, index *matchers.Index, id int, state cassettes.State, asJSON bool) error {
	for i := range index.Len() {
		in, reading := index.At(i)
		if in.ID != id {
			continue
		}
		if asJSON {
			one, err := shown(index, i)
			if err != nil {
				return err
			}
			return writeJSON(w, one)
		}
		data, err := cassettes.Inline([]clean.Interaction{in}, state)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n# facts (key %s):\n#   %s\n", data, deck.ShortKey(reading.Key), strings.ReplaceAll(reading.String(), "\n", "\n#   "))
		return err
	}
	return usageError{errors.New(file + ": there is no interaction " + strconv.Itoa(id) + "; tapedeck show " + file + " lists them")}
}
