package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"tapedeck/proxy/ca"
)

func caCommand(std stdio) *cli.Command {
	return &cli.Command{
		Name:  "ca",
		Usage: "the certificate authority that clients of record and replay must trust",
		Description: examples(
			"curl --cacert $(tapedeck ca path) --proxy http://127.0.0.1:8080 https://api.example.com/",
			"export SSL_CERT_FILE=$(tapedeck ca bundle)",
			"tapedeck ca show"),
		Subcommands: []*cli.Command{
			{
				Name: "path", Usage: "print the path of the authority's certificate (PEM)",
				Description: examples("tapedeck ca path", "tapedeck ca path --ca-dir ./ca", "NODE_EXTRA_CA_CERTS=$(tapedeck ca path) node app.js"),
				Flags:       []cli.Flag{caDirFlag()},
				Action: func(c *cli.Context) error {
					_, dir, err := openAuthority(c.String("ca-dir"))
					if err != nil {
						return err
					}
					fmt.Fprintln(std.out, filepath.Join(dir, "ca.pem"))
					return nil
				},
			},
			{
				Name: "bundle", Usage: "write the system's certificates and ours into one file and print its path",
				Description: examples("tapedeck ca bundle", "SSL_CERT_FILE=$(tapedeck ca bundle) go test ./...", "REQUESTS_CA_BUNDLE=$(tapedeck ca bundle) pytest"),
				Flags:       []cli.Flag{caDirFlag()},
				Action: func(c *cli.Context) error {
					authority, dir, err := openAuthority(c.String("ca-dir"))
					if err != nil {
						return err
					}
					bundle, err := ca.Bundle(authority.CertPEM())
					if err != nil {
						return err
					}
					path := filepath.Join(dir, "bundle.pem")
					if err := maybe.WriteFile(path, bundle, 0o644); err != nil {
						return fmt.Errorf("certificate bundle: %w", err)
					}
					fmt.Fprintln(std.out, path)
					return nil
				},
			},
			{
				Name: "show", Usage: "print what the authority's certificate says",
				Description: examples("tapedeck ca show", "tapedeck ca show --ca-dir ./ca", "openssl x509 -noout -text -in $(tapedeck ca path)"),
				Flags:       []cli.Flag{caDirFlag()},
				Action: func(c *cli.Context) error {
					authority, dir, err := openAuthority(c.String("ca-dir"))
					if err != nil {
						return err
					}
					fmt.Fprintf(std.out, "file        %s\n", filepath.Join(dir, "ca.pem"))
					fmt.Fprintf(std.out, "subject     %s\n", authority.Subject())
					fmt.Fprintf(std.out, "valid       %s to %s\n", authority.NotBefore().Format(time.DateOnly), authority.NotAfter().Format(time.DateOnly))
					fmt.Fprintf(std.out, "SHA-256     %s\n", authority.Fingerprint())
					return nil
				},
			},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no command ca %s; use path, bundle or show", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// openAuthority loads the authority of a folder, "" for the user's, and makes
// it at its first use. It also returns the folder, absolute.
func openAuthority(dir string) (*ca.Authority, string, error) {
	if dir == "" {
		var err error
		if dir, err = ca.DefaultDir(); err != nil {
			return nil, "", err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", err
	}
	authority, err := ca.Load(dir)
	return authority, dir, err
}
