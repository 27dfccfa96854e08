//go:build e2e

package e2e

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

var drawPictures = flag.Bool("pictures", false, "take the pictures of docs/pictures anew; then look at them")

// pictures are those of the documentation: what the page is like, in Chromium.
//
//	go test -tags e2e -run TestPictures ./cmd/tapedeck/e2e -pictures
var pictures = []struct {
	file          string
	width, height int64
	dark          bool
	keys          string // typed before
	show          string // brought to the top, "" for the head of the page
}{
	{file: "review.png", width: 1400, height: 900},
	{file: "review-side-by-side.png", width: 1400, height: 900, dark: true, keys: "s", show: `[...document.querySelectorAll('.card')].find((e) => e.textContent.includes('/confirm'))`},
	{file: "review-narrow.png", width: 360, height: 780, show: `[...document.querySelectorAll('.card')].find((e) => e.textContent.includes('/v1/invoices'))`},
}

// maxPicture is how large a picture may be, in bytes: every clone has it.
const maxPicture = 150_000

func TestPictures(t *testing.T) {
	folder := filepath.Join(programs.flows, "..", "docs", "pictures")
	if *drawPictures {
		w := newShop(t)
		url, stop := w.review(t)
		defer stop()
		browser := startBrowser(t)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, one := range pictures {
			t.Run(one.file, func(t *testing.T) {
				p := newTab(t, browser, url, one.width, one.height, one.dark)
				p.open(url)
				p.press(one.keys)
				for range 2 { // what comes into sight is laid out only then
					if one.show != "" {
						p.do(chromedp.Evaluate[chromedp.Void](one.show+`.scrollIntoView()`), chromedp.Sleep(slow/100))
					}
				}
				p.do(chromedp.Evaluate[chromedp.Void](`localStorage.clear()`))
				file := filepath.Join(folder, one.file)
				p.shoot(file)
				shrink(t, file)
			})
		}
	}
	for _, one := range pictures {
		data, err := os.ReadFile(filepath.Join(folder, one.file))
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || config.Width != int(one.width) || config.Height != int(one.height) || len(data) > maxPicture {
			t.Errorf("%s: %d × %d pixels in %d bytes, %v; take it anew with -pictures", one.file, config.Width, config.Height, len(data), err)
		}
	}
}

// shrink writes a picture with the 256 colours that it has most of, which are nearly all
// of a page's, and the best compression there is.
func shrink(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	bounds, times := picture.Bounds(), map[color.Color]int{}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			times[picture.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(times), func(a, b color.Color) int { return times[b] - times[a] })
	palette := color.Palette(colours[:min(len(colours), 256)])
	nearest := make(map[color.Color]uint8, len(colours))
	for _, c := range colours {
		nearest[c] = uint8(palette.Index(c))
	}
	paletted := image.NewPaletted(bounds, palette)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			paletted.SetColorIndex(x, y, nearest[picture.At(x, y)])
		}
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
