package upstreams

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
	"time"
)

// backend is a server behind the front.
type backend struct {
	Host    string // the name the world knows it by
	Address string
}

// front is a running nginx.
type front struct {
	process *process
	address string
	ca      string
}

//go:embed nginx.conf.tmpl
var configuration string

var configurationTemplate = template.Must(template.New("nginx.conf").Parse(configuration))

// startFront starts nginx with a certificate for all backends.
func startFront(ctx context.Context, dir string, backends []backend) (*front, error) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		// Debian's place for it, which is not in every user's PATH.
		if nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return nil, fmt.Errorf("nginx is missing: apt-get install nginx-light")
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	hosts := make([]string, len(backends))
	for i, b := range backends {
		hosts[i] = b.Host
	}
	ca := filepath.Join(dir, "ca.pem")
	if err := Certificates(hosts, ca, filepath.Join(dir, "front.pem"), filepath.Join(dir, "front.key")); err != nil {
		return nil, err
	}

	// nginx cannot choose a port itself, and a port that is free now may be
	// taken a moment later.
	var failed error
	for range 5 {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		if err := configure(filepath.Join(dir, "nginx.conf"), address, backends); err != nil {
			return nil, err
		}
		p, err := start(ctx, nginx, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
		if err != nil {
			return nil, err
		}
		if failed = p.waitForTLS(ctx, address, hosts[0], ca); failed == nil {
			return &front{process: p, address: address, ca: ca}, nil
		}
		if err := p.stop(); err != nil {
			return nil, err
		}
	}
	return nil, failed
}

func configure(file, address string, backends []backend) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	data := struct {
		Address  string
		Backends []backend
	}{address, backends}
	if err := configurationTemplate.Execute(out, data); err != nil {
		return err
	}
	return out.Close()
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// waitForTLS returns once address answers with our certificate: another
// program may have taken the port.
func (p *process) waitForTLS(ctx context.Context, address, host, caFile string) error {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: host}}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return p.failure("ended before it listened")
		case <-ctx.Done():
			return p.failure("does not listen: " + context.Cause(ctx).Error())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
