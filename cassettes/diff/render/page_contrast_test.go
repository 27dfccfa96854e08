package render

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Text of every colour can be read on every ground that it stands on, in both themes:
// 4.5:1, as WCAG 2.2 asks for in its level AA.
// https://www.w3.org/TR/WCAG22/#contrast-minimum
func TestPageContrast(t *testing.T) {
	css := pageCSS
	themes := [2]map[string]rgb{{}, {}}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`).FindAllStringSubmatch(css, -1) {
		themes[0][m[1]], themes[1][m[1]] = parsed(t, m[2]), parsed(t, m[3])
	}
	type pair struct{ text, ground string }
	var pairs []pair
	for _, ground := range strings.Fields("paper desk raised grey-tint red-tint green-tint blue-tint") {
		pairs = append(pairs, pair{"ink", ground}, pair{"soft", ground})
	}
	for _, grade := range strings.Fields("red green blue grey") {
		pairs = append(pairs, pair{grade, "paper"}, pair{grade, "desk"}, pair{grade, grade + "-tint"}, pair{grade, grade + "-mark"}, pair{"ink", grade + "-mark"})
	}
	for i, colours := range themes {
		theme := [2]string{"light", "dark"}[i]
		at := func(name string) rgb {
			c, ok := colours[name]
			if !ok {
				t.Fatalf("page.css has no colour %q", name)
			}
			return c
		}
		check := func(what string, text, ground rgb) {
			if got := contrast(text, ground); got < 4.5 {
				t.Errorf("%s: %s: %.2f:1, want 4.5:1", theme, what, got)
			}
		}
		for _, p := range pairs {
			check(p.text+" on "+p.ground, at(p.text), at(p.ground))
		}
		// What color-mix makes: a removed line, and a grade's label.
		for _, grade := range strings.Fields("red green blue grey") {
			removed := mix(at("ink"), at(grade+"-tint"), .78)
			check("a removed line on "+grade+"-tint", removed, at(grade+"-tint"))
			check("a removed word on "+grade+"-mark", removed, at(grade+"-mark"))
			check(grade+" on its label", at(grade), mix(at(grade+"-mark"), at("paper"), .62))
		}
	}
	for _, mixed := range []string{"var(--ink) 78%, var(--tint", "var(--mark) 62%, var(--paper)"} {
		if !strings.Contains(css, mixed) {
			t.Errorf("page.css no longer mixes %s: change the test with it", mixed)
		}
	}
	// Half-transparent text has another contrast than its colour says.
	for _, m := range regexp.MustCompile(`[^{}\n]+\{[^}]*opacity: ([0-9.]+)`).FindAllStringSubmatch(css, -1) {
		if m[1] != "0" && m[1] != "1" {
			t.Errorf("text is half transparent: %s", m[0])
		}
	}
}

type rgb [3]float64

func parsed(t *testing.T, s string) rgb {
	t.Helper()
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		t.Fatal(fmt.Errorf("colour %q: %w", s, err))
	}
	return rgb{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
}

func mix(a, b rgb, part float64) rgb {
	for i := range a {
		a[i] = a[i]*part + b[i]*(1-part)
	}
	return a
}

func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(c rgb) float64 {
	for i, v := range c {
		if v /= 255; v <= .04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return .2126*c[0] + .7152*c[1] + .0722*c[2]
}
