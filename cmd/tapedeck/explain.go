package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/proxy/deck"
)

func explainCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say what in a cassette would answer a request, and why",
		ArgsUsage: "CASSETTE < REQUEST",
		Description: examples(
			"tapedeck explain cassettes/default.yaml < request.http",
			`printf 'GET https://api.stripe.com/v1/balance\nAuthorization: Bearer x\n' | tapedeck explain c.yaml`,
			"tapedeck explain --json cassettes/default.yaml < request.http | jq .facts") + `

The request is written as it goes over the wire: a line with method and URL, headers, an
empty line, the body. A path in place of the URL needs a Host header, and means https. The
line end that an editor puts behind the body does not count, unless Content-Length says so.

It prints the request's facts by the names that rules use, and the recording that would
answer it as the first request of a session; or the miss, and then the exit code is 90.`,
		Flags: []cli.Flag{text("config", "read `FILE` and no other tapedeck.yaml"), yes("json", "print JSON")},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("name one cassette, as in: tapedeck explain cassettes/default.yaml < request.http")
			}
			req, err := readRequest(std.in)
			if err != nil {
				return usageError{fmt.Errorf("the request on standard input: %w", err)}
			}
			file := c.Args().First()
			d, err := openToExplain(file, c.String("config"))
			if err != nil {
				return err
			}
			e, err := d.Explain(req)
			if err != nil {
				return err
			}
			if err := writeExplanation(std.out, file, e, c.Bool("json")); err != nil {
				return err
			}
			if e.Miss != nil {
				return exitCode(exitMiss)
			}
			return nil
		},
	}
}

// openToExplain opens a deck that plays one cassette, and nothing else of a proxy.
func openToExplain(file, config string) (*deck.Deck, error) {
	s := &station{opt: options{cassette: file, config: config, mode: string(deck.ReplayOnly)}}
	for _, part := range []func() error{
		s.readMode, s.readConfig, s.findCassettes,
		func() error { return s.compileRules(nil) },
		s.makeRack,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	s.rerun = func(m deck.Mode, cassette string) string {
		return fmt.Sprintf("tapedeck exec --mode %s --cassette %s -- COMMAND", m, cassette)
	}
	return s.openSingle()
}

func writeExplanation(w io.Writer, file string, e deck.Explanation, asJSON bool) error {
	if asJSON {
		return writeJSON(w, e)
	}
	var b strings.Builder
	if e.Miss != nil {
		fmt.Fprintln(&b, e.Miss.Text)
	} else {
		fmt.Fprintf(&b, "%s is answered by interaction %d of %s\n  %s\n", e.Request, *e.Plays, file, e.Answer)
		if e.Unproven != "" {
			fmt.Fprintf(&b, "  unproven: %s\n", e.Unproven)
		}
		if len(e.Same) > 1 {
			fmt.Fprintf(&b, "  interactions with the same key, in the order of play: %s\n", joinInts(e.Same))
		}
	}
	for _, warning := range e.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	fmt.Fprintf(&b, "facts of the request (key %s):\n", e.Key)
	for _, f := range e.Facts {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func joinInts(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ", ")
}

// readRequest reads a request as people write it. The errors say what is wrong and
// repeat nothing of it.
func readRequest(r io.Reader) (*http.Request, error) {
	data, err := io.ReadAll(io.LimitReader(r, deck.DefaultMaxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > deck.DefaultMaxBody:
		return nil, fmt.Errorf("it is larger than %d MiB", deck.DefaultMaxBody>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, fmt.Errorf("there is none; write METHOD and URL, headers, an empty line, the body")
	}
	reader := bufio.NewReader(bytes.NewReader(data))
	head := textproto.NewReader(reader)
	first, err := head.ReadLine()
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(first)
	if len(fields) < 2 || len(fields) > 3 || len(fields) == 3 && !strings.HasPrefix(fields[2], "HTTP/") {
		return nil, fmt.Errorf("its first line must be METHOD and URL, such as: POST https://api.acme.dev/orders")
	}
	header, err := head.ReadMIMEHeader()
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("a header is not written as \"Name: value\"; put an empty line between headers and body")
	}
	target := fields[1]
	host := header.Get("Host")
	header.Del("Host")
	if strings.HasPrefix(target, "/") {
		if host == "" {
			return nil, fmt.Errorf("it names a path and no host; write the whole URL, or add a Host header")
		}
		target = "https://" + host + target
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("its URL is not an http or https one")
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	body = bodyOf(body, header.Get("Content-Length"))
	header.Del("Content-Length")
	header.Del("Transfer-Encoding")
	req := &http.Request{
		Method: strings.ToUpper(fields[0]), URL: u, Host: u.Host, Header: http.Header(header),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(body)), Body: http.NoBody,
	}
	if len(body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return req, nil
}

// bodyOf takes off the line end that an editor or a shell puts behind a body.
func bodyOf(body []byte, length string) []byte {
	if n, err := strconv.Atoi(length); err == nil && n >= 0 && n <= len(body) {
		return body[:n]
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	return bytes.TrimSuffix(body, []byte("\r"))
}
