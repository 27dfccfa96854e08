//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// slow ends what hangs; nothing that works comes near it.
const slow = 20 * time.Second

// startBrowser starts Debian's Chromium with nothing remembered. It makes no request
// but those of the pages that are opened.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), // make e2e installs it
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, // there is none for root, and the pages are ours
		chromedp.DisableGPU,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-component-update", true),
	})
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, close := chromedp.NewContext(ctx)
	t.Cleanup(close)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// A tab is one page in the browser, and what went wrong in it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	home string // the only place that the page may ask

	mu       sync.Mutex
	faults   []string
	requests []string
}

// newTab opens a tab of a size in pixels. At the end of the test nothing may stand in
// its console, no policy may have been violated, and nobody but home been asked.
func newTab(t *testing.T, browser context.Context, home string, width, height int64, dark bool) *tab {
	t.Helper()
	ctx, close := chromedp.NewContext(browser)
	t.Cleanup(close)
	if err := chromedp.Do(ctx); err != nil { // without an end: the tab lives as long as this context
		t.Fatal(err)
	}
	p := &tab{t: t, ctx: ctx, home: home}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do(
		chromedp.EmulateViewport(width, height),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			if _, err := cdp.Call(ctx, target, audits.Enable, cdp.Empty{}); err != nil {
				return err
			}
			if _, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
			})
			return err
		}),
	)
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			p.fault("console: %s", m)
		}
	}()
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, fault := range p.faults {
			t.Error(fault)
		}
		if len(p.requests) == 0 {
			t.Error("no request was seen: the test does not look")
		}
		for _, url := range p.requests {
			if !strings.HasPrefix(url, p.home) && !strings.HasPrefix(url, "data:image/svg+xml,") {
				t.Errorf("the page asked for %s", url)
			}
		}
	})
	return p
}

func (p *tab) fault(format string, values ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Sprintf(format, values...))
}

func (p *tab) listen(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.mu.Lock()
		p.requests = append(p.requests, e.Request.URL)
		p.mu.Unlock()
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			p.fault("the policy was violated: %s", d.ViolatedDirective)
		}
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, slow)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// open loads a page and waits until its script has run.
func (p *tab) open(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
	p.wait(`document.readyState === 'complete' && !document.getElementById('bar').hidden`)
}

// look returns the value of an expression.
func look[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, slow)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// wait looks until the expression is true. It survives that the page is loaded anew.
func (p *tab) wait(expression string) {
	p.t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.ctx, slow)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`Boolean(`+expression+`)`))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Since(start) > slow {
			p.t.Fatalf("this has not come true: %s (%v)", expression, err)
		}
	}
}

// must reports an expression that is not true.
func (p *tab) must(what, expression string) {
	p.t.Helper()
	if !look[bool](p, `Boolean(`+expression+`)`) {
		p.t.Errorf("%s: not so: %s", what, expression)
	}
}

// press types on the keyboard, "\r" for Enter and "\x1b" for Escape. Unlike
// chromedp.KeyEvent it leaves it to the browser whether a key writes a character, since
// the page may take the key for itself.
func (p *tab) press(keys string) {
	p.t.Helper()
	for _, r := range keys {
		key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: string(r), Text: string(r)}
		switch r {
		case '\r':
			key.Key = "Enter"
		case '\x1b':
			key.Key, key.Text = "Escape", ""
		}
		up := key
		up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
		p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, key); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, up)
			return err
		}))
	}
}

// click clicks on an element. What is lazily laid out may move when it comes into sight,
// so it is brought there first.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(
		chromedp.Evaluate[chromedp.Void](`document.querySelector('`+selector+`').scrollIntoView({block: 'center'})`),
		chromedp.Sleep(50*time.Millisecond),
		chromedp.Click(chromedp.CSS(selector)),
	)
}

// mustFit fails when anything reaches over the right edge.
func (p *tab) mustFit() {
	p.t.Helper()
	wide := look[[]string](p, `[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility({contentVisibilityAuto: true}) && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
		.slice(0, 5).map((e) => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 60))`)
	if scroll := look[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); scroll > 0 || len(wide) > 0 {
		p.t.Errorf("the page is %d pixels too wide: %q", scroll, wide)
	}
}

// screenshots is where they stay for who wants to look at them.
func screenshots(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(programs.flows, "..", ".cache", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// shoot takes a picture of what is in sight.
func (p *tab) shoot(file string) {
	p.t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
