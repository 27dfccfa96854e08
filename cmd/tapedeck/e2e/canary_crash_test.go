//go:build e2e

package e2e

import (
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
