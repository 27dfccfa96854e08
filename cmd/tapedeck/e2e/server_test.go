//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A server is tapedeck running on its own, as record, replay or proxy.
type server struct {
	command *exec.Cmd
	address string
	done    chan error

	stdout, stderr bytes.Buffer // to be read when it has ended
}

// serve starts tapedeck as a server and returns when it listens. wrap is a
// program, with its arguments, that tapedeck is to run under.
func (w *workspace) serve(t *testing.T, wrap []string, arguments ...string) *server {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	argv := append(append([]string{}, wrap...), programs.tapedeck)
	argv = append(argv, arguments...)
	argv = append(argv, "--listen", "127.0.0.1:0", "--ready-file", ready, "--ca-dir", w.path("authority"))
	s := &server{done: make(chan error, 1)}
	s.command = exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	s.command.Dir = w.dir
	s.command.Env = w.environ()
	s.command.Stdout, s.command.Stderr = &s.stdout, &s.stderr
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.command.Wait() }()

	for deadline := time.Now().Add(patience); ; {
		if address, err := os.ReadFile(ready); err == nil {
			s.address = strings.TrimSpace(string(address))
			return s
		}
		select {
		case err := <-s.done:
			t.Fatalf("%v ended before it listened: %v\n%s", s.command, err, s.stderr.String())
		case <-time.After(10 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatalf("%v does not listen", s.command)
			}
		}
	}
}

// end signals the server and returns how it ended.
func (s *server) end(t *testing.T, w *workspace, signal os.Signal) result {
	t.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		t.Fatalf("%v does not end", s.command)
	}
	r := result{s.command.String(), s.command.ProcessState.ExitCode(), s.stdout.String(), s.stderr.String()}
	w.mustBeSilent(t, r)
	return r
}

// flow runs the curl checkout through a server, as session if that is not "".
func (s *server) flow(t *testing.T, w *workspace, session, key string, more ...string) result {
	t.Helper()
	bundle := w.tapedeck(t, nil, "ca", "bundle", "--ca-dir", w.path("authority"))
	bundle.mustEnd(t, 0)
	user := ""
	if session != "" {
		user = session + ":x@"
	}
	env := append([]string{
		"HTTPS_PROXY=http://" + user + s.address,
		"CURL_CA_BUNDLE=" + strings.TrimSpace(bundle.stdout),
		"STRIPE_API_KEY=" + key,
	}, more...)
	return w.run(t, env, programs.bash, programs.stripeFlow+"/curl.sh")
}

func TestServer(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	key, otherKey := w.secret("the key that recorded", "sk_test_51"), w.secret("the key that replayed", "sk_test_51")
	w.learn(t, apis)
	cassette := w.path("checkout.yaml")

	s := w.serve(t, nil, append([]string{"record", "--cassette", cassette}, apis.Flags()...)...)
	recorded := s.flow(t, w, "", key)
	recorded.mustEnd(t, 0)
	ended := s.end(t, w, syscall.SIGTERM)
	ended.mustEnd(t, 0)
	ended.mustSay(t, cassette, s.address)
	if n := interactions(t, cassette); n != calls {
		t.Fatalf("the cassette holds %d interactions, want %d: %s", n, calls, ended)
	}
	w.mustHoldNoSecret(t)

	// One server, one cassette per session.
	s = w.serve(t, nil, append([]string{"proxy", "--mode", "record-once", "--cassettes", w.path("sessions")}, apis.Flags()...)...)
	bySession := map[string]result{}
	for _, session := range []string{"alice", "bob"} {
		bySession[session] = s.flow(t, w, session, key)
		bySession[session].mustEnd(t, 0)
	}
	s.end(t, w, syscall.SIGINT).mustEnd(t, 0)
	for _, session := range []string{"alice", "bob"} {
		if n := interactions(t, w.path("sessions/"+session+".yaml")); n != calls {
			t.Errorf("session %s: %d interactions, want %d", session, n, calls)
		}
	}

	stop(t, apis)

	s = w.serve(t, nil, "replay", "--cassette", cassette)
	replayed := s.flow(t, w, "", otherKey)
	replayed.mustEnd(t, 0)
	replayed.mustPrint(t, recorded)
	// A second run of the app starts again at the beginning.
	w.tapedeck(t, nil, "rewind", "--address", s.address).mustEnd(t, 0)
	replayed = s.flow(t, w, "", otherKey, "ORDER=reversed")
	replayed.mustPrint(t, recorded)
	s.end(t, w, syscall.SIGTERM).mustEnd(t, 0)

	s = w.serve(t, nil, "replay", "--cassettes", w.path("sessions"))
	for _, session := range []string{"bob", "alice"} {
		replayed := s.flow(t, w, session, otherKey)
		replayed.mustEnd(t, 0)
		replayed.mustPrint(t, bySession[session])
	}
	s.end(t, w, syscall.SIGTERM).mustEnd(t, 0)
	w.mustHoldNoSecret(t)
}

