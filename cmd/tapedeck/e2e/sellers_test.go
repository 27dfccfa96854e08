//go:build e2e

package e2e

import (
	"slices"
	"testing"
)

func TestFastSpring(t *testing.T) {
	w := newWorkspace(t)
	sellers(t, w, seller{
		flow: "fastspring",
		steps: []string{
			"stranger 201 HTTP/2", "seller 201 HTTP/2", "stranger-country 201 HTTP/2", "seller-country 201 HTTP/2",
			"stranger-tags 403 HTTP/2", "card-first 201 HTTP/2", "paypal-first 201 HTTP/2", "again 201 HTTP/2",
		},
		credentials: func(who string) []string {
			return []string{
				"FASTSPRING_USERNAME=" + who,
				"FASTSPRING_PASSWORD=" + w.secret("the password of "+who, ""),
			}
		},
		change: "QUANTITY=3",
		facts:  []string{"body.cart.items[0].quantity", "2", "3"},
	})
}

func TestDigitalRiver(t *testing.T) {
	w := newWorkspace(t)
	sellers(t, w, seller{
		flow: "digitalriver",
		steps: []string{
			"stranger 401 HTTP/2", "created 201 HTTP/2", "before 200 HTTP/2", "updated 200 HTTP/2", "after 200 HTTP/2",
			"source-attached 200 HTTP/2", "tax-attached 200 HTTP/2", "with-both 200 HTTP/2", "source-detached 204 HTTP/2",
			"tax-detached 204 HTTP/2", "with-neither 200 HTTP/2", "deleted 204 HTTP/2", "gone 404 HTTP/2",
		},
		credentials: func(who string) []string {
			return []string{"DIGITALRIVER_TOKEN=" + w.secret("the token of "+who, "")}
		},
		change: "LOCALE=de_DE",
		facts:  []string{"body.locale", "fr_FR", "de_DE"},
	})
}

// A seller is an API with a flow of its own.
type seller struct {
	flow  string
	steps []string // headings that the flow prints
	// credentials are the variables that someone has, made up anew.
	credentials func(who string) []string
	change      string   // a variable that changes one request
	facts       []string // what the miss then says
}

func sellers(t *testing.T, w *workspace, s seller) {
	apis := startAPIs(t)
	c := client{name: s.flow, argv: []string{programs.bash, programs.flows + "/" + s.flow + "/flow.sh"}}

	recorded := w.exec(t, c, "record-once", c.name, s.credentials("recorder"), apis.Flags()...)
	recorded.mustEnd(t, 0)
	if got := recorded.steps(); !slices.Equal(got, s.steps) {
		t.Fatalf("got steps %q, want %q: %s", got, s.steps, recorded)
	}
	if n := interactions(t, w.cassette(c.name)); n != len(s.steps) {
		t.Errorf("the cassette holds %d interactions, want %d", n, len(s.steps))
	}

	// The same run once more answers otherwise: what follows is not luck.
	again := w.exec(t, c, "passthrough", "unused", s.credentials("somebody"), apis.Flags()...)
	again.mustEnd(t, 0)
	if again.stdout == recorded.stdout {
		t.Error("the server answers every run alike, so a replay would prove nothing")
	}

	stop(t, apis)
	w.mustHoldNoSecret(t)
	before := read(t, w.cassette(c.name))

	for _, order := range []string{"as recorded", "reversed"} {
		t.Run("replay "+order, func(t *testing.T) {
			r := w.exec(t, c, "", c.name, append(s.credentials("player"), "ORDER="+order))
			r.mustEnd(t, 0)
			r.mustPrint(t, recorded)
		})
	}
	t.Run("miss", func(t *testing.T) {
		r := w.exec(t, c, "", c.name, append(s.credentials("player"), s.change))
		r.mustEnd(t, 90)
		r.mustSay(t, s.facts...)
	})
	if read(t, w.cassette(c.name)) != before {
		t.Error("replaying changed the cassette")
	}
	w.mustHoldNoSecret(t)
}
