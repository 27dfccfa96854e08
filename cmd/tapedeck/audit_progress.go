package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"tapedeck/cassettes/audit"
)

// A progress shows how far a long run is, on a terminal only.
type progress struct {
	w     io.Writer // nil when nothing is to be shown
	total int64
	began time.Time

	mu   sync.Mutex
	done int64
	bar  *progressbar.ProgressBar // nil until the run is a long one
}

// longRun is when a run has become long enough for a bar.
const longRun = time.Second

func newProgress(w io.Writer, files []audit.File) *progress {
	p := &progress{began: time.Now()}
	if !isTerminal(w) {
		return p
	}
	p.w = w
	for _, f := range files {
		p.total += f.Size
	}
	return p
}

// add notes that a file of this size is done.
func (p *progress) add(size int64) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += size
	switch {
	case p.bar != nil:
		p.bar.Set64(p.done)
	case time.Since(p.began) > longRun && p.done < p.total:
		p.bar = progressbar.NewOptions64(p.total, progressbar.OptionSetWriter(p.w), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription("tapedeck"), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		p.bar.Set64(p.done)
	}
}

// end takes the bar off the terminal.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
}