// A recorder that is killed loses nothing of what its clients have seen.
func TestKilledRecorder(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	key := w.secret("the key", "sk_test_51")
	w.learn(t, apis)
	cassette := w.path("checkout.yaml")

	s := w.serve(t, nil, append([]string{"record", "--cassette", cassette}, apis.Flags()...)...)
	recorded := s.flow(t, w, "", key)
	recorded.mustEnd(t, 0)
	s.end(t, w, syscall.SIGKILL)
	stop(t, apis)
	if _, err := os.Stat(cassette); err == nil {
		t.Fatal("the cassette is there already: the journal is not what is tested")
	}
	w.mustHoldNoSecret(t)

	s = w.serve(t, nil, "replay", "--cassette", cassette)
	replayed := s.flow(t, w, "", key)
	replayed.mustEnd(t, 0)
	replayed.mustPrint(t, recorded)
	s.end(t, w, syscall.SIGTERM).mustEnd(t, 0)
}

// connecting finds system calls that reach out: a connection, or a datagram
// such as a question to a name server.
var connecting = regexp.MustCompile(`(?m)^.*\b(connect|sendto|sendmsg|sendmmsg)\(.*AF_INET.*$`)

// TestReplayReachesNothing watches the system calls of a replaying server.
func TestReplayReachesNothing(t *testing.T) {
	apis := startAPIs(t)
	w := newWorkspace(t)
	key := w.secret("the key", "sk_test_51")
	cassette := w.path("checkout.yaml")
	// -D leaves tapedeck itself as our child, to be signalled.
	traced := func(file string) []string {
		return []string{programs.strace, "-D", "-f", "-qq", "-e", "trace=network", "-o", file}
	}

	trace := filepath.Join(t.TempDir(), "record")
	s := w.serve(t, traced(trace), append([]string{"record", "--cassette", cassette}, apis.Flags()...)...)
	s.flow(t, w, "", key).mustEnd(t, 0)
	s.end(t, w, syscall.SIGTERM).mustEnd(t, 0)
	if !connecting.MatchString(read(t, trace)) {
		t.Fatal("recording reached nothing: the trace shows nothing to learn from")
	}

	// The servers still run, so that a replay that asked them would succeed.
	trace = filepath.Join(t.TempDir(), "replay")
	s = w.serve(t, traced(trace), append([]string{"replay", "--cassette", cassette}, apis.Flags()...)...)
	s.flow(t, w, "", key).mustEnd(t, 0)
	missed := s.flow(t, w, "", key, "AMOUNT=2001")
	missed.mustSay(t, "body.amount")
	r := s.end(t, w, syscall.SIGTERM)
	if r.code != 90 {
		t.Errorf("a server that missed ended with %d, want 90: %s", r.code, r)
	}
	text := read(t, trace)
	if !strings.Contains(text, "accept4(") {
		t.Fatalf("the trace shows no client:\n%s", shorten(text))
	}
	for _, call := range connecting.FindAllString(text, -1) {
		t.Errorf("replaying reached out: %s", call)
	}
}
