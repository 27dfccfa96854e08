//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// newShop makes a repository in which the recordings of a shop's tests are committed,
// and others, made after an upgrade of the API, lie in the work tree.
func newShop(t *testing.T) *workspace {
	t.Helper()
	w := newWorkspace(t)
	copyTree(t, filepath.Join("testdata", "review", "old"), w.dir)
	for _, arguments := range [][]string{
		{"init", "--quiet"},
		{"add", "cassettes", "tapedeck.yaml"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message", "Record the checks"},
	} {
		w.run(t, nil, "git", arguments...).mustEnd(t, 0)
	}
	copyTree(t, filepath.Join("testdata", "review", "new"), w.dir)
	return w
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o644)
	}); err != nil {
		t.Fatal(err)
	}
}

// review starts a review in the workspace. stop ends it with Ctrl-C and checks how it
// ended.
func (w *workspace) review(t *testing.T, arguments ...string) (url string, stop func()) {
	t.Helper()
	command := exec.CommandContext(t.Context(), programs.tapedeck, append([]string{"review"}, arguments...)...)
	command.Dir, command.Env, command.Stderr = w.dir, w.environ(), os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v printed no URL: %v", command, err)
	}
	return strings.TrimSpace(line), func() {
		t.Helper()
		if err := command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("Ctrl-C: %v", err)
		}
	}
}

