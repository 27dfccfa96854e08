package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"tapedeck/proxy/deck"
)

func rewindCommand(std stdio) *cli.Command {
	return remoteCommand(std, "rewind", "start a running proxy's cassettes again at the beginning", "POST", "rewind")
}

func saveCommand(std stdio) *cli.Command {
	return remoteCommand(std, "save", "save what a running proxy has recorded so far", "POST", "save")
}

// remoteCommand talks to the control API of a running proxy.
func remoteCommand(std stdio, name, usage, method, action string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "[SESSION]",
		Description: examples(
			"tapedeck "+name,
			"tapedeck "+name+" checkout/EUR",
			"tapedeck "+name+" --address 127.0.0.1:9090"),
		Flags: remoteFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usagef("%s takes one session at most", name)
			}
			path := "/" + action
			if c.NArg() == 1 {
				path = "/sessions/" + url.PathEscape(c.Args().First()) + "/" + action
			}
			_, err := callControl(c, method, path)
			return err
		},
	}
}

func statusCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what a running proxy has played and recorded", ArgsUsage: "[SESSION]",
		Description: examples(
			"tapedeck status",
			"tapedeck status checkout/EUR",
			"tapedeck status --address 127.0.0.1:9090 --json") + `

With a session's name it shows that session alone, and ends with 90 if one of its requests
was missed, so that a shell script can fail the test that sent it.`,
		Flags: append(remoteFlags(), yes("json", "print the whole report as JSON")),
		Action: func(c *cli.Context) error {
			switch c.NArg() {
			case 0:
			case 1:
				return showSession(c, std)
			default:
				return usagef("status takes one session at most")
			}
			body, err := callControl(c, "GET", "/status")
			if err != nil {
				return err
			}
			if c.Bool("json") {
				_, err = std.out.Write(body)
				return err
			}
			var st status
			if err := json.Unmarshal(body, &st); err != nil {
				return fmt.Errorf("the proxy's answer cannot be read: %w; is it the same version of tapedeck?", err)
			}
			fmt.Fprintf(std.out, "%s %s on http://%s\n", st.Mode, st.Cassette, st.Address)
			for _, r := range st.Decks {
				fmt.Fprintf(std.out, "  %s: %s\n", r.Cassette, counts(r))
			}
			return nil
		},
	}
}

// showSession prints what one session has done.
func showSession(c *cli.Context, std stdio) error {
	body, err := callControl(c, "GET", "/sessions/"+url.PathEscape(c.Args().First()))
	if err != nil {
		return err
	}
	var r deck.SessionReport
	if err := json.Unmarshal(body, &r); err != nil {
		return fmt.Errorf("the proxy's answer cannot be read: %w; is it the same version of tapedeck?", err)
	}
	if c.Bool("json") {
		if _, err := std.out.Write(body); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(std.out, "%s: %s: %s\n", r.Session, r.Cassette, counts(deck.Report{Played: r.Played, Recorded: r.Recorded, Misses: r.Misses}))
		missGroups(std.out, r.Misses)
		lines(std.out, "unproven", r.Unproven)
	}
	if len(r.Misses) > 0 {
		return exitCode(exitMiss)
	}
	return nil
}

func remoteFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "address", Usage: "`HOST:PORT` of the running proxy (default: that of the surrounding tapedeck exec, else 127.0.0.1:8080)", EnvVars: variable("address")},
	}
}

// trace is what a running server leaves in the user's cache folder, so that
// rewind, save and status find it and may talk to it.
type trace struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

func tracePath(address string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := strings.NewReplacer(":", "-", "[", "", "]", "", "/", "-").Replace(address) + ".json"
	return filepath.Join(dir, "tapedeck", "running", name), nil
}

func leaveTraces(address, token string) (forget func(), err error) {
	path, err := tracePath(address)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	data, err := json.Marshal(trace{address, token})
	if err != nil {
		return nil, err
	}
	if err := maybe.WriteFile(path, data, 0o600); err != nil {
		return nil, err
	}
	return func() { os.Remove(path) }, nil
}

// findProxy is the control address and token of the proxy that is meant.
func findProxy(address string) (trace, error) {
	if address == "" {
		if u, err := url.Parse(os.Getenv("TAPEDECK_CONTROL")); err == nil && u.Host != "" {
			return trace{u.Host, os.Getenv("TAPEDECK_TOKEN")}, nil
		}
		address = "127.0.0.1:8080"
	}
	path, err := tracePath(address)
	if err != nil {
		return trace{}, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return trace{}, fmt.Errorf("no proxy of this user is known at %s; start one with tapedeck record or tapedeck replay, or name another with --address", address)
	}
	if err != nil {
		return trace{}, err
	}
	var t trace
	if err := json.Unmarshal(data, &t); err != nil {
		return trace{}, fmt.Errorf("%s: not readable as JSON; start the proxy again", path)
	}
	return t, nil
}

func callControl(c *cli.Context, method, path string) ([]byte, error) {
	t, err := findProxy(c.String("address"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.Context, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+t.Address+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+t.Token)
	// Not through HTTP_PROXY: that may be the very proxy that is spoken to.
	client := &http.Client{Transport: &http.Transport{Proxy: nil}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the proxy at %s does not answer; is it still running?", t.Address)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var p struct {
			Error struct{ Message string }
		}
		if json.Unmarshal(body, &p) == nil && p.Error.Message != "" {
			return nil, errors.New(strings.TrimPrefix(p.Error.Message, "tapedeck: "))
		}
		return nil, fmt.Errorf("the proxy at %s answered %s", t.Address, resp.Status)
	}
	return body, nil
}
