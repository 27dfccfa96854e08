//go:build e2e

package e2e

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A recorder that is killed at any moment leaves nothing to be found, and
// neither does what recover makes of it.
func TestCanaryKilled(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"record-only", "new-episodes", "record-only", "new-episodes", "record-once"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			r.settings(t)
			s := r.serve(t, nil, nil, append([]string{"proxy", "--mode", mode, "--cassette", r.cassette()}, r.origin.flags()...)...)
			c := r.caller(t, s)
			// Behind those about the journal: what a dead process has learned died with it.
			list := r.exchanges[2:]
			moment := time.Duration(10+rand.IntN(300)) * time.Millisecond
			time.AfterFunc(moment, func() { s.command.Process.Kill() })
			sent := 0
			for _, e := range slicesRepeat(list, 20) {
				if _, err := c.send(e); err != nil {
					break
				}
				sent++
			}
			r.end(t, s, syscall.SIGKILL)
			t.Logf("killed after %v and %d answers", moment, sent)
			if sent == 20*len(list) {
				t.Error("it was not killed while it recorded")
			}
			r.mustBeClean(t)
			got := r.run(t, nil, "recover", r.cassette())
			if sent > 0 {
				got.mustEnd(t, 0)
				if interactions(t, r.cassette()) == 0 {
					t.Error("nothing was recovered: there is nothing to search")
				}
			}
			r.run(t, nil, "export", r.cassette())
			// The next run goes on from there.
			s = r.serve(t, nil, nil, append([]string{"proxy", "--mode", mode, "--cassette", r.cassette()}, r.origin.flags()...)...)
			c = r.caller(t, s)
			c.all(list[:10])
			r.end(t, s, syscall.SIGTERM)
		})
	}
}

func slicesRepeat(list []*exchange, n int) []*exchange {
	var out []*exchange
	for range n {
		out = append(out, list...)
	}
	return out
}

// A disk that is full cuts writes short, and errors say why. The limit on a
// file's size does the same to any user; a small file system needs root.
func TestCanaryDiskFull(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"file size limit", "full file system"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			r.settings(t)
			var wrapper []string
			folder := filepath.Dir(r.cassette())
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if where == "file size limit" {
				wrapper = []string{programs.bash, "-c", `ulimit -f 24; exec "$0" "$@"`} // KiB
			} else if err := syscall.Mount("canary", folder, "tmpfs", 0, "size=40k"); err != nil {
				t.Logf("only as root can a small file system be mounted, so the limit on a file's size stands for it: %v", err)
				return
			} else {
				t.Cleanup(func() {
					if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
						t.Error(err)
					}
				})
			}
			arguments := append([]string{"record", "--cassette", r.cassette(), "--report", r.path("work/report.json")}, r.origin.flags()...)
			s := r.serve(t, nil, wrapper, arguments...)
			c := r.caller(t, s)
			if err := c.all(r.exchanges[2:]); err != nil {
				t.Errorf("a full disk is not the client's affair: %v", err)
			}
			r.run(t, nil, "save", "--address", s.address)
			got := r.end(t, s, syscall.SIGTERM)
			if got.code == 0 || !strings.Contains(got.stderr, "not recorded") {
				t.Errorf("the disk was not full: %s", got)
			}
			r.mustBeClean(t)
			r.run(t, nil, "recover", r.cassette())
			r.run(t, nil, "export", r.cassette())
		})
	}
}

// A dump of all goroutines shows addresses, not what stands there.
func TestCanaryDump(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"single", "system"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			r := newCanaryRun(t)
			r.settings(t)
			hang := make(chan struct{})
			arrived := make(chan struct{}, 10)
			slow := startOrigin(t, nil)
			slow.plain.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Write([]byte(`{"access_token":"` + r.secret("JSON answer")))
				http.NewResponseController(w).Flush()
				arrived <- struct{}{}
				<-hang
			})
			t.Cleanup(func() { close(hang) }) // before the server is closed, which waits
			flags := append(r.origin.flags(), "--resolve", "slow.example.com:80:"+slow.plain.Listener.Addr().String())
			s := r.serve(t, []string{"GOTRACEBACK=" + level}, nil, append([]string{"record", "--cassette", r.cassette()}, flags...)...)
			c := r.caller(t, s)
			if err := c.all(r.exchanges[2:]); err != nil {
				t.Fatal(err)
			}
			names := []string{"query odd", "bearer", "json request"}
			for _, e := range r.exchanges {
				for _, name := range names {
					if e.name != name {
						continue
					}
					request, err := e.request(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					request.URL.Scheme, request.URL.Host, request.Host = "http", "slow.example.com", ""
					go c.do(request)
				}
			}
			for range names {
				<-arrived
			}
			got := r.end(t, s, syscall.SIGQUIT)
			got.mustEnd(t, 2)
			got.mustSay(t, "SIGQUIT", "goroutine ")
		})
	}
}