// A user reviews what an upgrade of an API did, in a real browser.
func TestReview(t *testing.T) {
	w := newShop(t)
	url, stop := w.review(t)
	defer stop()
	browser := startBrowser(t)
	folder := screenshots(t)
	picture := func(name string) string { return filepath.Join(folder, "review-"+name+".png") }
	at := func(width, height int64, dark bool) func(*testing.T) *tab {
		return func(t *testing.T) *tab {
			t.Helper()
			p := newTab(t, browser, url, width, height, dark)
			p.open(url)
			return p
		}
	}
	desk := at(1400, 900, false)
	const cards = `[...document.querySelectorAll('.card')]`
	const shown = cards + `.filter((e) => e.checkVisibility())`

	t.Run("open", func(t *testing.T) {
		p := desk(t)
		if got := look[string](p, `document.querySelector('h1').textContent`); got != "3 cassettes differ" {
			t.Errorf("the headline is %q", got)
		}
		if got := look[string](p, `[...document.querySelectorAll('main h2')].filter((e) => e.checkVisibility()).map((e) => e.textContent).join('; ')`); got !=
			"Cassettes; What our code sends; New hosts; Rules; What the API answers; cassettes/checkout.yaml; cassettes/invoices.yaml; cassettes/refunds.yaml" {
			t.Errorf("the chapters are %s", got)
		}
		p.must("the summary counts by grade", `/^[1-9]/.test(document.querySelector('.tile.breaking b').textContent)`)
		p.must("a group is about two cassettes", `[...document.querySelectorAll('.group')].some((e) => /charges.*is gone.*2 cassettes/s.test(e.textContent))`)
		p.must("the new host is named", `document.getElementById('hosts').textContent.includes('https://files.stripe.com')`)
		p.must("volatile changes are not in sight", `![...document.querySelectorAll('.r.volatile .m')].some((e) => e.checkVisibility())`)
		p.mustFit()
		p.shoot(picture("1400"))
	})

	t.Run("filter", func(t *testing.T) {
		p := desk(t)
		all := look[int](p, shown+`.length`)
		p.do(chromedp.Click(chromedp.CSS(`.chip.breaking`)), chromedp.Click(chromedp.CSS(`.chip.additive`)))
		p.must("only other values are listed", `[...document.querySelectorAll('.group:not(#rules *)')].filter((e) => e.checkVisibility()).every((e) => e.classList.contains('value'))`)
		p.must("the buttons say so", `document.querySelector('.chip.breaking').getAttribute('aria-pressed') === 'false'`)
		p.press("12")
		p.must("all is back", fmt.Sprintf(shown+`.length === %d`, all))
		p.press("/Latest_Charge")
		p.wait(shown + `.length === 4`)
		p.must("the rest is said", `/^4 of \d+ interactions$/.test(document.getElementById('shown').textContent)`)
		p.press("\x1b")
		p.must("Escape shows all", fmt.Sprintf(shown+`.length === %d`, all))
		p.press("fcassettes/refunds")
		p.wait(shown + `.length === 3`)
		p.press("\x1bfno such text")
		p.wait(`document.getElementById('none').checkVisibility()`)
		p.must("no title stands over nothing", `![...document.querySelectorAll('main h2')].some((e) => e.checkVisibility())`)
		p.press("\x1b")
		p.must("the note goes with the filter", `!document.getElementById('none').checkVisibility()`)
	})

	t.Run("fold", func(t *testing.T) {
		p := desk(t)
		p.must("equal lines are folded", `!document.querySelector('.fold').open && / equal lines/.test(document.querySelector('.fold > summary').textContent)`)
		p.click(`.fold > summary`)
		p.must("a fold opens", `document.querySelector('.fold').open && document.querySelector('.fold > :not(summary)').checkVisibility()`)
		p.press("e")
		p.must("all are folded", `document.querySelectorAll('.card[open]').length === 0`)
		p.press("e")
		p.must("all are open", `document.querySelectorAll('.card:not([open])').length === 0`)
		p.press("nno")
		p.must("o folds one", `document.querySelectorAll('.card:not([open])').length === 1`)
		p.press("\r")
		p.must("Enter opens it", `document.querySelectorAll('.card:not([open])').length === 0`)
	})

	t.Run("link", func(t *testing.T) {
		p := desk(t)
		for _, grade := range []string{"breaking", "volatile"} {
			id := look[string](p, `document.querySelector('.card .r.`+grade+`[id]').id`)
			other := newTab(t, browser, url, 1400, 900, false)
			other.open(url + "#" + id)
			other.must(grade+": the change is in sight", `(() => { const e = document.getElementById('`+id+`').getBoundingClientRect(); return e.height > 0 && e.top >= 0 && e.top < innerHeight; })()`)
			other.must(grade+": it has the focus", `document.activeElement.id === '`+id+`'`)
			other.must(grade+": it is shown as what it is", `document.querySelector('#`+id+` .m').checkVisibility()`)
		}
		hidden := newTab(t, browser, url, 1400, 900, false)
		hidden.open(url)
		hidden.press("fno such text")
		hidden.wait(`document.getElementById('none').checkVisibility()`)
		id := look[string](hidden, `document.querySelector('.card .r.breaking[id]').id`)
		hidden.do(chromedp.Evaluate[chromedp.Void](`location.hash = '` + id + `'`))
		hidden.wait(`document.activeElement.id === '` + id + `'`)
		hidden.must("a link empties the filter and leaves the grades", `document.getElementById('filter').value === '' && document.documentElement.dataset.off === 'volatile'`)
		p.do(chromedp.Click(chromedp.CSS(`#answered .refs a`)))
		p.wait(`document.activeElement.closest('.card') && location.hash === '#' + document.activeElement.id`)
		p.must("every link leads somewhere", `[...document.querySelectorAll('a[href^="#"]')].every((a) => document.getElementById(a.hash.slice(1)))`)
	})

	t.Run("keys", func(t *testing.T) {
		p := desk(t)
		p.press("j")
		first := look[string](p, `document.querySelector('.here').id`)
		p.must("the focus goes with it", `document.activeElement.id === '`+first+`'`)
		p.press("jjj")
		p.must("j goes on", `document.querySelectorAll('.here').length === 1 && document.querySelector('.here').id !== '`+first+`'`)
		p.press("kkk")
		p.must("k goes back", `document.querySelector('.here').id === '`+first+`'`)
		p.press("nn")
		p.must("n goes to an interaction", `document.activeElement.parentElement === `+cards+`[0]`)
		p.press("np")
		p.must("p goes back", `document.activeElement.parentElement === `+cards+`[0]`)
		p.press("?")
		p.must("? shows the keys", `document.getElementById('help').open`)
		p.shoot(picture("keys"))
		p.press("j")
		p.must("keys rest meanwhile", `document.getElementById('help').open && document.activeElement.closest('#help')`)
		p.press("?")
		p.must("? hides them", `!document.getElementById('help').open`)
		p.press("v")
		p.must("v shows volatile values", `[...document.querySelectorAll('.r.volatile .m')].some((e) => e.checkVisibility())`)
		p.press("s")
		p.must("s puts the sides side by side", `(() => { const r = document.querySelector('.r:has(> del):has(> ins)'); return r.children[0].getBoundingClientRect().top === r.children[1].getBoundingClientRect().top; })()`)
		p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.card').scrollIntoView()`))
		p.wait(`[...document.querySelectorAll('.card .q')].some((e) => e.dataset.twin === e.textContent)`)
		p.mustFit()
		p.shoot(picture("1400-side"))
		p.press("s")
		p.must("and back", `(() => { const r = document.querySelector('.r:has(> del):has(> ins)'); return r.children[0].getBoundingClientRect().bottom <= r.children[1].getBoundingClientRect().top; })()`)
	})

	t.Run("theme", func(t *testing.T) {
		const paper = `getComputedStyle(document.querySelector('.tile')).backgroundColor`
		p := at(800, 900, true)(t)
		p.must("it is dark as the system is", paper+` === 'rgb(21, 23, 27)'`)
		p.mustFit()
		p.shoot(picture("800-dark"))
		p.press("t")
		p.must("t makes it light", paper+` === 'rgb(255, 255, 255)'`)
		p.open(url)
		p.must("which is remembered", paper+` === 'rgb(255, 255, 255)'`)
		p.do(chromedp.Evaluate[chromedp.Void](`localStorage.clear()`))
	})

	t.Run("narrow", func(t *testing.T) {
		for _, dark := range []bool{false, true} {
			p := at(360, 780, dark)(t)
			p.mustFit()
			p.shoot(picture(map[bool]string{false: "360", true: "360-dark"}[dark]))
			p.press("ev")
			p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach((e) => { e.open = true; })`))
			p.mustFit()
			p.do(chromedp.Evaluate[chromedp.Void](cards + `[1].scrollIntoView()`))
			p.shoot(picture(map[bool]string{false: "360-lines", true: "360-lines-dark"}[dark]))
		}
	})

	t.Run("without script", func(t *testing.T) {
		p := newTab(t, browser, url, 1000, 900, false)
		p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return err
		}), chromedp.Navigate(url))
		p.must("no button that does nothing", `!document.getElementById('bar').checkVisibility()`)
		p.must("changes are shown", `document.querySelector('.r.breaking del').checkVisibility()`)
		p.click(`.fold > summary`)
		p.must("folds open", `document.querySelector('.fold').open`)
		p.shoot(picture("1000-without-script"))
	})

	t.Run("follow", func(t *testing.T) {
		file := w.path("cassettes/refunds.yaml")
		whole := read(t, file)
		write := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p := desk(t)
		p.wait(`document.getElementById('live').textContent === 'live'`)
		p.press("v")
		write(strings.Replace(whole, "requested_by_customer", "fraudulent", 1))
		p.wait(`document.querySelector('main').textContent.includes('fraudulent')`)
		p.wait(`!document.getElementById('bar').hidden`)
		p.must("what was chosen stays", `document.querySelector('.chip.volatile').getAttribute('aria-pressed') === 'true'`)
		write(whole[:len(whole)/2])
		p.wait(`document.getElementById('fault').checkVisibility() && document.getElementById('fault').textContent.includes('refunds.yaml')`)
		p.must("the fault is in sight", `(() => { const e = document.getElementById('fault').getBoundingClientRect(); return e.top > 0 && e.bottom < innerHeight; })()`)
		p.must("what was there stays in sight", `document.querySelector('main').textContent.includes('fraudulent')`)
		p.shoot(picture("fault"))
		write(whole)
		p.wait(`!document.getElementById('fault').checkVisibility() && !document.querySelector('main').textContent.includes('fraudulent')`)

		evil := strings.NewReplacer("Terms of the test shop.", `</script></style><script>window.harm=1</script><img src=x onerror="window.harm=1">`).Replace(read(t, w.path("cassettes/invoices.yaml")))
		if err := os.WriteFile(w.path("cassettes/evil.yaml"), []byte(evil), 0o644); err != nil {
			t.Fatal(err)
		}
		p.wait(`document.querySelector('main').textContent.includes('window.harm=1')`)
		p.must("text from a cassette is text", `window.harm === undefined && document.images.length === 0 && document.scripts.length === 1`)
		if err := os.Remove(w.path("cassettes/evil.yaml")); err != nil {
			t.Fatal(err)
		}
		p.wait(`!document.querySelector('main').textContent.includes('window.harm=1')`)
	})
}

// A browser that another site's page makes ask the review is refused: by the name, as
// DNS rebinding gives it, and by the origin. See the tests of the server for the rest.
func TestReviewRefusesOtherSites(t *testing.T) {
	w := newShop(t)
	url, stop := w.review(t, "--git", "HEAD", "cassettes/refunds.yaml")
	defer stop()
	for _, header := range []string{"Host: evil.example", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"} {
		got := w.run(t, nil, programs.curl, "--silent", "--noproxy", "*", "--max-time", "10", "--write-out", "%{http_code}", "--header", header, url)
		if !strings.HasSuffix(got.stdout, "403") || strings.Contains(got.stdout, "<html") {
			t.Errorf("%s: %s", header, got)
		}
	}
	got := w.run(t, nil, programs.curl, "--silent", "--noproxy", "*", "--max-time", "10", url)
	if !strings.Contains(got.stdout, "1 cassette differs") {
		t.Errorf("the page of one cassette: %s", got)
	}
	got = w.tapedeck(t, nil, "review", "--listen", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
	got.mustEnd(t, 1)
	got.mustSay(t, "address already in use; choose another address, or port 0 for a free one")
}

func TestReviewRefusesBadInput(t *testing.T) {
	w := newShop(t)
	for _, c := range []struct {
		name, says string
		arguments  []string
	}{
		{"a revision that is not there", "nowhere", []string{"--git", "nowhere"}},
		{"a flag behind the cassettes", "--open stands behind what is compared; flags come first: tapedeck review [flags] [PATH…]", []string{"cassettes/refunds.yaml", "--open"}},
		{"a revision among the paths", "HEAD^0 is a revision and stands where paths do; write two revisions as REV..REV", []string{"--git", "HEAD", "HEAD^0"}},
		{"another machine's address", "127.0.0.1:7070", []string{"--listen", "0.0.0.0:0"}},
	} {
		got := w.tapedeck(t, nil, append([]string{"review"}, c.arguments...)...)
		got.mustEnd(t, 2)
		got.mustSay(t, c.says)
	}
	file := w.path("cassettes/refunds.yaml")
	if err := os.WriteFile(file, []byte("<<<<<<< ours\n"+read(t, file)), 0o644); err != nil {
		t.Fatal(err)
	}
	got := w.tapedeck(t, nil, "review")
	got.mustEnd(t, 2)
	got.mustSay(t, "refunds.yaml")
	if lines := strings.Count(got.stderr, "\n"); lines != 1 {
		t.Errorf("%d lines instead of one: %s", lines, got)
	}
}
