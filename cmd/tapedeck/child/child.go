// Package child prepares the environment of the command under test and runs it: afterwards the
// command's requests come to the proxy and its clients trust the proxy's authority, while nothing
// is installed on the machine.
//
// Prepare writes a few files (certificates, a truststore, a Node preload, a Python shim) into a
// folder that the caller owns and merges the variables that name them with what the user has set.
// Run starts the command with that environment, hands signals on and brings its exit code back.
// Hint explains what to do when a command's requests never arrived.
//
//	environment, err := child.Prepare(child.Settings{
//		Proxy: "127.0.0.1:40001", CA: ca, System: bundle, Environ: os.Environ(), Dir: dir,
//	})
//	code, err := child.Run(ctx, argv, environment.Environ(), child.Inherit())
//
// What is set for which client, and what it was checked with, is in docs/clients.md.
package child

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2/maybe"
)

// Settings is what Prepare needs to know.
type Settings struct {
	// Proxy is the address (host:port) of the proxy. An unspecified host (":8080", "0.0.0.0:8080")
	// stands for loopback.
	Proxy string
	// Session, if not empty, is sent as the proxy user, which chooses the session.
	Session string
	// CA is the proxy's own authority, PEM.
	CA []byte
	// System is the certificates that the system trusts, PEM. Most clients replace their store by
	// the file they are pointed to, so these must be in it for passthrough hosts to keep working.
	System []byte
	// Passthrough names hosts that need not come to the proxy ("db.local", "*.svc.local").
	Passthrough []string
	// UpstreamProxy says that the proxy reaches the world through another proxy. Passthrough hosts
	// then still come to tapedeck, since the command itself could not reach them. A proxy named by
	// Environ counts without this.
	UpstreamProxy bool
	// RecordLoopback sends requests to loopback addresses to the proxy, too.
	RecordLoopback bool
	// Environ is the environment to merge with, as os.Environ returns it.
	Environ []string
	// Dir receives the files that the variables name. It must exist and outlive the command.
	Dir string
	// Extra variables are set as they are (TAPEDECK_CONTROL and the like).
	Extra []Variable
}

// A Variable is one thing that tapedeck sets in the command's environment, and why.
type Variable struct {
	Name, Value, Why string
}

// An Environment is what Prepare made.
type Environment struct {
	// Variables is what tapedeck sets, each name once, in the order to print them.
	Variables []Variable
	// Notes are sentences for the user: files of theirs that are named by a variable and could not
	// be read.
	Notes []string

	inherited []string
}

// Environ is the command's whole environment: the inherited one with the Variables in place of
// what they replace.
func (e *Environment) Environ() []string {
	set := make(map[string]bool, len(e.Variables))
	for _, v := range e.Variables {
		set[foldName(v.Name)] = true
	}
	environ := make([]string, 0, len(e.inherited)+len(e.Variables))
	for _, pair := range e.inherited {
		if name, _, _ := strings.Cut(pair, "="); !set[foldName(name)] {
			environ = append(environ, pair)
		}
	}
	for _, v := range e.Variables {
		environ = append(environ, v.Name+"="+v.Value)
	}
	return environ
}

// parts is everything that Prepare does, in order. A new runtime is a new file and a line here.
var parts = []func(*preparation) error{
	(*preparation).proxyVariables,
	(*preparation).trustVariables,
	(*preparation).nodeVariables,
	(*preparation).pythonVariables,
	(*preparation).phpVariables,
	(*preparation).javaVariables,
	(*preparation).extraVariables,
}

// preparation is an Environment in the making.
type preparation struct {
	Settings
	host, port string // of the proxy, as the command reaches it
	result     *Environment
	trusted    trust
}

// Prepare writes the files into s.Dir and returns the command's environment. What the user has set
// is merged (NODE_OPTIONS, JAVA_TOOL_OPTIONS, PYTHONPATH, certificate files), but for the way to the
// proxy, which is replaced: UpstreamProxy reads the user's own proxy out of the old environment.
func Prepare(s Settings) (*Environment, error) {
	host, port, err := net.SplitHostPort(s.Proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy address %q: want host:port", s.Proxy)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if len(s.CA) == 0 {
		return nil, errors.New("the proxy's certificate authority is missing")
	}
	// Clients read these paths from wherever the command has changed its folder to.
	if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return nil, err
	}
	s.UpstreamProxy = s.UpstreamProxy || HasUpstreamProxy(s.Environ)
	p := &preparation{
		Settings: s,
		host:     host,
		port:     port,
		result:   &Environment{inherited: s.Environ},
	}
	for _, part := range parts {
		if err := part(p); err != nil {
			return nil, err
		}
	}
	return p.result, nil
}

// extraVariables sets what the caller passes through.
func (p *preparation) extraVariables() error {
	for _, v := range p.Extra {
		p.set(v.Name, v.Value, v.Why)
	}
	return nil
}

// set adds a variable; the last value of a name stands.
func (p *preparation) set(name, value, why string) {
	v := Variable{Name: name, Value: value, Why: why}
	same := func(other Variable) bool { return other.Name == name }
	if i := slices.IndexFunc(p.result.Variables, same); i >= 0 {
		p.result.Variables[i] = v
		return
	}
	p.result.Variables = append(p.result.Variables, v)
}

// user returns what the user has set a variable to, or "".
func (p *preparation) user(name string) string {
	return lookup(p.Environ, name)
}

func (p *preparation) note(format string, args ...any) {
	p.result.Notes = append(p.result.Notes, fmt.Sprintf(format, args...))
}

// write puts a file into the folder and returns its path. Readers never see half a file: the folder
// of `tapedeck env` is shared by programs that are already running.
func (p *preparation) write(name string, content []byte) (string, error) {
	path := filepath.Join(p.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("environment of the command: %w", err)
	}
	if err := maybe.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("environment of the command: %w", err)
	}
	return path, nil
}

// proxyURL is the proxy as clients are told it. The password is there because Python drops a user
// without one; it means nothing.
func (p *preparation) proxyURL() string {
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(p.host, p.port)}
	if p.Session != "" {
		u.User = url.UserPassword(p.Session, "x")
	}
	return u.String()
}

// lookup returns the last value of a variable in an environment, or "".
func lookup(environ []string, name string) string {
	value := ""
	for _, pair := range environ {
		if n, v, ok := strings.Cut(pair, "="); ok && foldName(n) == foldName(name) {
			value = v
		}
	}
	return value
}