// A recorder that is killed in the middle of a large answer leaves a clean part of it,
// which is played to nobody and goes when the cassette is next recorded.
func TestCanaryKilledInALargeAnswer(t *testing.T) {
	t.Parallel()
	const large = 12 << 20
	r := newCanaryRun(t)
	r.settings(t)
	hang, whole := make(chan struct{}), make(chan bool, 2)
	slow := startOrigin(t, nil)
	slow.plain.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		item := `{"access_token":"` + r.secret("JSON answer") + `","text":"` + strings.Repeat("lorem ipsum ", 80) + `"},`
		io.WriteString(w, `{"items":[`)
		for range large / len(item) {
			io.WriteString(w, item)
		}
		http.NewResponseController(w).Flush()
		if !<-whole {
			<-hang
		}
		io.WriteString(w, `null]}`)
	})
	t.Cleanup(func() { close(hang) }) // before the server is closed, which waits
	flags := append(r.origin.flags(), "--resolve", "slow.example.com:80:"+slow.plain.Listener.Addr().String())
	arguments := append([]string{"record", "--cassette", r.cassette()}, flags...)
	get := func(s *canaryProcess, n int64) {
		t.Helper()
		resp, err := r.caller(t, s).client.Get("http://slow.example.com/export")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		if got, err := io.CopyN(io.Discard, resp.Body, n); got < min(n, large-1<<20) {
			t.Fatalf("%d bytes: %v", got, err)
		}
	}
	parts := func() (list []string, size int64) {
		list, err := filepath.Glob(filepath.Join(filepath.Dir(r.cassette()), ".tapedeck", "canary.pending", "partial-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range list {
			if info, err := os.Stat(part); err == nil {
				size += info.Size()
			}
		}
		return list, size
	}

	s := r.serve(t, nil, nil, arguments...)
	if err := r.caller(t, s).all(r.exchanges[2:5]); err != nil {
		t.Fatal(err)
	}
	whole <- false
	get(s, large-1<<20)
	r.until(t, "more than 8 MiB are in a file", func() bool { _, size := parts(); return size > 8<<20 })
	r.end(t, s, syscall.SIGKILL)
	left, size := parts()
	if len(left) != 1 || size <= 8<<20 {
		t.Fatalf("it left %q, of %d bytes", left, size)
	}
	r.mustBeClean(t)

	// What is read of it is what was recorded whole.
	got := r.run(t, nil, "export", r.cassette())
	if strings.Contains(got.stdout, "slow.example.com") {
		t.Error("what is exported has the answer that was cut off")
	}
	if again, _ := parts(); len(again) != 1 {
		t.Errorf("reading has changed the folder to %q", again)
	}

	s = r.serve(t, nil, nil, arguments...)
	if err := r.caller(t, s).all(r.exchanges[2:5]); err != nil {
		t.Fatal(err)
	}
	if left, _ := parts(); len(left) > 0 {
		t.Errorf("recording has left %q", left)
	}
	whole <- true
	get(s, 2*large)
	r.end(t, s, syscall.SIGTERM).mustEnd(t, 0)
	if n := interactions(t, r.cassette()); n != 4 {
		t.Errorf("recorded %d interactions, want 4", n)
	}
	s = r.serve(t, nil, nil, "replay", "--cassette", r.cassette())
	get(s, 2*large)
	r.end(t, s, syscall.SIGTERM).mustEnd(t, 0)
	r.searchFiles()
}
