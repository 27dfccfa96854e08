package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tapedeck/cmd/tapedeck/child"
	"tapedeck/proxy/ca"
)

func envCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "env",
		Usage: "print the variables that exec sets, for a proxy that runs by itself",
		Description: examples(
			`eval "$(tapedeck env)"`,
			"tapedeck env --format dotenv > .env.tapedeck",
			"tapedeck env --format github >> $GITHUB_ENV") + `

The variables point to files in the authority's folder; record, replay and proxy use the
same authority unless --ca-dir says otherwise.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: shell, dotenv, github or powershell", Value: "shell", EnvVars: variable("format")},
			&cli.StringFlag{Name: "listen", Usage: "`ADDRESS` of the proxy", Value: "127.0.0.1:8080", EnvVars: variable("listen")},
			text("session", "`NAME` of the session to send as the proxy user"),
			list("passthrough", "leave `HOST` alone; may be given several times"),
			text("config", "read `FILE` and no other tapedeck.yaml"),
			yes("record-loopback", "record requests to loopback addresses too"),
			caDirFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("env takes no arguments")
			}
			opt := readOptions(c)
			cfg, err := configHere(opt.config)
			if err != nil {
				return err
			}
			if err := cfg.AddPassthrough(opt.passthrough); err != nil {
				return usagef("--passthrough: %w", err)
			}
			authority, dir, err := openAuthority(opt.caDir)
			if err != nil {
				return err
			}
			system, err := ca.Bundle()
			if err != nil {
				return err
			}
			files := filepath.Join(dir, "env")
			if err := os.MkdirAll(files, 0o700); err != nil {
				return err
			}
			environ := os.Environ()
			prepared, err := child.Prepare(child.Settings{
				Proxy: opt.listen, Session: c.String("session"),
				CA: authority.CertPEM(), System: system,
				Passthrough:    cfg.Hosts.Passthrough,
				UpstreamProxy:  child.HasUpstreamProxy(environ),
				RecordLoopback: opt.recordLoopback || cfg.RecordsLoopback(),
				Environ:        environ, Dir: files,
			})
			if err != nil {
				return err
			}
			left, err := child.Write(std.out, c.String("format"), prepared.Variables)
			if err != nil {
				return usageError{err}
			}
			if len(left) > 0 {
				fmt.Fprintf(std.err, "tapedeck: not expressible as %s, left out: %s\n", c.String("format"), strings.Join(left, ", "))
			}
			for _, note := range prepared.Notes {
				fmt.Fprintf(std.err, "tapedeck: %s\n", note)
			}
			return nil
		},
	}
}
